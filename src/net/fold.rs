//! Batch normalisation as a part of the convolution before it, and bounds as a part of either.

use std::sync::Arc;

use burn::tensor::Tensor;

use super::weight::Weight;
use super::{Network, Program};
use crate::graph::{Node, TensorId};
use crate::ops::{Value, batch_norm_epsilon};

impl Network {
    /// The network for inference: what alone reads a convolution becomes a part of it, be it batch normalisation, whose
    /// factors and summands go into the weights and the bias, or an activation that moves values between bounds, which a
    /// batch normalisation that is left takes in, too. What was between the two is not computed any more; all other tensors
    /// keep their ids, and but for rounding their values. Operators keep what they make of their weights.
    #[must_use]
    pub fn for_inference(&self) -> Self {
        let mut network = self.clone();
        network.fold_norms();
        network.fold_bounds();
        for operator in &mut Arc::make_mut(&mut network.program).operators {
            *operator = operator.keeping().unwrap_or_else(|| Arc::clone(operator));
        }
        Arc::make_mut(&mut network.program).find_joint();
        network.frozen = Arc::new(vec![true; network.program.graph.nodes.len()]);
        network
    }

    fn fold_norms(&mut self) {
        let is_norm =
            |program: &Program, node: usize| program.graph.nodes[node].op_type == "BatchNormalization";
        for (conv, norm) in convolutions_before(&self.program, is_norm) {
            let [conv_node, norm_node] = [conv, norm].map(|index| &self.program.graph.nodes[index]);
            let Some(parts) = self.folded(conv_node, norm_node) else { continue };
            let name = format!("{}/folded", conv_node.name);
            let program = Arc::make_mut(&mut self.program);
            let ids = parts.map(|value| {
                let id = program.graph.add_tensor(&name, Some(value.dims()));
                program.weights.push((id, self.weights.len()));
                program.weight_of.push(Some(self.weights.len()));
                self.weights.push(Weight::new(value, false));
                Some(id)
            });
            let inputs = &mut program.graph.nodes[conv].inputs;
            inputs.truncate(1);
            inputs.extend(ids);
            program.merge(conv, norm);
        }
        Arc::make_mut(&mut self.program).drop_merged();
    }

    fn fold_bounds(&mut self) {
        let program = Arc::make_mut(&mut self.program);
        program.find_joint();
        for (node, joint) in std::mem::take(&mut program.joint).into_iter().enumerate() {
            if let Some((reader, operator)) = joint {
                program.operators[node] = operator;
                program.merge(node, reader);
            }
        }
        program.drop_merged();
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

impl Program {
    /// Finds who can compute what its only reader does, too.
    pub(super) fn find_joint(&mut self) {
        let consumers = self.graph.consumers();
        let joint = |(index, node): (usize, &Node)| {
            let &[output] = &node.outputs[..] else { return None };
            let &[reader] = &consumers[output.0][..] else { return None };
            if self.graph.outputs.contains(&output) {
                return None;
            }
            let bounds = self.operators[reader].bounds()?;
            Some((reader, self.operators[index].bounded(bounds)?))
        };
        self.joint = self.graph.nodes.iter().enumerate().map(joint).collect();
    }

    /// Lets a node give what the one behind it gave, whose outputs are taken away.
    fn merge(&mut self, node: usize, behind: usize) {
        self.graph.nodes[node].outputs = std::mem::take(&mut self.graph.nodes[behind].outputs);
    }

    fn drop_merged(&mut self) {
        let nodes =
            std::mem::take(&mut self.graph.nodes).into_iter().zip(std::mem::take(&mut self.operators));
        (self.graph.nodes, self.operators) = nodes.filter(|(node, _)| !node.outputs.is_empty()).unzip();
    }
}

/// Convolutions that a single node of the kind sought reads, and nothing else, with that node's place among the nodes.
fn convolutions_before(program: &Program, sought: impl Fn(&Program, usize) -> bool) -> Vec<(usize, usize)> {
    let graph = &program.graph;
    let consumers = graph.consumers();
    let convolutions = graph.nodes.iter().enumerate().filter(|(_, node)| node.op_type == "Conv");
    convolutions
        .filter_map(|(conv, node)| {
            let output = node.outputs[0];
            let &[reader] = &consumers[output.0][..] else { return None };
            (!graph.outputs.contains(&output) && sought(program, reader)).then_some((conv, reader))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, TensorData};

    use super::*;
    use crate::graph::{Constant, Graph};
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
        assert_eq!((network.graph().nodes.len(), folded.graph().nodes.len()), (8, 5));
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

    #[test]
    fn what_is_computed_at_once_is_given_apart_if_asked_for() {
        let mut graph = Graph { opset: 18, ..Graph::default() };
        let image = graph.add_input("image", vec![1, 2, 6, 6]);
        let normed = norm(&mut graph, "norm", image, 2);
        let bounded = graph.add_node("Relu", "bounded", [normed]);
        let last = conv(&mut graph, "last", bounded, [2, 3], false);
        graph.outputs = vec![last];
        let network = Network::new(&graph, &Device::flex()).unwrap();

        let pixels = numbers(&[2, 2, 6, 6], 1);
        let data = TensorData::new(pixels.as_f32().unwrap().to_vec(), [2, 2, 6, 6]);
        let images: Tensor<4> = Tensor::from_data(data, &Device::flex());
        for mode in [Mode::Training, Mode::Inference] {
            let run = |targets: &[TensorId]| {
                let pass = network.run(&[(image, images.clone().into())], targets, mode);
                let nodes: Vec<usize> = pass.statistics.iter().map(|(node, _)| *node).collect();
                (pollster::block_on(read_all(pass.targets)).unwrap(), nodes)
            };
            let (apart, statistics) = run(&[normed, bounded, last]);
            assert!(apart[0].iter().zip(&apart[1]).all(|(normed, bounded)| *bounded == normed.max(0.0)));
            assert!(apart[0].iter().any(|value| *value < 0.0) || mode == Mode::Inference);
            assert_eq!(run(&[last]), (vec![apart[2].clone()], statistics.clone()));
            assert_eq!(run(&[bounded]), (vec![apart[1].clone()], statistics));
        }
    }

    #[test]
    fn of_two_activations_in_a_row_both_count() {
        let mut graph = Graph { opset: 18, ..Graph::default() };
        let image = graph.add_input("image", vec![1, 2, 6, 6]);
        let shifted = graph.add_constant("shifted", Constant::scalar(0.7));
        let image_or_less = graph.add_node("Sub", "image or less", [image, shifted]);
        let mut before = conv(&mut graph, "conv", image_or_less, [2, 3], false);
        for name in ["first", "second"] {
            let least = if name == "first" { 0.0 } else { -9.0 };
            let ends =
                [least, 2.0].map(|end| graph.add_constant(&format!("{name}/{end}"), Constant::scalar(end)));
            before = graph.add_node("Clip", name, [before, ends[0], ends[1]]);
        }
        graph.outputs = vec![before];
        let network = Network::new(&graph, &Device::flex()).unwrap();
        let pixels = numbers(&[2, 2, 6, 6], 1);
        let data = TensorData::new(pixels.as_f32().unwrap().to_vec(), [2, 2, 6, 6]);
        let images: Tensor<4> = Tensor::from_data(data, &Device::flex());
        let run = |network: &Network| {
            pollster::block_on(read(network.forward(images.clone()).swap_remove(0))).unwrap()
        };
        let expected = run(&network);
        assert!(expected.contains(&0.0) && expected.iter().any(|value| *value > 0.0), "{expected:?}");
        assert!(expected.iter().all(|value| *value >= 0.0));
        assert_eq!(run(&network.for_inference()), expected);
    }
}
