//! The merged network as files.

use std::collections::BTreeMap;

use safetensors::tensor::{Dtype, TensorView, serialize};

use super::ProjectError;
use crate::graph::{Constant, Graph};
use crate::join::{Merged, PlanSummary, with_softmax};
use crate::net::{Network, Pixels, Prepared, Task, write_tasks};
use crate::onnx;

/// The merged network as an ONNX file and as weights alone.
pub struct Files {
    pub onnx: Vec<u8>,
    pub safetensors: Vec<u8>,
    pub graph: Graph,
}

/// Writes the trained network: auxiliary heads dropped, probabilities where the originals gave them, tasks and plan
/// in the metadata.
///
/// # Errors
///
/// The device fails to hand out the weights, or a file cannot be written.
pub async fn export(
    network: &Network,
    merged: &Merged,
    originals: &[Prepared],
    plan: &PlanSummary,
) -> Result<Files, ProjectError> {
    let failed = |reason: String| ProjectError::Export { reason };
    let mut graph = network.to_graph().await?;
    graph.outputs = merged.tasks.iter().map(|task| task.output).collect();
    let mut graph = with_softmax(&graph, originals).pruned();
    let tasks: Vec<Task> = merged
        .tasks
        .iter()
        .zip(&graph.outputs)
        .map(|(task, output)| Task { output: *output, ..task.clone() })
        .collect();
    write_tasks(&mut graph, &tasks, Pixels::Bytes);
    graph.metadata.insert("graftlab.plan".into(), serde_json::json!(plan).to_string());
    graph.metadata.insert("graftlab.version".into(), env!("CARGO_PKG_VERSION").into());
    let onnx = onnx::write(&graph).map_err(|error| failed(error.to_string()))?;
    let safetensors = weights(&graph).map_err(failed)?;
    Ok(Files { onnx, safetensors, graph })
}

/// All float constants by name.
fn weights(graph: &Graph) -> Result<Vec<u8>, String> {
    let floats: BTreeMap<&str, (&Constant, Vec<u8>)> = graph
        .constants
        .iter()
        .filter_map(|(id, constant)| {
            let bytes = constant.as_f32()?.iter().flat_map(|value| value.to_le_bytes()).collect();
            Some((graph.tensor(*id).name.as_str(), (constant, bytes)))
        })
        .collect();
    let views = floats
        .iter()
        .map(|(name, (constant, bytes))| {
            let view = TensorView::new(Dtype::F32, constant.shape.clone(), bytes)
                .map_err(|error| error.to_string())?;
            Ok((*name, view))
        })
        .collect::<Result<Vec<_>, String>>()?;
    serialize(views, None).map_err(|error| error.to_string())
}
