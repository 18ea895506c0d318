//! Times the import of one ONNX file and its forward passes of one image, in milliseconds, as a line of JSON. Run by
//! `benches/import.py`, which makes the file and times onnxruntime beside it.

use std::error::Error;
use std::time::Instant;

use burn::tensor::{Device, Tensor};
use graftlab::net::{Network, NetworkOptions, Pixels, prepare, read};
use graftlab::onnx;
use pollster::block_on;
use serde_json::json;

const RUNS: usize = 30;

fn main() -> Result<(), Box<dyn Error>> {
    graftlab::ops::kernels::keep_freed_memory();
    let path = std::env::args().find(|argument| argument.ends_with(".onnx"));
    let path =
        path.ok_or("the path of a network is missing. Hint: this program is run by benches/import.py")?;
    let options = NetworkOptions { preprocessing: Some(Pixels::Bytes), ..NetworkOptions::default() };
    let device = Device::flex();
    let mut import = Vec::new();
    let mut forward = Vec::new();
    let mut first = None;
    for _ in 0..RUNS {
        let clock = Instant::now();
        let graph = onnx::read(&std::fs::read(&path)?)?;
        let prepared = prepare(&graph, &options, "network")?;
        let network = Network::new(&prepared.graph, &device)?.for_inference();
        import.push(milliseconds(clock));
        let [channels, height, width] = prepared.input;
        let images = Tensor::<4>::ones([1, channels, height, width], &device);
        let clock = Instant::now();
        block_on(read(network.forward(images.clone()).swap_remove(0)))?;
        first.get_or_insert(milliseconds(clock));
        let clock = Instant::now();
        block_on(read(network.forward(images).swap_remove(0)))?;
        forward.push(milliseconds(clock));
    }
    println!("{}", json!({ "import": import, "first": first, "forward": forward }));
    Ok(())
}

fn milliseconds(clock: Instant) -> f64 {
    clock.elapsed().as_secs_f64() * 1e3
}
