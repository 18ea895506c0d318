//! Computes on the host what is known before a network runs: shapes, integers and truth values, and single floats
//! made from them.
//!
//! Exporters write `x.view(x.size(0), -1)` as a chain of `Shape`, `Gather`, `Unsqueeze` and `Concat` before a
//! `Reshape`. Shapes are those for a batch of one image; `infer` then lets the reshape take any batch.

mod arguments;
mod convert;
mod elementwise;
mod movement;
mod reduce;
mod selection;

pub use arguments::Arguments;
pub use movement::permuted;

use super::Support;
use crate::graph::{Constant, Graph, Node};

/// Operators that are supported only where their result is known before the network runs.
pub const OPERATORS: &[Support] = &[
    Support::new("Constant", &[1, 9, 11, 12, 13, 19, 21, 23, 24, 25])
        .limits("numbers; becomes a constant of the graph")
        .host(),
    Support::new("ConstantOfShape", &[9, 20, 21, 23, 24, 25]).host(),
    Support::new("Mod", &[10, 13, 28]).host(),
    Support::new("NonZero", &[9, 13]).host(),
    Support::new("Range", &[11, 27]).host(),
    Support::new("Shape", &[1, 13, 15, 19, 21, 23, 24, 25]).limits("becomes a constant of the graph").host(),
    Support::new("Size", &[1, 13, 19, 21, 23, 24, 25]).limits("becomes a constant of the graph").host(),
];

/// The most values that a result may have beyond the largest input: enough for masks and tables of positions, far less
/// than a hostile file would ask for.
const GROWTH: usize = 1 << 20;

/// A function of two floats, and the same of integers, which may overflow.
type OfFloats = fn(f32, f32) -> f32;
type OfInts = fn(i64, i64) -> Option<i64>;

/// The constants that `node` yields from constant inputs, or from the shape of its input; `None` where it can't be
/// known here. Floats are computed as the network would.
pub fn compute(
    graph: &Graph,
    node: &Node,
    find: impl Fn(usize) -> Option<Constant>,
) -> Option<Vec<Constant>> {
    if !node.domain.is_empty() {
        return None;
    }
    let shape_of = |index: usize| graph.tensor((*node.inputs.get(index)?)?).shape.as_deref();
    if let "Shape" | "Size" = node.op_type.as_str() {
        let args = Arguments::new(node, vec![]);
        return Some(vec![movement::shape(&args, shape_of(0)?)?]);
    }
    let mut inputs = Vec::with_capacity(node.inputs.len());
    for (index, input) in node.inputs.iter().enumerate() {
        inputs.push(match input {
            Some(_) => Some(find(index)?),
            None => None,
        });
    }
    let args = Arguments::new(node, inputs);
    let op_type = node.op_type.as_str();
    let single = movement::compute(op_type, &args)
        .or_else(|| elementwise::compute(op_type, &args))
        .or_else(|| convert::compute(op_type, &args))
        .or_else(|| reduce::compute(op_type, &args));
    match single {
        Some(constant) => Some(vec![constant]),
        None if op_type == "Split" => selection::split(&args, node.outputs.len()),
        None => None,
    }
}

#[cfg(test)]
mod tests;
