//! Where each tap of a convolution reads and where each output pixel lands.
//!
//! Forward pass and input gradient are the same thing here: a stride-1 correlation over a padded copy of the
//! source. A stride `s` is taken away by splitting the padded source into `s × s` phase planes (forward) or by
//! computing the destination in `s × s` interleaved passes (input gradient); dilation only moves the taps.

use burn::tensor::ops::ConvOptions;

/// Sizes of one two-dimensional convolution, channels first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Conv {
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
    /// The sizes of `conv2d` for an input `[batch, channels, height, width]` and a weight
    /// `[channels_out, channels / groups, kernel_height, kernel_width]`; `None` where they make no convolution
    /// or an empty one.
    pub fn new(input: [usize; 4], weight: [usize; 4], options: &ConvOptions<2>) -> Option<Self> {
        let mut output = [0; 2];
        for axis in 0..2 {
            let (begin, end) = options.padding[axis];
            let extent = options.dilation[axis] * weight[axis + 2].checked_sub(1)? + 1;
            output[axis] = (input[axis + 2] + begin + end).checked_sub(extent)? / options.stride[axis] + 1;
        }
        let conv = Self {
            batch: input[0],
            channels_in: input[1],
            channels_out: weight[0],
            groups: options.groups,
            input: [input[2], input[3]],
            output,
            kernel: [weight[2], weight[3]],
            stride: options.stride,
            dilation: options.dilation,
            padding: [options.padding[0].0, options.padding[1].0],
        };
        let fits = weight[1] * conv.groups == conv.channels_in
            && conv.channels_out.is_multiple_of(conv.groups)
            && input.iter().chain(&weight).all(|&size| size > 0);
        fits.then_some(conv)
    }

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
}

/// One tap of an axis: kernel index, phase plane (an index into [`Source::phases`]) and position in it for the
/// first output.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tap {
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

/// The padded, phase-split copy of an axis: plane position `j` of phase `f` holds source index
/// `j · stride + f − padding`, zero where there is none.
#[derive(Clone, Debug)]
struct AxisSource {
    size: usize,
    stride: usize,
    padding: usize,
    phases: Vec<usize>,
    length: usize,
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
    // Input index `stride · i + phase − padding` gets output gradient `i − back` through each tap of its phase.
    let passes: Vec<(usize, usize, usize, Vec<(usize, usize)>)> = (0..stride)
        .filter_map(|phase| {
            let first = padding.saturating_sub(phase).div_ceil(stride);
            let start = stride * first + phase - padding;
            let count = conv.input[axis].checked_sub(start)?.div_ceil(stride);
            let taps = (0..conv.kernel[axis])
                .filter(|k| k * dilation % stride == phase)
                .map(|k| (k, (k * dilation - phase) / stride))
                .collect();
            (count > 0).then_some((first, start, count, taps))
        })
        .collect();
    let border = passes
        .iter()
        .flat_map(|(first, _, _, taps)| taps.iter().map(move |(_, back)| back.saturating_sub(*first)))
        .max()
        .unwrap_or(0);
    let passes: Vec<AxisPass> = passes
        .into_iter()
        .map(|(first, start, count, taps)| AxisPass {
            count,
            start,
            step: stride,
            taps: taps
                .into_iter()
                .map(|(index, back)| Tap { index, phase: 0, offset: first + border - back })
                .collect(),
        })
        .collect();
    let length = passes
        .iter()
        .flat_map(|pass| pass.taps.iter().map(move |tap| pass.count + tap.offset))
        .max()
        .unwrap_or(1);
    (AxisSource { size: conv.output[axis], stride: 1, padding: border, phases: vec![0], length }, passes)
}

/// A padded, phase-split copy of some planes.
#[derive(Clone, Debug)]
pub(super) struct Source {
    axes: [AxisSource; 2],
}

impl Source {
    /// Floats of one channel in the copy.
    pub fn channel(&self) -> usize {
        self.phase_plane() * self.axes[0].phases.len() * self.axes[1].phases.len()
    }

    /// Floats from one row of a phase plane to the next.
    pub fn row(&self) -> usize {
        self.axes[1].length
    }

    fn phase_plane(&self) -> usize {
        self.axes[0].length * self.axes[1].length
    }

    /// Whether the copy would equal the original, so that the original can be read instead.
    pub fn is_original(&self) -> bool {
        self.axes.iter().all(|axis| {
            axis.padding == 0 && axis.stride == 1 && axis.phases == [0] && axis.length == axis.size
        })
    }

    /// Copies `planes` (each `size₀ × size₁` floats) into `into`, whose borders are zero already and stay so.
    pub fn fill(&self, planes: &[f32], into: &mut [f32]) {
        let [rows, columns] = &self.axes;
        let (channel, phase_plane) = (self.channel(), self.phase_plane());
        for (plane, into) in planes.chunks_exact(rows.size * columns.size).zip(into.chunks_exact_mut(channel))
        {
            let phases = rows.phases.iter().flat_map(|y| columns.phases.iter().map(move |x| (*y, *x)));
            for ((phase_y, phase_x), into) in phases.zip(into.chunks_exact_mut(phase_plane)) {
                let (first_x, count_x, from_x) = columns.overlap(phase_x);
                let (first_y, count_y, from_y) = rows.overlap(phase_y);
                let count_y = if count_x == 0 { 0 } else { count_y };
                for j in 0..count_y {
                    let line = &plane[(from_y + j * rows.stride) * columns.size..][..columns.size];
                    let into = &mut into[(first_y + j) * columns.length + first_x..][..count_x];
                    every(columns.stride, &line[from_x..], into);
                }
            }
        }
    }
}

/// Copies every `stride`-th value of `from`.
fn every(stride: usize, from: &[f32], into: &mut [f32]) {
    match (stride, into) {
        (1, into) => into.copy_from_slice(&from[..into.len()]),
        // In pairs, which vectorises; the last has no second half for certain.
        (2, [into @ .., last]) => {
            *last = from[2 * into.len()];
            into.iter_mut().zip(from.chunks_exact(2)).for_each(|(into, pair)| *into = pair[0]);
        }
        (_, into) => {
            into.iter_mut().zip(from.iter().step_by(stride)).for_each(|(into, value)| *into = *value)
        }
    }
}

impl AxisSource {
    /// Positions of a phase plane that hold source values: the first, how many, and the source index of the first.
    fn overlap(&self, phase: usize) -> (usize, usize, usize) {
        let first = self.padding.saturating_sub(phase).div_ceil(self.stride);
        let from = first * self.stride + phase - self.padding;
        let held = self.size.saturating_sub(from).div_ceil(self.stride);
        (first, held.min(self.length.saturating_sub(first)), from.min(self.size))
    }
}

/// One pass of a correlation: a grid of outputs, all reading the same taps.
#[derive(Clone, Debug)]
pub(super) struct Pass {
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
pub(super) struct Correlation {
    pub source: Source,
    pub passes: Vec<Pass>,
}

impl Correlation {
    /// From input to output.
    pub fn forward(conv: &Conv) -> Self {
        Self::new(forward_axis(conv, 0), forward_axis(conv, 1), conv.kernel[1], conv.output[1])
    }

    /// From output gradient to input gradient.
    pub fn backward(conv: &Conv) -> Self {
        Self::new(backward_axis(conv, 0), backward_axis(conv, 1), conv.kernel[1], conv.input[1])
    }

    fn new(
        (rows, row_passes): (AxisSource, Vec<AxisPass>),
        (columns, column_passes): (AxisSource, Vec<AxisPass>),
        kernel_width: usize,
        width: usize,
    ) -> Self {
        let source = Source { axes: [rows, columns] };
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
        Self { source, passes }
    }
}
