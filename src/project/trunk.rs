//! The tensors of a base that stays as it is: training reads them, and does not compute them again at every step.

use std::collections::BTreeMap;

use burn::tensor::{Int, Tensor, TensorData};

use super::teachers::Logits;
use super::workshop::Workshop;
use crate::data::Split;
use crate::data::batch::{AugmentView, IndexBatch};
use crate::graph::{Graph, TensorId};
use crate::join::Merged;
use crate::ops::Value;
use crate::platform::yield_now;
use crate::train::TrainSettings;

/// What may be kept of the tensors. Beyond it they are computed at every step.
const MOST_BYTES: u64 = 256 << 20;
/// Images of one pass over those whose tensors are kept.
const BATCH: usize = 64;

/// What grafts read of their base, for the training images.
pub struct Trunk<'a> {
    workshop: &'a Workshop<'a>,
    base: usize,
    /// Tensors of the base, and what they are in the merged network.
    read: Vec<(TensorId, TensorId)>,
    /// The base's tasks, and where the merged network has their outputs.
    outputs: Vec<(usize, TensorId)>,
    images: Vec<usize>,
    /// By view, the tensors of all training images, where they are kept.
    kept: Option<BTreeMap<u64, Vec<Tensor<4>>>>,
}

impl<'a> Trunk<'a> {
    /// What `graph`, which is the merged network and perhaps more, reads of the base; `None` where nothing stays as it is.
    pub fn new(
        workshop: &'a Workshop<'a>,
        merged: &Merged,
        graph: &Graph,
        settings: &TrainSettings,
    ) -> Option<Self> {
        let base = workshop.base?;
        let original = workshop.teachers.networks[base].graph();
        let prefix = format!("{}/", merged.labels[base]);
        let name_in_base = |id: TensorId| graph.tensor(id).name.strip_prefix(&prefix);
        let tasks = merged.tasks.iter().zip(&merged.owners).enumerate();
        let outputs = tasks.filter(|(_, (_, owner))| **owner == base);
        let outputs: Vec<_> = outputs.map(|(index, (task, _))| (index, task.output)).collect();
        let is_output = |id: &TensorId| outputs.iter().any(|(_, output)| output == id);
        let others = graph
            .nodes
            .iter()
            .filter(|node| node.outputs.iter().all(|id| name_in_base(*id).is_none() && !is_output(id)));
        let mut read: Vec<(TensorId, TensorId)> = others
            .flat_map(|node| node.inputs.iter().flatten())
            .filter(|id| !graph.constants.contains_key(id))
            .filter_map(|id| Some((original.find(name_in_base(*id)?)?, *id)))
            .collect();
        read.sort_unstable();
        read.dedup();

        let images = workshop.dataset.indices(Split::Train);
        let values: usize =
            read.iter().map(|(id, _)| original.tensor(*id).shape.iter().flatten().product::<usize>()).sum();
        let versions = images.len() * settings.views.max(1);
        let is_seen_again = settings.image_passes > versions;
        // Sizes in a browser have 32 bits.
        let bytes = (values as u64).saturating_mul(4 * versions as u64);
        let keeps = is_seen_again && bytes <= MOST_BYTES;
        Some(Self { workshop, base, read, outputs, images, kept: keeps.then(BTreeMap::new) })
    }

    /// The tensors for a batch, on the device of training.
    ///
    /// # Shapes
    ///
    /// - `pixels`: `[batch, channels, height, width]`, row-major: the batch as it is seen in `view`
    pub async fn tensors(
        &mut self,
        batch: &IndexBatch,
        pixels: &[f32],
        view: AugmentView<'_>,
        logits: &Logits,
    ) -> Vec<(TensorId, Value)> {
        let Workshop { teachers, device, .. } = self.workshop;
        if self.kept.as_ref().is_some_and(|kept| !kept.contains_key(&view.epoch)) {
            let all = self.compute_all(view).await;
            self.kept.get_or_insert_default().insert(view.epoch, all);
        }
        let found = match &self.kept {
            None => self.compute(pixels, batch.indices.len()),
            Some(kept) => self.select(&kept[&view.epoch], batch),
        };
        let ids = self.read.iter().map(|(_, id)| *id);
        let inner = ids.zip(found).map(|(id, tensor)| (id, Value::from(Tensor::from_inner(tensor))));
        let said = self.outputs.iter().map(|(task, id)| {
            let shape = [batch.indices.len(), teachers.classes[*task]];
            let data = TensorData::new(logits[*task].clone(), shape);
            (*id, Value::from(Tensor::<2>::from_data(data, device)))
        });
        inner.chain(said).collect()
    }

    fn compute(&self, pixels: &[f32], count: usize) -> Vec<Tensor<4>> {
        let Workshop { teachers, dataset, .. } = self.workshop;
        let size = dataset.shape;
        let images = teachers.upload(pixels, [count, size.channels, size.height, size.width]);
        let ids: Vec<TensorId> = self.read.iter().map(|(id, _)| *id).collect();
        teachers.tap(self.base, images, &ids).into_iter().map(Value::to_rank::<4>).collect()
    }

    /// The tensors of all training images in one view.
    async fn compute_all(&self, view: AugmentView<'_>) -> Vec<Tensor<4>> {
        let mut parts: Vec<Vec<Tensor<4>>> = vec![Vec::new(); self.read.len()];
        for images in self.images.chunks(BATCH) {
            let batch = IndexBatch { indices: images.to_vec(), valid: images.len() };
            let pixels = self.workshop.dataset.batch(&batch, Some(view)).images;
            for (part, tensor) in parts.iter_mut().zip(self.compute(&pixels, images.len())) {
                part.push(tensor);
            }
            yield_now().await;
        }
        parts.into_iter().map(|tensors| Tensor::cat(tensors, 0)).collect()
    }

    fn select(&self, kept: &[Tensor<4>], batch: &IndexBatch) -> Vec<Tensor<4>> {
        let places: Vec<i32> = batch
            .indices
            .iter()
            .map(|image| self.images.binary_search(image).unwrap_or_default() as i32)
            .collect();
        let places = TensorData::new(places, [batch.indices.len()]);
        let places = Tensor::<1, Int>::from_data(places, self.workshop.teachers.device());
        kept.iter().map(|tensor| tensor.clone().select(0, places.clone())).collect()
    }
}
