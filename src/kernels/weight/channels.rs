//! Sums with vectors running over output channels.

use std::ops::Range;

use macerator::{Scalar, Simd};

use super::{Plan, Scratch};
use crate::tile::{Grid, outer, tiles, with_rows};
use crate::winograd::{self, PRODUCTS, TAPS};

/// Adds the images `first .. end` to `sums`, vectors running over output channels.
#[macerator::with_simd]
pub(super) fn sum_along_channels<'a, S: Simd>(
    plan: &'a Plan<'a>,
    scratch: &'a mut Scratch,
    first: usize,
    end: usize,
    sums: &'a mut [f32],
) {
    let lanes = f32::lanes::<S>();
    let Scratch { source: copy, sums: product_sums, products, gradient: pixels_first } = scratch;
    product_sums.fill(0.0);
    let (conv, cells) = (plan.conv, plan.rows * plan.columns);
    let (group_in, group_out) = (conv.group_in(), conv.group_out());
    let step = group_out.next_multiple_of(lanes);
    for start in (first..end).step_by(plan.images) {
        let images = start..(start + plan.images).min(end);
        for group in 0..conv.groups {
            let mut sums = match plan.winograd {
                true => &mut product_sums[group * plan.group / TAPS * PRODUCTS..],
                false => &mut sums[group * plan.group..],
            };
            let source = if plan.in_place {
                &plan.input[(start * conv.groups + group) * group_in * plan.source.channel()..]
            } else {
                for (image, into) in images.clone().zip(copy.chunks_exact_mut(plan.image_step)) {
                    plan.source.fill(plan.input(image, group), into);
                }
                &copy[..]
            };
            let planes = |image: usize| plan.gradients(image, group);
            if plan.winograd {
                let into = products.chunks_exact_mut(group_out * plan.landed());
                for (image, into) in images.clone().zip(into) {
                    winograd::output_gradient(planes(image), conv.output, into);
                }
            }
            for (pass, offsets) in plan.offsets.iter().enumerate() {
                let plane = |image: usize, channel: usize| match plan.winograd {
                    true => {
                        &products[((image - start) * group_out + channel) * plan.landed() + pass * cells..]
                    }
                    false => &planes(image)[channel * cells..],
                };
                for row in (0..plan.rows).step_by(plan.lines) {
                    let grid = Grid {
                        images: images.len(),
                        rows: plan.lines.min(plan.rows - row),
                        columns: plan.columns,
                        image_step: plan.image_step,
                        row_step: plan.source.row(),
                    };
                    let pixels = row * grid.columns..(row + grid.rows) * grid.columns;
                    let source = source[row * grid.row_step..].as_ptr();
                    for channel in (0..group_out).step_by(2 * lanes) {
                        let width = (group_out - channel).div_ceil(lanes).min(2) * lanes;
                        let into = pixels_first.chunks_exact_mut(pixels.len() * width);
                        for (image, into) in images.clone().zip(into) {
                            let planes = channel..(channel + width).min(group_out);
                            interleave(|c| &plane(image, c)[pixels.clone()], planes, into, width);
                        }
                        let gradient = pixels_first.as_ptr();
                        for (tap, rows) in tiles(offsets.len(), plan.layout.rows) {
                            let offsets = &offsets[tap..tap + rows];
                            let sums = sums[tap * step + channel..].as_mut_ptr();
                            // SAFETY: the copy holds every tap of every pixel of the grid, `gradient` has just been
                            // filled with `width` floats a pixel, and a row of `sums` is `step` floats, whole
                            // vectors, long.
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
                sums = &mut sums[offsets.len() * step..];
            }
        }
    }
    if plan.winograd {
        let products = product_sums.chunks_exact(plan.group / TAPS * PRODUCTS);
        products
            .zip(sums.chunks_exact_mut(plan.group))
            .for_each(|(products, sums)| winograd::weight_gradient(products, sums));
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
