//! Products of matrices, by the crate `matrixmultiply`.

use std::mem::MaybeUninit;

use crate::parallel::{filled, for_each_piece};

/// Rows of a product that a thread computes at a time.
const ROWS: usize = 64;
/// Columns of a product of one row that a thread computes at a time.
const COLUMNS: usize = 4096;
/// Sums side by side where the values to sum lie side by side.
const SUMS: usize = 16;

/// Matrices of one size in a slice.
#[derive(Clone, Debug)]
pub struct Matrices<'a> {
    pub values: &'a [f32],
    /// Index of the first value of each.
    pub starts: Vec<usize>,
    /// Distance from one row to the next, and from one column to the next.
    pub strides: [isize; 2],
}

impl Matrices<'_> {
    /// Whether all values of matrices of this size are there.
    fn hold(&self, size: [usize; 2]) -> bool {
        let steps = [0, 1].map(|axis| (size[axis] as isize - 1) * self.strides[axis]);
        let below: isize = steps.iter().map(|&step| step.min(0)).sum();
        let above: isize = steps.iter().map(|&step| step.max(0)).sum();
        let fits = |start: isize| start + below >= 0 && start + above < self.values.len() as isize;
        self.starts.iter().all(|&start| fits(start as isize))
    }

    /// Index of a value.
    fn at(&self, matrix: usize, row: usize, column: usize) -> usize {
        let [along, across] = self.strides;
        self.starts[matrix].wrapping_add_signed(row as isize * along + column as isize * across)
    }
}

/// As many products as there are matrices on both sides.
///
/// # Shapes
/// `[rows, inner]` and `[inner, columns]` each; gives `[matrices, rows, columns]`. Panics where values are missing.
pub fn products(left: &Matrices, right: &Matrices, [rows, inner, columns]: [usize; 3]) -> Vec<f32> {
    let each = rows * columns;
    let count = left.starts.len();
    if each * count == 0 || inner == 0 {
        return vec![0.0; each * count];
    }
    assert!(right.starts.len() == count && left.hold([rows, inner]) && right.hold([inner, columns]));
    // A piece never holds values of two products.
    let piece = match (count, rows) {
        (1, 1) => COLUMNS,
        (1, _) => ROWS * columns,
        _ => each,
    };
    let solve = |index: usize, output: &mut [MaybeUninit<f32>]| {
        let (matrix, first) = (index * piece / each, index * piece % each);
        let (row, column) = (left.at(matrix, first / columns, 0), right.at(matrix, 0, first % columns));
        let sides = [left, right].map(|side| side.strides);
        match sides {
            [[_, 1], [down, across]]
                if rows == 1 && down >= 0 && across >= 0 && (down == 1 || across == 1) =>
            {
                let steps = [down as usize, across as usize];
                row_times(&left.values[row..][..inner], &right.values[column..], steps, output);
            }
            // SAFETY: the output is not read, for its old values count nothing (0), and `hold` has seen that the rest is
            // there.
            [[left_down, left_across], [down, across]] => unsafe {
                matrixmultiply::sgemm(
                    output.len() / columns,
                    inner,
                    columns,
                    1.0,
                    left.values.as_ptr().add(row),
                    left_down,
                    left_across,
                    right.values.as_ptr().add(column),
                    down,
                    across,
                    0.0,
                    output.as_mut_ptr().cast(),
                    columns as isize,
                    1,
                );
            },
        }
    };
    let write = |output: &mut [MaybeUninit<f32>]| {
        for_each_piece(output, piece, || (), |(), index, output| solve(index, output));
    };
    // SAFETY: the pieces are the whole, and each is written.
    unsafe { filled(each * count, write) }
}

/// One row times a matrix, without the copies that pay off for many rows.
fn row_times(row: &[f32], right: &[f32], [down, across]: [usize; 2], output: &mut [MaybeUninit<f32>]) {
    if across == 1 {
        let mut sums = vec![0.0; output.len()];
        for (k, &factor) in row.iter().enumerate() {
            let values = &right[k * down..][..sums.len()];
            sums.iter_mut().zip(values).for_each(|(sum, &value)| *sum += factor * value);
        }
        output.iter_mut().zip(sums).for_each(|(output, sum)| {
            output.write(sum);
        });
    } else {
        for (column, output) in output.iter_mut().enumerate() {
            output.write(dot(row, &right[column * across..][..row.len()]));
        }
    }
}

fn dot(left: &[f32], right: &[f32]) -> f32 {
    let (left, right) = (left.as_chunks::<SUMS>(), right.as_chunks::<SUMS>());
    let mut sums = [0.0; SUMS];
    for (left, right) in left.0.iter().zip(right.0) {
        for lane in 0..SUMS {
            sums[lane] += left[lane] * right[lane];
        }
    }
    let rest: f32 = left.1.iter().zip(right.1).map(|(left, right)| left * right).sum();
    sums.iter().sum::<f32>() + rest
}
