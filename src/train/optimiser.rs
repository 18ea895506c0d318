//! AdamW over a network's weights, with a state that can be read and put back.

use std::collections::HashMap;

use burn::module::ParamId;
use burn::optim::{AdamW, AdamWConfig, AdamWState, AdaptiveMomentumState, Optimizer};
use burn::tensor::{Gradients, Tensor};

use crate::net::Network;

/// AdamW (Loshchilov & Hutter, ICLR 2019): burn's rule, and what it remembers of each weight.
pub struct Optimiser {
    rule: AdamW,
    states: HashMap<ParamId, AdamWState<1>>,
}

impl Optimiser {
    pub fn new(weight_decay: f64) -> Self {
        let config = AdamWConfig::new().with_weight_decay(weight_decay as f32);
        Self { rule: config.build(), states: HashMap::new() }
    }

    /// One step against the gradients, of all weights that have one. `learning_rate` gives each weight its own.
    pub fn step(
        &mut self,
        network: &mut Network,
        gradients: &Gradients,
        learning_rate: impl Fn(ParamId) -> f64,
    ) {
        let Self { rule, states } = self;
        network.step_weights(gradients, |id, value, gradient| {
            let (value, state) = rule.step(learning_rate(id), value, gradient, states.remove(&id));
            states.extend(state.map(|state| (id, state)));
            value
        });
    }

    /// What is remembered of a weight: the steps that it has made and its two moments.
    pub fn remembered(&self, id: ParamId) -> Option<(usize, [Tensor<1>; 2])> {
        let momentum = &self.states.get(&id)?.momentum;
        Some((momentum.time, [momentum.moment_1.clone(), momentum.moment_2.clone()]))
    }

    /// Forgets every weight.
    pub fn forget(&mut self) {
        self.states.clear();
    }

    /// Puts back what was remembered of a weight. The moments are as long as the weight.
    pub fn restore(&mut self, id: ParamId, time: usize, moments: [Tensor<1>; 2]) {
        let [first, second] = moments;
        self.states.insert(id, AdamWState::new(AdaptiveMomentumState::new(time, first, second)));
    }
}
