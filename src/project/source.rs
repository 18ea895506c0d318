//! Batches for training: images, teachers' outputs, labels.

use burn::tensor::{Device, Tensor, TensorData};

use super::teachers::Teachers;
use super::trunk::Trunk;
use crate::data::batch::{AugmentView, IndexBatch, training_batches};
use crate::data::{Dataset, Split, TaskLabels};
use crate::graph::TensorId;
use crate::ops::Value;
use crate::train::{BatchSource, Labelled, TaskTarget, TrainBatch, TrainError, TrainSettings};

/// Draws training batches of a data set and asks the teachers about them.
pub struct DistilSource<'a> {
    dataset: &'a Dataset,
    teachers: &'a Teachers,
    settings: &'a TrainSettings,
    /// For each task its index among the data set's, where labels are used.
    labels: Vec<Option<usize>>,
    /// Teachers' tensors that students get as hints, as network and tensor.
    hints: Vec<(usize, TensorId)>,
    images: Vec<usize>,
    seed: u64,
    /// The student's device, with automatic differentiation.
    device: Device,
    epoch: Option<(usize, Vec<IndexBatch>)>,
    trunk: Option<Trunk<'a>>,
}

impl<'a> DistilSource<'a> {
    pub fn new(
        dataset: &'a Dataset,
        teachers: &'a Teachers,
        settings: &'a TrainSettings,
        labels: Vec<Option<usize>>,
        hints: Vec<(usize, TensorId)>,
        seed: u64,
        device: Device,
    ) -> Self {
        let images = dataset.indices(Split::Train);
        Self { dataset, teachers, settings, labels, hints, images, seed, device, epoch: None, trunk: None }
    }

    /// Lets students read what the trunk knows in place of computing it.
    #[must_use]
    pub fn with_trunk(self, trunk: Option<Trunk<'a>>) -> Self {
        Self { trunk, ..self }
    }

    /// The images of step `step`, and the view in which they are seen.
    fn draw(&mut self, step: usize) -> (IndexBatch, u64) {
        let per_epoch = (self.images.len() / self.settings.batch_size.max(1)).max(1);
        let epoch = step / per_epoch;
        if self.epoch.as_ref().is_none_or(|(known, _)| *known != epoch) {
            let batches = training_batches(&self.images, self.settings.batch_size, self.seed, epoch as u64);
            self.epoch = Some((epoch, batches));
        }
        let batches = self.epoch.as_ref().map_or(&[][..], |(_, batches)| batches);
        let view = epoch as u64 % self.settings.views.max(1) as u64;
        (batches[step % per_epoch].clone(), view)
    }
}

impl BatchSource for DistilSource<'_> {
    async fn batch(&mut self, step: usize) -> Result<TrainBatch, TrainError> {
        let (drawn, view) = self.draw(step);
        let augment = AugmentView { augment: &self.settings.augment, seed: self.seed, epoch: view };
        let batch = self.dataset.batch(&drawn, Some(augment));
        let size = self.dataset.shape;
        let shape = [drawn.indices.len(), size.channels, size.height, size.width];
        let logits = self.teachers.logits(&batch.images, shape, Some(view), &drawn.indices).await?;

        let known = match &mut self.trunk {
            Some(trunk) => trunk.tensors(&drawn, &batch.images, augment, &logits).await,
            None => Vec::new(),
        };

        let mut targets = Vec::with_capacity(logits.len());
        for (task, logits) in logits.into_iter().enumerate() {
            let classes = self.teachers.classes[task];
            let rows = drawn.indices.len();
            let teacher = Tensor::from_data(TensorData::new(logits, [rows, classes]), &self.device);
            let labels = self.labels[task];
            let labels =
                labels.map(|task| labelled(&self.dataset.tasks[task], &batch.labels[task], &self.device));
            let (kind, spread) = (self.teachers.kinds[task], self.teachers.spread(task, &self.device));
            targets.push(TaskTarget { kind, teacher: Some(teacher), labels, spread });
        }
        let mut hints: Vec<Value> = Vec::new();
        if !self.hints.is_empty() {
            let images = self.teachers.upload(&batch.images, shape);
            for (network, tensor) in &self.hints {
                let tap = self.teachers.tap(*network, images.clone(), &[*tensor]).swap_remove(0);
                hints.push(Tensor::from_inner(tap.to_rank::<4>()).into());
            }
        }
        let images = Tensor::from_data(TensorData::new(batch.images, shape), &self.device);
        Ok(TrainBatch { images, known, targets, hints })
    }
}

/// What labels say of the images of a batch.
pub fn labelled(task: &TaskLabels, labels: &[Option<u32>], device: &Device) -> Labelled {
    let (images, units) = (labels.len(), task.classes.len());
    let (mut targets, mut mask) = (vec![0.0_f32; images * units], vec![0.0_f32; images]);
    for ((row, there), label) in targets.chunks_mut(units.max(1)).zip(&mut mask).zip(labels) {
        if let Some(target) = label.and_then(|label| task.targets.get(label as usize)) {
            row.copy_from_slice(target);
            *there = 1.0;
        }
    }
    Labelled {
        targets: Tensor::from_data(TensorData::new(targets, [images, units]), device),
        mask: Tensor::from_data(TensorData::new(mask, [images, 1]), device),
        count: labels.iter().flatten().count(),
    }
}
