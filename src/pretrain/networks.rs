//! Trains a bundled backbone on labelled images, and measures it.

use burn::module::Module;
use burn::tensor::{Device, Tensor, TensorData};

use super::backbone::{Family, Width, backbone};
use crate::data::batch::{AugmentView, evaluation_batches, training_batches};
use crate::data::{Dataset, Split};
use crate::graph::Graph;
use crate::net::{NetError, Network, NetworkOptions, Pixels, Prepared, Task, prepare, read, write_tasks};
use crate::platform::{Cancel, Stopwatch};
use crate::project::labelled;
use crate::train::{
    BatchSource, Observer, StepReport, Student, TaskTarget, TrainBatch, TrainError, TrainSettings, agreement,
    train,
};

/// A network to train.
#[derive(Clone, Copy, Debug)]
pub struct Recipe {
    /// Name of the task, which is the file's name too.
    pub task: &'static str,
    pub family: Family,
    pub width: Width,
    pub epochs: usize,
    pub seed: u64,
}

/// The bundled networks.
pub const RECIPES: [Recipe; 7] = [
    Recipe { task: "character", family: Family::Vgg, width: Width::Full, epochs: 6, seed: 1 },
    Recipe { task: "typeface", family: Family::ResNet, width: Width::Full, epochs: 6, seed: 2 },
    Recipe { task: "emphasis", family: Family::MobileNet, width: Width::Full, epochs: 6, seed: 3 },
    Recipe { task: "slant", family: Family::Vgg, width: Width::Half, epochs: 6, seed: 6 },
    Recipe { task: "weight", family: Family::ResNet, width: Width::Half, epochs: 6, seed: 7 },
    Recipe { task: "garment", family: Family::ResNet, width: Width::Full, epochs: 6, seed: 4 },
    Recipe { task: "digit", family: Family::Vgg, width: Width::Full, epochs: 12, seed: 5 },
];

/// Images of one training step.
pub const BATCH: usize = 64;

/// A trained network.
pub struct Trained {
    pub graph: Graph,
    /// Accuracy on the test split, from 0 to 1.
    pub test: f64,
    /// Accuracy on the validation split, from 0 to 1, if there is one.
    pub validation: Option<f64>,
    pub image_passes: usize,
    pub seconds: f64,
}

/// Trains the recipe's network on the training split with cross-entropy, AdamW and one cycle of the learning rate.
///
/// # Errors
///
/// Training diverges or the device fails.
pub async fn train_backbone(
    recipe: &Recipe,
    dataset: &Dataset,
    on_step: &mut dyn FnMut(&StepReport),
) -> Result<Trained, TrainError> {
    let clock = Stopwatch::start();
    let task = dataset.tasks.iter().position(|task| task.name == recipe.task).unwrap_or(0);
    let classes = dataset.tasks[task].classes.clone();
    let mut graph = backbone(recipe.family, recipe.width, dataset.shape.height, classes.len(), recipe.seed);
    graph.name = recipe.task.to_owned();
    let task_of = |graph: &Graph| Task::new(recipe.task, classes.clone(), graph.outputs[0]);
    let tasks = [task_of(&graph)];
    write_tasks(&mut graph, &tasks, Pixels::Unit);
    let Prepared { graph: scaled, tasks: scaled_tasks, .. } =
        prepare(&graph, &NetworkOptions::default(), recipe.task)?;

    let device = Device::flex().autodiff();
    let mut student = Student {
        network: Network::new(&scaled, &device)?,
        outputs: vec![scaled_tasks[0].output],
        heads: Vec::new(),
        hinted: Vec::new(),
        trunk: Vec::new(),
    };
    let images = dataset.indices(Split::Train);
    let image_passes = images.len() * recipe.epochs;
    let settings = TrainSettings { image_passes, batch_size: BATCH, ..TrainSettings::default() };
    let mut source =
        Labelled { dataset, task, images, settings: &settings, seed: recipe.seed, device, epoch: None };
    let mut watcher = Watcher { on_step };
    train(&mut student, &mut source, &settings, None, &mut watcher, &Cancel::default()).await?;

    let network = student.network.valid();
    let test = accuracy(&network, dataset, task, Split::Test).await?;
    let validation = accuracy(&network, dataset, task, Split::Validation).await?;
    // The scaling of pixels is left to the metadata again: the file's own graph, with the trained weights.
    let trained = network.to_graph().await?;
    let tensors = &graph.tensors;
    for (id, constant) in &mut graph.constants {
        let weight = trained.find(&tensors[id.0].name).and_then(|id| trained.constants.get(&id));
        if let Some(weight) = weight {
            *constant = weight.clone();
        }
    }
    Ok(Trained {
        graph,
        test: test.unwrap_or(0.0),
        validation,
        image_passes: settings.image_passes,
        seconds: clock.elapsed_seconds(),
    })
}

/// Augmented, labelled batches.
struct Labelled<'a> {
    dataset: &'a Dataset,
    task: usize,
    images: Vec<usize>,
    settings: &'a TrainSettings,
    seed: u64,
    device: Device,
    epoch: Option<(usize, Vec<crate::data::batch::IndexBatch>)>,
}

impl BatchSource for Labelled<'_> {
    async fn batch(&mut self, step: usize) -> Result<TrainBatch, TrainError> {
        let size = self.settings.batch_size;
        let per_epoch = (self.images.len() / size).max(1);
        let epoch = step / per_epoch;
        if self.epoch.as_ref().is_none_or(|(known, _)| *known != epoch) {
            self.epoch = Some((epoch, training_batches(&self.images, size, self.seed, epoch as u64)));
        }
        let drawn = self.epoch.as_ref().map_or(&[][..], |(_, batches)| batches)[step % per_epoch].clone();
        let view = AugmentView { augment: &self.settings.augment, seed: self.seed, epoch: epoch as u64 };
        let batch = self.dataset.batch(&drawn, Some(view));
        let shape = self.dataset.shape;
        let shape = [drawn.indices.len(), shape.channels, shape.height, shape.width];
        let labels = labelled(&self.dataset.tasks[self.task], &batch.labels[self.task], &self.device);
        Ok(TrainBatch {
            images: Tensor::from_data(TensorData::new(batch.images, shape), &self.device),
            known: Vec::new(),
            targets: vec![TaskTarget { labels: Some(labels), ..TaskTarget::default() }],
            hints: Vec::new(),
        })
    }
}

struct Watcher<'a> {
    on_step: &'a mut dyn FnMut(&StepReport),
}

impl Observer for Watcher<'_> {
    fn step(&mut self, report: StepReport) {
        (self.on_step)(&report);
    }

    async fn validate(&mut self, _step: usize, _network: &Network) -> Result<Option<Vec<f64>>, TrainError> {
        Ok(None)
    }
}

/// Accuracy on one split, from 0 to 1; `None` where nothing is labelled.
async fn accuracy(
    network: &Network,
    dataset: &Dataset,
    task: usize,
    split: Split,
) -> Result<Option<f64>, NetError> {
    let known = &dataset.tasks[task];
    let images: Vec<usize> =
        dataset.indices(split).into_iter().filter(|image| known.labels[*image].is_some()).collect();
    let mut right = 0.0;
    for batch in evaluation_batches(&images, 256) {
        let shape = dataset.shape;
        let shape = [batch.indices.len(), shape.channels, shape.height, shape.width];
        let pixels = dataset.batch(&batch, None).images;
        let pixels = Tensor::from_data(TensorData::new(pixels, shape), &Device::flex());
        let logits = read(network.forward(pixels).swap_remove(0)).await?;
        let targets: Vec<Option<&[f32]>> =
            batch.indices[..batch.valid].iter().map(|image| known.target(*image)).collect();
        right += agreement(known.kind, &logits, &logits, &targets, known.classes.len()).original_right;
    }
    Ok((!images.is_empty()).then(|| right / images.len() as f64))
}
