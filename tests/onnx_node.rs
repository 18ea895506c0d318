//! Single operators against the node tests of the ONNX standard and against onnxruntime.
//!
//! `tests/python/test_onnx_nodes.py` writes the cases and runs this file; every network is read, run, written under
//! `NAME.written.onnx` (which the Python side runs in onnxruntime), read again and run again.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail loudly")]

use std::path::{Path, PathBuf};

use burn::tensor::Device;
use graftlab::graph::{ConstantData, Graph};
use graftlab::net::{Network, read_all};
use graftlab::onnx;
use graftlab::ops::{self, Mode, Value};
use serde::Deserialize;

#[derive(Deserialize)]
struct Case {
    name: String,
    refused: bool,
    /// Whether the outputs are known once the network is loaded.
    known: bool,
    /// Relative to the largest output.
    tolerance: f32,
    inputs: Vec<Array>,
    outputs: Vec<Array>,
}

#[derive(Deserialize)]
struct Array {
    shape: Vec<usize>,
    /// Of every value as float32.
    bits: Vec<u32>,
}

impl Array {
    fn values(&self) -> Vec<f32> {
        self.bits.iter().map(|bits| f32::from_bits(*bits)).collect()
    }
}

#[test]
#[ignore = "needs the cases that tests/python/test_onnx_nodes.py writes"]
fn nodes_compute_what_the_standard_says() {
    let folder = PathBuf::from(std::env::var("GRAFTLAB_ONNX_NODE_TESTS").expect("the folder of the cases"));
    let listed = std::fs::read(folder.join("cases.json")).unwrap();
    let cases: Vec<Case> = serde_json::from_slice(&listed).unwrap();
    assert!(!cases.is_empty(), "no cases in {}", folder.display());
    let wrong: Vec<String> = cases
        .iter()
        .filter_map(|case| guarded(&folder, case).err().map(|reason| format!("{}: {reason}", case.name)))
        .collect();
    println!("{} cases, {} wrong", cases.len(), wrong.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A panic counts as one wrong case.
fn guarded(folder: &Path, case: &Case) -> Result<(), String> {
    std::panic::catch_unwind(|| check(folder, case)).unwrap_or_else(|_| Err("it panics".to_owned()))
}

fn check(folder: &Path, case: &Case) -> Result<(), String> {
    let bytes = std::fs::read(folder.join(format!("{}.onnx", case.name))).unwrap();
    if case.refused {
        let network = inferred(&bytes).map(|graph| Network::new(&graph, &Device::flex()).is_ok());
        return if network == Ok(true) { Err("must be refused".to_owned()) } else { Ok(()) };
    }
    let graph = inferred(&bytes)?;
    if case.known {
        return known(&graph, case);
    }
    run(&graph, case)?;
    let written = onnx::write(&graph).map_err(|error| error.to_string())?;
    std::fs::write(folder.join(format!("{}.written.onnx", case.name)), &written).unwrap();
    run(&inferred(&written)?, case).map_err(|reason| format!("after writing: {reason}"))
}

fn inferred(bytes: &[u8]) -> Result<Graph, String> {
    let mut graph = onnx::read(bytes).map_err(|error| error.to_string())?;
    ops::infer(&mut graph).map_err(|error| error.to_string())?;
    Ok(graph)
}

/// The outputs are constants of the graph.
fn known(graph: &Graph, case: &Case) -> Result<(), String> {
    for (id, expected) in graph.outputs.iter().zip(&case.outputs) {
        let constant = graph.constants.get(id).ok_or("an output is not known")?;
        let values: Vec<f32> = match &constant.data {
            ConstantData::F32(values) => values.to_vec(),
            ConstantData::I64(values) => values.iter().map(|value| *value as f32).collect(),
            ConstantData::Bool(values) => values.iter().map(|value| f32::from(u8::from(*value))).collect(),
        };
        compare(&constant.shape, &values, expected, case.tolerance)?;
    }
    Ok(())
}

fn run(graph: &Graph, case: &Case) -> Result<(), String> {
    let device = Device::flex();
    let network = Network::new(graph, &device).map_err(|error| error.to_string())?;
    let inputs = graph.inputs.iter().zip(&case.inputs);
    let feeds: Vec<_> =
        inputs.map(|(id, input)| (*id, Value::from_host(&input.values(), &input.shape, &device))).collect();
    let values = network.run(&feeds, &graph.outputs, Mode::Inference).targets;
    let shapes: Vec<_> = values.iter().map(Value::dims).collect();
    let values = pollster::block_on(read_all(values)).map_err(|error| error.to_string())?;
    for ((given, shape), expected) in values.iter().zip(shapes).zip(&case.outputs) {
        // A single number without axes is kept with one.
        let shape = if expected.shape.is_empty() && shape == [1] { vec![] } else { shape };
        compare(&shape, given, expected, case.tolerance)?;
    }
    Ok(())
}

fn compare(shape: &[usize], given: &[f32], expected: &Array, tolerance: f32) -> Result<(), String> {
    if shape != expected.shape {
        return Err(format!("shape {shape:?}, expected {:?}", expected.shape));
    }
    let expected = expected.values();
    let finite = expected.iter().filter(|value| value.is_finite());
    let largest = finite.fold(1e-3_f32, |largest, value| largest.max(value.abs()));
    let differs = |a: f32, b: f32| match b.is_finite() {
        true => a.is_nan() || (a - b).abs() > tolerance * largest,
        false => !(a == b || a.is_nan() && b.is_nan()),
    };
    match given.iter().zip(&expected).find(|(a, b)| differs(**a, **b)) {
        Some((a, b)) => Err(format!("{a}, expected {b}, largest {largest}")),
        None if given.len() != expected.len() => Err(format!("{} values", given.len())),
        None => Ok(()),
    }
}
