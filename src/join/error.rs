//! What can be wrong with a join.

use thiserror::Error;

use crate::net::NetError;

/// Why networks cannot be joined.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum JoinError {
    #[error(
        "two tasks have the name '{task}'. Hint: give one of them another name, as in NAME.onnx:task=OTHER"
    )]
    SameTask { task: String },

    #[error(
        "the task name '{task}' has a slash, which divides the names of a joined network. \
         Hint: give it another name, as in NAME.onnx:task=OTHER"
    )]
    TaskName { task: String },

    #[error("{given} network given; joining needs at least two. Hint: add another network")]
    TooFew { given: usize },

    #[error("no plan: {reason}")]
    InvalidPlan { reason: String },

    #[error("the adapter's equations have no solution: {reason}. Hint: use more calibration images")]
    Unsolvable { reason: String },

    #[error(
        "the file is no graft: {reason}. Hint: give the graft.onnx that graftlab integrate --base has written"
    )]
    NoGraft { reason: String },

    #[error(
        "the graft was made for another network of the task '{task}'; given is one of the task '{given}'. \
         Hint: give the very file that was the base"
    )]
    OtherBase { task: String, given: String },

    #[error(transparent)]
    Network(#[from] NetError),
}
