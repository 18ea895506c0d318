//! Winograd's minimal filtering F(4, 3) down the columns of planes: four rows of outputs of three rows of taps take six
//! products instead of twelve (Lavin and Gray 2016, arXiv:1509.09308, whose matrices these are). Along rows nothing is
//! transformed, so that vectors run over pixels as everywhere.
//!
//! A transformed source is six planes that each hold a row for every four of the output; a correlation adds over channels
//! and the taps of a row in each of them by itself, and four rows of outputs are made of the six results.

mod columns;
mod matrices;

use std::mem::MaybeUninit;

use macerator::Simd;

use columns::along;
use matrices::{Gradients, Mixed, Sums, WeightGradient, Weights};

use crate::geometry::Conv;
use crate::source::AxisSource;
use crate::span::vectors;
use crate::tile::layout;

/// Rows of outputs that are computed together.
pub(crate) const TILE: usize = 4;
/// Products that they take.
pub(crate) const PRODUCTS: usize = 6;
/// Rows of taps that there are.
pub(crate) const TAPS: usize = 3;

/// Whether a convolution gains by it: its stride is 1, there are enough channels for the transformations not to matter
/// and rows to fill vectors with, and what is transformed of one image is not too large to be kept by every thread.
pub(crate) fn suits(conv: &Conv) -> bool {
    let lanes = layout().lanes;
    let fewer = |[rows, columns]: [usize; 2]| {
        let row = columns + conv.dilation[1] * (conv.kernel[1] - 1);
        let products = PRODUCTS * vectors([rows.div_ceil(TILE), columns], row, lanes);
        13 * products <= 10 * TAPS * vectors([rows, columns], row, lanes)
    };
    conv.kernel[0] == TAPS
        && conv.dilation[0] == 1
        && conv.stride == [1, 1]
        // More would be cut off from the gradient.
        && conv.padding[0] < TAPS
        && conv.group_in().min(conv.group_out()) >= CHANNELS
        && conv.group_in() * conv.input_plane() <= FLOATS
        && conv.group_out() * conv.output_plane() <= FLOATS
        && fewer(conv.input)
        && fewer(conv.output)
}

/// Channels that are enough.
const CHANNELS: usize = 8;
/// Floats of one image that are not too many.
const FLOATS: usize = 1 << 20;

/// The weights of the products from those of the three rows of taps, in the order in which these read.
#[macerator::with_simd]
pub(crate) fn weights<S: Simd>(taps: &[Vec<f32>]) -> Vec<Vec<f32>> {
    let count = taps.iter().map(Vec::len).min().unwrap_or(0);
    let mut products = vec![0.0; PRODUCTS * count];
    let from = std::array::from_fn(|row| taps[row].as_ptr());
    let into = lines(&mut products, count).map(<[f32]>::as_mut_ptr);
    // SAFETY: all are `count` floats long.
    unsafe { along::<S, TAPS, PRODUCTS>(count, from, into, &Weights) };
    products.chunks_exact(count).map(<[f32]>::to_vec).collect()
}

/// The gradients of the three rows of taps from those of the products, both one after the other.
#[macerator::with_simd]
pub(crate) fn weight_gradient<'a, S: Simd>(products: &'a [f32], taps: &'a mut [f32]) {
    let count = taps.len() / TAPS;
    let from = std::array::from_fn(|row| products[row * count..][..count].as_ptr());
    let into = lines(taps, count).map(<[f32]>::as_mut_ptr);
    // SAFETY: all are `count` floats long.
    unsafe { along::<S, PRODUCTS, TAPS>(count, from, into, &WeightGradient) };
}

/// The first `N` lines of `length` values.
#[inline(always)]
fn lines<T, const N: usize>(values: &mut [T], length: usize) -> [&mut [T]; N] {
    let mut lines = values.chunks_exact_mut(length);
    std::array::from_fn(|_| lines.next().unwrap_or_default())
}

/// Transforms planes of `rows.size` by `columns.size` floats into six planes each, `rows.length` by `columns.length`,
/// whose borders are zero already and stay so.
#[macerator::with_simd]
pub(crate) fn source<'a, S: Simd>(
    rows: &'a AxisSource,
    columns: &'a AxisSource,
    planes: &'a [f32],
    into: &'a mut [f32],
) {
    let (first, count, from) = columns.overlap(0);
    let blank = vec![0.0; count];
    let plane = rows.length * columns.length;
    let planes = planes.chunks_exact(rows.size * columns.size);
    for (source, into) in planes.zip(into.chunks_exact_mut(PRODUCTS * plane)) {
        let mut into: [_; PRODUCTS] = lines(into, plane);
        for tile in 0..rows.length {
            let source: [&[f32]; PRODUCTS] = std::array::from_fn(|row| {
                match (tile * TILE + row).checked_sub(rows.padding).filter(|&row| row < rows.size) {
                    Some(row) => &source[row * columns.size + from..][..count],
                    None => &blank[..],
                }
            });
            let into = into.each_mut().map(|plane| &mut plane[tile * columns.length + first..][..count]);
            // SAFETY: each line is `count` floats long.
            unsafe {
                along::<S, _, _>(count, source.map(<[f32]>::as_ptr), into.map(<[f32]>::as_mut_ptr), &Mixed)
            };
        }
    }
}

/// Makes planes of `height` by `width` floats of six planes of products each: with a `bias` for each plane added, and
/// moved between `bounds`.
#[macerator::with_simd]
pub(crate) fn output<'a, S: Simd>(
    products: &'a [f32],
    size: [usize; 2],
    bias: &'a [f32],
    bounds: Option<[f32; 2]>,
    into: &'a mut [MaybeUninit<f32>],
) {
    let [height, width] = size;
    let plane = height.div_ceil(TILE) * width;
    let mut spare = vec![0.0; width];
    let products = products.chunks_exact(PRODUCTS * plane);
    for ((products, into), bias) in products.zip(into.chunks_exact_mut(height * width)).zip(bias) {
        output_plane::<S>(products, width, *bias, bounds, into, &mut spare);
    }
}

#[inline(always)]
fn output_plane<S: Simd>(
    products: &[f32],
    width: usize,
    bias: f32,
    bounds: Option<[f32; 2]>,
    into: &mut [MaybeUninit<f32>],
    spare: &mut [f32],
) {
    let plane = products.len() / PRODUCTS;
    let sums = Sums { bias, bounds: bounds.unwrap_or([f32::NEG_INFINITY, f32::INFINITY]) };
    for (tile, into) in into.chunks_mut(TILE * width).enumerate() {
        let products: [&[f32]; PRODUCTS] =
            std::array::from_fn(|row| &products[row * plane + tile * width..][..width]);
        // The last tile may have fewer lines.
        let mut into = into.chunks_exact_mut(width);
        let into: [*mut f32; TILE] =
            std::array::from_fn(|_| into.next().map_or(spare.as_mut_ptr(), |line| line.as_mut_ptr().cast()));
        // SAFETY: each line is `width` floats long.
        unsafe { along::<S, _, _>(width, products.map(<[f32]>::as_ptr), into, &sums) };
    }
}

/// The gradients of six planes of products each from those of output planes of `height` by `width` floats.
#[macerator::with_simd]
pub(crate) fn output_gradient<'a, S: Simd>(gradient: &'a [f32], size: [usize; 2], into: &'a mut [f32]) {
    let [height, width] = size;
    let blank = vec![0.0; width];
    let products = into.chunks_exact_mut(PRODUCTS * height.div_ceil(TILE) * width);
    for (gradient, into) in gradient.chunks_exact(height * width).zip(products) {
        product_gradients::<S>(gradient, width, &blank, into);
    }
}

#[inline(always)]
fn product_gradients<S: Simd>(gradient: &[f32], width: usize, blank: &[f32], into: &mut [f32]) {
    let plane = into.len() / PRODUCTS;
    let mut into: [_; PRODUCTS] = lines(into, plane);
    for (tile, gradient) in gradient.chunks(TILE * width).enumerate() {
        let mut gradient = gradient.chunks_exact(width);
        let gradient: [&[f32]; TILE] = std::array::from_fn(|_| gradient.next().unwrap_or(blank));
        let into = into.each_mut().map(|plane| &mut plane[tile * width..][..width]);
        // SAFETY: each line is `width` floats long.
        unsafe {
            along::<S, _, _>(width, gradient.map(<[f32]>::as_ptr), into.map(<[f32]>::as_mut_ptr), &Gradients)
        };
    }
}
