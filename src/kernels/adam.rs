//! One step of AdamW, every value by itself.

use std::mem::MaybeUninit;

use macerator::Simd;

use crate::parallel::{Shared, filled_by_range};

/// The numbers of one step of AdamW (Loshchilov and Hutter, "Decoupled Weight Decay Regularization", ICLR 2019).
#[derive(Clone, Copy, Debug)]
pub struct AdamStep {
    /// Decay rates of the two moments.
    pub betas: [f32; 2],
    /// What the moments are divided by, for they begin at zero: `1 - beta^t` at the t-th step.
    pub corrections: [f32; 2],
    /// Added to the root of the second moment.
    pub epsilon: f32,
    pub learning_rate: f32,
    /// What the value keeps: one minus learning rate times weight decay.
    pub kept: f32,
}

/// The value and both moments after the step; all of one length.
pub fn adam(
    value: &[f32],
    gradient: &[f32],
    moments: [&[f32]; 2],
    step: &AdamStep,
) -> (Vec<f32>, [Vec<f32>; 2]) {
    let length = value.len();
    let [mut first, mut second] = [(); 2].map(|()| Vec::with_capacity(length));
    let shared = [&mut first, &mut second].map(|values: &mut Vec<f32>| {
        // The capacity may be more than was asked for.
        Shared::new(&mut values.spare_capacity_mut()[..length])
    });
    // SAFETY: every value is written, in all three vectors, and each range has its own parts.
    let output = unsafe {
        filled_by_range(length, |range, output| {
            let moved = [0, 1].map(|moment| shared[moment].part(range.clone()));
            let before = moments.map(|moment| &moment[range.clone()]);
            adam_piece(&value[range.clone()], &gradient[range], before, step, output, moved);
        })
    };
    // SAFETY: as above.
    unsafe {
        first.set_len(length);
        second.set_len(length);
    }
    (output, [first, second])
}

#[macerator::with_simd]
fn adam_piece<S: Simd>(
    value: &[f32],
    gradient: &[f32],
    before: [&[f32]; 2],
    step: &AdamStep,
    output: &mut [MaybeUninit<f32>],
    moved: [&mut [MaybeUninit<f32>]; 2],
) {
    let [first_output, second_output] = moved;
    let AdamStep { betas, corrections, epsilon, learning_rate, kept } = *step;
    let read = value.iter().zip(gradient).zip(before[0]).zip(before[1]);
    let write = output.iter_mut().zip(first_output).zip(second_output);
    for ((((value, gradient), first), second), ((output, first_output), second_output)) in read.zip(write) {
        let first = first * betas[0] + gradient * (1.0 - betas[0]);
        let second = second * betas[1] + gradient * gradient * (1.0 - betas[1]);
        let delta = first / corrections[0] / ((second / corrections[1]).sqrt() + epsilon);
        output.write(value * kept - delta * learning_rate);
        first_output.write(first);
        second_output.write(second);
    }
}
