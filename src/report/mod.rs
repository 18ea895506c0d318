//! `run.json`: what a run was asked, what it decided, and what it measured.

mod front;
mod table;

use serde::{Deserialize, Serialize};

use crate::graph::Cost;
use crate::join::PlanSummary;
use crate::search::SearchStep;
use crate::task_kind::TaskKind;

pub use front::{Point, front};
pub use table::{PlanLine, SearchLine, SpaceLine, TableLine};

/// Version of the layout of `run.json`. Raised when a field changes its meaning or goes.
pub const SCHEMA_VERSION: u32 = 1;

/// Everything that is known of a finished run. Its JSON layout is described in `docs/run-json.md`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify))]
pub struct Report {
    pub schema_version: u32,
    /// Version of Graftlab.
    pub version: String,
    /// `cpu`, `webgpu` (in a browser) or `gpu` (command line).
    pub device: String,
    /// The settings, as given.
    #[cfg_attr(target_arch = "wasm32", tsify(type = "Settings"))]
    pub settings: serde_json::Value,
    pub plan: PlanSummary,
    /// Every join that was considered.
    pub candidates: Vec<CandidateReport>,
    /// Plans that were compared after brief training.
    pub judged: Vec<JudgedPlan>,
    /// The way of a differentiable search.
    pub search_steps: Vec<SearchStep>,
    pub tasks: Vec<TaskReport>,
    /// Largest loss of accuracy on the test split over the tasks, in points. Negative if every task gained.
    pub worst_drop_points: f64,
    pub cost: CostReport,
    pub seconds: Seconds,
    /// Loss by step, thinned to at most 500 points.
    pub curve: Vec<CurvePoint>,
    pub data: DataReport,
    /// Whether training was stopped before its end.
    pub stopped: bool,
}

/// One join as it looked before any training.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify))]
pub struct CandidateReport {
    /// Index of the receiver among the networks.
    pub receiver: usize,
    /// Index among the receiver's join points.
    pub receiver_point: usize,
    /// Index of the donor among the networks.
    pub donor: usize,
    /// Index among the donor's join points.
    pub donor_point: usize,
    /// Share of images on which the grafted tail gives the teacher's top class.
    pub agreement: f64,
    /// Agreement beyond chance, Cohen's kappa: comparable between tasks.
    pub kappa: f64,
    /// `KL(teacher ‖ tail)` in nats, at a fitted temperature.
    pub divergence: f64,
    /// Share of the receiver tensor's variance that the adapter explains.
    pub r_squared: f64,
    /// Share of the receiver's MACs that stays, the adapter included. A score that ranks no better than this one only
    /// knows the cost.
    pub macs_kept: f64,
}

/// A plan with what brief training made of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify))]
pub struct JudgedPlan {
    pub plan: PlanSummary,
    /// Images that passed it while it was trained.
    pub image_passes: usize,
    /// Largest loss of accuracy on validation over the tasks, in points.
    pub worst_drop_points: f64,
}

/// One task, original against merged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify))]
pub struct TaskReport {
    pub name: String,
    #[serde(default)]
    pub kind: TaskKind,
    pub classes: Vec<String>,
    pub validation: Scores,
    pub test: Scores,
}

/// Shares of images, from 0 to 1; of a task of labels the mean share of labels that are right, of values coefficients of
/// determination (1 is perfect, 0 is no better than the mean).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify))]
pub struct Scores {
    /// Accuracy of the original network; `None` where no image of the split is labelled.
    pub original: Option<f64>,
    /// Accuracy of the merged network; `None` where no image of the split is labelled.
    pub merged: Option<f64>,
    /// Share of images to which both networks give the same class.
    pub agreement: f64,
    /// Images of the split.
    pub images: usize,
    /// Of these, images with a label for this task.
    pub labelled: usize,
}

impl Scores {
    /// What the merged network lacks, in points of accuracy; where nothing is labelled, of agreement with the original.
    /// Negative if it gained.
    pub fn drop_points(&self) -> f64 {
        match (self.original, self.merged) {
            (Some(original), Some(merged)) => (original - merged) * 100.0,
            _ => (1.0 - self.agreement) * 100.0,
        }
    }
}

/// Cost of the originals, apart, and of the merged network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify))]
pub struct CostReport {
    pub macs: Compared,
    pub params: Compared,
    /// Time of inference, one image at a time, on the device of the run.
    pub milliseconds: Milliseconds,
    /// MACs that are computed once instead of several times.
    pub macs_shared: u64,
    /// MACs that nobody computes any more.
    pub macs_skipped: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify))]
pub struct Compared {
    pub originals: u64,
    pub merged: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify))]
pub struct Milliseconds {
    /// One original after the other.
    pub originals: f64,
    pub merged: f64,
}

impl CostReport {
    pub fn new(
        originals: Cost,
        merged: Cost,
        milliseconds: Milliseconds,
        macs_shared: u64,
        macs_skipped: u64,
    ) -> Self {
        Self {
            macs: Compared { originals: originals.macs, merged: merged.macs },
            params: Compared { originals: originals.params, merged: merged.params },
            milliseconds,
            macs_shared,
            macs_skipped,
        }
    }
}

/// Wall-clock time by phase.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify))]
pub struct Seconds {
    pub teachers: f64,
    pub search: f64,
    pub train: f64,
    pub evaluate: f64,
    pub total: f64,
}

/// One point of the training curve.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify))]
pub struct CurvePoint {
    pub step: usize,
    pub image_passes: usize,
    pub loss: f64,
    pub task_losses: Vec<f64>,
}

/// What the run was given to train and judge on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify))]
pub struct DataReport {
    pub images: usize,
    pub train: usize,
    pub architecture: usize,
    pub validation: usize,
    pub test: usize,
    /// Files that were left out.
    pub skipped: usize,
}
