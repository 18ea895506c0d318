//! Weight gradient: every thread sums a few weights over a share of the pixels; a second kernel adds the shares.

use burn::cubecl;
use burn::cubecl::prelude::*;

use super::correlate::{Sizes, position, read_window, window};
use super::normalise::{GROUP, total};
use super::stencil::Stencil;

/// Weights `[groups, channels_out, channels_in, taps]` of each share, one share after the other.
#[cube(launch_unchecked)]
pub(super) fn correlate_weight<N: Size>(
    input: &[f32],
    gradient: &[f32],
    partial: &mut [f32],
    sizes: Sizes,
    tiles: usize,
    tiles_per_share: usize,
    #[comptime] stencil: [Stencil; 2],
    #[comptime] vectors: usize,
    #[comptime] inputs: usize,
) {
    if ABSOLUTE_POS >= sizes.threads {
        terminate!();
    }
    let length = N::value();
    let width = comptime!(vectors * length);
    let blocks_in = sizes.channels_in.div_ceil(inputs);
    let blocks_out = sizes.channels_out.div_ceil(width);
    let first_in = ABSOLUTE_POS % blocks_in * inputs;
    let rest = ABSOLUTE_POS / blocks_in;
    let first_out = rest % blocks_out * width;
    let rest = rest / blocks_out;
    let group = rest % sizes.groups;
    let share = rest / sizes.groups;

    let [height, width_x] = comptime!([stencil[0].tile, stencil[1].tile]);
    let [taps_y, taps_x] = comptime!([stencil[0].taps, stencil[1].taps]);
    let taps = comptime!(taps_y * taps_x);
    let output_plane = sizes.rows.output * sizes.columns.output;
    let mut sums = Array::<Vector<f32, N>>::new(comptime!(inputs * taps * vectors));

    let begin = share * tiles_per_share;
    for tile in begin..clamp_max(begin + tiles_per_share, tiles) {
        let tile_x = tile % sizes.columns.tiles;
        let rest = tile / sizes.columns.tiles;
        let tile_y = rest % sizes.rows.tiles;
        let batch = rest / sizes.rows.tiles;

        let mut factors = Sequence::<Vector<f32, N>>::new();
        #[unroll]
        for v in 0..vectors {
            #[unroll]
            for y in 0..height {
                #[unroll]
                for x in 0..width_x {
                    let row = tile_y * height + y;
                    let column = tile_x * width_x + x;
                    let inside = row < sizes.rows.output && column < sizes.columns.output;
                    let pixel = clamp_max(row, sizes.rows.output - 1) * sizes.columns.output
                        + clamp_max(column, sizes.columns.output - 1);
                    let mut factor = Vector::<f32, N>::empty();
                    #[unroll]
                    for n in 0..N::value() {
                        let channel =
                            clamp_max(first_out + comptime!(v * length + n), sizes.channels_out - 1);
                        let plane = (batch * sizes.groups + group) * sizes.channels_out + channel;
                        factor.insert(n, select(inside, gradient[plane * output_plane + pixel], 0.0));
                    }
                    factors.push(factor);
                }
            }
        }

        let (row_at, row_inside) = window(&sizes.rows, tile_y, comptime!(stencil[0].window));
        let (column_at, column_inside) = window(&sizes.columns, tile_x, comptime!(stencil[1].window));
        #[unroll]
        for i in 0..inputs {
            let channel = clamp_max(first_in + i, sizes.channels_in - 1);
            let plane =
                batch * sizes.batch_stride + (group * sizes.channels_in + channel) * sizes.channel_stride;
            let values = read_window(
                input,
                plane,
                &row_at,
                &row_inside,
                &column_at,
                &column_inside,
                comptime!(stencil.clone()),
            );
            #[unroll]
            for ky in 0..taps_y {
                #[unroll]
                for kx in 0..taps_x {
                    #[unroll]
                    for v in 0..vectors {
                        let at = comptime!(((i * taps_y + ky) * taps_x + kx) * vectors + v);
                        let mut sum = sums[at];
                        #[unroll]
                        for y in 0..height {
                            #[unroll]
                            for x in 0..width_x {
                                let read = comptime!(position(&stencil, [ky, kx], [y, x]).unwrap_or(0));
                                let factor = *factors.index(comptime!((v * height + y) * width_x + x));
                                sum += factor * Vector::new(*values.index(read));
                            }
                        }
                        sums[at] = sum;
                    }
                }
            }
        }
    }

    #[unroll]
    for v in 0..vectors {
        #[unroll]
        for n in 0..N::value() {
            let channel_out = first_out + comptime!(v * length + n);
            let row = (share * sizes.groups + group) * sizes.channels_out + channel_out;
            #[unroll]
            for i in 0..inputs {
                let channel_in = first_in + i;
                if channel_out < sizes.channels_out && channel_in < sizes.channels_in {
                    let at = (row * sizes.channels_in + channel_in) * taps;
                    #[unroll]
                    for tap in 0..taps {
                        partial[at + tap] = sums[comptime!((i * taps + tap) * vectors + v)].extract(n);
                    }
                }
            }
        }
    }
}

/// Adds shares of `length` values.
#[cube(launch_unchecked)]
pub(super) fn add_shares(partial: &[f32], sum: &mut [f32], length: usize, shares: usize) {
    if ABSOLUTE_POS >= length {
        terminate!();
    }
    let mut total = 0.0f32;
    for share in 0..shares {
        total += partial[share * length + ABSOLUTE_POS];
    }
    sum[ABSOLUTE_POS] = total;
}

/// The same with a group of threads for each value, for many shares.
#[cube(launch_unchecked)]
pub(super) fn add_shares_together(partial: &[f32], sum: &mut [f32], length: usize, shares: usize) {
    let at = CUBE_POS_X as usize;
    let mut own = Vector::<f32, Const<1>>::new(0.0f32);
    for share in range_stepped(UNIT_POS as usize, shares, GROUP) {
        own += Vector::new(partial[share * length + at]);
    }
    let (added, _) = total(own, own);
    if UNIT_POS == 0 {
        sum[at] = added;
    }
}
