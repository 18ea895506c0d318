//! Operators: one file per family, each with its typed attributes, its shape rule, and `run` on burn tensors.
//!
//! To add an operator, add its family's file and name the file in [`families!`] below. A family is a function
//! `read(&NodeView) -> Result<Box<dyn Operator>, OpError>` and the list `OPERATORS` of the ONNX names it answers to.
//!
//! Operators know nothing of graphs beyond the one node that they were read from.

mod axes;
mod batch;
mod error;
mod fold;
mod infer;
pub mod kernels;
mod node_view;
#[cfg(test)]
mod testing;
mod upgrade;
mod value;
mod window;

use std::fmt::Debug;

pub use batch::{check_batch, rewrite_batch};
pub use error::OpError;
pub use infer::infer;
pub use node_view::NodeView;
pub use value::Value;

use crate::graph::{Graph, Node, Shape};

/// Declares the families' modules and the registry.
macro_rules! families {
    ($($family:ident),* $(,)?) => {
        $(mod $family;)*

        /// Every family's operator names with its reader.
        const FAMILIES: &[(&[&str], Read)] = &[$(($family::OPERATORS, $family::read)),*];
    };
}

families! {
    activation, arithmetic, concat, conv, matmul, normalization, pad, pass, pool, reduce, shape, softmax,
}

type Read = fn(&NodeView) -> Result<Box<dyn Operator>, OpError>;

/// How a network is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Batch normalisation uses its stored statistics.
    Inference,
    /// Batch normalisation uses the statistics of the batch, and reports them.
    Training,
}

/// Mean and variance of one batch, of one batch-normalisation node.
#[derive(Clone, Debug)]
pub struct BatchStatistics {
    /// Mean per channel, `[channels]`, detached.
    pub mean: burn::tensor::Tensor<1>,
    /// Population variance per channel, `[channels]`, detached.
    pub variance: burn::tensor::Tensor<1>,
}

/// What an operator computes.
#[derive(Clone, Debug)]
pub struct Outputs {
    pub values: Vec<Value>,
    /// From batch normalisation in [`Mode::Training`] only.
    pub statistics: Option<BatchStatistics>,
}

impl From<Value> for Outputs {
    fn from(value: Value) -> Self {
        Self { values: vec![value], statistics: None }
    }
}

/// One node's computation, its attributes already parsed and checked.
pub trait Operator: Debug + Send + Sync {
    /// Shapes of the outputs, from those of the inputs (empty for an input that is left out).
    ///
    /// # Errors
    ///
    /// A sentence that says which shapes do not fit.
    fn shapes(&self, inputs: &[&[usize]]) -> Result<Vec<Shape>, String>;

    /// Multiply-accumulate operations. Only convolutions and matrix products count, as is the custom of the field.
    fn macs(&self, _inputs: &[&[usize]], _outputs: &[Shape]) -> u64 {
        0
    }

    /// Computes the outputs. Shapes have been checked by [`Operator::shapes`]; an input is `None` where it is left
    /// out, or where it is an integer constant, which the operator has taken in when it was read.
    fn run(&self, inputs: &[Option<Value>], mode: Mode) -> Outputs;
}

/// Finds the operator of a node and parses its attributes.
///
/// # Errors
///
/// An operator that is not supported, an attribute that is missing, unknown or out of range.
pub fn read(graph: &Graph, node: &Node) -> Result<Box<dyn Operator>, OpError> {
    let view = NodeView::new(graph, node);
    let family = FAMILIES
        .iter()
        .find(|(names, _)| node.domain.is_empty() && names.contains(&node.op_type.as_str()))
        .ok_or_else(|| view.unsupported())?;
    family.1(&view)
}

/// Names of all operators that a network may have, sorted.
pub fn supported() -> Vec<&'static str> {
    let run = FAMILIES.iter().flat_map(|(names, _)| names.iter().copied());
    let mut names: Vec<_> = run.chain(fold::OPERATORS.iter().copied()).collect();
    names.sort_unstable();
    names
}

/// Input `index` of an operator that requires it.
fn tensor(inputs: &[Option<Value>], index: usize) -> Value {
    match optional(inputs, index) {
        Some(value) => value,
        None => unreachable!("`NodeView::signature` has refused nodes that lack a required tensor"),
    }
}

/// Input `index`, where it is given.
fn optional(inputs: &[Option<Value>], index: usize) -> Option<Value> {
    inputs.get(index).cloned().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documents_list_every_operator() {
        let table =
            include_str!("../../docs/operators.md").lines().filter_map(|line| line.strip_prefix("| "));
        let mut listed: Vec<_> = table.filter_map(|line| line.split(' ').next()).skip(1).collect();
        // `Constant` nodes are taken in when a file is read.
        listed.retain(|name| *name != "Constant");
        assert_eq!(listed, supported());
    }
}
