//! Batch normalisation by the statistics of the batch, channel by channel: each channel's planes are read from memory once
//! a pass and stay in the cache for the next.

use std::mem::MaybeUninit;

use macerator::{Scalar, Simd, Vector};

use super::parallel::{Shared, filled, for_each};

/// What batch normalisation has besides its inputs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Norm {
    pub epsilon: f32,
    /// The output is moved between them.
    pub bounds: Option<[f32; 2]>,
}

/// What [`forward`] gives.
pub(super) struct Forward {
    pub output: Vec<f32>,
    pub mean: Vec<f32>,
    /// Biased, without epsilon.
    pub variance: Vec<f32>,
}

/// What [`backward`] gives.
pub(super) struct Backward {
    pub input: Vec<f32>,
    pub scale: Vec<f32>,
    pub shift: Vec<f32>,
}

/// What the forward pass had and found, by channel.
#[derive(Clone, Copy)]
pub(super) struct Statistics<'a> {
    pub scale: &'a [f32],
    pub mean: &'a [f32],
    pub variance: &'a [f32],
    pub epsilon: f32,
}

/// Gradient of the output; and the output with the bounds that it was moved between, where nothing gets through.
#[derive(Clone, Copy)]
pub(super) struct Gradient<'a> {
    pub values: &'a [f32],
    pub bounded: Option<(&'a [f32], [f32; 2])>,
}

/// Normalises `input` `[batch, channels, ..]`, `scale` and `shift` being one number a channel.
pub(super) fn forward(input: &[f32], batch: usize, scale: &[f32], shift: &[f32], norm: Norm) -> Forward {
    let channels = scale.len();
    let planes = Planes { batch, channels, size: input.len() / (batch * channels) };
    let mut statistics = vec![(0f32, 0f32); channels];
    let write = |output: &mut [MaybeUninit<f32>]| {
        let output = Shared::new(output);
        for_each(&mut statistics, |channel, statistics| {
            let (mean, variance) = moments(planes, input, channel);
            *statistics = (mean, variance);
            let factor = scale[channel] / (variance + norm.epsilon).sqrt();
            let offset = shift[channel] - mean * factor;
            for range in planes.of(channel) {
                // SAFETY: each channel writes its own planes.
                let output = unsafe { output.part(range.clone()) };
                match norm.bounds {
                    Some(bounds) => affine_bounded(&input[range], factor, offset, bounds, output),
                    None => affine(&input[range], factor, offset, output),
                }
            }
        });
    };
    // SAFETY: every plane of every channel is written.
    let output = unsafe { filled(input.len(), write) };
    let (mean, variance) = statistics.into_iter().unzip();
    Forward { output, mean, variance }
}

/// Gradients of input, scale and shift, from that of the output.
pub(super) fn backward(input: &[f32], gradient: Gradient, batch: usize, given: Statistics) -> Backward {
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
                let factors = [by_input, by_gradient, constant];
                let (input, values) = (&input[range.clone()], &gradient.values[range.clone()]);
                match gradient.bounded {
                    Some((clipped, bounds)) => {
                        combine_bounded(input, values, &clipped[range], bounds, factors, output);
                    }
                    None => combine(input, values, factors, output),
                }
            }
        });
    };
    // SAFETY: every plane of every channel is written.
    let input = unsafe { filled(input.len(), write) };
    let (scale, shift) = sums.into_iter().unzip();
    Backward { input, scale, shift }
}

/// Sum of each channel of `values` `[batch, channels, ..]`.
pub(super) fn channel_sums(values: &[f32], batch: usize, channels: usize) -> Vec<f32> {
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
fn gradient_sums<'a, S: Simd>(
    planes: Planes,
    input: &[f32],
    gradient: Gradient<'a>,
    channel: usize,
    mean: f32,
) -> (f32, f32) {
    let lanes = f32::lanes::<S>();
    let minus = (-mean).splat::<S>();
    // Without bounds, anything stands in for the output: it is not looked at.
    let (clipped, [low, high]) = gradient.bounded.unwrap_or((gradient.values, [0.0; 2]));
    let bounded = gradient.bounded.is_some();
    let (lowest, highest, zero) = (low.splat::<S>(), high.splat::<S>(), 0f32.splat::<S>());
    let (mut sums, mut centred) = ([zero; 2], [zero; 2]);
    let (mut sum_rest, mut centred_rest) = (0f32, 0f32);
    for range in planes.of(channel) {
        let [xs, gs, os] =
            [input, gradient.values, clipped].map(|all| all[range.clone()].chunks_exact(2 * lanes));
        let rest = xs.remainder().iter().zip(gs.remainder()).zip(os.remainder());
        for ((x, g), o) in rest {
            let g = if bounded && (*o <= low || *o >= high) { 0.0 } else { *g };
            sum_rest += g;
            centred_rest += g * (x - mean);
        }
        for ((x, g), o) in xs.zip(gs).zip(os) {
            for v in 0..2 {
                let at = v * lanes;
                // SAFETY: the chunks are two vectors long.
                let [x, mut g, o] = unsafe { [x, g, o].map(|chunk| load::<S>(&chunk[at..])) };
                if bounded {
                    g = (o.le(lowest) | o.ge(highest)).select(zero, g);
                }
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

/// [`affine`], its output moved between bounds.
#[macerator::with_simd]
fn affine_bounded<S: Simd>(
    input: &[f32],
    factor: f32,
    offset: f32,
    bounds: [f32; 2],
    output: &mut [MaybeUninit<f32>],
) {
    let [low, high] = bounds;
    for (output, x) in output.iter_mut().zip(input) {
        let value = x * factor + offset;
        // Comparing keeps what is no number.
        let value = if value > high { high } else { value };
        output.write(if value < low { low } else { value });
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

/// [`combine`], without the gradient where the output was moved to a bound.
#[macerator::with_simd]
fn combine_bounded<S: Simd>(
    input: &[f32],
    gradient: &[f32],
    clipped: &[f32],
    bounds: [f32; 2],
    factors: [f32; 3],
    output: &mut [MaybeUninit<f32>],
) {
    let [low, high] = bounds;
    let [a, b, c] = factors;
    for (((output, x), g), o) in output.iter_mut().zip(input).zip(gradient).zip(clipped) {
        let g = if *o <= low || *o >= high { 0.0 } else { *g };
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
