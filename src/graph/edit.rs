//! Edits: building graphs, gluing one into another, dropping what nobody reads.

use super::{Attributes, Constant, Graph, Node, Shape, TensorId, TensorInfo};

/// Where the tensors of an appended graph are found in the graph that took it in, by their old id.
#[derive(Clone, Debug)]
pub struct Appended(Vec<TensorId>);

impl Appended {
    /// The new id of the tensor that was `old` in the appended graph.
    pub fn at(&self, old: TensorId) -> TensorId {
        self.0[old.0]
    }
}

impl Graph {
    /// Adds a tensor. A name that is taken gets a number behind it.
    pub fn add_tensor(&mut self, name: &str, shape: Option<Shape>) -> TensorId {
        let mut unique = name.to_owned();
        let mut number = 1;
        while self.find(&unique).is_some() {
            number += 1;
            unique = format!("{name}_{number}");
        }
        self.tensors.push(TensorInfo { name: unique, shape, other_type: None });
        TensorId(self.tensors.len() - 1)
    }

    /// Adds an input of the graph.
    pub fn add_input(&mut self, name: &str, shape: Shape) -> TensorId {
        let id = self.add_tensor(name, Some(shape));
        self.inputs.push(id);
        id
    }

    /// Adds a constant.
    pub fn add_constant(&mut self, name: &str, constant: Constant) -> TensorId {
        let id = self.add_tensor(name, Some(constant.shape.clone()));
        self.constants.insert(id, constant);
        id
    }

    /// Adds a node of the standard operators with one output, which takes the node's name.
    pub fn add_node<const N: usize>(&mut self, op_type: &str, name: &str, inputs: [TensorId; N]) -> TensorId {
        self.add_node_with(op_type, name, inputs, Attributes::new())
    }

    /// Adds a node of the standard operators with attributes and one output, which takes the node's name.
    pub fn add_node_with<const N: usize>(
        &mut self,
        op_type: &str,
        name: &str,
        inputs: [TensorId; N],
        attributes: Attributes,
    ) -> TensorId {
        let output = self.add_tensor(name, None);
        self.nodes.push(Node {
            name: self.tensor(output).name.clone(),
            op_type: op_type.to_owned(),
            domain: String::new(),
            attributes,
            inputs: inputs.into_iter().map(Some).collect(),
            outputs: vec![output],
            macs: 0,
        });
        output
    }

    /// Takes in all nodes, tensors and constants of `other`, each name with `prefix` before it, while the tensors in
    /// `bound` become tensors that are here already (pairs of theirs and ours). Inputs and outputs of `other` are
    /// not made inputs and outputs of this graph.
    pub fn append(&mut self, other: &Graph, prefix: &str, bound: &[(TensorId, TensorId)]) -> Appended {
        let map: Vec<TensorId> = (0..other.tensors.len())
            .map(|index| match bound.iter().find(|(theirs, _)| theirs.0 == index) {
                Some((_, ours)) => *ours,
                None => {
                    let tensor = &other.tensors[index];
                    self.add_tensor(&format!("{prefix}{}", tensor.name), tensor.shape.clone())
                }
            })
            .collect();
        for (id, constant) in &other.constants {
            self.constants.insert(map[id.0], constant.clone());
        }
        for node in &other.nodes {
            self.nodes.push(Node {
                name: format!("{prefix}{}", node.name),
                inputs: node.inputs.iter().map(|input| input.map(|id| map[id.0])).collect(),
                outputs: node.outputs.iter().map(|id| map[id.0]).collect(),
                ..node.clone()
            });
        }
        Appended(map)
    }

    /// Lets every node that reads `old` read `new` instead.
    pub fn replace_uses(&mut self, old: TensorId, new: TensorId) {
        for input in self.nodes.iter_mut().flat_map(|node| node.inputs.iter_mut()).flatten() {
            if *input == old {
                *input = new;
            }
        }
    }

    /// The same graph without nodes and tensors that no output depends on, its nodes in topological order.
    ///
    /// Inputs stay, used or not.
    pub fn pruned(&self) -> Graph {
        let needed = self.needed_nodes_unordered();
        let mut graph = Graph {
            name: self.name.clone(),
            opset: self.opset,
            metadata: self.metadata.clone(),
            ..Graph::default()
        };
        let mut map = vec![None; self.tensors.len()];
        let mut copy = |graph: &mut Graph, id: TensorId| {
            *map[id.0].get_or_insert_with(|| {
                graph.tensors.push(self.tensor(id).clone());
                let copied = TensorId(graph.tensors.len() - 1);
                if let Some(constant) = self.constants.get(&id) {
                    graph.constants.insert(copied, constant.clone());
                }
                copied
            })
        };
        graph.inputs = self.inputs.iter().map(|id| copy(&mut graph, *id)).collect();
        for index in self.topological_order().into_iter().filter(|index| needed[*index]) {
            let node = &self.nodes[index];
            let inputs = node.inputs.iter().map(|input| input.map(|id| copy(&mut graph, id))).collect();
            let outputs = node.outputs.iter().map(|id| copy(&mut graph, *id)).collect();
            graph.nodes.push(Node { inputs, outputs, ..node.clone() });
        }
        graph.outputs = self.outputs.iter().map(|id| copy(&mut graph, *id)).collect();
        graph
    }

    /// Node indices in an order in which every node follows those it reads from; ties keep their present order.
    ///
    /// Nodes on a cycle are left out: a caller that reads untrusted graphs compares lengths.
    pub fn topological_order(&self) -> Vec<usize> {
        let producers = self.producers();
        let consumers = self.consumers();
        let mut missing: Vec<usize> = self
            .nodes
            .iter()
            .map(|node| node.inputs.iter().flatten().filter(|id| producers[id.0].is_some()).count())
            .collect();
        let mut ready: std::collections::BTreeSet<usize> = missing
            .iter()
            .enumerate()
            .filter(|(_, missing)| **missing == 0)
            .map(|(index, _)| index)
            .collect();
        let mut order = Vec::with_capacity(self.nodes.len());
        while let Some(index) = ready.pop_first() {
            order.push(index);
            for output in &self.nodes[index].outputs {
                for consumer in &consumers[output.0] {
                    missing[*consumer] -= 1;
                    if missing[*consumer] == 0 {
                        ready.insert(*consumer);
                    }
                }
            }
        }
        order
    }

    fn needed_nodes_unordered(&self) -> Vec<bool> {
        let producers = self.producers();
        let mut needed = vec![false; self.nodes.len()];
        let mut stack: Vec<usize> = self.outputs.iter().filter_map(|id| producers[id.0]).collect();
        while let Some(index) = stack.pop() {
            if !std::mem::replace(&mut needed[index], true) {
                stack.extend(self.nodes[index].inputs.iter().flatten().filter_map(|id| producers[id.0]));
            }
        }
        needed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pruning_drops_what_no_output_needs_and_sorts() {
        let mut graph = Graph::default();
        let image = graph.add_input("image", vec![1, 1, 4, 4]);
        let late = graph.add_tensor("late", None);
        let out = graph.add_node("Relu", "out", [late]);
        let unused = graph.add_constant("unused", Constant::scalar(1.0));
        graph.add_node("Add", "dead", [image, unused]);
        graph.nodes.push(Node {
            name: "late".into(),
            op_type: "Relu".into(),
            domain: String::new(),
            attributes: Attributes::new(),
            inputs: vec![Some(image)],
            outputs: vec![late],
            macs: 0,
        });
        graph.outputs.push(out);

        let pruned = graph.pruned();

        let names: Vec<_> = pruned.nodes.iter().map(|node| node.name.as_str()).collect();
        assert_eq!(names, ["late", "out"]);
        assert!(pruned.constants.is_empty());
    }

    #[test]
    fn an_appended_graph_reads_the_tensors_it_is_bound_to() {
        let mut inner = Graph::default();
        let inner_in = inner.add_input("x", vec![1, 1, 2, 2]);
        let inner_out = inner.add_node("Relu", "y", [inner_in]);
        let mut graph = Graph::default();
        let image = graph.add_input("image", vec![1, 1, 2, 2]);

        let appended = graph.append(&inner, "a/", &[(inner_in, image)]);

        assert_eq!(graph.nodes[0].inputs, [Some(image)]);
        assert_eq!(graph.tensor(appended.at(inner_out)).name, "a/y");
    }
}
