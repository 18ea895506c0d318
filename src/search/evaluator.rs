//! What selectors may ask for: brief training of a plan, and a supernet in which all plans share their weights.

use super::SearchError;
use crate::join::{Join, Plan, Source};

/// A plan with what brief training made of it.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Judged {
    pub plan: Plan,
    /// Images that passed it.
    pub image_passes: usize,
    /// Largest loss of accuracy over the tasks on the validation split, in points.
    pub worst_drop_points: f64,
}

/// Trains and measures for all selectors alike.
pub trait Evaluator {
    /// How many plans it likes to judge at a time. What comes out does not depend on it.
    fn at_once(&self) -> usize {
        1
    }

    /// Fine-tunes plans with `image_passes` each, and measures them on the validation split.
    ///
    /// # Errors
    ///
    /// A plan cannot be built or trained.
    fn judge(
        &mut self,
        plans: &[Plan],
        image_passes: usize,
    ) -> impl Future<Output = Result<Vec<Judged>, SearchError>>;

    /// Trains the layers that a plan uses with one batch, in a supernet in which all plans share them. `progress` is the
    /// share of the search that is done; in a `warm_up` only adapters learn.
    ///
    /// # Errors
    ///
    /// The device fails.
    fn train_shared(
        &mut self,
        plan: &Plan,
        progress: f64,
        warm_up: bool,
    ) -> impl Future<Output = Result<(), SearchError>>;

    /// How far plans are from the teachers in the supernet as it is, on the same batch of the split that is kept for
    /// this: per plan and network the total variation distance of the class probabilities, from 0 to 1.
    ///
    /// # Errors
    ///
    /// The device fails.
    fn distances(&mut self, plans: &[Plan]) -> impl Future<Output = Result<Vec<Vec<f64>>, SearchError>>;

    /// Tells how the search goes.
    fn tell(&mut self, news: SearchNews);
}

/// What a search tells of its way.
#[derive(Clone, Debug, PartialEq)]
pub enum SearchNews {
    /// Share of the present selector's work that is done.
    Progress { done: usize, total: usize },
    /// The probabilities of a differentiable search.
    Step(SearchStep),
}

/// One moment of a differentiable search.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify))]
pub struct SearchStep {
    /// Counted from 1.
    pub step: usize,
    pub steps: usize,
    pub temperature: f64,
    /// Expected cost, in what the budget counts, relative to the original networks apart.
    pub expected_cost: f64,
    /// Mean entropy of the receivers' choices, relative to a uniform choice: from 1 down to 0.
    pub entropy: f64,
    /// Per network the most probable sources.
    pub likely: Vec<Vec<LikelySource>>,
}

/// A network's source with its probability.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify))]
pub struct LikelySource {
    /// Index of the donor; `None`: the network keeps its own input.
    pub donor: Option<usize>,
    pub donor_point: usize,
    pub receiver_point: usize,
    pub probability: f64,
}

impl LikelySource {
    pub fn source(&self) -> Source {
        let Self { donor, donor_point, receiver_point, .. } = *self;
        donor.map_or(Source::Root, |donor| Source::Join(Join { donor, donor_point, receiver_point }))
    }
}
