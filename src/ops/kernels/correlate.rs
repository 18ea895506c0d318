//! Correlation of channel planes with a kernel: the forward pass and the input gradient of a convolution.

use std::mem::MaybeUninit;

use macerator::{Scalar, Simd};

use super::geometry::{Conv, Correlation, Pass};
use super::parallel::{filled, for_each_piece};
use super::tile::{Layout, MAX_LANES, MAX_ROWS, correlate, layout, tiles, with_rows};

/// Forward pass: `input` `[batch, channels_in, h, w]`, `weight` `[channels_out, group_in, kh, kw]`.
pub(super) fn forward(conv: &Conv, input: &[f32], weight: &[f32], bias: Option<&[f32]>) -> Vec<f32> {
    let (group_in, taps) = (conv.group_in(), conv.taps());
    let zeros = vec![0.0; conv.channels_out];
    let problem = Problem {
        correlation: Correlation::forward(conv),
        batch: conv.batch,
        groups: conv.groups,
        from: Planes { channels: group_in, size: conv.input_plane() },
        into: Planes { channels: conv.group_out(), size: conv.output_plane() },
        bias: bias.unwrap_or(&zeros),
    };
    problem.solve(input, |into, from, tap| weight[(into * group_in + from % group_in) * taps + tap])
}

/// Input gradient, from the output's gradient `[batch, channels_out, h, w]`.
pub(super) fn input_gradient(conv: &Conv, gradient: &[f32], weight: &[f32]) -> Vec<f32> {
    let (group_in, taps) = (conv.group_in(), conv.taps());
    let problem = Problem {
        correlation: Correlation::backward(conv),
        batch: conv.batch,
        groups: conv.groups,
        from: Planes { channels: conv.group_out(), size: conv.output_plane() },
        into: Planes { channels: group_in, size: conv.input_plane() },
        bias: &vec![0.0; conv.channels_in],
    };
    problem.solve(gradient, |into, from, tap| weight[(from * group_in + into % group_in) * taps + tap])
}

/// Planes of one image of one group.
#[derive(Clone, Copy)]
struct Planes {
    channels: usize,
    size: usize,
}

struct Problem<'a> {
    correlation: Correlation,
    batch: usize,
    groups: usize,
    from: Planes,
    into: Planes,
    /// One for each destination channel.
    bias: &'a [f32],
}

impl Problem<'_> {
    /// `weight(into, from, tap)` is the kernel entry that joins two channels, both counted over all groups.
    fn solve(&self, from: &[f32], weight: impl Fn(usize, usize, usize) -> f32) -> Vec<f32> {
        let layout = layout();
        let source = &self.correlation.source;
        let passes = &self.correlation.passes;
        let spans: Vec<Vec<Span>> =
            passes.iter().map(|pass| spans(pass, source.row(), layout.lanes)).collect();
        let in_place = source.is_original() && spans.iter().flatten().all(|span| span.lanes == layout.lanes);
        // Enough vectors for a panel of weights to be worth loading, and pieces left for every thread.
        let vectors = spans.iter().map(Vec::len).sum::<usize>().max(1);
        let images = 16usize.div_ceil(vectors).min(self.batch.div_ceil(8));
        let (channel, channel_step) = match in_place {
            true => (self.from.size, self.groups * self.from.channels * self.from.size),
            false => (source.channel(), self.from.channels * source.channel()),
        };
        let plan = Plan {
            problem: self,
            layout,
            in_place,
            offsets: passes.iter().map(|pass| offsets(pass, self.from.channels, channel)).collect(),
            spans,
            panels: self.panels(layout.rows, weight),
            images,
            image_step: channel_step,
        };
        let buffer = if in_place { 0 } else { images * plan.image_step + MAX_LANES };
        let image = self.groups * self.into.channels * self.into.size;
        let write = |output: &mut [MaybeUninit<f32>]| {
            let init = || vec![0.0; buffer];
            for_each_piece(output, images * image, init, |buffer, index, output| {
                plan.piece(from, buffer, index, output)
            });
        };
        // SAFETY: the spans of the passes cover every pixel of the destination.
        unsafe { filled(self.batch * image, write) }
    }

    /// Weights in the order that tiles read them: by pass, group, tile of destination channels, source channel
    /// and tap.
    fn panels(&self, rows: usize, weight: impl Fn(usize, usize, usize) -> f32) -> Vec<Vec<f32>> {
        let panel = |pass: &Pass| {
            let mut panel = Vec::with_capacity(self.bias.len() * self.from.channels * pass.taps.len());
            for group in 0..self.groups {
                for (start, rows) in tiles(self.into.channels, rows) {
                    for from in group * self.from.channels..(group + 1) * self.from.channels {
                        for &tap in &pass.taps {
                            let into = group * self.into.channels + start;
                            panel.extend((into..into + rows).map(|into| weight(into, from, tap)));
                        }
                    }
                }
            }
            panel
        };
        self.correlation.passes.iter().map(panel).collect()
    }
}

/// One vector of destination pixels.
struct Span {
    /// Where it reads, in floats of a source channel.
    from: usize,
    /// Lanes in use; the others read past a row and are thrown away.
    lanes: usize,
    /// Runs of lanes that land in one destination row: first lane, length, destination.
    runs: Vec<(usize, usize, usize)>,
}

/// Cuts the grid of a pass into vectors: row by row, or along rows and gaps alike where that takes fewer.
fn spans(pass: &Pass, row: usize, lanes: usize) -> Vec<Span> {
    let by_row = pass.rows * pass.columns.div_ceil(lanes);
    let along = ((pass.rows - 1) * row + pass.columns).div_ceil(lanes);
    let span = |from: usize, lanes: usize| {
        let mut runs: Vec<(usize, usize, usize)> = Vec::new();
        for lane in 0..lanes {
            let (y, x) = ((from + lane) / row, (from + lane) % row);
            if x >= pass.columns || y >= pass.rows {
                continue;
            }
            let into = pass.start + y * pass.row_step + x * pass.column_step;
            match runs.last_mut() {
                Some((first, count, start))
                    if *first + *count == lane && *start + *count * pass.column_step == into =>
                {
                    *count += 1
                }
                _ => runs.push((lane, 1, into)),
            }
        }
        Span { from, lanes: runs.iter().map(|run| run.1).sum(), runs }
    };
    if by_row <= along {
        let cuts = (0..pass.rows).flat_map(|y| (0..pass.columns).step_by(lanes).map(move |x| (y, x)));
        cuts.map(|(y, x)| span(y * row + x, lanes.min(pass.columns - x))).collect()
    } else {
        (0..along).map(|i| span(i * lanes, lanes)).collect()
    }
}

/// Where each source channel and tap reads for the first pixel of a pass.
fn offsets(pass: &Pass, channels: usize, channel: usize) -> Vec<usize> {
    (0..channels).flat_map(|c| pass.offsets.iter().map(move |offset| c * channel + offset)).collect()
}

struct Plan<'a> {
    problem: &'a Problem<'a>,
    layout: Layout,
    /// The source is read where it is, without a padded copy.
    in_place: bool,
    /// Of each pass.
    spans: Vec<Vec<Span>>,
    offsets: Vec<Vec<usize>>,
    panels: Vec<Vec<f32>>,
    /// Images of one piece of work.
    images: usize,
    /// Floats from one image to the next where tiles read.
    image_step: usize,
}

impl Plan<'_> {
    /// The images of one piece of work, into the zeroed part `output`.
    fn piece(&self, from: &[f32], buffer: &mut [f32], index: usize, output: &mut [MaybeUninit<f32>]) {
        let problem = self.problem;
        let (from_group, into_group) =
            (problem.from.channels * problem.from.size, problem.into.channels * problem.into.size);
        let images = output.len() / (problem.groups * into_group);
        let first = index * self.images;
        for group in 0..problem.groups {
            let at = |image: usize| ((first + image) * problem.groups + group) * from_group;
            let source = if self.in_place {
                &from[at(0)..]
            } else {
                for (image, into) in buffer.chunks_exact_mut(self.image_step).take(images).enumerate() {
                    problem.correlation.source.fill(&from[at(image)..][..from_group], into);
                }
                &*buffer
            };
            for pass in 0..self.spans.len() {
                group_pass(self, source, group, pass, images, output);
            }
        }
    }
}

/// One pass over the images of a piece of work for one group.
#[macerator::with_simd]
fn group_pass<'a, S: Simd>(
    plan: &'a Plan<'a>,
    source: &'a [f32],
    group: usize,
    pass: usize,
    images: usize,
    output: &'a mut [MaybeUninit<f32>],
) {
    let (spans, offsets) = (&plan.spans[pass], &plan.offsets[pass]);
    let Planes { channels, size } = plan.problem.into;
    let image_step = plan.problem.groups * channels * size;
    let mut panel = &plan.panels[pass][group * channels * offsets.len()..];
    for (start, rows) in tiles(channels, plan.layout.rows) {
        let bias = &plan.problem.bias[group * channels + start..][..rows];
        let output = &mut output[(group * channels + start) * size..];
        let mut pending: Option<(usize, &Span)> = None;
        for image in 0..images {
            for span in spans {
                match pending.take() {
                    None => pending = Some((image, span)),
                    Some(first) => {
                        let pair = [first, (image, span)];
                        tile::<S, 2>(plan, pass, rows, panel, offsets, source, bias, pair, output, image_step)
                    }
                }
            }
        }
        if let Some(last) = pending {
            tile::<S, 1>(plan, pass, rows, panel, offsets, source, bias, [last], output, image_step);
        }
        panel = &panel[rows * offsets.len()..];
    }
}

/// One tile: `VECTORS` spans of as many images for `rows` destination channels.
#[inline(always)]
#[allow(clippy::too_many_arguments, reason = "inlined into its one caller")]
fn tile<S: Simd, const VECTORS: usize>(
    plan: &Plan,
    pass: usize,
    rows: usize,
    panel: &[f32],
    offsets: &[usize],
    source: &[f32],
    bias: &[f32],
    spans: [(usize, &Span); VECTORS],
    output: &mut [MaybeUninit<f32>],
    image_step: usize,
) {
    let lanes = f32::lanes::<S>();
    let plane = plan.problem.into.size;
    debug_assert!(panel.len() >= rows * offsets.len() && bias.len() == rows);
    let from = spans.map(|(image, span)| source[image * plan.image_step + span.from..].as_ptr());
    let column_step = plan.problem.correlation.passes[pass].column_step;
    if column_step == 1 && spans.iter().all(|(_, span)| span.lanes == lanes && span.runs.len() == 1) {
        let into = spans.map(|(image, span)| {
            let into = &mut output[image * image_step + span.runs[0].2..];
            debug_assert!(into.len() >= (rows - 1) * plane + lanes);
            into.as_mut_ptr().cast::<f32>()
        });
        // SAFETY: the source has a whole vector at every offset of every span (its buffer ends in a spare vector;
        // read in place, all spans are whole), and these spans' vectors lie within a destination plane.
        unsafe {
            with_rows!(
                rows,
                correlate::<S, _, VECTORS>(panel.as_ptr(), offsets, from, bias.as_ptr(), into, plane)
            )
        }
        return;
    }
    let mut results = [0f32; MAX_ROWS * 2 * MAX_LANES];
    let step = VECTORS * lanes;
    let into: [*mut f32; VECTORS] = std::array::from_fn(|v| results[v * lanes..].as_mut_ptr());
    // SAFETY: as above for reading; `results` holds the largest tile.
    unsafe {
        with_rows!(rows, correlate::<S, _, VECTORS>(panel.as_ptr(), offsets, from, bias.as_ptr(), into, step))
    }
    for (v, (image, span)) in spans.iter().enumerate() {
        for m in 0..rows {
            let results = &results[m * step + v * lanes..][..lanes];
            let output = &mut output[image * image_step + m * plane..];
            for &(first, count, into) in &span.runs {
                let output = output[into..].iter_mut().step_by(column_step);
                output.zip(&results[first..first + count]).for_each(|(output, result)| {
                    output.write(*result);
                });
            }
        }
    }
}
