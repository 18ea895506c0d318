//! Sums with vectors running over pixels.

use macerator::{Scalar, Simd};

use super::{Plan, Scratch};
use crate::tile::{inner, tiles, with_rows};

/// Adds the images `first .. end` to `sums`, vectors running over pixels: for groups of few output channels.
#[macerator::with_simd]
pub(super) fn sum_along_pixels<'a, S: Simd>(
    plan: &'a Plan<'a>,
    scratch: &'a mut Scratch,
    first: usize,
    end: usize,
    sums: &'a mut [f32],
) {
    let lanes = f32::lanes::<S>();
    let offsets = &plan.offsets[0];
    let (taps, rows, columns, row_step) = (offsets.len(), plan.rows, plan.columns, plan.source.row());
    let width = columns.next_multiple_of(lanes);
    for image in first..end {
        for (group, sums) in sums.chunks_exact_mut(plan.group).enumerate() {
            plan.source.fill(plan.input(image, group), &mut scratch.source[..plan.image_step]);
            let planes = plan.gradients(image, group).chunks_exact(rows * columns);
            for (plane, sums) in planes.zip(sums.chunks_exact_mut(taps * lanes)) {
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
                    let offsets = &offsets[tap..tap + count];
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
