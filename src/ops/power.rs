//! Powers.

use burn::tensor::Tensor;

use super::axes::broadcast;
use super::value::{Binary, ElementWise};
use super::{Mode, NodeView, OpError, Operator, Outputs, Support, Value, tensor};
use crate::graph::{Constant, ConstantData, Shape};

pub const OPERATORS: &[Support] = &[Support::new("Pow", &[7, 12, 13, 15])];

pub fn read(view: &NodeView) -> Result<Box<dyn Operator>, OpError> {
    view.given(&["X", "Y"], 0, 1)?;
    view.floats(0, "X")?;
    view.only(&[])?;
    let exponent = match view.constant(1) {
        None => None,
        Some(Constant { data: ConstantData::Bool(_), .. }) => {
            return Err(view.invalid("input 'Y' must hold numbers"));
        }
        Some(Constant { shape, data: ConstantData::I64(values) }) => {
            Some((shape.clone(), values.iter().map(|value| *value as f32).collect()))
        }
        Some(Constant { shape, data: ConstantData::F32(values) }) => {
            (values.len() == 1).then(|| (shape.clone(), values.to_vec()))
        }
    };
    Ok(Box::new(Pow { exponent }))
}

/// ONNX `Pow` (7, 12, 13, 15).
#[derive(Debug)]
struct Pow {
    /// Shape and values of an exponent that is taken in when the node is read: one number, or integers.
    exponent: Option<(Shape, Vec<f32>)>,
}

impl Operator for Pow {
    fn shapes(&self, inputs: &[&[usize]]) -> Result<Vec<Shape>, String> {
        Ok(vec![broadcast(inputs)?])
    }

    fn run(&self, inputs: &[Option<Value>], _mode: Mode) -> Outputs {
        let base = tensor(inputs, 0);
        let value = match &self.exponent {
            Some((shape, values)) => match values[..] {
                [exponent] if shape.len() <= base.rank() => base.map(Fixed(exponent)),
                _ => {
                    let exponent = Value::from_host(values, shape, &base.device());
                    base.zip(exponent, Power)
                }
            },
            None => base.zip(tensor(inputs, 1), Power),
        };
        value.into()
    }
}

/// A power with one exponent. Whole exponents are products, which are right for negative numbers on every device.
struct Fixed(f32);

impl ElementWise for Fixed {
    fn apply<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        match self.0 {
            1.0 => x,
            2.0 => x.clone() * x,
            3.0 => x.clone() * x.clone() * x,
            4.0 => {
                let square = x.clone() * x;
                square.clone() * square
            }
            0.5 => x.sqrt(),
            -1.0 => x.recip(),
            -0.5 => x.sqrt().recip(),
            exponent => x.powf_scalar(exponent),
        }
    }
}

struct Power;

impl Binary for Power {
    fn apply<const D: usize>(&self, x: Tensor<D>, y: Tensor<D>) -> Tensor<D> {
        x.powf(y)
    }
}

#[cfg(test)]
mod tests {
    use crate::graph::Constant;
    use crate::ops::testing::{NodeTest, assert_close};

    #[test]
    fn powers_are_those_of_onnx() {
        let x = || NodeTest::new("Pow").tensor(&[3], &[-2.0, 0.5, 3.0]);
        for (exponent, expected) in [
            (1.0, [-2.0, 0.5, 3.0]),
            (2.0, [4.0, 0.25, 9.0]),
            (3.0, [-8.0, 0.125, 27.0]),
            (4.0, [16.0, 0.0625, 81.0]),
        ] {
            assert_close(&x().constant(Constant::scalar(exponent)).run().1, &expected);
            assert_close(&x().ints(&[exponent as i64]).run().1, &expected);
        }
        assert_close(&x().ints(&[2, -1, 0]).run().1, &[4.0, 2.0, 1.0]);
        let positive = |exponent| {
            NodeTest::new("Pow").tensor(&[2], &[4.0, 0.25]).constant(Constant::scalar(exponent)).run().1
        };
        for (exponent, expected) in
            [(0.5, [2.0, 0.5]), (-0.5, [0.5, 2.0]), (-1.0, [0.25, 4.0]), (1.5, [8.0, 0.125])]
        {
            assert_close(&positive(exponent), &expected);
        }
        let (shape, values) =
            NodeTest::new("Pow").tensor(&[1, 2], &[2.0, 3.0]).tensor(&[2, 1], &[1.0, 2.0]).run();
        assert_eq!(shape, [2, 2]);
        assert_close(&values, &[2.0, 3.0, 4.0, 9.0]);
    }

    #[test]
    fn gradients_are_those_of_differences() {
        for exponent in [1.0, 2.0, 3.0, 4.0, 5.0] {
            NodeTest::new("Pow").noise(&[2, 3]).constant(Constant::scalar(exponent)).check_gradients();
        }
        for exponent in [0.5, -0.5, -1.0, 1.5] {
            NodeTest::new("Pow").positive(&[2, 3]).constant(Constant::scalar(exponent)).check_gradients();
        }
        NodeTest::new("Pow").positive(&[2, 3]).noise(&[3]).check_gradients();
    }
}
