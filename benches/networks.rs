//! The native part of `npm run bench`: milliseconds of the bundled networks on this machine's CPU, and the networks in
//! a form that other engines read. It is told what to do by a JSON file.

use std::error::Error;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use burn::tensor::Device;
use graftlab::graph::{Attribute, Graph, Node, TensorId};
use graftlab::ops;
use graftlab::project::{Bench, read_network};
use pollster::block_on;
use serde::Deserialize;
use serde_json::{Map, Value, json};

type Failed = Box<dyn Error>;

#[derive(Deserialize)]
struct Job {
    /// ONNX files.
    networks: Vec<Entry>,
    batch: usize,
    /// Where the layers and weights of the networks are written.
    layers: String,
    /// Where losses or times are written.
    out: String,
    /// How long is timed; without it, losses are computed.
    timing: Option<Timing>,
    /// On the GPU that `wgpu` finds; needs `--features gpu`.
    #[serde(default)]
    gpu: bool,
}

#[derive(Deserialize)]
struct Entry {
    name: String,
    file: String,
}

#[derive(Clone, Copy, Deserialize)]
struct Timing {
    least: usize,
    most: usize,
    seconds: f64,
}

fn main() -> Result<(), Failed> {
    graftlab::ops::kernels::keep_freed_memory();
    let path = std::env::args().find(|argument| argument.ends_with(".json"));
    let path = path.ok_or("the path of a job is missing. Hint: this program is run by `npm run bench`")?;
    let job: Job = serde_json::from_slice(&fs::read(path)?)?;
    let device = if job.gpu { gpu()? } else { Device::flex() };
    let mut results = Map::new();
    for Entry { name, file } in &job.networks {
        let mut graph = read_network(file, &fs::read(file)?)?;
        ops::rewrite_batch(&mut graph);
        ops::infer(&mut graph)?;
        let mut bench = Bench::new(&graph, job.batch, &device)?;
        let result = match job.timing {
            Some(timing) => {
                block_on(bench.forward())?;
                let forward = time(timing, || block_on(bench.forward()).map(drop))?;
                block_on(bench.step())?;
                json!({ "forward": forward, "step": time(timing, || block_on(bench.step()).map(drop))? })
            }
            None => {
                let (layers, weights) = layers(&graph)?;
                fs::write(Path::new(&job.layers).join(format!("{name}.json")), layers.to_string())?;
                fs::write(Path::new(&job.layers).join(format!("{name}.bin")), weights)?;
                let forward = block_on(bench.forward())?;
                let steps: Vec<f64> = (0..3).map(|_| block_on(bench.step())).collect::<Result<_, _>>()?;
                json!({ "forward": [forward], "step": steps })
            }
        };
        results.insert(name.clone(), result);
    }
    fs::write(&job.out, Value::Object(results).to_string())?;
    Ok(())
}

#[cfg(feature = "gpu")]
fn gpu() -> Result<Device, Failed> {
    Ok(block_on(Device::wgpu_options().init_async())?)
}

#[cfg(not(feature = "gpu"))]
fn gpu() -> Result<Device, Failed> {
    Err("this benchmark was built without a GPU. Hint: build it with --features gpu".into())
}

/// Milliseconds of each run.
fn time<E>(timing: Timing, mut run: impl FnMut() -> Result<(), E>) -> Result<Vec<f64>, E> {
    let limit = Duration::from_secs_f64(timing.seconds);
    let begin = Instant::now();
    let mut times = Vec::new();
    while times.len() < timing.least || (times.len() < timing.most && begin.elapsed() < limit) {
        let start = Instant::now();
        run()?;
        times.push(start.elapsed().as_secs_f64() * 1e3);
    }
    Ok(times)
}

/// A network as a list of layers, and its weights one after the other as little-endian floats.
fn layers(graph: &Graph) -> Result<(Value, Vec<u8>), Failed> {
    let mut bytes = Vec::new();
    let mut weights = Vec::new();
    for (id, constant) in &graph.constants {
        if let Some(values) = constant.as_f32() {
            weights.push(json!({ "id": id.0, "shape": constant.shape, "offset": bytes.len() / 4 }));
            bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
        }
    }
    let nodes = graph.nodes.iter().map(|node| layer(graph, node)).collect::<Result<Vec<_>, _>>()?;
    let input = graph.inputs.first().ok_or("the network has no input")?;
    let output = graph.outputs.first().ok_or("the network has no output")?;
    let layers = json!({
        "input": input.0,
        "image": graph.shape(*input).get(1..),
        "output": output.0,
        "classes": graph.shape(*output).last(),
        "nodes": nodes,
        "weights": weights,
    });
    Ok((layers, bytes))
}

fn layer(graph: &Graph, node: &Node) -> Result<Value, Failed> {
    let ints = |name: &str, default: &[i64]| match node.attributes.get(name) {
        Some(Attribute::Ints(values)) => values.clone(),
        _ => default.to_vec(),
    };
    let int = |name: &str, default: i64| match node.attributes.get(name) {
        Some(Attribute::Int(value)) => *value,
        _ => default,
    };
    let float = |name: &str, default: f32| match node.attributes.get(name) {
        Some(Attribute::Float(value)) => *value,
        _ => default,
    };
    let bound = |position: usize| {
        let id: Option<TensorId> = node.inputs.get(position).copied().flatten();
        id.and_then(|id| graph.constants.get(&id)?.as_f32()?.first().copied())
    };
    let more = match node.op_type.as_str() {
        "Conv" => json!({
            "strides": ints("strides", &[1, 1]), "pads": ints("pads", &[0; 4]), "group": int("group", 1),
        }),
        "MaxPool" => json!({
            "kernel": ints("kernel_shape", &[]), "strides": ints("strides", &[1, 1]), "pads": ints("pads", &[0; 4]),
        }),
        "BatchNormalization" => json!({ "epsilon": float("epsilon", 1e-5) }),
        "Clip" => json!({ "low": bound(1), "high": bound(2) }),
        "Gemm" => json!({ "transposed": int("transB", 0) == 1 }),
        "Relu" | "Add" | "GlobalAveragePool" | "Flatten" => json!({}),
        other => return Err(format!("{other} is not known to the other engines").into()),
    };
    let inputs: Vec<Option<usize>> = node.inputs.iter().map(|input| Some((*input)?.0)).collect();
    let output = node.outputs.first().ok_or("a node has no output")?;
    let mut layer = json!({ "op": node.op_type, "inputs": inputs, "output": output.0 });
    if let (Value::Object(layer), Value::Object(more)) = (&mut layer, more) {
        layer.extend(more);
    }
    Ok(layer)
}
