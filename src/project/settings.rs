//! What a run is asked to do. The page and the command line send the same settings.

use serde::{Deserialize, Serialize};

use super::ProjectError;
use crate::join::{CostMeasure, Plan};
use crate::search::{SearchSettings, SelectorName};
use crate::train::TrainSettings;

/// All choices of a run. Missing fields take their defaults.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify))]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The merged network's largest allowed cost, relative to running the original networks apart. From 0 to 1.
    pub budget: f64,
    /// What the budget counts.
    pub cost: CostMeasure,
    /// Who chooses the plan.
    pub selector: SelectorName,
    /// The plan to train, where none is to be searched for: for every network `"root"` or a join, as `plan` in `run.json`
    /// says it.
    pub plan: Option<Plan>,
    /// Decides every random draw of the run.
    pub seed: u32,
    /// Whether labels are used while training. Without them, distillation alone trains.
    pub use_labels: bool,
    /// Task of a network that is in use already. It stays exactly as it is, bit by bit, and the others are grafted on
    /// it; `None`: every layer may be fine-tuned.
    pub base: Option<String>,
    pub search: SearchSettings,
    pub train: TrainSettings,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            budget: 0.5,
            cost: CostMeasure::default(),
            selector: SelectorName::default(),
            plan: None,
            seed: 0,
            use_labels: true,
            base: None,
            search: SearchSettings::default(),
            train: TrainSettings::default(),
        }
    }
}

impl Settings {
    /// Settings under which the bundled demo ends within a minute on two cores, at some loss of accuracy.
    pub fn quick() -> Self {
        let mut settings = Self { selector: SelectorName::Matching, ..Self::default() };
        settings.search.calibration_images = 256;
        settings.search.scored_donor_points = 2;
        settings.search.finalists = 4;
        settings.search.finalist_image_passes = 768;
        settings.train.image_passes = 18_000;
        // The originals are asked once about every image: at this length that leaves time for more steps.
        settings.train.views = 1;
        settings
    }

    /// Checks that every number means something.
    ///
    /// # Errors
    ///
    /// The first that does not, with what it must be. The budget is checked where it is used.
    pub fn check(&self) -> Result<(), ProjectError> {
        let Self { search, train, .. } = self;
        let augment = &train.augment;
        let counts = [
            ("search.calibration_images", search.calibration_images),
            ("search.ridge_rows_per_channel", search.ridge_rows_per_channel),
            ("search.score_images", search.score_images),
            ("search.scored_donor_points", search.scored_donor_points),
            ("search.finalists", search.finalists),
            ("search.finalist_rounds", search.finalist_rounds),
            ("search.finalist_image_passes", search.finalist_image_passes),
            ("search.evaluations", search.evaluations),
            ("search.survivors_per_point", search.survivors_per_point),
            ("search.supernet_steps", search.supernet_steps),
            ("train.image_passes", train.image_passes),
            ("train.batch_size", train.batch_size),
            ("train.views", train.views),
        ]
        .map(|(name, count)| (name, count as f64, count >= 1, "at least 1"));
        let positive =
            [("train.learning_rate", train.learning_rate), ("train.temperature", train.temperature)]
                .map(|(name, value)| (name, value, value > 0.0 && value.is_finite(), "a number above 0"));
        let weights = [
            ("search.logit_learning_rate", search.logit_learning_rate),
            ("search.budget_penalty", search.budget_penalty),
            ("search.entropy_weight", search.entropy_weight),
            ("train.trunk_learning_rate", train.trunk_learning_rate),
            ("train.weight_decay", train.weight_decay),
            ("train.label_weight", train.label_weight),
            ("train.distillation_weight", train.distillation_weight),
            ("train.hint_weight", train.hint_weight),
            ("train.self_distillation_weight", train.self_distillation_weight),
            ("train.lagging_task_weight", train.lagging_task_weight),
            ("train.augment.shift_px", augment.shift_px.into()),
            ("train.augment.rotate_deg", augment.rotate_deg.into()),
            ("train.augment.brightness", augment.brightness.into()),
            ("train.augment.contrast", augment.contrast.into()),
            ("train.augment.noise", augment.noise.into()),
        ]
        .map(|(name, value)| (name, value, value >= 0.0 && value.is_finite(), "a number from 0"));
        let scale = f64::from(augment.scale);
        let warm_up = search.warm_up;
        let shares = [("train.augment.scale", scale), ("search.warm_up", warm_up)]
            .map(|(name, value)| (name, value, (0.0..1.0).contains(&value), "from 0 to below 1"));
        let mut all = counts.into_iter().chain(positive).chain(weights).chain(shares);
        match all.find(|(_, _, fine, _)| !fine) {
            Some((name, value, _, wanted)) => Err(ProjectError::Setting { name, value, wanted }),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_presets_mean_something_and_a_batch_of_none_does_not() {
        assert!(Settings::default().check().is_ok());
        assert!(Settings::quick().check().is_ok());
        let mut settings = Settings::default();
        settings.train.batch_size = 0;
        let message = settings.check().unwrap_err().to_string();
        assert!(
            message.starts_with("the setting train.batch_size is 0, but must be at least 1."),
            "{message}"
        );
        settings = Settings::default();
        settings.train.augment.noise = f32::NAN;
        assert!(settings.check().is_err());
    }
}
