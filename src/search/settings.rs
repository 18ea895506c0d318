//! How the search goes about it.

use serde::{Deserialize, Serialize};

/// How join candidates are fitted, scored and chosen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify))]
#[serde(default, deny_unknown_fields)]
pub struct SearchSettings {
    /// Whether a network may also skip layers of its own.
    pub shortcuts: bool,
    /// Whether an adapter ends with the activation of the tensor that it replaces. Off only for comparison.
    pub adapter_activation: bool,
    /// Whether the batch-normalisation statistics of a tail are re-estimated on adapted features before it is scored. Off
    /// only for comparison.
    pub recalibrate_scores: bool,
    /// Images of the training split that adapters are fitted and candidates scored on.
    pub calibration_images: usize,
    /// Positions per channel of the widest join point that the ridge regression of an adapter sees.
    pub ridge_rows_per_channel: usize,
    /// Images of the training split on which grafted tails are compared with their teachers.
    pub score_images: usize,
    /// Donor points per receiver point and donor that are scored, those whose adapters explain most. The others are no
    /// candidates any more.
    pub scored_donor_points: usize,
    /// Plans that are fine-tuned briefly and compared on the validation split before one is chosen.
    pub finalists: usize,
    /// Rounds of that comparison: after each but the last, the better half goes on with twice the passes.
    pub finalist_rounds: usize,
    /// Images that pass each finalist of the last round while it is fine-tuned.
    pub finalist_image_passes: usize,
    /// Further budgets, evenly spread up to running the networks apart, for each of which the first proposal of the same
    /// search is compared too, beside the plan of best scores and the one that shares everything: a front of cost and
    /// accuracy.
    pub front_budgets: usize,
    /// Plans that `halving` and `annealing` train.
    pub evaluations: usize,
    /// Joins per donor and receiver point that enter the differentiable search, the best before training.
    pub survivors_per_point: usize,
    /// Steps of the differentiable search, one batch each.
    pub supernet_steps: usize,
    /// Share of these steps in which plans are drawn uniformly and only adapters learn.
    pub warm_up: f64,
    /// Learning rate of the probabilities' logits.
    pub logit_learning_rate: f64,
    /// Weight of the expected cost above the budget.
    pub budget_penalty: f64,
    /// Weight of the choices' entropy at the end of the search.
    pub entropy_weight: f64,
}

impl Default for SearchSettings {
    fn default() -> Self {
        Self {
            shortcuts: false,
            adapter_activation: true,
            recalibrate_scores: true,
            calibration_images: 512,
            ridge_rows_per_channel: 16,
            score_images: 128,
            scored_donor_points: 100,
            finalists: 8,
            finalist_rounds: 1,
            finalist_image_passes: 4_096,
            front_budgets: 0,
            evaluations: 16,
            survivors_per_point: 1,
            supernet_steps: 400,
            warm_up: 0.1,
            logit_learning_rate: 0.1,
            budget_penalty: 5.0,
            entropy_weight: 0.1,
        }
    }
}
