//! Correlation of channel planes with a kernel: the forward pass and the input gradient of a convolution.

use std::mem::MaybeUninit;

use macerator::{Scalar, Simd};

use crate::geometry::{Conv, Correlation, Pass};
use crate::panel::Kernel;
use crate::parallel::{filled, for_each, for_each_piece};
use crate::span::{Span, spans};
use crate::tile::{Layout, MAX_LANES, correlate, layout, tiles, with_rows};
use crate::winograd;

/// The forward pass of a convolution with `weight` `[channels_out, group_in, kh, kw]`, ready to compute.
pub fn forward(conv: &Conv, weight: &[f32]) -> Correlate {
    let (group_in, taps) = (conv.group_in(), conv.taps());
    let problem = Problem {
        correlation: Correlation::forward(conv),
        batch: conv.batch,
        groups: conv.groups,
        from: Planes { channels: group_in, size: conv.input },
        into: Planes { channels: conv.group_out(), size: conv.output },
    };
    let group = conv.group_out() * group_in * taps;
    Correlate::new(problem, Kernel { weight, group, into: group_in * taps, from: taps })
}

/// Input gradient, from the output's gradient `[batch, channels_out, h, w]`.
pub fn input_gradient(conv: &Conv, gradient: &[f32], weight: &[f32]) -> Vec<f32> {
    let (group_in, taps) = (conv.group_in(), conv.taps());
    let problem = Problem {
        correlation: Correlation::backward(conv),
        batch: conv.batch,
        groups: conv.groups,
        from: Planes { channels: conv.group_out(), size: conv.output },
        into: Planes { channels: group_in, size: conv.input },
    };
    let group = conv.group_out() * group_in * taps;
    let kernel = Kernel { weight, group, into: taps, from: group_in * taps };
    Correlate::new(problem, kernel).solve(gradient, None, None)
}

/// Planes of one image of one group.
#[derive(Clone, Copy, Debug)]
struct Planes {
    channels: usize,
    size: [usize; 2],
}

impl Planes {
    /// Floats of a plane.
    fn plane(&self) -> usize {
        self.size[0] * self.size[1]
    }

    /// Floats of all of them.
    fn floats(&self) -> usize {
        self.channels * self.plane()
    }
}

#[derive(Debug)]
struct Problem {
    correlation: Correlation,
    batch: usize,
    groups: usize,
    from: Planes,
    into: Planes,
}

/// Where each source channel and tap reads for the first pixel of a pass.
fn offsets(pass: &Pass, channels: usize, channel: usize) -> Vec<usize> {
    (0..channels).flat_map(|c| pass.offsets.iter().map(move |offset| c * channel + offset)).collect()
}

/// A correlation of known sizes and weights: all that does not depend on the values it is given.
#[derive(Debug)]
pub struct Correlate {
    problem: Problem,
    layout: Layout,
    /// The source is read where it is, without a padded copy.
    in_place: bool,
    /// The passes land side by side, to be woven into the destination.
    woven: bool,
    /// Floats of a destination plane, pass after pass.
    landed: usize,
    /// Of each pass, image after image.
    spans: Vec<Vec<Span>>,
    /// Of each pass.
    offsets: Vec<Vec<usize>>,
    panels: Vec<Vec<f32>>,
    /// Images of one piece of work.
    images: usize,
    /// Floats from one image to the next where tiles read.
    image_step: usize,
    /// A zero for each channel of the destination.
    unbiased: Vec<f32>,
}

/// What is added to each channel of the destination, and what it is then moved between.
#[derive(Clone, Copy)]
struct Finish<'a> {
    bias: &'a [f32],
    bounds: Option<[f32; 2]>,
}

struct Scratch {
    /// The padded copy of a group's source.
    source: Vec<f32>,
    /// A group's destination, pass after pass.
    planes: Vec<MaybeUninit<f32>>,
}

impl Correlate {
    fn new(problem: Problem, kernel: Kernel) -> Self {
        let layout = layout();
        let Problem { correlation, batch, groups, from, into } = &problem;
        let Correlation { source, passes, .. } = correlation;
        // A single pass covers its destination row after row.
        let woven = passes.len() > 1;
        let mut landed = 0;
        let cut = passes.iter().map(|pass| {
            let spans = spans(pass, landed, source.row(), layout.lanes);
            landed += pass.rows * pass.columns;
            spans
        });
        let mut spans: Vec<Vec<Span>> = cut.collect();
        let full = |span: &Span| {
            span.whole.is_some() || span.runs.iter().map(|run| run.1).sum::<usize>() == layout.lanes
        };
        let in_place = source.is_original() && spans.iter().flatten().all(full);
        // Enough vectors for a panel of weights to be worth loading, and pieces left for every thread.
        let vectors = spans.iter().map(Vec::len).max().unwrap_or(1).max(1);
        let images = 16usize.div_ceil(vectors).min(batch.div_ceil(8));
        let output_step = if woven { into.channels * landed } else { groups * into.floats() };
        let (channel, image_step) = match in_place {
            true => (from.plane(), groups * from.floats()),
            false => (source.channel(), from.channels * source.channel()),
        };
        for spans in &mut spans {
            let first = spans.clone();
            let later = (1..images)
                .flat_map(|i| first.iter().map(move |span| span.moved(i * image_step, i * output_step)));
            spans.extend(later);
        }
        let offsets = passes.iter().map(|pass| offsets(pass, from.channels, channel)).collect();
        let channels = [from.channels, into.channels];
        let parts = if correlation.winograd { winograd::TAPS } else { passes.len() };
        let mut panels = vec![Vec::new(); parts];
        for_each(&mut panels, |pass, panel| {
            *panel = kernel.panel(&passes[pass].taps, *groups, channels, layout.rows);
        });
        let panels = if correlation.winograd { winograd::weights(&panels) } else { panels };
        let unbiased = vec![0.0; groups * into.channels];
        Self {
            layout,
            in_place,
            woven,
            landed,
            offsets,
            spans,
            panels,
            images,
            image_step,
            unbiased,
            problem,
        }
    }

    /// The destination of `from`, `[batch, channels, h, w]`: with `bias`, one for each channel, and moved between
    /// `bounds`.
    pub fn solve(&self, from: &[f32], bias: Option<&[f32]>, bounds: Option<[f32; 2]>) -> Vec<f32> {
        let Problem { batch, groups, into, .. } = &self.problem;
        let image = groups * into.floats();
        let finish = Finish { bias: bias.unwrap_or(&self.unbiased), bounds };
        let init = || Scratch {
            source: vec![0.0; if self.in_place { 0 } else { self.images * self.image_step + MAX_LANES }],
            planes: vec![
                MaybeUninit::uninit();
                if self.woven { self.images * into.channels * self.landed } else { 0 }
            ],
        };
        let write = |output: &mut [MaybeUninit<f32>]| {
            for_each_piece(output, self.images * image, init, |scratch, index, output| {
                self.piece(from, finish, scratch, index, output);
            });
        };
        // SAFETY: the passes cover every pixel of the destination, and their spans every pixel of a pass.
        unsafe { filled(batch * image, write) }
    }

    /// The images of one piece of work, into `output`.
    fn piece(
        &self,
        from: &[f32],
        finish: Finish,
        scratch: &mut Scratch,
        index: usize,
        output: &mut [MaybeUninit<f32>],
    ) {
        let Problem { correlation, groups, from: sources, into, .. } = &self.problem;
        let (from_group, into_group) = (sources.floats(), into.floats());
        let images = output.len() / (groups * into_group);
        let in_passes = match correlation.winograd {
            true => Finish { bias: &self.unbiased, bounds: None },
            false => finish,
        };
        for group in 0..*groups {
            let at = |image: usize| ((index * self.images + image) * groups + group) * from_group;
            let source = if self.in_place {
                &from[at(0)..]
            } else {
                for (image, into) in scratch.source.chunks_exact_mut(self.image_step).take(images).enumerate()
                {
                    correlation.source.fill(&from[at(image)..][..from_group], into);
                }
                &scratch.source
            };
            for pass in 0..self.spans.len() {
                let spans = &self.spans[pass][..images * (self.spans[pass].len() / self.images)];
                let into = match self.woven {
                    true => &mut scratch.planes[..],
                    false => &mut output[group * into_group..],
                };
                group_pass(self, in_passes, source, group, pass, spans, into);
            }
            if self.woven {
                let images = scratch.planes.chunks_exact(into.channels * self.landed);
                for (planes, output) in images.zip(output.chunks_exact_mut(groups * into_group)) {
                    let output = &mut output[group * into_group..][..into_group];
                    if correlation.winograd {
                        let bias = &finish.bias[group * into.channels..];
                        // SAFETY: the passes have just written all of them.
                        let products = unsafe { planes.assume_init_ref() };
                        winograd::output(products, into.size, bias, finish.bounds, output);
                    } else {
                        planes
                            .chunks_exact(self.landed)
                            .zip(output.chunks_exact_mut(into.plane()))
                            .for_each(|(from, into)| correlation.weave(from, into));
                    }
                }
            }
        }
    }
}

/// One pass over the images of a piece of work for one group, whose part of the first image `output` begins with.
#[macerator::with_simd]
fn group_pass<'a, S: Simd>(
    plan: &'a Correlate,
    finish: Finish<'a>,
    source: &'a [f32],
    group: usize,
    pass: usize,
    spans: &'a [Span],
    output: &'a mut [MaybeUninit<f32>],
) {
    let (channels, size) = (plan.problem.into.channels, plan.landed);
    let offsets = &plan.offsets[pass][..];
    let mut weights = &plan.panels[pass][group * channels * offsets.len()..];
    for (start, rows) in tiles(channels, plan.layout.rows) {
        let bias = &finish.bias[group * channels + start..][..rows];
        let tile = Tile { weights, offsets, bias, bounds: finish.bounds, source, size };
        let output = &mut output[start * size..];
        let mut spans = spans;
        if rows == 1 {
            // A single row leaves registers for a wider tile, as depthwise convolutions like it.
            let (wide, rest) = spans.as_chunks::<WIDE>();
            wide.iter().for_each(|spans| tile.compute::<S, 1, WIDE>(spans, output));
            spans = rest;
        }
        let (pairs, last) = spans.as_chunks::<2>();
        for spans in pairs {
            with_rows!(rows, tile.compute::<S, _, 2>(spans, output));
        }
        for span in last {
            with_rows!(rows, tile.compute::<S, _, 1>(std::array::from_ref(span), output));
        }
        weights = &weights[rows * offsets.len()..];
    }
}

/// Vectors of a tile of a single row.
const WIDE: usize = 8;

/// What the tiles of a pass have in common for as many destination channels as `bias` is long.
struct Tile<'a> {
    /// For each offset, one a channel.
    weights: &'a [f32],
    offsets: &'a [usize],
    bias: &'a [f32],
    bounds: Option<[f32; 2]>,
    source: &'a [f32],
    /// Of a destination plane.
    size: usize,
}

impl Tile<'_> {
    #[inline(always)]
    fn compute<S: Simd, const ROWS: usize, const VECTORS: usize>(
        &self,
        spans: &[Span; VECTORS],
        output: &mut [MaybeUninit<f32>],
    ) {
        let lanes = f32::lanes::<S>();
        let from = spans.each_ref().map(|span| self.source[span.from..].as_ptr());
        let mut results = [[[MaybeUninit::<f32>::uninit(); MAX_LANES]; ROWS]; VECTORS];
        let mut steps = [MAX_LANES; VECTORS];
        let into: [*mut f32; VECTORS] = std::array::from_fn(|v| match spans[v].whole {
            Some(start) => {
                steps[v] = self.size;
                let into = &mut output[start..];
                debug_assert!(into.len() >= (ROWS - 1) * self.size + lanes);
                into.as_mut_ptr().cast()
            }
            None => results[v].as_mut_ptr().cast(),
        });
        debug_assert!(self.bias.len() == ROWS && self.weights.len() >= ROWS * self.offsets.len());
        let (weights, bias) = (self.weights.as_ptr(), self.bias.as_ptr());
        // SAFETY: the source has a whole vector at every offset of every span (its buffer ends in a spare vector;
        // read in place, all spans are full). A whole span lies within a destination plane of each channel, and
        // `results` holds the others.
        unsafe { correlate::<S, ROWS, VECTORS>(weights, self.offsets, from, bias, self.bounds, into, steps) }
        for (span, results) in spans.iter().zip(&results).filter(|(span, _)| span.whole.is_none()) {
            for (m, results) in results.iter().enumerate() {
                for &(first, count, start) in &span.runs {
                    let output = &mut output[start + m * self.size..][..count];
                    output.copy_from_slice(&results[first..first + count]);
                }
            }
        }
    }
}
