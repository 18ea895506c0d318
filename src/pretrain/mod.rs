//! Makes what is bundled: the pictures, the sample packs, and the networks.
//!
//! - [`fonts`], [`face`], [`glyphs`]: letters and digits drawn from the fonts of Debian packages.
//! - [`idx`], [`garments`]: Fashion-MNIST and MNIST, read from the packages that carry them.
//! - [`packs`]: the two sample packs with their cards.
//! - [`backbone`], [`networks`]: the networks and their training.
//!
//! Everything is a pure function of the font files, the data sets and the seeds in the code.

pub mod backbone;
pub mod cards;
mod error;
pub mod face;
pub mod fonts;
pub mod garments;
pub mod glyphs;
pub mod idx;
pub mod networks;
pub mod packs;

pub use error::PretrainError;
