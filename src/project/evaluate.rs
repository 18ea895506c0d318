//! Originals against merged network on one split.

use burn::module::Module;
use burn::tensor::{Device, Tensor, TensorData};
use serde::Serialize;

use super::loaded::stem;
use super::parity::worst;
use super::teachers::{Logits, Teachers};
use super::{DataCard, ProjectError, read_network};
use crate::data::batch::evaluation_batches;
use crate::data::{Dataset, Expected, Files, ImageShape, LoadOptions, Split};
use crate::graph::TensorId;
use crate::net::{NetError, Network, NetworkOptions, Prepared, prepare, read_all};
use crate::ops::Mode;
use crate::platform::yield_now;
use crate::report::Scores;
use crate::task_kind::TaskKind;
use crate::train::{Agreement, agreement};

/// Images of one pass while evaluating.
const BATCH: usize = 64;

/// The images of a split with the originals' outputs, ready to compare a merged network on.
pub struct Evaluation<'a> {
    dataset: &'a Dataset,
    images: Vec<usize>,
    /// For each task its index among the data set's, where labels count.
    labels: Vec<Option<usize>>,
    originals: Logits,
    kinds: Vec<TaskKind>,
    classes: Vec<usize>,
}

/// One task on one split.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Comparison {
    /// Accuracy of the original, from 0 to 1. Where nothing is labelled, 1: it is its own measure.
    pub original: f64,
    /// Accuracy of the merged network; where nothing is labelled, its agreement with the original.
    pub merged: f64,
    pub counts: Agreement,
}

impl Comparison {
    fn new(counts: Agreement) -> Self {
        let share = |part: f64, whole: usize| part / whole.max(1) as f64;
        if counts.labelled == 0 {
            return Self { original: 1.0, merged: share(counts.agreeing, counts.images), counts };
        }
        Self {
            original: share(counts.original_right, counts.labelled),
            merged: share(counts.merged_right, counts.labelled),
            counts,
        }
    }

    /// What the merged network lacks, from 0 to 1; negative if it gained.
    pub fn gap(&self) -> f64 {
        self.original - self.merged
    }

    pub fn scores(&self) -> Scores {
        let labelled = self.counts.labelled > 0;
        Scores {
            original: labelled.then_some(self.original),
            merged: labelled.then_some(self.merged),
            agreement: self.counts.agreeing / self.counts.images.max(1) as f64,
            images: self.counts.images,
            labelled: self.counts.labelled,
        }
    }
}

/// Largest gap of any task, in points.
pub fn worst_drop_points(compared: &[Comparison]) -> f64 {
    compared.iter().map(|task| task.gap() * 100.0).fold(f64::NEG_INFINITY, f64::max)
}

impl<'a> Evaluation<'a> {
    /// Runs the originals over the first `limit` images of a split, those that are labelled for a task and those that
    /// are not. `labels` holds for each task its index among the data set's, where labels may be looked at. `progress` hears of done and
    /// total batches.
    ///
    /// # Errors
    ///
    /// The device fails.
    pub async fn new(
        dataset: &'a Dataset,
        split: Split,
        limit: usize,
        labels: Vec<Option<usize>>,
        teachers: &Teachers,
        progress: &dyn Fn(usize, usize),
    ) -> Result<Evaluation<'a>, NetError> {
        let images = spread(&dataset.indices(split), limit);
        let classes = teachers.classes.clone();
        let mut originals: Logits = vec![Vec::new(); classes.len()];
        let batches = evaluation_batches(&images, BATCH);
        for (done, batch) in batches.iter().enumerate() {
            let size = dataset.shape;
            let shape = [batch.indices.len(), size.channels, size.height, size.width];
            let pixels = dataset.batch(batch, None).images;
            let logits = teachers.logits(&pixels, shape, None, &batch.indices).await?;
            for ((all, rows), classes) in originals.iter_mut().zip(logits).zip(&classes) {
                all.extend_from_slice(&rows[..batch.valid * classes]);
            }
            progress(done + 1, batches.len());
            yield_now().await;
        }
        teachers.measure_by(&originals);
        Ok(Self { dataset, images, labels, originals, kinds: teachers.kinds.clone(), classes })
    }

    /// Batches that the images of a split make at most.
    pub fn batches(dataset: &Dataset, split: Split, limit: usize) -> usize {
        dataset.indices(split).len().min(limit).div_ceil(BATCH)
    }

    /// Compares a merged network, whose logits are at `outputs`, and which may be on a device with automatic differentiation.
    /// `progress` hears of done and total batches.
    ///
    /// # Errors
    ///
    /// The device fails.
    pub async fn compare(
        &self,
        network: &Network,
        outputs: &[TensorId],
        progress: &dyn Fn(usize, usize),
    ) -> Result<Vec<Comparison>, NetError> {
        let network = network.valid().for_inference();
        let merged = logits(&network, outputs, self.dataset, &self.images, progress).await?;
        let outputs = self.originals.iter().zip(&merged);
        let compare = |(task, (original, merged)): (usize, (&Vec<f32>, &Vec<f32>))| {
            let known = self.labels[task].map(|task| &self.dataset.tasks[task]);
            let target = |image: &usize| known.and_then(|labels| labels.target(*image));
            let targets: Vec<Option<&[f32]>> = self.images.iter().map(target).collect();
            Comparison::new(agreement(self.kinds[task], original, merged, &targets, self.classes[task]))
        };
        Ok(outputs.enumerate().map(compare).collect())
    }

    /// Lets the CPU compute some of a network's outputs too, unless it is what computes: a shader that a browser rejects is only
    /// logged, and later reads return old values.
    ///
    /// # Errors
    ///
    /// Both differ by more than rounding, or the device fails.
    pub async fn check_device(&self, network: &Network, outputs: &[TensorId]) -> Result<(), NetError> {
        let cpu = Device::flex();
        if network.devices().iter().all(|device| *device == cpu) {
            return Ok(());
        }
        let network = network.valid();
        let answering = network.for_inference();
        let images = &self.images[..self.images.len().min(CHECKED)];
        let found = logits(&answering, outputs, self.dataset, images, &|_, _| {}).await?;
        let copy = Network::new(&network.to_graph().await?, &cpu)?;
        let expected = logits(&copy, outputs, self.dataset, images, &|_, _| {}).await?;
        let difference = worst(&found, &expected);
        if difference <= ROUNDING { Ok(()) } else { Err(NetError::DevicesDiffer { difference }) }
    }
}

/// Images that two devices look at.
const CHECKED: usize = 16;
/// Largest difference between two devices that rounding explains, relative to the largest output.
const ROUNDING: f64 = 1e-2;

/// At most `limit` of the images, evenly spread.
fn spread(images: &[usize], limit: usize) -> Vec<usize> {
    let count = images.len().min(limit);
    let place = |index: usize| (index as u64 * images.len() as u64 / count as u64) as usize;
    (0..count).map(|index| images[place(index)]).collect()
}

/// Logits of a network for images of a data set, per output.
async fn logits(
    network: &Network,
    outputs: &[TensorId],
    dataset: &Dataset,
    images: &[usize],
    progress: &dyn Fn(usize, usize),
) -> Result<Logits, NetError> {
    let input = network.graph().inputs[0];
    let device = network.devices().into_iter().next().unwrap_or_else(Device::flex);
    let mut all: Logits = vec![Vec::new(); outputs.len()];
    let batches = evaluation_batches(images, BATCH);
    for (done, batch) in batches.iter().enumerate() {
        let size = dataset.shape;
        let shape = [batch.indices.len(), size.channels, size.height, size.width];
        let pixels: Tensor<4> =
            Tensor::from_data(TensorData::new(dataset.batch(batch, None).images, shape), &device);
        let pass = network.run(&[(input, pixels.into())], outputs, Mode::Inference);
        for (all, rows) in all.iter_mut().zip(read_all(pass.targets).await?) {
            let classes = rows.len() / batch.indices.len();
            all.extend_from_slice(&rows[..batch.valid * classes]);
        }
        progress(done + 1, batches.len());
        yield_now().await;
    }
    Ok(all)
}

/// Accuracy of one task of a network file.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TaskAccuracy {
    pub name: String,
    /// From 0 to 1; `None` where no image of the split is labelled.
    pub accuracy: Option<f64>,
    pub labelled: usize,
}

/// What a network file is worth on a data set.
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    pub tasks: Vec<TaskAccuracy>,
    pub data: DataCard,
}

/// Measures a network, original or merged, on the test split of a data set.
///
/// # Errors
///
/// A network or data that cannot be read, or the device fails.
pub async fn evaluate_file(
    file: &str,
    bytes: &[u8],
    options: &NetworkOptions,
    files: Files,
    device: &Device,
) -> Result<Measured, ProjectError> {
    let graph = read_network(file, bytes)?;
    let wrap = |source| ProjectError::Network { file: file.to_owned(), source };
    let Prepared { graph, tasks, input: [channels, height, width], .. } =
        prepare(&graph, options, stem(file)).map_err(wrap)?;
    let expected = tasks
        .iter()
        .map(|task| Expected { name: task.name.clone(), kind: task.kind, classes: task.classes.clone() })
        .collect();
    let options = LoadOptions::to_test(ImageShape { channels, height, width }, expected);
    let dataset = Dataset::load(files, &options)?;
    let network = Network::new(&graph, device)?.for_inference();
    let images = dataset.indices(Split::Test);
    let outputs: Vec<TensorId> = tasks.iter().map(|task| task.output).collect();
    let logits = logits(&network, &outputs, &dataset, &images, &|_, _| {}).await?;
    let tasks = tasks
        .iter()
        .zip(logits)
        .map(|(task, logits)| {
            let known = dataset.task(&task.name);
            let targets: Vec<Option<&[f32]>> =
                images.iter().map(|image| known.and_then(|labels| labels.target(*image))).collect();
            let counts = agreement(task.kind, &logits, &logits, &targets, task.classes.len());
            TaskAccuracy {
                name: task.name.clone(),
                accuracy: (counts.labelled > 0).then(|| counts.original_right / counts.labelled as f64),
                labelled: counts.labelled,
            }
        })
        .collect();
    Ok(Measured { tasks, data: DataCard::new(&dataset) })
}
