//! Builds, trains and measures merged networks.

use std::collections::BTreeMap;

use burn::module::Module;
use burn::tensor::Device;

use super::calibrate::{Fits, images_on};
use super::evaluate::{Comparison, Evaluation, worst_drop_points};
use super::observer::Unobserved;
use super::source::DistilSource;
use super::teachers::Teachers;
use super::{Event, OnEvent, Phase, ProjectError, Settings};
use crate::data::batch::training_batches;
use crate::data::{Dataset, Split};
use crate::graph::TensorId;
use crate::join::{
    Adapter, Join, JoinPoint, Merged, Plan, Space, TensorRole, add_self_distillation_heads, merge,
};
use crate::net::{Network, Prepared};
use crate::platform::{Cancel, Stopwatch};
use crate::report::JudgedPlan;
use crate::search::{Judge, SearchError};
use crate::train::{Observer, Student, TrainError, TrainSettings, train};

/// Everything that building and training a plan needs.
pub struct Workshop<'a> {
    pub networks: &'a [Prepared],
    pub space: &'a Space,
    pub adapters: BTreeMap<(usize, Join), Adapter>,
    pub dataset: &'a Dataset,
    pub teachers: &'a mut Teachers,
    /// Index among the data set's tasks per network, where labels are used.
    pub labels: Vec<Option<usize>>,
    pub settings: &'a Settings,
    /// With automatic differentiation.
    pub device: Device,
    pub cancel: &'a Cancel,
}

/// Images that the final batch-normalisation statistics are estimated on.
const RECALIBRATION_IMAGES: usize = 1024;

/// Adapters of all fits.
pub fn adapters(fits: &Fits) -> BTreeMap<(usize, Join), Adapter> {
    fits.iter().map(|(key, fit)| (*key, Adapter::from(fit))).collect()
}

impl Workshop<'_> {
    /// Joins the networks as the plan says.
    ///
    /// # Errors
    ///
    /// A plan that is not valid.
    pub fn build(&self, plan: &Plan) -> Result<(Merged, Student), ProjectError> {
        let merged = merge(self.networks, self.space, plan, &self.adapters)?;
        let settings = &self.settings.train;
        let (graph, heads) = if settings.self_distillation_weight > 0.0 {
            add_self_distillation_heads(&merged, plan, self.settings.seed.into())?
        } else {
            (merged.graph.clone(), Vec::new())
        };
        let network = Network::new(&graph, &self.device)?;
        let trunk = network.parameters(|id| merged.role(plan, &graph.tensor(id).name) == TensorRole::Trunk);
        let hinted = if settings.hint_weight > 0.0 { self.hinted(&merged, plan) } else { Vec::new() };
        let student = Student {
            network,
            outputs: merged.tasks.iter().map(|task| task.output).collect(),
            heads,
            hinted: hinted.into_iter().map(|(_, _, tensor)| tensor).collect(),
            trunk,
        };
        Ok((merged, student))
    }

    /// Join points after the grafts: network, the teacher's tensor, the student's tensor.
    fn hinted(&self, merged: &Merged, plan: &Plan) -> Vec<(usize, TensorId, TensorId)> {
        plan.joins()
            .flat_map(|(receiver, join)| {
                let points: &[JoinPoint] = &self.space.networks[receiver].points;
                (join.receiver_point..points.len()).filter_map(move |point| {
                    Some((receiver, points[point].tensor, *merged.points.get(&(receiver, point))?))
                })
            })
            .collect()
    }

    /// Trains a student, and re-estimates its batch-normalisation statistics at the end.
    ///
    /// # Errors
    ///
    /// The loss is no longer finite, or the device fails.
    pub async fn train(
        &mut self,
        plan: &Plan,
        merged: &Merged,
        student: &mut Student,
        settings: &TrainSettings,
        observer: &mut impl Observer,
    ) -> Result<(), TrainError> {
        let hints = if settings.hint_weight > 0.0 { self.hinted(merged, plan) } else { Vec::new() };
        let hints = hints.into_iter().map(|(network, tensor, _)| (network, tensor)).collect();
        let seed = self.settings.seed.into();
        let labels = self.labels.clone();
        let mut source = DistilSource::new(
            self.dataset,
            self.teachers,
            settings,
            labels,
            hints,
            seed,
            self.device.clone(),
        );
        train(student, &mut source, settings, observer, self.cancel).await?;
        self.recalibrate(&mut student.network, settings.batch_size);
        Ok(())
    }

    fn recalibrate(&self, network: &mut Network, batch_size: usize) {
        let images = self.dataset.indices(Split::Train);
        let batches = training_batches(&images, batch_size, self.settings.seed.into(), u64::MAX >> 33);
        let input = network.graph().inputs[0];
        let mut evaluated = network.valid();
        let feeds: Vec<_> = batches
            .iter()
            .take(RECALIBRATION_IMAGES.div_ceil(batch_size.max(1)))
            .map(|batch| vec![(input, images_on(self.teachers, self.dataset, batch).into())])
            .collect();
        evaluated.recalibrate(&feeds);
        *network = evaluated.train();
    }
}

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
