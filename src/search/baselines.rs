//! Simple selectors, to hold the others against.

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

use super::halving::halve;
use super::matching::share_to_the_last;
use super::{Decision, Evaluator, Problem, Proposals, SearchError, Selector};
use crate::join::{Join, Plan, Source};

/// Everything but the last layers is shared: every network joins one root at both last join points.
#[derive(Clone, Copy, Debug)]
pub struct ShareAll;

impl Selector for ShareAll {
    async fn propose(
        &self,
        problem: &Problem<'_>,
        _evaluator: &mut impl Evaluator,
    ) -> Result<Proposals, SearchError> {
        problem.for_each_budget(share_all)
    }
}

/// For every root the plan that shares all, the cheapest first.
///
/// # Errors
///
/// None of them meets the budget.
pub fn share_all(problem: &Problem<'_>) -> Result<Vec<Plan>, SearchError> {
    let roots = 0..problem.space.networks.len();
    let roots = roots.filter(|root| problem.base.is_none_or(|base| base == *root));
    let mut plans: Vec<Plan> = roots.filter_map(|root| share_to_the_last(problem, root)).collect();
    plans.sort_by_key(|plan| problem.space.cost(plan));
    let nearest = plans.first().map_or(1.0, |plan| problem.space.relative_cost(plan));
    plans.retain(|plan| problem.fits(plan));
    if plans.is_empty() {
        return Err(SearchError::BudgetOutOfReach { budget: problem.budget, nearest });
    }
    Ok(plans)
}

/// All networks join one root at the same relative depth, the smallest that meets the budget.
#[derive(Clone, Copy, Debug)]
pub struct FixedDepth;

/// Depths tried, from shallow to deep.
const DEPTHS: usize = 20;

impl Selector for FixedDepth {
    async fn propose(
        &self,
        problem: &Problem<'_>,
        _evaluator: &mut impl Evaluator,
    ) -> Result<Proposals, SearchError> {
        problem.for_each_budget(fixed_depth)
    }
}

/// For every root the plan in which all join it at the same relative depth, the cheapest first.
///
/// # Errors
///
/// None of them meets the budget.
pub fn fixed_depth(problem: &Problem<'_>) -> Result<Vec<Plan>, SearchError> {
    let space = problem.space;
    let at_depth = |network: usize, depth: f64| {
        let info = &space.networks[network];
        let distance = |macs: u64| (macs as f64 / info.macs as f64 - depth).abs();
        (0..info.points.len()).min_by(|a, b| {
            distance(info.points[*a].macs_before).total_cmp(&distance(info.points[*b].macs_before))
        })
    };
    let build = |root: usize, depth: f64| {
        let sources = (0..space.networks.len()).map(|network| {
            if network == root {
                return Some(Source::Root);
            }
            let (donor_point, receiver_point) = (at_depth(root, depth)?, at_depth(network, depth)?);
            Some(Source::Join(Join { donor: root, donor_point, receiver_point }))
        });
        Some(Plan(sources.collect::<Option<_>>()?))
    };
    let depths = || (1..=DEPTHS).map(|step| step as f64 / DEPTHS as f64);
    let roots = (0..space.networks.len()).filter(|root| problem.base.is_none_or(|base| base == *root));
    let mut plans: Vec<Plan> = roots
        .clone()
        .filter_map(|root| depths().filter_map(|depth| build(root, depth)).find(|plan| problem.fits(plan)))
        .collect();
    plans.sort_by_key(|plan| space.cost(plan));
    if plans.is_empty() {
        let deepest = roots.filter_map(|root| build(root, 1.0)).map(|plan| space.relative_cost(&plan));
        let nearest = deepest.fold(1.0, f64::min);
        return Err(SearchError::BudgetOutOfReach { budget: problem.budget, nearest });
    }
    Ok(plans)
}

/// Valid plans within the budget, drawn at random.
#[derive(Clone, Copy, Debug)]
pub struct RandomPlans;

/// Draws before giving up.
const DRAWS: usize = 20_000;

impl Selector for RandomPlans {
    async fn propose(
        &self,
        problem: &Problem<'_>,
        _evaluator: &mut impl Evaluator,
    ) -> Result<Proposals, SearchError> {
        problem.for_each_budget(|problem| drawn(problem, problem.settings.finalists))
    }
}

fn drawn(problem: &Problem, count: usize) -> Result<Vec<Plan>, SearchError> {
    let mut rng = ChaCha8Rng::seed_from_u64(problem.seed);
    let networks = problem.space.networks.len();
    let by_receiver: Vec<Vec<Join>> = (0..networks).map(|network| problem.joins(network).collect()).collect();
    let mut plans: Vec<Plan> = Vec::new();
    for _ in 0..DRAWS {
        if plans.len() >= count.max(1) {
            break;
        }
        let sources = by_receiver.iter().map(|joins| {
            // Root as often as any one donor.
            let root = joins.is_empty() || rng.random_range(0..networks) == 0;
            if root { Source::Root } else { Source::Join(joins[rng.random_range(0..joins.len())]) }
        });
        let plan = Plan(sources.collect());
        if problem.fits(&plan) && !plans.contains(&plan) {
            plans.push(plan);
        }
    }
    if plans.is_empty() { Err(problem.out_of_reach()) } else { Ok(plans) }
}

/// Successive halving: many random plans, of which the better half is trained twice as long, again and again.
#[derive(Clone, Copy, Debug)]
pub struct Halving;

/// Rounds of halving; the first trains with an eighth of the passes.
const ROUNDS: usize = 4;

impl Selector for Halving {
    async fn propose(
        &self,
        problem: &Problem<'_>,
        _evaluator: &mut impl Evaluator,
    ) -> Result<Proposals, SearchError> {
        problem.for_each_budget(|problem| drawn(problem, problem.settings.evaluations))
    }

    async fn select(
        &self,
        problem: &Problem<'_>,
        evaluator: &mut impl Evaluator,
    ) -> Result<Decision, SearchError> {
        let Proposals { plans, front } = self.propose(problem, evaluator).await?;
        let passes = problem.settings.finalist_image_passes;
        Ok(Decision { judged: halve(problem, plans, passes, ROUNDS, evaluator).await?, front })
    }
}

/// Every plan within the budget.
#[derive(Clone, Copy, Debug)]
pub struct Exhaustive;

/// Most plans that are trained one by one.
const MOST: usize = 2_000;

impl Selector for Exhaustive {
    async fn propose(
        &self,
        problem: &Problem<'_>,
        _evaluator: &mut impl Evaluator,
    ) -> Result<Proposals, SearchError> {
        problem.for_each_budget(all_plans)
    }

    async fn select(
        &self,
        problem: &Problem<'_>,
        evaluator: &mut impl Evaluator,
    ) -> Result<Decision, SearchError> {
        let Proposals { plans, front } = self.propose(problem, evaluator).await?;
        let passes = problem.settings.finalist_image_passes;
        Ok(Decision { judged: halve(problem, plans, passes, 1, evaluator).await?, front })
    }
}

fn all_plans(problem: &Problem<'_>) -> Result<Vec<Plan>, SearchError> {
    let mut plans = problem.space.plans(MOST * 50).ok_or(SearchError::TooManyPlans { most: MOST })?;
    plans.retain(|plan| problem.fits(plan) && plan.joins().all(|key| problem.scores.contains_key(&key)));
    match plans.len() {
        0 => Err(problem.out_of_reach()),
        count if count > MOST => Err(SearchError::TooManyPlans { most: MOST }),
        _ => Ok(plans),
    }
}
