//! The constant inputs and attributes of a node.

use crate::graph::{Attribute, Constant, Node, Shape, elements};

/// What a node is computed from.
pub struct Arguments<'a> {
    node: &'a Node,
    inputs: Vec<Option<Constant>>,
}

impl<'a> Arguments<'a> {
    pub fn new(node: &'a Node, inputs: Vec<Option<Constant>>) -> Self {
        Self { node, inputs }
    }

    /// Whether this is a node of the operator `op_type`.
    pub fn is(&self, op_type: &str) -> bool {
        self.node.op_type == op_type
    }

    /// Input `index`, if it is given.
    pub fn input(&self, index: usize) -> Option<&Constant> {
        self.inputs.get(index)?.as_ref()
    }

    /// All inputs, if none is left out.
    pub fn all(&self) -> Option<Vec<&Constant>> {
        self.inputs.iter().map(Option::as_ref).collect()
    }

    /// Input `index` as integers.
    pub fn ints(&self, index: usize) -> Option<&[i64]> {
        self.input(index)?.as_i64()
    }

    /// Integers that older operator sets have as the attribute `name` and newer ones as input `index`; the inner `None`
    /// where they are left out.
    pub fn list(&self, index: usize, name: &str) -> Option<Option<Vec<i64>>> {
        match (self.input(index), self.node.attributes.get(name)) {
            (Some(input), _) => Some(Some(input.as_i64()?.to_vec())),
            (None, Some(Attribute::Ints(values))) => Some(Some(values.clone())),
            (None, None) => Some(None),
            _ => None,
        }
    }

    /// An integer attribute, `default` where it is left out.
    pub fn int(&self, name: &str, default: i64) -> Option<i64> {
        match self.node.attributes.get(name) {
            None => Some(default),
            Some(Attribute::Int(value)) => Some(*value),
            Some(_) => None,
        }
    }

    pub fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.node.attributes.get(name)
    }

    /// The number of values of `shape`, if a result may have that many.
    pub fn room(&self, shape: &Shape) -> Option<usize> {
        let largest = self.inputs.iter().flatten().map(Constant::len).max().unwrap_or(0);
        elements(shape).filter(|count| *count <= largest.max(super::GROWTH))
    }
}
