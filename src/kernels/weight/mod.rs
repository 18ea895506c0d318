//! The weight gradient of a convolution.
//!
//! Images are taken in at most [`PIECES`] runs, each summed on its own and the sums then added in order: the result is the
//! same whatever the number of threads.

mod channels;
mod pixels;

use std::mem::MaybeUninit;

use channels::sum_along_channels;
use pixels::sum_along_pixels;

use crate::geometry::{Conv, Correlation, Pass};
use crate::parallel::{filled, for_each_piece};
use crate::source::Source;
use crate::tile::{Layout, MAX_LANES, layout};
use crate::winograd::{PRODUCTS, TAPS};

/// Runs of images that are summed apart.
const PIECES: usize = 8;

/// Pixels that a tile sums in registers before it adds to memory, about: enough to be worth it, few enough for
/// their gradient to stay in the nearest cache.
const PIXELS: usize = 256;

/// Gradient `[channels_out, group_in, kh, kw]` of the weight, from the input `[batch, channels_in, h, w]` and
/// the output's gradient `[batch, channels_out, h, w]`.
pub fn weight_gradient(conv: &Conv, input: &[f32], gradient: &[f32]) -> Vec<f32> {
    let layout = layout();
    let Correlation { source, passes, winograd, .. } = Correlation::forward(conv);
    let Some(Pass { rows, columns, .. }) = passes.first() else { return Vec::new() };
    let (rows, columns) = (*rows, *columns);
    let along_pixels = !winograd && 2 * conv.group_out() <= layout.lanes;
    let in_place = source.is_original() && !along_pixels;
    let channel = source.channel();
    let offsets = |pass: &Pass| {
        (0..conv.group_in())
            .flat_map(|c| pass.offsets.iter().map(move |offset| c * channel + offset))
            .collect()
    };
    let offsets: Vec<Vec<usize>> = passes.iter().map(offsets).collect();
    let plan = Plan {
        conv,
        input,
        gradient,
        layout,
        images: if along_pixels { 1 } else { PIXELS.div_ceil(rows * columns) },
        lines: PIXELS.div_ceil(columns).min(rows),
        // Both ways store the taps of one group one after the other, whole vectors each.
        group: conv.group_in()
            * conv.taps()
            * match along_pixels {
                true => conv.group_out() * layout.lanes,
                false => conv.group_out().next_multiple_of(layout.lanes),
            },
        in_place,
        image_step: channel * if in_place { conv.channels_in } else { conv.group_in() },
        source,
        rows,
        columns,
        offsets,
        winograd,
    };
    let run = conv.batch.div_ceil(PIECES);
    let pieces = conv.batch.div_ceil(run);
    let size = conv.groups * plan.group;
    let init = || Scratch {
        source: vec![0.0; if in_place { 0 } else { plan.images * plan.image_step + MAX_LANES }],
        sums: vec![0.0; if winograd { size / TAPS * PRODUCTS } else { 0 }],
        products: vec![0.0; if winograd { plan.images * conv.group_out() * plan.landed() } else { 0 }],
        gradient: vec![0.0; plan.gradient_floats(along_pixels)],
    };
    let sum = |scratch: &mut Scratch, index: usize, sums: &mut [MaybeUninit<f32>]| {
        let images = index * run..((index + 1) * run).min(conv.batch);
        sums.fill(MaybeUninit::new(0.0));
        // SAFETY: this has just been done.
        let sums = unsafe { sums.assume_init_mut() };
        match along_pixels {
            true => sum_along_pixels(&plan, scratch, images.start, images.end, sums),
            false => sum_along_channels(&plan, scratch, images.start, images.end, sums),
        }
    };
    // SAFETY: every piece is filled.
    let mut sums = unsafe { filled(pieces * size, |sums| for_each_piece(sums, size, init, sum)) };
    let (total, rest) = sums.split_at_mut(size);
    for_each_piece(
        total,
        PART,
        || (),
        |(), index, total| {
            for sums in rest.chunks_exact(size) {
                total.iter_mut().zip(&sums[index * PART..]).for_each(|(total, sum)| *total += sum);
            }
        },
    );
    plan.ordered(total, along_pixels)
}

/// Floats of the sums, and channels of the gradient, that one thread adds up, or puts in order, at a time.
const PART: usize = 1 << 13;
const CHANNELS: usize = 16;

struct Plan<'a> {
    conv: &'a Conv,
    input: &'a [f32],
    gradient: &'a [f32],
    layout: Layout,
    source: Source,
    /// Of the pixels of a pass.
    rows: usize,
    columns: usize,
    /// Of each pass, where each input channel and tap reads in the padded copy of one group.
    offsets: Vec<Vec<usize>>,
    winograd: bool,
    /// Images, and rows of them, that tiles sum at a time.
    images: usize,
    lines: usize,
    /// Floats of a group's sums.
    group: usize,
    /// The input is read where it is, without a padded copy.
    in_place: bool,
    /// Floats from one image to the next where tiles read.
    image_step: usize,
}

struct Scratch {
    source: Vec<f32>,
    /// Of Winograd's products.
    sums: Vec<f32>,
    /// The gradients of Winograd's products, plane after plane.
    products: Vec<f32>,
    /// What tiles read.
    gradient: Vec<f32>,
}

impl Plan<'_> {
    fn gradient_floats(&self, along_pixels: bool) -> usize {
        match along_pixels {
            true => self.rows * self.columns.next_multiple_of(self.layout.lanes),
            false => self.images * self.lines * self.columns * 2 * self.layout.lanes,
        }
    }

    /// Floats of an output plane, pass after pass.
    fn landed(&self) -> usize {
        self.offsets.len() * self.rows * self.columns
    }

    /// The input planes of one image and group.
    fn input(&self, image: usize, group: usize) -> &[f32] {
        let size = self.conv.group_in() * self.conv.input_plane();
        &self.input[(image * self.conv.groups + group) * size..][..size]
    }

    /// The gradient planes of one image and group.
    fn gradients(&self, image: usize, group: usize) -> &[f32] {
        let size = self.conv.group_out() * self.conv.output_plane();
        &self.gradient[(image * self.conv.groups + group) * size..][..size]
    }

    /// Sums in the order of a weight. Winograd's have each row of taps for all input channels together.
    fn ordered(&self, sums: &[f32], along_pixels: bool) -> Vec<f32> {
        let (group_in, group_out) = (self.conv.group_in(), self.conv.group_out());
        let (taps, lanes) = (group_in * self.conv.taps(), self.layout.lanes);
        let rows = if self.winograd { TAPS } else { 1 };
        let (row, each) = (taps / rows, taps / rows / group_in);
        let order: Vec<usize> = (0..group_in)
            .flat_map(|c| (0..rows).map(move |y| y * row + c * each))
            .flat_map(|first| first..first + each)
            .collect();
        let part = |(): &mut (), index: usize, into: &mut [MaybeUninit<f32>]| {
            for (channel, into) in (index * CHANNELS..).zip(into.chunks_exact_mut(taps)) {
                let sums = &sums[channel / group_out * self.group..][..self.group];
                let channel = channel % group_out;
                for (into, tap) in into.iter_mut().zip(&order) {
                    into.write(match along_pixels {
                        true => sums[(channel * taps + tap) * lanes..][..lanes].iter().sum(),
                        false => sums[tap * (self.group / taps) + channel],
                    });
                }
            }
        };
        // SAFETY: every channel is written.
        unsafe {
            filled(self.conv.channels_out * taps, |into| {
                for_each_piece(into, CHANNELS * taps, || (), part);
            })
        }
    }
}
