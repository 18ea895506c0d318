//! How the pixels of a pass are cut into vectors.

use crate::geometry::Pass;

/// One vector of destination pixels.
#[derive(Clone, Debug)]
pub(crate) struct Span {
    /// Where it reads, in floats of a source channel.
    pub from: usize,
    /// Where it lands when all its lanes land beside each other.
    pub whole: Option<usize>,
    /// Otherwise, runs of lanes that do: first lane, length, destination. The lanes between them read past a row and are
    /// thrown away.
    pub runs: Vec<(usize, usize, usize)>,
}

impl Span {
    /// The same span of another image.
    pub fn moved(&self, from: usize, into: usize) -> Self {
        Self {
            from: self.from + from,
            runs: self.runs.iter().map(|&(first, count, start)| (first, count, start + into)).collect(),
            whole: self.whole.map(|start| start + into),
        }
    }
}

/// Vectors for `[rows, columns]` of pixels, `row` floats from one row to the next.
pub(crate) fn vectors(size: [usize; 2], row: usize, vector: usize) -> usize {
    let [by_row, along] = cuts(size, row, vector);
    by_row.min(along)
}

/// Vectors by row, and along rows and gaps alike.
fn cuts([rows, columns]: [usize; 2], row: usize, vector: usize) -> [usize; 2] {
    [rows * columns.div_ceil(vector), ((rows - 1) * row + columns).div_ceil(vector)]
}

/// Cuts the grid of a pass, which lands row after row from `start`, into vectors: row by row, or along rows and gaps
/// alike where that takes fewer.
pub(crate) fn spans(pass: &Pass, start: usize, row: usize, vector: usize) -> Vec<Span> {
    let [by_row, along] = cuts([pass.rows, pass.columns], row, vector);
    let span = |from: usize, lanes: usize| {
        let mut runs: Vec<(usize, usize, usize)> = Vec::new();
        let (y, x) = (from / row, from % row);
        if lanes == vector && y < pass.rows && x + lanes <= pass.columns {
            return Span { from, whole: Some(start + y * pass.columns + x), runs };
        }
        for lane in 0..lanes {
            let (y, x) = ((from + lane) / row, (from + lane) % row);
            if x >= pass.columns || y >= pass.rows {
                continue;
            }
            let into = start + y * pass.columns + x;
            match runs.last_mut() {
                Some((first, count, start)) if *first + *count == lane && *start + *count == into => {
                    *count += 1
                }
                _ => runs.push((lane, 1, into)),
            }
        }
        // Rows without gaps between them.
        let whole = runs.first().filter(|run| run.1 == vector).map(|run| run.2);
        Span { from, whole, runs: if whole.is_some() { Vec::new() } else { runs } }
    };
    if by_row <= along {
        let cuts = (0..pass.rows).flat_map(|y| (0..pass.columns).step_by(vector).map(move |x| (y, x)));
        cuts.map(|(y, x)| span(y * row + x, vector.min(pass.columns - x))).collect()
    } else {
        (0..along).map(|i| span(i * vector, vector)).collect()
    }
}
