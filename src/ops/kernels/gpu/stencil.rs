//! What a tile of pixels reads, axis by axis.

use super::super::conv::Conv;

/// Which pixel of its window each pixel of a tile reads through each tap, along one axis. Known when a kernel is
/// compiled, and the same for every tile.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Stencil {
    /// Pixels of a tile.
    pub tile: usize,
    /// Pixels of the source that a tile may read.
    pub window: usize,
    pub taps: usize,
    /// Tap after tap.
    reads: Vec<Option<usize>>,
}

impl Stencil {
    fn new(tile: usize, taps: usize, read: impl Fn(usize, usize) -> Option<isize>) -> (Self, isize) {
        let reads: Vec<Option<isize>> = (0..taps)
            .flat_map(|tap| (0..tile).map(move |pixel| (tap, pixel)))
            .map(|(tap, pixel)| read(tap, pixel))
            .collect();
        let first = reads.iter().flatten().min().copied().unwrap_or(0);
        let last = reads.iter().flatten().max().copied().unwrap_or(0);
        let reads = reads.iter().map(|read| read.map(|at| (at - first) as usize)).collect();
        (Self { tile, window: (last - first) as usize + 1, taps, reads }, first)
    }

    pub fn read(&self, tap: usize, pixel: usize) -> Option<usize> {
        self.reads[tap * self.tile + pixel]
    }

    /// Whether anything reads this pixel of the window.
    pub fn is_read(&self, at: usize) -> bool {
        self.reads.contains(&Some(at))
    }
}

/// The tiles of one axis.
#[derive(Clone, Debug)]
pub(super) struct Axis {
    pub stencil: Stencil,
    /// How many tiles there are.
    pub tiles: usize,
    /// First pixel of the first tile; a tile begins where the one before ends.
    pub start: isize,
    /// First pixel of the first window, and the step to the next.
    pub window_start: isize,
    pub window_step: usize,
}

impl Axis {
    /// Output pixels, which read the input.
    pub fn forward(conv: &Conv, axis: usize, tile: usize) -> Self {
        let (stride, dilation) = (conv.stride[axis], conv.dilation[axis]);
        let (stencil, first) = Stencil::new(tile, conv.kernel[axis], |tap, pixel| {
            Some((pixel * stride + tap * dilation) as isize)
        });
        Self {
            stencil,
            tiles: conv.output[axis].div_ceil(tile),
            start: 0,
            window_start: first - conv.padding[axis] as isize,
            window_step: tile * stride,
        }
    }

    /// Input pixels, which read the output's gradient. Tiles begin where the first tap does, so that each pixel's taps
    /// are known when the kernel is compiled.
    pub fn backward(conv: &Conv, axis: usize, tile: usize) -> Self {
        let (stride, padding) = (conv.stride[axis], conv.padding[axis]);
        let tile = tile.next_multiple_of(stride);
        let (stencil, first) = Stencil::new(tile, conv.kernel[axis], |tap, pixel| {
            let steps = pixel as isize - (tap * conv.dilation[axis]) as isize;
            (steps % stride as isize == 0).then_some(steps / stride as isize)
        });
        let before = padding % stride;
        Self {
            stencil,
            tiles: (conv.input[axis] + before).div_ceil(tile),
            start: -(before as isize),
            window_start: first + (padding / stride) as isize,
            window_step: tile / stride,
        }
    }
}
