//! Makes what is bundled: the pictures, the sample packs, and (on the command line only) the networks.
//!
//! - [`fonts`], [`face`], [`glyphs`]: letters and digits drawn from the fonts of Debian packages.
//! - [`idx`], [`garments`]: Fashion-MNIST and MNIST, read from the packages that carry them.
//! - [`packs`]: the two sample packs with their cards.
//!
//! Everything is a pure function of the font files, the data sets and the seeds in the code.

mod cards;
mod error;
pub mod face;
pub mod fonts;
pub mod garments;
pub mod glyphs;
pub mod idx;
pub mod packs;

pub use error::PretrainError;
