//! What is known of a network without running it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::ProjectError;
use crate::graph::Graph;
use crate::join::join_points;
use crate::net::Prepared;
use crate::onnx;
use crate::ops::infer;
use crate::task_kind::TaskKind;

/// The card of one network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify))]
pub struct NetworkCard {
    /// File name without its ending, or the graph's name.
    pub name: String,
    pub tasks: Vec<TaskCard>,
    /// Channels, height and width of the image input.
    pub input: [usize; 3],
    pub params: u64,
    /// Multiply-accumulate operations for one image.
    pub macs: u64,
    pub opset: i64,
    /// Operator names with how often each occurs.
    pub operators: Vec<(String, usize)>,
    pub join_points: Vec<JoinPointCard>,
}

/// One output of a network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify))]
pub struct TaskCard {
    pub name: String,
    pub kind: TaskKind,
    pub classes: Vec<String>,
}

/// One place where a network can be joined.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify))]
pub struct JoinPointCard {
    /// Name of the tensor.
    pub tensor: String,
    /// Channels, height and width.
    pub shape: [usize; 3],
    /// MACs of the layers up to here, for one image.
    pub macs_before: u64,
    /// MACs of the layers after here, for one image.
    pub macs_after: u64,
}

/// The network as a file again, as it was read: with its names, nodes and operator set.
///
/// # Errors
///
/// An operator that is not supported, so that an output's shape is not known.
pub fn copy_of(file: &str, graph: &Graph) -> Result<Vec<u8>, ProjectError> {
    let mut copy = graph.clone();
    let mut inferred = graph.clone();
    infer(&mut inferred)
        .map_err(|error| ProjectError::Network { file: file.to_owned(), source: error.into() })?;
    for id in &graph.outputs {
        copy.tensors[id.0].shape.clone_from(&inferred.tensors[id.0].shape);
    }
    onnx::write(&copy).map_err(|source| ProjectError::Onnx { file: file.to_owned(), source })
}

/// The card of a network: `graph` as its file has it, `prepared` made from it.
pub fn inspect(graph: &Graph, prepared: &Prepared) -> NetworkCard {
    let mut operators: BTreeMap<&str, usize> = BTreeMap::new();
    for node in &graph.nodes {
        *operators.entry(&node.op_type).or_default() += 1;
    }
    let cost = prepared.graph.cost();
    let tasks = prepared.tasks.iter();
    let join_points = join_points(&prepared.graph, &prepared.graph.outputs);
    NetworkCard {
        name: prepared.name.clone(),
        tasks: tasks
            .map(|task| TaskCard { name: task.name.clone(), kind: task.kind, classes: task.classes.clone() })
            .collect(),
        input: prepared.input,
        params: graph.cost().params,
        macs: cost.macs,
        opset: graph.opset,
        operators: operators.into_iter().map(|(name, count)| (name.to_owned(), count)).collect(),
        join_points: join_points
            .into_iter()
            .map(|point| JoinPointCard {
                shape: point.shape(),
                macs_before: point.macs_before,
                macs_after: point.macs_after,
                tensor: point.name,
            })
            .collect(),
    }
}
