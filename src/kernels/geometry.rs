//! Where each tap of a convolution reads and where each output pixel lands.
//!
//! Forward pass and input gradient are the same thing here: a stride-1 correlation over a padded copy of the
//! source. A stride `s` is taken away by splitting the padded source into `s × s` phase planes (forward) or by
//! computing the destination in `s × s` interleaved passes (input gradient); dilation only moves the taps. What is
//! computed by Winograd's products has a phase and a pass for each of these.

use crate::source::{AxisSource, Source};
use crate::winograd;

/// Sizes of one two-dimensional convolution, channels first.
#[derive(Clone, Debug)]
pub struct Conv {
    pub batch: usize,
    pub channels_in: usize,
    pub channels_out: usize,
    pub groups: usize,
    pub input: [usize; 2],
    pub output: [usize; 2],
    pub kernel: [usize; 2],
    pub stride: [usize; 2],
    pub dilation: [usize; 2],
    /// Padding before the first row and the first column; what follows the last is implied by `output`.
    pub padding: [usize; 2],
}

impl Conv {
    /// Input channels of one group.
    pub fn group_in(&self) -> usize {
        self.channels_in / self.groups
    }

    /// Output channels of one group.
    pub fn group_out(&self) -> usize {
        self.channels_out / self.groups
    }

    /// Pixels of one input plane.
    pub fn input_plane(&self) -> usize {
        self.input[0] * self.input[1]
    }

    /// Pixels of one output plane.
    pub fn output_plane(&self) -> usize {
        self.output[0] * self.output[1]
    }

    /// Taps of one kernel plane.
    pub fn taps(&self) -> usize {
        self.kernel[0] * self.kernel[1]
    }

    /// Whether it is computed by Winograd's products.
    pub fn winograd(&self) -> bool {
        winograd::suits(self)
    }
}

/// One tap of an axis: kernel index, phase plane (an index into [`Source::phases`]) and position in it for the
/// first output.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tap {
    pub index: usize,
    phase: usize,
    offset: usize,
}

/// One pass over an axis: `count` outputs, written from `start` in steps of `step`, each reading every tap.
#[derive(Clone, Debug)]
struct AxisPass {
    count: usize,
    start: usize,
    step: usize,
    taps: Vec<Tap>,
}

fn forward_axis(conv: &Conv, axis: usize) -> (AxisSource, Vec<AxisPass>) {
    let (stride, dilation) = (conv.stride[axis], conv.dilation[axis]);
    let mut phases: Vec<usize> = (0..conv.kernel[axis]).map(|k| k * dilation % stride).collect();
    phases.sort_unstable();
    phases.dedup();
    let taps: Vec<Tap> = (0..conv.kernel[axis])
        .map(|k| Tap {
            index: k,
            phase: phases.iter().position(|&f| f == k * dilation % stride).unwrap_or(0),
            offset: k * dilation / stride,
        })
        .collect();
    let reach = taps.iter().map(|tap| tap.offset).max().unwrap_or(0);
    let source = AxisSource {
        size: conv.input[axis],
        stride,
        padding: conv.padding[axis],
        phases,
        length: conv.output[axis] + reach,
    };
    (source, vec![AxisPass { count: conv.output[axis], start: 0, step: 1, taps }])
}

fn backward_axis(conv: &Conv, axis: usize) -> (AxisSource, Vec<AxisPass>) {
    let (stride, dilation, padding) = (conv.stride[axis], conv.dilation[axis], conv.padding[axis]);
    // Input index `stride · i + phase − padding` gets output gradient `i − back` through each tap of its phase: `i`
    // begins at `first`, `back` is how many strides the tap lies behind.
    let first = |phase: usize| padding.saturating_sub(phase).div_ceil(stride);
    let taps = |phase: usize| {
        (0..conv.kernel[axis])
            .filter(move |k| k * dilation % stride == phase)
            .map(move |k| (k, (k * dilation - phase) / stride))
    };
    let border = (0..stride)
        .flat_map(|phase| taps(phase).map(move |(_, back)| back.saturating_sub(first(phase))))
        .max()
        .unwrap_or(0);
    let passes: Vec<AxisPass> = (0..stride)
        .map(|phase| {
            let start = stride * first(phase) + phase - padding;
            let tap = |(index, back)| Tap { index, phase: 0, offset: first(phase) + border - back };
            AxisPass {
                count: conv.input[axis].saturating_sub(start).div_ceil(stride),
                start,
                step: stride,
                taps: taps(phase).map(tap).collect(),
            }
        })
        .filter(|pass| pass.count > 0)
        .collect();
    let length = passes
        .iter()
        .flat_map(|pass| pass.taps.iter().map(move |tap| pass.count + tap.offset))
        .max()
        .unwrap_or(1);
    (AxisSource { size: conv.output[axis], stride: 1, padding: border, phases: vec![0], length }, passes)
}

/// An axis of stride 1 by Winograd's products. The position `j` of phase `f` stands for source index `4j + f − padding`. The
/// first passes have the rows of taps, in the order in which these read.
fn products((source, passes): (AxisSource, Vec<AxisPass>)) -> (AxisSource, Vec<AxisPass>) {
    let Some(pass) = passes.first() else { return (source, passes) };
    let mut taps = pass.taps.clone();
    taps.sort_by_key(|tap| tap.offset);
    let phases: Vec<usize> = (0..winograd::PRODUCTS).collect();
    let count = pass.count.div_ceil(winograd::TILE);
    let pass = |&phase: &usize| {
        let index = taps.get(phase).map_or(phase, |tap| tap.index);
        AxisPass { count, start: 0, step: 1, taps: vec![Tap { index, phase, offset: 0 }] }
    };
    let passes = phases.iter().map(pass).collect();
    (AxisSource { stride: winograd::TILE, phases, length: count, ..source }, passes)
}

/// One pass of a correlation: a grid of outputs, all reading the same taps.
#[derive(Clone, Debug)]
pub(crate) struct Pass {
    pub rows: usize,
    pub columns: usize,
    /// First destination, and the steps to the next row and column, in floats of a destination plane.
    pub start: usize,
    pub row_step: usize,
    pub column_step: usize,
    /// Position of each tap's kernel entry in a kernel plane.
    pub taps: Vec<usize>,
    /// Where each tap reads for the first output, in floats of one channel of the source.
    pub offsets: Vec<usize>,
}

/// Source and passes of a correlation.
#[derive(Clone, Debug)]
pub(crate) struct Correlation {
    pub source: Source,
    pub passes: Vec<Pass>,
    /// By Winograd's products, of which each pass computes one.
    pub winograd: bool,
    /// Of a destination plane.
    width: usize,
}

impl Correlation {
    /// From input to output.
    pub fn forward(conv: &Conv) -> Self {
        Self::new(conv, forward_axis(conv, 0), forward_axis(conv, 1), conv.output[1])
    }

    /// From output gradient to input gradient.
    pub fn backward(conv: &Conv) -> Self {
        Self::new(conv, backward_axis(conv, 0), backward_axis(conv, 1), conv.input[1])
    }

    fn new(
        conv: &Conv,
        rows: (AxisSource, Vec<AxisPass>),
        (columns, column_passes): (AxisSource, Vec<AxisPass>),
        width: usize,
    ) -> Self {
        let (winograd, kernel_width) = (conv.winograd(), conv.kernel[1]);
        let (rows, row_passes) = if winograd { products(rows) } else { rows };
        let source = Source { axes: [rows, columns], winograd };
        let phases_x = source.axes[1].phases.len();
        let mut passes = Vec::new();
        for y in &row_passes {
            for x in &column_passes {
                let taps = || y.taps.iter().flat_map(|ty| x.taps.iter().map(move |tx| (ty, tx)));
                passes.push(Pass {
                    rows: y.count,
                    columns: x.count,
                    start: y.start * width + x.start,
                    row_step: y.step * width,
                    column_step: x.step,
                    taps: taps().map(|(ty, tx)| ty.index * kernel_width + tx.index).collect(),
                    offsets: taps()
                        .map(|(ty, tx)| {
                            (ty.phase * phases_x + tx.phase) * source.phase_plane()
                                + ty.offset * source.row()
                                + tx.offset
                        })
                        .collect(),
                });
            }
        }
        Self { source, passes, winograd, width }
    }

    /// Puts the pixels of a destination plane, which lie pass after pass, where they belong.
    pub fn weave<T: Copy>(&self, mut from: &[T], into: &mut [T]) {
        // Passes that share their rows come one after the other.
        for passes in self.passes.chunk_by(|a, b| a.start / self.width == b.start / self.width) {
            let (planes, rest) = from.split_at(passes.iter().map(|pass| pass.rows * pass.columns).sum());
            from = rest;
            let at = |pass: &Pass| pass.start % self.width;
            let first = passes[0].start - at(&passes[0]);
            let lines = into[first..].chunks_mut(passes[0].row_step).map(|lines| &mut lines[..self.width]);
            let pair = match passes {
                [a, b] if a.column_step == 2 => Some(at(a) > at(b)),
                _ => None,
            };
            for (y, line) in lines.enumerate() {
                let mut start = 0;
                let mut row = |pass: &Pass| {
                    let row = &planes[start + y * pass.columns..][..pass.columns];
                    start += pass.rows * pass.columns;
                    row
                };
                if let (Some(swapped), [a, b]) = (pair, passes) {
                    // In pairs, which vectorises.
                    let (a, b) = (row(a), row(b));
                    let (even, odd) = if swapped { (b, a) } else { (a, b) };
                    let pairs = line.chunks_exact_mut(2).zip(even.iter().zip(odd));
                    pairs.for_each(|(pair, (even, odd))| pair.copy_from_slice(&[*even, *odd]));
                    if even.len() > odd.len() {
                        line[2 * odd.len()] = even[odd.len()];
                    }
                } else {
                    for pass in passes {
                        let line = line[at(pass)..].iter_mut().step_by(pass.column_step);
                        line.zip(row(pass)).for_each(|(into, value)| *into = *value);
                    }
                }
            }
        }
    }
}
