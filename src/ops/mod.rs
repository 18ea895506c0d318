//! Operators: one file per family, each with its typed attributes, its shape rule, and `run` on burn tensors.
//!
//! To add an operator, add its family's file and name the file in [`families!`] below. A family is a function
//! `read(&NodeView) -> Result<Box<dyn Operator>, OpError>` and the list `OPERATORS` of the ONNX names it answers to.
//!
//! Operators know nothing of graphs beyond the one node that they were read from.

mod axes;
mod batch;
mod error;
mod host;
mod infer;
pub mod kernels;
mod known;
mod node_view;
mod rearrange;
mod rewrite;
mod support;
#[cfg(test)]
mod testing;
mod upgrade;
mod value;
mod window;

use std::fmt::Debug;
use std::sync::Arc;

pub use batch::{check_batch, rewrite_batch};
pub use error::OpError;
pub use host::permuted;
pub use infer::infer;
pub use node_view::NodeView;
pub use normalization::batch_norm_epsilon;
pub use support::{Gradient, Support};
pub use value::Value;

use crate::graph::{Graph, Node, Shape};

/// Declares the families' modules and the registry.
macro_rules! families {
    ($($family:ident),* $(,)?) => {
        $(mod $family;)*

        /// Every family's operator names with its reader.
        const FAMILIES: &[(&[Support], Read)] = &[$(($family::OPERATORS, $family::read)),*];
    };
}

families! {
    activation, arg_max, arithmetic, concat, conv, conv_transpose, einsum, gather, layer_norm, logic, lrn, matmul,
    normalization, pad, pass, pool, power, reduce, resize, shape, softmax, space, unary,
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

    /// The bounds between which it moves values that lie outside, if that is all it does.
    fn bounds(&self) -> Option<[f32; 2]> {
        None
    }

    /// The operator with such bounds on its output, if it can do both at once and has none yet.
    fn bounded(&self, _bounds: [f32; 2]) -> Option<Arc<dyn Operator>> {
        None
    }

    /// The operator that keeps from one pass to the next what it makes of its weights alone, if that is worth the memory.
    fn keeping(&self) -> Option<Arc<dyn Operator>> {
        None
    }
}

/// Finds the operator of a node and parses its attributes.
///
/// # Errors
///
/// An operator that is not supported, an attribute that is missing, unknown or out of range.
pub fn read(graph: &Graph, node: &Node) -> Result<Box<dyn Operator>, OpError> {
    let view = NodeView::new(graph, node);
    let named = |supports: &[Support]| supports.iter().any(|support| support.name == node.op_type);
    let family = FAMILIES
        .iter()
        .find(|(supports, _)| node.domain.is_empty() && named(supports))
        .ok_or_else(|| view.unsupported())?;
    family.1(&view)
}

/// All operators that a network may have, sorted by name.
pub fn supported() -> Vec<Support> {
    let mut all: Vec<Support> = families().flatten().copied().collect();
    all.sort_unstable_by_key(|support| support.name);
    all
}

/// [`supported`] as the Markdown table of docs/operators.md.
pub fn support_table() -> String {
    support::table(&supported())
}

fn families() -> impl Iterator<Item = &'static [Support]> {
    FAMILIES.iter().map(|(supports, _)| *supports).chain([host::OPERATORS])
}

/// Whether a network may have the operator of this name.
fn supports(op_type: &str) -> bool {
    families().flatten().any(|support| support.name == op_type)
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

    /// After a change: `graftlab inspect --support`, put between the marks.
    #[test]
    fn the_documents_hold_the_table() {
        let page = include_str!("../../docs/operators.md");
        let (_, rest) = page.split_once("<!-- graftlab inspect --support -->\n").unwrap();
        let (table, _) = rest.split_once("<!-- end -->").unwrap();
        assert_eq!(table, support_table());
    }

    #[test]
    fn no_operator_is_listed_twice() {
        let names: Vec<_> = supported().iter().map(|support| support.name).collect();
        assert!(names.windows(2).all(|pair| pair[0] < pair[1]), "{names:?}");
    }
}
