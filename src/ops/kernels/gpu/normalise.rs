//! Batch normalisation: a group of threads sums each channel, then every thread maps one vector.

use burn::cubecl;
use burn::cubecl::prelude::*;
use burn::tensor::Shape;

use super::elementwise::{between, let_through};
use super::{CubeTensor, buffer, contiguous, empty, threads};
use graftlab_kernels::normalise::Norm;

/// Threads of a group that sums.
pub(super) const GROUP: usize = 64;

/// Batch, channels, length of a vector, and vectors of a plane.
fn planes(shape: &Shape) -> [usize; 4] {
    let plane = shape[2] * shape[3];
    let vector = if plane.is_multiple_of(4) { 4 } else { 1 };
    [shape[0], shape[1], vector, plane / vector]
}

/// A group of threads for each of so many sums.
pub(super) fn groups(count: usize) -> (CubeCount, CubeDim) {
    (CubeCount::new_1d(count as u32), CubeDim::new_1d(GROUP as u32))
}

pub(super) fn batch_norm(tensors: [CubeTensor; 3], norm: Norm) -> (CubeTensor, CubeTensor, CubeTensor) {
    let [input, scale, shift] = tensors.map(contiguous);
    let client = input.client.clone();
    let shape = input.meta.shape().clone();
    let [batch, channels, vector, plane] = planes(&shape);
    let [mean, variance] = [(); 2].map(|()| empty(&input, Shape::new([channels])));
    let (count, dim) = groups(channels);
    // SAFETY: all tensors are of the shapes that the sizes say, and no index leaves them.
    unsafe {
        channel_statistics::launch_unchecked(
            &client,
            count,
            dim,
            vector,
            buffer(&input),
            buffer(&mean),
            buffer(&variance),
            batch,
            channels,
            plane,
        );
    }
    let output = empty(&input, shape);
    let length = batch * channels * plane;
    let (count, dim) = threads(&client, length);
    let [low, high] = norm.bounds.unwrap_or_default();
    // SAFETY: all tensors are of the shapes that the sizes say, and no index leaves them.
    unsafe {
        normalise_planes::launch_unchecked(
            &client,
            count,
            dim,
            vector,
            buffer(&input),
            buffer(&scale),
            buffer(&shift),
            buffer(&mean),
            buffer(&variance),
            buffer(&output),
            norm.epsilon,
            low,
            high,
            channels,
            plane,
            length,
            norm.bounds.is_some(),
        );
    }
    (output, mean, variance)
}

/// Gradients of input, scale and shift; `tensors` are input, scale and the output's gradient, and `output` is there if it
/// was moved between bounds.
pub(super) fn batch_norm_gradients(
    tensors: [CubeTensor; 3],
    statistics: [CubeTensor; 2],
    output: Option<CubeTensor>,
    norm: Norm,
) -> [CubeTensor; 3] {
    let [input, scale, gradient] = tensors.map(contiguous);
    let [mean, variance] = statistics.map(contiguous);
    let clipped = output.map(contiguous);
    let [low, high] = norm.bounds.unwrap_or_default();
    let client = input.client.clone();
    let shape = input.meta.shape().clone();
    let [batch, channels, vector, plane] = planes(&shape);
    let [scale_gradient, shift_gradient] = [(); 2].map(|()| empty(&input, Shape::new([channels])));
    let coefficients = empty(&input, Shape::new([channels, 4]));
    let (count, dim) = groups(channels);
    // SAFETY: all tensors are of the shapes that the sizes say, and no index leaves them.
    unsafe {
        channel_gradients::launch_unchecked(
            &client,
            count,
            dim,
            vector,
            buffer(&input),
            buffer(&gradient),
            clipped.as_ref().map(buffer).into(),
            buffer(&mean),
            buffer(&variance),
            buffer(&scale_gradient),
            buffer(&shift_gradient),
            buffer(&coefficients),
            low,
            high,
            norm.epsilon,
            batch,
            channels,
            plane,
        );
    }
    let output = empty(&input, shape);
    let length = batch * channels * plane;
    let (count, dim) = threads(&client, length);
    // SAFETY: all tensors are of the shapes that the sizes say, and no index leaves them.
    unsafe {
        normalise_gradient::launch_unchecked(
            &client,
            count,
            dim,
            vector,
            buffer(&input),
            buffer(&gradient),
            clipped.as_ref().map(buffer).into(),
            buffer(&scale),
            buffer(&coefficients),
            buffer(&output),
            low,
            high,
            channels,
            plane,
            length,
        );
    }
    [output, scale_gradient, shift_gradient]
}

/// Mean and biased variance of each channel; `[batch, channels, plane]`, the last in vectors.
///
/// Sums are of distances from the channel's first value, so that a large mean takes no digits from the variance.
#[cube(launch_unchecked)]
fn channel_statistics<N: Size>(
    input: &[Vector<f32, N>],
    mean: &mut [f32],
    variance: &mut [f32],
    batch: usize,
    channels: usize,
    plane: usize,
) {
    let channel = CUBE_POS_X as usize;
    let origin = input[channel * plane].extract(0usize);
    let mut sum = Vector::<f32, N>::new(0.0f32);
    let mut squares = Vector::<f32, N>::new(0.0f32);
    for at in range_stepped(UNIT_POS as usize, batch * plane, GROUP) {
        let value = input[(at / plane * channels + channel) * plane + at % plane] - Vector::new(origin);
        sum += value;
        squares += value * value;
    }
    let (sum, squares) = total(sum, squares);
    if UNIT_POS == 0 {
        let count = (batch * plane * N::value()) as f32;
        let distance = sum / count;
        mean[channel] = origin + distance;
        variance[channel] = max(squares / count - distance * distance, 0.0f32);
    }
}

#[cube(launch_unchecked)]
fn normalise_planes<N: Size>(
    input: &[Vector<f32, N>],
    scale: &[f32],
    shift: &[f32],
    mean: &[f32],
    variance: &[f32],
    output: &mut [Vector<f32, N>],
    epsilon: f32,
    low: f32,
    high: f32,
    channels: usize,
    plane: usize,
    length: usize,
    #[comptime] bounded: bool,
) {
    if ABSOLUTE_POS >= length {
        terminate!();
    }
    let channel = ABSOLUTE_POS / plane % channels;
    let factor = scale[channel] / (variance[channel] + epsilon).sqrt();
    let distance = input[ABSOLUTE_POS] - Vector::new(mean[channel]);
    let value = distance * Vector::new(factor) + Vector::new(shift[channel]);
    output[ABSOLUTE_POS] = if bounded { between(value, low, high) } else { value };
}

/// Gradients of scale and shift; and for the input's, channel after channel: mean, inverse deviation, and the means of
/// the gradient's products with the normalised input and of the gradient.
#[cube(launch_unchecked)]
fn channel_gradients<N: Size>(
    input: &[Vector<f32, N>],
    gradient: &[Vector<f32, N>],
    clipped: ComptimeOption<&[Vector<f32, N>]>,
    mean: &[f32],
    variance: &[f32],
    scale_gradient: &mut [f32],
    shift_gradient: &mut [f32],
    coefficients: &mut [f32],
    low: f32,
    high: f32,
    epsilon: f32,
    batch: usize,
    channels: usize,
    plane: usize,
) {
    let channel = CUBE_POS_X as usize;
    let centre = Vector::<f32, N>::new(mean[channel]);
    let mut sum = Vector::<f32, N>::new(0.0f32);
    let mut products = Vector::<f32, N>::new(0.0f32);
    for at in range_stepped(UNIT_POS as usize, batch * plane, GROUP) {
        let at = (at / plane * channels + channel) * plane + at % plane;
        #[comptime]
        let value = match clipped {
            ComptimeOption::Some(clipped) => let_through(gradient[at], clipped[at], low, high),
            ComptimeOption::None => gradient[at],
        };
        sum += value;
        products += value * (input[at] - centre);
    }
    let (sum, products) = total(sum, products);
    if UNIT_POS == 0 {
        let count = (batch * plane * N::value()) as f32;
        let inverse = 1.0f32 / (variance[channel] + epsilon).sqrt();
        shift_gradient[channel] = sum;
        scale_gradient[channel] = products * inverse;
        coefficients[4 * channel] = mean[channel];
        coefficients[4 * channel + 1] = inverse;
        coefficients[4 * channel + 2] = products * inverse / count;
        coefficients[4 * channel + 3] = sum / count;
    }
}

#[cube(launch_unchecked)]
fn normalise_gradient<N: Size>(
    input: &[Vector<f32, N>],
    gradient: &[Vector<f32, N>],
    clipped: ComptimeOption<&[Vector<f32, N>]>,
    scale: &[f32],
    coefficients: &[f32],
    output: &mut [Vector<f32, N>],
    low: f32,
    high: f32,
    channels: usize,
    plane: usize,
    length: usize,
) {
    if ABSOLUTE_POS >= length {
        terminate!();
    }
    let channel = ABSOLUTE_POS / plane % channels;
    let inverse = coefficients[4 * channel + 1];
    let normalised = (input[ABSOLUTE_POS] - Vector::new(coefficients[4 * channel])) * Vector::new(inverse);
    let projected = normalised * Vector::new(coefficients[4 * channel + 2]);
    #[comptime]
    let value = match clipped {
        ComptimeOption::Some(clipped) => {
            let_through(gradient[ABSOLUTE_POS], clipped[ABSOLUTE_POS], low, high)
        }
        ComptimeOption::None => gradient[ABSOLUTE_POS],
    };
    let centred = value - Vector::new(coefficients[4 * channel + 3]);
    output[ABSOLUTE_POS] = (centred - projected) * Vector::new(scale[channel] * inverse);
}

/// Two sums over the group's threads and the vectors' elements, for the first thread.
#[cube]
pub(super) fn total<N: Size>(first: Vector<f32, N>, second: Vector<f32, N>) -> (f32, f32) {
    let mut sums = Shared::<[f32]>::new_slice(2 * GROUP);
    let mut a = 0.0f32;
    let mut b = 0.0f32;
    #[unroll]
    for n in 0..N::value() {
        a += first.extract(n);
        b += second.extract(n);
    }
    let unit = UNIT_POS as usize;
    sums[unit] = a;
    sums[GROUP + unit] = b;
    sync_cube();
    let mut a = 0.0f32;
    let mut b = 0.0f32;
    if unit == 0 {
        for i in 0..GROUP {
            a += sums[i];
            b += sums[GROUP + i];
        }
    }
    (a, b)
}
