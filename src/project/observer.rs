//! Watches the training of the merged network: events, the curve, validation.

use super::checkpoint::Ledger;
use super::evaluate::{Comparison, Evaluation};
use super::{Event, OnEvent, Phase};
use crate::net::Network;
use crate::platform::Stopwatch;
use crate::report::{CurvePoint, Seconds};
use crate::train::{Observer, StepReport, TrainError, TrainState};

/// Points of the curve that are kept.
const CURVE_POINTS: usize = 500;

/// Tells of training as it goes on.
pub struct DistilObserver<'a> {
    pub evaluation: &'a Evaluation<'a>,
    /// The student's logits per task.
    pub outputs: Vec<crate::graph::TensorId>,
    pub on_event: OnEvent<'a>,
    pub clock: Stopwatch,
    pub curve: Vec<CurvePoint>,
    pub ledger: &'a Ledger<'a>,
    /// By phase until `clock` was started.
    pub seconds: Seconds,
}

impl Observer for DistilObserver<'_> {
    fn step(&mut self, report: StepReport) {
        let every = report.steps.div_ceil(CURVE_POINTS).max(1);
        let last = self.curve.last().map_or(0, |point| point.step);
        if report.step >= last + every || report.step == report.steps {
            self.curve.push(CurvePoint {
                step: report.step,
                image_passes: report.image_passes,
                loss: report.loss,
                task_losses: report.task_losses.clone(),
            });
        }
        // By the speed since this part began: a run that is resumed has done the rest before.
        let images_left = report.image_passes / report.step.max(1) * (report.steps - report.step);
        (self.on_event)(Event::Progress {
            phase: Phase::Distil,
            done: report.step,
            total: report.steps,
            seconds_left: Some(images_left as f64 / report.images_per_second.max(1e-9)),
        });
        (self.on_event)(Event::Step {
            step: report.step,
            steps: report.steps,
            image_passes: report.image_passes,
            loss: report.loss,
            task_losses: report.task_losses,
            learning_rate: report.learning_rate,
            images_per_second: report.images_per_second,
        });
    }

    async fn validate(&mut self, step: usize, network: &Network) -> Result<Option<Vec<f64>>, TrainError> {
        self.evaluation.check_device(network, &self.outputs).await?;
        let compared = self.evaluation.compare(network, &self.outputs, &|_, _| {}).await?;
        (self.on_event)(Event::Validated {
            step,
            student: compared.iter().map(|task| task.merged).collect(),
            teacher: compared.iter().map(|task| task.original).collect(),
        });
        Ok(Some(compared.iter().map(Comparison::gap).collect()))
    }

    fn wants_state(&self) -> bool {
        self.ledger.is_due()
    }

    fn state(&mut self, state: &TrainState) {
        let (before, now) = (self.seconds, self.clock.elapsed_seconds());
        let seconds = Seconds { train: before.train + now, total: before.total + now, ..before };
        self.ledger.keep_training(state, &self.curve, seconds);
    }

    fn went_back(&mut self, step: usize, to: usize) {
        self.curve.retain(|point| point.step <= to);
        (self.on_event)(Event::Warning {
            message: format!(
                "the loss exploded at step {step}: went back to step {to}, with half the learning rate"
            ),
        });
    }
}

/// Watches the brief training of a plan that is only to be judged.
pub struct Unobserved;

impl Observer for Unobserved {
    fn step(&mut self, _report: StepReport) {}

    async fn validate(&mut self, _step: usize, _network: &Network) -> Result<Option<Vec<f64>>, TrainError> {
        Ok(None)
    }
}
