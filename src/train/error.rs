//! What can go wrong while training.

use thiserror::Error;

use crate::net::NetError;

/// Why training stopped before its end.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum TrainError {
    #[error("the loss is no longer a finite number at step {step}. Hint: lower the learning rate")]
    Diverged { step: usize },

    #[error(transparent)]
    Network(#[from] NetError),
}
