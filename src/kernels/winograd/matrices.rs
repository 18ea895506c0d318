//! The matrices of the transformations, column by column.

use super::columns::{Columns, Value};
use super::{PRODUCTS, TAPS, TILE};

/// The rows of a source as those of the products.
pub(super) struct Mixed;

impl Columns<PRODUCTS, PRODUCTS> for Mixed {
    #[inline(always)]
    fn apply<T: Value>(&self, d: [T; PRODUCTS]) -> [T; PRODUCTS] {
        let (even, odd) = (d[4] - d[2].times(4.0), d[3] - d[1].times(4.0));
        let (wide, double) = (d[4] - d[2], (d[3] - d[1]).times(2.0));
        [
            d[0].times(4.0) - d[2].times(5.0) + d[4],
            even + odd,
            even - odd,
            wide + double,
            wide - double,
            d[1].times(4.0) - d[3].times(5.0) + d[5],
        ]
    }
}

/// The weights of the products from those of the rows of taps.
pub(super) struct Weights;

impl Columns<TAPS, PRODUCTS> for Weights {
    #[inline(always)]
    fn apply<T: Value>(&self, w: [T; TAPS]) -> [T; PRODUCTS] {
        let (even, odd) = ((w[0] + w[2]).times(-1.0 / 6.0), w[1].times(1.0 / 6.0));
        let (wide, double) = (w[0].times(1.0 / 24.0) + w[2].times(1.0 / 6.0), w[1].times(1.0 / 12.0));
        [w[0].times(0.25), even - odd, even + odd, wide + double, wide - double, w[2]]
    }
}

/// The gradients of the rows of taps from those of the products' weights.
pub(super) struct WeightGradient;

impl Columns<PRODUCTS, TAPS> for WeightGradient {
    #[inline(always)]
    fn apply<T: Value>(&self, u: [T; PRODUCTS]) -> [T; TAPS] {
        let (even, wide) = ((u[1] + u[2]).times(1.0 / 6.0), u[3] + u[4]);
        [
            u[0].times(0.25) - even + wide.times(1.0 / 24.0),
            (u[2] - u[1]).times(1.0 / 6.0) + (u[3] - u[4]).times(1.0 / 12.0),
            wide.times(1.0 / 6.0) - even + u[5],
        ]
    }
}

/// The rows of an output from those of the products.
pub(super) struct Sums {
    pub bias: f32,
    pub bounds: [f32; 2],
}

impl Columns<PRODUCTS, TILE> for Sums {
    #[inline(always)]
    fn apply<T: Value>(&self, m: [T; PRODUCTS]) -> [T; TILE] {
        let (a, b, c, d) = (m[1] + m[2], m[1] - m[2], m[3] + m[4], m[3] - m[4]);
        let mut sums = [m[0] + a + c, b + d.times(2.0), a + c.times(4.0), b + d.times(8.0) + m[5]];
        let (bias, low, high) = (T::all(self.bias), T::all(self.bounds[0]), T::all(self.bounds[1]));
        // No `map`, which would be a call of a function that has not the vector registers of this one.
        for sum in &mut sums {
            *sum = (*sum + bias).between(low, high);
        }
        sums
    }
}

/// The gradients of the products from those of an output.
pub(super) struct Gradients;

impl Columns<TILE, PRODUCTS> for Gradients {
    #[inline(always)]
    fn apply<T: Value>(&self, g: [T; TILE]) -> [T; PRODUCTS] {
        let (a, b) = (g[0] + g[2], g[1] + g[3]);
        let (c, d) = (g[0] + g[2].times(4.0), (g[1] + g[3].times(4.0)).times(2.0));
        [g[0], a + b, a - b, c + d, c - d, g[3]]
    }
}
