//! Random weights in place of pretrained ones: what joining pretrained networks is held against.

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

use super::{Adapter, JoinPoint};
use crate::graph::{Attribute, Constant, Graph, Node, TensorId};
use crate::net::is_fixed;

impl Adapter {
    /// Weights that know nothing of either tensor (He et al., ICCV 2015).
    pub fn random(donor: &JoinPoint, receiver: &JoinPoint, seed: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let Self { weight, bias } = Self::blank(donor, receiver);
        Self { weight: he_uniform(weight.len(), donor.channels, &mut rng), bias }
    }
}

/// Gives every convolution, matrix product and batch normalisation of a graph whose first output `forgets` random weights
/// (He et al., ICCV 2015), as if it had never been trained. Other constants stay.
pub fn forget_weights(graph: &mut Graph, seed: u64, forgets: impl Fn(&str) -> bool) {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    for node in graph.nodes.clone() {
        if !node.outputs.first().is_some_and(|id| forgets(&graph.tensor(*id).name)) {
            continue;
        }
        let id = |place: usize| {
            let id = node.inputs.get(place).copied().flatten()?;
            (!is_fixed(&graph.tensor(id).name)).then_some(id)
        };
        let [weight, bias] = [id(1), id(2)];
        let statistics = [(1, 1.0), (2, 0.0), (3, 0.0), (4, 1.0)].map(|(place, value)| (id(place), value));
        match node.op_type.as_str() {
            "Conv" | "ConvTranspose" | "Gemm" | "MatMul" => {
                if let Some(constant) = weight.and_then(|id| graph.constants.get_mut(&id)) {
                    let count = constant.shape.iter().product();
                    let values = he_uniform(count, fan_in(&node, &constant.shape), &mut rng);
                    *constant = Constant::f32(constant.shape.clone(), values);
                }
                if let Some(id) = bias {
                    fill(graph, id, 0.0);
                }
            }
            "BatchNormalization" => {
                // Scale, shift, mean and variance.
                for (id, value) in statistics {
                    if let Some(id) = id {
                        fill(graph, id, value);
                    }
                }
            }
            _ => {}
        }
    }
}

/// Inputs of one output unit of a convolution `[out, in, height, width]` or a matrix product; of a transposed convolution
/// `[in, out, height, width]`, those of all positions that one unit may read.
fn fan_in(node: &Node, shape: &[usize]) -> usize {
    let turned = matches!(node.attributes.get("transB"), Some(Attribute::Int(1)));
    let inputs: usize = match (node.op_type.as_str(), shape) {
        ("ConvTranspose", [inputs, _, kernel @ ..]) => inputs * kernel.iter().product::<usize>(),
        ("MatMul", [.., inputs, _]) => *inputs,
        ("Gemm", [inputs, _]) if !turned => *inputs,
        _ => shape.iter().skip(1).product(),
    };
    inputs.max(1)
}

fn fill(graph: &mut Graph, id: TensorId, value: f32) {
    if let Some(constant) = graph.constants.get_mut(&id).filter(|constant| constant.as_f32().is_some()) {
        let count = constant.shape.iter().product();
        *constant = Constant::f32(constant.shape.clone(), vec![value; count]);
    }
}

/// Drawn evenly, with the variance of He et al.
fn he_uniform(count: usize, inputs: usize, rng: &mut ChaCha8Rng) -> Vec<f32> {
    let bound = (6.0 / inputs.max(1) as f32).sqrt();
    (0..count).map(|_| rng.random_range(-bound..bound)).collect()
}
