//! The merged graph of a plan.

use std::collections::BTreeMap;

use super::adapter::{Adapter, add_adapter};
use super::{Join, JoinError, Plan, Space};
use crate::graph::{Graph, TensorId};
use crate::net::{NetError, Pixels, Prepared, Task, write_tasks};
use crate::ops;

/// A merged network: one image input with pixels from 0 to 255, one output of logits per task.
#[derive(Clone, Debug)]
pub struct Merged {
    pub graph: Graph,
    /// Those of all original networks, in their order.
    pub tasks: Vec<Task>,
    /// For every task the index of its network.
    pub owners: Vec<usize>,
    /// The networks' labels, with which the names of their nodes and tensors begin.
    pub labels: Vec<String>,
    /// For every original join point that is kept, where it is now: by network and point index.
    pub points: BTreeMap<(usize, usize), TensorId>,
}

/// What part of the merged network a weight belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TensorRole {
    /// A root network.
    Trunk,
    Adapter,
    /// What is left of a receiver.
    Tail,
}

const ADAPTER: &str = "adapter/";

impl Merged {
    /// The role of a weight, told from its name: `label/adapter/…` or `label/…`.
    pub fn role(&self, plan: &Plan, tensor: &str) -> TensorRole {
        let owner = self.labels.iter().position(|label| tensor.starts_with(&format!("{label}/")));
        match owner {
            Some(network) if tensor[self.labels[network].len() + 1..].starts_with(ADAPTER) => {
                TensorRole::Adapter
            }
            Some(network) if plan.donor(network).is_some() => TensorRole::Tail,
            _ => TensorRole::Trunk,
        }
    }
}

/// Builds the merged graph. All networks read the same image, at the size of their common input.
///
/// # Errors
///
/// A plan that is not valid, or an adapter that is missing.
pub fn merge(
    networks: &[Prepared],
    space: &Space,
    plan: &Plan,
    adapters: &BTreeMap<(usize, Join), Adapter>,
) -> Result<Merged, JoinError> {
    plan.check(space)?;
    let [channels, height, width] = networks.first().map_or([1, 1, 1], |network| network.input);
    let opset = networks.iter().map(|network| network.graph.opset).max().unwrap_or(17).max(17);
    let mut graph = Graph { name: "graftlab".into(), opset, ..Graph::default() };
    let image = graph.add_input("image", vec![1, channels, height, width]);

    let maps: Vec<_> = networks
        .iter()
        .map(|network| {
            let bound = [(network.graph.inputs[0], image)];
            graph.append(&network.graph, &format!("{}/", network.label()), &bound)
        })
        .collect();
    let at = |network: usize, point: usize| maps[network].at(space.networks[network].points[point].tensor);

    let mut adapted = BTreeMap::new();
    for (receiver, join) in plan.joins() {
        let adapter = adapters.get(&(receiver, join)).ok_or_else(|| JoinError::InvalidPlan {
            reason: format!("no adapter was fitted for {join:?}"),
        })?;
        let [from, to] = space.ends(receiver, join);
        let prefix = format!("{}/{ADAPTER}", networks[receiver].label());
        let output = add_adapter(&mut graph, &prefix, at(join.donor, join.donor_point), adapter, from, to);
        adapted.insert((receiver, join.receiver_point), output);
    }
    // After all adapters are there, so that one which reads a replaced tensor is rewired too.
    for ((receiver, point), output) in &adapted {
        graph.replace_uses(at(*receiver, *point), *output);
    }

    let (mut tasks, mut owners) = (Vec::new(), Vec::new());
    for (owner, (network, map)) in networks.iter().zip(&maps).enumerate() {
        for task in &network.tasks {
            let output = graph.add_node("Identity", &task.name, [map.at(task.output)]);
            graph.outputs.push(output);
            tasks.push(Task { output, ..task.clone() });
            owners.push(owner);
        }
    }
    let points: Vec<_> = space
        .networks
        .iter()
        .enumerate()
        .flat_map(|(network, info)| {
            let kept = move |point: &usize| plan.0[network].keeps(network, *point);
            (0..info.points.len()).filter(kept).map(move |point| (network, point))
        })
        .map(|key| {
            let tensor = adapted.get(&key).copied().unwrap_or_else(|| at(key.0, key.1));
            (key, graph.tensor(tensor).name.clone())
        })
        .collect();
    let labels = networks.iter().map(Prepared::label).collect();
    finish(Merged { graph, tasks, owners, labels, points: BTreeMap::new() }, points)
}

/// Drops what no output needs, and finds tasks and points again in what is left.
fn finish(mut merged: Merged, points: Vec<((usize, usize), String)>) -> Result<Merged, JoinError> {
    let mut graph = merged.graph.pruned();
    ops::infer(&mut graph).map_err(NetError::from)?;
    for (task, output) in merged.tasks.iter_mut().zip(&graph.outputs) {
        task.output = *output;
    }
    write_tasks(&mut graph, &merged.tasks, Pixels::Bytes);
    merged.points = points.into_iter().filter_map(|(key, name)| Some((key, graph.find(&name)?))).collect();
    Ok(Merged { graph, ..merged })
}
