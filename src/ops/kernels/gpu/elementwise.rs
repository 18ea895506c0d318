//! What takes each value by itself, in one pass over memory.

use burn::cubecl;
use burn::cubecl::prelude::*;

use super::{CubeTensor, buffer, contiguous, empty, threads};
use graftlab_kernels::adam::AdamStep;

/// A thread for each vector of a tensor's values.
struct Pass {
    /// Of the tensor's shape, still to be written.
    output: CubeTensor,
    /// Values of a vector.
    vector: usize,
    /// Vectors.
    length: usize,
    count: CubeCount,
    dim: CubeDim,
}

impl Pass {
    fn over(tensor: &CubeTensor) -> Self {
        let shape = tensor.meta.shape().clone();
        let values = shape.num_elements();
        let vector = if values.is_multiple_of(4) { 4 } else { 1 };
        let length = values / vector;
        let (count, dim) = threads(&tensor.client, length);
        Self { output: empty(tensor, shape), vector, length, count, dim }
    }
}

pub(super) fn clip(input: CubeTensor, low: f32, high: f32) -> CubeTensor {
    let input = contiguous(input);
    let Pass { output, vector, length, count, dim } = Pass::over(&input);
    // SAFETY: both tensors hold `length` vectors, and no index leaves them.
    unsafe {
        clip_values::launch_unchecked(
            &input.client,
            count,
            dim,
            vector,
            buffer(&input),
            buffer(&output),
            low,
            high,
            length,
        );
    }
    output
}

pub(super) fn clip_gradient(clipped: CubeTensor, gradient: CubeTensor, low: f32, high: f32) -> CubeTensor {
    let [clipped, gradient] = [clipped, gradient].map(contiguous);
    let Pass { output, vector, length, count, dim } = Pass::over(&clipped);
    // SAFETY: all tensors hold `length` vectors, and no index leaves them.
    unsafe {
        clip_values_gradient::launch_unchecked(
            &clipped.client,
            count,
            dim,
            vector,
            buffer(&clipped),
            buffer(&gradient),
            buffer(&output),
            low,
            high,
            length,
        );
    }
    output
}

pub(super) fn blend(tensors: [CubeTensor; 4], share: f32) -> (CubeTensor, CubeTensor) {
    let [mean, variance, new_mean, new_variance] = tensors.map(contiguous);
    let shape = mean.meta.shape().clone();
    let length = shape.num_elements();
    let [mean_output, variance_output] = [(); 2].map(|()| empty(&mean, shape.clone()));
    let (count, dim) = threads(&mean.client, length);
    // SAFETY: all tensors hold `length` values, and no index leaves them.
    unsafe {
        blend_statistics::launch_unchecked(
            &mean.client,
            count,
            dim,
            buffer(&mean),
            buffer(&variance),
            buffer(&new_mean),
            buffer(&new_variance),
            buffer(&mean_output),
            buffer(&variance_output),
            share,
            length,
        );
    }
    (mean_output, variance_output)
}

pub(super) fn adam(tensors: [CubeTensor; 4], step: &AdamStep) -> (CubeTensor, CubeTensor, CubeTensor) {
    let [value, gradient, first, second] = tensors.map(contiguous);
    let shape = value.meta.shape().clone();
    let length = shape.num_elements();
    let [output, first_output, second_output] = [(); 3].map(|()| empty(&value, shape.clone()));
    let (count, dim) = threads(&value.client, length);
    // SAFETY: all tensors hold `length` values, and no index leaves them.
    unsafe {
        adam_values::launch_unchecked(
            &value.client,
            count,
            dim,
            buffer(&value),
            buffer(&gradient),
            buffer(&first),
            buffer(&second),
            buffer(&output),
            buffer(&first_output),
            buffer(&second_output),
            step.betas[0],
            step.betas[1],
            step.corrections[0],
            step.corrections[1],
            step.epsilon,
            step.learning_rate,
            step.kept,
            length,
        );
    }
    (output, first_output, second_output)
}

#[cube(launch_unchecked)]
fn clip_values<N: Size>(
    input: &[Vector<f32, N>],
    output: &mut [Vector<f32, N>],
    low: f32,
    high: f32,
    length: usize,
) {
    if ABSOLUTE_POS >= length {
        terminate!();
    }
    output[ABSOLUTE_POS] = between(input[ABSOLUTE_POS], low, high);
}

/// The values, moved to the nearer bound where they lie outside. Comparing keeps what is no number, by which a run that
/// exploded is known.
#[cube]
pub(super) fn between<N: Size>(values: Vector<f32, N>, low: f32, high: f32) -> Vector<f32, N> {
    let mut values = values;
    #[unroll]
    for n in 0..N::value() {
        if values.extract(n) > high {
            values.insert(n, high);
        }
        if values.extract(n) < low {
            values.insert(n, low);
        }
    }
    values
}

/// The gradient of values that were moved between bounds, of which only those between them get one.
#[cube]
pub(super) fn let_through<N: Size>(
    gradient: Vector<f32, N>,
    clipped: Vector<f32, N>,
    low: f32,
    high: f32,
) -> Vector<f32, N> {
    let mut passed = gradient;
    #[unroll]
    for n in 0..N::value() {
        if clipped.extract(n) <= low || clipped.extract(n) >= high {
            passed.insert(n, 0.0f32);
        }
    }
    passed
}

#[cube(launch_unchecked)]
fn clip_values_gradient<N: Size>(
    clipped: &[Vector<f32, N>],
    gradient: &[Vector<f32, N>],
    output: &mut [Vector<f32, N>],
    low: f32,
    high: f32,
    length: usize,
) {
    if ABSOLUTE_POS >= length {
        terminate!();
    }
    output[ABSOLUTE_POS] = let_through(gradient[ABSOLUTE_POS], clipped[ABSOLUTE_POS], low, high);
}

#[cube(launch_unchecked)]
fn blend_statistics(
    mean: &[f32],
    variance: &[f32],
    new_mean: &[f32],
    new_variance: &[f32],
    mean_output: &mut [f32],
    variance_output: &mut [f32],
    share: f32,
    length: usize,
) {
    if ABSOLUTE_POS >= length {
        terminate!();
    }
    let (old_mean, old_variance) = (mean[ABSOLUTE_POS], variance[ABSOLUTE_POS]);
    mean_output[ABSOLUTE_POS] = old_mean + (new_mean[ABSOLUTE_POS] - old_mean) * share;
    variance_output[ABSOLUTE_POS] = old_variance + (new_variance[ABSOLUTE_POS] - old_variance) * share;
}

#[cube(launch_unchecked)]
fn adam_values(
    value: &[f32],
    gradient: &[f32],
    first: &[f32],
    second: &[f32],
    output: &mut [f32],
    first_output: &mut [f32],
    second_output: &mut [f32],
    beta_1: f32,
    beta_2: f32,
    correction_1: f32,
    correction_2: f32,
    epsilon: f32,
    learning_rate: f32,
    kept: f32,
    length: usize,
) {
    if ABSOLUTE_POS >= length {
        terminate!();
    }
    let slope = gradient[ABSOLUTE_POS];
    let first_moment = first[ABSOLUTE_POS] * beta_1 + slope * (1.0f32 - beta_1);
    let second_moment = second[ABSOLUTE_POS] * beta_2 + slope * slope * (1.0f32 - beta_2);
    let delta = first_moment / correction_1 / ((second_moment / correction_2).sqrt() + epsilon);
    output[ABSOLUTE_POS] = value[ABSOLUTE_POS] * kept - delta * learning_rate;
    first_output[ABSOLUTE_POS] = first_moment;
    second_output[ABSOLUTE_POS] = second_moment;
}
