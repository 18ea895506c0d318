//! How the search goes about it.

use serde::{Deserialize, Serialize};

/// How join candidates are fitted, scored and chosen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify))]
#[serde(default, deny_unknown_fields)]
pub struct SearchSettings {
    /// Images of the training split that adapters are fitted and candidates scored on.
    pub calibration_images: usize,
    /// Positions per channel of the widest join point that the ridge regression of an adapter sees.
    pub ridge_rows_per_channel: usize,
    /// Further images on which grafted tails are compared with their teachers.
    pub score_images: usize,
    /// Donor points per receiver point and donor that are scored, those whose adapters explain most. The others are no
    /// candidates any more.
    pub scored_donor_points: usize,
    /// Plans that are fine-tuned briefly and compared on the validation split before one is chosen.
    pub finalists: usize,
    /// Images that pass each finalist while it is fine-tuned.
    pub finalist_image_passes: usize,
}

impl Default for SearchSettings {
    fn default() -> Self {
        Self {
            calibration_images: 512,
            ridge_rows_per_channel: 16,
            score_images: 128,
            scored_donor_points: 100,
            finalists: 6,
            finalist_image_passes: 4_096,
        }
    }
}
