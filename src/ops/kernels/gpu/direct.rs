//! Convolutions with too many taps, or too long strides, for a kernel that is unrolled over them, such as the patches of
//! a vision transformer: a thread for each value.

use burn::cubecl;
use burn::cubecl::prelude::*;
use burn::tensor::Shape;

use super::super::conv::Conv;
use super::sides::{Sizes, read_by, reader_of, sizes};
use super::{CubeTensor, buffer, contiguous, empty, threads};

pub(super) fn forward(
    input: CubeTensor,
    weight: CubeTensor,
    bias: Option<CubeTensor>,
    bounds: Option<[f32; 2]>,
    conv: &Conv,
) -> CubeTensor {
    let [input, weight] = [input, weight].map(contiguous);
    let output = empty(&input, Shape::new([conv.batch, conv.channels_out, conv.output[0], conv.output[1]]));
    let work = output.meta.shape().num_elements();
    let (count, dim) = threads(&input.client, work);
    let bias = bias.map(contiguous);
    let [low, high] = bounds.unwrap_or_default();
    // SAFETY: as many values are written as there are, and a read outside of the input is left out.
    unsafe {
        convolve::launch_unchecked(
            &input.client,
            count,
            dim,
            buffer(&input),
            buffer(&weight),
            bias.as_ref().map(buffer).into(),
            buffer(&output),
            sizes(conv, work),
            low,
            high,
            bounds.is_some(),
        );
    }
    output
}

pub(super) fn input_gradient(weight: CubeTensor, gradient: CubeTensor, conv: &Conv) -> CubeTensor {
    let [weight, gradient] = [weight, gradient].map(contiguous);
    let input = empty(&gradient, Shape::new([conv.batch, conv.channels_in, conv.input[0], conv.input[1]]));
    let work = input.meta.shape().num_elements();
    let (count, dim) = threads(&gradient.client, work);
    // SAFETY: as many values are written as there are, and a read outside of the gradient is left out.
    unsafe {
        convolve_back::launch_unchecked(
            &gradient.client,
            count,
            dim,
            buffer(&weight),
            buffer(&gradient),
            buffer(&input),
            sizes(conv, work),
        );
    }
    input
}

pub(super) fn weight_gradient(input: CubeTensor, gradient: CubeTensor, conv: &Conv) -> CubeTensor {
    let [input, gradient] = [input, gradient].map(contiguous);
    let shape = Shape::new([conv.channels_out, conv.group_in(), conv.kernel[0], conv.kernel[1]]);
    let weight = empty(&input, shape);
    let work = weight.meta.shape().num_elements();
    let (count, dim) = threads(&input.client, work);
    // SAFETY: as many values are written as there are, and a read outside of the input is left out.
    unsafe {
        convolve_weight::launch_unchecked(
            &input.client,
            count,
            dim,
            buffer(&input),
            buffer(&gradient),
            buffer(&weight),
            sizes(conv, work),
            conv.batch,
        );
    }
    weight
}

#[cube(launch_unchecked)]
fn convolve(
    input: &[f32],
    weight: &[f32],
    bias: ComptimeOption<&[f32]>,
    output: &mut [f32],
    sizes: Sizes,
    low: f32,
    high: f32,
    #[comptime] bounded: bool,
) {
    if ABSOLUTE_POS >= sizes.threads {
        terminate!();
    }
    let x = ABSOLUTE_POS % sizes.columns.output;
    let rest = ABSOLUTE_POS / sizes.columns.output;
    let y = rest % sizes.rows.output;
    let rest = rest / sizes.rows.output;
    let channel = rest % (sizes.groups * sizes.channels_out);
    let batch = rest / (sizes.groups * sizes.channels_out);
    let first = (batch * sizes.groups + channel / sizes.channels_out) * sizes.channels_in;

    #[comptime]
    let mut sum = match bias {
        ComptimeOption::Some(bias) => bias[channel],
        ComptimeOption::None => 0.0f32,
    };
    for c in 0..sizes.channels_in {
        for ky in 0..sizes.rows.kernel {
            let row = read_by(&sizes.rows, y, ky);
            if row >= 0 {
                let line = ((first + c) * sizes.rows.input + row as usize) * sizes.columns.input;
                let taps =
                    ((channel * sizes.channels_in + c) * sizes.rows.kernel + ky) * sizes.columns.kernel;
                for kx in 0..sizes.columns.kernel {
                    let column = read_by(&sizes.columns, x, kx);
                    if column >= 0 {
                        sum += input[line + column as usize] * weight[taps + kx];
                    }
                }
            }
        }
    }
    // Comparing keeps what is no number, by which a run that exploded is known.
    if bounded {
        if sum > high {
            sum = high;
        }
        if sum < low {
            sum = low;
        }
    }
    output[ABSOLUTE_POS] = sum;
}

#[cube(launch_unchecked)]
fn convolve_back(weight: &[f32], gradient: &[f32], input: &mut [f32], sizes: Sizes) {
    if ABSOLUTE_POS >= sizes.threads {
        terminate!();
    }
    let x = ABSOLUTE_POS % sizes.columns.input;
    let rest = ABSOLUTE_POS / sizes.columns.input;
    let y = rest % sizes.rows.input;
    let rest = rest / sizes.rows.input;
    let c = rest % sizes.channels_in;
    let rest = rest / sizes.channels_in;
    let group = rest % sizes.groups;

    let mut sum = 0.0f32;
    for o in 0..sizes.channels_out {
        let channel = group * sizes.channels_out + o;
        for ky in 0..sizes.rows.kernel {
            let row = reader_of(&sizes.rows, y, ky);
            if row >= 0 {
                let line = ((rest * sizes.channels_out + o) * sizes.rows.output + row as usize)
                    * sizes.columns.output;
                let taps =
                    ((channel * sizes.channels_in + c) * sizes.rows.kernel + ky) * sizes.columns.kernel;
                for kx in 0..sizes.columns.kernel {
                    let column = reader_of(&sizes.columns, x, kx);
                    if column >= 0 {
                        sum += gradient[line + column as usize] * weight[taps + kx];
                    }
                }
            }
        }
    }
    input[ABSOLUTE_POS] = sum;
}

#[cube(launch_unchecked)]
fn convolve_weight(input: &[f32], gradient: &[f32], weight: &mut [f32], sizes: Sizes, batch: usize) {
    if ABSOLUTE_POS >= sizes.threads {
        terminate!();
    }
    let kx = ABSOLUTE_POS % sizes.columns.kernel;
    let rest = ABSOLUTE_POS / sizes.columns.kernel;
    let ky = rest % sizes.rows.kernel;
    let rest = rest / sizes.rows.kernel;
    let c = rest % sizes.channels_in;
    let channel = rest / sizes.channels_in;
    let group = channel / sizes.channels_out;

    let mut sum = 0.0f32;
    for image in 0..batch {
        let plane_in = (image * sizes.groups + group) * sizes.channels_in + c;
        let plane_out = image * sizes.groups * sizes.channels_out + channel;
        for y in 0..sizes.rows.output {
            let row = read_by(&sizes.rows, y, ky);
            if row >= 0 {
                let line_in = (plane_in * sizes.rows.input + row as usize) * sizes.columns.input;
                let line_out = (plane_out * sizes.rows.output + y) * sizes.columns.output;
                for x in 0..sizes.columns.output {
                    let column = read_by(&sizes.columns, x, kx);
                    if column >= 0 {
                        sum += input[line_in + column as usize] * gradient[line_out + x];
                    }
                }
            }
        }
    }
    weight[ABSOLUTE_POS] = sum;
}
