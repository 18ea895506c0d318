//! The original networks as teachers: run once per image and view, their outputs kept.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use burn::tensor::{Device, Tensor, TensorData};

use crate::graph::TensorId;
use crate::net::{NetError, Network, Prepared, read_all};
use crate::ops::{Mode, Value};
use crate::task_kind::TaskKind;
use crate::train::spread;

/// The original networks on a device, without gradients.
#[derive(Debug)]
pub struct Teachers {
    pub networks: Vec<Network>,
    /// The same, as fast as they can be asked for their outputs.
    answering: Vec<Network>,
    /// Logits of every network's tasks.
    pub outputs: Vec<Vec<TensorId>>,
    /// Kinds of the tasks, those of all networks one after the other.
    pub kinds: Vec<TaskKind>,
    /// Classes, labels or values per task, in the same order.
    pub classes: Vec<usize>,
    /// How far the values of each task spread; from the first images that they are all asked about.
    spreads: OnceLock<Vec<Vec<f32>>>,
    device: Device,
    kept: Mutex<Kept>,
}

/// Logits of all tasks one after the other, by view (`None`: the image as it is) and image.
pub type Kept = HashMap<(Option<u64>, usize), Box<[f32]>>;

/// Logits per task, row-major `[images, classes]`.
pub type Logits = Vec<Vec<f32>>;

impl Teachers {
    /// # Errors
    ///
    /// A network that cannot be run; the networks have been checked before.
    pub fn new(prepared: &[Prepared], device: &Device) -> Result<Self, NetError> {
        let networks: Vec<Network> =
            prepared.iter().map(|network| Network::new(&network.graph, device)).collect::<Result<_, _>>()?;
        Ok(Self {
            outputs: networks.iter().map(|network| network.graph().outputs.clone()).collect(),
            answering: networks.iter().map(Network::for_inference).collect(),
            networks,
            classes: prepared
                .iter()
                .flat_map(|network| &network.tasks)
                .map(|task| task.classes.len())
                .collect(),
            kinds: prepared.iter().flat_map(|network| &network.tasks).map(|task| task.kind).collect(),
            spreads: OnceLock::new(),
            device: device.clone(),
            kept: Mutex::default(),
        })
    }

    /// Measures errors of values by how far these outputs spread, if nothing else has been said before.
    pub fn measure_by(&self, outputs: &Logits) {
        self.spreads.get_or_init(|| {
            let tasks = outputs.iter().zip(&self.classes);
            tasks.map(|(values, units)| spread(values.chunks_exact((*units).max(1)), *units)).collect()
        });
    }

    /// How far a task's values spread, `[1, units]`; `None` of a task of another kind.
    pub fn spread(&self, task: usize, device: &Device) -> Option<Tensor<2>> {
        if self.kinds[task] != TaskKind::Values {
            return None;
        }
        let spread = self.spreads.get()?.get(task)?.clone();
        let units = spread.len();
        Some(Tensor::from_data(TensorData::new(spread, [1, units]), device))
    }

    pub fn device(&self) -> &Device {
        &self.device
    }

    /// Puts images on the teachers' device.
    ///
    /// # Shapes
    ///
    /// - `images`: `[batch, channels, height, width]`, row-major
    pub fn upload(&self, images: &[f32], shape: [usize; 4]) -> Tensor<4> {
        Tensor::from_data(TensorData::new(images.to_vec(), shape), &self.device)
    }

    /// Logits of all teachers for a batch of images, which are computed only if one of them has not been seen in this
    /// view.
    ///
    /// # Errors
    ///
    /// The device fails.
    pub async fn logits(
        &self,
        images: &[f32],
        shape: [usize; 4],
        view: Option<u64>,
        indices: &[usize],
    ) -> Result<Logits, NetError> {
        let is_known =
            |kept: MutexGuard<Kept>| indices.iter().all(|index| kept.contains_key(&(view, *index)));
        if !is_known(self.kept()) {
            let images = self.upload(images, shape);
            let read = read_all(self.forward(&images)).await?;
            let mut kept = self.kept();
            for (row, index) in indices.iter().enumerate() {
                let rows = read
                    .iter()
                    .zip(&self.classes)
                    .flat_map(|(logits, classes)| logits[row * classes..(row + 1) * classes].iter().copied());
                kept.insert((view, *index), rows.collect());
            }
        }
        let kept = self.kept();
        let mut logits = vec![Vec::new(); self.classes.len()];
        for index in indices {
            let mut rest = &kept[&(view, *index)][..];
            for (task, classes) in self.classes.iter().enumerate() {
                let (row, after) = rest.split_at(*classes);
                logits[task].extend_from_slice(row);
                rest = after;
            }
        }
        Ok(logits)
    }

    /// Takes out what is known of the images.
    pub fn take_kept(&self) -> Kept {
        std::mem::take(&mut *self.kept())
    }

    /// Puts back what the same networks have been asked before, about the same images.
    pub fn put_kept(&self, kept: Kept) {
        *self.kept() = kept;
    }

    /// What is kept; never held while a network runs.
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where a network's tasks are among all.
    pub fn tasks_of(&self, network: usize) -> Range<usize> {
        let start = self.outputs[..network].iter().map(Vec::len).sum();
        start..start + self.outputs[network].len()
    }

    /// Logits of all tasks for a batch of images, none of them kept.
    pub fn forward(&self, images: &Tensor<4>) -> Vec<Value> {
        self.answering.iter().flat_map(|network| network.forward(images.clone())).collect()
    }

    /// Inner tensors of one teacher for a batch of images.
    pub fn tap(&self, network: usize, images: Tensor<4>, tensors: &[TensorId]) -> Vec<Value> {
        let network = &self.networks[network];
        network.run(&[(network.graph().inputs[0], images.into())], tensors, Mode::Inference).targets
    }
}
