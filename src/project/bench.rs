//! A fixed load for benchmarks: one network, fixed images and labels, forward passes and training steps.

use burn::tensor::{Device, Tensor, TensorData};

use super::ProjectError;
use crate::graph::{Graph, TensorId};
use crate::net::{NetError, Network, read};
use crate::ops::Mode;
use crate::train::{Optimiser, cross_entropy};

const LEARNING_RATE: f64 = 1e-3;
const STATISTICS_MOMENTUM: f64 = 0.1;

/// A network on images and labels that are the same everywhere, so that what it computes and how long it takes can be
/// compared among engines.
pub struct Bench {
    /// The network as it was given, without automatic differentiation.
    network: Network,
    student: Network,
    optimiser: Optimiser,
    images: Tensor<4>,
    /// One-hot.
    labels: Tensor<2>,
    batch: usize,
}

impl Bench {
    /// Puts a network and a batch on a device.
    ///
    /// # Errors
    ///
    /// A network that cannot be run, or that does not classify images.
    pub fn new(graph: &Graph, batch: usize, device: &Device) -> Result<Self, ProjectError> {
        let network = Network::new(graph, device)?.for_inference();
        let (input, output) = ends(network.graph())?;
        let [_, channels, height, width] = network.graph().shape(input)[..] else {
            let found = format!("shape {:?}", network.graph().shape(input));
            return Err(NetError::Input { found }.into());
        };
        let [_, classes] = network.graph().shape(output)[..] else {
            let info = network.graph().tensor(output);
            let shape = network.graph().shape(output).to_vec();
            return Err(NetError::Output { output: info.name.clone(), shape }.into());
        };
        let mut numbers = Numbers(1);
        let pixels: Vec<f32> = (0..batch * channels * height * width).map(|_| numbers.unit()).collect();
        let mut labels = vec![0.0_f32; batch * classes];
        for row in labels.chunks_mut(classes) {
            row[numbers.draw() as usize % classes] = 1.0;
        }
        Ok(Self {
            student: Network::new(graph, &device.clone().autodiff())?,
            network,
            optimiser: Optimiser::new(0.0),
            images: Tensor::from_data(TensorData::new(pixels, [batch, channels, height, width]), device),
            labels: Tensor::from_data(TensorData::new(labels, [batch, classes]), device),
            batch,
        })
    }

    /// A forward pass in inference mode, all outputs of it, until the first one's cross-entropy has been read back. The
    /// weights stay as they were given.
    ///
    /// # Errors
    ///
    /// The device fails.
    pub async fn forward(&self) -> Result<f64, ProjectError> {
        let graph = self.network.graph();
        let (input, _) = ends(graph)?;
        let pass = self.network.run(&[(input, self.images.clone().into())], &graph.outputs, Mode::Inference);
        let logits = first(pass.targets)?.to_rank();
        scalar(cross_entropy(logits, self.labels.clone(), self.batch)).await
    }

    /// A training step: forward with the statistics of the batch, backward, Adam; until the cross-entropy before the
    /// step has been read back.
    ///
    /// # Errors
    ///
    /// The device fails.
    pub async fn step(&mut self) -> Result<f64, ProjectError> {
        let (input, output) = ends(self.student.graph())?;
        let images = Tensor::from_inner(self.images.clone());
        let pass = self.student.run(&[(input, images.into())], &[output], Mode::Training);
        let logits = first(pass.targets)?.to_rank();
        let loss = cross_entropy(logits, Tensor::from_inner(self.labels.clone()), self.batch);
        self.optimiser.step(&mut self.student, &loss.backward(), |_| LEARNING_RATE);
        self.student.update_statistics(pass.statistics, STATISTICS_MOMENTUM);
        scalar(loss.detach()).await
    }
}

/// The first input and the first output.
fn ends(graph: &Graph) -> Result<(TensorId, TensorId), NetError> {
    let none = || NetError::Input { found: "no input".to_owned() };
    let input = graph.inputs.first().copied().ok_or_else(none)?;
    let output = graph.outputs.first().copied().ok_or(NetError::NoOutput)?;
    Ok((input, output))
}

fn first<T>(values: Vec<T>) -> Result<T, NetError> {
    values.into_iter().next().ok_or(NetError::NoOutput)
}

async fn scalar(loss: Tensor<1>) -> Result<f64, ProjectError> {
    Ok(f64::from(first(read(loss.into()).await?)?))
}

/// Numbers that a few lines give in any language: the linear congruential generator of Numerical Recipes.
struct Numbers(u32);

impl Numbers {
    /// The upper 24 bits of the next state, which a float holds exactly.
    fn draw(&mut self) -> u32 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        self.0 >> 8
    }

    /// From 0 to 1.
    fn unit(&mut self) -> f32 {
        self.draw() as f32 / (1 << 24) as f32
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pretrain::backbone::{Family, Width, backbone};

    #[test]
    fn steps_lower_the_loss_and_leave_the_given_network_alone() {
        let mut bench =
            Bench::new(&backbone(Family::ResNet, Width::Full, 8, 4, 1), 4, &Device::flex()).unwrap();
        let before = pollster::block_on(bench.forward()).unwrap();
        let losses: Vec<f64> = (0..3).map(|_| pollster::block_on(bench.step()).unwrap()).collect();
        assert!(losses[2] < losses[1] && losses[1] < losses[0], "{losses:?}");
        assert_eq!(pollster::block_on(bench.forward()).unwrap(), before);
    }

    #[test]
    fn the_numbers_are_those_that_the_browser_draws() {
        let mut numbers = Numbers(1);
        // As `benches/browser/inputs.mjs` gives them.
        assert_eq!([numbers.draw(), numbers.draw(), numbers.draw()], [3_967_065, 6_195_333, 8_459_777]);
    }
}
