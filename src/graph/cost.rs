//! What a graph costs to run and to store.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{Graph, Node, TensorId};

/// Computing and storage cost of a network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cost {
    /// Multiply-accumulate operations for one image.
    pub macs: u64,
    /// Float values among the constants: weights, biases, running statistics.
    pub params: u64,
}

impl Graph {
    /// The whole graph's cost.
    pub fn cost(&self) -> Cost {
        Cost { macs: total(self.nodes.iter()), params: self.params() }
    }

    fn params(&self) -> u64 {
        self.constants
            .values()
            .filter_map(|constant| constant.as_f32())
            .map(|values| values.len() as u64)
            .sum()
    }

    /// Float values that `tensor` depends on.
    pub fn params_before(&self, tensor: TensorId) -> u64 {
        let needed = self.needed_nodes(&[tensor], &[]);
        let nodes = self.nodes.iter().zip(needed).filter(|(_, needed)| *needed);
        let read: BTreeSet<TensorId> =
            nodes.flat_map(|(node, _)| node.inputs.iter().copied().flatten()).collect();
        read.iter().filter_map(|id| self.constants.get(id)?.as_f32()).map(|values| values.len() as u64).sum()
    }

    /// MACs of the nodes that `tensor` depends on, for one image.
    pub fn macs_before(&self, tensor: TensorId) -> u64 {
        let needed = self.needed_nodes(&[tensor], &[]);
        total(self.nodes.iter().zip(needed).filter(|(_, needed)| *needed).map(|(node, _)| node))
    }
}

fn total<'a>(nodes: impl Iterator<Item = &'a Node>) -> u64 {
    nodes.fold(0, |macs, node| macs.saturating_add(node.macs))
}
