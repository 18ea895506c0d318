//! Padding.

use burn::tensor::{Tensor, ops::PadMode};

use super::axes::axis;
use super::value::ElementWise;
use super::{Mode, NodeView, OpError, Operator, Outputs, Support, Value, tensor};
use crate::graph::Shape;

pub const OPERATORS: &[Support] = &[Support::new("Pad", &[2, 11, 13, 18, 19, 21, 23, 24, 25])
    .limits("constant, edge and reflect; constant amounts of at least 0")];

pub fn read(view: &NodeView) -> Result<Box<dyn Operator>, OpError> {
    view.signature(&["data"], 3, 1)?;
    view.only(&["mode"])?;
    let rank = view.input_shape(0).len();
    let pads = view.ints_input(1, "pads")?.ok_or_else(|| view.invalid("input 'pads' is missing"))?;
    let axes = view.ints_input(3, "axes")?.unwrap_or_else(|| (0..rank as i64).collect());
    let sizes: Option<Vec<usize>> =
        pads.iter().map(|size| usize::try_from(*size).ok().filter(|size| *size < 1 << 15)).collect();
    let sizes = sizes.ok_or_else(|| view.invalid(format!("pads {pads:?} are negative or too large")))?;
    if sizes.len() != 2 * axes.len() {
        return Err(view.invalid(format!("pads {pads:?} do not fit {} axes", axes.len())));
    }
    let (begins, ends) = sizes.split_at(axes.len());
    let mut padding = vec![(0, 0); rank];
    for (entry, amounts) in axes.iter().zip(begins.iter().copied().zip(ends.iter().copied())) {
        padding[axis(*entry, rank).map_err(|reason| view.invalid(reason))?] = amounts;
    }
    let mode = match view.string("mode")?.unwrap_or("constant") {
        "constant" => PadMode::Constant(view.float_input(2, "constant_value")?.unwrap_or(0.0)),
        "edge" => PadMode::Edge,
        "reflect" => PadMode::Reflect,
        other => return Err(view.invalid(format!("mode '{other}' is not supported"))),
    };
    Ok(Box::new(Pad { padding, mode }))
}

/// ONNX `Pad` (2, 11, 13, 18, 19, 21 to 25).
#[derive(Debug)]
struct Pad {
    /// Begin and end, per axis.
    padding: Vec<(usize, usize)>,
    mode: PadMode,
}

impl Operator for Pad {
    fn shapes(&self, inputs: &[&[usize]]) -> Result<Vec<Shape>, String> {
        let sizes = inputs[0].iter().zip(&self.padding);
        let reflects = matches!(self.mode, PadMode::Reflect);
        if reflects
            && let Some((size, _)) = sizes.clone().find(|(size, (begin, end))| begin.max(end) >= *size)
        {
            return Err(format!("an axis of {size} is too short to reflect {:?}", self.padding));
        }
        Ok(vec![sizes.map(|(size, (begin, end))| size + begin + end).collect()])
    }

    fn run(&self, inputs: &[Option<Value>], _mode: Mode) -> Outputs {
        tensor(inputs, 0).map(self).into()
    }
}

impl ElementWise for &Pad {
    fn apply<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        x.pad(&self.padding[..], self.mode)
    }
}

#[cfg(test)]
mod tests {
    use crate::graph::Constant;
    use crate::ops::testing::{NodeTest, assert_close};

    fn pad(mode: &str) -> NodeTest {
        NodeTest::new("Pad").tensor(&[1, 3], &[1.0, 2.0, 3.0]).with("mode", mode)
    }

    #[test]
    fn values_are_those_of_onnx() {
        for (test, expected) in [
            (pad("constant").ints(&[0, 1, 0, 2]), &[0.0, 1.0, 2.0, 3.0, 0.0, 0.0][..]),
            (pad("constant").ints(&[0, 1, 0, 0]).constant(Constant::scalar(9.0)), &[9.0, 1.0, 2.0, 3.0]),
            (pad("constant").ints(&[1, 0]).none().ints(&[-1]), &[0.0, 1.0, 2.0, 3.0]),
            (pad("edge").ints(&[0, 2, 0, 1]), &[1.0, 1.0, 1.0, 2.0, 3.0, 3.0]),
            (pad("reflect").ints(&[0, 2, 0, 1]), &[3.0, 2.0, 1.0, 2.0, 3.0, 2.0]),
            (
                pad("constant").opset(7).with("pads", vec![0, 1, 0, 0]).with("value", 4.0),
                &[4.0, 1.0, 2.0, 3.0],
            ),
        ] {
            assert_close(&test.run().1, expected);
        }
    }

    #[test]
    fn gradients_are_those_of_differences() {
        for mode in ["constant", "edge", "reflect"] {
            NodeTest::new("Pad")
                .noise(&[1, 2, 3, 3])
                .ints(&[0, 0, 1, 2, 0, 0, 2, 0])
                .with("mode", mode)
                .check_gradients();
        }
    }

    #[test]
    fn what_is_not_supported_is_refused() {
        for (test, reason) in [
            (pad("wrap").ints(&[0, 1, 0, 1]), "mode 'wrap' is not supported"),
            (pad("constant").ints(&[0, -1, 0, 0]), "negative"),
            (pad("constant").ints(&[1, 1]), "do not fit 2 axes"),
            (pad("reflect").ints(&[0, 3, 0, 0]), "too short to reflect"),
        ] {
            let error = test.error();
            assert!(error.contains(reason), "{error}");
        }
    }
}
