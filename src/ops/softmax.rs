//! Softmax and its logarithm.

use burn::tensor::{Tensor, activation};

use super::axes::axis;
use super::value::ElementWise;
use super::{Mode, NodeView, OpError, Operator, Outputs, Value, tensor};
use crate::graph::Shape;

pub const OPERATORS: &[&str] = &["LogSoftmax", "Softmax"];

pub fn read(view: &NodeView) -> Result<Box<dyn Operator>, OpError> {
    view.signature(&["input"], 0, 1)?;
    view.only(&["axis"])?;
    let rank = view.input_shape(0).len();
    let axis = axis(view.int("axis")?.unwrap_or(-1), rank).map_err(|reason| view.invalid(reason))?;
    Ok(Box::new(Softmax { axis, logarithm: view.op_type() == "LogSoftmax" }))
}

/// ONNX `Softmax` and `LogSoftmax` (13) along one axis.
#[derive(Debug)]
struct Softmax {
    axis: usize,
    logarithm: bool,
}

impl Operator for Softmax {
    fn shapes(&self, inputs: &[&[usize]]) -> Result<Vec<Shape>, String> {
        Ok(vec![inputs[0].to_vec()])
    }

    fn run(&self, inputs: &[Option<Value>], _mode: Mode) -> Outputs {
        tensor(inputs, 0).map(self).into()
    }
}

impl ElementWise for &Softmax {
    fn apply<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        if self.logarithm { activation::log_softmax(x, self.axis) } else { activation::softmax(x, self.axis) }
    }
}
