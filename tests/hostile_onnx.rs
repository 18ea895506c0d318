//! Spoilt ONNX files: whatever a byte or a field becomes, reading a file, inferring its shapes and running what is small
//! never panics. `fuzz/` searches on with the same properties, guided by coverage.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail loudly")]

#[path = "../fuzz/src/checks.rs"]
mod checks;
#[path = "../fuzz/src/mutate.rs"]
mod mutate;

use std::path::Path;

use graftlab::graph::{Attribute, Attributes, Constant, Graph, TensorId};
use graftlab::net::{NetworkOptions, Pixels, prepare};
use graftlab::{onnx, ops};

fn attributes(list: &[(&str, Attribute)]) -> Attributes {
    list.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
}

fn weight(graph: &mut Graph, shape: &[usize]) -> TensorId {
    let count = shape.iter().product();
    graph.add_constant("weight", Constant::f32(shape, vec![0.5; count]))
}

fn ints(graph: &mut Graph, values: &[i64]) -> TensorId {
    graph.add_constant("ints", Constant::ints(values))
}

/// One node of the commonest families.
fn network() -> Graph {
    let mut graph = Graph { name: "every family".into(), opset: 18, ..Graph::default() };
    let mut x = graph.add_input("image", vec![1, 2, 6, 6]);
    let w = weight(&mut graph, &[4, 1, 3, 3]);
    let list = [("group", 2.into()), ("pads", vec![1, 1, 1, 1].into()), ("dilations", vec![1, 1].into())];
    x = graph.add_node_with("Conv", "conv", [x, w], attributes(&list));
    let parameters = [(); 4].map(|()| weight(&mut graph, &[4]));
    let [scale, bias, mean, variance] = parameters;
    x = graph.add_node("BatchNormalization", "norm", [x, scale, bias, mean, variance]);
    let bounds = [0.0, 6.0].map(|bound| graph.add_constant("bound", Constant::scalar(bound)));
    x = graph.add_node("Clip", "clip", [x, bounds[0], bounds[1]]);
    let window =
        [("kernel_shape", vec![2, 2].into()), ("strides", vec![2, 2].into()), ("ceil_mode", 1.into())];
    let pooled =
        ["MaxPool", "AveragePool"].map(|name| graph.add_node_with(name, name, [x], attributes(&window)));
    x = graph.add_node_with("Concat", "concat", pooled, attributes(&[("axis", 1.into())]));
    let amounts = ints(&mut graph, &[0, 0, 1, 1, 0, 0, 1, 1]);
    x = graph.add_node_with("Pad", "pad", [x, amounts], attributes(&[("mode", "reflect".into())]));
    let [starts, ends, axes] = [[0, 1], [4, 5], [2, 3]].map(|values| ints(&mut graph, &values));
    x = graph.add_node("Slice", "slice", [x, starts, ends, axes]);
    x = graph.add_node_with("Transpose", "transpose", [x], attributes(&[("perm", vec![0, 2, 3, 1].into())]));
    let axes = ints(&mut graph, &[1]);
    x = graph.add_node("ReduceMean", "mean", [x, axes]);
    x = graph.add_node("Squeeze", "squeeze", [x, axes]);
    x = graph.add_node("Unsqueeze", "unsqueeze", [x, axes]);
    let shape = graph.add_node("Shape", "shape", [x]);
    let index = ints(&mut graph, &[0]);
    let batch = graph.add_node("Gather", "gather", [shape, index]);
    let rest = ints(&mut graph, &[-1]);
    let target = graph.add_node_with("Concat", "target", [batch, rest], attributes(&[("axis", 0.into())]));
    x = graph.add_node("Reshape", "reshape", [x, target]);
    let (matrix, row) = (weight(&mut graph, &[3, 32]), weight(&mut graph, &[3]));
    x = graph.add_node_with("Gemm", "gemm", [x, matrix, row], attributes(&[("transB", 1.into())]));
    let square = weight(&mut graph, &[3, 3]);
    x = graph.add_node("MatMul", "matmul", [x, square]);
    x = graph.add_node("Add", "add", [x, row]);
    x = graph.add_node_with("Softmax", "softmax", [x], attributes(&[("axis", (-1).into())]));
    graph.outputs.push(x);
    graph.tensors[x.0].shape = Some(vec![1, 3]);
    graph
}

fn load(bytes: &[u8]) -> Result<(), String> {
    let mut graph = onnx::read(bytes).map_err(|error| error.to_string())?;
    ops::rewrite_batch(&mut graph);
    let operators = ops::infer(&mut graph).map_err(|error| error.to_string())?;
    ops::check_batch(&graph, &operators).map_err(|error| error.to_string())
}

#[test]
fn a_sound_file_loads() {
    let bytes = onnx::write(&network()).unwrap();
    assert_eq!(load(&bytes), Ok(()));
}

#[test]
fn no_byte_makes_loading_panic() {
    let bytes = onnx::write(&network()).unwrap();
    let mut refused = 0;
    for index in 0..bytes.len() {
        for value in [0x00, 0x01, 0x08, 0x7f, 0x80, 0xff, bytes[index] ^ 1, bytes[index].wrapping_add(1)] {
            let mut spoilt = bytes.clone();
            spoilt[index] = value;
            refused += usize::from(load(&spoilt).is_err());
        }
    }
    assert!(refused > bytes.len(), "only {refused} of {} were refused", bytes.len() * 8);
}

#[test]
fn every_refusal_says_what_to_do_or_where() {
    let bytes = onnx::write(&network()).unwrap();
    for length in 0..bytes.len() {
        if let Err(reason) = load(&bytes[..length]) {
            assert!(reason.contains("Hint") || reason.contains("node '"), "{reason}");
        }
    }
}

#[test]
fn a_weight_that_is_no_number_is_named() {
    let mut graph = network();
    let id = graph.find("weight").unwrap();
    let shape = graph.shape(id).to_vec();
    graph.constants.insert(id, Constant::f32(shape, vec![f32::NAN; 36]));
    let options = NetworkOptions { preprocessing: Some(Pixels::Bytes), ..NetworkOptions::default() };
    let error = prepare(&graph, &options, "network").unwrap_err().to_string();
    assert!(error.contains("'weight' holds NaN"), "{error}");
}

/// Changes to each seed of a fuzz target, unless `GRAFTLAB_CHANGES` says otherwise.
const CHANGES: u64 = 40;

/// The seeds of a fuzz target, each as it is and changed in many ways; answers how many were models at all.
fn over_corpus(target: &str, check: fn(&[u8]) -> bool) -> usize {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let changes = std::env::var("GRAFTLAB_CHANGES").map_or(CHANGES, |count| count.parse().unwrap());
    let mut models = 0;
    for file in files {
        let seed = std::fs::read(&file).unwrap();
        let name = file.file_stem().unwrap().to_string_lossy().into_owned();
        for change in 0..=changes {
            let bytes = if change == 0 { seed.clone() } else { mutate::mutate(&seed, change) };
            let result = std::panic::catch_unwind(|| check(&bytes));
            models += usize::from(result.unwrap_or_else(|_| panic!("change {change} of {target}/{name}")));
        }
    }
    models
}

#[test]
fn changed_nodes_are_read_or_refused() {
    assert!(over_corpus("read", checks::read) > 500);
}

#[test]
fn changed_networks_run_or_are_refused() {
    assert!(over_corpus("run", checks::run) > 50);
}
