//! Joining networks: where they can be joined, what a join costs, and the merged graph.

mod adapter;
mod cost;
mod error;
mod fit;
mod graft;
mod heads;
mod merge;
mod plan;
mod points;
mod random;
mod resample;
mod space;
mod summary;

pub use adapter::{Adapter, adapter_graph};
pub use cost::{AdapterShape, CostMeasure, Costs, SegmentCosts, adapter_ends};
pub use error::JoinError;
pub use fit::{Fit, RidgeRows, fit_ridge};
pub use graft::{apply_graft, checksum, graft_input, take_graft};
pub use heads::{SelfHead, add_self_distillation_heads, with_probabilities};
pub use merge::{Merged, TensorRole, merge};
pub use plan::{Join, Plan, Source, consistent};
pub use points::{Activation, JoinPoint, join_points};
pub use random::forget_weights;
pub use resample::{fit_input, resample_graph, sampling_columns};
pub use space::{Savings, Space, SpaceNetwork};
pub use summary::{PlanSummary, SourceSummary};
