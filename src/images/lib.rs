//! From image files to pixels, and what is done to every pixel of every image.
//!
//! - [`decode`]: one image file to planar bytes of the asked size.
//! - [`Augment`]: small random changes.
//! - [`rng`]: the random numbers of these and of what draws from images.
//!
//! A crate of its own, for it is compiled for speed where all else is compiled for size. What it computes is the same on every
//! machine.

mod augment;
mod decode;
pub mod rng;

pub use augment::Augment;
pub use decode::{ImageShape, MAX_SIDE, decode};
