//! What the kernels are told of a convolution.

use std::ops::Deref;

use burn::tensor::ops::ConvOptions;

use super::kept::Kept;

/// One two-dimensional convolution, channels first.
#[derive(Clone, Debug)]
pub(super) struct Conv {
    pub sizes: graftlab_kernels::Conv,
    /// Where the forward pass keeps what it makes of the weights, if they stay as they are.
    pub kept: Option<Kept>,
}

impl Conv {
    /// The sizes of `conv2d` for an input `[batch, channels, height, width]` and a weight
    /// `[channels_out, channels / groups, kernel_height, kernel_width]`; `None` where they make no convolution
    /// or an empty one.
    pub fn new(input: [usize; 4], weight: [usize; 4], options: ConvOptions<2>) -> Option<Self> {
        let mut output = [0; 2];
        for axis in 0..2 {
            let (begin, end) = options.padding[axis];
            let extent = options.dilation[axis] * weight[axis + 2].checked_sub(1)? + 1;
            output[axis] = (input[axis + 2] + begin + end).checked_sub(extent)? / options.stride[axis] + 1;
        }
        let sizes = graftlab_kernels::Conv {
            batch: input[0],
            channels_in: input[1],
            channels_out: weight[0],
            groups: options.groups,
            input: [input[2], input[3]],
            output,
            kernel: [weight[2], weight[3]],
            stride: options.stride,
            dilation: options.dilation,
            padding: [options.padding[0].0, options.padding[1].0],
        };
        let fits = weight[1] * sizes.groups == sizes.channels_in
            && sizes.channels_out.is_multiple_of(sizes.groups)
            && input.iter().chain(&weight).all(|&size| size > 0);
        fits.then_some(Self { sizes, kept: None })
    }
}

impl Deref for Conv {
    type Target = graftlab_kernels::Conv;

    fn deref(&self) -> &Self::Target {
        &self.sizes
    }
}
