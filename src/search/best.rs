//! The best plans under an additive loss: a beam over the networks.

use crate::join::{Join, Plan, Source, Space, consistent};

use super::Problem;

/// Partial plans that are kept after each network. Two or three networks are searched in full.
const BEAM: usize = 20_000;

#[derive(Clone)]
struct Partial {
    sources: Vec<Option<Source>>,
    loss: f64,
    cost: u64,
}

/// Valid plans within the budget by the sum of their joins' losses, least first, at most `count`.
pub fn best_plans(problem: &Problem, loss: impl Fn(usize, Join) -> f64, count: usize) -> Vec<Plan> {
    let space = problem.space;
    let budget = (problem.budget * space.cost_apart() as f64).floor() as u64;
    let joins: Vec<(usize, Join)> = problem.scores.keys().copied().collect();
    search(space, &joins, budget, loss, count)
}

/// The valid plan of least cost that uses these joins, named by receiver.
pub fn cheapest(space: &Space, joins: &[(usize, Join)]) -> Option<Plan> {
    let saving = |receiver: usize, join: Join| space.source_cost(receiver, Source::Join(join)) as f64;
    let mut plans = search(space, joins, u64::MAX, saving, BEAM);
    plans.sort_by_key(|plan| space.cost(plan));
    plans.into_iter().next()
}

fn search(
    space: &Space,
    joins: &[(usize, Join)],
    budget: u64,
    loss: impl Fn(usize, Join) -> f64,
    count: usize,
) -> Vec<Plan> {
    let options: Vec<Vec<(Source, f64, u64)>> =
        (0..space.networks.len()).map(|receiver| options(space, joins, receiver, &loss)).collect();
    let least: Vec<u64> =
        options.iter().map(|list| list.iter().map(|(_, _, cost)| *cost).min().unwrap_or(0)).collect();
    let mut beam = vec![Partial { sources: vec![None; space.networks.len()], loss: 0.0, cost: 0 }];
    for (network, list) in options.iter().enumerate() {
        let rest: u64 = least[network + 1..].iter().sum();
        let mut next = Vec::new();
        for partial in &beam {
            for (source, loss, cost) in list {
                let cost = partial.cost + cost;
                if cost + rest > budget {
                    continue;
                }
                let mut sources = partial.sources.clone();
                sources[network] = Some(*source);
                if consistent(&sources) {
                    next.push(Partial { sources, loss: partial.loss + loss, cost });
                }
            }
        }
        next.sort_by(|a, b| a.loss.total_cmp(&b.loss).then(a.cost.cmp(&b.cost)));
        next.truncate(BEAM);
        beam = next;
    }
    beam.into_iter()
        .take(count)
        .map(|partial| Plan(partial.sources.into_iter().flatten().collect()))
        .collect()
}

/// A receiver's sources. Per donor, a join is left out if another of the same donor is no worse in loss, MACs and in
/// how deep into the donor it reads (deeper tensors are kept by more donors).
fn options(
    space: &Space,
    joins: &[(usize, Join)],
    receiver: usize,
    loss: impl Fn(usize, Join) -> f64,
) -> Vec<(Source, f64, u64)> {
    let joins: Vec<(Join, f64, u64)> = joins
        .iter()
        .filter(|(network, _)| *network == receiver)
        .map(|(_, join)| (*join, loss(receiver, *join), space.source_cost(receiver, Source::Join(*join))))
        .collect();
    let dominated = |(join, loss, cost): &(Join, f64, u64)| {
        joins.iter().any(|(other, other_loss, other_cost)| {
            other.donor == join.donor
                && other != join
                && other.donor_point >= join.donor_point
                && other.receiver_point <= join.receiver_point
                && other_loss <= loss
                && other_cost <= cost
        })
    };
    let mut options = vec![(Source::Root, 0.0, space.source_cost(receiver, Source::Root))];
    options.extend(
        joins
            .iter()
            .filter(|option| !dominated(option))
            .map(|(join, loss, cost)| (Source::Join(*join), *loss, *cost)),
    );
    options
}
