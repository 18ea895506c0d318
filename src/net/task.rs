//! What a network is for: its tasks, their classes, and the pixels it expects, as ONNX metadata.

use serde::{Deserialize, Serialize};

use super::NetError;
use crate::graph::{Graph, TensorId};
use crate::task_kind::TaskKind;

/// One output of a network.
#[derive(Clone, Debug, PartialEq)]
pub struct Task {
    pub name: String,
    pub kind: TaskKind,
    /// One name per output unit.
    pub classes: Vec<String>,
    /// `[batch, classes]`
    pub output: TensorId,
    /// Whether the network gives probabilities: `output` then lies before a Softmax or Sigmoid that has been set aside.
    pub probabilities: bool,
}

impl Task {
    /// A task of classes whose output gives logits.
    pub fn new(name: &str, classes: Vec<String>, output: TensorId) -> Self {
        Self { name: name.to_owned(), kind: TaskKind::Class, classes, output, probabilities: false }
    }
}

/// What a network's file does not say, said by its owner.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify))]
#[serde(default, deny_unknown_fields)]
pub struct NetworkOptions {
    /// The output that is the task, by its name; by default every output is a task.
    pub output: Option<String>,
    /// Name of the task; the file's name by default, or the output's where there are several.
    pub task: Option<String>,
    /// What the outputs are; by default labels where a Sigmoid ends the network, and else classes.
    pub kind: Option<TaskKind>,
    /// Names of the classes, in the order of the outputs; numbers by default.
    pub classes: Option<Vec<String>>,
    /// How pixels are scaled before they enter the network.
    pub preprocessing: Option<Pixels>,
}

/// How a network wants its pixels, which images have from 0 to 255.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify))]
#[serde(rename_all = "snake_case")]
pub enum Pixels {
    /// 0 to 255, as they are.
    Bytes,
    /// 0 to 1.
    Unit,
    /// -1 to 1.
    Signed,
    /// 0 to 1, less ImageNet's mean, divided by its standard deviation, per channel.
    Imagenet,
}

impl Pixels {
    /// Mean and standard deviation per channel, of pixels from 0 to 255.
    pub fn mean_std(self, channels: usize) -> (Vec<f32>, Vec<f32>) {
        let each = |value: f32| vec![value; channels];
        match self {
            Self::Bytes => (each(0.0), each(1.0)),
            Self::Unit => (each(0.0), each(255.0)),
            Self::Signed => (each(127.5), each(127.5)),
            Self::Imagenet if channels == 3 => (vec![123.675, 116.28, 103.53], vec![58.395, 57.12, 57.375]),
            // The three channels' average, for grey images.
            Self::Imagenet => (each(114.495), each(57.63)),
        }
    }
}

const TASKS: &str = "graftlab.tasks";
const PIXELS: &str = "graftlab.pixels";

/// The form of a task in ONNX metadata.
#[derive(Serialize, Deserialize)]
struct TaskMetadata {
    name: String,
    #[serde(default)]
    kind: TaskKind,
    output: String,
    classes: Vec<String>,
}

/// Writes tasks and pixels into the metadata of a graph: `graftlab.tasks` is a JSON list of name, kind, output and classes;
/// `graftlab.pixels` is the name of a [`Pixels`].
pub fn write_tasks(graph: &mut Graph, tasks: &[Task], pixels: Pixels) {
    let list: Vec<TaskMetadata> = tasks
        .iter()
        .map(|task| TaskMetadata {
            name: task.name.clone(),
            kind: task.kind,
            output: graph.tensor(task.output).name.clone(),
            classes: task.classes.clone(),
        })
        .collect();
    graph.metadata.insert(TASKS.into(), serde_json::json!(list).to_string());
    let pixels = serde_json::json!(pixels);
    graph.metadata.insert(PIXELS.into(), pixels.as_str().unwrap_or_default().into());
}

/// Tasks and pixels of a network, from its metadata, or from `options` where it has none. `file_name` names the task
/// if nothing else does.
///
/// # Errors
///
/// Nothing says how pixels are scaled, class names that do not fit the output, outputs that do not classify.
pub fn read_tasks(
    graph: &Graph,
    options: &NetworkOptions,
    file_name: &str,
) -> Result<(Vec<Task>, Pixels), NetError> {
    let pixels = match (options.preprocessing, graph.metadata.get(PIXELS)) {
        (Some(pixels), _) => pixels,
        (None, Some(text)) => parse(PIXELS, &format!("\"{text}\""))?,
        (None, None) => return Err(NetError::NeedsOptions),
    };
    let listed: Vec<TaskMetadata> = match graph.metadata.get(TASKS) {
        Some(text) => parse(TASKS, text)?,
        None => Vec::new(),
    };
    if graph.outputs.is_empty() {
        return Err(NetError::NoOutput);
    }
    let tasks = graph
        .outputs
        .iter()
        .map(|output| {
            let output_name = &graph.tensor(*output).name;
            let listed = listed.iter().find(|task| &task.output == output_name);
            let ends_in_sigmoid =
                graph.producers()[output.0].is_some_and(|node| graph.nodes[node].op_type == "Sigmoid");
            let default_kind = if ends_in_sigmoid { TaskKind::Labels } else { TaskKind::Class };
            let kind = options.kind.or(listed.map(|task| task.kind)).unwrap_or(default_kind);
            let count = unit_count(graph, *output, kind)?;
            let default_name = if graph.outputs.len() == 1 { file_name } else { output_name }.to_owned();
            let name = options.task.clone().or(listed.map(|task| task.name.clone())).unwrap_or(default_name);
            let classes = options
                .classes
                .clone()
                .or(listed.map(|task| task.classes.clone()))
                .unwrap_or_else(|| (0..count).map(|index| index.to_string()).collect());
            if classes.len() != count {
                return Err(NetError::Classes { task: name, names: classes.len(), outputs: count });
            }
            Ok(Task { kind, ..Task::new(&name, classes, *output) })
        })
        .collect::<Result<_, _>>()?;
    Ok((tasks, pixels))
}

/// One class alone is none.
fn unit_count(graph: &Graph, output: TensorId, kind: TaskKind) -> Result<usize, NetError> {
    match *graph.shape(output) {
        [1, units] if units > 1 || units == 1 && kind != TaskKind::Class => Ok(units),
        _ => {
            let info = graph.tensor(output);
            Err(NetError::Output { output: info.name.clone(), shape: graph.shape(output).to_vec() })
        }
    }
}

fn parse<T: serde::de::DeserializeOwned>(key: &str, text: &str) -> Result<T, NetError> {
    serde_json::from_str(text)
        .map_err(|error| NetError::Metadata { key: key.to_owned(), reason: error.to_string() })
}
