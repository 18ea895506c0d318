//! Elementwise arithmetic of several tensors, which broadcast against each other.

use burn::tensor::Tensor;

use super::axes::broadcast;
use super::value::Binary;
use super::{Mode, NodeView, OpError, Operator, Outputs, Support, Value, tensor};
use crate::graph::Shape;
use crate::with_tensor;

pub const OPERATORS: &[Support] = &[
    Support::new("Add", &[7, 13, 14]),
    Support::new("Div", &[7, 13, 14]),
    Support::new("Max", &[6, 8, 12, 13]),
    Support::new("Mean", &[6, 8, 13]),
    Support::new("Min", &[6, 8, 12, 13]),
    Support::new("Mul", &[7, 13, 14]),
    Support::new("Sub", &[7, 13, 14]),
    Support::new("Sum", &[6, 8, 13]),
];

pub fn read(view: &NodeView) -> Result<Box<dyn Operator>, OpError> {
    view.only(&[])?;
    let operation = match view.op_type() {
        "Add" | "Sum" => Arithmetic::Add,
        "Div" => Arithmetic::Divide,
        "Max" => Arithmetic::Maximum,
        "Mean" => Arithmetic::Mean,
        "Min" => Arithmetic::Minimum,
        "Mul" => Arithmetic::Multiply,
        _ => Arithmetic::Subtract,
    };
    match view.op_type() {
        "Max" | "Mean" | "Min" | "Sum" => view.signature(&vec!["data"; view.inputs().max(1)], 0, 1)?,
        _ => view.signature(&["A", "B"], 0, 1)?,
    }
    Ok(Box::new(operation))
}

/// ONNX `Add`, `Div`, `Mul`, `Sub` (7, 13, 14), and of any number of tensors `Max` and `Min` (8, 12, 13), `Mean` and
/// `Sum` (8, 13).
#[derive(Debug)]
pub enum Arithmetic {
    Add,
    Divide,
    Maximum,
    Mean,
    Minimum,
    Multiply,
    Subtract,
}

impl Operator for Arithmetic {
    fn shapes(&self, inputs: &[&[usize]]) -> Result<Vec<Shape>, String> {
        Ok(vec![broadcast(inputs)?])
    }

    fn run(&self, inputs: &[Option<Value>], _mode: Mode) -> Outputs {
        let rest = (1..inputs.len()).map(|index| tensor(inputs, index));
        let folded = rest.fold(tensor(inputs, 0), |left, right| left.zip(right, self));
        match self {
            Self::Mean if inputs.len() > 1 => {
                with_tensor!(folded, sum => Value::from(sum.div_scalar(inputs.len() as f32))).into()
            }
            _ => folded.into(),
        }
    }
}

impl Binary for &Arithmetic {
    fn apply<const D: usize>(&self, left: Tensor<D>, right: Tensor<D>) -> Tensor<D> {
        match self {
            Arithmetic::Add | Arithmetic::Mean => left + right,
            Arithmetic::Divide => left / right,
            Arithmetic::Maximum => larger(left, right),
            Arithmetic::Minimum => larger(left.neg(), right.neg()).neg(),
            Arithmetic::Multiply => left * right,
            Arithmetic::Subtract => left - right,
        }
    }
}

fn larger<const D: usize>(left: Tensor<D>, right: Tensor<D>) -> Tensor<D> {
    let (left, right) = same_shape(left, right);
    let wins = left.clone().greater_equal(right.clone());
    right.mask_where(wins, left)
}

/// Both tensors in the shape that they take together.
pub fn same_shape<const D: usize>(left: Tensor<D>, right: Tensor<D>) -> (Tensor<D>, Tensor<D>) {
    let (a, b) = (left.dims(), right.dims());
    let shape: [usize; D] = std::array::from_fn(|axis| a[axis].max(b[axis]));
    let fit = |x: Tensor<D>| if x.dims() == shape { x } else { x.expand(shape) };
    (fit(left), fit(right))
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
            ("Max", [10.0, 10.0, 20.0, 20.0]),
            ("Min", [1.0, 2.0, 1.0, 2.0]),
            ("Mean", [5.5, 6.0, 10.5, 11.0]),
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
        for op_type in ["Add", "Div", "Max", "Mean", "Min", "Mul", "Sub"] {
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
