//! The maximum over windows, and its gradient: a thread for each value.

#![allow(clippy::eq_op, reason = "only what is no number differs from itself")]

use burn::cubecl;
use burn::cubecl::prelude::*;
use burn::tensor::{DType, Shape};

use super::super::conv::Conv;
use super::sides::{Sizes, read_by, reader_of, sizes};
use super::{CubeTensor, buffer, contiguous, empty, threads};

/// The maximum of each window, and which of its taps it is.
pub(super) fn max_pool(input: CubeTensor, conv: &Conv) -> (CubeTensor, CubeTensor) {
    let input = contiguous(input);
    let shape = Shape::new([conv.batch, conv.channels_out, conv.output[0], conv.output[1]]);
    let output = empty(&input, shape.clone());
    let work = shape.num_elements();
    let handle = input.client.empty(work * size_of::<i32>());
    let (client, device) = (input.client.clone(), input.device.clone());
    let chosen = CubeTensor::new_contiguous(client, device, shape, handle, DType::I32);
    let (count, dim) = threads(&input.client, work);
    // SAFETY: as many values are written as there are, and a read outside of the input is left out.
    unsafe {
        highest::launch_unchecked(
            &input.client,
            count,
            dim,
            buffer(&input),
            buffer(&output),
            buffer(&chosen),
            sizes(conv, work),
            // It can't be written down in a shader.
            f32::NEG_INFINITY,
        );
    }
    (output, chosen)
}

pub(super) fn max_pool_gradient(chosen: CubeTensor, gradient: CubeTensor, conv: &Conv) -> CubeTensor {
    // `max_pool` made what was chosen; it is as contiguous as then.
    let gradient = contiguous(gradient);
    let input = empty(&gradient, Shape::new([conv.batch, conv.channels_in, conv.input[0], conv.input[1]]));
    let work = input.meta.shape().num_elements();
    let (count, dim) = threads(&gradient.client, work);
    // SAFETY: as many values are written as there are, and a read outside of the gradient is left out.
    unsafe {
        highest_back::launch_unchecked(
            &gradient.client,
            count,
            dim,
            buffer(&chosen),
            buffer(&gradient),
            buffer(&input),
            sizes(conv, work),
        );
    }
    input
}

#[cube(launch_unchecked)]
fn highest(input: &[f32], output: &mut [f32], chosen: &mut [i32], sizes: Sizes, lowest: f32) {
    if ABSOLUTE_POS >= sizes.threads {
        terminate!();
    }
    let x = ABSOLUTE_POS % sizes.columns.output;
    let rest = ABSOLUTE_POS / sizes.columns.output;
    let y = rest % sizes.rows.output;
    let plane = rest / sizes.rows.output;

    // The border loses against every pixel.
    let mut best = lowest;
    let mut tap = 0i32;
    for ky in 0..sizes.rows.kernel {
        let row = read_by(&sizes.rows, y, ky);
        if row >= 0 {
            let line = (plane * sizes.rows.input + row as usize) * sizes.columns.input;
            for kx in 0..sizes.columns.kernel {
                let column = read_by(&sizes.columns, x, kx);
                if column >= 0 {
                    let value = input[line + column as usize];
                    // What is no number gets through, by which a run that exploded is known.
                    if value > best || value != value {
                        best = value;
                        tap = (ky * sizes.columns.kernel + kx) as i32;
                    }
                }
            }
        }
    }
    output[ABSOLUTE_POS] = best;
    chosen[ABSOLUTE_POS] = tap;
}

#[cube(launch_unchecked)]
fn highest_back(chosen: &[i32], gradient: &[f32], input: &mut [f32], sizes: Sizes) {
    if ABSOLUTE_POS >= sizes.threads {
        terminate!();
    }
    let x = ABSOLUTE_POS % sizes.columns.input;
    let rest = ABSOLUTE_POS / sizes.columns.input;
    let y = rest % sizes.rows.input;
    let plane = rest / sizes.rows.input;

    let mut sum = 0.0f32;
    for ky in 0..sizes.rows.kernel {
        let row = reader_of(&sizes.rows, y, ky);
        if row >= 0 {
            let line = (plane * sizes.rows.output + row as usize) * sizes.columns.output;
            for kx in 0..sizes.columns.kernel {
                let column = reader_of(&sizes.columns, x, kx);
                if column >= 0 {
                    let at = line + column as usize;
                    let tap = (ky * sizes.columns.kernel + kx) as i32;
                    sum += select(chosen[at] == tap, gradient[at], 0.0);
                }
            }
        }
    }
    input[ABSOLUTE_POS] = sum;
}
