//! The selector by scores before training.

use super::baselines::{fixed_depth, share_all};
use super::best::best_plans;
use super::{Evaluator, Problem, Proposals, SearchError, Selector};
use crate::join::{Join, Plan, Source};

/// Plans whose joins look best before training, and plans of simple rules that such scores may rank too low: all networks
/// share a trunk to their last join point, or all but one that is kept to a good part, or all join it at one depth.
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

/// Plans of best scores, in turn with those of simple rules.
///
/// # Errors
///
/// None meets the budget.
pub fn best_scores(problem: &Problem<'_>) -> Result<Vec<Plan>, SearchError> {
    let by_score = best_plans(problem, |receiver, join| problem.badness(receiver, join), 200);
    in_turn_with_rules(problem, distinct(by_score))
}

/// A search's own plans in turn with those of simple rules, which no score before training can be trusted to find: all but
/// one network share everything, all do, or all join one root at the same relative depth. Each kind in the order of its
/// joins' scores.
///
/// # Errors
///
/// There are none at all.
pub fn in_turn_with_rules(problem: &Problem<'_>, own: Vec<Plan>) -> Result<Vec<Plan>, SearchError> {
    let by_badness = |mut plans: Vec<Plan>| {
        let badness = |plan: &Plan| -> f64 { plan.joins().map(|(to, join)| problem.badness(to, join)).sum() };
        plans.sort_by(|a, b| badness(a).total_cmp(&badness(b)));
        plans
    };
    let kept = distinct(by_badness(keep_one(problem)));
    let shared = by_badness(share_all(problem).unwrap_or_default());
    let level = by_badness(fixed_depth(problem).unwrap_or_default());
    let plans = interleave([own, kept, shared, level]);
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

/// The first of each list, then the second of each, and so on; none twice.
fn interleave<const N: usize>(lists: [Vec<Plan>; N]) -> Vec<Plan> {
    let longest = lists.iter().map(Vec::len).max().unwrap_or(0);
    let mut plans: Vec<Plan> = Vec::new();
    for plan in (0..longest).flat_map(|place| lists.iter().filter_map(move |list| list.get(place))) {
        if !plans.contains(plan) {
            plans.push(plan.clone());
        }
    }
    plans
}

/// For every root and every other network: that network keeps as many layers as the budget allows, at the donor point
/// that scores best, while all others join the root at both last points.
fn keep_one(problem: &Problem) -> Vec<Plan> {
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
