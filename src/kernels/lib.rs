//! What training spends its time on, on the CPU: convolutions and their gradients, products of matrices, batch
//! normalisation, maxima over windows, bounds and Adam.
//!
//! The functions take slices of `f32`, channels first, and know nothing of tensors or tapes. A crate of its own, for it is
//! compiled for speed where all else is compiled for size. Results don't depend on the number of threads.

#![allow(
    clippy::extra_unused_type_parameters,
    reason = "`with_simd` compiles a function for each instruction set by a type parameter that the body need not name"
)]

pub mod adam;
pub mod correlate;
mod geometry;
pub mod normalise;
mod panel;
mod parallel;
pub mod pool;
pub mod product;
mod source;
mod span;
mod tile;
pub mod weight;
mod winograd;

pub use geometry::Conv;
