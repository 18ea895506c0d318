//! Search: given candidates, their scores and a budget, choose a plan.
//!
//! Every selector stands behind [`Selector`] and asks the same [`Evaluator`]; none knows how plans are built or trained.

mod annealing;
mod baselines;
mod best;
mod differentiable;
mod error;
mod evaluator;
mod halving;
mod matching;
mod settings;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use annealing::Annealing;
pub use baselines::{Exhaustive, FixedDepth, Halving, RandomPlans, ShareAll, share_all};
pub use differentiable::Differentiable;
pub use error::SearchError;
pub use evaluator::{Evaluator, Judged, LikelySource, SearchNews, SearchStep};
pub use halving::halve;
pub use matching::{Matching, best_scores};
pub use settings::SearchSettings;

use crate::join::{Join, Plan, Source, Space};

/// How well a join works before any training, on images of the training split.
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

impl Score {
    /// Of a tail that does what its teacher does.
    pub const PERFECT: Self = Self { agreement: 1.0, kappa: 1.0, divergence: 0.0, r_squared: 1.0 };

    /// The worse of each figure: what a tail of several tasks is worth.
    #[must_use]
    pub fn worse(self, other: Self) -> Self {
        Self {
            agreement: self.agreement.min(other.agreement),
            kappa: self.kappa.min(other.kappa),
            divergence: self.divergence.max(other.divergence),
            r_squared: self.r_squared.min(other.r_squared),
        }
    }
}

/// Scores of all candidates, by receiver and join.
pub type Scores = BTreeMap<(usize, Join), Score>;

/// What a selector is given.
#[derive(Clone, Copy, Debug)]
pub struct Problem<'a> {
    pub space: &'a Space,
    pub scores: &'a Scores,
    pub settings: &'a SearchSettings,
    /// Largest cost of a plan, in what the space counts, relative to running the networks apart.
    pub budget: f64,
    /// Budgets for which one further plan each is wanted.
    pub further: &'a [f64],
    pub seed: u64,
    /// Index of a network that must keep its own input.
    pub base: Option<usize>,
}

/// What a selector proposes from one search: plans worth judging, the most promising first, each valid and within its
/// budget.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Proposals {
    /// For the budget, never empty.
    pub plans: Vec<Plan>,
    /// For further budgets, where there is any.
    pub front: Vec<Plan>,
}

/// What a selector decided.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// The best first, then the others that were judged.
    pub judged: Vec<Judged>,
    /// For further budgets, not judged yet.
    pub front: Vec<Plan>,
}

/// A way to choose a plan.
pub trait Selector {
    /// Plans worth judging.
    ///
    /// # Errors
    ///
    /// No plan meets the budget; the nearest one that can be met is named.
    fn propose(
        &self,
        problem: &Problem<'_>,
        evaluator: &mut impl Evaluator,
    ) -> impl Future<Output = Result<Proposals, SearchError>>;

    /// Proposes, and lets brief training compare the first proposals. The best comes first, of equals the cheaper.
    ///
    /// # Errors
    ///
    /// As [`Selector::propose`], and the evaluator's own.
    fn select(
        &self,
        problem: &Problem<'_>,
        evaluator: &mut impl Evaluator,
    ) -> impl Future<Output = Result<Decision, SearchError>> {
        async {
            let Proposals { mut plans, front } = self.propose(problem, evaluator).await?;
            let SearchSettings { finalists, finalist_rounds, finalist_image_passes, .. } = *problem.settings;
            plans.truncate(finalists.max(1));
            if plans.len() == 1 {
                let unjudged = |plan| Judged { plan, image_passes: 0, worst_drop_points: f64::NAN };
                return Ok(Decision { judged: plans.into_iter().map(unjudged).collect(), front });
            }
            let judged = halve(problem, plans, finalist_image_passes, finalist_rounds, evaluator).await?;
            Ok(Decision { judged, front })
        }
    }
}

/// The selectors by name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify))]
#[serde(rename_all = "kebab-case")]
pub enum SelectorName {
    /// Probabilities over all joins, trained together with shared weights; the finalists compared after brief training.
    #[default]
    Differentiable,
    /// Best scores before training, the finalists compared after brief training.
    Matching,
    /// Everything but the last layers is shared.
    ShareAll,
    /// All networks join one trunk at the same relative depth.
    FixedDepth,
    /// Valid plans drawn at random, compared after brief training.
    Random,
    /// Many plans drawn at random; the better half is trained further, again and again.
    Halving,
    /// Simulated annealing by GMorph's rule.
    Annealing,
    /// Every plan within the budget, compared after brief training.
    Exhaustive,
}

impl SelectorName {
    pub const ALL: [Self; 8] = [
        Self::Differentiable,
        Self::Matching,
        Self::ShareAll,
        Self::FixedDepth,
        Self::Random,
        Self::Halving,
        Self::Annealing,
        Self::Exhaustive,
    ];

    /// The name as it is written in settings and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Differentiable => "differentiable",
            Self::Matching => "matching",
            Self::ShareAll => "share-all",
            Self::FixedDepth => "fixed-depth",
            Self::Random => "random",
            Self::Halving => "halving",
            Self::Annealing => "annealing",
            Self::Exhaustive => "exhaustive",
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
    evaluator: &mut impl Evaluator,
) -> Result<Decision, SearchError> {
    match name {
        SelectorName::Differentiable => Differentiable.select(problem, evaluator).await,
        SelectorName::Matching => Matching.select(problem, evaluator).await,
        SelectorName::ShareAll => ShareAll.select(problem, evaluator).await,
        SelectorName::FixedDepth => FixedDepth.select(problem, evaluator).await,
        SelectorName::Random => RandomPlans.select(problem, evaluator).await,
        SelectorName::Halving => Halving.select(problem, evaluator).await,
        SelectorName::Annealing => Annealing.select(problem, evaluator).await,
        SelectorName::Exhaustive => Exhaustive.select(problem, evaluator).await,
    }
}

/// Checks a budget before any computing. `base` keeps its own input.
///
/// # Errors
///
/// It is no share, or no plan at all meets it; the nearest budget that one does is named.
pub fn check_budget(space: &Space, base: Option<usize>, budget: f64) -> Result<(), SearchError> {
    if !(budget > 0.0 && budget <= 1.0) {
        return Err(SearchError::Budget { budget });
    }
    let nearest = nearest_budget(space, base);
    if budget < nearest { Err(SearchError::BudgetOutOfReach { budget, nearest }) } else { Ok(()) }
}

/// The smallest budget that a plan meets. `base` keeps its own input.
pub fn nearest_budget(space: &Space, base: Option<usize>) -> f64 {
    let mut joins = space.candidates();
    joins.retain(|(receiver, _)| Some(*receiver) != base);
    least_cost(space, &joins)
}

/// Relative cost of the cheapest valid plan of these joins.
fn least_cost(space: &Space, joins: &[(usize, Join)]) -> f64 {
    best::cheapest(space, joins).map_or(1.0, |plan| space.relative_cost(&plan))
}

impl Problem<'_> {
    /// The joins of one receiver that are considered.
    pub fn joins(&self, network: usize) -> impl Iterator<Item = Join> {
        self.scores.keys().filter(move |(receiver, _)| *receiver == network).map(|(_, join)| *join)
    }

    /// The same for the budget and for each further one. Only the budget itself must be met by a plan.
    ///
    /// # Errors
    ///
    /// As `propose`'s for the budget.
    fn for_each_budget(
        &self,
        propose: impl Fn(&Problem<'_>) -> Result<Vec<Plan>, SearchError>,
    ) -> Result<Proposals, SearchError> {
        let plans = propose(self)?;
        let with = |budget: &f64| propose(&Problem { budget: *budget, ..*self }).ok()?.into_iter().next();
        Ok(Proposals { plans, front: self.further.iter().filter_map(with).collect() })
    }

    /// Whether a plan is valid and meets the budget.
    pub fn fits(&self, plan: &Plan) -> bool {
        let base_stays = self.base.is_none_or(|base| plan.0.get(base) == Some(&Source::Root));
        base_stays && plan.check(self.space).is_ok() && self.space.relative_cost(plan) <= self.budget
    }

    /// The error for a budget that no plan meets, with the nearest that one does.
    pub fn out_of_reach(&self) -> SearchError {
        let joins: Vec<(usize, Join)> = self.scores.keys().copied().collect();
        SearchError::BudgetOutOfReach { budget: self.budget, nearest: least_cost(self.space, &joins) }
    }

    /// How bad a join looks before training; lower is better, and the joins of a plan add up. The sum of
    /// - what its tail's agreement with the teacher lacks (1 for chance), and what its adapter does not explain,
    /// - one and a half times how far apart in depth its two points are, each as a share of its network's MACs: it tells of
    ///   layers that nobody computes any more, and of donors too specialised to be read, where late joins all look like chance,
    /// - the receiver's share of MACs that goes: fewer layers of its own are left to learn what differs,
    /// - half the logarithm of how many times more channels are expected than the donor has: they can't be independent,
    ///
    /// divided by the twentieth root of the receiver's output units: from the answers of a teacher with many classes more is
    /// learnt per image, so that the same lack costs less.
    pub fn badness(&self, receiver: usize, join: Join) -> f64 {
        let space = self.space;
        let [from, to] = space.ends(receiver, join);
        let depth = |macs: u64, network: usize| macs as f64 / space.networks[network].macs.max(1) as f64;
        let gone = depth(to.macs_before, receiver);
        let gap = (depth(from.macs_before, join.donor) - gone).abs();
        let widening = (to.channels as f64 / from.channels.max(1) as f64).max(1.0).ln();
        let lacking = |score: &Score| (1.0 - score.kappa) + (1.0 - score.r_squared);
        let lacks = self.scores.get(&(receiver, join)).map_or(2.0, lacking);
        (lacks + 1.5 * gap + gone + widening / 2.0) / (space.networks[receiver].units as f64).powf(0.05)
    }
}
