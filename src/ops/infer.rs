//! Shapes and costs of a whole graph, by its operators' own rules.

use std::collections::VecDeque;
use std::sync::Arc;

use super::batch::{Batches, free_batch};
use super::known::Known;
use super::rewrite::{constants_beside_images, rows_as_images};
use super::upgrade::upgrade;
use super::{NodeView, OpError, Operator, read};
use crate::graph::{Graph, MAX_RANK, OPSET, TensorId, elements};

/// Reads every node's operator, and fills in the shapes of all tensors (for one image) and the MACs of all nodes.
///
/// On the way nodes are brought to operator set [`OPSET`], what is known before a network runs (shapes, integers made
/// from them) becomes constant, integers become 64-bit, quantisation is left out, and reshapes and constants that were
/// exported for a batch of one image take any batch. Weights stay as they are, and so do the nodes that change them. The
/// operators that are returned are those of the graph's nodes, in their order.
///
/// # Errors
///
/// The first node whose operator is not supported or whose inputs do not fit. All operators are looked up before
/// any shape is computed, so an unsupported one is reported whatever else is wrong.
pub fn infer(graph: &mut Graph) -> Result<Vec<Arc<dyn Operator>>, OpError> {
    for node in &graph.nodes {
        if !node.domain.is_empty() || !super::supports(&node.op_type) {
            return Err(NodeView::new(graph, node).unsupported());
        }
    }
    drop_unread_outputs(graph);
    let mut known = Known::new(graph);
    let mut batches = Batches::new(graph);
    let mut operators = Vec::with_capacity(graph.nodes.len());
    let mut pending = VecDeque::from(std::mem::take(&mut graph.nodes));
    while let Some(mut node) = pending.pop_front() {
        known.follow(&mut node);
        graph.nodes.push(node);
        let index = graph.nodes.len() - 1;
        known.arguments(graph, index);
        upgrade(graph, index);
        rows_as_images(graph, index);
        constants_beside_images(graph, index, &batches);
        // Of a node that became several, the later ones wait their turn.
        for node in graph.nodes.drain(index + 1..).rev() {
            pending.push_front(node);
        }
        if known.take(graph, index) {
            continue;
        }
        free_batch(graph, index, &batches);
        let operator = infer_node(graph, index)?;
        batches.extend(graph, index, operator.as_ref());
        operators.push(Arc::from(operator));
    }
    known.drop_unread(graph);
    for id in graph.constants.keys() {
        graph.tensors[id.0].other_type = None;
    }
    graph.opset = graph.opset.max(OPSET);
    Ok(operators)
}

fn infer_node(graph: &mut Graph, index: usize) -> Result<Box<dyn Operator>, OpError> {
    let node = &graph.nodes[index];
    let view = NodeView::new(graph, node);
    // Lists of integers may be empty.
    let empty = |id: &&TensorId| match graph.constants.get(*id) {
        Some(constant) => constant.as_f32().is_some_and(<[f32]>::is_empty),
        None => graph.shape(**id).contains(&0),
    };
    if let Some(id) = node.inputs.iter().flatten().find(empty) {
        return Err(view.invalid(format!("its input '{}' is empty", graph.tensor(*id).name)));
    }
    let operator = read(graph, node)?;
    let inputs: Vec<&[usize]> =
        node.inputs.iter().map(|input| input.map_or(&[][..], |id| graph.shape(id))).collect();
    let shapes = operator.shapes(&inputs).map_err(|reason| view.invalid(reason))?;
    for shape in &shapes {
        if shape.len() > MAX_RANK {
            return Err(view.invalid(format!("its output {shape:?} has more than {MAX_RANK} axes")));
        }
        if elements(shape).is_none_or(|count| count == 0) {
            return Err(view.invalid(format!("its output {shape:?} is empty or too large")));
        }
    }
    let macs = operator.macs(&inputs, &shapes);
    let outputs = node.outputs.clone();
    for (id, shape) in outputs.into_iter().zip(shapes) {
        graph.tensors[id.0].shape = Some(shape);
    }
    graph.nodes[index].macs = macs;
    Ok(operator)
}

/// Takes away optional outputs at the end of a node's list that nobody reads, such as the mask of `Dropout`.
fn drop_unread_outputs(graph: &mut Graph) {
    let mut read: Vec<bool> = graph.consumers().iter().map(|consumers| !consumers.is_empty()).collect();
    for output in &graph.outputs {
        read[output.0] = true;
    }
    // The parts of a `Split` are not optional.
    for node in graph.nodes.iter_mut().filter(|node| node.op_type != "Split") {
        while node.outputs.len() > 1 && node.outputs.last().is_some_and(|output| !read[output.0]) {
            node.outputs.pop();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::{Attributes, Constant, TensorId};
    use crate::ops::check_batch;

    fn image(batch: usize) -> (Graph, TensorId) {
        let mut graph = Graph { opset: 17, ..Graph::default() };
        let image = graph.add_input("image", vec![batch, 4, 2, 2]);
        (graph, image)
    }

    fn reshape(graph: &mut Graph, data: TensorId, target: &[i64]) -> TensorId {
        let target = graph.add_constant("target", Constant::ints(target));
        graph.add_node("Reshape", "reshaped", [data, target])
    }

    /// `x.view(x.size(0), -1)` as exporters write it.
    #[test]
    fn shapes_computed_from_shapes_are_folded() {
        let (mut graph, image) = image(1);
        let shape = graph.add_node("Shape", "shape", [image]);
        let first = graph.add_constant("first", Constant { shape: vec![], ..Constant::ints(vec![0]) });
        let batch = graph.add_node("Gather", "batch", [shape, first]);
        let axis = graph.add_constant("axis", Constant::ints(vec![0]));
        let batch = graph.add_node("Unsqueeze", "batch list", [batch, axis]);
        let rest = graph.add_constant("rest", Constant::ints(vec![-1]));
        let concat = Attributes::from([("axis".into(), 0.into())]);
        let target = graph.add_node_with("Concat", "target", [batch, rest], concat);
        let output = graph.add_node("Reshape", "flat", [image, target]);
        graph.outputs.push(output);

        let operators = infer(&mut graph).unwrap();

        assert_eq!(operators.len(), 1);
        assert_eq!(graph.nodes.len(), 1);
        assert_eq!(graph.constants.len(), 1, "only the target is left");
        assert_eq!(graph.shape(output), [1, 16]);
        assert!(check_batch(&graph, &operators).is_ok());
        assert_eq!(graph.opset, OPSET);
    }

    #[test]
    fn inferring_twice_changes_nothing() {
        let (mut graph, image) = image(1);
        graph.opset = 9;
        let flat = reshape(&mut graph, image, &[1, 4, 4]);
        let soft = graph.add_node("Softmax", "soft", [flat]);
        let clip = Attributes::from([("min".into(), 0.0.into()), ("max".into(), 6.0.into())]);
        let output = graph.add_node_with("Clip", "clipped", [soft], clip);
        graph.outputs.push(output);
        infer(&mut graph).unwrap();
        let once = graph.clone();
        infer(&mut graph).unwrap();
        assert_eq!(graph, once);
    }

    #[test]
    fn an_operator_that_is_not_supported_is_reported_first() {
        let (mut graph, image) = image(1);
        let broken = reshape(&mut graph, image, &[5]);
        graph.add_node("Loop", "late", [broken]);
        let error = infer(&mut graph).unwrap_err().to_string();
        assert!(error.contains("node 'late' uses operator Loop (opset 17)"), "{error}");
        let (mut graph, image) = self::image(1);
        graph.add_node("Range", "counted", [image, image, image]);
        assert!(matches!(infer(&mut graph), Err(OpError::Unsupported { .. })));
        let (mut graph, image) = self::image(1);
        graph.add_node("Relu", "foreign", [image]);
        graph.nodes[0].domain = "com.example".into();
        let error = infer(&mut graph).unwrap_err().to_string();
        assert!(error.contains("com.example.Relu"), "{error}");
    }

    #[test]
    fn outputs_too_large_for_memory_are_refused() {
        let (mut graph, image) = image(1);
        let row = reshape(&mut graph, image, &[1, 16, 1]);
        let mut wide = row;
        for _ in 0..6 {
            let pads = graph.add_constant("pads", Constant::ints(vec![0, 0, 30000, 0, 0, 30000]));
            wide = graph.add_node("Pad", "padded", [wide, pads]);
        }
        let mut column = graph.add_node_with(
            "Transpose",
            "column",
            [wide],
            Attributes::from([("perm".into(), vec![0, 2, 1].into())]),
        );
        column = graph.add_node("MatMul", "square", [column, wide]);
        let error = infer(&mut graph).unwrap_err().to_string();
        assert!(error.contains("empty or too large"), "{error} {column:?}");
    }
}
