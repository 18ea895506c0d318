//! The data room: from the bytes of an archive or a folder to batches of images and labels.
//!
//! ```text
//! bytes ──source──▶ Files ──labels──▶ Labels ──loader (decode, split)──▶ Dataset ──batch (augment)──▶ Batch
//! ```
//!
//! - [`source`]: unpacks a zip, or takes a list of files, within limits (hostile input).
//! - [`labels`]: `labels.csv` / `labels.tsv`, class folders, or images alone.
//! - [`table`]: the text of a table, and what separates its cells.
//! - [`target`]: what a cell of a table asks of a network's output units, by the kind of the task.
//! - [`split`]: train-weights, train-architecture, validation and test, group by group.
//! - [`tasks`]: matches labels with the networks' tasks.
//! - [`loader`]: reads labels, decodes and splits, in steps.
//! - [`dataset`]: all images of a data set in one buffer, with labels per task and what was skipped.
//! - [`batch`]: fixed-shape batches, the same for the same seed.
//!
//! Image files are decoded, and images changed, by the crate `graftlab-images`.
//!
//! It knows no networks, reads no files and starts no threads: callers give bytes, and it builds for the
//! browser. Whatever is random here is a pure function of a seed, on every machine.

pub mod batch;
pub mod dataset;
mod error;
pub mod labels;
pub mod loader;
pub mod source;
pub mod split;
mod table;
mod target;
mod tasks;

pub use batch::Batch;
pub use dataset::{Dataset, TaskLabels};
pub use error::DataError;
pub use graftlab_images::{Augment, ImageShape};
pub use loader::{LoadOptions, Loader};
pub use source::{Files, Skipped};
pub use split::Split;
pub use tasks::Expected;
