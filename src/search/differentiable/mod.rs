//! The differentiable search: probabilities over each network's sources, trained in turn with the weights of a supernet.
//!
//! After DARTS (Liu et al., ICLR 2019), with one path at a time and two-path updates of the probabilities (ProxylessNAS,
//! Cai et al., ICLR 2019), and choice by looking at validation instead of at the probabilities (DARTS-PT, Wang et al.,
//! ICLR 2021).

mod adam;
mod relaxation;
#[cfg(test)]
mod tests;

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

use super::best::best_plans;
use super::evaluator::{LikelySource, SearchNews, SearchStep};
use super::matching::{distinct, in_turn_with_rules};
use super::{Evaluator, Problem, Proposals, SearchError, Selector};
use crate::join::{Join, Plan, Source};
use adam::Adam;
use relaxation::Relaxation;

/// The default selector.
#[derive(Clone, Copy, Debug)]
pub struct Differentiable;

/// Temperature at the start and at the end.
const TEMPERATURE: [f64; 2] = [5.0, 0.1];
/// Sources whose probability is told of on the way, per network; at the end all are.
const TOLD: usize = 6;
/// How often the search tells of its way.
const NEWS: usize = 60;

/// What the supernet has shown of each source: per network and source the distances of its task, newest counting most.
#[derive(Clone, Debug)]
struct Seen {
    sums: Vec<Vec<f64>>,
    weights: Vec<Vec<f64>>,
}

/// What an older distance counts beside the next.
const FORGET: f64 = 0.8;

impl Seen {
    fn add(&mut self, network: usize, source: usize, distance: f64) {
        let (sum, weight) = (&mut self.sums[network][source], &mut self.weights[network][source]);
        *sum = *sum * FORGET + distance;
        *weight = *weight * FORGET + 1.0;
    }

    fn mean(&self, network: usize, source: usize) -> Option<f64> {
        let weight = self.weights[network][source];
        (weight > 0.0).then(|| self.sums[network][source] / weight)
    }
}

impl Selector for Differentiable {
    async fn propose(
        &self,
        problem: &Problem<'_>,
        evaluator: &mut impl Evaluator,
    ) -> Result<Proposals, SearchError> {
        let options = survivors(problem);
        let mut relaxation = Relaxation::new(problem.space, options);
        let seen = search(problem, &mut relaxation, evaluator).await?;
        problem.for_each_budget(|problem| in_turn_with_rules(problem, projected(problem, &relaxation, &seen)))
    }
}

/// Every network's own input, and per donor and receiver point the joins that look best before training.
fn survivors(problem: &Problem) -> Vec<Vec<Source>> {
    (0..problem.space.networks.len())
        .map(|network| {
            let mut joins: Vec<Join> = problem.joins(network).collect();
            joins.sort_by(|a, b| {
                let place = |join: &Join| (join.donor, join.receiver_point);
                place(a)
                    .cmp(&place(b))
                    .then(problem.badness(network, *a).total_cmp(&problem.badness(network, *b)))
            });
            let mut kept: Vec<Source> = vec![Source::Root];
            let mut group = (usize::MAX, usize::MAX);
            let mut size = 0;
            for join in joins {
                if group != (join.donor, join.receiver_point) {
                    (group, size) = ((join.donor, join.receiver_point), 0);
                }
                size += 1;
                if size <= problem.settings.survivors_per_point {
                    kept.push(Source::Join(join));
                }
            }
            kept
        })
        .collect()
}

/// Trains weights and probabilities in turn.
async fn search(
    problem: &Problem<'_>,
    relaxation: &mut Relaxation,
    evaluator: &mut impl Evaluator,
) -> Result<Seen, SearchError> {
    let settings = problem.settings;
    let mut rng = ChaCha8Rng::seed_from_u64(problem.seed);
    let mut adam = Adam::new(relaxation.zeros(), settings.logit_learning_rate);
    let mut seen = Seen { sums: relaxation.zeros(), weights: relaxation.zeros() };
    let steps = settings.supernet_steps.max(1);
    let warm_up = (steps as f64 * settings.warm_up).ceil() as usize;
    for step in 0..steps {
        let progress = step as f64 / steps as f64;
        let warming = step < warm_up;
        let path = relaxation.draw(&mut rng, warming);
        evaluator.train_shared(&relaxation.plan(&path), progress, warming).await?;
        if warming {
            continue;
        }
        let done = (step - warm_up) as f64 / (steps - warm_up) as f64;
        relaxation.temperature = TEMPERATURE[0] * (TEMPERATURE[1] / TEMPERATURE[0]).powf(done);
        let expected_cost =
            step_logits(problem, relaxation, &mut adam, &mut seen, evaluator, done, &mut rng).await?;
        evaluator.tell(SearchNews::Progress { done: step + 1, total: steps });
        let last = step + 1 == steps;
        if (step - warm_up).is_multiple_of((steps / NEWS).max(1)) || last {
            evaluator.tell(SearchNews::Step(SearchStep {
                step: step + 1,
                steps,
                temperature: relaxation.temperature,
                expected_cost,
                entropy: relaxation.entropy().0,
                likely: likely(relaxation, if last { usize::MAX } else { TOLD }),
            }));
        }
    }
    Ok(seen)
}

/// One step of the probabilities. Returns the expected cost before it.
async fn step_logits(
    problem: &Problem<'_>,
    relaxation: &mut Relaxation,
    adam: &mut Adam,
    seen: &mut Seen,
    evaluator: &mut impl Evaluator,
    done: f64,
    rng: &mut ChaCha8Rng,
) -> Result<f64, SearchError> {
    let mut gradient = relaxation.zeros();
    let first = relaxation.draw(rng, false);
    let network = rng.random_range(0..relaxation.options.len());
    let mut paths = vec![first.clone()];
    paths.extend(relaxation.redraw(&first, network, rng));
    let plans: Vec<Plan> = paths.iter().map(|path| relaxation.plan(path)).collect();
    let distances = evaluator.distances(&plans).await?;
    for (path, distances) in paths.iter().zip(&distances) {
        for (network, distance) in distances.iter().enumerate() {
            seen.add(network, path[network], *distance);
        }
    }
    if let ([first, second], [one, other]) = (&paths[..], &distances[..]) {
        // The two paths' probabilities, renormalised: what the loss of their mixture does when one of them grows.
        let probabilities = relaxation.probabilities(network);
        let (a, b) = (probabilities[first[network]], probabilities[second[network]]);
        let share = if a + b > 0.0 { a / (a + b) } else { 0.5 };
        let difference: f64 = one.iter().sum::<f64>() - other.iter().sum::<f64>();
        let slope = share * (1.0 - share) * difference / relaxation.temperature;
        gradient[network][first[network]] += slope;
        gradient[network][second[network]] -= slope;
    }
    let (expected, by_cost) = relaxation.expected_cost(rng);
    let too_dear = if expected > problem.budget { problem.settings.budget_penalty } else { 0.0 };
    let (_, by_entropy) = relaxation.entropy();
    let certainty = problem.settings.entropy_weight * done;
    for ((total, cost), entropy) in gradient.iter_mut().zip(&by_cost).zip(&by_entropy) {
        for ((total, cost), entropy) in total.iter_mut().zip(cost).zip(entropy) {
            *total += too_dear * cost + certainty * entropy;
        }
    }
    adam.step(&mut relaxation.logits, &gradient);
    Ok(expected)
}

/// The best plans within the budget by what the supernet has shown of their joins.
fn projected(problem: &Problem, relaxation: &Relaxation, seen: &Seen) -> Vec<Plan> {
    let place = |network: usize, join: Join| {
        relaxation.options[network].iter().position(|source| *source == Source::Join(join))
    };
    let loss = |network: usize, join: Join| {
        place(network, join)
            .and_then(|index| seen.mean(network, index))
            .map_or(f64::INFINITY, |distance| distance - seen.mean(network, 0).unwrap_or(0.0))
    };
    let plans = best_plans(problem, loss, 200);
    let tried = |plan: &Plan| plan.joins().all(|(network, join)| loss(network, join).is_finite());
    distinct(plans.into_iter().filter(tried).collect())
}

fn likely(relaxation: &Relaxation, most: usize) -> Vec<Vec<LikelySource>> {
    (0..relaxation.options.len())
        .map(|network| {
            let mut list: Vec<LikelySource> = relaxation
                .probabilities(network)
                .into_iter()
                .zip(&relaxation.options[network])
                .map(|(probability, source)| match *source {
                    Source::Root => {
                        LikelySource { donor: None, donor_point: 0, receiver_point: 0, probability }
                    }
                    Source::Join(Join { donor, donor_point, receiver_point }) => {
                        LikelySource { donor: Some(donor), donor_point, receiver_point, probability }
                    }
                })
                .collect();
            list.sort_by(|a, b| b.probability.total_cmp(&a.probability));
            list.truncate(most);
            list
        })
        .collect()
}
