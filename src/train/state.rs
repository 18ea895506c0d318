//! Training as it is after some steps: enough to go on, on the same device with the same numbers.

use burn::module::Module;
use burn::tensor::{Tensor, TensorData};
use serde::{Deserialize, Serialize};

use super::{Optimiser, Student};
use crate::net::{NetError, read_all};

/// A student in training, on the host.
#[derive(Clone, Debug, PartialEq)]
pub struct TrainState {
    pub progress: Progress,
    /// Every weight, as [`crate::net::Network::read_weights`] gives them.
    pub weights: Vec<Vec<f32>>,
    /// Per weight the optimiser's two moments; empty where it has none yet.
    pub moments: [Vec<Vec<f32>>; 2],
}

/// How far training has come.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// Steps that are done.
    pub step: usize,
    /// Weights of the tasks' losses.
    pub task_weights: Vec<f64>,
    /// On all learning rates; halved whenever training had to go back.
    pub slowed: f64,
    /// How often each weight has been stepped.
    times: Vec<usize>,
}

impl Progress {
    pub fn start(tasks: usize) -> Self {
        Self { step: 0, task_weights: vec![1.0; tasks], slowed: 1.0, times: Vec::new() }
    }
}

impl TrainState {
    /// Reads a student and its optimiser from the device.
    ///
    /// # Errors
    ///
    /// The device fails to hand them out.
    pub async fn read(
        student: &Student,
        optimiser: &Optimiser,
        progress: &Progress,
    ) -> Result<Self, NetError> {
        let weights = student.network.read_weights().await?;
        let remembered: Vec<_> = student.network.weight_ids().map(|id| optimiser.remembered(id)).collect();
        let times = remembered.iter().map(|state| state.as_ref().map_or(0, |(time, _)| *time)).collect();
        let mut moments = [Vec::new(), Vec::new()];
        for (which, moments) in moments.iter_mut().enumerate() {
            let known = remembered.iter().flatten().map(|(_, both)| both[which].clone().into()).collect();
            let mut known = read_all(known).await?.into_iter();
            *moments = remembered
                .iter()
                .map(|state| state.as_ref().and_then(|_| known.next()).unwrap_or_default())
                .collect();
        }
        Ok(Self { progress: Progress { times, ..progress.clone() }, weights, moments })
    }

    /// Puts a student and its optimiser back to where they were.
    pub fn put(&self, student: &mut Student, optimiser: &mut Optimiser) {
        student.network.put_weights(&self.weights);
        let Some(device) = student.network.devices().into_iter().next().map(|device| device.inner()) else {
            return;
        };
        let ids: Vec<_> = student.network.weight_ids().collect();
        optimiser.forget();
        for (index, id) in ids.into_iter().enumerate().filter(|(index, _)| self.progress.times[*index] > 0) {
            let moments = self.moments.each_ref().map(|moments| {
                let values = moments[index].clone();
                let count = values.len();
                Tensor::from_data(TensorData::new(values, [count]), &device)
            });
            optimiser.restore(id, self.progress.times[index], moments);
        }
    }

    /// Whether this is a state of such a student.
    pub fn fits(&self, student: &Student) -> bool {
        let sizes = student.network.weight_sizes();
        let as_long = |values: &[Vec<f32>]| values.iter().map(Vec::len).eq(sizes.iter().copied());
        let moments_fit = |moments: &Vec<Vec<f32>>| {
            moments.len() == sizes.len()
                && moments
                    .iter()
                    .zip(&sizes)
                    .zip(&self.progress.times)
                    .all(|((values, size), time)| values.len() == if *time > 0 { *size } else { 0 })
        };
        as_long(&self.weights)
            && self.progress.times.len() == sizes.len()
            && self.moments.iter().all(moments_fit)
            && self.progress.task_weights.len() == student.outputs.len()
    }

    /// Whether every weight is a number.
    pub fn is_finite(&self) -> bool {
        self.weights.iter().flatten().all(|value| value.is_finite())
    }
}
