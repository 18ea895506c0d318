//! Plans: which network reads whose features, and where.

use serde::{Deserialize, Serialize};

use super::{JoinError, Space};

/// One join: the receiver's layers before `receiver_point` are dropped, and those after it read the donor's tensor at
/// `donor_point` through an adapter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
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
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// Its own input.
    Root,
    Join(Join),
}

/// For every network its source.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
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

    /// The network's own first join point that is kept, 0 for a root.
    pub fn kept_from(&self, network: usize) -> usize {
        match self.0[network] {
            Source::Root => 0,
            Source::Join(join) => join.receiver_point,
        }
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
            if join.donor == receiver {
                return fault(format!("'{name}' is its own donor"));
            }
            if join.donor_point < self.kept_from(join.donor) {
                return fault(format!("'{name}' reads a layer that its donor has dropped"));
            }
        }
        for start in 0..self.0.len() {
            let mut network = start;
            for _ in 0..self.0.len() {
                match self.0[network] {
                    Source::Root => break,
                    Source::Join(join) => network = join.donor,
                }
            }
            if self.0[network] != Source::Root {
                return fault(format!("'{}' would read its own output", space.networks[start].name));
            }
        }
        Ok(())
    }
}

/// Whether the sources that are decided so far have no cycle and read no dropped layer.
pub fn consistent(sources: &[Option<Source>]) -> bool {
    let kept_from = |network: usize| match sources[network] {
        Some(Source::Join(join)) => join.receiver_point,
        _ => 0,
    };
    sources.iter().enumerate().all(|(start, source)| {
        let Some(Source::Join(join)) = source else { return true };
        if join.donor_point < kept_from(join.donor) {
            return false;
        }
        let mut network = join.donor;
        for _ in 0..sources.len() {
            match sources[network] {
                Some(Source::Join(join)) => network = join.donor,
                _ => return true,
            }
            if network == start {
                return false;
            }
        }
        false
    })
}
