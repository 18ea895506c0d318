//! Judges plans by brief training and the validation split.

use super::evaluate::{Comparison, Evaluation, worst_drop_points};
use super::observer::Unobserved;
use super::workshop::Workshop;
use super::{Event, OnEvent, Phase, ProjectError};
use crate::join::Plan;
use crate::platform::Stopwatch;
use crate::report::JudgedPlan;
use crate::search::{Judge, SearchError};
use crate::train::{TrainError, TrainSettings};

/// Judges plans by brief training and the validation split.
pub struct BriefTraining<'w, 'a> {
    pub workshop: &'w mut Workshop<'a>,
    pub evaluation: Evaluation<'a>,
    pub on_event: OnEvent<'a>,
    pub clock: Stopwatch,
    pub judged: Vec<JudgedPlan>,
}

impl BriefTraining<'_, '_> {
    async fn compare(&mut self, plan: &Plan) -> Result<Vec<Comparison>, SearchError> {
        let failed = |error: ProjectError| match error {
            ProjectError::Join(error) => SearchError::Join(error),
            ProjectError::Train(error) => SearchError::Train(error),
            ProjectError::Device(error) => SearchError::Train(TrainError::Network(error)),
            other => SearchError::Join(crate::join::JoinError::InvalidPlan { reason: other.to_string() }),
        };
        let (merged, mut student) = self.workshop.build(plan).map_err(failed)?;
        let settings = TrainSettings {
            image_passes: self.workshop.settings.search.finalist_image_passes,
            ..self.workshop.settings.train.clone()
        };
        self.workshop.train(plan, &merged, &mut student, &settings, &mut Unobserved).await?;
        let outputs = student.outputs.clone();
        Ok(self.evaluation.compare(&student.network, &outputs).await.map_err(TrainError::Network)?)
    }
}

impl Judge for BriefTraining<'_, '_> {
    async fn worst_drop(&mut self, plan: &Plan) -> Result<f64, SearchError> {
        let compared = self.compare(plan).await?;
        let worst_drop_points = worst_drop_points(&compared);
        let plan = self.workshop.space.summary(plan);
        self.judged.push(JudgedPlan { plan: plan.clone(), worst_drop_points });
        (self.on_event)(Event::PlanJudged { plan, worst_drop_points });
        let total = self.workshop.settings.search.finalists;
        (self.on_event)(Event::progress(Phase::Search, self.judged.len(), total, self.clock));
        Ok(worst_drop_points)
    }
}
