//! Products of matrices: every thread computes a square tile of one product.

#![allow(clippy::needless_range_loop, reason = "kernels have no iterators")]

use burn::cubecl;
use burn::cubecl::prelude::*;

use super::cut::wanted_threads;
use super::{CubeTensor, contiguous, empty, threads};

/// Rows and columns of a tile, from those that need least memory loads to those that make most threads.
const TILES: [usize; 3] = [4, 2, 1];

/// `[..., rows, inner]` times `[..., inner, columns]`, with as many matrices on both sides. Transposed operands are read
/// as they lie.
pub(super) fn matmul(left: CubeTensor, right: CubeTensor) -> CubeTensor {
    let (left, right) = (Stack::of(left), Stack::of(right));
    let client = left.tensor.client.clone();
    let mut shape = left.tensor.meta.shape().clone();
    let rank = shape.num_dims();
    shape[rank - 1] = right.tensor.meta.shape()[rank - 1];
    let [rows, columns] = [shape[rank - 2], shape[rank - 1]];
    let inner = left.tensor.meta.shape()[rank - 1];
    let matrices: usize = shape[..rank - 2].iter().product();

    let work = |tile: usize| matrices * rows.div_ceil(tile) * columns.div_ceil(tile);
    let [rest @ .., last] = TILES;
    let wanted = wanted_threads(&client);
    let fits = |tile: &usize| *tile < 2 * rows.min(columns) && work(*tile) >= wanted;
    let tile = rest.into_iter().find(fits).unwrap_or(last);

    let product = empty(&left.tensor, shape);
    let (count, dim) = threads(&client, work(tile));
    // SAFETY: rows and columns that are read are clamped, those that are written are compared with the sizes.
    unsafe {
        multiply::launch_unchecked(
            &client,
            count,
            dim,
            left.buffer(),
            right.buffer(),
            super::buffer(&product),
            left.strides(),
            right.strides(),
            rows,
            inner,
            columns,
            work(tile),
            tile,
        );
    }
    product
}

/// A tensor whose leading axes are one after the other, whatever the order of the last two.
struct Stack {
    tensor: CubeTensor,
    matrix: usize,
}

impl Stack {
    fn of(tensor: CubeTensor) -> Self {
        let rank = tensor.meta.shape().num_dims();
        let step = |tensor: &CubeTensor| {
            let (sizes, strides) = (tensor.meta.shape(), tensor.meta.strides());
            let mut axes = (0..rank - 2).rev().filter(|axis| sizes[*axis] > 1);
            let Some(last) = axes.next() else { return Some(0) };
            let mut next = strides[last] * sizes[last];
            axes.all(|axis| {
                let even = strides[axis] == next;
                next *= sizes[axis];
                even
            })
            .then_some(strides[last])
        };
        match step(&tensor) {
            Some(matrix) => Self { tensor, matrix },
            None => {
                let tensor = contiguous(tensor);
                let sizes = tensor.meta.shape();
                let matrix = sizes[rank - 2] * sizes[rank - 1];
                Self { tensor, matrix }
            }
        }
    }

    fn strides(&self) -> StridesLaunch {
        let strides = self.tensor.meta.strides();
        let [row, column] = [strides[strides.len() - 2], strides[strides.len() - 1]];
        StridesLaunch::new(self.matrix, row, column)
    }

    /// As far as the last value.
    fn buffer(&self) -> BufferArg {
        let (sizes, strides) = (self.tensor.meta.shape(), self.tensor.meta.strides());
        let last: usize = sizes.iter().zip(strides.iter()).map(|(size, stride)| (size - 1) * stride).sum();
        // SAFETY: this is where the tensor's own sizes and strides lead.
        unsafe { BufferArg::from_raw_parts(self.tensor.handle.clone(), last + 1) }
    }
}

/// Steps to the next matrix, row and column, in elements.
#[derive(CubeType, CubeLaunch, Clone, Copy)]
struct Strides {
    matrix: usize,
    row: usize,
    column: usize,
}

#[cube(launch_unchecked)]
fn multiply(
    left: &[f32],
    right: &[f32],
    product: &mut [f32],
    left_strides: Strides,
    right_strides: Strides,
    rows: usize,
    inner: usize,
    columns: usize,
    work: usize,
    #[comptime] tile: usize,
) {
    if ABSOLUTE_POS >= work {
        terminate!();
    }
    let tiles = columns.div_ceil(tile);
    let first_column = ABSOLUTE_POS % tiles * tile;
    let rest = ABSOLUTE_POS / tiles;
    let tiles = rows.div_ceil(tile);
    let first_row = rest % tiles * tile;
    let matrix = rest / tiles;

    let left_at = offsets(matrix * left_strides.matrix, first_row, rows, left_strides.row, tile);
    let right_at = offsets(matrix * right_strides.matrix, first_column, columns, right_strides.column, tile);
    let mut sums = Array::<f32>::new(comptime!(tile * tile));
    for k in 0..inner {
        let mut values = Sequence::<f32>::new();
        #[unroll]
        for x in 0..tile {
            values.push(right[*right_at.index(x) + k * right_strides.row]);
        }
        #[unroll]
        for y in 0..tile {
            let factor = left[*left_at.index(y) + k * left_strides.column];
            #[unroll]
            for x in 0..tile {
                sums[comptime!(y * tile + x)] += factor * *values.index(x);
            }
        }
    }
    #[unroll]
    for y in 0..tile {
        #[unroll]
        for x in 0..tile {
            let row = first_row + y;
            let column = first_column + x;
            if row < rows && column < columns {
                product[(matrix * rows + row) * columns + column] = sums[comptime!(y * tile + x)];
            }
        }
    }
}

/// Where the rows or columns of a tile begin; beyond the last it is the last.
#[cube]
fn offsets(
    base: usize,
    first: usize,
    count: usize,
    stride: usize,
    #[comptime] tile: usize,
) -> Sequence<usize> {
    let mut at = Sequence::<usize>::new();
    #[unroll]
    for i in 0..tile {
        at.push(base + clamp_max(first + i, count - 1) * stride);
    }
    at
}
