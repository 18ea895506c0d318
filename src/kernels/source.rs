//! The padded copy of a few planes that tiles read.

use crate::winograd;

/// The padded, phase-split copy of an axis: plane position `j` of phase `f` holds source index
/// `j · stride + f − padding`, zero where there is none.
#[derive(Clone, Debug)]
pub(crate) struct AxisSource {
    pub size: usize,
    pub stride: usize,
    pub padding: usize,
    pub phases: Vec<usize>,
    pub length: usize,
}

/// A padded, phase-split copy of some planes.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    pub axes: [AxisSource; 2],
    /// The phases of its rows are mixed as Winograd's products want them.
    pub winograd: bool,
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

    /// Floats of one phase plane.
    pub fn phase_plane(&self) -> usize {
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
        if self.winograd {
            return winograd::source(rows, columns, planes, into);
        }
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
    pub fn overlap(&self, phase: usize) -> (usize, usize, usize) {
        let first = self.padding.saturating_sub(phase).div_ceil(self.stride);
        let from = first * self.stride + phase - self.padding;
        let held = self.size.saturating_sub(from).div_ceil(self.stride);
        (first, held.min(self.length.saturating_sub(first)), from.min(self.size))
    }
}
