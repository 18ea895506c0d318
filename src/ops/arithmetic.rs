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

#[cfg(test)]
mod tests {
    use crate::ops::testing::{NodeTest, assert_close};

    #[test]
    fn operands_broadcast() {
        for (op_type, expected) in [
            ("Add", [11.0, 12.0, 21.0, 22.0]),
            ("Sub", [-9.0, -8.0, -19.0, -18.0]),
            ("Mul", [10.0, 20.0, 20.0, 40.0]),
            ("Div", [0.1, 0.2, 0.05, 0.1]),
        ] {
            let (shape, values) =
                NodeTest::new(op_type).tensor(&[2], &[1.0, 2.0]).tensor(&[1, 2, 1], &[10.0, 20.0]).run();
            assert_eq!(shape, [1, 2, 2]);
            assert_close(&values, &expected);
        }
    }

    #[test]
    fn a_sum_has_any_number_of_operands() {
        let sum = || NodeTest::new("Sum").tensor(&[2], &[1.0, 2.0]);
        assert_close(&sum().run().1, &[1.0, 2.0]);
        assert_close(&sum().tensor(&[1], &[10.0]).tensor(&[2], &[5.0, 6.0]).run().1, &[16.0, 18.0]);
    }

    #[test]
    fn gradients_are_those_of_differences() {
        for op_type in ["Add", "Div", "Mul", "Sub"] {
            NodeTest::new(op_type).noise(&[2, 1, 3]).positive(&[2, 1]).check_gradients();
        }
    }

    #[test]
    fn operands_that_do_not_fit_are_refused() {
        let error = NodeTest::new("Add").noise(&[2, 3]).noise(&[2]).error();
        assert!(error.contains("the shapes [[2, 3], [2]] do not broadcast"), "{error}");
        let error = NodeTest::new("Mul").noise(&[2]).ints(&[2]).error();
        assert!(error.contains("input 'B' must hold floats"), "{error}");
    }
}
