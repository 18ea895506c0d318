//! The merged network as files.

use std::collections::BTreeMap;

use safetensors::tensor::{Dtype, TensorView, serialize};

use super::ProjectError;
use super::loaded::{read_network, stem};
use crate::graph::{Constant, Graph};
use crate::join::{self, Merged, PlanSummary, fit_input, graft_input, take_graft, with_probabilities};
use crate::net::{Network, NetworkOptions, Pixels, Prepared, Task, prepare, write_tasks};
use crate::onnx;

/// The merged network as an ONNX file and as weights alone.
pub struct Files {
    pub onnx: Vec<u8>,
    pub safetensors: Vec<u8>,
    /// What was added to a base that stays as it is.
    pub graft: Option<Vec<u8>>,
    pub graph: Graph,
}

/// Writes the trained network: auxiliary heads dropped, probabilities where the originals gave them, tasks and plan in
/// the metadata. Where `base` stays as it is, what was added to it is also written alone.
///
/// # Errors
///
/// The device fails to hand out the weights, or a file cannot be written.
pub async fn export(
    network: &Network,
    merged: &Merged,
    originals: &[Prepared],
    plan: &PlanSummary,
    base: Option<usize>,
) -> Result<Files, ProjectError> {
    let failed = |reason: String| ProjectError::Export { reason };
    let mut graph = network.to_graph().await?;
    graph.outputs = merged.tasks.iter().map(|task| task.output).collect();
    for (index, task) in merged.tasks.iter().enumerate().filter(|(_, task)| task.probabilities) {
        graph = with_probabilities(&graph, index, task.kind);
    }
    let mut graph = graph.pruned();
    let tasks: Vec<Task> = merged
        .tasks
        .iter()
        .zip(&graph.outputs)
        .map(|(task, output)| Task { output: *output, ..task.clone() })
        .collect();
    write_tasks(&mut graph, &tasks, Pixels::Bytes);
    graph.metadata.insert("graftlab.plan".into(), serde_json::json!(plan).to_string());
    graph.metadata.insert("graftlab.version".into(), env!("CARGO_PKG_VERSION").into());
    let write = |graph: &Graph| onnx::write(graph).map_err(|error| failed(error.to_string()));
    let mut graft = None;
    if let Some(base) = base {
        let added = take_graft(&graph, &tasks, &originals[base])?;
        graph = join::apply_graft(&originals[base], &added)?;
        graft = Some(write(&added)?);
    }
    let onnx = write(&graph)?;
    let safetensors = weights(&graph).map_err(failed)?;
    Ok(Files { onnx, safetensors, graft, graph })
}

/// The merged network's file again, from the base's file and the graft's, each with its name.
///
/// # Errors
///
/// A file that cannot be read, that is no graft, or that was made for another base.
pub fn apply_graft(
    (base_file, base): (&str, &[u8]),
    options: &NetworkOptions,
    (graft_file, graft): (&str, &[u8]),
) -> Result<Vec<u8>, ProjectError> {
    let wrap = |source| ProjectError::Network { file: base_file.to_owned(), source };
    let prepared = prepare(&read_network(base_file, base)?, options, stem(base_file)).map_err(wrap)?;
    let graft = read_network(graft_file, graft)?;
    let size = graft_input(&graft, &prepared)?;
    let graph = join::apply_graft(&fit_input(&prepared, size)?, &graft)?;
    onnx::write(&graph).map_err(|error| ProjectError::Export { reason: error.to_string() })
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
