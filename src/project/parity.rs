//! Whether two devices compute the same.

use burn::tensor::{Device, Tensor, TensorData};
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};
use serde::{Deserialize, Serialize};

use super::ProjectError;
use crate::graph::Graph;
use crate::net::{Network, read_all};
use crate::ops::{Mode, Value};

/// Largest differences between two devices, relative to the largest value of the second.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify))]
pub struct Parity {
    /// Outputs, in inference and in training mode.
    pub outputs: f64,
    /// Gradients of the weights in training mode, the worst weight tensor.
    pub gradients: f64,
}

/// Runs a graph on random images forwards and backwards on both devices.
///
/// # Errors
///
/// A graph that cannot be run, or a device fails.
pub async fn compare_devices(
    graph: &Graph,
    images: usize,
    first: &Device,
    second: &Device,
) -> Result<Parity, ProjectError> {
    let (outputs, gradients) = run_both_ways(graph, images, first).await?;
    let (expected_outputs, expected_gradients) = run_both_ways(graph, images, second).await?;
    Ok(Parity {
        outputs: worst(&outputs, &expected_outputs),
        gradients: worst(&gradients, &expected_gradients),
    })
}

type Tensors = Vec<Vec<f32>>;

async fn run_both_ways(
    graph: &Graph,
    images: usize,
    device: &Device,
) -> Result<(Tensors, Tensors), ProjectError> {
    let network = Network::new(graph, &device.clone().autodiff())?;
    let input = network.graph().inputs.first().copied();
    let shape = input.map_or(&[][..], |id| network.graph().shape(id));
    let [_, channels, height, width] = shape[..] else {
        return Err(crate::net::NetError::Input { found: format!("shape {shape:?}") }.into());
    };
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    let pixels: Vec<f32> =
        (0..images * channels * height * width).map(|_| rng.random_range(0.0..255.0)).collect();
    let device = device.clone().autodiff();
    let images: Tensor<4> =
        Tensor::from_data(TensorData::new(pixels, [images, channels, height, width]), &device);
    let targets = network.graph().outputs.clone();
    let feeds = [(network.graph().inputs[0], Value::from(images))];
    let inference = network.run(&feeds, &targets, Mode::Inference).targets;
    let training = network.run(&feeds, &targets, Mode::Training).targets;
    let losses = training.iter().map(|value| {
        let logits: Tensor<2> = value.clone().to_rank();
        // Every output counts, and its sign matters.
        burn::tensor::activation::log_softmax(logits, 1).narrow(1, 0, 1).mean()
    });
    let Some(loss) = losses.reduce(|sum, loss| sum + loss) else {
        return Err(crate::net::NetError::NoOutput.into());
    };
    let gradients = network.gradients(&loss.backward());
    let outputs = inference.into_iter().chain(training).map(Value::detach).collect();
    let gradients = gradients.into_iter().map(|(_, value)| value).collect();
    Ok((read_all(outputs).await?, read_all(gradients).await?))
}

/// The worst tensor's largest difference, relative to its largest value; infinite where values are not finite.
pub fn worst(found: &Tensors, expected: &Tensors) -> f64 {
    let largest =
        expected.iter().flatten().fold(0.0_f64, |largest, value| largest.max(f64::from(value.abs())));
    let pairs = found.iter().zip(expected).flat_map(|(found, expected)| found.iter().zip(expected));
    let difference = pairs.fold(0.0_f64, |worst, (found, expected)| {
        let difference = f64::from((found - expected).abs());
        if difference.is_finite() { worst.max(difference) } else { f64::INFINITY }
    });
    if found.len() == expected.len() { difference / largest.max(f64::MIN_POSITIVE) } else { f64::INFINITY }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_or_broken_tensor_is_infinitely_wrong() {
        let good = vec![vec![1.0, -4.0]];
        assert_eq!(worst(&good, &good), 0.0);
        assert_eq!(worst(&vec![vec![1.0, -3.0]], &good), 0.25);
        assert_eq!(worst(&vec![vec![1.0, f32::NAN]], &good), f64::INFINITY);
        assert_eq!(worst(&vec![], &good), f64::INFINITY);
    }
}
