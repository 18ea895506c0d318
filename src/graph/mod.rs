//! The intermediate representation of a network: nodes, tensors, shapes, costs, cuts and edits.
//!
//! A [`Graph`] is plain data. It is what `onnx` reads and writes, what `ops` annotates with shapes and costs,
//! and what `join` cuts and rewires. It knows neither burn nor ONNX bytes.

mod attributes;
mod constant;
mod cost;
mod cuts;
mod edit;

use std::collections::BTreeMap;

pub use attributes::{Attribute, Attributes};
pub use constant::{Constant, ConstantData};
pub use cost::Cost;
pub use cuts::Cut;
pub use edit::Appended;

/// Sizes of a tensor's axes, for a batch of one image.
pub type Shape = Vec<usize>;

/// The largest number of axes a tensor may have.
pub const MAX_RANK: usize = 6;

/// The oldest ONNX operator set that inferred graphs follow: `ops::infer` brings older nodes to its form.
pub const OPSET: i64 = 18;

/// Number of elements of a shape; `None` above 2²⁸, a gigabyte of floats, whether or not another axis is empty.
pub fn elements(shape: &[usize]) -> Option<usize> {
    let filled = shape.iter().try_fold(1usize, |product, size| product.checked_mul((*size).max(1)))?;
    (filled <= 1 << 28).then(|| if shape.contains(&0) { 0 } else { filled })
}

/// Names one tensor of one graph: an index into [`Graph::tensors`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TensorId(pub usize);

/// What is known of a tensor.
#[derive(Clone, Debug, PartialEq)]
pub struct TensorInfo {
    pub name: String,
    /// For a batch of one image; `None` until shapes have been inferred.
    pub shape: Option<Shape>,
    /// `TensorProto.DataType` code of a constant or output that holds no floats, as its file has it.
    pub other_type: Option<i32>,
}

/// One operation: an ONNX operator with its attributes.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    pub name: String,
    /// ONNX operator name, such as `Conv`.
    pub op_type: String,
    /// ONNX operator domain; empty for the standard operators.
    pub domain: String,
    pub attributes: Attributes,
    /// `None` where an optional input is left out.
    pub inputs: Vec<Option<TensorId>>,
    pub outputs: Vec<TensorId>,
    /// Multiply-accumulate operations for one image; filled in when shapes are inferred.
    pub macs: u64,
}

/// A network as a directed acyclic graph, its nodes in topological order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Graph {
    pub name: String,
    /// Version of the standard ONNX operator set that the nodes follow.
    pub opset: i64,
    pub nodes: Vec<Node>,
    pub tensors: Vec<TensorInfo>,
    pub inputs: Vec<TensorId>,
    pub outputs: Vec<TensorId>,
    /// Values known before anything is computed: weights, shapes, axes.
    pub constants: BTreeMap<TensorId, Constant>,
    /// Free text by key, ONNX's `metadata_props`.
    pub metadata: BTreeMap<String, String>,
}

impl Graph {
    /// What is known of tensor `id`.
    pub fn tensor(&self, id: TensorId) -> &TensorInfo {
        // Ids are only made by this graph and never removed.
        &self.tensors[id.0]
    }

    /// The shape of tensor `id` for one image; empty where it has not been inferred.
    pub fn shape(&self, id: TensorId) -> &[usize] {
        self.tensor(id).shape.as_deref().unwrap_or(&[])
    }

    /// The tensor of this name.
    pub fn find(&self, name: &str) -> Option<TensorId> {
        self.tensors.iter().position(|tensor| tensor.name == name).map(TensorId)
    }

    /// For every tensor the index of the node that computes it.
    pub fn producers(&self) -> Vec<Option<usize>> {
        let mut producers = vec![None; self.tensors.len()];
        for (index, node) in self.nodes.iter().enumerate() {
            for output in &node.outputs {
                producers[output.0] = Some(index);
            }
        }
        producers
    }

    /// For every tensor the indices of the nodes that read it.
    pub fn consumers(&self) -> Vec<Vec<usize>> {
        let mut consumers = vec![Vec::new(); self.tensors.len()];
        for (index, node) in self.nodes.iter().enumerate() {
            for input in node.inputs.iter().flatten() {
                consumers[input.0].push(index);
            }
        }
        consumers
    }

    /// For every node whether one of `targets` depends on it, not looking behind the tensors in `known`.
    pub fn needed_nodes(&self, targets: &[TensorId], known: &[TensorId]) -> Vec<bool> {
        let mut wanted = vec![false; self.tensors.len()];
        for target in targets {
            wanted[target.0] = true;
        }
        for tensor in known {
            wanted[tensor.0] = false;
        }
        let mut needed = vec![false; self.nodes.len()];
        for (index, node) in self.nodes.iter().enumerate().rev() {
            if node.outputs.iter().any(|output| wanted[output.0]) {
                needed[index] = true;
                for input in node.inputs.iter().flatten().filter(|input| !known.contains(input)) {
                    wanted[input.0] = true;
                }
            }
        }
        needed
    }

    /// For every tensor whether it depends on one of the graph's inputs.
    pub fn depends_on_input(&self) -> Vec<bool> {
        let mut depends = vec![false; self.tensors.len()];
        for input in &self.inputs {
            depends[input.0] = true;
        }
        for node in &self.nodes {
            if node.inputs.iter().flatten().any(|input| depends[input.0]) {
                for output in &node.outputs {
                    depends[output.0] = true;
                }
            }
        }
        depends
    }
}
