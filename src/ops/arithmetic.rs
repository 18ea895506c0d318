//! Elementwise arithmetic of several tensors, which broadcast against each other.

use burn::tensor::Tensor;

use super::axes::broadcast;
use super::value::Binary;
use super::{Mode, NodeView, OpError, Operator, Outputs, Value, tensor};
use crate::graph::Shape;

pub const OPERATORS: &[&str] = &["Add", "Div", "Mul", "Sub", "Sum"];

pub fn read(view: &NodeView) -> Result<Box<dyn Operator>, OpError> {
    view.only(&[])?;
    let operation = match view.op_type() {
        "Add" => Arithmetic::Add,
        "Div" => Arithmetic::Divide,
        "Mul" => Arithmetic::Multiply,
        "Sub" => Arithmetic::Subtract,
        _ => {
            view.signature(&vec!["data"; view.inputs().max(1)], 0, 1)?;
            return Ok(Box::new(Arithmetic::Add));
        }
    };
    view.signature(&["A", "B"], 0, 1)?;
    Ok(Box::new(operation))
}

/// ONNX `Add`, `Div`, `Mul`, `Sub` (7, 13, 14), and `Sum` (8, 13), which is `Add` of any number of tensors.
#[derive(Debug)]
enum Arithmetic {
    Add,
    Divide,
    Multiply,
    Subtract,
}

impl Operator for Arithmetic {
    fn shapes(&self, inputs: &[&[usize]]) -> Result<Vec<Shape>, String> {
        Ok(vec![broadcast(inputs)?])
    }

    fn run(&self, inputs: &[Option<Value>], _mode: Mode) -> Outputs {
        let rest = (1..inputs.len()).map(|index| tensor(inputs, index));
        rest.fold(tensor(inputs, 0), |left, right| left.zip(right, self)).into()
    }
}

impl Binary for &Arithmetic {
    fn apply<const D: usize>(&self, left: Tensor<D>, right: Tensor<D>) -> Tensor<D> {
        match self {
            Arithmetic::Add => left + right,
            Arithmetic::Divide => left / right,
            Arithmetic::Multiply => left * right,
            Arithmetic::Subtract => left - right,
        }
    }
}
