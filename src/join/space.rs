//! The space of plans, and what each plan costs.

use serde::{Deserialize, Serialize};

use super::adapter;
use super::{Costs, Join, JoinPoint, Plan, PlanSummary, Source, SourceSummary, consistent, join_points};
use crate::net::Prepared;

/// All that choosing a plan needs to know of the networks.
#[derive(Clone, Debug)]
pub struct Space {
    pub networks: Vec<SpaceNetwork>,
    /// Whether a network may skip layers of its own.
    pub shortcuts: bool,
    /// What budgets count; `None`: MACs.
    pub costs: Option<Costs>,
}

/// One network in the space.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SpaceNetwork {
    /// Its label: the name of its task, or of its tasks.
    pub name: String,
    /// MACs of the whole network for one image.
    pub macs: u64,
    /// Units of its output; of several outputs, of the smallest.
    #[serde(default = "one")]
    pub units: usize,
    pub points: Vec<JoinPoint>,
}

fn one() -> usize {
    1
}

/// What a plan saves, in MACs for one image.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Savings {
    /// Receivers' layers whose work a donor's layers do.
    pub shared: u64,
    /// Receivers' layers beyond that, which nobody computes.
    pub skipped: u64,
}

impl Space {
    /// The space of joins among networks.
    pub fn new(networks: &[Prepared], shortcuts: bool) -> Self {
        let networks = networks
            .iter()
            .map(|network| SpaceNetwork {
                name: network.label(),
                macs: network.graph.cost().macs,
                units: network.tasks.iter().map(|task| task.classes.len()).min().unwrap_or(1).max(1),
                points: join_points(&network.graph, &network.graph.outputs),
            })
            .collect();
        Self { networks, shortcuts, costs: None }
    }

    /// The same space, where adapters end with no activation.
    #[must_use]
    pub fn with_linear_adapters(mut self) -> Self {
        let points = self.networks.iter_mut().flat_map(|network| &mut network.points);
        points.for_each(|point| point.activation = None);
        self
    }

    /// All joins that save what budgets count, by receiver.
    pub fn candidates(&self) -> Vec<(usize, Join)> {
        let mut candidates = Vec::new();
        for receiver in 0..self.networks.len() {
            for donor in (0..self.networks.len()).filter(|donor| self.shortcuts || *donor != receiver) {
                for donor_point in 0..self.networks[donor].points.len() {
                    for receiver_point in 0..self.networks[receiver].points.len() {
                        let join = Join { donor, donor_point, receiver_point };
                        let forwards = donor != receiver || donor_point < receiver_point;
                        let saves = || {
                            self.source_cost(receiver, Source::Join(join))
                                < self.source_cost(receiver, Source::Root)
                        };
                        if forwards && saves() {
                            candidates.push((receiver, join));
                        }
                    }
                }
            }
        }
        candidates
    }

    /// The donor's and the receiver's point of a join.
    pub fn ends(&self, receiver: usize, join: Join) -> [&JoinPoint; 2] {
        let donor = &self.networks[join.donor].points[join.donor_point];
        [donor, &self.networks[receiver].points[join.receiver_point]]
    }

    /// All valid plans, the originals apart first. `None` if there are more than `limit`.
    pub fn plans(&self, limit: usize) -> Option<Vec<Plan>> {
        let mut options = vec![vec![Source::Root]; self.networks.len()];
        for (receiver, join) in self.candidates() {
            options[receiver].push(Source::Join(join));
        }
        let mut partial: Vec<Vec<Option<Source>>> = vec![vec![None; self.networks.len()]];
        for (network, sources) in options.iter().enumerate() {
            let mut next = Vec::new();
            for (begun, source) in partial.iter().flat_map(|begun| sources.iter().map(move |s| (begun, s))) {
                let mut begun = begun.clone();
                begun[network] = Some(*source);
                if consistent(&begun) {
                    next.push(begun);
                }
                // Each of these becomes a plan at least by roots alone.
                if next.len() > limit {
                    return None;
                }
            }
            partial = next;
        }
        Some(partial.into_iter().map(|sources| Plan(sources.into_iter().flatten().collect())).collect())
    }

    /// MACs of running all networks apart, for one image.
    pub fn macs_apart(&self) -> u64 {
        self.networks.iter().map(|network| network.macs).sum()
    }

    /// MACs that remain of a receiver under `source`, its adapter included.
    pub fn source_macs(&self, network: usize, source: Source) -> u64 {
        match source {
            Source::Root => self.networks[network].macs,
            Source::Join(join) => {
                let [from, to] = self.ends(network, join);
                let before = if join.donor == network { from.macs_before } else { 0 };
                before + adapter::macs(from, to) + to.macs_after
            }
        }
    }

    /// What remains of a receiver under `source`, its adapter included, in what budgets count.
    pub fn source_cost(&self, network: usize, source: Source) -> u64 {
        let Some(costs) = &self.costs else { return self.source_macs(network, source) };
        let known = &costs.networks[network];
        match source {
            Source::Root => known.whole,
            Source::Join(join) => {
                let ends = self.ends(network, join).map(JoinPoint::shape);
                let before = if join.donor == network { known.before[join.donor_point] } else { 0 };
                let after = known.whole.saturating_sub(known.before[join.receiver_point]);
                before + costs.adapters.get(&ends).copied().unwrap_or(0) + after
            }
        }
    }

    /// Cost of a valid plan's merged network, in what budgets count.
    pub fn cost(&self, plan: &Plan) -> u64 {
        plan.0.iter().enumerate().map(|(network, source)| self.source_cost(network, *source)).sum()
    }

    /// Cost of running all networks apart, in what budgets count.
    pub fn cost_apart(&self) -> u64 {
        (0..self.networks.len()).map(|network| self.source_cost(network, Source::Root)).sum()
    }

    /// Cost of a valid plan relative to running all networks apart, in what budgets count.
    pub fn relative_cost(&self, plan: &Plan) -> f64 {
        self.cost(plan) as f64 / self.cost_apart().max(1) as f64
    }

    /// MACs of a valid plan's merged network, for one image.
    pub fn macs(&self, plan: &Plan) -> u64 {
        plan.0.iter().enumerate().map(|(network, source)| self.source_macs(network, *source)).sum()
    }

    /// MACs of a valid plan relative to running all networks apart.
    pub fn relative_macs(&self, plan: &Plan) -> f64 {
        self.macs(plan) as f64 / self.macs_apart() as f64
    }

    /// What a valid plan saves. Adapters, which cost, are not counted.
    pub fn savings(&self, plan: &Plan) -> Savings {
        plan.joins().fold(Savings::default(), |savings, (receiver, join)| {
            let [from, to] = self.ends(receiver, join);
            let both = to.macs_before.min(from.macs_before);
            let shared = if join.donor == receiver { 0 } else { both };
            Savings { shared: savings.shared + shared, skipped: savings.skipped + to.macs_before - both }
        })
    }

    /// The plan in words and numbers.
    pub fn summary(&self, plan: &Plan) -> PlanSummary {
        let networks = plan
            .0
            .iter()
            .enumerate()
            .map(|(receiver, source)| {
                let network = self.networks[receiver].name.clone();
                match *source {
                    Source::Root => SourceSummary::Root { network },
                    Source::Join(join) => {
                        let [from, to] = self.ends(receiver, join);
                        SourceSummary::Join {
                            network,
                            donor: self.networks[join.donor].name.clone(),
                            donor_point: join.donor_point,
                            donor_tensor: from.name.clone(),
                            receiver_point: join.receiver_point,
                            receiver_tensor: to.name.clone(),
                            channels: [from.channels, to.channels],
                        }
                    }
                }
            })
            .collect();
        PlanSummary {
            networks,
            macs: self.macs(plan),
            relative_macs: self.relative_macs(plan),
            relative_cost: self.costs.as_ref().map(|_| self.relative_cost(plan)),
        }
    }
}
