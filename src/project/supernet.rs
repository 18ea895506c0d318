//! The supernet: all networks and all adapters, of which each plan uses a part.

use std::collections::BTreeMap;

use burn::module::Module;
use burn::tensor::{Tensor, TensorData};

use super::source::DistilSource;
use super::teachers::Teachers;
use super::workshop::Workshop;
use crate::data::Split;
use crate::data::batch::{IndexBatch, training_batches};
use crate::graph::TensorId;
use crate::join::{Join, Plan, Source, adapter_graph};
use crate::net::{NetError, Network, read_all};
use crate::ops::{Mode, Value};
use crate::train::{BatchSource, Optimiser, TrainError, distance, one_cycle};

/// Networks and adapters with weights of their own, on a device with automatic differentiation.
pub struct Supernet {
    networks: Vec<Network>,
    adapters: BTreeMap<(usize, Join), Network>,
    optimiser: Optimiser,
    steps: usize,
    looks: usize,
    /// Batches of the split that the choice is made on.
    held_out: Vec<IndexBatch>,
}

impl Supernet {
    /// All weights as the originals and the fitted adapters have them.
    ///
    /// # Errors
    ///
    /// A network that cannot be run; the networks have been checked before.
    pub fn new(workshop: &Workshop) -> Result<Self, NetError> {
        let device = &workshop.device;
        let networks = workshop
            .networks
            .iter()
            .enumerate()
            .map(|(index, network)| {
                let stays = Some(index) == workshop.base;
                Network::new(&network.graph, device).map(|network| network.freeze_nodes(|_| stays))
            })
            .collect::<Result<_, _>>()?;
        let images = [Split::Architecture, Split::Train]
            .map(|split| workshop.dataset.indices(split))
            .into_iter()
            .find(|images| !images.is_empty())
            .unwrap_or_default();
        let batch = workshop.settings.train.batch_size;
        Ok(Self {
            networks,
            adapters: BTreeMap::new(),
            optimiser: Optimiser::new(workshop.settings.train.weight_decay),
            steps: 0,
            looks: 0,
            held_out: training_batches(&images, batch, workshop.settings.seed.into(), 2),
        })
    }

    /// Trains the layers that the plan uses with one batch of the training split.
    ///
    /// # Errors
    ///
    /// The device fails.
    pub async fn train(
        &mut self,
        workshop: &Workshop<'_>,
        plan: &Plan,
        progress: f64,
        warm_up: bool,
    ) -> Result<(), TrainError> {
        self.prepare(workshop, plan)?;
        let settings = &workshop.settings.train;
        let batch = {
            let labels = vec![None; workshop.teachers.classes.len()];
            let mut source = DistilSource::new(
                workshop.dataset,
                &workshop.teachers,
                settings,
                labels,
                Vec::new(),
                workshop.settings.seed.into(),
                workshop.device.clone(),
            );
            source.batch(self.steps).await?
        };
        self.steps += 1;
        let logits = self.forward(workshop, plan, batch.images, Mode::Training, |network| network.clone());
        let losses = logits
            .into_iter()
            .zip(&batch.targets)
            .filter_map(|(logits, target)| target.distilled(logits, settings.temperature));
        let Some(loss) = losses.reduce(|sum, loss| sum + loss) else { return Ok(()) };
        let gradients = loss.backward();
        // The schedule's peak comes early, its end with the search's.
        let rate = one_cycle((progress * 1000.0) as usize, 1000, settings.learning_rate);
        for key in plan.joins() {
            if let Some(adapter) = self.adapters.get_mut(&key) {
                self.optimiser.step(adapter, &gradients, |_| rate);
            }
        }
        if !warm_up {
            for network in &mut self.networks {
                self.optimiser.step(network, &gradients, |_| rate);
            }
        }
        Ok(())
    }

    /// Per plan and network the distance of the class probabilities from the teacher's, all on one batch; of several tasks
    /// the largest.
    ///
    /// # Errors
    ///
    /// The device fails.
    pub async fn distances(
        &mut self,
        workshop: &Workshop<'_>,
        plans: &[Plan],
    ) -> Result<Vec<Vec<f64>>, TrainError> {
        for plan in plans {
            self.prepare(workshop, plan)?;
        }
        let drawn = &self.held_out[self.looks % self.held_out.len().max(1)];
        self.looks += 1;
        let size = workshop.dataset.shape;
        let shape = [drawn.indices.len(), size.channels, size.height, size.width];
        let images = workshop.dataset.batch(drawn, None).images;
        let teachers = workshop.teachers.logits(&images, shape, None, &drawn.indices).await?;
        let device = workshop.device.clone().inner();
        let images: Tensor<4> = Tensor::from_data(TensorData::new(images, shape), &device);
        let values: Vec<Value> = plans
            .iter()
            .flat_map(|plan| self.forward(workshop, plan, images.clone(), Mode::Training, Module::valid))
            .map(Value::from)
            .collect();
        let read = read_all(values).await?;
        let Teachers { kinds, classes, .. } = &workshop.teachers;
        let of_plan = |tasks: &[Vec<f32>]| -> Vec<f64> {
            let apart = |task: usize| distance(kinds[task], &teachers[task], &tasks[task], classes[task]);
            (0..self.networks.len())
                .map(|network| workshop.teachers.tasks_of(network).map(apart).fold(0.0, f64::max))
                .collect()
        };
        Ok(read.chunks(classes.len()).map(of_plan).collect())
    }

    /// Makes the adapters of a plan that has not been met before.
    fn prepare(&mut self, workshop: &Workshop, plan: &Plan) -> Result<(), NetError> {
        for (receiver, join) in plan.joins() {
            if let (false, Some(adapter)) =
                (self.adapters.contains_key(&(receiver, join)), workshop.adapters.get(&(receiver, join)))
            {
                let [from, to] = workshop.space.ends(receiver, join);
                let network = Network::new(&adapter_graph(adapter, from, to), &workshop.device)?;
                self.adapters.insert((receiver, join), network);
            }
        }
        Ok(())
    }

    /// Logits of all tasks of a valid plan whose adapters are there. `part` gives each network as it is to be run.
    fn forward(
        &self,
        workshop: &Workshop,
        plan: &Plan,
        images: Tensor<4>,
        mode: Mode,
        part: impl Fn(&Network) -> Network,
    ) -> Vec<Tensor<2>> {
        let count = self.networks.len();
        let tensor = |network: usize, point: usize| workshop.space.networks[network].points[point].tensor;
        let mut taps: BTreeMap<(usize, usize), Value> = BTreeMap::new();
        let mut logits: Vec<Vec<Tensor<2>>> = vec![Vec::new(); count];
        for network in plan.donors_first() {
            let whole = part(&self.networks[network]);
            let reads = plan.joins().filter(|(_, join)| join.donor == network);
            let reads = reads.map(|(_, join)| join.donor_point);
            // What lies before a shortcut is computed first.
            let before = |point: &usize| match plan.0[network] {
                Source::Join(join) => join.donor == network && *point <= join.donor_point,
                Source::Root => false,
            };
            let (early, late): (Vec<usize>, Vec<usize>) = reads.partition(before);
            let mut feed = (whole.graph().inputs[0], images.clone().into());
            let run = |feed: (TensorId, Value), points: &[usize], more: &[TensorId]| {
                let tensors = points.iter().map(|point| tensor(network, *point));
                let targets: Vec<TensorId> = tensors.chain(more.iter().copied()).collect();
                let mut found = whole.run(&[feed], &targets, mode).targets;
                let logits = found.split_off(points.len());
                (points.iter().map(|point| (network, *point)).zip(found).collect::<Vec<_>>(), logits)
            };
            if !early.is_empty() {
                taps.extend(run(feed.clone(), &early, &[]).0);
            }
            if let Source::Join(join) = plan.0[network] {
                let adapter = part(&self.adapters[&(network, join)]);
                let donor = taps[&(join.donor, join.donor_point)].clone();
                let (input, outputs) = (adapter.graph().inputs[0], &adapter.graph().outputs);
                let adapted = adapter.run(&[(input, donor)], outputs, mode).targets.swap_remove(0);
                feed = (tensor(network, join.receiver_point), adapted);
            }
            let (late, found) = run(feed, &late, &workshop.teachers.outputs[network]);
            taps.extend(late);
            logits[network] = found.into_iter().map(Value::to_rank::<2>).collect();
        }
        logits.into_iter().flatten().collect()
    }
}
