//! Softmax and its logarithm.

use burn::tensor::{Tensor, activation};

use super::axes::axis;
use super::value::ElementWise;
use super::{Mode, NodeView, OpError, Operator, Outputs, Support, Value, tensor};
use crate::graph::Shape;

pub const OPERATORS: &[Support] =
    &[Support::new("LogSoftmax", &[1, 11, 13]), Support::new("Softmax", &[1, 11, 13])];

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

#[cfg(test)]
mod tests {
    use crate::ops::testing::{NodeTest, assert_close};

    #[test]
    fn values_are_those_of_onnx() {
        let x = |op_type: &str| NodeTest::new(op_type).tensor(&[2, 2], &[0.0, 1000.0, 3.0, 3.0]);
        assert_close(&x("Softmax").run().1, &[0.0, 1.0, 0.5, 0.5]);
        assert_close(
            &x("LogSoftmax").run().1,
            &[-1000.0, 0.0, -std::f32::consts::LN_2, -std::f32::consts::LN_2],
        );
        assert_close(&x("Softmax").with("axis", 0).run().1, &[0.047426, 1.0, 0.952574, 0.0]);
    }

    /// Before operator set 13 all axes from `axis` on were one.
    #[test]
    fn older_forms_flatten() {
        let x = |opset| NodeTest::new("Softmax").opset(opset).tensor(&[1, 2, 2], &[0.0, 0.0, 1.0, 1.0]);
        assert_close(&x(13).run().1, &[0.5, 0.5, 0.5, 0.5]);
        assert_close(&x(11).run().1, &[0.134471, 0.134471, 0.365529, 0.365529]);
        assert_close(&x(11).with("axis", 2).run().1, &[0.5, 0.5, 0.5, 0.5]);
        let pixels = NodeTest::new("Softmax").opset(7).tensor(&[1, 3, 1, 1], &[0.0, 0.0, 0.0]);
        assert_close(&pixels.run().1, &[1.0 / 3.0; 3]);
        assert_eq!(pixels.inferred().nodes.len(), 1);
    }

    #[test]
    fn gradients_are_those_of_differences() {
        for op_type in ["Softmax", "LogSoftmax"] {
            NodeTest::new(op_type).noise(&[2, 3, 2]).with("axis", 1).check_gradients();
        }
    }
}
