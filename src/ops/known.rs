//! What is known of a graph before it runs, while its nodes are gone through.

use std::collections::{BTreeMap, BTreeSet};

use super::host;
use crate::graph::{Attribute, Constant, Graph, MAX_RANK, Node, TensorId};

/// The most values that may be read and made in all, beyond the weights that are read once.
const BUDGET: usize = 1 << 25;

/// Operators that are computed from weights too: their results are no floats, or the weights that an input stands for,
/// or they never run.
#[rustfmt::skip]
const ALWAYS: &[&str] = &[
    "ArgMax", "DequantizeLinear", "Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual", "Mod", "NonZero", "Range",
    "Shape", "Size",
];

/// Inputs that operators want to be constant, from this position on.
#[rustfmt::skip]
const ARGUMENTS: &[(&str, usize)] = &[
    ("Clip", 1), ("Expand", 1), ("Pad", 1), ("Reshape", 1), ("Resize", 1), ("Slice", 1), ("Split", 1), ("Tile", 1),
    ("Upsample", 1),
];

/// Tensors that stand for others, and constants that were computed here.
pub struct Known {
    depends_on_input: Vec<bool>,
    /// Tensors of nodes that are left out, and what is read instead.
    aliases: BTreeMap<TensorId, TensorId>,
    /// Float constants that were computed. All others with several values are weights.
    computed: BTreeSet<TensorId>,
    /// Constants that were computed with.
    used: BTreeSet<TensorId>,
    /// How many values may still be read and made.
    budget: usize,
}

impl Known {
    pub fn new(graph: &Graph) -> Self {
        Self {
            depends_on_input: graph.depends_on_input(),
            aliases: BTreeMap::new(),
            computed: BTreeSet::new(),
            used: BTreeSet::new(),
            budget: graph
                .constants
                .values()
                .map(Constant::len)
                .sum::<usize>()
                .saturating_mul(4)
                .saturating_add(BUDGET),
        }
    }

    /// Lets a node read what its inputs stand for.
    pub fn follow(&self, node: &mut Node) {
        for input in node.inputs.iter_mut().flatten() {
            if let Some(original) = self.aliases.get(input) {
                *input = *original;
            }
        }
    }

    /// Takes node `index`, the graph's last, away if its result is known or is its input. Answers whether it did.
    pub fn take(&mut self, graph: &mut Graph, index: usize) -> bool {
        if let Some(original) = passes(graph, &graph.nodes[index]) {
            let node = &mut graph.nodes[index];
            if !graph.outputs.contains(&node.outputs[0]) {
                self.aliases.insert(node.outputs[0], original);
                graph.nodes.truncate(index);
                return true;
            }
            if node.op_type == "DequantizeLinear" {
                node.op_type = "Identity".to_owned();
                node.attributes.clear();
                node.inputs.truncate(1);
            }
        }
        let node = &graph.nodes[index];
        let weighs = |id: &TensorId| {
            let constant = graph.constants.get(id).filter(|constant| constant.as_f32().is_some());
            constant.is_some_and(|constant| constant.len() > 1) && !self.computed.contains(id)
        };
        let to_floats = node.op_type != "Cast" || node.attributes.get("to") == Some(&Attribute::Int(1));
        let first = node.inputs.first().copied().flatten().and_then(|id| graph.constants.get(&id));
        let of_integers =
            node.op_type != "Where" && first.is_some_and(|constant| constant.as_f32().is_none());
        let runs = to_floats && !of_integers && !ALWAYS.contains(&node.op_type.as_str());
        if runs && node.inputs.iter().flatten().any(weighs) {
            return false;
        }
        let find = |position: usize| graph.constants.get(node.inputs.get(position)?.as_ref()?).cloned();
        let Some(results) = self.compute(graph, node, find) else { return false };
        if node.op_type != "DequantizeLinear" {
            self.computed.extend(&node.outputs);
        }
        self.used.extend(node.inputs.iter().flatten());
        let outputs = node.outputs.clone();
        graph.nodes.truncate(index);
        for (output, constant) in outputs.into_iter().zip(results) {
            graph.tensors[output.0].shape = Some(constant.shape.clone());
            graph.constants.insert(output, constant);
        }
        true
    }

    /// [`host::compute`], as long as there is budget for it.
    fn compute(
        &mut self,
        graph: &Graph,
        node: &Node,
        find: impl Fn(usize) -> Option<Constant>,
    ) -> Option<Vec<Constant>> {
        // An empty tensor may still have a long axis to go through.
        let length = |constant: Constant| {
            constant.shape.iter().fold(1, |all: usize, size| all.saturating_mul(*size.max(&1)))
        };
        let read = (0..node.inputs.len()).filter_map(&find).map(length).fold(0, usize::saturating_add);
        self.budget = self.budget.checked_sub(read)?;
        let results = host::compute(graph, node, find)?;
        // Outputs that the operator does not have are an error, which its own rules tell.
        if results.len() != node.outputs.len() {
            return None;
        }
        if results.iter().any(|result| result.shape.len() > MAX_RANK) {
            return None;
        }
        self.budget = self.budget.checked_sub(results.iter().map(Constant::len).sum())?;
        Some(results)
    }

    /// Works out arguments of node `index` that its operator wants to be constant and that are computed from weights.
    pub fn arguments(&mut self, graph: &mut Graph, index: usize) {
        let node = &graph.nodes[index];
        let Some((_, first)) = ARGUMENTS.iter().find(|(op_type, _)| *op_type == node.op_type) else { return };
        for position in *first..node.inputs.len() {
            let Some(id) = graph.nodes[index].inputs[position] else { continue };
            let runs = self.depends_on_input.get(id.0).copied().unwrap_or(true);
            if runs || graph.constants.contains_key(&id) {
                continue;
            }
            if let Some(constant) = self.evaluate(graph, id) {
                let name = format!("{}/{position}", graph.nodes[index].name);
                let id = graph.add_constant(&name, constant);
                graph.nodes[index].inputs[position] = Some(id);
            }
        }
    }

    /// The value of a tensor that nodes compute from constants.
    fn evaluate(&mut self, graph: &Graph, target: TensorId) -> Option<Constant> {
        let mut values: BTreeMap<TensorId, Constant> = BTreeMap::new();
        let needed = graph.needed_nodes(&[target], &[]);
        for (node, _) in graph.nodes.iter().zip(needed).filter(|(_, needed)| *needed) {
            let find = |position: usize| {
                let id = node.inputs.get(position)?.as_ref()?;
                graph.constants.get(id).or_else(|| values.get(id)).cloned()
            };
            let results = self.compute(graph, node, find)?;
            values.extend(node.outputs.iter().copied().zip(results));
        }
        values.remove(&target)
    }

    /// Takes away constants that were only there to compute others, and integers that nobody reads.
    pub fn drop_unread(&self, graph: &mut Graph) {
        let consumers = graph.consumers();
        let outputs = &graph.outputs;
        graph.constants.retain(|id, constant| {
            let is_weight =
                constant.as_f32().is_some() && !self.computed.contains(id) && !self.used.contains(id);
            is_weight || !consumers[id.0].is_empty() || outputs.contains(id)
        });
    }
}

/// The input that a node hands on as it is, if it need not be there: `Identity` and casts on constants, and quantisation,
/// which is read as float.
fn passes(graph: &Graph, node: &Node) -> Option<TensorId> {
    let input = node.inputs.first().copied().flatten()?;
    let [_] = node.outputs[..] else { return None };
    if !node.domain.is_empty() {
        return None;
    }
    let constant = graph.constants.get(&input);
    let passes = match node.op_type.as_str() {
        "QuantizeLinear" => constant.is_none_or(|constant| constant.as_f32().is_some()),
        "DequantizeLinear" => constant.is_none_or(|constant| constant.as_i64().is_none()),
        "Identity" => constant.is_some(),
        "Cast" => {
            constant.is_some_and(|constant| constant.as_f32().is_some())
                && node.attributes.get("to") == Some(&Attribute::Int(1))
        }
        _ => false,
    };
    passes.then_some(input)
}
