//! What can go wrong while choosing a plan.

use thiserror::Error;

use crate::join::JoinError;
use crate::train::TrainError;

/// Why no plan was chosen.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum SearchError {
    #[error(
        "no plan costs at most {budget:.3} of what the original networks cost apart. \
         Hint: the nearest budget that this selector can meet is {:.3}", ceiling(*.nearest)
    )]
    BudgetOutOfReach { budget: f64, nearest: f64 },

    #[error(
        "the budget must be above 0 and at most 1, not {budget}. Hint: 0.5 means half of what the originals cost apart"
    )]
    Budget { budget: f64 },

    #[error(
        "there are more than {most} plans, too many to train each. \
         Hint: choose another selector, or let fewer donor points be scored (scored_donor_points)"
    )]
    TooManyPlans { most: usize },

    #[error("the run was stopped before there was a network to keep")]
    Cancelled,

    #[error(transparent)]
    Join(#[from] JoinError),

    #[error(transparent)]
    Train(#[from] TrainError),
}

/// Rounded up, so that the number shown can be used.
fn ceiling(value: f64) -> f64 {
    (value * 1000.0).ceil() / 1000.0
}
