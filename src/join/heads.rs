//! Outputs beside the tasks' logits: auxiliary heads while training, probabilities at export.

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

use super::{JoinError, Merged, Plan};
use crate::graph::{Attributes, Constant, Graph, TensorId};
use crate::net::NetError;
use crate::ops;
use crate::task_kind::TaskKind;

/// An auxiliary classifier on an inner tensor, which learns from the deepest output of its task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SelfHead {
    /// Index of the task.
    pub task: usize,
    /// Its logits.
    pub output: TensorId,
}

/// Adds one head per join and task, right after the adapter, and one on the donor's tensor for each task of the donor's: global
/// average pooling and a linear layer, as in "Be Your Own Teacher" (Zhang et al., ICCV 2019).
///
/// The heads become outputs behind those of the tasks; an export without them drops their layers.
///
/// # Errors
///
/// None in practice: the added nodes fit by construction.
pub fn add_self_distillation_heads(
    merged: &Merged,
    plan: &Plan,
    seed: u64,
) -> Result<(Graph, Vec<SelfHead>), JoinError> {
    let mut graph = merged.graph.clone();
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut places: Vec<(usize, TensorId)> = Vec::new();
    for (receiver, join) in plan.joins() {
        let ends =
            [(receiver, (receiver, join.receiver_point)), (join.donor, (join.donor, join.donor_point))];
        for (network, point) in ends {
            let tasks = (0..merged.tasks.len()).filter(|task| merged.owners[*task] == network);
            let Some(tensor) = merged.points.get(&point) else { continue };
            for place in tasks.map(|task| (task, *tensor)) {
                if !places.contains(&place) {
                    places.push(place);
                }
            }
        }
    }
    let mut heads = Vec::new();
    for (number, (task, tensor)) in places.into_iter().enumerate() {
        let channels = graph.shape(tensor).get(1).copied().unwrap_or(1);
        let classes = merged.tasks[task].classes.len();
        let bound = (1.0 / channels as f32).sqrt();
        let weight: Vec<f32> = (0..channels * classes).map(|_| rng.random_range(-bound..bound)).collect();
        let name = |part: &str| format!("self/{number}/{part}");
        let weight = graph.add_constant(&name("weight"), Constant::f32(vec![channels, classes], weight));
        let bias = graph.add_constant(&name("bias"), Constant::f32(vec![classes], vec![0.0; classes]));
        let pooled = graph.add_node("GlobalAveragePool", &name("pool"), [tensor]);
        let flat = graph.add_node("Flatten", &name("flat"), [pooled]);
        let output = graph.add_node("Gemm", &name("logits"), [flat, weight, bias]);
        graph.outputs.push(output);
        heads.push(SelfHead { task, output });
    }
    ops::infer(&mut graph).map_err(NetError::from)?;
    Ok((graph, heads))
}

/// The graph whose output `index` is probabilities instead of logits.
pub fn with_probabilities(graph: &Graph, index: usize, kind: TaskKind) -> Graph {
    let mut graph = graph.clone();
    let logits = graph.outputs[index];
    let name = graph.tensor(logits).name.clone();
    let shape = graph.tensor(logits).shape.clone();
    let (squashes, attributes) = match kind {
        TaskKind::Class => ("Softmax", Attributes::from([("axis".to_owned(), (-1_i64).into())])),
        TaskKind::Labels => ("Sigmoid", Attributes::new()),
        TaskKind::Values => return graph,
    };
    // The new output takes the task's name, and the logits the name that was free for it.
    let output = graph.add_node_with(squashes, &format!("{name}/logits"), [logits], attributes);
    graph.tensors[logits.0].name = std::mem::replace(&mut graph.tensors[output.0].name, name.clone());
    graph.tensors[output.0].shape = shape;
    if let Some(node) = graph.nodes.last_mut() {
        node.name = format!("{name}/{}", squashes.to_lowercase());
    }
    graph.outputs[index] = output;
    graph
}
