//! Networks made alike before they are joined: pixels from 0 to 255 in, logits out.

use super::layout::channels_first;
use super::weight::FIXED;
use super::{NetError, NetworkOptions, Pixels, Task, read_tasks};
use crate::graph::{Attribute, Constant, Graph, TensorId};
use crate::ops;
use crate::task_kind::TaskKind;

/// A network that reads images with pixels from 0 to 255 at its own size, and gives logits.
#[derive(Clone, Debug)]
pub struct Prepared {
    pub name: String,
    pub graph: Graph,
    pub tasks: Vec<Task>,
    /// Channels, height and width of the image input.
    pub input: [usize; 3],
}

impl Prepared {
    /// What the network is called among others: the name of its task, or of all its tasks.
    pub fn label(&self) -> String {
        let names: Vec<&str> = self.tasks.iter().map(|task| task.name.as_str()).collect();
        names.join("+")
    }
}

/// Checks a network, infers its shapes, puts its preprocessing into the graph, and sets a trailing Softmax, Sigmoid or
/// ArgMax aside.
///
/// # Errors
///
/// A network without a single 4-D image input of 1 or 3 channels, an unsupported operator, a weight that is no number, an
/// output that does not
/// classify or is not there, or metadata that is missing or does not fit.
pub fn prepare(graph: &Graph, options: &NetworkOptions, file_name: &str) -> Result<Prepared, NetError> {
    let mut graph = picked(graph, options)?.pruned();
    check_numbers(&graph)?;
    ops::rewrite_batch(&mut graph);
    let operators = ops::infer(&mut graph)?;
    ops::check_batch(&graph, &operators)?;
    if let Some(turned) = channels_first(&graph) {
        graph = turned;
        let operators = ops::infer(&mut graph)?;
        ops::check_batch(&graph, &operators)?;
    }
    let input = image_input(&graph)?;
    let (mut tasks, pixels) = read_tasks(&graph, options, file_name)?;
    let producers = graph.producers();
    for task in &mut tasks {
        let last = producers[task.output.0].map(|index| &graph.nodes[index]);
        let squashes = match task.kind {
            TaskKind::Class => "Softmax",
            TaskKind::Labels => "Sigmoid",
            TaskKind::Values => continue,
        };
        if let Some(node) = last.filter(|node| node.op_type == squashes)
            && let Some(Some(logits)) = node.inputs.first()
        {
            task.output = *logits;
            task.probabilities = true;
        }
    }
    graph.outputs = tasks.iter().map(|task| task.output).collect();
    let (graph, outputs) = scale_pixels(&graph, pixels, input[0]);
    for (task, output) in tasks.iter_mut().zip(outputs) {
        task.output = output;
    }
    Ok(Prepared { name: file_name.to_owned(), graph, tasks, input })
}

/// The outputs, with scores per class in place of the class that an ArgMax makes of them. An output that tells no more than
/// another one goes.
fn scores(graph: &Graph) -> Vec<TensorId> {
    let producers = graph.producers();
    let before = |id: TensorId, ops: &[&str]| {
        let node = &graph.nodes[producers[id.0]?];
        let reads = node.inputs.first().copied().flatten();
        if ops.contains(&node.op_type.as_str()) { reads } else { None }
    };
    let class_of = |output: TensorId| {
        let mut id = output;
        while let Some(further) = before(id, &["Cast", "Identity", "Squeeze", "Flatten", "Reshape"]) {
            id = further;
        }
        let axis = producers[id.0].and_then(|index| graph.nodes[index].attributes.get("axis"));
        let of_classes = matches!(axis, Some(Attribute::Int(1 | -1)));
        before(id, &["ArgMax"]).filter(|_| of_classes)
    };
    let logits = |scores: TensorId| before(scores, &["Softmax"]).unwrap_or(scores);
    let mut kept: Vec<TensorId> =
        graph.outputs.iter().copied().filter(|output| class_of(*output).is_none()).collect();
    for scores in graph.outputs.iter().filter_map(|output| class_of(*output)) {
        if !kept.iter().any(|known| logits(*known) == logits(scores)) {
            kept.push(scores);
        }
    }
    kept
}

/// The graph with the one output that its owner picked, if they did.
fn picked(graph: &Graph, options: &NetworkOptions) -> Result<Graph, NetError> {
    let mut picked = graph.clone();
    let names =
        || graph.outputs.iter().map(|id| graph.tensor(*id).name.as_str()).collect::<Vec<_>>().join(", ");
    if let Some(name) = &options.output {
        picked.outputs.retain(|id| &graph.tensor(*id).name == name);
        if picked.outputs.is_empty() {
            return Err(NetError::NoSuchOutput { name: name.clone(), names: names() });
        }
    }
    picked.outputs = scores(&picked);
    if picked.outputs.len() > 1 && (options.task.is_some() || options.classes.is_some()) {
        return Err(NetError::ManyOutputs { names: names() });
    }
    Ok(picked)
}

/// Infinite weights are fine: attention is masked with them.
fn check_numbers(graph: &Graph) -> Result<(), NetError> {
    let spoilt = |constant: &Constant| {
        constant.as_f32().is_some_and(|values| values.iter().any(|value| value.is_nan()))
    };
    match graph.constants.iter().find(|(_, constant)| spoilt(constant)) {
        Some((id, _)) => Err(NetError::NotANumber { tensor: graph.tensor(*id).name.clone() }),
        None => Ok(()),
    }
}

/// Channels, height and width of the only input.
fn image_input(graph: &Graph) -> Result<[usize; 3], NetError> {
    let [input] = graph.inputs[..] else {
        return Err(NetError::Input { found: format!("{} inputs", graph.inputs.len()) });
    };
    let [_, channels, height, width] = graph.shape(input)[..] else {
        return Err(NetError::Input { found: format!("shape {:?}", graph.shape(input)) });
    };
    if height == 0 || width == 0 {
        return Err(NetError::Input { found: format!("an image of {height} × {width}") });
    }
    match channels {
        1 | 3 => Ok([channels, height, width]),
        _ => Err(NetError::Channels { channels }),
    }
}

/// The graph with `(image - mean) / std` before it, and where its outputs are now.
fn scale_pixels(graph: &Graph, pixels: Pixels, channels: usize) -> (Graph, Vec<TensorId>) {
    let (mean, std) = pixels.mean_std(channels);
    let mut scaled = Graph {
        name: graph.name.clone(),
        opset: graph.opset,
        metadata: graph.metadata.clone(),
        ..Graph::default()
    };
    let image = scaled.add_input("image", graph.shape(graph.inputs[0]).to_vec());
    let mut first = image;
    if pixels != Pixels::Bytes {
        let shape = vec![1, channels, 1, 1];
        let mean = scaled.add_constant(&format!("{FIXED}/mean"), Constant::f32(shape.clone(), mean));
        let std = scaled.add_constant(&format!("{FIXED}/std"), Constant::f32(shape, std));
        let centred = scaled.add_node("Sub", "centred", [image, mean]);
        first = scaled.add_node("Div", "scaled", [centred, std]);
        for id in [centred, first] {
            scaled.tensors[id.0].shape = Some(graph.shape(graph.inputs[0]).to_vec());
        }
    }
    let map = scaled.append(graph, "", &[(graph.inputs[0], first)]);
    let outputs: Vec<TensorId> = graph.outputs.iter().map(|id| map.at(*id)).collect();
    scaled.outputs = outputs.clone();
    (scaled, outputs)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Attributes;

    /// A network of three classes, with these nodes one after the other at its end; every name is an output.
    fn ending(nodes: &[&str], outputs: &[&str]) -> Graph {
        let mut graph = Graph { opset: 17, ..Graph::default() };
        let image = graph.add_input("image", vec![1, 1, 2, 2]);
        let flat = graph.add_node("Flatten", "flat", [image]);
        let weight = graph.add_constant("weight", Constant::f32(vec![4, 3], vec![0.5; 12]));
        let mut last = graph.add_node("MatMul", "logits", [flat, weight]);
        for name in nodes {
            let axis = if *name == "Cast" { ("to", 1.into()) } else { ("axis", 1.into()) };
            let attributes: Attributes = [axis].map(|(name, value)| (name.to_owned(), value)).into();
            last = graph.add_node_with(name, name, [last], attributes);
        }
        graph.outputs = outputs.iter().filter_map(|name| graph.find(name)).collect();
        graph
    }

    #[test]
    fn a_class_at_the_end_is_set_aside_for_the_scores_that_it_was_chosen_by() {
        let options = NetworkOptions {
            task: Some("shape".into()),
            preprocessing: Some(Pixels::Unit),
            ..NetworkOptions::default()
        };
        for (nodes, outputs) in [
            (&["ArgMax"][..], &["ArgMax"][..]),
            (&["ArgMax", "Cast"], &["Cast"]),
            (&["ArgMax"], &["logits", "ArgMax"]),
            (&["Softmax", "ArgMax"], &["ArgMax", "Softmax"]),
        ] {
            let prepared = prepare(&ending(nodes, outputs), &options, "shape.onnx").unwrap();
            let [task] = &prepared.tasks[..] else { panic!("{nodes:?}: {:?}", prepared.tasks) };
            assert_eq!(task.classes.len(), 3, "{nodes:?}");
            assert_eq!(prepared.graph.tensor(task.output).name, "logits", "{nodes:?}");
        }
    }
}
