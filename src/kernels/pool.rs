//! Maximum over windows, its gradient, and the other operations that pick values: none of them computes much, so
//! all of them are written for the compiler to turn into vectors.

use std::mem::MaybeUninit;

use macerator::Simd;

use crate::geometry::{Conv, Correlation};
use crate::parallel::{Shared, filled, filled_by_range, for_each_piece};

/// Maximum of each window, and which tap of the window it is.
///
/// `conv` is the depthwise convolution that reads the same windows.
pub fn max_pool(conv: &Conv, input: &[f32]) -> (Vec<f32>, Vec<i32>) {
    let correlation = Correlation::forward(conv);
    let plane = conv.output_plane();
    let length = conv.batch * conv.channels_out * plane;
    let mut taps = Vec::with_capacity(length);
    let shared = Shared::new(&mut taps.spare_capacity_mut()[..length]);
    let write = |output: &mut [MaybeUninit<f32>]| {
        // The border loses against every pixel.
        let init = || vec![f32::NEG_INFINITY; correlation.source.channel()];
        for_each_piece(output, plane, init, |source, index, output| {
            correlation.source.fill(&input[index * conv.input_plane()..][..conv.input_plane()], source);
            // SAFETY: each plane has its own taps.
            let taps = unsafe { shared.part(index * plane..(index + 1) * plane) };
            pool_plane(&correlation, source, output, taps);
        });
    };
    // SAFETY: every row of every plane is written, in both vectors.
    let output = unsafe { filled(length, write) };
    // SAFETY: as above.
    unsafe { taps.set_len(length) };
    (output, taps)
}

#[macerator::with_simd]
fn pool_plane<S: Simd>(
    correlation: &Correlation,
    source: &[f32],
    output: &mut [MaybeUninit<f32>],
    taps: &mut [MaybeUninit<i32>],
) {
    for pass in &correlation.passes {
        let lines = output.chunks_exact_mut(pass.columns).zip(taps.chunks_exact_mut(pass.columns));
        for (y, (output, taps)) in lines.enumerate() {
            for (tap, offset) in pass.offsets.iter().enumerate() {
                let values = &source[y * correlation.source.row() + offset..][..pass.columns];
                for ((output, chosen), &value) in output.iter_mut().zip(taps.iter_mut()).zip(values) {
                    if tap == 0 {
                        output.write(value);
                        chosen.write(0);
                    } else {
                        // SAFETY: both were written for tap 0.
                        let (best, before) = unsafe { (output.assume_init(), chosen.assume_init()) };
                        let better = value > best || value.is_nan();
                        output.write(if better { value } else { best });
                        chosen.write(if better { tap as i32 } else { before });
                    }
                }
            }
        }
    }
}

/// Gradient of the input of [`max_pool`], from that of the output and the taps chosen.
pub fn max_pool_gradient(conv: &Conv, gradient: &[f32], taps: &[i32]) -> Vec<f32> {
    let [height, width] = conv.input;
    let mut input = vec![0f32; conv.batch * conv.channels_in * conv.input_plane()];
    for_each_piece(
        &mut input,
        conv.input_plane(),
        || (),
        |(), index, input| {
            let start = index * conv.output_plane();
            let mut chosen = gradient[start..].iter().zip(&taps[start..]);
            for y in 0..conv.output[0] {
                for x in 0..conv.output[1] {
                    let Some((gradient, &tap)) = chosen.next() else { return };
                    let tap = tap as usize;
                    let y = y * conv.stride[0] + tap / conv.kernel[1] * conv.dilation[0];
                    let x = x * conv.stride[1] + tap % conv.kernel[1] * conv.dilation[1];
                    // Below zero wraps around to far outside: a window of nothing but padding.
                    let (y, x) = (y.wrapping_sub(conv.padding[0]), x.wrapping_sub(conv.padding[1]));
                    if y < height && x < width {
                        input[y * width + x] += gradient;
                    }
                }
            }
        },
    );
    input
}

/// Each value, moved to the nearest end if it lies outside.
pub fn clip(input: &[f32], [low, high]: [f32; 2]) -> Vec<f32> {
    // SAFETY: every value is written.
    unsafe { filled_by_range(input.len(), |range, output| clip_piece(&input[range], low, high, output)) }
}

#[macerator::with_simd]
fn clip_piece<S: Simd>(input: &[f32], low: f32, high: f32, output: &mut [MaybeUninit<f32>]) {
    for (output, &value) in output.iter_mut().zip(input) {
        let value = if value > high { high } else { value };
        output.write(if value < low { low } else { value });
    }
}

/// Gradient of the input of [`clip`]: the output's, where that lies between the ends.
pub fn clip_gradient(clipped: &[f32], gradient: &[f32], [low, high]: [f32; 2]) -> Vec<f32> {
    // SAFETY: every value is written.
    unsafe {
        filled_by_range(clipped.len(), |range, output| {
            clip_gradient_piece(&clipped[range.clone()], &gradient[range], low, high, output);
        })
    }
}

#[macerator::with_simd]
fn clip_gradient_piece<S: Simd>(
    clipped: &[f32],
    gradient: &[f32],
    low: f32,
    high: f32,
    output: &mut [MaybeUninit<f32>],
) {
    for ((output, &value), &gradient) in output.iter_mut().zip(clipped).zip(gradient) {
        output.write(if value <= low || value >= high { 0.0 } else { gradient });
    }
}
