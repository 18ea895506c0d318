//! Weights in the order in which tiles read them.

use crate::tile::tiles;

/// Where the taps of two channels begin: the steps from one group, destination channel and source channel to the next.
#[derive(Clone, Copy)]
pub(crate) struct Kernel<'a> {
    pub weight: &'a [f32],
    pub group: usize,
    pub into: usize,
    pub from: usize,
}

/// Steps of a panel that are filled row by row.
const BLOCK: usize = 16;

impl Kernel<'_> {
    /// The weights of these taps by group, tile of at most `rows` destination channels, source channel and tap. `channels`
    /// are those of one group, source and destination.
    pub fn panel(&self, taps: &[usize], groups: usize, [from, into]: [usize; 2], rows: usize) -> Vec<f32> {
        let steps = from * taps.len();
        let mut panel = vec![0.0; groups * into * steps];
        let mut rest = &mut panel[..];
        for group in 0..groups {
            for (start, rows) in tiles(into, rows) {
                let (tile, after) = rest.split_at_mut(rows * steps);
                let weight = &self.weight[group * self.group + start * self.into..];
                Kernel { weight, ..*self }.fill(tile, rows, taps);
                rest = after;
            }
        }
        panel
    }

    /// Fills the panel of a tile, `rows` floats a step, from the tile's first destination channel on.
    fn fill(&self, tile: &mut [f32], rows: usize, taps: &[usize]) {
        if self.from == taps.len() && taps.is_sorted() {
            // All that a destination channel reads lies in one row. A block stays in the cache while rows are taken.
            for (block, steps) in tile.chunks_mut(BLOCK * rows).enumerate() {
                for row in 0..rows {
                    let weights = &self.weight[row * self.into + block * BLOCK..];
                    steps.chunks_exact_mut(rows).zip(weights).for_each(|(step, weight)| step[row] = *weight);
                }
            }
            return;
        }
        for (index, step) in tile.chunks_exact_mut(rows).enumerate() {
            let weights = &self.weight[index / taps.len() * self.from + taps[index % taps.len()]..];
            step.iter_mut().zip(weights.iter().step_by(self.into)).for_each(|(into, weight)| *into = *weight);
        }
    }
}
