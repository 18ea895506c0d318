//! Training: losses, distillation, schedule, metrics, and the step loop.
//!
//! Batches come from a [`BatchSource`]; what becomes of the progress is the [`Observer`]'s business.

mod error;
mod loss;
mod metrics;
mod optimiser;
mod schedule;
mod settings;
mod state;
mod step_loop;
mod task_loss;

pub use error::TrainError;
pub use loss::{cross_entropy, distillation, hint};
pub use metrics::{Agreement, agreement, argmax, distance, likeness, spread};
pub use optimiser::Optimiser;
pub use schedule::one_cycle;
pub use settings::{Start, TrainSettings};
pub use state::{Progress, TrainState};
pub use step_loop::{BatchSource, Observer, StepReport, Student, TrainBatch, train};
pub use task_loss::{Labelled, TaskTarget};
