//! Search: given candidates, their scores and a budget, choose a plan.
//!
//! Every selector stands behind [`Selector`] and asks the same [`Judge`]; none knows how plans are built or trained.

mod best;
mod error;
mod selectors;
mod settings;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use error::SearchError;
pub use selectors::{FixedDepth, Matching, RandomPlans, ShareAll};
pub use settings::SearchSettings;

use crate::join::{Join, Plan, Space};

/// How well a join works before any training, on held-out calibration images.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Score {
    /// Share of images to which the grafted tail gives the teacher's top class.
    pub agreement: f64,
    /// Agreement beyond chance, Cohen's kappa: comparable between tasks.
    pub kappa: f64,
    /// `KL(teacher ‖ tail)` in nats, at a fitted temperature.
    pub divergence: f64,
    /// Share of the receiver tensor's variance that the adapter explains.
    pub r_squared: f64,
}

/// Scores of all candidates, by receiver and join.
pub type Scores = BTreeMap<(usize, Join), Score>;

/// What a selector is given.
#[derive(Clone, Copy, Debug)]
pub struct Problem<'a> {
    pub space: &'a Space,
    pub scores: &'a Scores,
    /// Largest MACs of a plan, relative to running the networks apart.
    pub budget: f64,
    /// Number of plans that may be judged.
    pub finalists: usize,
    pub seed: u64,
}

/// Fine-tunes a plan briefly and measures it on the validation split. Lower is better.
pub trait Judge {
    /// Largest loss of accuracy over the tasks, in points.
    ///
    /// # Errors
    ///
    /// The plan cannot be built or trained.
    fn worst_drop(&mut self, plan: &Plan) -> impl Future<Output = Result<f64, SearchError>>;
}

/// A way to choose a plan.
pub trait Selector {
    /// Plans worth judging, the most promising first, each valid and within the budget.
    ///
    /// # Errors
    ///
    /// No plan meets the budget; the nearest one that can be met is named.
    fn propose(&self, problem: &Problem) -> Result<Vec<Plan>, SearchError>;

    /// Proposes, lets the judge compare the first `finalists` proposals, and takes the best of them; of equals the
    /// cheaper.
    ///
    /// # Errors
    ///
    /// As [`Selector::propose`], and the judge's own.
    fn select(
        &self,
        problem: &Problem,
        judge: &mut impl Judge,
    ) -> impl Future<Output = Result<Plan, SearchError>> {
        async {
            let mut plans = self.propose(problem)?;
            plans.truncate(problem.finalists.max(1));
            if plans.len() > 1 {
                let mut judged = Vec::new();
                for plan in plans {
                    let drop = judge.worst_drop(&plan).await?;
                    judged.push((drop, problem.space.macs(&plan), plan));
                }
                judged.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
                plans = judged.into_iter().map(|(_, _, plan)| plan).collect();
            }
            plans.into_iter().next().ok_or_else(|| problem.out_of_reach())
        }
    }
}

/// The selectors by name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify))]
#[serde(rename_all = "kebab-case")]
pub enum SelectorName {
    /// Best scores before training, the finalists compared after brief training.
    #[default]
    Matching,
    /// Everything but the last layers is shared.
    ShareAll,
    /// All networks join one trunk at the same relative depth.
    FixedDepth,
    /// Valid plans drawn at random, compared after brief training.
    Random,
}

impl SelectorName {
    pub const ALL: [Self; 4] = [Self::Matching, Self::ShareAll, Self::FixedDepth, Self::Random];

    /// The name as it is written in settings and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Matching => "matching",
            Self::ShareAll => "share-all",
            Self::FixedDepth => "fixed-depth",
            Self::Random => "random",
        }
    }
}

/// Chooses a plan with the selector of this name.
///
/// # Errors
///
/// As [`Selector::select`].
pub async fn select(
    name: SelectorName,
    problem: &Problem<'_>,
    judge: &mut impl Judge,
) -> Result<Plan, SearchError> {
    match name {
        SelectorName::Matching => Matching.select(problem, judge).await,
        SelectorName::ShareAll => ShareAll.select(problem, judge).await,
        SelectorName::FixedDepth => FixedDepth.select(problem, judge).await,
        SelectorName::Random => RandomPlans.select(problem, judge).await,
    }
}

impl Problem<'_> {
    /// Whether a plan is valid and meets the budget.
    pub fn fits(&self, plan: &Plan) -> bool {
        plan.check(self.space).is_ok() && self.space.relative_macs(plan) <= self.budget
    }

    /// The error for a budget that no plan meets, with the nearest that one does.
    pub fn out_of_reach(&self) -> SearchError {
        let nearest =
            best::cheapest(self.space, self.scores).map_or(1.0, |plan| self.space.relative_macs(&plan));
        SearchError::BudgetOutOfReach { budget: self.budget, nearest }
    }

    /// How bad a join looks before training: what its tail's agreement with the teacher lacks (1 for chance), and the
    /// share of the receiver's MACs that nobody computes any more. The first alone favours joins that leave out most of
    /// a network, which no training makes good.
    pub fn badness(&self, receiver: usize, join: Join) -> f64 {
        let [from, to] = self.space.ends(receiver, join);
        let skipped = to.macs_before.saturating_sub(from.macs_before) as f64;
        let lacking = self.scores.get(&(receiver, join)).map_or(1.0, |score| 1.0 - score.kappa);
        lacking + skipped / self.space.networks[receiver].macs.max(1) as f64
    }
}
