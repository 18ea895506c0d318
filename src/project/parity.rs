//! Whether two devices compute the same.

use burn::tensor::Device;
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};
use serde::{Deserialize, Serialize};

use super::ProjectError;
use crate::graph::{Graph, TensorId};
use crate::net::{NetError, Network, read_all};
use crate::ops::{Mode, Value};
use crate::with_tensor;

/// Largest differences between two devices, relative to the largest value of the second.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify))]
pub struct Parity {
    /// Outputs, in inference and in training mode.
    pub outputs: f64,
    /// Gradients in training mode of a weighted sum of all outputs with respect to inputs and weights, the worst tensor.
    pub gradients: f64,
}

/// Values of one input.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify))]
pub struct Feed {
    pub shape: Vec<usize>,
    pub values: Vec<f32>,
}

impl Feed {
    /// Images of random pixels, between 0 and 255, for a network's first input.
    ///
    /// # Errors
    ///
    /// The input takes no images.
    pub fn random_images(graph: &Graph, images: usize) -> Result<Self, NetError> {
        let shape = graph.inputs.first().map_or(&[][..], |id| graph.shape(*id));
        let [_, channels, height, width] = shape[..] else {
            return Err(NetError::Input { found: format!("shape {shape:?}") });
        };
        let shape = vec![images, channels, height, width];
        let mut rng = ChaCha8Rng::seed_from_u64(0);
        let values = (0..shape.iter().product()).map(|_| rng.random_range(0.0..255.0)).collect();
        Ok(Self { shape, values })
    }
}

/// Runs a graph forwards and backwards on both devices. `feeds`: of every input.
///
/// # Errors
///
/// A graph that cannot be run, or a device fails.
pub async fn compare_devices(
    graph: &Graph,
    feeds: &[Feed],
    first: &Device,
    second: &Device,
) -> Result<Parity, ProjectError> {
    let (outputs, gradients) = run_both_ways(graph, feeds, first).await?;
    let (expected_outputs, expected_gradients) = run_both_ways(graph, feeds, second).await?;
    Ok(Parity {
        outputs: worst(&outputs, &expected_outputs),
        gradients: worst(&gradients, &expected_gradients),
    })
}

type Tensors = Vec<Vec<f32>>;

async fn run_both_ways(
    graph: &Graph,
    feeds: &[Feed],
    device: &Device,
) -> Result<(Tensors, Tensors), ProjectError> {
    let device = device.clone().autodiff();
    let network = Network::new(graph, &device)?;
    let graph = network.graph();
    let inputs = graph.inputs.iter().zip(feeds);
    let feeds: Vec<(TensorId, Value)> = inputs
        .map(|(id, feed)| (*id, Value::from_host(&feed.values, &feed.shape, &device).require_gradient()))
        .collect();
    let inference = network.run(&feeds, &graph.outputs, Mode::Inference).targets;
    let training = network.run(&feeds, &graph.outputs, Mode::Training).targets;
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let losses = training.iter().map(|value| {
        let dims = value.dims();
        let weights: Vec<f32> = (0..dims.iter().product()).map(|_| rng.random_range(-1.0..1.0)).collect();
        let weights = Value::from_host(&weights, &dims, &device);
        with_tensor!(value.clone(), value => (value * weights.to_rank()).sum())
    });
    let loss = losses.reduce(|sum, loss| sum + loss).ok_or(NetError::NoOutput)?;
    let gradients = loss.backward();
    let of_inputs = feeds.iter().filter_map(|(_, value)| value.gradient(&gradients));
    let of_weights = network.gradients(&gradients).into_iter().map(|(_, value)| value);
    let gradients = of_inputs.chain(of_weights).collect();
    let outputs = inference.into_iter().chain(training).map(Value::detach).collect();
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
