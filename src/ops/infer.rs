//! Shapes and costs of a whole graph, by its operators' own rules.

use super::{NodeView, OpError, Operator, read};
use crate::graph::{Constant, Graph, Shape};

/// Reads every node's operator, and fills in the shapes of all tensors (for one image) and the MACs of all nodes.
///
/// # Errors
///
/// The first node whose operator is not supported or whose inputs do not fit. All operators are looked up before
/// any shape is computed, so an unsupported one is reported whatever else is wrong.
pub fn infer(graph: &mut Graph) -> Result<Vec<Box<dyn Operator>>, OpError> {
    for node in &graph.nodes {
        if !super::supported().contains(&node.op_type.as_str()) || !node.domain.is_empty() {
            return Err(NodeView::new(graph, node).unsupported());
        }
    }
    let mut operators = Vec::with_capacity(graph.nodes.len());
    for index in 0..graph.nodes.len() {
        let node = &graph.nodes[index];
        let operator = read(graph, node)?;
        let inputs: Vec<&[usize]> =
            node.inputs.iter().map(|input| input.map_or(&[][..], |id| graph.shape(id))).collect();
        let shapes = operator.shapes(&inputs).map_err(|reason| NodeView::new(graph, node).invalid(reason))?;
        let macs = operator.macs(&inputs, &shapes);
        let outputs = node.outputs.clone();
        for (id, shape) in outputs.into_iter().zip(shapes) {
            graph.tensors[id.0].shape = Some(shape);
        }
        graph.nodes[index].macs = macs;
        operators.push(operator);
    }
    Ok(operators)
}

/// Lets reshapes that were exported for a fixed batch of one image pass any batch: a leading 1 in a constant target
/// becomes -1 or 0 where the input's leading axis is the batch.
pub fn rewrite_batch(graph: &mut Graph) {
    let depends = graph.depends_on_input();
    let targets: Vec<_> = graph
        .nodes
        .iter()
        .filter(|node| node.op_type == "Reshape")
        .filter_map(|node| Some((node.inputs.first().copied()??, node.inputs.get(1).copied()??)))
        .filter(|(data, _)| depends[data.0])
        .map(|(_, target)| target)
        .collect();
    for target in targets {
        if let Some(values) = graph.constants.get(&target).and_then(Constant::as_i64)
            && values.first() == Some(&1)
        {
            let mut values = values.to_vec();
            // 0 copies the input's axis; -1 would clash with another -1.
            values[0] = 0;
            let shape: Shape = vec![values.len()];
            graph.constants.insert(target, Constant { shape, ..Constant::ints(values) });
        }
    }
}
