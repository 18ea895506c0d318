//! The sliding window of convolutions and pools over height and width.

use super::{NodeView, OpError};
use crate::graph::elements;

/// The largest size that is accepted for any part of a window; sums and products of such sizes do not overflow.
const LIMIT: i64 = 1 << 15;

/// Kernel, strides, dilations and padding, each for height and width.
#[derive(Clone, Debug, PartialEq)]
pub struct Window {
    pub kernel: [usize; 2],
    pub stride: [usize; 2],
    pub dilation: [usize; 2],
    padding: Padding,
    /// Whether a last window may start inside the input and end outside (pools only).
    ceil_mode: bool,
}

#[derive(Clone, Debug, PartialEq)]
enum Padding {
    /// Begin and end of height and width.
    Explicit([(usize, usize); 2]),
    /// As much as an output of `ceil(input / stride)` needs; an odd pixel goes to the end, or to the beginning.
    Same { odd_at_end: bool },
}

impl Window {
    /// Attributes that [`Window::read`] takes in.
    pub const ATTRIBUTES: [&str; 5] = ["auto_pad", "dilations", "kernel_shape", "pads", "strides"];

    /// Reads the window of a node; `kernel` is the size known from the weights.
    ///
    /// # Errors
    ///
    /// Not two spatial axes, a size out of range, padding given twice, no kernel.
    pub fn read(view: &NodeView, kernel: Option<[usize; 2]>) -> Result<Self, OpError> {
        let shape = pair(view, "kernel_shape", view.ints("kernel_shape")?, 1)?;
        let kernel = match (shape, kernel) {
            (Some(given), Some(known)) if given != known => {
                return Err(
                    view.invalid(format!("kernel_shape {given:?} differs from the weights' {known:?}"))
                );
            }
            (_, Some(kernel)) if kernel.iter().any(|size| !(1..LIMIT as usize).contains(size)) => {
                return Err(view.invalid(format!("the weights' kernel {kernel:?} is empty or too large")));
            }
            (_, Some(kernel)) | (Some(kernel), None) => kernel,
            (None, None) => return Err(view.invalid("attribute 'kernel_shape' is missing")),
        };
        Ok(Self {
            kernel,
            stride: pair(view, "strides", view.ints("strides")?, 1)?.unwrap_or([1, 1]),
            dilation: pair(view, "dilations", view.ints("dilations")?, 1)?.unwrap_or([1, 1]),
            padding: Padding::read(view)?,
            ceil_mode: view.int("ceil_mode")?.unwrap_or(0) != 0,
        })
    }

    /// Length of the window along `axis`, gaps included.
    pub fn extent(&self, axis: usize) -> usize {
        self.dilation[axis] * (self.kernel[axis] - 1) + 1
    }

    /// Number of windows along height and width.
    ///
    /// # Errors
    ///
    /// The window does not fit into the padded input, or that is too large.
    pub fn output(&self, channels: usize, input: [usize; 2]) -> Result<[usize; 2], String> {
        let padding = self.padding(input);
        let [height, width] = [0, 1].map(|axis| input[axis] + padding[axis].0 + padding[axis].1);
        if elements(&[channels, height, width]).is_none() {
            return Err(format!("padding {padding:?} is too large"));
        }
        let [height, width] = [0, 1].map(|axis| self.output_along(axis, input[axis]));
        Ok([height?, width?])
    }

    fn output_along(&self, axis: usize, input: usize) -> Result<usize, String> {
        let (stride, extent) = (self.stride[axis], self.extent(axis));
        let Padding::Explicit(pads) = &self.padding else {
            return Ok(input.div_ceil(stride));
        };
        let (begin, end) = pads[axis];
        let Some(room) = (input + begin + end).checked_sub(extent) else {
            return Err(format!(
                "a window of {extent} does not fit into {input} padded by {begin} and {end}"
            ));
        };
        let floor = room / stride + 1;
        // A window that would start behind the input, in the padding at its end, is left out.
        let one_more = self.ceil_mode && !room.is_multiple_of(stride) && floor * stride < input + begin;
        Ok(floor + usize::from(one_more))
    }

    /// The padding that is written in the node, if it is not automatic.
    pub fn explicit_padding(&self) -> Option<[(usize, usize); 2]> {
        match self.padding {
            Padding::Explicit(pads) => Some(pads),
            Padding::Same { .. } => None,
        }
    }

    /// Padding at begin and end of height and width, as the node declares it.
    pub fn padding(&self, input: [usize; 2]) -> [(usize, usize); 2] {
        match &self.padding {
            Padding::Explicit(pads) => *pads,
            Padding::Same { odd_at_end } => std::array::from_fn(|axis| {
                let windows = input[axis].div_ceil(self.stride[axis]);
                let total = (windows.saturating_sub(1) * self.stride[axis] + self.extent(axis))
                    .saturating_sub(input[axis]);
                let (less, more) = (total / 2, total - total / 2);
                if *odd_at_end { (less, more) } else { (more, less) }
            }),
        }
    }

    /// Padding with which whole windows alone give the outputs of [`Window::output`]: larger at the end where
    /// ceil mode adds a window.
    pub fn padding_for_whole_windows(&self, input: [usize; 2]) -> [(usize, usize); 2] {
        let declared = self.padding(input);
        std::array::from_fn(|axis| {
            let (begin, end) = declared[axis];
            // `output` has been asked before, when shapes were checked.
            let windows = self.output_along(axis, input[axis]).unwrap_or(1);
            let needed =
                ((windows - 1) * self.stride[axis] + self.extent(axis)).saturating_sub(input[axis] + begin);
            (begin, end.max(needed))
        })
    }

    /// How many positions of each window along `axis` lie in `begin..end`, where the input starts at 0.
    pub fn counts(&self, axis: usize, input: [usize; 2], (begin, end): (i64, i64)) -> Vec<usize> {
        let windows = self.output_along(axis, input[axis]).unwrap_or(1);
        let before = self.padding(input)[axis].0 as i64;
        let inside = |window: usize, step: usize| {
            let position = (window * self.stride[axis] + step * self.dilation[axis]) as i64 - before;
            (begin..end).contains(&position)
        };
        (0..windows)
            .map(|window| (0..self.kernel[axis]).filter(|step| inside(window, *step)).count())
            .collect()
    }

    /// Refuses padding as long as the window: such a window sees no input at all.
    ///
    /// # Errors
    ///
    /// Names the padding.
    pub fn sees_input(&self, view: &NodeView) -> Result<(), OpError> {
        if let Padding::Explicit(pads) = &self.padding
            && (0..2).any(|axis| pads[axis].0.max(pads[axis].1) >= self.extent(axis))
        {
            return Err(view.invalid(format!("padding {pads:?} is not smaller than the window")));
        }
        Ok(())
    }
}

impl Padding {
    fn read(view: &NodeView) -> Result<Self, OpError> {
        let pads = match view.ints("pads")? {
            None => [(0, 0); 2],
            Some(&[top, left, bottom, right]) => {
                let size = |value| size(view, "pads", value, 0);
                [(size(top)?, size(bottom)?), (size(left)?, size(right)?)]
            }
            Some(other) => return Err(not_two(view, "pads", other.len() / 2)),
        };
        let auto = view.string("auto_pad")?.unwrap_or("NOTSET");
        if auto != "NOTSET" && pads != [(0, 0); 2] {
            return Err(view.invalid(format!("both 'pads' and auto_pad {auto} are given")));
        }
        match auto {
            "NOTSET" | "VALID" => Ok(Self::Explicit(pads)),
            "SAME_UPPER" => Ok(Self::Same { odd_at_end: true }),
            "SAME_LOWER" => Ok(Self::Same { odd_at_end: false }),
            other => Err(view.invalid(format!("auto_pad '{other}' is not known"))),
        }
    }
}

fn pair(
    view: &NodeView,
    name: &str,
    values: Option<&[i64]>,
    least: i64,
) -> Result<Option<[usize; 2]>, OpError> {
    match values {
        None => Ok(None),
        Some(&[height, width]) => {
            Ok(Some([size(view, name, height, least)?, size(view, name, width, least)?]))
        }
        Some(other) => Err(not_two(view, name, other.len())),
    }
}

fn size(view: &NodeView, name: &str, value: i64, least: i64) -> Result<usize, OpError> {
    if (least..LIMIT).contains(&value) {
        Ok(value as usize)
    } else {
        Err(view.invalid(format!("attribute '{name}' holds {value}; supported are {least} to {}", LIMIT - 1)))
    }
}

fn not_two(view: &NodeView, name: &str, axes: usize) -> OpError {
    view.invalid(format!(
        "attribute '{name}' is for {axes} spatial axes; only height and width are supported"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(kernel: usize, stride: usize, padding: Padding, ceil_mode: bool) -> Window {
        Window { kernel: [kernel; 2], stride: [stride; 2], dilation: [1; 2], padding, ceil_mode }
    }

    fn explicit(begin: usize, end: usize) -> Padding {
        Padding::Explicit([(begin, end); 2])
    }

    #[test]
    fn windows_are_counted_as_onnx_does() {
        for (kernel, stride, padding, ceil, input, expected) in [
            (3, 1, explicit(0, 0), false, 5, 3),
            (3, 2, explicit(1, 1), false, 6, 3),
            (3, 2, explicit(0, 0), true, 6, 3),
            (2, 2, explicit(0, 0), true, 4, 2),
            // The fourth window would start in the padding at the end.
            (2, 2, explicit(0, 1), true, 4, 2),
            (2, 3, explicit(1, 1), true, 4, 2),
            (3, 2, Padding::Same { odd_at_end: true }, false, 5, 3),
            (3, 2, Padding::Same { odd_at_end: true }, false, 6, 3),
        ] {
            let window = window(kernel, stride, padding, ceil);
            assert_eq!(window.output(1, [input, input]), Ok([expected; 2]), "{window:?} over {input}");
        }
    }

    #[test]
    fn an_odd_pixel_goes_where_auto_pad_says() {
        let upper = window(3, 2, Padding::Same { odd_at_end: true }, false);
        let lower = window(3, 2, Padding::Same { odd_at_end: false }, false);
        assert_eq!(upper.padding([6, 5]), [(0, 1), (1, 1)]);
        assert_eq!(lower.padding([6, 5]), [(1, 0), (1, 1)]);
    }

    #[test]
    fn a_window_larger_than_its_input_is_refused() {
        let error = window(5, 1, explicit(1, 0), false).output(1, [3, 9]).unwrap_err();
        assert_eq!(error, "a window of 5 does not fit into 3 padded by 1 and 0");
    }
}
