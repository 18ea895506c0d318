//! Convolutions.

use std::sync::Arc;

use burn::tensor::{Tensor, ops::ConvOptions};

use super::kernels::{Kept, infer_conv2d};
use super::window::Window;
use super::{Mode, NodeView, OpError, Operator, Outputs, Support, Value, optional, tensor};
use crate::graph::Shape;

pub const OPERATORS: &[Support] = &[Support::new("Conv", &[1, 11, 22]).limits("one axis, or height and width")];

pub fn read(view: &NodeView) -> Result<Box<dyn Operator>, OpError> {
    view.signature(&["X", "W"], 1, 1)?;
    view.floats(2, "B")?;
    let mut known = Window::ATTRIBUTES.to_vec();
    known.push("group");
    view.only(&known)?;
    let &[_, _, height, width] = view.input_shape(1) else {
        let rank = view.input_shape(1).len();
        return Err(
            view.invalid(format!("the weights have {rank} axes; only convolutions along one or two axes are supported"))
        );
    };
    let groups = view.int("group")?.unwrap_or(1);
    let groups = usize::try_from(groups).ok().filter(|groups| *groups > 0);
    let groups = groups.ok_or_else(|| view.invalid("attribute 'group' must be positive"))?;
    check_bias(view)?;
    Ok(Box::new(Conv { window: Window::read(view, Some([height, width]))?, groups, bounds: None, kept: None }))
}

/// A scalar would look like a bias that is left out.
pub(super) fn check_bias(view: &NodeView) -> Result<(), OpError> {
    match view.has_input(2) && view.input_shape(2).is_empty() {
        true => Err(view.invalid("input 'B' is a single number; one for each filter is needed")),
        false => Ok(()),
    }
}

/// ONNX `Conv` (1, 11, 22) over height and width.
///
/// # Shapes
///
/// - `X`: [batch, channels, height, width]
/// - `W`: [filters, channels / groups, kernel height, kernel width]
/// - `B`: [filters]
#[derive(Clone, Debug)]
struct Conv {
    window: Window,
    groups: usize,
    /// What its output is moved between.
    bounds: Option<[f32; 2]>,
    /// In networks for inference.
    kept: Option<Kept>,
}

impl Operator for Conv {
    fn shapes(&self, inputs: &[&[usize]]) -> Result<Vec<Shape>, String> {
        let &[batch, channels, height, width] = inputs[0] else {
            return Err(format!("the input {:?} must have 4 axes", inputs[0]));
        };
        let &[filters, weight_channels, ..] = inputs[1] else {
            return Err(format!("the weights {:?} must have 4 axes", inputs[1]));
        };
        if !filters.is_multiple_of(self.groups) || weight_channels.checked_mul(self.groups) != Some(channels)
        {
            return Err(format!(
                "weights {:?} in {} groups do not fit an input of {channels} channels",
                inputs[1], self.groups
            ));
        }
        if let Some(bias) = inputs.get(2)
            && !bias.is_empty()
            && *bias != [filters]
        {
            return Err(format!("the bias {bias:?} must hold {filters} values"));
        }
        let [height, width] = self.window.output(channels, [height, width])?;
        Ok(vec![vec![batch, filters, height, width]])
    }

    fn macs(&self, inputs: &[&[usize]], outputs: &[Shape]) -> u64 {
        let per_output: usize = inputs[1].iter().skip(1).product();
        outputs[0].iter().map(|size| *size as u64).product::<u64>() * per_output as u64
    }

    fn run(&self, inputs: &[Option<Value>], _mode: Mode) -> Outputs {
        let x: Tensor<4> = tensor(inputs, 0).to_rank();
        let weight = tensor(inputs, 1).to_rank();
        let bias = optional(inputs, 2).map(Value::to_rank);
        let [_, _, height, width] = x.dims();
        let options = ConvOptions::new_with_padding(
            self.window.stride,
            self.window.padding([height, width]),
            self.window.dilation,
            self.groups,
        );
        Value::from(infer_conv2d(x, weight, bias, options, self.bounds, self.kept.as_ref())).into()
    }

    fn bounded(&self, bounds: [f32; 2]) -> Option<Arc<dyn Operator>> {
        let free = self.bounds.is_none();
        free.then(|| Arc::new(Self { bounds: Some(bounds), ..self.clone() }) as Arc<dyn Operator>)
    }

    fn keeping(&self) -> Option<Arc<dyn Operator>> {
        Some(Arc::new(Self { kept: Some(Kept::default()), ..self.clone() }))
    }
}

#[cfg(test)]
mod tests {
    use crate::graph::Constant;
    use crate::ops::testing::{NodeTest, assert_close};

    fn ones(count: usize) -> Vec<f32> {
        vec![1.0; count]
    }

    fn ramp(count: usize) -> Vec<f32> {
        (0..count).map(|value| value as f32).collect()
    }

    /// Over the image 0 1 2 / 3 4 5 / 6 7 8.
    #[test]
    fn padding_stride_and_dilation_move_the_window() {
        let conv = |kernel: usize| {
            NodeTest::new("Conv")
                .tensor(&[1, 1, 3, 3], &ramp(9))
                .tensor(&[1, 1, kernel, kernel], &ones(kernel * kernel))
        };
        for (test, shape, expected) in [
            (conv(2), [1, 1, 2, 2], &[8.0, 12.0, 20.0, 24.0][..]),
            (conv(2).with("pads", vec![1, 0, 0, 0]), [1, 1, 3, 2], &[1.0, 3.0, 8.0, 12.0, 20.0, 24.0]),
            (conv(2).with("strides", vec![1, 2]), [1, 1, 2, 1], &[8.0, 20.0]),
            (conv(2).with("dilations", vec![2, 2]), [1, 1, 1, 1], &[16.0]),
            (
                conv(2).with("auto_pad", "SAME_UPPER"),
                [1, 1, 3, 3],
                &[8.0, 12.0, 7.0, 20.0, 24.0, 13.0, 13.0, 15.0, 8.0],
            ),
            (
                conv(2).with("auto_pad", "SAME_LOWER"),
                [1, 1, 3, 3],
                &[0.0, 1.0, 3.0, 3.0, 8.0, 12.0, 9.0, 20.0, 24.0],
            ),
            (conv(3).with("auto_pad", "VALID"), [1, 1, 1, 1], &[36.0]),
        ] {
            let (given, values) = test.run();
            assert_eq!(given, shape);
            assert_close(&values, expected);
        }
    }

    #[test]
    fn groups_see_their_own_channels() {
        let (shape, values) = NodeTest::new("Conv")
            .tensor(&[1, 4, 1, 1], &[1.0, 2.0, 3.0, 4.0])
            .tensor(&[2, 2, 1, 1], &[1.0, 10.0, 1.0, 10.0])
            .tensor(&[2], &[0.5, -0.5])
            .with("group", 2)
            .run();
        assert_eq!(shape, [1, 2, 1, 1]);
        assert_close(&values, &[21.5, 42.5]);
    }

    #[test]
    fn macs_count_products_per_output() {
        let macs = NodeTest::new("Conv").noise(&[1, 4, 6, 6]).noise(&[8, 2, 3, 3]).with("group", 2).macs();
        assert_eq!(macs, 8 * 4 * 4 * 2 * 9);
    }

    #[test]
    fn gradients_are_those_of_differences() {
        let conv = || NodeTest::new("Conv").noise(&[2, 2, 4, 4]).noise(&[4, 2, 2, 3]).noise(&[4]);
        conv().check_gradients();
        conv().with("pads", vec![1, 0, 0, 1]).with("strides", vec![2, 1]).check_gradients();
        let depthwise = NodeTest::new("Conv").noise(&[1, 3, 4, 4]).noise(&[3, 1, 2, 2]).with("group", 3);
        depthwise.with("dilations", vec![2, 1]).check_gradients();
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let conv = || NodeTest::new("Conv").noise(&[1, 4, 6, 6]).noise(&[8, 4, 3, 3]);
        for (test, reason) in [
            (conv().with("group", 3), "in 3 groups do not fit an input of 4 channels"),
            (conv().with("group", 0), "'group' must be positive"),
            (conv().with("strides", vec![0, 1]), "'strides' holds 0"),
            (conv().with("strides", vec![2]), "1 spatial axes"),
            (conv().with("pads", vec![-1, 0, 0, 0]), "'pads' holds -1"),
            (conv().with("pads", vec![30000; 4]).with("strides", vec![30000; 2]), "is too large"),
            (
                NodeTest::new("Conv").noise(&[1, 4, 6, 6]).constant(Constant::f32(vec![8, 4, 0, 3], vec![])),
                "empty",
            ),
            (conv().with("pads", vec![i64::MAX, 0, 0, 0]), "'pads' holds 9223372036854775807"),
            (conv().with("kernel_shape", vec![5, 5]), "differs from the weights' [3, 3]"),
            (conv().with("auto_pad", "SAME"), "auto_pad 'SAME' is not known"),
            (conv().with("auto_pad", "VALID").with("pads", vec![1, 1, 1, 1]), "both 'pads' and auto_pad"),
            (conv().with("dilations", vec![4, 4]), "a window of 9 does not fit into 6"),
            (conv().noise(&[3]), "bias [3] must hold 8 values"),
            (conv().noise(&[]), "input 'B' is a single number"),
            (conv().ints(&[1; 8]), "input 'B' must hold floats"),
            (conv().with("extra", 1), "attribute 'extra' is not supported"),
            (NodeTest::new("Conv").noise(&[1, 4, 6, 6]), "input 'W' is missing"),
            (NodeTest::new("Conv").noise(&[1, 4, 6, 6, 6]).noise(&[8, 4, 3, 3, 3]), "along one or two axes"),
        ] {
            let error = test.error();
            assert!(error.contains(reason), "{error}");
            assert!(error.starts_with("node 'node': operator Conv (opset 18)"), "{error}");
        }
    }
}
