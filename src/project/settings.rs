//! What a run is asked to do. The page and the command line send the same settings.

use serde::{Deserialize, Serialize};

use crate::search::{SearchSettings, SelectorName};
use crate::train::TrainSettings;

/// All choices of a run. Missing fields take their defaults.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify))]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The merged network's largest allowed MACs, relative to running the original networks apart. From 0 to 1.
    pub budget: f64,
    /// Who chooses the plan.
    pub selector: SelectorName,
    /// Decides every random draw of the run.
    pub seed: u32,
    /// Whether labels are used while training. Without them, distillation alone trains.
    pub use_labels: bool,
    pub search: SearchSettings,
    pub train: TrainSettings,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            budget: 0.42,
            selector: SelectorName::default(),
            seed: 0,
            use_labels: true,
            search: SearchSettings::default(),
            train: TrainSettings::default(),
        }
    }
}

impl Settings {
    /// Settings under which the bundled demo ends within a minute on two cores. Accuracy is not the aim.
    pub fn quick() -> Self {
        let mut settings = Self::default();
        settings.search.calibration_images = 256;
        settings.search.finalists = 1;
        settings.train.image_passes = 4_000;
        settings
    }
}
