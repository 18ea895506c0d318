//! AdamW over a network's weights, with a state that can be read and put back.

use std::collections::HashMap;

use burn::module::ParamId;
use burn::tensor::{Gradients, Tensor};

use crate::net::Network;
use crate::ops::kernels::{AdamStep, adam};

const BETAS: [f32; 2] = [0.9, 0.999];
const EPSILON: f32 = 1e-5;

/// AdamW (Loshchilov and Hutter, "Decoupled Weight Decay Regularization", ICLR 2019), and what it remembers of each
/// weight.
pub struct Optimiser {
    weight_decay: f64,
    states: HashMap<ParamId, State>,
}

struct State {
    /// Steps made.
    time: usize,
    /// Moving means of the gradient and of its square.
    moments: [Tensor<1>; 2],
}

impl Optimiser {
    pub fn new(weight_decay: f64) -> Self {
        Self { weight_decay, states: HashMap::new() }
    }

    /// One step against the gradients, of all weights that have one. `learning_rate` gives each weight its own.
    pub fn step(
        &mut self,
        network: &mut Network,
        gradients: &Gradients,
        learning_rate: impl Fn(ParamId) -> f64,
    ) {
        let Self { weight_decay, states } = self;
        network.step_weights(gradients, |id, value, gradient| {
            let State { time, moments } = states.remove(&id).unwrap_or_else(|| State {
                time: 0,
                moments: [gradient.zeros_like(), gradient.zeros_like()],
            });
            let (time, rate) = (time + 1, learning_rate(id));
            let step = AdamStep {
                betas: BETAS,
                corrections: BETAS.map(|beta| 1.0 - beta.powi(time as i32)),
                epsilon: EPSILON,
                learning_rate: rate as f32,
                kept: (1.0 - rate * *weight_decay) as f32,
            };
            let (value, moments) = adam(value, gradient, moments, step);
            states.insert(id, State { time, moments });
            value
        });
    }

    /// What is remembered of a weight: the steps that it has made and its two moments.
    pub fn remembered(&self, id: ParamId) -> Option<(usize, [Tensor<1>; 2])> {
        let State { time, moments } = self.states.get(&id)?;
        Some((*time, moments.clone()))
    }

    /// Forgets every weight.
    pub fn forget(&mut self) {
        self.states.clear();
    }

    /// Puts back what was remembered of a weight. The moments are as long as the weight.
    pub fn restore(&mut self, id: ParamId, time: usize, moments: [Tensor<1>; 2]) {
        self.states.insert(id, State { time, moments });
    }
}
