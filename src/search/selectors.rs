//! The selectors.

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

use super::best::best_plans;
use super::{Problem, SearchError, Selector};
use crate::join::{Join, Plan, Source};

/// Plans whose joins look best before training, and plans of the kind that such scores rank too low: one network kept
/// to a good part, all others sharing a trunk to their last join point.
#[derive(Clone, Copy, Debug)]
pub struct Matching;

impl Selector for Matching {
    fn propose(&self, problem: &Problem) -> Result<Vec<Plan>, SearchError> {
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
}

/// The first plan of every donor structure, then the rest.
fn distinct(plans: Vec<Plan>) -> Vec<Plan> {
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

fn interleave(a: Vec<Plan>, b: Vec<Plan>) -> Vec<Plan> {
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
fn share_to_the_last(problem: &Problem, root: usize) -> Option<Plan> {
    let last = |network: usize| problem.space.networks[network].points.len().checked_sub(1);
    let sources = (0..problem.space.networks.len()).map(|network| {
        if network == root {
            return Some(Source::Root);
        }
        Some(Source::Join(Join { donor: root, donor_point: last(root)?, receiver_point: last(network)? }))
    });
    Some(Plan(sources.collect::<Option<_>>()?))
}

/// Everything but the last layers is shared: every network joins one root at both last join points.
#[derive(Clone, Copy, Debug)]
pub struct ShareAll;

impl Selector for ShareAll {
    fn propose(&self, problem: &Problem) -> Result<Vec<Plan>, SearchError> {
        let roots = 0..problem.space.networks.len();
        let mut plans: Vec<Plan> = roots.filter_map(|root| share_to_the_last(problem, root)).collect();
        plans.sort_by_key(|plan| problem.space.macs(plan));
        let nearest = plans.first().map_or(1.0, |plan| problem.space.relative_macs(plan));
        plans.retain(|plan| problem.fits(plan));
        if plans.is_empty() {
            return Err(SearchError::BudgetOutOfReach { budget: problem.budget, nearest });
        }
        Ok(plans)
    }
}

/// All networks join one root at the same relative depth, the smallest that meets the budget.
#[derive(Clone, Copy, Debug)]
pub struct FixedDepth;

/// Depths tried, from shallow to deep.
const DEPTHS: usize = 20;

impl Selector for FixedDepth {
    fn propose(&self, problem: &Problem) -> Result<Vec<Plan>, SearchError> {
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
        let roots = 0..space.networks.len();
        let mut plans: Vec<Plan> = roots
            .clone()
            .filter_map(|root| {
                depths().filter_map(|depth| build(root, depth)).find(|plan| problem.fits(plan))
            })
            .collect();
        plans.sort_by_key(|plan| space.macs(plan));
        if plans.is_empty() {
            let deepest = roots.filter_map(|root| build(root, 1.0)).map(|plan| space.relative_macs(&plan));
            let nearest = deepest.fold(1.0, f64::min);
            return Err(SearchError::BudgetOutOfReach { budget: problem.budget, nearest });
        }
        Ok(plans)
    }
}

/// Valid plans within the budget, drawn at random.
#[derive(Clone, Copy, Debug)]
pub struct RandomPlans;

/// Draws per finalist before giving up.
const DRAWS: usize = 20_000;

impl Selector for RandomPlans {
    fn propose(&self, problem: &Problem) -> Result<Vec<Plan>, SearchError> {
        let mut rng = ChaCha8Rng::seed_from_u64(problem.seed);
        let networks = problem.space.networks.len();
        let by_receiver: Vec<Vec<Join>> = (0..networks)
            .map(|network| {
                let of_network = problem.scores.keys().filter(|(receiver, _)| *receiver == network);
                of_network.map(|(_, join)| *join).collect()
            })
            .collect();
        let mut plans: Vec<Plan> = Vec::new();
        for _ in 0..DRAWS {
            if plans.len() >= problem.finalists.max(1) {
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
}
