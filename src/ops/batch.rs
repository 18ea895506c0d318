//! Networks for any batch, whatever they were exported for.

use super::{NodeView, OpError, Operator};
use crate::graph::{Attribute, Constant, Graph, Shape, TensorId};

/// Lets a reshape whose target begins with a batch of one image take any batch: 0 copies the input's first axis.
pub fn free_batch(graph: &mut Graph, index: usize) {
    let node = &graph.nodes[index];
    let (Some(Some(data)), Some(Some(target))) = (node.inputs.first(), node.inputs.get(1)) else { return };
    let values = graph.constants.get(target).and_then(Constant::as_i64);
    let Some(values) = values.filter(|values| values.first() == Some(&1)) else { return };
    if node.op_type != "Reshape" || graph.shape(*data).first() != Some(&1) {
        return;
    }
    let zeros_are_sizes = node.attributes.get("allowzero") == Some(&Attribute::Int(1));
    if zeros_are_sizes && values.contains(&0) {
        return;
    }
    let mut freed = values.to_vec();
    freed[0] = 0;
    retarget(graph, index, freed);
}

/// Gives a reshape a target of its own: others may read the old one.
fn retarget(graph: &mut Graph, index: usize, target: Vec<i64>) {
    let name = format!("{}/shape", graph.nodes[index].name);
    let id = graph.add_constant(&name, Constant::ints(target));
    let node = &mut graph.nodes[index];
    node.inputs[1] = Some(id);
    node.attributes.remove("allowzero");
}

/// Makes a network that was exported for a fixed batch of several images one for a single image: its inputs of 4 axes
/// get a first axis of 1, and reshapes to that batch copy it. To be called before [`infer`].
pub fn rewrite_batch(graph: &mut Graph) {
    let Some(&input) = graph.inputs.iter().find(|id| graph.shape(**id).len() == 4) else { return };
    let batch = graph.shape(input)[0];
    if batch == 1 {
        return;
    }
    for id in graph.inputs.clone() {
        if let Some(size) = graph.tensors[id.0].shape.as_mut().and_then(|shape| shape.first_mut())
            && *size == batch
        {
            *size = 1;
        }
    }
    let depends = graph.depends_on_input();
    for index in 0..graph.nodes.len() {
        let node = &graph.nodes[index];
        let (Some(Some(data)), Some(Some(target))) = (node.inputs.first(), node.inputs.get(1)) else {
            continue;
        };
        let values = graph.constants.get(target).and_then(Constant::as_i64);
        if let Some([first, rest @ ..]) = values
            && node.op_type == "Reshape"
            && depends[data.0]
            && *first == batch as i64
        {
            let freed = std::iter::once(0).chain(rest.iter().copied()).collect();
            retarget(graph, index, freed);
        }
    }
}

/// Checks that an inferred network takes any batch: with two images every operator accepts its inputs, and every
/// output that depends on them has two rows instead of one.
///
/// # Errors
///
/// Names the node at which the batch gets lost.
pub fn check_batch(graph: &Graph, operators: &[Box<dyn Operator>]) -> Result<(), OpError> {
    let mut shapes: Vec<Shape> =
        (0..graph.tensors.len()).map(|id| graph.shape(TensorId(id)).to_vec()).collect();
    for input in &graph.inputs {
        if let Some(batch) = shapes[input.0].first_mut() {
            *batch *= 2;
        }
    }
    let depends = graph.depends_on_input();
    for (node, operator) in graph.nodes.iter().zip(operators) {
        let lost = |reason: &str| {
            NodeView::new(graph, node).invalid(format!(
                "it holds for one image only: {reason}. Hint: export the network with a dynamic batch axis"
            ))
        };
        let inputs: Vec<&[usize]> =
            node.inputs.iter().map(|input| input.map_or(&[][..], |id| &shapes[id.0])).collect();
        let outputs = operator.shapes(&inputs).map_err(|reason| lost(&reason))?;
        for (id, shape) in node.outputs.iter().zip(outputs) {
            let one = graph.shape(*id);
            let doubled = one.first().map(|batch| batch * 2);
            let is_output = graph.outputs.contains(id) && depends[id.0];
            if shape.len() != one.len() || is_output && shape.first().copied() != doubled {
                return Err(lost(&format!("two images give {shape:?}, one gives {one:?}")));
            }
            shapes[id.0] = shape;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::infer;
    use super::*;
    use crate::graph::Attributes;

    fn image(batch: usize) -> (Graph, TensorId) {
        let mut graph = Graph { opset: 17, ..Graph::default() };
        let image = graph.add_input("image", vec![batch, 4, 2, 2]);
        (graph, image)
    }

    fn reshape(graph: &mut Graph, data: TensorId, target: &[i64]) -> TensorId {
        let target = graph.add_constant("target", Constant::ints(target));
        graph.add_node("Reshape", "reshaped", [data, target])
    }

    /// Shapes of the outputs for one image, or why the network does not take two.
    fn shapes(mut graph: Graph, output: TensorId) -> Result<Shape, String> {
        graph.outputs.push(output);
        rewrite_batch(&mut graph);
        let operators = infer(&mut graph).map_err(|error| error.to_string())?;
        check_batch(&graph, &operators).map_err(|error| error.to_string())?;
        Ok(graph.shape(output).to_vec())
    }

    #[test]
    fn reshapes_exported_for_a_fixed_batch_take_any() {
        for (batch, target) in
            [(1, [1, 16]), (1, [1, -1]), (1, [-1, 16]), (8, [8, 16]), (8, [8, -1]), (8, [-1, 16])]
        {
            let (mut graph, image) = image(batch);
            let output = reshape(&mut graph, image, &target);
            assert_eq!(shapes(graph, output), Ok(vec![1, 16]), "{batch} {target:?}");
        }
    }

    #[test]
    fn a_target_that_two_reshapes_share_stays_right_for_both() {
        let (mut graph, image) = image(1);
        let target = graph.add_constant("target", Constant::ints(vec![1, 16]));
        let weight = graph.add_constant("weight", Constant::f32(vec![16], vec![1.0; 16]));
        let row = graph.add_node("Reshape", "row", [weight, target]);
        let flat = graph.add_node("Reshape", "flat", [image, target]);
        let output = graph.add_node("Add", "sum", [flat, row]);
        assert_eq!(shapes(graph, output), Ok(vec![1, 16]));
    }

    #[test]
    fn a_network_that_loses_its_batch_is_refused_by_node() {
        let (mut graph, image) = image(1);
        let fixed = reshape(&mut graph, image, &[4, 4]);
        let error = shapes(graph, fixed).unwrap_err();
        assert!(error.contains("'reshaped'") && error.contains("one image only"), "{error}");

        let (mut graph, image) = self::image(1);
        let class = graph.add_constant("class", Constant::f32(vec![1, 1, 2, 2], vec![0.0; 4]));
        let joined = graph.add_node_with(
            "Concat",
            "joined",
            [image, class],
            Attributes::from([("axis".into(), 1.into())]),
        );
        let error = shapes(graph, joined).unwrap_err();
        assert!(error.contains("'joined'"), "{error}");

        let (mut graph, image) = self::image(1);
        let pooled = graph.add_node("GlobalAveragePool", "pooled", [image]);
        let squeezed = graph.add_node("Squeeze", "squeezed", [pooled]);
        let error = shapes(graph, squeezed).unwrap_err();
        assert!(error.contains("'squeezed'"), "{error}");
    }
}
