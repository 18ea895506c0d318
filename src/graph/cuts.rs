//! Single-tensor cuts: the places where one tensor carries all that the rest of the network needs.

use super::{Graph, TensorId};

/// A tensor that every path from the graph's input to some of its outputs crosses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cut {
    pub tensor: TensorId,
    /// Index of the node that computes it.
    pub node: usize,
}

impl Graph {
    /// All single-tensor cuts between the inputs and `outputs`, from the input onwards; a single output itself is the
    /// last.
    ///
    /// A tensor is a cut exactly if, after its node has run, it is the only computed tensor that later nodes read.
    /// That does not depend on which topological order the nodes are in: of the nodes that matter to the outputs,
    /// those that a cut depends on come before it, and all others depend on it.
    pub fn cuts(&self, outputs: &[TensorId]) -> Vec<Cut> {
        let needed = self.needed_nodes(outputs, &[]);
        let depends = self.depends_on_input();
        let mut last_use = vec![None; self.tensors.len()];
        for (index, node) in self.nodes.iter().enumerate().filter(|(index, _)| needed[*index]) {
            for input in node.inputs.iter().flatten().filter(|input| depends[input.0]) {
                last_use[input.0] = Some(index);
            }
        }
        for output in outputs {
            last_use[output.0] = Some(self.nodes.len());
        }

        let mut live: Vec<TensorId> = self.inputs.clone();
        let mut cuts = Vec::new();
        for (index, node) in self.nodes.iter().enumerate().filter(|(index, _)| needed[*index]) {
            live.extend(node.outputs.iter().filter(|output| depends[output.0]));
            live.retain(|tensor| last_use[tensor.0].is_some_and(|last| last > index));
            if let [tensor] = live[..]
                && node.outputs.contains(&tensor)
            {
                cuts.push(Cut { tensor, node: index });
            }
        }
        cuts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// input → a → b ─┐
    ///          └─────┴→ sum → out
    fn with_skip() -> Graph {
        let mut graph = Graph::default();
        let input = graph.add_input("image", vec![1, 3, 8, 8]);
        let a = graph.add_node("Relu", "a", [input]);
        let b = graph.add_node("Relu", "b", [a]);
        let sum = graph.add_node("Add", "sum", [a, b]);
        let out = graph.add_node("Relu", "out", [sum]);
        graph.outputs.push(out);
        graph
    }

    #[test]
    fn a_tensor_beside_a_skip_is_no_cut() {
        let graph = with_skip();
        let cuts = graph.cuts(&graph.outputs);
        let names: Vec<_> = cuts.iter().map(|cut| graph.tensor(cut.tensor).name.as_str()).collect();
        assert_eq!(names, ["a", "sum", "out"]);
    }

    #[test]
    fn nodes_that_the_output_does_not_need_do_not_count() {
        let mut graph = with_skip();
        let a = graph.find("a").unwrap();
        graph.add_node("Relu", "side branch", [a]);
        assert_eq!(graph.cuts(&graph.outputs).len(), 3);
    }

    #[test]
    fn of_several_outputs_only_the_common_way_counts() {
        let mut graph = with_skip();
        let sum = graph.find("sum").unwrap();
        let other = graph.add_node("Relu", "other out", [sum]);
        graph.outputs.push(other);
        let names = |graph: &Graph| -> Vec<String> {
            let cuts = graph.cuts(&graph.outputs);
            cuts.iter().map(|cut| graph.tensor(cut.tensor).name.clone()).collect()
        };
        assert_eq!(names(&graph), ["a", "sum"]);
        graph.outputs.push(graph.find("b").unwrap());
        assert_eq!(names(&graph), ["a"]);
    }
}
