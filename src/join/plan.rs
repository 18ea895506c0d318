//! Plans: which network reads whose features, and where.

use serde::{Deserialize, Serialize};

use super::{JoinError, Space};

/// One join: the receiver's layers before `receiver_point` are dropped, and those after it read the donor's tensor at
/// `donor_point` through an adapter. A network that is its own donor keeps its layers up to `donor_point`: a shortcut, which
/// drops only those between the two points.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify))]
pub struct Join {
    /// Index of the donor among the networks.
    pub donor: usize,
    /// Index among the donor's join points.
    pub donor_point: usize,
    /// Index among the receiver's join points.
    pub receiver_point: usize,
}

/// Where a network's features come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify))]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// Its own input.
    Root,
    Join(Join),
}

impl Source {
    /// Whether a network with this source keeps the layers that make its own tensor at `point`.
    pub fn keeps(self, network: usize, point: usize) -> bool {
        match self {
            Self::Root => true,
            Self::Join(join) => {
                point >= join.receiver_point || join.donor == network && point <= join.donor_point
            }
        }
    }

    /// The other network that is read, if one is.
    pub fn donor(self, network: usize) -> Option<usize> {
        match self {
            Self::Join(join) if join.donor != network => Some(join.donor),
            _ => None,
        }
    }
}

/// For every network its source.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify))]
pub struct Plan(pub Vec<Source>);

impl Plan {
    /// The plan that leaves all networks apart.
    pub fn apart(networks: usize) -> Self {
        Self(vec![Source::Root; networks])
    }

    /// The joins, each with its receiver.
    pub fn joins(&self) -> impl Iterator<Item = (usize, Join)> + '_ {
        self.0.iter().enumerate().filter_map(|(receiver, source)| match source {
            Source::Root => None,
            Source::Join(join) => Some((receiver, *join)),
        })
    }

    /// The other network that a network reads, if it reads one.
    pub fn donor(&self, network: usize) -> Option<usize> {
        self.0[network].donor(network)
    }

    /// The networks of a valid plan, each after its donor.
    pub fn donors_first(&self) -> Vec<usize> {
        let depth = |network: usize| {
            std::iter::successors(self.donor(network), |donor| self.donor(*donor)).take(self.0.len()).count()
        };
        let mut order: Vec<usize> = (0..self.0.len()).collect();
        order.sort_by_key(|network| depth(*network));
        order
    }

    /// Checks that the plan can be built: indices exist, donors keep the tensors that are read, no cycle.
    ///
    /// # Errors
    ///
    /// Says which join is at fault.
    pub fn check(&self, space: &Space) -> Result<(), JoinError> {
        let fault = |reason: String| Err(JoinError::InvalidPlan { reason });
        if self.0.len() != space.networks.len() {
            return fault(format!(
                "it speaks of {} networks, but there are {}",
                self.0.len(),
                space.networks.len()
            ));
        }
        for (receiver, join) in self.joins() {
            let name = &space.networks[receiver].name;
            let points = space.networks.get(join.donor).map_or(0, |donor| donor.points.len());
            if join.donor_point >= points || join.receiver_point >= space.networks[receiver].points.len() {
                return fault(format!("'{name}' is joined at a point that does not exist"));
            }
            if join.donor == receiver && join.donor_point >= join.receiver_point {
                return fault(format!("'{name}' would skip none of its layers"));
            }
            if !self.0[join.donor].keeps(join.donor, join.donor_point) {
                return fault(format!("'{name}' reads a layer that its donor has dropped"));
            }
        }
        for start in 0..self.0.len() {
            let route = std::iter::successors(Some(start), |network| self.donor(*network));
            if route.take(self.0.len() + 1).count() > self.0.len() {
                return fault(format!("'{}' would read its own output", space.networks[start].name));
            }
        }
        Ok(())
    }
}

/// Whether the sources that are decided so far have no cycle and read no dropped layer.
pub fn consistent(sources: &[Option<Source>]) -> bool {
    let donor = |network: usize| sources[network].and_then(|source| source.donor(network));
    sources.iter().enumerate().all(|(start, source)| {
        let Some(Source::Join(join)) = source else { return true };
        let kept = sources[join.donor].is_none_or(|source| source.keeps(join.donor, join.donor_point));
        let route = std::iter::successors(Some(start), |network| donor(*network));
        kept && route.take(sources.len() + 1).count() <= sources.len()
    })
}
