//! Why a run could not be done.

use thiserror::Error;

use crate::data::DataError;
use crate::join::JoinError;
use crate::net::NetError;
use crate::onnx::OnnxError;
use crate::search::SearchError;
use crate::train::TrainError;

/// Anything that can stop a run.
#[derive(Debug, Error)]
pub enum ProjectError {
    #[error("{file}: {source}")]
    Onnx { file: String, source: OnnxError },

    #[error("{file}: {source}")]
    Network { file: String, source: NetError },

    #[error(transparent)]
    Data(#[from] DataError),

    #[error(transparent)]
    Join(#[from] JoinError),

    #[error(transparent)]
    Search(#[from] SearchError),

    #[error(transparent)]
    Train(#[from] TrainError),

    #[error(transparent)]
    Device(#[from] NetError),

    #[error("the setting {name} is {value}, but must be {wanted}. Hint: leave it out to take its default")]
    Setting { name: &'static str, value: f64, wanted: &'static str },

    #[error(
        "there are more than {most} plans, too many to fine-tune each. \
         Hint: take fewer networks, or let a search choose: graftlab integrate"
    )]
    TooManyPlans { most: usize },

    #[error("no network has the task '{name}', which is to stay as it is. Hint: name one of {tasks}")]
    UnknownBase { name: String, tasks: String },

    #[error(
        "the merged network was made from other networks than those that are loaded. Hint: load those again, or run again"
    )]
    OtherNetworks,

    #[error(
        "the checkpoint is of a run with other settings, networks, images or another version of Graftlab. \
         Hint: start it as it was started, or anew"
    )]
    OtherRun,

    #[error("this is no checkpoint of a run: {reason}. Hint: start the run anew")]
    Checkpoint { reason: String },

    #[error("no images are loaded. Hint: load a sample, a zip or a folder first")]
    NoData,

    #[error("the run was stopped before there was a network to keep")]
    Cancelled,

    #[error(
        "the GPU computes something else than the CPU here (outputs differ by {outputs:.1e}, gradients by \
         {gradients:.1e}). Hint: use the CPU"
    )]
    SelfTest { outputs: f64, gradients: f64 },

    #[error("the merged network cannot be written: {reason}")]
    Export { reason: String },
}

impl ProjectError {
    /// Whether the input was at fault, rather than the work.
    pub fn is_bad_input(&self) -> bool {
        match self {
            Self::Onnx { .. }
            | Self::Network { .. }
            | Self::Data(_)
            | Self::Join(_)
            | Self::Setting { .. }
            | Self::TooManyPlans { .. }
            | Self::UnknownBase { .. }
            | Self::OtherNetworks
            | Self::OtherRun
            | Self::Checkpoint { .. }
            | Self::NoData => true,
            Self::Search(error) => matches!(
                error,
                SearchError::BudgetOutOfReach { .. }
                    | SearchError::Budget { .. }
                    | SearchError::TooManyPlans { .. }
                    | SearchError::Join(_)
            ),
            Self::Train(_)
            | Self::Device(_)
            | Self::Cancelled
            | Self::SelfTest { .. }
            | Self::Export { .. } => false,
        }
    }

    /// A short name for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Network { source: NetError::NeedsOptions, .. } => "needs_options",
            Self::Onnx { .. } | Self::Network { .. } | Self::OtherNetworks => "bad_network",
            Self::OtherRun | Self::Checkpoint { .. } => "bad_checkpoint",
            Self::Data(_) | Self::NoData => "bad_data",
            Self::Search(SearchError::BudgetOutOfReach { .. }) => "budget_out_of_reach",
            Self::Search(SearchError::Cancelled) => "cancelled",
            Self::Setting { .. } | Self::UnknownBase { .. } => "bad_setting",
            Self::Cancelled => "cancelled",
            Self::SelfTest { .. } => "self_test",
            Self::Search(SearchError::Train(TrainError::Network(NetError::DevicesDiffer { .. })))
            | Self::Train(TrainError::Network(NetError::DevicesDiffer { .. }))
            | Self::Device(NetError::DevicesDiffer { .. }) => "device_fault",
            Self::Search(SearchError::Train(_)) | Self::Train(_) | Self::Device(_) | Self::Export { .. } => {
                "failed"
            }
            Self::Join(_) | Self::Search(_) | Self::TooManyPlans { .. } => "bad_plan",
        }
    }
}
