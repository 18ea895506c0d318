//! Everything that plans are built, trained and judged with.

use std::collections::BTreeMap;

use burn::module::Module;
use burn::tensor::Device;

use super::calibrate::{Calibration, Fits, fit_adapters, images_on};
use super::score::{Looks, Tell, best_fits, count_best, score_candidates};
use super::source::DistilSource;
use super::teachers::Teachers;
use super::timing::measured_costs;
use super::trunk::Trunk;
use super::{Event, OnEvent, Phase, ProjectError, Settings};
use crate::data::batch::training_batches;
use crate::data::{Dataset, Split};
use crate::graph::TensorId;
use crate::join::{
    Adapter, CostMeasure, Costs, Join, JoinPoint, Merged, Plan, Space, TensorRole,
    add_self_distillation_heads, forget_weights, merge,
};
use crate::net::{Network, Prepared};
use crate::platform::{Cancel, Stopwatch};
use crate::search::Scores;
use crate::train::{Observer, Start, Student, TrainError, TrainSettings, TrainState, train};

/// The networks with their teachers, adapters and data.
pub struct Workshop<'a> {
    pub networks: &'a [Prepared],
    pub space: Space,
    pub adapters: BTreeMap<(usize, Join), Adapter>,
    pub dataset: &'a Dataset,
    pub teachers: Teachers,
    /// Index among the data set's tasks per task of the networks, where it labels them.
    pub known_labels: Vec<Option<usize>>,
    /// The same, where labels are used for training and for choosing.
    pub labels: Vec<Option<usize>>,
    pub settings: &'a Settings,
    /// Index of the network that stays as it is, if one does.
    pub base: Option<usize>,
    /// With automatic differentiation.
    pub device: Device,
    pub cancel: &'a Cancel,
}

/// Images that the final batch-normalisation statistics are estimated on.
const RECALIBRATION_IMAGES: usize = 1024;
/// Images of one pass over the calibration images.
const CALIBRATION_BATCH: usize = 64;

impl<'a> Workshop<'a> {
    /// Puts the teachers on the device. Adapters are still to be fitted.
    ///
    /// # Errors
    ///
    /// A network that cannot be run; the networks have been checked before.
    pub fn new(
        networks: &'a [Prepared],
        dataset: &'a Dataset,
        settings: &'a Settings,
        device: &Device,
        cancel: &'a Cancel,
    ) -> Result<Self, ProjectError> {
        let tasks = networks.iter().flat_map(|network| &network.tasks);
        let known_labels: Vec<Option<usize>> =
            tasks.map(|task| dataset.tasks.iter().position(|known| known.name == task.name)).collect();
        let base = settings.base.as_deref().map(|name| base_of(networks, name)).transpose()?;
        let labels = if settings.use_labels { known_labels.clone() } else { vec![None; known_labels.len()] };
        let space = Space::new(networks, settings.search.shortcuts);
        Ok(Self {
            networks,
            space: if settings.search.adapter_activation { space } else { space.with_linear_adapters() },
            adapters: BTreeMap::new(),
            dataset,
            teachers: Teachers::new(networks, device)?,
            known_labels,
            labels,
            settings,
            base,
            device: device.clone().autodiff(),
            cancel,
        })
    }

    /// Lets budgets count what the settings ask for: what is `known`, or else what is measured now.
    ///
    /// # Errors
    ///
    /// The device fails, or the run is cancelled.
    pub async fn measure_costs(&mut self, known: Option<Costs>) -> Result<(), ProjectError> {
        let Self { networks, space, teachers, cancel, .. } = self;
        space.costs = match self.settings.cost {
            _ if known.is_some() => known,
            CostMeasure::Macs => None,
            CostMeasure::Params => Some(Costs::params(networks, space)),
            CostMeasure::Milliseconds => Some(measured_costs(space, teachers, cancel).await?),
        };
        Ok(())
    }

    /// Fits an adapter for every candidate, and scores those that look best.
    ///
    /// # Errors
    ///
    /// The device fails, features are not finite, or the run is cancelled.
    pub async fn score(&mut self, on_event: OnEvent<'_>) -> Result<Scores, ProjectError> {
        let mut joins = self.space.candidates();
        joins.retain(|(receiver, _)| Some(*receiver) != self.base);
        let clock = Stopwatch::start();
        let total = joins.len() + count_best(&joins, self.settings.search.scored_donor_points);
        let tell = |done| on_event(Event::progress(Phase::Score, done, total, clock));
        let fits = self.fit(&joins, &tell).await?;
        let (search, seed) = (&self.settings.search, u64::from(self.settings.seed));
        let images = self.dataset.indices(Split::Train);
        let Self { space, teachers, dataset, cancel, .. } = self;
        let per_batch = search.score_images.clamp(1, images.len().max(1));
        let scoring = training_batches(&images, per_batch, seed, 1);
        let held_out = scoring.get(1).unwrap_or(&scoring[0]);
        let scores = score_candidates(
            space,
            teachers,
            &best_fits(&fits, search.scored_donor_points),
            dataset,
            Looks { recalibration: search.recalibrate_scores.then_some(&scoring[0]), held_out },
            Tell { event: on_event, done: &|scored| tell(fits.len() + scored) },
            cancel,
        )
        .await?;
        Ok(scores)
    }

    /// Fits an adapter for each of these joins. `tell` hears how many are done.
    ///
    /// # Errors
    ///
    /// The device fails, features are not finite, or the run is cancelled.
    pub async fn fit(&mut self, joins: &[(usize, Join)], tell: &dyn Fn(usize)) -> Result<Fits, ProjectError> {
        let (search, seed) = (&self.settings.search, u64::from(self.settings.seed));
        let images = self.dataset.indices(Split::Train);
        let mut calibration = training_batches(&images, CALIBRATION_BATCH.min(images.len()), seed, 0);
        calibration.truncate(search.calibration_images.div_ceil(CALIBRATION_BATCH).max(1));
        let rows_per_channel = search.ridge_rows_per_channel;
        let calibration = Calibration { batches: &calibration, rows_per_channel, seed };
        let Self { space, teachers, dataset, cancel, .. } = self;
        let fits = fit_adapters(space, joins, teachers, dataset, calibration, tell, cancel).await?;
        self.adapters = fits.iter().map(|(key, fit)| (*key, Adapter::from(fit))).collect();
        Ok(fits)
    }

    /// Joins the networks as the plan says.
    ///
    /// # Errors
    ///
    /// A plan that is not valid.
    pub fn build(&self, plan: &Plan) -> Result<(Merged, Student), ProjectError> {
        let settings = &self.settings.train;
        let merged = match settings.start {
            Start::Fitted => merge(self.networks, &self.space, plan, &self.adapters)?,
            Start::RandomAdapters | Start::Scratch => {
                let random = |key: (usize, Join)| {
                    let [from, to] = self.space.ends(key.0, key.1);
                    (key, Adapter::random(from, to, self.settings.seed.into()))
                };
                merge(self.networks, &self.space, plan, &plan.joins().map(random).collect())?
            }
        };
        let (mut graph, heads) = if settings.self_distillation_weight > 0.0 {
            add_self_distillation_heads(&merged, plan, self.settings.seed.into())?
        } else {
            (merged.graph.clone(), Vec::new())
        };
        let base = self.base.map(|base| format!("{}/", self.networks[base].label()));
        let is_base = |name: &str| base.as_ref().is_some_and(|base| name.starts_with(base.as_str()));
        if settings.start == Start::Scratch {
            forget_weights(&mut graph, self.settings.seed.into(), |name| !is_base(name));
        }
        let mut network = Network::new(&graph, &self.device)?;
        if settings.fixed_statistics {
            network = network.fix_statistics();
        }
        if base.is_some() {
            network = network.freeze_nodes(|id| is_base(&graph.tensor(id).name));
        }
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

    /// Adapters of a plan whose weights are to be read from a state of training.
    pub fn blank_adapters(&mut self, plan: &Plan) {
        for (receiver, join) in plan.joins() {
            let [from, to] = self.space.ends(receiver, join);
            self.adapters.insert((receiver, join), Adapter::blank(from, to));
        }
    }

    /// Trains a student from `start` on, and re-estimates its batch-normalisation statistics at the end.
    ///
    /// # Errors
    ///
    /// The loss is no longer finite, or the device fails.
    pub async fn train(
        &self,
        plan: &Plan,
        merged: &Merged,
        student: &mut Student,
        settings: &TrainSettings,
        start: Option<&TrainState>,
        observer: &mut impl Observer,
    ) -> Result<(), TrainError> {
        let hints = if settings.hint_weight > 0.0 { self.hinted(merged, plan) } else { Vec::new() };
        let hints = hints.into_iter().map(|(network, tensor, _)| (network, tensor)).collect();
        let seed = self.settings.seed.into();
        let labels = self.labels.clone();
        let trunk = Trunk::new(self, merged, student.network.graph(), settings);
        let device = self.device.clone();
        let mut source =
            DistilSource::new(self.dataset, &self.teachers, settings, labels, hints, seed, device)
                .with_trunk(trunk);
        train(student, &mut source, settings, start, observer, self.cancel).await?;
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
            .map(|batch| vec![(input, images_on(&self.teachers, self.dataset, batch).into())])
            .collect();
        evaluated.recalibrate(&feeds);
        *network = evaluated.train();
    }
}

/// Index of the network of a task.
///
/// # Errors
///
/// There is none; the tasks are named.
fn base_of(networks: &[Prepared], name: &str) -> Result<usize, ProjectError> {
    let has = |network: &Prepared| network.tasks.iter().any(|task| task.name == name);
    networks.iter().position(has).ok_or_else(|| {
        let tasks = networks.iter().flat_map(|network| &network.tasks);
        let tasks: Vec<&str> = tasks.map(|task| task.name.as_str()).collect();
        ProjectError::UnknownBase { name: name.to_owned(), tasks: tasks.join(", ") }
    })
}
