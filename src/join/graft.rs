//! Grafts: what a merged network adds to a base network that stays as it is, as a graph of its own.
//!
//! A graft reads the image and tensors of the base, by their names in the merged network, and gives the outputs of all
//! tasks but the base's. Base and graft together are the merged network again.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::JoinError;
use super::heads::with_probabilities;
use crate::graph::{Graph, TensorId};
use crate::net::{NetError, NetworkOptions, Pixels, Prepared, Task, read_tasks, write_tasks};
use crate::ops;

const GRAFT: &str = "graftlab.graft";

/// What a graft's metadata says of the base.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct GraftMetadata {
    /// The base's label: its task, or its tasks.
    base: String,
    /// CRC-32 of the base's weights, in the order of their names.
    base_crc32: u32,
    /// Where the base's outputs come among all outputs, counted from 0.
    positions: Vec<usize>,
}

/// Takes the graft out of a merged network whose metadata names its tasks.
///
/// # Errors
///
/// None in practice: all parts of a merged network are there.
pub fn take_graft(merged: &Graph, tasks: &[Task], base: &Prepared) -> Result<Graph, JoinError> {
    let label = base.label();
    let is_base = |task: &Task| base.tasks.iter().any(|other| other.name == task.name);
    let positions: Vec<usize> =
        tasks.iter().enumerate().filter(|(_, task)| is_base(task)).map(|(position, _)| position).collect();
    let prefix = format!("{label}/");
    let of_base = |graph: &Graph, id: TensorId| graph.tensor(id).name.starts_with(&prefix);

    let mut whole = merged.clone();
    whole.outputs =
        tasks.iter().zip(&merged.outputs).filter(|(task, _)| !is_base(task)).map(|(_, id)| *id).collect();
    let whole = whole.pruned();
    let mut graft = Graph { nodes: Vec::new(), constants: BTreeMap::new(), ..whole.clone() };
    for node in &whole.nodes {
        if node.outputs.first().is_some_and(|id| of_base(&whole, *id)) {
            continue;
        }
        for id in node.inputs.iter().flatten() {
            if let Some(constant) = whole.constants.get(id) {
                graft.constants.insert(*id, constant.clone());
            } else if of_base(&whole, *id) && !graft.inputs.contains(id) {
                graft.inputs.push(*id);
            }
        }
        graft.nodes.push(node.clone());
    }
    let mut graft = graft.pruned();
    let others: Vec<Task> = tasks.iter().filter(|task| !is_base(task)).cloned().collect();
    let others: Vec<Task> =
        others.into_iter().zip(graft.outputs.clone()).map(|(task, output)| Task { output, ..task }).collect();
    write_tasks(&mut graft, &others, Pixels::Bytes);
    let about = GraftMetadata { base: label, base_crc32: checksum(&base.graph), positions };
    graft.metadata.insert(GRAFT.into(), serde_json::json!(about).to_string());
    Ok(graft)
}

/// Largest side of a graft's image input in pixels.
const LARGEST_SIDE: usize = 16_384;

/// Channels, height and width of a graft's image input, its first.
///
/// # Errors
///
/// There is none, or it is no image that a base of this input size can be read from.
pub fn graft_input(graft: &Graph, base: &Prepared) -> Result<[usize; 3], JoinError> {
    let shape = graft.inputs.first().map_or(&[][..], |id| graft.shape(*id));
    match *shape {
        [1, channels @ (1 | 3), height, width]
            if height >= base.input[1] && width >= base.input[2] && height.max(width) <= LARGEST_SIDE =>
        {
            Ok([channels, height, width])
        }
        _ => Err(fault(&format!("its first input has shape {shape:?}"))),
    }
}

/// The merged network of a base, behind the graft's image input, and the graft.
///
/// # Errors
///
/// A file that is no graft, or one that was made for another base.
pub fn apply_graft(base: &Prepared, graft: &Graph) -> Result<Graph, JoinError> {
    let about: GraftMetadata = graft
        .metadata
        .get(GRAFT)
        .and_then(|text| serde_json::from_str(text).ok())
        .ok_or_else(|| fault("its metadata does not say that it is one"))?;
    let label = base.label();
    if about.base != label || about.base_crc32 != checksum(&base.graph) {
        return Err(JoinError::OtherBase { task: about.base, given: label });
    }
    let image = *graft.inputs.first().ok_or_else(|| fault("it has no image input"))?;
    let mut graph = Graph {
        name: graft.name.clone(),
        opset: graft.opset.max(base.graph.opset),
        metadata: graft.metadata.clone(),
        ..Graph::default()
    };
    graph.metadata.remove(GRAFT);
    let pixels = graph.add_input("image", graft.shape(image).to_vec());
    let kept = graph.append(&base.graph, &format!("{label}/"), &[(base.graph.inputs[0], pixels)]);
    let mut bound = vec![(image, pixels)];
    for id in graft.inputs.iter().skip(1) {
        let name = &graft.tensor(*id).name;
        let ours = graph.find(name).ok_or_else(|| fault(&format!("the base has no tensor '{name}'")))?;
        bound.push((*id, ours));
    }
    let added = graph.append(graft, "", &bound);
    let (others, _) = read_tasks(graft, &NetworkOptions::default(), "graft")?;
    graph.outputs = graft.outputs.iter().map(|id| added.at(*id)).collect();
    let mut tasks: Vec<Task> = others;
    for (task, position) in base.tasks.iter().zip(about.positions) {
        let position = position.min(graph.outputs.len());
        let output = graph.add_node("Identity", &task.name, [kept.at(task.output)]);
        graph.outputs.insert(position, output);
        tasks.insert(position, task.clone());
        if task.probabilities {
            graph = with_probabilities(&graph, position, task.kind);
        }
    }
    let mut graph = graph.pruned();
    ops::infer(&mut graph).map_err(NetError::from)?;
    let tasks: Vec<Task> = tasks
        .into_iter()
        .zip(&graph.outputs)
        .map(|(task, output)| Task { output: *output, ..task })
        .collect();
    write_tasks(&mut graph, &tasks, Pixels::Bytes);
    Ok(graph)
}

/// CRC-32 of the float constants, in the order of their names.
pub fn checksum(graph: &Graph) -> u32 {
    let named: BTreeMap<&str, &[f32]> = graph
        .constants
        .iter()
        .filter_map(|(id, constant)| Some((graph.tensor(*id).name.as_str(), constant.as_f32()?)))
        .collect();
    let mut hasher = crc32fast::Hasher::new();
    for (name, values) in named {
        hasher.update(name.as_bytes());
        for value in values {
            hasher.update(&value.to_le_bytes());
        }
    }
    hasher.finalize()
}

fn fault(reason: &str) -> JoinError {
    JoinError::NoGraft { reason: reason.to_owned() }
}
