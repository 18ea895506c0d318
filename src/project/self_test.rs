//! The test that a GPU passes before its results are believed.

use burn::tensor::{Device, Tensor, TensorData};
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

use super::parity::worst;
use super::{Feed, ProjectError, compare_devices};
use crate::graph::{Attribute, Attributes, Constant, Graph, TensorId};
use crate::join::resample_graph;
use crate::net::read_all;
use crate::ops::Value;
use crate::train::{cross_entropy, distillation};

const OUTPUTS: f64 = 1e-3;
const GRADIENTS: f64 = 1e-2;

/// Runs a small network of the operators in use, forwards and backwards, on the device and on the CPU.
///
/// # Errors
///
/// [`ProjectError::SelfTest`] where the results differ by more than rounding explains; or the device fails.
pub async fn self_test(device: &Device) -> Result<(), ProjectError> {
    let network = small_network();
    let images = Feed::random_images(&network, 4)?;
    let parity = compare_devices(&network, &[images], device, &Device::flex()).await?;
    let (found, expected) = (losses(device).await?, losses(&Device::flex()).await?);
    let gradients = parity.gradients.max(worst(&found, &expected));
    if parity.outputs <= OUTPUTS && gradients <= GRADIENTS {
        return Ok(());
    }
    Err(ProjectError::SelfTest { outputs: parity.outputs, gradients })
}

/// The losses of classes, each with its gradient with respect to the logits.
async fn losses(device: &Device) -> Result<Vec<Vec<f32>>, ProjectError> {
    let mut rng = ChaCha8Rng::seed_from_u64(8);
    let mut draw = || {
        let values: Vec<f32> = (0..12).map(|_| rng.random_range(-4.0..4.0)).collect();
        Tensor::from_data(TensorData::new(values, [3, 4]), &device.clone().autodiff())
    };
    let (logits, teacher): (Tensor<2>, Tensor<2>) = (draw().require_grad(), draw());
    let labels = teacher.clone().clamp(0.0, 1.0);
    let mut values = Vec::new();
    for loss in [cross_entropy(logits.clone(), labels, 3), distillation(logits.clone(), teacher, 4.0)] {
        let gradient = logits.grad(&loss.backward()).map(|gradient| gradient.reshape([12]));
        values.extend([Some(loss.inner()), gradient].into_iter().flatten().map(Value::from));
    }
    Ok(read_all(values).await?)
}

/// Every kind of layer that the bundled networks and adapters have, and a loss's logarithms, on 8 × 8 images.
fn small_network() -> Graph {
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let mut graph = Graph { opset: 17, ..Graph::default() };
    let image = graph.add_input("image", vec![1, 1, 8, 8]);
    let scale = graph.add_constant("fixed/scale", Constant::scalar(255.0));
    let scaled = graph.add_node("Div", "scaled", [image, scale]);
    let mut weights = |graph: &mut Graph, name: &str, shape: Vec<usize>| {
        let values: Vec<f32> = (0..shape.iter().product()).map(|_| rng.random_range(-0.5..0.5)).collect();
        graph.add_constant(name, Constant::f32(shape, values))
    };
    let ints = |values: &[i64]| Attribute::Ints(values.to_vec());
    let attributes = |list: &[(&str, Attribute)]| -> Attributes {
        list.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
    };
    let norm = |graph: &mut Graph, name: &str, input: TensorId, channels: usize| {
        let inputs = ["scale", "bias", "mean", "variance"].map(|part| {
            let value = if part == "scale" || part == "variance" { 1.0 } else { 0.1 };
            graph
                .add_constant(&format!("{name}/{part}"), Constant::f32(vec![channels], vec![value; channels]))
        });
        graph.add_node("BatchNormalization", name, [input, inputs[0], inputs[1], inputs[2], inputs[3]])
    };

    let kernel = weights(&mut graph, "kernel", vec![8, 1, 3, 3]);
    let same = attributes(&[("pads", ints(&[1; 4]))]);
    let conv = graph.add_node_with("Conv", "conv", [scaled, kernel], same);
    let normed = norm(&mut graph, "norm", conv, 8);
    let relu = graph.add_node("Relu", "relu", [normed]);
    let kernel = weights(&mut graph, "depthwise kernel", vec![8, 1, 3, 3]);
    let strided =
        attributes(&[("pads", ints(&[1; 4])), ("strides", ints(&[2; 2])), ("group", Attribute::Int(8))]);
    let depthwise = graph.add_node_with("Conv", "depthwise", [relu, kernel], strided);
    let kernel = weights(&mut graph, "strided kernel", vec![8, 8, 3, 3]);
    let halved = attributes(&[("pads", ints(&[1; 4])), ("strides", ints(&[2; 2]))]);
    let halved = graph.add_node_with("Conv", "strided", [relu, kernel], halved);
    let window = attributes(&[("kernel_shape", ints(&[2; 2])), ("strides", ints(&[2; 2]))]);
    let pooled = graph.add_node_with("MaxPool", "max", [relu], window.clone());
    let averaged = graph.add_node_with("AveragePool", "mean", [relu], window);
    let sum = graph.add_node("Add", "sum", [depthwise, pooled]);
    let sum = graph.add_node("Add", "sum2", [sum, averaged]);
    let sum = graph.add_node("Add", "sum3", [sum, halved]);
    let kernel = weights(&mut graph, "pointwise kernel", vec![6, 8, 1, 1]);
    let bias = weights(&mut graph, "pointwise bias", vec![6]);
    let pointwise = graph.add_node("Conv", "pointwise", [sum, kernel, bias]);
    let normed = norm(&mut graph, "norm2", pointwise, 6);
    let (low, high) = (Constant::scalar(0.0), Constant::scalar(6.0));
    let bounds = [graph.add_constant("low", low), graph.add_constant("high", high)];
    let clipped = graph.add_node("Clip", "clip", [normed, bounds[0], bounds[1]]);
    let resampler = resample_graph(6, (4, 4), (7, 5));
    let appended = graph.append(&resampler, "resample/", &[(resampler.inputs[0], clipped)]);
    let resampled = appended.at(resampler.outputs[0]);
    let mean = graph.add_node("GlobalAveragePool", "average", [resampled]);
    let flat = graph.add_node("Flatten", "flat", [mean]);
    let weight = weights(&mut graph, "classifier", vec![6, 3]);
    let bias = weights(&mut graph, "classifier bias", vec![3]);
    let logits = graph.add_node("Gemm", "logits", [flat, weight, bias]);
    let probabilities = graph.add_node("LogSoftmax", "probabilities", [logits]);
    graph.outputs.push(probabilities);
    graph
}
