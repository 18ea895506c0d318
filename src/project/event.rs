//! What a run tells while it works.

use serde::{Deserialize, Serialize};

use crate::platform::Stopwatch;

/// A part of a run, in the order in which they come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify))]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Original networks are run over the data; their outputs are kept.
    Teachers,
    /// Adapters are fitted and candidates scored.
    Score,
    /// A plan is chosen.
    Search,
    /// The merged network is fine-tuned.
    Distil,
    /// Originals and merged network are compared on the test split.
    Evaluate,
    /// Files are written.
    Export,
}

/// One message of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Event {
    PhaseStarted {
        phase: Phase,
    },
    Progress {
        phase: Phase,
        done: usize,
        total: usize,
        /// Estimated seconds until the phase ends.
        seconds_left: Option<f64>,
    },
    /// One cell of the heat map: how well a receiver's tail works on a donor's adapted tensor, before any training.
    CandidateScored {
        donor: usize,
        donor_point: usize,
        receiver: usize,
        receiver_point: usize,
        /// Share of held-out images on which the grafted tail gives the teacher's top class.
        agreement: f64,
        /// Agreement beyond chance, Cohen's kappa: comparable between tasks.
        kappa: f64,
        /// Kullback-Leibler divergence of the grafted tail from its teacher, in nats, at a fitted temperature.
        divergence: f64,
        /// Share of the receiver tensor's variance that the adapter explains on held-out images.
        r_squared: f64,
    },
    /// A plan was fine-tuned briefly and judged on the validation split.
    PlanJudged {
        plan: crate::join::PlanSummary,
        /// Images that passed it.
        image_passes: usize,
        /// Largest loss of accuracy over the tasks, in points.
        worst_drop_points: f64,
    },
    /// A moment of a differentiable search.
    SearchStep {
        step: crate::search::SearchStep,
    },
    PlanChosen {
        plan: crate::join::PlanSummary,
    },
    Step {
        step: usize,
        steps: usize,
        image_passes: usize,
        /// Weighted sum over the tasks.
        loss: f64,
        /// Loss per task.
        task_losses: Vec<f64>,
        learning_rate: f64,
        images_per_second: f64,
    },
    /// Accuracy on the validation split while training, per task, from 0 to 1.
    Validated {
        step: usize,
        student: Vec<f64>,
        teacher: Vec<f64>,
    },
    Warning {
        message: String,
    },
}

impl Event {
    /// Progress of a phase that began when `clock` was started.
    pub fn progress(phase: Phase, done: usize, total: usize, clock: Stopwatch) -> Self {
        let seconds_left =
            (done > 0).then(|| clock.elapsed_seconds() / done as f64 * total.saturating_sub(done) as f64);
        Self::Progress { phase, done, total, seconds_left }
    }
}

/// Receives the events of a run.
pub type OnEvent<'a> = &'a (dyn Fn(Event) + 'a);
