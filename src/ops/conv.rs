//! Convolutions.

use burn::tensor::{Tensor, ops::ConvOptions};

use super::kernels::conv2d;
use super::window::Window;
use super::{Mode, NodeView, OpError, Operator, Outputs, Value, optional, tensor};
use crate::graph::Shape;

pub const OPERATORS: &[&str] = &["Conv"];

pub fn read(view: &NodeView) -> Result<Box<dyn Operator>, OpError> {
    view.signature(&["X", "W"], 1, 1)?;
    view.floats(2, "B")?;
    let mut known = Window::ATTRIBUTES.to_vec();
    known.push("group");
    view.only(&known)?;
    let &[_, _, height, width] = view.input_shape(1) else {
        let rank = view.input_shape(1).len();
        return Err(view.invalid(format!("the weights have {rank} axes; only 2-D convolutions are supported")));
    };
    let groups = view.int("group")?.unwrap_or(1);
    let groups = usize::try_from(groups).ok().filter(|groups| *groups > 0);
    let groups = groups.ok_or_else(|| view.invalid("attribute 'group' must be positive"))?;
    Ok(Box::new(Conv { window: Window::read(view, Some([height, width]))?, groups }))
}

/// ONNX `Conv` (1, 11, 22) over height and width.
///
/// # Shapes
///
/// - `X`: [batch, channels, height, width]
/// - `W`: [filters, channels / groups, kernel height, kernel width]
/// - `B`: [filters]
#[derive(Debug)]
struct Conv {
    window: Window,
    groups: usize,
}

impl Operator for Conv {
    fn shapes(&self, inputs: &[&[usize]]) -> Result<Vec<Shape>, String> {
        let &[batch, channels, height, width] = inputs[0] else {
            return Err(format!("the input {:?} must have 4 axes", inputs[0]));
        };
        let &[filters, weight_channels, ..] = inputs[1] else {
            return Err(format!("the weights {:?} must have 4 axes", inputs[1]));
        };
        if !filters.is_multiple_of(self.groups) || weight_channels * self.groups != channels {
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
        let [height, width] = self.window.output([height, width])?;
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
        Value::from(conv2d(x, weight, bias, options)).into()
    }
}
