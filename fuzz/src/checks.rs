//! The properties. A broken one panics, and so does whatever the importer does wrong.

use burn::tensor::{Device, Tensor};
use graftlab::net::{Network, NetworkOptions, Pixels, prepare};
use graftlab::{onnx, ops};

/// Values of all tensors together, and MACs, up to which a network is run.
const SMALL: u64 = 1 << 20;

/// Reads a network, writes it as it was, and infers its shapes. What was accepted can be written, and comes back with the
/// same shapes.
///
/// Answers whether the bytes are an ONNX model at all.
pub fn read(bytes: &[u8]) -> bool {
    let Ok(mut graph) = onnx::read(bytes) else { return false };
    let copy = onnx::write(&graph).unwrap_or_else(|error| panic!("read, but not written: {error}"));
    let again = onnx::read(&copy).unwrap_or_else(|error| panic!("copied, but not read: {error}"));
    assert!(onnx::write(&again).is_ok_and(|twice| twice == copy), "the copy of a copy");
    ops::rewrite_batch(&mut graph);
    let Ok(operators) = ops::infer(&mut graph) else { return true };
    let _ = ops::check_batch(&graph, &operators);
    // Names that are made on the way may be there already.
    let Ok(written) = onnx::write(&graph) else { return true };
    let mut again = onnx::read(&written).unwrap_or_else(|error| panic!("written, but not read: {error}"));
    ops::infer(&mut again).unwrap_or_else(|error| panic!("written, but not inferred: {error}"));
    let shapes = |graph: &graftlab::graph::Graph| -> Vec<Vec<usize>> {
        graph.outputs.iter().map(|id| graph.shape(*id).to_vec()).collect()
    };
    assert_eq!(shapes(&graph), shapes(&again), "shapes before and after writing");
    true
}

/// Prepares a network, and runs it on two images if it is small. Its outputs have the shapes that were inferred.
///
/// Answers whether the bytes are an ONNX model at all.
pub fn run(bytes: &[u8]) -> bool {
    let Ok(graph) = onnx::read(bytes) else { return false };
    let options = NetworkOptions { preprocessing: Some(Pixels::Bytes), ..NetworkOptions::default() };
    let Ok(prepared) = prepare(&graph, &options, "network") else { return true };
    let graph = &prepared.graph;
    let values: u64 =
        graph.tensors.iter().filter_map(|tensor| tensor.shape.as_ref()).map(|shape| size(shape)).sum();
    if values > SMALL || graph.cost().macs > SMALL {
        return true;
    }
    let device = Device::flex();
    let network =
        Network::new(graph, &device).unwrap_or_else(|error| panic!("prepared, but no network: {error}"));
    let [channels, height, width] = prepared.input;
    let outputs = network.forward(Tensor::ones([2, channels, height, width], &device));
    for (value, task) in outputs.iter().zip(&prepared.tasks) {
        assert_eq!(value.dims(), [2, task.classes.len()], "the shape of '{}'", task.name);
    }
    true
}

fn size(shape: &[usize]) -> u64 {
    shape.iter().map(|axis| *axis as u64).product()
}
