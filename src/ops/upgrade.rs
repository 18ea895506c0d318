//! Brings nodes of older operator sets to the form of operator set [`OPSET`], so that each operator is read in one
//! form only and networks of different age can be joined.

use super::axes::axis;
use super::resize;
use crate::graph::{Attribute, Attributes, Constant, Graph, Node, OPSET, TensorId};

/// Upgrades node `index`, whose input shapes are known. It may become several nodes.
///
/// What has changed between operator sets 7 and 18, beyond types and additions:
/// - attributes became inputs: `Clip` (11), `Pad` (11), `Slice` (10), `Squeeze` and `Unsqueeze` (13), `Split` (13),
///   `ReduceSum` (13), the other reductions (18), `Dropout` (12), the scales of `Upsample` (9), which became `Resize` (10);
/// - `Softmax` and `LogSoftmax` (13) flattened their input before;
/// - `BatchNormalization` (9) had `spatial`; `Split` (18) needs to know the number of its parts.
///
/// After it `GroupNormalization` (21) got a scale per channel instead of one per group.
pub fn upgrade(graph: &mut Graph, index: usize) {
    match graph.nodes[index].op_type.as_str() {
        "BatchNormalization" => own_statistics(graph, index),
        "GroupNormalization" if graph.opset < 21 => groups_as_instances(graph, index),
        "Resize" | "Upsample" => resize::upgrade(graph, index),
        _ => {}
    }
    if graph.opset >= OPSET {
        return;
    }
    match graph.nodes[index].op_type.as_str() {
        "Clip" => to_inputs(graph, index, &["min", "max"]),
        "Pad" => to_inputs(graph, index, &["pads", "value"]),
        "Slice" => to_inputs(graph, index, &["starts", "ends", "axes"]),
        "Squeeze" | "Unsqueeze" => to_inputs(graph, index, &["axes"]),
        reduction if reduction.starts_with("Reduce") => to_inputs(graph, index, &["axes"]),
        "Split" => {
            to_inputs(graph, index, &["split"]);
            let node = &mut graph.nodes[index];
            if node.inputs.len() < 2 {
                let parts = node.outputs.len() as i64;
                node.attributes.insert("num_outputs".to_owned(), parts.into());
            }
        }
        "Dropout" => {
            graph.nodes[index].attributes.remove("ratio");
        }
        "BatchNormalization" => {
            let attributes = &mut graph.nodes[index].attributes;
            // 1 was the default, and is the only way there is today.
            if attributes.get("spatial") == Some(&Attribute::Int(1)) {
                attributes.remove("spatial");
            }
        }
        "Softmax" | "LogSoftmax" if graph.opset < 13 => flattening_softmax(graph, index),
        _ => {}
    }
}

/// Gives a node of batch normalisation running statistics of its own: those of equal values may be one constant in a
/// file, but each layer keeps its own while it is trained.
fn own_statistics(graph: &mut Graph, index: usize) {
    let (before, node) = graph.nodes.split_at(index);
    let taken: Vec<(usize, TensorId)> = [3, 4]
        .into_iter()
        .filter_map(|place| Some((place, node[0].inputs.get(place).copied().flatten()?)))
        .filter(|(_, id)| {
            let shares = |other: &Node| other.op_type == node[0].op_type && other.inputs.contains(&Some(*id));
            graph.constants.contains_key(id) && before.iter().any(shares)
        })
        .collect();
    for (place, id) in taken {
        if let Some(constant) = graph.constants.get(&id).cloned() {
            let name = graph.tensor(id).name.clone();
            graph.nodes[index].inputs[place] = Some(graph.add_constant(&name, constant));
        }
    }
}

/// Each group of channels becomes an instance, whose channels are the groups.
fn groups_as_instances(graph: &mut Graph, index: usize) {
    let node = graph.nodes[index].clone();
    let (Some(Some(x)), Some(Attribute::Int(groups))) =
        (node.inputs.first(), node.attributes.get("num_groups"))
    else {
        return;
    };
    let shape = graph.shape(*x);
    if shape.len() < 2 {
        return;
    }
    let back: Vec<i64> = std::iter::once(0).chain(shape[1..].iter().map(|size| *size as i64)).collect();
    let grouped = graph.add_tensor(&format!("{}/grouped", node.name), None);
    let normalized = graph.add_tensor(&format!("{}/normalized", node.name), None);
    let there = graph.add_constant(&format!("{}/groups", node.name), Constant::ints(vec![0, *groups, -1]));
    let back = graph.add_constant(&format!("{}/shape", node.name), Constant::ints(back));
    let epsilon = node.attributes.iter().filter(|(name, _)| *name == "epsilon");
    let attributes: Attributes = epsilon.map(|(name, value)| (name.clone(), value.clone())).collect();
    let mut inputs = node.inputs.clone();
    inputs[0] = Some(grouped);
    graph.nodes.splice(
        index..=index,
        [
            node_like(&node, "Reshape", Attributes::new(), vec![Some(*x), Some(there)], vec![grouped]),
            node_like(&node, "InstanceNormalization", attributes, inputs, vec![normalized]),
            node_like(
                &node,
                "Reshape",
                Attributes::new(),
                vec![Some(normalized), Some(back)],
                node.outputs.clone(),
            ),
        ],
    );
}

/// Turns attributes into constant inputs, from input 1 on in the order of `names`.
fn to_inputs(graph: &mut Graph, index: usize, names: &[&str]) {
    for (place, name) in names.iter().enumerate() {
        let node = &mut graph.nodes[index];
        let constant = match node.attributes.get(*name) {
            Some(Attribute::Float(value)) => Constant::scalar(*value),
            Some(Attribute::Ints(values)) => Constant::ints(values.clone()),
            // An attribute of a wrong type stays, and is refused when the operator is read.
            _ => continue,
        };
        node.attributes.remove(*name);
        let label = format!("{}/{name}", node.name);
        let id = graph.add_constant(&label, constant);
        let inputs = &mut graph.nodes[index].inputs;
        inputs.resize(inputs.len().max(place + 2), None);
        inputs[place + 1] = Some(id);
    }
}

/// Softmax over all axes from `axis` on (by default the second) at once: along one axis where the others are of size
/// 1, else on the flattened tensor, whose shape is restored behind.
fn flattening_softmax(graph: &mut Graph, index: usize) {
    let node = &graph.nodes[index];
    let Some(shape) = node.inputs.first().copied().flatten().map(|id| graph.shape(id).to_vec()) else {
        return;
    };
    let first = match node.attributes.get("axis") {
        None => axis(1, shape.len()),
        Some(Attribute::Int(value)) => axis(*value, shape.len()),
        Some(_) => return,
    };
    // An axis that is not there stays, and is refused when the operator is read.
    let Ok(first) = first else { return };
    let wide: Vec<usize> = (first..shape.len()).filter(|axis| shape[*axis] != 1).collect();
    let set = |node: &mut Node, axis: usize| node.attributes.insert("axis".to_owned(), (axis as i64).into());
    if let [] | [_] = wide[..] {
        set(&mut graph.nodes[index], wide.first().copied().unwrap_or(first));
        return;
    }
    let mut softmax = graph.nodes[index].clone();
    let name = softmax.name.clone();
    let flat = graph.add_tensor(&format!("{name}/flat"), None);
    let normalized = graph.add_tensor(&format!("{name}/normalized"), None);
    // The first axis is what is left over, whatever the batch.
    let back: Vec<i64> = std::iter::once(-1).chain(shape.iter().skip(1).map(|size| *size as i64)).collect();
    let target = graph.add_constant(&format!("{name}/shape"), Constant::ints(back));
    let flatten_axis = Attributes::from([("axis".to_owned(), Attribute::Int(first as i64))]);
    let flatten = node_like(&softmax, "Flatten", flatten_axis, vec![softmax.inputs[0]], vec![flat]);
    let restore = node_like(
        &softmax,
        "Reshape",
        Attributes::new(),
        vec![Some(normalized), Some(target)],
        softmax.outputs.clone(),
    );
    set(&mut softmax, 1);
    softmax.inputs = vec![Some(flat)];
    softmax.outputs = vec![normalized];
    graph.nodes.splice(index..=index, [flatten, softmax, restore]);
}

/// A node that is computed in the place of another.
pub fn node_like(
    like: &Node,
    op_type: &str,
    attributes: Attributes,
    inputs: Vec<Option<TensorId>>,
    outputs: Vec<TensorId>,
) -> Node {
    let name = format!("{}/{op_type}", like.name);
    Node { name, op_type: op_type.to_owned(), attributes, inputs, outputs, ..like.clone() }
}
