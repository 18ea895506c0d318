//! Shapes and costs of a whole graph, by its operators' own rules.

use super::fold::{self, fold};
use super::upgrade::upgrade;
use super::{NodeView, OpError, Operator, read};
use crate::graph::{Attribute, Constant, Graph, MAX_RANK, Shape, TensorId, elements};
use crate::onnx::OPSET;

/// Reads every node's operator, and fills in the shapes of all tensors (for one image) and the MACs of all nodes.
///
/// On the way nodes are brought to operator set [`OPSET`], what is known before a network runs (shapes, integers made
/// from them) becomes constant, and reshapes that were exported for a batch of one image take any batch. The operators
/// that are returned are those of the graph's nodes, in their order.
///
/// # Errors
///
/// The first node whose operator is not supported or whose inputs do not fit. All operators are looked up before
/// any shape is computed, so an unsupported one is reported whatever else is wrong.
pub fn infer(graph: &mut Graph) -> Result<Vec<Box<dyn Operator>>, OpError> {
    let supported = super::supported();
    for node in &graph.nodes {
        let known =
            supported.contains(&node.op_type.as_str()) || fold::OPERATORS.contains(&node.op_type.as_str());
        if !known || !node.domain.is_empty() {
            return Err(NodeView::new(graph, node).unsupported());
        }
    }
    drop_unread_outputs(graph);
    let computed = graph.depends_on_input();
    let mut operators = Vec::with_capacity(graph.nodes.len());
    let mut index = 0;
    while index < graph.nodes.len() {
        upgrade(graph, index);
        if let Some(constant) = fold(graph, &graph.nodes[index]) {
            let output = graph.nodes.remove(index).outputs[0];
            graph.tensors[output.0].shape = Some(constant.shape.clone());
            graph.constants.insert(output, constant);
            continue;
        }
        let data = graph.nodes[index].inputs.first().copied().flatten();
        if data.is_some_and(|data| computed.get(data.0).copied().unwrap_or(true)) {
            free_batch(graph, index);
        }
        operators.push(infer_node(graph, index)?);
        index += 1;
    }
    drop_unread_constants(graph);
    graph.opset = graph.opset.max(OPSET);
    Ok(operators)
}

fn infer_node(graph: &mut Graph, index: usize) -> Result<Box<dyn Operator>, OpError> {
    let node = &graph.nodes[index];
    let view = NodeView::new(graph, node);
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

/// Takes away integer constants that nobody reads any more.
fn drop_unread_constants(graph: &mut Graph) {
    let consumers = graph.consumers();
    let outputs = &graph.outputs;
    graph.constants.retain(|id, constant| {
        constant.as_f32().is_some() || !consumers[id.0].is_empty() || outputs.contains(id)
    });
}

/// Lets a reshape whose target begins with a batch of one image take any batch: 0 copies the input's first axis.
fn free_batch(graph: &mut Graph, index: usize) {
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
