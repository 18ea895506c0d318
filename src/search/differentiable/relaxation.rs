//! Plans as a distribution: one categorical choice per network, restricted to valid plans.

use rand::RngExt;
use rand::rngs::ChaCha8Rng;
use rand::seq::SliceRandom;

use crate::join::{Plan, Source, Space, consistent};

/// Logits over every network's sources, and the temperature at which they are drawn from.
///
/// A plan is drawn network by network in random order. Sources that would close a cycle or read a dropped layer are
/// masked before each draw, so that every plan drawn is valid; a network's own input is never masked.
#[derive(Clone, Debug)]
pub struct Relaxation {
    /// Per network its sources.
    pub options: Vec<Vec<Source>>,
    /// What remains of a network under each source, in what budgets count, relative to all networks apart.
    costs: Vec<Vec<f64>>,
    /// α: per network a logit per source.
    pub logits: Vec<Vec<f64>>,
    pub temperature: f64,
}

/// Valid leaves up to which the expected cost is computed exactly.
const EXACT_LEAVES: usize = 20_000;
/// Draws from which it is estimated otherwise.
const DRAWS: usize = 512;

impl Relaxation {
    /// All logits are zero. The first source of every network is its own input.
    pub fn new(space: &Space, options: Vec<Vec<Source>>) -> Self {
        let apart = space.cost_apart().max(1) as f64;
        let costs = options
            .iter()
            .enumerate()
            .map(|(network, list)| {
                list.iter().map(|source| space.source_cost(network, *source) as f64 / apart).collect()
            })
            .collect();
        let logits = options.iter().map(|list| vec![0.0; list.len()]).collect();
        Self { options, costs, logits, temperature: 1.0 }
    }

    /// Probabilities of a network's sources if all others are undecided.
    pub fn probabilities(&self, network: usize) -> Vec<f64> {
        softmax(&self.logits[network], &vec![true; self.logits[network].len()], self.temperature)
    }

    /// Draws a valid plan; `uniform` ignores the logits. Per network the index of its source.
    pub fn draw(&self, rng: &mut ChaCha8Rng, uniform: bool) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.options.len()).collect();
        order.shuffle(rng);
        let mut chosen = vec![None; self.options.len()];
        for network in order {
            let mask = self.mask(&chosen, network);
            let temperature = if uniform { f64::INFINITY } else { self.temperature };
            let probabilities = softmax(&self.logits[network], &mask, temperature);
            chosen[network] = Some(pick(&probabilities, rng));
        }
        chosen.into_iter().flatten().collect()
    }

    /// Draws another source for one network of a plan, if one is valid.
    pub fn redraw(&self, plan: &[usize], network: usize, rng: &mut ChaCha8Rng) -> Option<Vec<usize>> {
        let mut chosen: Vec<Option<usize>> = plan.iter().copied().map(Some).collect();
        chosen[network] = None;
        let mut mask = self.mask(&chosen, network);
        mask[plan[network]] = false;
        if !mask.contains(&true) {
            return None;
        }
        let mut other = plan.to_vec();
        other[network] = pick(&softmax(&self.logits[network], &mask, self.temperature), rng);
        Some(other)
    }

    /// The plan of these sources.
    pub fn plan(&self, chosen: &[usize]) -> Plan {
        Plan(chosen.iter().zip(&self.options).map(|(index, options)| options[*index]).collect())
    }

    /// Cost of a plan relative to all networks apart.
    pub fn cost(&self, chosen: &[usize]) -> f64 {
        chosen.iter().zip(&self.costs).map(|(index, costs)| costs[*index]).sum()
    }

    /// Sources that are valid beside those decided so far.
    fn mask(&self, chosen: &[Option<usize>], network: usize) -> Vec<bool> {
        let mut sources: Vec<Option<Source>> =
            chosen.iter().zip(&self.options).map(|(index, list)| index.map(|index| list[index])).collect();
        (0..self.options[network].len())
            .map(|index| {
                sources[network] = Some(self.options[network][index]);
                consistent(&sources)
            })
            .collect()
    }

    /// Expected relative cost of a plan as it is drawn, and its gradient by the logits: exact where all plans can be
    /// enumerated, estimated from draws elsewhere.
    pub fn expected_cost(&self, rng: &mut ChaCha8Rng) -> (f64, Vec<Vec<f64>>) {
        let orders: usize = (1..=self.options.len()).product();
        let leaves = self.options.iter().map(Vec::len).fold(orders, usize::saturating_mul);
        if leaves <= EXACT_LEAVES { self.exact_cost() } else { self.estimated_cost(rng) }
    }

    pub(super) fn exact_cost(&self) -> (f64, Vec<Vec<f64>>) {
        let mut gradient = self.zeros();
        let orders = permutations(self.options.len());
        let share = 1.0 / orders.len() as f64;
        let mut cost = 0.0;
        for order in &orders {
            cost += share * self.visit(order, &mut vec![None; self.options.len()], share, &mut gradient);
        }
        (cost, gradient)
    }

    /// Expected cost of the networks of `order` that are still undecided; adds its gradient, weighted by `reach`.
    fn visit(
        &self,
        order: &[usize],
        chosen: &mut Vec<Option<usize>>,
        reach: f64,
        gradient: &mut [Vec<f64>],
    ) -> f64 {
        let Some((&network, rest)) = order.split_first() else { return 0.0 };
        let mask = self.mask(chosen, network);
        let probabilities = softmax(&self.logits[network], &mask, self.temperature);
        let mut values = vec![0.0; mask.len()];
        for index in (0..mask.len()).filter(|index| mask[*index]) {
            chosen[network] = Some(index);
            let below = self.visit(rest, chosen, reach * probabilities[index], gradient);
            values[index] = self.costs[network][index] + below;
        }
        chosen[network] = None;
        let mean: f64 = values.iter().zip(&probabilities).map(|(value, p)| value * p).sum();
        for (index, (value, p)) in values.iter().zip(&probabilities).enumerate() {
            gradient[network][index] += reach * p * (value - mean) / self.temperature;
        }
        mean
    }

    /// The score-function estimate with the mean as its baseline.
    pub(super) fn estimated_cost(&self, rng: &mut ChaCha8Rng) -> (f64, Vec<Vec<f64>>) {
        let mut drawn = Vec::with_capacity(DRAWS);
        for _ in 0..DRAWS {
            let mut order: Vec<usize> = (0..self.options.len()).collect();
            order.shuffle(rng);
            let mut chosen = vec![None; self.options.len()];
            let mut slopes = self.zeros();
            for network in order {
                let mask = self.mask(&chosen, network);
                let probabilities = softmax(&self.logits[network], &mask, self.temperature);
                let index = pick(&probabilities, rng);
                for (slope, p) in slopes[network].iter_mut().zip(&probabilities) {
                    *slope -= p / self.temperature;
                }
                slopes[network][index] += 1.0 / self.temperature;
                chosen[network] = Some(index);
            }
            let chosen: Vec<usize> = chosen.into_iter().flatten().collect();
            drawn.push((self.cost(&chosen), slopes));
        }
        let mean = drawn.iter().map(|(cost, _)| cost).sum::<f64>() / DRAWS as f64;
        let mut gradient = self.zeros();
        for (cost, slopes) in &drawn {
            for (total, slopes) in gradient.iter_mut().zip(slopes) {
                for (total, slope) in total.iter_mut().zip(slopes) {
                    *total += (cost - mean) * slope / (DRAWS - 1) as f64;
                }
            }
        }
        (mean, gradient)
    }

    /// Mean entropy of the networks' choices relative to a uniform choice, and its gradient by the logits.
    pub fn entropy(&self) -> (f64, Vec<Vec<f64>>) {
        let mut gradient = self.zeros();
        let share = 1.0 / self.options.len().max(1) as f64;
        let mut total = 0.0;
        for (network, slopes) in gradient.iter_mut().enumerate() {
            let probabilities = self.probabilities(network);
            let scale = share / (probabilities.len().max(2) as f64).ln();
            let log = |p: f64| p.max(1e-30).ln();
            let entropy: f64 = probabilities.iter().map(|p| -p * log(*p)).sum();
            total += entropy * scale;
            for (slope, p) in slopes.iter_mut().zip(&probabilities) {
                *slope = -p * (log(*p) + entropy) * scale / self.temperature;
            }
        }
        (total, gradient)
    }

    pub fn zeros(&self) -> Vec<Vec<f64>> {
        self.options.iter().map(|list| vec![0.0; list.len()]).collect()
    }
}

fn softmax(logits: &[f64], mask: &[bool], temperature: f64) -> Vec<f64> {
    let scaled = |index: usize| logits[index] / temperature;
    let largest = (0..logits.len()).filter(|i| mask[*i]).map(scaled).fold(f64::NEG_INFINITY, f64::max);
    let weights: Vec<f64> = (0..logits.len())
        .map(|index| if mask[index] { (scaled(index) - largest).exp() } else { 0.0 })
        .collect();
    let sum: f64 = weights.iter().sum();
    weights.into_iter().map(|weight| weight / sum).collect()
}

fn pick(probabilities: &[f64], rng: &mut ChaCha8Rng) -> usize {
    let mut left = rng.random_range(0.0..1.0);
    let mut last = 0;
    for (index, p) in probabilities.iter().enumerate().filter(|(_, p)| **p > 0.0) {
        last = index;
        left -= p;
        if left < 0.0 {
            break;
        }
    }
    last
}

fn permutations(count: usize) -> Vec<Vec<usize>> {
    (0..count).fold(vec![Vec::new()], |orders, next| {
        orders
            .iter()
            .flat_map(|order: &Vec<usize>| {
                (0..=order.len()).map(move |place| {
                    let mut order = order.clone();
                    order.insert(place, next);
                    order
                })
            })
            .collect()
    })
}
