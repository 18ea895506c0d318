//! Launches of the convolution kernels.

use burn::cubecl::prelude::*;
use burn::cubecl::server::Handle;
use burn::tensor::Shape;

use super::super::conv::Conv;
use super::super::kept::Kept;
use super::correlate::{ExtentLaunch, SizesLaunch, correlate_planes, pack_weight};
use super::cut::{Block, Cut, wanted_threads};
use super::normalise::groups;
use super::stencil::Axis;
use super::weight::{add_shares, add_shares_together, correlate_weight};
use super::{CubeTensor, buffer, contiguous, empty, threads};

/// Kernels are unrolled over the taps and the pixels of a tile, and over the window that they lie in: not for too many.
pub(super) fn fits(conv: &Conv) -> bool {
    let extent = |axis: usize| conv.dilation[axis].saturating_mul(conv.kernel[axis] - 1) + 1;
    let window = extent(0).saturating_mul(extent(1));
    conv.taps() <= 49 && window <= 1 << 13 && conv.stride.iter().all(|&stride| stride <= 4)
}

/// A convolution of single pixels, seen as one on a single row.
fn flattened(conv: &Conv) -> Conv {
    let mut flat = conv.clone();
    if conv.kernel == [1, 1] && conv.stride == [1, 1] && conv.input == conv.output {
        flat.sizes.input = [1, conv.input_plane()];
        flat.sizes.output = flat.input;
    }
    flat
}

pub(super) fn forward(
    input: CubeTensor,
    weight: CubeTensor,
    bias: Option<CubeTensor>,
    bounds: Option<[f32; 2]>,
    conv: &Conv,
) -> CubeTensor {
    let shape = Shape::new([conv.batch, conv.channels_out, conv.output[0], conv.output[1]]);
    let conv = &flattened(conv);
    let (group_in, group_out, taps) = (conv.group_in(), conv.group_out(), conv.taps());
    let images = conv.batch * conv.groups;
    let cut = Cut::new(conv.output, group_out, taps, images, wanted_threads(&input.client));
    Correlation {
        axes: [0, 1].map(|axis| Axis::forward(conv, axis, cut.tile[axis])),
        block: cut.block,
        source: conv.input,
        output: conv.output,
        channels: [group_in, group_out],
        weight_strides: [taps, group_in * taps],
        kept: conv.kept.as_ref(),
    }
    .launch(conv, input, weight, bias, bounds, shape)
}

pub(super) fn input_gradient(weight: CubeTensor, gradient: CubeTensor, conv: &Conv) -> CubeTensor {
    let shape = Shape::new([conv.batch, conv.channels_in, conv.input[0], conv.input[1]]);
    let conv = &flattened(conv);
    let (group_in, group_out, taps) = (conv.group_in(), conv.group_out(), conv.taps());
    // A stride shares the taps out among the pixels.
    let shared = taps.div_ceil(conv.stride[0] * conv.stride[1]);
    let images = conv.batch * conv.groups;
    let cut = Cut::new(conv.input, group_in, shared, images, wanted_threads(&gradient.client));
    Correlation {
        axes: [0, 1].map(|axis| Axis::backward(conv, axis, cut.tile[axis])),
        block: cut.block,
        source: conv.output,
        output: conv.input,
        channels: [group_out, group_in],
        weight_strides: [group_in * taps, taps],
        kept: None,
    }
    .launch(conv, gradient, weight, None, None, shape)
}

/// What forward pass and input gradient differ in.
struct Correlation<'a> {
    axes: [Axis; 2],
    block: Block,
    source: [usize; 2],
    output: [usize; 2],
    /// Of one group: summed over, and computed.
    channels: [usize; 2],
    /// From one of these channels to the next.
    weight_strides: [usize; 2],
    /// Where packed weights stay, if they don't change.
    kept: Option<&'a Kept>,
}

impl Correlation<'_> {
    fn launch(
        self,
        conv: &Conv,
        source: CubeTensor,
        weight: CubeTensor,
        bias: Option<CubeTensor>,
        bounds: Option<[f32; 2]>,
        shape: Shape,
    ) -> CubeTensor {
        let [source, weight] = [source, weight].map(contiguous);
        let client = source.client.clone();
        let block = self.block;
        let blocks = self.channels[1].div_ceil(block.channels());
        let packed = match self.kept {
            Some(kept) => {
                let current = |packed: &Packed| packed.is_of(&weight, block);
                kept.gpu.get(current, || self.packed(conv, weight.clone()))
            }
            None => self.packed(conv, weight),
        };

        let output = empty(&source, shape);
        let work = conv.batch * conv.groups * blocks * self.axes[0].tiles * self.axes[1].tiles;
        let (count, dim) = threads(&client, work);
        let bias = bias.map(contiguous);
        let [low, high] = bounds.unwrap_or_default();
        // SAFETY: reads are kept inside the source by their clamped coordinates, writes by comparing with its sizes.
        unsafe {
            correlate_planes::launch_unchecked(
                &client,
                count,
                dim,
                block.length,
                buffer(&source),
                packed.buffer(),
                bias.as_ref().map(buffer).into(),
                buffer(&output),
                sizes(&self.axes, self.source, self.output, work, conv.groups, self.channels),
                low,
                high,
                bounds.is_some(),
                self.axes.map(|axis| axis.stencil),
                block.vectors,
            );
        }
        output
    }

    /// The weights in the order of use.
    fn packed(&self, conv: &Conv, weight: CubeTensor) -> Packed {
        let client = weight.client.clone();
        let ([channels_in, channels_out], [in_stride, out_stride]) = (self.channels, self.weight_strides);
        let width = self.block.channels();
        let length = conv.groups * channels_out.div_ceil(width) * width * channels_in * conv.taps();
        let packed = Packed { values: client.empty(length * size_of::<f32>()), length, width, weight };
        let (count, dim) = threads(&client, length);
        // SAFETY: as many values are written as `packed` has, and a channel beyond the last reads the last.
        unsafe {
            pack_weight::launch_unchecked(
                &client,
                count,
                dim,
                buffer(&packed.weight),
                packed.buffer(),
                length,
                channels_in,
                channels_out,
                conv.taps(),
                in_stride,
                out_stride,
                width,
            );
        }
        packed
    }
}

/// Weights in the order of use.
#[derive(Clone, Debug)]
pub(in super::super) struct Packed {
    values: Handle,
    length: usize,
    /// Channels of a block.
    width: usize,
    /// What they were made from: kept, so that nobody may change it in its place.
    weight: CubeTensor,
}

impl Packed {
    fn is_of(&self, weight: &CubeTensor, block: Block) -> bool {
        // The memory's number is never given out again.
        let place = |tensor: &CubeTensor| {
            let handle = tensor.handle.clone();
            (handle.memory.binding().id(), handle.offset_start)
        };
        self.width == block.channels() && place(&self.weight) == place(weight)
    }

    fn buffer(&self) -> BufferArg {
        // SAFETY: the length is what was asked for.
        unsafe { BufferArg::from_raw_parts(self.values.clone(), self.length) }
    }
}

pub(super) fn weight_gradient(input: CubeTensor, gradient: CubeTensor, conv: &Conv) -> CubeTensor {
    let shape = Shape::new([conv.channels_out, conv.group_in(), conv.kernel[0], conv.kernel[1]]);
    let [input, gradient] = [input, gradient].map(contiguous);
    let conv = &flattened(conv);
    let client = input.client.clone();
    let (group_in, group_out, taps) = (conv.group_in(), conv.group_out(), conv.taps());
    // Channels, weights of a thread, and threads among which the pixels are shared out, at least.
    let many = wanted_threads(&client) > 1;
    let [most, weights, shared] = if many { [4, 40, 8192] } else { [8, 160, 2048] };
    let block = Block::new(group_out, most);
    let inputs = group_in.min((weights / (block.channels() * taps)).clamp(1, 8));
    let Cut { tile, .. } = Cut::new(conv.output, 1, taps * block.channels() * inputs, 1, 1);
    let axes = [0, 1].map(|axis| Axis::forward(conv, axis, tile[axis]));
    let tiles = conv.batch * axes[0].tiles * axes[1].tiles;
    let blocks = conv.groups * group_out.div_ceil(block.channels()) * group_in.div_ceil(inputs);
    let per_share = tiles.div_ceil(shared.div_ceil(blocks).min(tiles));
    let shares = tiles.div_ceil(per_share);

    let length = shape.num_elements();
    let partial = empty(&input, Shape::new([shares, length]));
    let work = blocks * shares;
    let (count, dim) = threads(&client, work);
    // SAFETY: coordinates and channels that are read are clamped, weights that are written are compared with the sizes.
    unsafe {
        correlate_weight::launch_unchecked(
            &client,
            count,
            dim,
            block.length,
            buffer(&input),
            buffer(&gradient),
            buffer(&partial),
            sizes(&axes, conv.input, conv.output, work, conv.groups, [group_in, group_out]),
            tiles,
            per_share,
            axes.map(|axis| axis.stencil),
            block.vectors,
            inputs,
        );
    }
    let sum = empty(&input, shape);
    // On a processor a group of threads costs more than it saves.
    let together = many && shares > 32;
    let (count, dim) = if together { groups(length) } else { threads(&client, length) };
    let (partial, added) = (buffer(&partial), buffer(&sum));
    // SAFETY: `partial` holds `shares` times `length` values, and `sum` holds `length`.
    unsafe {
        match together {
            true => {
                add_shares_together::launch_unchecked(&client, count, dim, partial, added, length, shares)
            }
            false => add_shares::launch_unchecked(&client, count, dim, partial, added, length, shares),
        }
    }
    sum
}

fn sizes(
    axes: &[Axis; 2],
    source: [usize; 2],
    output: [usize; 2],
    threads: usize,
    groups: usize,
    [channels_in, channels_out]: [usize; 2],
) -> SizesLaunch {
    let extent = |axis: usize, stride: usize| {
        let Axis { tiles, start, window_start, window_step, .. } = axes[axis];
        ExtentLaunch::new(
            source[axis],
            stride,
            output[axis],
            tiles,
            start as i32,
            window_start as i32,
            window_step,
        )
    };
    let plane = source[0] * source[1];
    SizesLaunch::new(
        threads,
        groups,
        channels_in,
        channels_out,
        extent(0, source[1]),
        extent(1, 1),
        groups * channels_in * plane,
        plane,
    )
}
