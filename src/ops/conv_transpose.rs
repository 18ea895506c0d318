//! Transposed convolutions.

use burn::tensor::Tensor;
use burn::tensor::ops::ConvOptions;

use super::conv::check_bias;
use super::kernels::conv_transpose2d;
use super::window::Window;
use super::{Mode, NodeView, OpError, Operator, Outputs, Support, Value, optional, tensor};
use crate::graph::{Shape, elements};

pub const OPERATORS: &[Support] =
    &[Support::new("ConvTranspose", &[1, 11, 22]).limits("height and width (2-D); strides up to 256")];

/// The largest size of an output that is asked for.
const LIMIT: i64 = 1 << 15;

/// Every pixel of a stride is a pass of its own.
const MOST_STRIDE: usize = 256;

pub fn read(view: &NodeView) -> Result<Box<dyn Operator>, OpError> {
    view.signature(&["X", "W"], 1, 1)?;
    view.floats(2, "B")?;
    let mut known = Window::ATTRIBUTES.to_vec();
    known.extend(["group", "output_padding", "output_shape"]);
    view.only(&known)?;
    let &[_, _, height, width] = view.input_shape(1) else {
        let rank = view.input_shape(1).len();
        return Err(
            view.invalid(format!("the weights have {rank} axes; only 2-D convolutions are supported"))
        );
    };
    let groups = view.int("group")?.unwrap_or(1);
    let groups = usize::try_from(groups).ok().filter(|groups| *groups > 0);
    let groups = groups.ok_or_else(|| view.invalid("attribute 'group' must be positive"))?;
    check_bias(view)?;
    let window = Window::read(view, Some([height, width]))?;
    if window.stride.iter().any(|&stride| stride > MOST_STRIDE) {
        return Err(view.invalid(format!("strides {:?} are beyond {MOST_STRIDE}", window.stride)));
    }
    let pair = |name: &str, least: i64| match view.ints(name)? {
        None => Ok(None),
        Some(&[a, b]) if (least..LIMIT).contains(&a) && (least..LIMIT).contains(&b) => {
            Ok(Some([a as usize, b as usize]))
        }
        Some(other) => Err(view.invalid(format!("attribute '{name}' holds {other:?}; two sizes are needed"))),
    };
    let extra = pair("output_padding", 0)?.unwrap_or([0, 0]);
    let size = pair("output_shape", 1)?;
    Ok(Box::new(ConvTranspose {
        window,
        groups,
        extra,
        size,
        odd_at_end: view.string("auto_pad")? == Some("SAME_UPPER"),
    }))
}

/// ONNX `ConvTranspose` (1, 11, 22) over height and width.
///
/// # Shapes
///
/// - `X`: [batch, channels, height, width]
/// - `W`: [channels, filters / groups, kernel height, kernel width]
/// - `B`: [filters]
#[derive(Debug)]
struct ConvTranspose {
    window: Window,
    groups: usize,
    /// Rows and columns that are added at the end.
    extra: [usize; 2],
    /// Height and width of the output, where the node asks for them.
    size: Option<[usize; 2]>,
    /// Whether an odd pixel of automatic padding is cut off at the end, as `SAME_UPPER` says.
    odd_at_end: bool,
}

impl ConvTranspose {
    /// Height and width of all that the windows reach, without `extra`.
    fn reach(&self, input: [usize; 2]) -> [usize; 2] {
        [0, 1].map(|axis| {
            (input[axis].saturating_sub(1))
                .saturating_mul(self.window.stride[axis])
                .saturating_add(self.window.extent(axis))
        })
    }

    /// Per axis how much of the reach is cut off at its begin, and how long the output is.
    fn kept(&self, input: [usize; 2]) -> Result<[(usize, usize); 2], String> {
        let reach = self.reach(input);
        let mut kept = [(0, 0); 2];
        for axis in 0..2 {
            let whole = reach[axis].saturating_add(self.extra[axis]);
            let wanted = match (self.size, self.window.explicit_padding()) {
                (Some(size), _) => Some(size[axis]),
                (None, None) => Some(input[axis].saturating_mul(self.window.stride[axis])),
                (None, Some(_)) => None,
            };
            kept[axis] = match (wanted, self.window.explicit_padding()) {
                (Some(size), _) => {
                    let cut = whole.saturating_sub(size);
                    (if self.odd_at_end { cut / 2 } else { cut - cut / 2 }, size)
                }
                (None, Some(pads)) => {
                    let (begin, end) = pads[axis];
                    let left = whole.checked_sub(begin + end).filter(|size| *size > 0);
                    (begin, left.ok_or_else(|| format!("padding {pads:?} leaves nothing of {reach:?}"))?)
                }
                (None, None) => (0, whole),
            };
        }
        Ok(kept)
    }
}

impl Operator for ConvTranspose {
    fn shapes(&self, inputs: &[&[usize]]) -> Result<Vec<Shape>, String> {
        let &[batch, channels, height, width] = inputs[0] else {
            return Err(format!("the input {:?} must have 4 axes", inputs[0]));
        };
        let &[weight_channels, per_group, ..] = inputs[1] else {
            return Err(format!("the weights {:?} must have 4 axes", inputs[1]));
        };
        if weight_channels != channels || !channels.is_multiple_of(self.groups) {
            return Err(format!(
                "weights {:?} in {} groups do not fit an input of {channels} channels",
                inputs[1], self.groups
            ));
        }
        let filters = per_group.checked_mul(self.groups).ok_or("it has too many groups")?;
        if let Some(bias) = inputs.get(2)
            && !bias.is_empty()
            && *bias != [filters]
        {
            return Err(format!("the bias {bias:?} must hold {filters} values"));
        }
        let reach = self.reach([height, width]);
        if elements(&[batch, filters, reach[0], reach[1]]).is_none() {
            return Err(format!("its windows reach {reach:?}, which is too large"));
        }
        let [(_, height), (_, width)] = self.kept([height, width])?;
        Ok(vec![vec![batch, filters, height, width]])
    }

    fn macs(&self, inputs: &[&[usize]], _outputs: &[Shape]) -> u64 {
        let per_input: usize = inputs[1].iter().skip(1).product();
        inputs[0].iter().map(|size| *size as u64).product::<u64>() * per_input as u64
    }

    fn run(&self, inputs: &[Option<Value>], _mode: Mode) -> Outputs {
        let x: Tensor<4> = tensor(inputs, 0).to_rank();
        let weight = tensor(inputs, 1).to_rank();
        let [_, _, height, width] = x.dims();
        let options = ConvOptions::new(self.window.stride, [0, 0], self.window.dilation, self.groups);
        let mut y = conv_transpose2d(x, weight, options);
        // `shapes` has refused padding that leaves nothing.
        let kept = self.kept([height, width]).unwrap_or([(0, 1); 2]);
        for (axis, (begin, size)) in [2, 3].into_iter().zip(kept) {
            let reach = y.dims()[axis];
            if reach < begin + size {
                let mut pads = [(0, 0); 4];
                pads[axis] = (0, begin + size - reach);
                y = y.pad(&pads[..], burn::tensor::ops::PadMode::Constant(0.0));
            }
            if y.dims()[axis] != size {
                y = y.narrow(axis, begin, size);
            }
        }
        if let Some(bias) = optional(inputs, 2) {
            let filters = y.dims()[1];
            y = y + bias.reshape(&[1, filters, 1, 1]).to_rank();
        }
        Value::from(y).into()
    }
}

#[cfg(test)]
mod tests {
    use crate::ops::testing::{NodeTest, assert_close};

    fn node() -> NodeTest {
        NodeTest::new("ConvTranspose").tensor(&[1, 1, 2, 2], &[1.0, 2.0, 3.0, 4.0])
    }

    #[test]
    fn windows_are_added_up() {
        let ones = || node().tensor(&[1, 1, 2, 2], &[1.0; 4]);
        for (test, shape, expected) in [
            (ones(), [1, 1, 3, 3], &[1.0, 3.0, 2.0, 4.0, 10.0, 6.0, 3.0, 7.0, 4.0][..]),
            (ones().with("pads", vec![1, 1, 1, 1]), [1, 1, 1, 1], &[10.0]),
            (ones().with("pads", vec![0, 1, 1, 0]), [1, 1, 2, 2], &[3.0, 2.0, 10.0, 6.0]),
            (
                ones().with("strides", vec![1, 2]).with("output_padding", vec![0, 1]).tensor(&[1], &[0.5]),
                [1, 1, 3, 5],
                &[1.5, 1.5, 2.5, 2.5, 0.5, 4.5, 4.5, 6.5, 6.5, 0.5, 3.5, 3.5, 4.5, 4.5, 0.5],
            ),
            (ones().with("output_shape", vec![2, 2]), [1, 1, 2, 2], &[10.0, 6.0, 7.0, 4.0]),
        ] {
            let (given, values) = test.run();
            assert_eq!(given, shape);
            assert_close(&values, expected);
        }
    }

    #[test]
    fn macs_count_products_per_input() {
        let macs = NodeTest::new("ConvTranspose").noise(&[1, 4, 5, 5]).noise(&[4, 3, 2, 2]).macs();
        assert_eq!(macs, 4 * 5 * 5 * 3 * 4);
    }

    #[test]
    fn gradients_are_those_of_differences() {
        let test = || NodeTest::new("ConvTranspose").noise(&[2, 2, 3, 2]).noise(&[2, 3, 3, 2]).noise(&[3]);
        test().check_gradients();
        test().with("strides", vec![2, 2]).with("pads", vec![1, 0, 0, 1]).check_gradients();
        let grouped =
            NodeTest::new("ConvTranspose").noise(&[1, 4, 2, 2]).noise(&[4, 1, 2, 2]).with("group", 2);
        grouped
            .with("dilations", vec![2, 1])
            .with("output_padding", vec![1, 1])
            .with("strides", vec![2, 2])
            .check_gradients();
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        for (test, reason) in [
            (node().noise(&[2, 1, 2, 2]), "do not fit an input of 1 channels"),
            (node().noise(&[1, 1, 2, 2]).with("pads", vec![2, 2, 2, 2]), "leaves nothing"),
            (node().noise(&[1, 1, 2, 2]).noise(&[3]), "the bias [3] must hold 1 values"),
            (node().noise(&[1, 1, 2, 2]).noise(&[]), "input 'B' is a single number"),
            (node().noise(&[1, 1, 2, 2]).with("strides", vec![4000, 1]), "are beyond 256"),
            (node().noise(&[1, 1, 2]), "only 2-D convolutions"),
            (node().noise(&[1, 1, 2, 2]).with("output_shape", vec![0, 1]), "two sizes are needed"),
        ] {
            let error = test.error();
            assert!(error.contains(reason), "{error}");
        }
    }
}
