//! Batches for training: images, teachers' outputs, labels.

use burn::tensor::{Device, Tensor, TensorData};

use super::teachers::Teachers;
use crate::data::batch::{AugmentView, IndexBatch, training_batches};
use crate::data::{Dataset, Split};
use crate::graph::TensorId;
use crate::ops::Value;
use crate::train::{BatchSource, TaskTarget, TrainBatch, TrainError, TrainSettings};

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
        Self { dataset, teachers, settings, labels, hints, images, seed, device, epoch: None }
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

        let mut targets = Vec::with_capacity(logits.len());
        for (task, logits) in logits.into_iter().enumerate() {
            let classes = self.teachers.classes[task];
            let rows = drawn.indices.len();
            let teacher = Tensor::from_data(TensorData::new(logits, [rows, classes]), &self.device);
            let labels = self.labels[task].map(|task| one_hot(&batch.labels[task], classes, &self.device));
            targets.push(TaskTarget { teacher: Some(teacher), labels });
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
        Ok(TrainBatch { images, targets, hints })
    }
}

/// One-hot rows, zeros where an image is not labelled; and how many are labelled.
pub fn one_hot(labels: &[Option<u32>], classes: usize, device: &Device) -> (Tensor<2>, usize) {
    let mut rows = vec![0.0_f32; labels.len() * classes];
    for (row, label) in rows.chunks_mut(classes).zip(labels) {
        if let Some(cell) = label.and_then(|label| row.get_mut(label as usize)) {
            *cell = 1.0;
        }
    }
    let labelled = labels.iter().flatten().count();
    (Tensor::from_data(TensorData::new(rows, [labels.len(), classes]), device), labelled)
}
