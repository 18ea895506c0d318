//! A plan in words and numbers that can be shown and stored.

use serde::{Deserialize, Serialize};

use super::{Join, Plan, Source};

/// A plan with its cost, as a person or another program reads it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify))]
pub struct PlanSummary {
    /// One entry per network, in the order in which the networks were given.
    pub networks: Vec<SourceSummary>,
    /// MACs of the merged network for one image.
    pub macs: u64,
    /// MACs relative to the original networks apart.
    pub relative_macs: f64,
    /// What the budget counts, relative to the original networks apart, where that is something else than MACs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relative_cost: Option<f64>,
}

/// Where one network gets its features from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify))]
#[serde(tag = "source", rename_all = "snake_case")]
pub enum SourceSummary {
    /// It keeps its own input.
    Root { network: String },
    /// It reads another network's features.
    Join {
        network: String,
        donor: String,
        /// Index among the donor's join points.
        donor_point: usize,
        /// Name of the tensor it reads.
        donor_tensor: String,
        /// Index among its own join points.
        receiver_point: usize,
        /// Name of the tensor that is replaced.
        receiver_tensor: String,
        /// Channels of the donor's and the receiver's tensor.
        channels: [usize; 2],
    },
}

impl PlanSummary {
    /// The plan for networks in the order of these names; `None` if it is of others.
    pub fn plan(&self, names: &[String]) -> Option<Plan> {
        let source = |summary: &SourceSummary| match summary {
            SourceSummary::Root { .. } => Some(Source::Root),
            SourceSummary::Join { donor, donor_point, receiver_point, .. } => {
                let donor = names.iter().position(|name| name == donor)?;
                Some(Source::Join(Join { donor, donor_point: *donor_point, receiver_point: *receiver_point }))
            }
        };
        let of = |name: &String| source(self.networks.iter().find(|summary| summary.network() == name)?);
        let sources: Option<Vec<Source>> = names.iter().map(of).collect();
        sources.filter(|sources| sources.len() == self.networks.len()).map(Plan)
    }
}

impl SourceSummary {
    /// The network of which it speaks.
    pub fn network(&self) -> &str {
        match self {
            Self::Root { network } | Self::Join { network, .. } => network,
        }
    }
}
