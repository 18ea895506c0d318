//! Batch normalisation as a part of the convolution before it.

use std::sync::Arc;

use burn::tensor::Tensor;

use super::Network;
use super::weight::Weight;
use crate::graph::{Graph, Node, TensorId};
use crate::ops::{Value, batch_norm_epsilon};

impl Network {
    /// The network for inference: where nothing but a batch normalisation reads what a convolution gives, its factors and
    /// summands go into the convolution's weights and bias. What was between the two is not computed any more; all other
    /// tensors keep their ids, and but for rounding their values.
    #[must_use]
    pub fn for_inference(&self) -> Self {
        let mut network = self.clone();
        let program = Arc::make_mut(&mut network.program);
        let mut gone = vec![false; program.graph.nodes.len()];
        for (conv, norm) in convolutions_with_norm(&program.graph) {
            let [conv_node, norm_node] = [conv, norm].map(|index| &program.graph.nodes[index]);
            let Some(parts) = self.folded(conv_node, norm_node) else { continue };
            let (name, output) = (conv_node.name.clone(), norm_node.outputs[0]);
            let ids = parts.map(|value| {
                let id = program.graph.add_tensor(&format!("{name}/folded"), Some(value.dims()));
                program.weights.push((id, network.weights.len()));
                program.weight_of.push(Some(network.weights.len()));
                network.weights.push(Weight::new(value, false));
                Some(id)
            });
            let conv = &mut program.graph.nodes[conv];
            conv.inputs.truncate(1);
            conv.inputs.extend(ids);
            conv.outputs = vec![output];
            gone[norm] = true;
        }
        let mut keep = gone.iter().map(|gone| !gone);
        program.graph.nodes.retain(|_| keep.next().unwrap_or(true));
        let mut keep = gone.iter().map(|gone| !gone);
        program.operators.retain(|_| keep.next().unwrap_or(true));
        network.frozen = Arc::new(vec![true; program.graph.nodes.len()]);
        network
    }

    /// Weights and bias of a convolution that normalises, too; `None` where they are not constants.
    fn folded(&self, conv: &Node, norm: &Node) -> Option<[Value; 2]> {
        let of = |node: &Node, place: usize| -> Option<Value> {
            let id: TensorId = node.inputs.get(place).copied()??;
            Some(self.weights[self.program.weight_of[id.0]?].value().detach())
        };
        let vector = |place| of(norm, place).map(Value::to_rank::<1>);
        let [scale, shift, mean, variance] = [vector(1)?, vector(2)?, vector(3)?, vector(4)?];
        let weight: Tensor<4> = of(conv, 1)?.to_rank();
        let factor = scale / variance.add_scalar(batch_norm_epsilon(norm)).sqrt();
        let bias = match conv.inputs.get(2).copied().flatten() {
            Some(_) => shift + (of(conv, 2)?.to_rank() - mean) * factor.clone(),
            None => shift - mean * factor.clone(),
        };
        let filters = factor.dims()[0];
        Some([(weight * factor.reshape([filters, 1, 1, 1])).into(), bias.into()])
    }
}

/// Convolutions with the batch normalisation that alone reads them, by their places among the nodes.
fn convolutions_with_norm(graph: &Graph) -> Vec<(usize, usize)> {
    let (producers, consumers) = (graph.producers(), graph.consumers());
    let nodes = graph.nodes.iter().enumerate().filter(|(_, node)| node.op_type == "BatchNormalization");
    nodes
        .filter_map(|(norm, node)| {
            let between = node.inputs[0]?;
            let conv = producers[between.0]?;
            let alone = consumers[between.0] == [norm] && !graph.outputs.contains(&between);
            (alone && graph.nodes[conv].op_type == "Conv").then_some((conv, norm))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, TensorData};

    use super::*;
    use crate::graph::Constant;
    use crate::net::{read, read_all};
    use crate::ops::Mode;

    /// Numbers from 0.1 to 1.1.
    fn numbers(shape: &[usize], seed: usize) -> Constant {
        let count: usize = shape.iter().product();
        let values: Vec<f32> = (0..count).map(|i| 0.1 + ((i * 7 + seed * 3) % 11) as f32 / 10.0).collect();
        Constant::f32(shape.to_vec(), values)
    }

    fn conv(
        graph: &mut Graph,
        name: &str,
        input: TensorId,
        [from, into]: [usize; 2],
        bias: bool,
    ) -> TensorId {
        let weight = graph.add_constant(&format!("{name}/weight"), numbers(&[into, from, 2, 2], from));
        let output = graph.add_node("Conv", name, [input, weight]);
        if bias {
            let bias = graph.add_constant(&format!("{name}/bias"), numbers(&[into], 5));
            graph.nodes.last_mut().unwrap().inputs.push(Some(bias));
        }
        output
    }

    fn norm(graph: &mut Graph, name: &str, input: TensorId, channels: usize) -> TensorId {
        let parts = [1, 2, 3, 4]
            .map(|seed| graph.add_constant(&format!("{name}/{seed}"), numbers(&[channels], seed)));
        graph.add_node("BatchNormalization", name, [input, parts[0], parts[1], parts[2], parts[3]])
    }

    #[test]
    fn only_what_nobody_else_reads_is_folded_and_no_output_changes() {
        let mut graph = Graph { opset: 18, ..Graph::default() };
        let image = graph.add_input("image", vec![1, 2, 6, 6]);
        let plain = conv(&mut graph, "plain", image, [2, 3], false);
        let normed = norm(&mut graph, "plain norm", plain, 3);
        let inner = graph.add_node("Relu", "inner", [normed]);
        let biased = conv(&mut graph, "biased", inner, [3, 4], true);
        let normed = norm(&mut graph, "biased norm", biased, 4);
        let read_twice = conv(&mut graph, "read twice", normed, [4, 4], false);
        let normed = norm(&mut graph, "last norm", read_twice, 4);
        let sum = graph.add_node("Add", "sum", [read_twice, normed]);
        graph.outputs = vec![sum, normed];

        let network = Network::new(&graph, &Device::flex()).unwrap();
        let folded = network.for_inference();
        let norms = |network: &Network| {
            network.graph().nodes.iter().filter(|node| node.op_type == "BatchNormalization").count()
        };
        assert_eq!((norms(&network), norms(&folded)), (3, 1));
        let pixels = numbers(&[2, 2, 6, 6], 1);
        let data = TensorData::new(pixels.as_f32().unwrap().to_vec(), [2, 2, 6, 6]);
        let images: Tensor<4> = Tensor::from_data(data, &Device::flex());
        let all = [inner, sum, normed];
        let run = |network: &Network| {
            let feeds = [(network.graph().inputs[0], images.clone().into())];
            pollster::block_on(read_all(network.run(&feeds, &all, Mode::Inference).targets)).unwrap()
        };
        for (found, expected) in run(&folded).iter().flatten().zip(run(&network).iter().flatten()) {
            assert!(
                (found - expected).abs() <= 1e-4 * expected.abs().max(1.0),
                "{found}, expected {expected}"
            );
        }
        let answer = pollster::block_on(read(folded.forward(images).swap_remove(1))).unwrap();
        assert_eq!(answer.len(), 2 * 4 * 3 * 3);
    }
}
