//! How networks are trained.

use serde::{Deserialize, Serialize};

use crate::data::Augment;

/// The weights that training starts from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify))]
#[serde(rename_all = "snake_case")]
pub enum Start {
    /// The originals' weights, and adapters that are fitted in closed form.
    #[default]
    Fitted,
    /// The originals' weights, and adapters that know nothing.
    RandomAdapters,
    /// Nothing of the originals but their layers: what distillation alone gives.
    Scratch,
}

/// How the merged network is fine-tuned.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify))]
#[serde(default, deny_unknown_fields)]
pub struct TrainSettings {
    /// The weights that training starts from.
    pub start: Start,
    /// Whether batch normalisation keeps the statistics of before while training.
    pub fixed_statistics: bool,
    /// Images that pass the network while training, counting each time an image is seen.
    pub image_passes: usize,
    pub batch_size: usize,
    /// Peak learning rate of the one-cycle schedule.
    pub learning_rate: f64,
    /// Learning rate of the trunk, relative to that of adapters and tails.
    pub trunk_learning_rate: f64,
    pub weight_decay: f64,
    /// Softens the teacher's and the student's outputs before they are compared.
    pub temperature: f64,
    /// Weight of the cross-entropy with labels.
    pub label_weight: f64,
    /// Weight of the divergence from the teacher's outputs.
    pub distillation_weight: f64,
    /// Weight of the distance to the teacher's inner tensors after the graft. 0 switches it off.
    pub hint_weight: f64,
    /// Weight of the auxiliary heads that learn from the deepest output. 0 switches them off.
    pub self_distillation_weight: f64,
    /// Factor on the loss of the task that lags furthest behind its teacher. 1 switches it off.
    pub lagging_task_weight: f64,
    /// Random changes to the images.
    pub augment: Augment,
    /// Differently changed versions of each image. Teachers see every version once; their outputs are kept.
    pub views: usize,
}

impl Default for TrainSettings {
    fn default() -> Self {
        Self {
            start: Start::default(),
            fixed_statistics: false,
            image_passes: 80_000,
            batch_size: 16,
            learning_rate: 3e-3,
            trunk_learning_rate: 1.0,
            weight_decay: 1e-4,
            temperature: 4.0,
            label_weight: 1.0,
            distillation_weight: 1.0,
            hint_weight: 0.0,
            self_distillation_weight: 0.0,
            lagging_task_weight: 2.0,
            augment: Augment::default(),
            views: 4,
        }
    }
}
