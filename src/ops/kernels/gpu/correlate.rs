//! Forward pass and input gradient: every thread computes a tile of pixels for a few channels.

use burn::cubecl;
use burn::cubecl::prelude::*;

use super::stencil::Stencil;

/// What the threads of a correlation have to know; lengths in elements.
#[derive(CubeType, CubeLaunch, Clone, Copy)]
pub(super) struct Sizes {
    pub threads: usize,
    pub groups: usize,
    /// Channels of one group, which are summed over.
    pub channels_in: usize,
    /// Channels of one group, which are computed.
    pub channels_out: usize,
    pub rows: Extent,
    pub columns: Extent,
    pub batch_stride: usize,
    pub channel_stride: usize,
}

/// One axis: sizes and where tiles and windows begin.
#[derive(CubeType, CubeLaunch, Clone, Copy)]
pub(super) struct Extent {
    pub source: usize,
    pub source_stride: usize,
    pub output: usize,
    pub tiles: usize,
    pub start: i32,
    pub window_start: i32,
    pub window_step: usize,
}

/// Weights in the order of use: `[groups, blocks of channels, channels_in, taps, channels of a block]`.
#[cube(launch_unchecked)]
pub(super) fn pack_weight(
    weight: &[f32],
    packed: &mut [f32],
    length: usize,
    channels_in: usize,
    channels_out: usize,
    taps: usize,
    in_stride: usize,
    out_stride: usize,
    #[comptime] block: usize,
) {
    if ABSOLUTE_POS >= length {
        terminate!();
    }
    let rest = ABSOLUTE_POS / block;
    let tap = rest % taps;
    let rest = rest / taps;
    let channel_in = rest % channels_in;
    let rest = rest / channels_in;
    let blocks = channels_out.div_ceil(block);
    let channel_out = rest % blocks * block + ABSOLUTE_POS % block;
    let group = rest / blocks;
    let at = group * (channels_in * channels_out * taps)
        + clamp_max(channel_out, channels_out - 1) * out_stride
        + channel_in * in_stride
        + tap;
    packed[ABSOLUTE_POS] = weight[at];
}

#[cube(launch_unchecked)]
pub(super) fn correlate_planes<N: Size>(
    source: &[f32],
    weight: &[Vector<f32, N>],
    bias: ComptimeOption<&[f32]>,
    output: &mut [f32],
    sizes: Sizes,
    low: f32,
    high: f32,
    #[comptime] bounded: bool,
    #[comptime] stencil: [Stencil; 2],
    #[comptime] vectors: usize,
) {
    if ABSOLUTE_POS >= sizes.threads {
        terminate!();
    }
    let tile_x = ABSOLUTE_POS % sizes.columns.tiles;
    let rest = ABSOLUTE_POS / sizes.columns.tiles;
    let tile_y = rest % sizes.rows.tiles;
    let rest = rest / sizes.rows.tiles;
    let length = N::value();
    let width = comptime!(vectors * length);
    let blocks = sizes.channels_out.div_ceil(width);
    let block = rest % blocks;
    let rest = rest / blocks;
    let group = rest % sizes.groups;
    let batch = rest / sizes.groups;

    let (row_at, row_inside) = window(&sizes.rows, tile_y, comptime!(stencil[0].window));
    let (column_at, column_inside) = window(&sizes.columns, tile_x, comptime!(stencil[1].window));

    let [height, width_x] = comptime!([stencil[0].tile, stencil[1].tile]);
    let pixels = comptime!(height * width_x);
    let taps = comptime!(stencil[0].taps * stencil[1].taps);
    let mut sums = Array::<Vector<f32, N>>::new(comptime!(vectors * pixels));
    let mut plane = batch * sizes.batch_stride + group * sizes.channels_in * sizes.channel_stride;
    let mut packed = (group * blocks + block) * sizes.channels_in * comptime!(taps * vectors);
    for _ in 0..sizes.channels_in {
        let values = read_window(
            source,
            plane,
            &row_at,
            &row_inside,
            &column_at,
            &column_inside,
            comptime!(stencil.clone()),
        );
        #[unroll]
        for ky in 0..comptime!(stencil[0].taps) {
            #[unroll]
            for kx in 0..comptime!(stencil[1].taps) {
                #[unroll]
                for v in 0..vectors {
                    let tap = comptime!((ky * stencil[1].taps + kx) * vectors + v);
                    let factor = weight[packed + tap];
                    #[unroll]
                    for y in 0..height {
                        #[unroll]
                        for x in 0..width_x {
                            let at = comptime!(position(&stencil, [ky, kx], [y, x]));
                            if comptime!(at.is_some()) {
                                let value = *values.index(comptime!(at.unwrap_or(0)));
                                sums[comptime!((v * height + y) * width_x + x)] +=
                                    factor * Vector::new(value);
                            }
                        }
                    }
                }
            }
        }
        plane += sizes.channel_stride;
        packed += comptime!(taps * vectors);
    }

    let first_y = (tile_y * height) as i32 + sizes.rows.start;
    let first_x = (tile_x * width_x) as i32 + sizes.columns.start;
    #[unroll]
    for v in 0..vectors {
        #[unroll]
        for n in 0..N::value() {
            let channel = block * width + comptime!(v * length + n);
            if channel < sizes.channels_out {
                let channel = group * sizes.channels_out + channel;
                #[comptime]
                let bias = match bias {
                    ComptimeOption::Some(bias) => bias[channel],
                    ComptimeOption::None => 0.0f32,
                };
                let plane = (batch * sizes.groups * sizes.channels_out + channel) * sizes.rows.output;
                #[unroll]
                for y in 0..height {
                    let row = first_y + y as i32;
                    #[unroll]
                    for x in 0..width_x {
                        let column = first_x + x as i32;
                        if row >= 0
                            && row < sizes.rows.output as i32
                            && column >= 0
                            && column < sizes.columns.output as i32
                        {
                            let at = (plane + row as usize) * sizes.columns.output + column as usize;
                            let mut sum = sums[comptime!((v * height + y) * width_x + x)].extract(n) + bias;
                            // Comparing keeps what is no number, by which a run that exploded is known.
                            if bounded {
                                if sum > high {
                                    sum = high;
                                }
                                if sum < low {
                                    sum = low;
                                }
                            }
                            output[at] = sum;
                        }
                    }
                }
            }
        }
    }
}

/// Where a pixel reads through a tap, in the window.
pub(super) fn position(stencil: &[Stencil; 2], [ky, kx]: [usize; 2], [y, x]: [usize; 2]) -> Option<usize> {
    Some(stencil[0].read(ky, y)? * stencil[1].window + stencil[1].read(kx, x)?)
}

/// Offsets of the window's pixels along an axis, kept inside, and whether they were.
#[cube]
pub(super) fn window(
    extent: &Extent,
    tile: usize,
    #[comptime] length: usize,
) -> (Sequence<usize>, Sequence<bool>) {
    let first = (tile * extent.window_step) as i32 + extent.window_start;
    let last = extent.source as i32 - 1;
    let mut at = Sequence::<usize>::new();
    let mut inside = Sequence::<bool>::new();
    #[unroll]
    for i in 0..length {
        let pixel = first + i as i32;
        let nearest = clamp(pixel, 0, last);
        at.push(nearest as usize * extent.source_stride);
        inside.push(pixel == nearest);
    }
    (at, inside)
}

/// The pixels of a window, zero where they lie outside.
#[cube]
pub(super) fn read_window(
    source: &[f32],
    plane: usize,
    row_at: &Sequence<usize>,
    row_inside: &Sequence<bool>,
    column_at: &Sequence<usize>,
    column_inside: &Sequence<bool>,
    #[comptime] stencil: [Stencil; 2],
) -> Sequence<f32> {
    let mut values = Sequence::<f32>::new();
    #[unroll]
    for y in 0..comptime!(stencil[0].window) {
        #[unroll]
        for x in 0..comptime!(stencil[1].window) {
            if comptime!(stencil[0].is_read(y) && stencil[1].is_read(x)) {
                let value = source[plane + *row_at.index(y) + *column_at.index(x)];
                // One in the other: `&&` would be a branch.
                let value = select(*column_inside.index(x), value, 0.0);
                values.push(select(*row_inside.index(y), value, 0.0));
            } else {
                values.push(0.0f32);
            }
        }
    }
    values
}
