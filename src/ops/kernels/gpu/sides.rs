//! Which pixels windows read, for kernels that go over them one by one.

use burn::cubecl;
use burn::cubecl::prelude::*;

use super::super::conv::Conv;

pub(super) fn sizes(conv: &Conv, work: usize) -> SizesLaunch {
    let side = |axis: usize| {
        SideLaunch::new(
            conv.input[axis],
            conv.output[axis],
            conv.kernel[axis],
            conv.stride[axis],
            conv.dilation[axis],
            conv.padding[axis],
        )
    };
    SizesLaunch::new(work, conv.groups, conv.group_in(), conv.group_out(), side(0), side(1))
}

/// A thread for each of `threads` values.
#[derive(CubeType, CubeLaunch, Clone, Copy)]
pub(super) struct Sizes {
    pub threads: usize,
    pub groups: usize,
    /// Channels of one group.
    pub channels_in: usize,
    pub channels_out: usize,
    pub rows: Side,
    pub columns: Side,
}

/// One axis.
#[derive(CubeType, CubeLaunch, Clone, Copy)]
pub(super) struct Side {
    pub input: usize,
    pub output: usize,
    pub kernel: usize,
    stride: usize,
    dilation: usize,
    padding: usize,
}

/// The input pixel that an output pixel reads through a tap; negative where it lies outside.
#[cube]
pub(super) fn read_by(side: &Side, output: usize, tap: usize) -> i32 {
    let at = (output * side.stride + tap * side.dilation) as i32 - side.padding as i32;
    select(at < side.input as i32, at, -1)
}

/// The output pixel that reads an input pixel through a tap; negative where there is none.
#[cube]
pub(super) fn reader_of(side: &Side, input: usize, tap: usize) -> i32 {
    let steps = (input + side.padding) as i32 - (tap * side.dilation) as i32;
    let output = steps / side.stride as i32;
    let meets = output * side.stride as i32 == steps && output < side.output as i32;
    select(meets, output, -1)
}
