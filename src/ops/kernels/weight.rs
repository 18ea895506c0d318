//! The weight gradient of a convolution.
//!
//! Images are taken in at most [`PIECES`] runs, each summed on its own and the sums then added in order: the result is the
//! same whatever the number of threads.

use std::ops::Range;

use macerator::{Scalar, Simd};

use super::geometry::{Conv, Correlation, Pass};
use super::parallel::for_each_piece;
use super::source::Source;
use super::tile::{Grid, Layout, MAX_LANES, inner, layout, outer, tiles, with_rows};

/// Runs of images that are summed apart.
const PIECES: usize = 8;

/// Pixels that a tile sums in registers before it adds to memory, about: enough to be worth it, few enough for
/// their gradient to stay in the nearest cache.
const PIXELS: usize = 256;

/// Gradient `[channels_out, group_in, kh, kw]` of the weight, from the input `[batch, channels_in, h, w]` and
/// the output's gradient `[batch, channels_out, h, w]`.
pub(super) fn weight_gradient(conv: &Conv, input: &[f32], gradient: &[f32]) -> Vec<f32> {
    let layout = layout();
    let Correlation { source, passes, .. } = Correlation::forward(conv);
    let Some(pass) = passes.into_iter().next() else { return Vec::new() };
    let along_pixels = 2 * conv.group_out() <= layout.lanes;
    let in_place = source.is_original() && !along_pixels;
    let channel = source.channel();
    let offsets: Vec<usize> = (0..conv.group_in())
        .flat_map(|c| pass.offsets.iter().map(move |offset| c * channel + offset))
        .collect();
    let plan = Plan {
        conv,
        input,
        gradient,
        layout,
        images: if along_pixels { 1 } else { PIXELS.div_ceil(conv.output_plane()) },
        rows: PIXELS.div_ceil(conv.output[1]).min(conv.output[0]),
        // Both ways store the taps of one group one after the other, whole vectors each.
        group: offsets.len()
            * match along_pixels {
                true => conv.group_out() * layout.lanes,
                false => conv.group_out().next_multiple_of(layout.lanes),
            },
        in_place,
        image_step: channel * if in_place { conv.channels_in } else { conv.group_in() },
        source,
        pass,
        offsets,
    };
    let run = conv.batch.div_ceil(PIECES);
    let pieces = conv.batch.div_ceil(run);
    let size = conv.groups * plan.group;
    let mut sums = vec![0f32; pieces * size];
    let init = || Scratch {
        source: vec![0.0; if in_place { 0 } else { plan.images * plan.image_step + MAX_LANES }],
        gradient: vec![0.0; plan.gradient_floats(along_pixels)],
    };
    for_each_piece(&mut sums, size, init, |scratch, index, sums| {
        let images = index * run..((index + 1) * run).min(conv.batch);
        match along_pixels {
            true => sum_along_pixels(&plan, scratch, images.start, images.end, sums),
            false => sum_along_channels(&plan, scratch, images.start, images.end, sums),
        }
    });
    let (total, rest) = sums.split_at_mut(size);
    for sums in rest.chunks_exact(size) {
        total.iter_mut().zip(sums).for_each(|(total, sum)| *total += sum);
    }
    plan.ordered(total, along_pixels)
}

struct Plan<'a> {
    conv: &'a Conv,
    input: &'a [f32],
    gradient: &'a [f32],
    layout: Layout,
    source: Source,
    pass: Pass,
    /// Where each input channel and tap reads in the padded copy of one group.
    offsets: Vec<usize>,
    /// Images, and rows of them, that tiles sum at a time.
    images: usize,
    rows: usize,
    /// Floats of a group's sums.
    group: usize,
    /// The input is read where it is, without a padded copy.
    in_place: bool,
    /// Floats from one image to the next where tiles read.
    image_step: usize,
}

struct Scratch {
    source: Vec<f32>,
    gradient: Vec<f32>,
}

impl Plan<'_> {
    fn gradient_floats(&self, along_pixels: bool) -> usize {
        match along_pixels {
            true => self.pass.rows * self.pass.columns.next_multiple_of(self.layout.lanes),
            false => self.images * self.rows * self.pass.columns * 2 * self.layout.lanes,
        }
    }

    /// The input planes of one image and group.
    fn input(&self, image: usize, group: usize) -> &[f32] {
        let size = self.conv.group_in() * self.conv.input_plane();
        &self.input[(image * self.conv.groups + group) * size..][..size]
    }

    /// The gradient plane of one image and output channel.
    fn gradient(&self, image: usize, channel: usize) -> &[f32] {
        let size = self.conv.output_plane();
        &self.gradient[(image * self.conv.channels_out + channel) * size..][..size]
    }

    /// Sums in the order of a weight.
    fn ordered(&self, sums: &[f32], along_pixels: bool) -> Vec<f32> {
        let (taps, lanes) = (self.offsets.len(), self.layout.lanes);
        let group_out = self.conv.group_out();
        let mut ordered = Vec::with_capacity(self.conv.channels_out * taps);
        for sums in sums.chunks_exact(self.group) {
            for channel in 0..group_out {
                ordered.extend((0..taps).map(|tap| match along_pixels {
                    true => sums[(channel * taps + tap) * lanes..][..lanes].iter().sum(),
                    false => sums[tap * (self.group / taps) + channel],
                }));
            }
        }
        ordered
    }
}

/// Adds the images `first .. end` to `sums`, vectors running over output channels.
#[macerator::with_simd]
fn sum_along_channels<'a, S: Simd>(
    plan: &'a Plan<'a>,
    scratch: &'a mut Scratch,
    first: usize,
    end: usize,
    sums: &'a mut [f32],
) {
    let lanes = f32::lanes::<S>();
    let (taps, group_out) = (plan.offsets.len(), plan.conv.group_out());
    let step = plan.group / taps;
    for start in (first..end).step_by(plan.images) {
        let images = start..(start + plan.images).min(end);
        for (group, sums) in sums.chunks_exact_mut(plan.group).enumerate() {
            let source = if plan.in_place {
                &plan.input
                    [(start * plan.conv.groups + group) * plan.conv.group_in() * plan.source.channel()..]
            } else {
                for (image, into) in images.clone().zip(scratch.source.chunks_exact_mut(plan.image_step)) {
                    plan.source.fill(plan.input(image, group), into);
                }
                &scratch.source
            };
            for row in (0..plan.pass.rows).step_by(plan.rows) {
                let grid = Grid {
                    images: images.len(),
                    rows: plan.rows.min(plan.pass.rows - row),
                    columns: plan.pass.columns,
                    image_step: plan.image_step,
                    row_step: plan.source.row(),
                };
                let pixels = row * grid.columns..(row + grid.rows) * grid.columns;
                let source = source[row * grid.row_step..].as_ptr();
                for channel in (0..group_out).step_by(2 * lanes) {
                    let width = (group_out - channel).div_ceil(lanes).min(2) * lanes;
                    let into = scratch.gradient.chunks_exact_mut(pixels.len() * width);
                    for (image, into) in images.clone().zip(into) {
                        let first = group * group_out + channel;
                        let planes = first..(first + width).min((group + 1) * group_out);
                        interleave(|c| &plan.gradient(image, c)[pixels.clone()], planes, into, width);
                    }
                    let gradient = scratch.gradient.as_ptr();
                    for (tap, rows) in tiles(taps, plan.layout.rows) {
                        let offsets = &plan.offsets[tap..tap + rows];
                        let sums = sums[tap * step + channel..].as_mut_ptr();
                        // SAFETY: the copy holds every tap of every pixel of the grid, `gradient` has just been
                        // filled with `width` floats a pixel, and a row of `sums` is `step` floats, whole vectors,
                        // long.
                        unsafe {
                            match width == lanes {
                                true => with_rows!(
                                    rows,
                                    outer::<S, _, 1>(source, offsets, grid, gradient, sums, step)
                                ),
                                false => with_rows!(
                                    rows,
                                    outer::<S, _, 2>(source, offsets, grid, gradient, sums, step)
                                ),
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Writes pixel by pixel, `width` floats each, what lies plane by plane. `into` keeps what it held where there are
/// fewer planes than `width`.
#[inline(always)]
fn interleave<'a>(plane: impl Fn(usize) -> &'a [f32], planes: Range<usize>, into: &mut [f32], width: usize) {
    let mut c = 0;
    // Four planes by four pixels at a time, which the compiler turns into shuffles of vectors.
    while c + 4 <= planes.len() {
        let block: [&[f32]; 4] = std::array::from_fn(|i| plane(planes.start + c + i));
        let (quads, rest) = block[0].as_chunks::<4>();
        for p in 0..quads.len() {
            let values = block.map(|plane| plane.as_chunks::<4>().0[p]);
            for i in 0..4 {
                let into = &mut into[(4 * p + i) * width + c..][..4];
                into.copy_from_slice(&values.map(|value| value[i]));
            }
        }
        for p in block[0].len() - rest.len()..block[0].len() {
            into[p * width + c..][..4].copy_from_slice(&block.map(|plane| plane[p]));
        }
        c += 4;
    }
    for c in c..planes.len() {
        let plane = plane(planes.start + c);
        into[c..].iter_mut().step_by(width).zip(plane).for_each(|(into, value)| *into = *value);
    }
}

/// Adds the images `first .. end` to `sums`, vectors running over pixels: for groups of few output channels.
#[macerator::with_simd]
fn sum_along_pixels<'a, S: Simd>(
    plan: &'a Plan<'a>,
    scratch: &'a mut Scratch,
    first: usize,
    end: usize,
    sums: &'a mut [f32],
) {
    let lanes = f32::lanes::<S>();
    let taps = plan.offsets.len();
    let (rows, columns, row_step) = (plan.pass.rows, plan.pass.columns, plan.source.row());
    let width = columns.next_multiple_of(lanes);
    for image in first..end {
        for (group, sums) in sums.chunks_exact_mut(plan.group).enumerate() {
            plan.source.fill(plan.input(image, group), &mut scratch.source[..plan.image_step]);
            for (c, sums) in sums.chunks_exact_mut(taps * lanes).enumerate() {
                let plane = plan.gradient(image, group * plan.conv.group_out() + c);
                let gradient = if width == columns {
                    plane
                } else {
                    for (row, into) in
                        plane.chunks_exact(columns).zip(scratch.gradient.chunks_exact_mut(width))
                    {
                        into[..columns].copy_from_slice(row);
                    }
                    &scratch.gradient
                };
                for (tap, count) in tiles(taps, plan.layout.rows) {
                    let offsets = &plan.offsets[tap..tap + count];
                    let (source, gradient) = (scratch.source.as_ptr(), gradient.as_ptr());
                    let sums = sums[tap * lanes..].as_mut_ptr();
                    // SAFETY: the copy holds every tap of every pixel and ends in a spare vector; gradient rows are
                    // `width` floats, whole vectors, long; `sums` holds a vector for each tap.
                    unsafe {
                        with_rows!(
                            count,
                            inner::<S, _>(source, offsets, rows, row_step, width / lanes, gradient, sums)
                        )
                    }
                }
            }
        }
    }
}
