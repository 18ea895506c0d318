//! Local response normalisation.

use burn::tensor::{Tensor, ops::PadMode};

use super::{Mode, NodeView, OpError, Operator, Outputs, Support, Value, tensor};
use crate::graph::Shape;

pub const OPERATORS: &[Support] = &[Support::new("LRN", &[1, 13]).limits("4 axes")];

pub fn read(view: &NodeView) -> Result<Box<dyn Operator>, OpError> {
    view.signature(&["X"], 0, 1)?;
    view.only(&["alpha", "beta", "bias", "size"])?;
    let size = view.int("size")?.ok_or_else(|| view.invalid("attribute 'size' is missing"))?;
    let size = usize::try_from(size).ok().filter(|size| (1..1 << 12).contains(size));
    let size = size.ok_or_else(|| view.invalid("attribute 'size' is out of range"))?;
    Ok(Box::new(Lrn {
        alpha: view.float("alpha")?.unwrap_or(1e-4).into(),
        beta: view.float("beta")?.unwrap_or(0.75).into(),
        bias: view.float("bias")?.unwrap_or(1.0).into(),
        size,
    }))
}

/// ONNX `LRN` (1, 13): `x / (bias + alpha / size * sum of squares over neighbouring channels) ^ beta`.
#[derive(Debug)]
struct Lrn {
    alpha: f64,
    beta: f64,
    bias: f64,
    /// How many channels are summed over.
    size: usize,
}

impl Operator for Lrn {
    fn shapes(&self, inputs: &[&[usize]]) -> Result<Vec<Shape>, String> {
        match inputs[0] {
            shape @ [_, _, _, _] => Ok(vec![shape.to_vec()]),
            other => Err(format!("the input {other:?} must have 4 axes")),
        }
    }

    fn run(&self, inputs: &[Option<Value>], _mode: Mode) -> Outputs {
        let x: Tensor<4> = tensor(inputs, 0).to_rank();
        let channels = x.dims()[1];
        // There is nothing to sum beyond the first and the last channel.
        let before = ((self.size - 1) / 2).min(channels - 1);
        let after = (self.size / 2).min(channels - 1);
        let square =
            (x.clone() * x.clone()).pad([(0, 0), (before, after), (0, 0), (0, 0)], PadMode::Constant(0.0));
        let first = square.clone().narrow(1, 0, channels);
        let sum =
            (1..=before + after).fold(first, |sum, shift| sum + square.clone().narrow(1, shift, channels));
        let scale = sum.mul_scalar(self.alpha / self.size as f64).add_scalar(self.bias);
        Value::from(x / scale.powf_scalar(self.beta)).into()
    }
}

#[cfg(test)]
mod tests {
    use crate::ops::testing::{NodeTest, assert_close};

    #[test]
    fn neighbouring_channels_hold_a_channel_down() {
        let x = || {
            NodeTest::new("LRN")
                .tensor(&[1, 4, 1, 1], &[1.0, 2.0, 3.0, 4.0])
                .with("alpha", 1.0)
                .with("beta", 1.0)
        };
        assert_close(&x().with("size", 1).run().1, &[0.5, 0.4, 0.3, 4.0 / 17.0]);
        let thirds = [
            1.0 / (1.0 + 5.0 / 3.0),
            2.0 / (1.0 + 14.0 / 3.0),
            3.0 / (1.0 + 29.0 / 3.0),
            4.0 / (1.0 + 25.0 / 3.0),
        ];
        assert_close(&x().with("size", 3).run().1, &thirds);
        // Of an even number, one more neighbour comes after a channel than before it.
        assert_close(&x().with("size", 2).run().1[..1], &[1.0 / 3.5]);
    }

    #[test]
    fn gradients_are_those_of_differences() {
        NodeTest::new("LRN").noise(&[2, 4, 1, 2]).with("size", 3).with("alpha", 0.5).check_gradients();
    }

    #[test]
    fn a_size_is_needed() {
        let error = NodeTest::new("LRN").noise(&[1, 1, 1, 1]).error();
        assert!(error.contains("'size' is missing"), "{error}");
    }
}
