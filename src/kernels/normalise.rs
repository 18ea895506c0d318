//! Batch normalisation by the statistics of the batch, channel by channel: each channel's planes are read from memory once
//! a pass and stay in the cache for the next.

use std::mem::MaybeUninit;

use macerator::{Scalar, Simd, Vector};

use crate::parallel::{Shared, filled, for_each};

/// What batch normalisation has besides its inputs.
#[derive(Clone, Copy, Debug)]
pub struct Norm {
    pub epsilon: f32,
    /// The output is moved between them.
    pub bounds: Option<[f32; 2]>,
}

/// What [`forward`] gives.
pub struct Forward {
    pub output: Vec<f32>,
    pub mean: Vec<f32>,
    /// Biased, without epsilon.
    pub variance: Vec<f32>,
}

/// What [`backward`] gives.
pub struct Backward {
    pub input: Vec<f32>,
    pub scale: Vec<f32>,
    pub shift: Vec<f32>,
}

/// What the forward pass had and found, by channel.
#[derive(Clone, Copy)]
pub struct Statistics<'a> {
    pub scale: &'a [f32],
    pub mean: &'a [f32],
    pub variance: &'a [f32],
    pub epsilon: f32,
}

/// Normalises `input` `[batch, channels, ..]`, `scale` and `shift` being one number a channel.
pub fn forward(input: &[f32], batch: usize, scale: &[f32], shift: &[f32], epsilon: f32) -> Forward {
    let channels = scale.len();
    let planes = Planes { batch, channels, size: input.len() / (batch * channels) };
    let mut statistics = vec![(0f32, 0f32); channels];
    let write = |output: &mut [MaybeUninit<f32>]| {
        let output = Shared::new(output);
        for_each(&mut statistics, |channel, statistics| {
            let (mean, variance) = moments(planes, input, channel);
            *statistics = (mean, variance);
            let factor = scale[channel] / (variance + epsilon).sqrt();
            let offset = shift[channel] - mean * factor;
            for range in planes.of(channel) {
                // SAFETY: each channel writes its own planes.
                let output = unsafe { output.part(range.clone()) };
                affine(&input[range], factor, offset, output);
            }
        });
    };
    // SAFETY: every plane of every channel is written.
    let output = unsafe { filled(input.len(), write) };
    let (mean, variance) = statistics.into_iter().unzip();
    Forward { output, mean, variance }
}

/// Gradients of input, scale and shift, from that of the output.
pub fn backward(input: &[f32], gradient: &[f32], batch: usize, given: Statistics) -> Backward {
    let channels = given.scale.len();
    let planes = Planes { batch, channels, size: input.len() / (batch * channels) };
    let count = (batch * planes.size) as f32;
    let mut sums = vec![(0f32, 0f32); channels];
    let write = |output: &mut [MaybeUninit<f32>]| {
        let output = Shared::new(output);
        for_each(&mut sums, |channel, sums| {
            let mean = given.mean[channel];
            let inverse = 1.0 / (given.variance[channel] + given.epsilon).sqrt();
            let (shift, centred) = gradient_sums(planes, input, gradient, channel, mean);
            let scale = centred * inverse;
            *sums = (scale, shift);
            // With x̂ = (x − mean) · inverse: dx = γ · inverse · (g − shift/n − x̂ · scale/n), gathered by g, x and 1.
            let by_gradient = given.scale[channel] * inverse;
            let by_input = -by_gradient * inverse * scale / count;
            let constant = -by_gradient * shift / count - by_input * mean;
            for range in planes.of(channel) {
                // SAFETY: each channel writes its own planes.
                let output = unsafe { output.part(range.clone()) };
                combine(&input[range.clone()], &gradient[range], [by_input, by_gradient, constant], output);
            }
        });
    };
    // SAFETY: every plane of every channel is written.
    let input = unsafe { filled(input.len(), write) };
    let (scale, shift) = sums.into_iter().unzip();
    Backward { input, scale, shift }
}

/// Sum of each channel of `values` `[batch, channels, ..]`.
pub fn channel_sums(values: &[f32], batch: usize, channels: usize) -> Vec<f32> {
    let planes = Planes { batch, channels, size: values.len() / (batch * channels) };
    let mut sums = vec![0f32; channels];
    for_each(&mut sums, |channel, sum| *sum = plane_sum(planes, values, channel));
    sums
}

#[derive(Clone, Copy)]
struct Planes {
    batch: usize,
    channels: usize,
    size: usize,
}

impl Planes {
    /// Where the planes of a channel lie.
    fn of(self, channel: usize) -> impl Iterator<Item = std::ops::Range<usize>> {
        let Self { batch, channels, size } = self;
        (0..batch).map(move |image| {
            let start = (image * channels + channel) * size;
            start..start + size
        })
    }
}

/// Mean and biased variance of a channel, the variance from the centred values.
#[macerator::with_simd]
fn moments<S: Simd>(planes: Planes, values: &[f32], channel: usize) -> (f32, f32) {
    let count = (planes.batch * planes.size) as f32;
    let mut sum = Sum::<S>::zero();
    for range in planes.of(channel) {
        sum.add(&values[range], |x| x, |x| x);
    }
    let mean = sum.total() / count;
    let minus = (-mean).splat::<S>();
    let mut squares = Sum::<S>::zero();
    for range in planes.of(channel) {
        squares.add(&values[range], |x| (x + minus) * (x + minus), |x| (x - mean) * (x - mean));
    }
    (mean, squares.total() / count)
}

#[macerator::with_simd]
fn plane_sum<S: Simd>(planes: Planes, values: &[f32], channel: usize) -> f32 {
    let mut sum = Sum::<S>::zero();
    for range in planes.of(channel) {
        sum.add(&values[range], |x| x, |x| x);
    }
    sum.total()
}

/// Sums of the gradient, and of the gradient times the centred input.
#[macerator::with_simd]
fn gradient_sums<S: Simd>(
    planes: Planes,
    input: &[f32],
    gradient: &[f32],
    channel: usize,
    mean: f32,
) -> (f32, f32) {
    let lanes = f32::lanes::<S>();
    let minus = (-mean).splat::<S>();
    let (mut sums, mut centred) = ([0f32.splat::<S>(); 2], [0f32.splat::<S>(); 2]);
    let (mut sum_rest, mut centred_rest) = (0f32, 0f32);
    for range in planes.of(channel) {
        let (input, gradient) = (&input[range.clone()], &gradient[range]);
        let (xs, gs) = (input.chunks_exact(2 * lanes), gradient.chunks_exact(2 * lanes));
        for (x, g) in xs.remainder().iter().zip(gs.remainder()) {
            sum_rest += g;
            centred_rest += g * (x - mean);
        }
        for (x, g) in xs.zip(gs) {
            for v in 0..2 {
                // SAFETY: the chunks are two vectors long.
                let (x, g) = unsafe { (load::<S>(&x[v * lanes..]), load::<S>(&g[v * lanes..])) };
                sums[v] += g;
                centred[v] = g.mul_add(x + minus, centred[v]);
            }
        }
    }
    let total = |[a, b]: [Vector<S, f32>; 2]| (a + b).reduce_add();
    (total(sums) + sum_rest, total(centred) + centred_rest)
}

/// `output = input · factor + offset`.
#[macerator::with_simd]
fn affine<S: Simd>(input: &[f32], factor: f32, offset: f32, output: &mut [MaybeUninit<f32>]) {
    for (output, x) in output.iter_mut().zip(input) {
        output.write(x * factor + offset);
    }
}

/// `output = input · factors[0] + gradient · factors[1] + factors[2]`.
#[macerator::with_simd]
fn combine<S: Simd>(input: &[f32], gradient: &[f32], factors: [f32; 3], output: &mut [MaybeUninit<f32>]) {
    let [a, b, c] = factors;
    for ((output, x), g) in output.iter_mut().zip(input).zip(gradient) {
        output.write(x * a + g * b + c);
    }
}

/// # Safety
/// `values` is a vector long.
#[inline(always)]
unsafe fn load<S: Simd>(values: &[f32]) -> Vector<S, f32> {
    // SAFETY: the caller's promise.
    unsafe { f32::vload_unaligned::<S>(values.as_ptr()) }
}

/// A sum in four vectors and a rest.
struct Sum<S: Simd> {
    vectors: [Vector<S, f32>; 4],
    rest: f32,
}

impl<S: Simd> Sum<S> {
    #[inline(always)]
    fn zero() -> Self {
        Self { vectors: [0f32.splat::<S>(); 4], rest: 0.0 }
    }

    /// Adds what `vector` (or `scalar`, for what is left over) makes of each value.
    #[inline(always)]
    fn add(
        &mut self,
        values: &[f32],
        vector: impl Fn(Vector<S, f32>) -> Vector<S, f32>,
        scalar: impl Fn(f32) -> f32,
    ) {
        let lanes = f32::lanes::<S>();
        let chunks = values.chunks_exact(4 * lanes);
        for value in chunks.remainder() {
            self.rest += scalar(*value);
        }
        for chunk in chunks {
            for (v, sum) in self.vectors.iter_mut().enumerate() {
                // SAFETY: a chunk is four vectors long.
                *sum += vector(unsafe { load::<S>(&chunk[v * lanes..]) });
            }
        }
    }

    #[inline(always)]
    fn total(&self) -> f32 {
        let [a, b, c, d] = self.vectors;
        ((a + b) + (c + d)).reduce_add() + self.rest
    }
}
