//! The selector by scores before training.

use super::best::best_plans;
use super::{Evaluator, Problem, Proposals, SearchError, Selector};
use crate::join::{Join, Plan, Source};

/// Plans whose joins look best before training, and plans of the kind that such scores rank too low: one network kept
/// to a good part, all others sharing a trunk to their last join point.
#[derive(Clone, Copy, Debug)]
pub struct Matching;

impl Selector for Matching {
    async fn propose(
        &self,
        problem: &Problem<'_>,
        _evaluator: &mut impl Evaluator,
    ) -> Result<Proposals, SearchError> {
        problem.for_each_budget(best_scores)
    }
}

/// Plans of best scores, in turn with those that keep one network.
///
/// # Errors
///
/// None meets the budget.
pub fn best_scores(problem: &Problem<'_>) -> Result<Vec<Plan>, SearchError> {
    let badness = |receiver: usize, join: Join| problem.badness(receiver, join);
    let by_score = best_plans(problem, badness, 200);
    let mut kept: Vec<(f64, Plan)> = keep_one(problem)
        .into_iter()
        .map(|plan| (plan.joins().map(|(receiver, join)| badness(receiver, join)).sum(), plan))
        .collect();
    kept.sort_by(|a, b| a.0.total_cmp(&b.0));
    let kept: Vec<Plan> = kept.into_iter().map(|(_, plan)| plan).collect();
    let plans = interleave(distinct(by_score), distinct(kept));
    if plans.is_empty() { Err(problem.out_of_reach()) } else { Ok(plans) }
}

/// The first plan of every donor structure, then the rest.
pub fn distinct(plans: Vec<Plan>) -> Vec<Plan> {
    let mut seen = Vec::new();
    let (mut first, mut rest) = (Vec::new(), Vec::new());
    for plan in plans {
        let structure: Vec<(usize, usize)> =
            plan.joins().map(|(receiver, join)| (receiver, join.donor)).collect();
        if seen.contains(&structure) {
            rest.push(plan);
        } else {
            seen.push(structure);
            first.push(plan);
        }
    }
    first.extend(rest);
    first
}

pub fn interleave(a: Vec<Plan>, b: Vec<Plan>) -> Vec<Plan> {
    let (mut a, mut b) = (a.into_iter(), b.into_iter());
    let mut plans: Vec<Plan> = Vec::new();
    loop {
        let (left, right) = (a.next(), b.next());
        if left.is_none() && right.is_none() {
            return plans;
        }
        for plan in left.into_iter().chain(right) {
            if !plans.contains(&plan) {
                plans.push(plan);
            }
        }
    }
}

/// For every root and every other network: that network keeps as many layers as the budget allows, at the donor point
/// that scores best, while all others join the root at both last points.
pub fn keep_one(problem: &Problem) -> Vec<Plan> {
    let networks = 0..problem.space.networks.len();
    let pairs = networks.clone().flat_map(|root| networks.clone().map(move |kept| (root, kept)));
    pairs
        .filter(|(root, kept)| root != kept)
        .filter_map(|(root, kept)| {
            let base = share_to_the_last(problem, root)?;
            let mut joins: Vec<Join> = problem
                .scores
                .keys()
                .filter(|(receiver, join)| *receiver == kept && join.donor == root)
                .map(|(_, join)| *join)
                .collect();
            joins.sort_by(|a, b| {
                let score = |join: &Join| problem.badness(kept, *join);
                a.receiver_point.cmp(&b.receiver_point).then(score(a).total_cmp(&score(b)))
            });
            joins.into_iter().find_map(|join| {
                let mut plan = base.clone();
                plan.0[kept] = Source::Join(join);
                problem.fits(&plan).then_some(plan)
            })
        })
        .collect()
}

/// All networks but `root` read its last join point at their own last.
pub fn share_to_the_last(problem: &Problem, root: usize) -> Option<Plan> {
    let last = |network: usize| problem.space.networks[network].points.len().checked_sub(1);
    let sources = (0..problem.space.networks.len()).map(|network| {
        if network == root {
            return Some(Source::Root);
        }
        Some(Source::Join(Join { donor: root, donor_point: last(root)?, receiver_point: last(network)? }))
    });
    Some(Plan(sources.collect::<Option<_>>()?))
}
