//! What a budget counts.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{JoinPoint, Space, adapter};
use crate::net::Prepared;

/// What the budget of a search counts, for one image, relative to running the original networks apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify))]
#[serde(rename_all = "kebab-case")]
pub enum CostMeasure {
    /// Multiply-accumulate operations.
    #[default]
    Macs,
    /// Values that are stored.
    Params,
    /// Time of inference, measured on the device of the run: another run may measure, and choose, otherwise.
    Milliseconds,
}

impl CostMeasure {
    pub const ALL: [Self; 3] = [Self::Macs, Self::Params, Self::Milliseconds];

    /// The name as it is written in settings and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Macs => "macs",
            Self::Params => "params",
            Self::Milliseconds => "milliseconds",
        }
    }
}

/// Channels, height and width at both ends of an adapter.
pub type AdapterShape = [[usize; 3]; 2];

/// What layers and adapters cost in another measure than MACs: parameters, or nanoseconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Costs {
    pub networks: Vec<SegmentCosts>,
    /// Every adapter that a join may need.
    #[serde(with = "pairs")]
    pub adapters: BTreeMap<AdapterShape, u64>,
}

/// A map as a list of pairs: keys in JSON are strings.
mod pairs {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::AdapterShape;

    pub fn serialize<S: Serializer>(map: &BTreeMap<AdapterShape, u64>, to: S) -> Result<S::Ok, S::Error> {
        map.iter().collect::<Vec<_>>().serialize(to)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<BTreeMap<AdapterShape, u64>, D::Error> {
        Ok(Vec::deserialize(from)?.into_iter().collect())
    }
}

/// What one network costs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SegmentCosts {
    pub whole: u64,
    /// Per join point the layers that it depends on.
    pub before: Vec<u64>,
}

impl Costs {
    /// Parameters of networks and adapters.
    pub fn params(networks: &[Prepared], space: &Space) -> Self {
        let of_network = |(network, info): (&Prepared, &super::SpaceNetwork)| SegmentCosts {
            whole: network.graph.cost().params,
            before: info.points.iter().map(|point| network.graph.params_before(point.tensor)).collect(),
        };
        let networks = networks.iter().zip(&space.networks).map(of_network).collect();
        let params = |[from, to]: [&JoinPoint; 2]| adapter::params(from, to);
        Self {
            networks,
            adapters: adapter_ends(space).into_iter().map(|(key, ends)| (key, params(ends))).collect(),
        }
    }
}

/// Every kind of adapter that a join of the space may need, with join points that it fits.
pub fn adapter_ends(space: &Space) -> BTreeMap<AdapterShape, [&JoinPoint; 2]> {
    let mut kinds = BTreeMap::new();
    for (donor, from) in space.networks.iter().enumerate() {
        let receivers = space.networks.iter().enumerate();
        for (_, to) in receivers.filter(|(receiver, _)| *receiver != donor || space.shortcuts) {
            for (from, to) in from.points.iter().flat_map(|from| to.points.iter().map(move |to| (from, to))) {
                kinds.insert([from.shape(), to.shape()], [from, to]);
            }
        }
    }
    kinds
}
