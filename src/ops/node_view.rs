//! A node as an operator reads it: attributes by name and type, constant inputs, input shapes.

use super::OpError;
use crate::graph::{Attribute, Constant, Graph, Node};

/// Typed access to one node of one graph, with errors that name the node.
#[derive(Clone, Copy)]
pub struct NodeView<'a> {
    graph: &'a Graph,
    node: &'a Node,
}

impl<'a> NodeView<'a> {
    pub fn new(graph: &'a Graph, node: &'a Node) -> Self {
        Self { graph, node }
    }

    pub fn op_type(&self) -> &'a str {
        &self.node.op_type
    }

    /// Version of the standard operator set.
    pub fn opset(&self) -> i64 {
        self.graph.opset
    }

    /// Whether input `index` is given.
    pub fn has_input(&self, index: usize) -> bool {
        self.node.inputs.get(index).is_some_and(Option::is_some)
    }

    /// Number of inputs the node names, left out or not.
    pub fn inputs(&self) -> usize {
        self.node.inputs.len()
    }

    /// Number of outputs the node names.
    pub fn outputs(&self) -> usize {
        self.node.outputs.len()
    }

    /// Checks the inputs and outputs: all of `required` are given and are tensors of floats, at most `optional` more
    /// follow, and there are at most `outputs` outputs.
    ///
    /// # Errors
    ///
    /// Names the input or output that does not fit.
    pub fn signature(&self, required: &[&str], optional: usize, outputs: usize) -> Result<(), OpError> {
        for (index, name) in required.iter().enumerate().filter(|(index, _)| self.has_input(*index)) {
            self.floats(index, name)?;
        }
        self.given(required, optional, outputs)
    }

    /// Checks the number of inputs and outputs as [`NodeView::signature`] does, whatever the inputs hold.
    ///
    /// # Errors
    ///
    /// Names the input or output that does not fit.
    pub fn given(&self, required: &[&str], optional: usize, outputs: usize) -> Result<(), OpError> {
        if let Some((_, name)) = required.iter().enumerate().find(|(index, _)| !self.has_input(*index)) {
            return Err(self.invalid(format!("input '{name}' is missing")));
        }
        let most = required.len() + optional;
        if self.inputs() > most {
            return Err(self.invalid(format!("it has {} inputs; at most {most} are known", self.inputs())));
        }
        if self.outputs() > outputs {
            return Err(self.invalid(format!("output {} is not supported", outputs + 1)));
        }
        Ok(())
    }

    /// Checks that input `index`, if it is given, is a tensor of floats.
    ///
    /// # Errors
    ///
    /// It is a constant of integers or booleans.
    pub fn floats(&self, index: usize, name: &str) -> Result<(), OpError> {
        match self.constant(index) {
            Some(constant) if constant.as_f32().is_none() => {
                Err(self.invalid(format!("input '{name}' must hold floats")))
            }
            _ => Ok(()),
        }
    }

    /// Shape of input `index` for a batch of one image; empty if it is left out or not known.
    pub fn input_shape(&self, index: usize) -> &'a [usize] {
        match self.node.inputs.get(index) {
            Some(Some(id)) => self.graph.shape(*id),
            _ => &[],
        }
    }

    /// The value of input `index`, if it is a constant.
    pub fn constant(&self, index: usize) -> Option<&'a Constant> {
        self.graph.constants.get(self.node.inputs.get(index)?.as_ref()?)
    }

    /// Input `index` as a list of integers, `None` where it is left out.
    ///
    /// # Errors
    ///
    /// The input is computed at run time, or not of integers.
    pub fn ints_input(&self, index: usize, name: &str) -> Result<Option<Vec<i64>>, OpError> {
        if !self.has_input(index) {
            return Ok(None);
        }
        match self.constant(index).and_then(Constant::as_i64) {
            Some(values) => Ok(Some(values.to_vec())),
            None => Err(self.invalid(format!("input '{name}' must be a constant list of integers"))),
        }
    }

    /// Input `index` as one constant float, `None` where it is left out.
    ///
    /// # Errors
    ///
    /// The input is computed at run time, or not a single float.
    pub fn float_input(&self, index: usize, name: &str) -> Result<Option<f32>, OpError> {
        if !self.has_input(index) {
            return Ok(None);
        }
        match self.constant(index).and_then(Constant::as_f32) {
            Some([value]) => Ok(Some(*value)),
            _ => Err(self.invalid(format!("input '{name}' must be a constant float"))),
        }
    }

    /// Input `index` as constant floats, `None` where it is left out or empty.
    ///
    /// # Errors
    ///
    /// The input is computed at run time, or not of floats.
    pub fn floats_input(&self, index: usize, name: &str) -> Result<Option<Vec<f32>>, OpError> {
        if !self.has_input(index) {
            return Ok(None);
        }
        match self.constant(index).and_then(Constant::as_f32) {
            Some(values) => Ok(Some(values.to_vec()).filter(|values| !values.is_empty())),
            None => Err(self.invalid(format!("input '{name}' must be constant floats"))),
        }
    }

    /// # Errors
    ///
    /// The attribute has another type.
    pub fn int(&self, name: &str) -> Result<Option<i64>, OpError> {
        match self.node.attributes.get(name) {
            None => Ok(None),
            Some(Attribute::Int(value)) => Ok(Some(*value)),
            Some(_) => Err(self.wrong_type(name, "an integer")),
        }
    }

    /// # Errors
    ///
    /// The attribute has another type.
    pub fn float(&self, name: &str) -> Result<Option<f32>, OpError> {
        match self.node.attributes.get(name) {
            None => Ok(None),
            Some(Attribute::Float(value)) => Ok(Some(*value)),
            Some(_) => Err(self.wrong_type(name, "a float")),
        }
    }

    /// # Errors
    ///
    /// The attribute has another type.
    pub fn ints(&self, name: &str) -> Result<Option<&'a [i64]>, OpError> {
        match self.node.attributes.get(name) {
            None => Ok(None),
            Some(Attribute::Ints(values)) => Ok(Some(values)),
            Some(_) => Err(self.wrong_type(name, "a list of integers")),
        }
    }

    /// # Errors
    ///
    /// The attribute has another type.
    pub fn string(&self, name: &str) -> Result<Option<&'a str>, OpError> {
        match self.node.attributes.get(name) {
            None => Ok(None),
            Some(Attribute::String(value)) => Ok(Some(value)),
            Some(_) => Err(self.wrong_type(name, "a string")),
        }
    }

    /// Refuses attributes that are not in `known`, so that none is ignored in silence.
    ///
    /// # Errors
    ///
    /// Names the first attribute that is not known.
    pub fn only(&self, known: &[&str]) -> Result<(), OpError> {
        match self.node.attributes.keys().find(|name| !known.contains(&name.as_str())) {
            None => Ok(()),
            Some(name) => Err(self.invalid(format!("attribute '{name}' is not supported"))),
        }
    }

    /// An error about this node.
    pub fn invalid(&self, reason: impl Into<String>) -> OpError {
        OpError::Invalid {
            node: self.node.name.clone(),
            operator: self.node.op_type.clone(),
            opset: self.opset(),
            reason: reason.into(),
        }
    }

    /// The error for an operator that nobody here can run.
    pub fn unsupported(&self) -> OpError {
        let domain = &self.node.domain;
        let operator = if domain.is_empty() {
            self.op_type().to_owned()
        } else {
            format!("{domain}.{}", self.op_type())
        };
        OpError::Unsupported { node: self.node.name.clone(), operator, opset: self.opset() }
    }

    fn wrong_type(&self, name: &str, expected: &str) -> OpError {
        self.invalid(format!("attribute '{name}' must be {expected}"))
    }
}
