//! Originals and merged network side by side, on single images.

use burn::tensor::{Device, Tensor, TensorData};
use serde::{Deserialize, Serialize};

use super::{Project, ProjectError, read_network};
use crate::data::batch::evaluation_batches;
use crate::data::{DataError, Dataset, ImageShape, Split};
use crate::graph::TensorId;
use crate::net::{NetError, Network, NetworkOptions, Prepared, prepare, read_all};
use crate::ops::Mode;
use crate::platform::{decode, yield_now};
use crate::task_kind::TaskKind;
use crate::train::argmax;

/// Images of one pass.
const BATCH: usize = 64;

/// What all networks answer on the test split.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify))]
pub struct Answers {
    /// The images, by their index in the data set.
    pub images: Vec<usize>,
    /// Those that tell classes.
    pub tasks: Vec<TaskAnswers>,
}

/// The answers for one task, an entry per image.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify))]
pub struct TaskAnswers {
    pub name: String,
    pub classes: Vec<String>,
    /// Index into `classes`; `None` where an image is not labelled.
    pub labels: Vec<Option<u32>>,
    /// Index into `classes`: what the original network says.
    pub original: Vec<u32>,
    /// Index into `classes`: what the merged network says.
    pub merged: Vec<u32>,
}

/// What the networks say of one image that is in no data set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify))]
pub struct Opinion {
    pub name: String,
    pub kind: TaskKind,
    pub classes: Vec<String>,
    /// Probability per class or label, or the values, from the original network.
    pub original: Vec<f32>,
    /// The same from the merged network.
    pub merged: Vec<f32>,
}

/// The networks of a project beside the network that was made from them.
#[derive(Debug)]
pub struct SideBySide {
    merged: Network,
    pairs: Vec<Pair>,
    shape: ImageShape,
    device: Device,
}

/// One task with both networks that do it.
#[derive(Debug)]
struct Pair {
    name: String,
    kind: TaskKind,
    classes: Vec<String>,
    original: Network,
    original_output: TensorId,
    merged_output: TensorId,
}

impl SideBySide {
    /// Puts the project's networks and a merged network, an ONNX file, on a device.
    ///
    /// # Errors
    ///
    /// A file that cannot be read, or that was made from other networks than those of the project.
    pub fn new(project: &Project, merged: &[u8], device: &Device) -> Result<Self, ProjectError> {
        let file = "merged.onnx";
        let wrap = |source| ProjectError::Network { file: file.to_owned(), source };
        let Prepared { graph, tasks, input, .. } =
            prepare(&read_network(file, merged)?, &NetworkOptions::default(), "merged").map_err(wrap)?;
        let originals = project.networks()?;
        let shape = project.shape();
        if input != [shape.channels, shape.height, shape.width] {
            return Err(ProjectError::OtherNetworks);
        }
        let pairs = tasks.into_iter().map(|task| {
            let original = originals.iter().find_map(|network| {
                let mut tasks = network.tasks.iter();
                let known = tasks.find(|known| {
                    known.name == task.name && known.classes == task.classes && known.kind == task.kind
                })?;
                Some((network, known.output))
            });
            let (original, original_output) = original.ok_or(ProjectError::OtherNetworks)?;
            Ok(Pair {
                original: Network::new(&original.graph, device)?.for_inference(),
                original_output,
                merged_output: task.output,
                name: task.name,
                kind: task.kind,
                classes: task.classes,
            })
        });
        let pairs = pairs.collect::<Result<_, ProjectError>>()?;
        Ok(Self {
            merged: Network::new(&graph, device)?.for_inference(),
            pairs,
            shape,
            device: device.clone(),
        })
    }

    /// Runs all networks over the test split. `progress` hears of done and total batches.
    ///
    /// # Errors
    ///
    /// The images have another size than the networks' input, or the device fails.
    pub async fn answers(
        &self,
        dataset: &Dataset,
        progress: &dyn Fn(usize, usize),
    ) -> Result<Answers, ProjectError> {
        if dataset.shape != self.shape {
            return Err(ProjectError::OtherNetworks);
        }
        let images = dataset.indices(Split::Test);
        let batches = evaluation_batches(&images, BATCH);
        let of_classes = |pair: &&Pair| pair.kind == TaskKind::Class;
        let mut tasks: Vec<TaskAnswers> =
            self.pairs.iter().filter(of_classes).map(|pair| pair.task(dataset, &images)).collect();
        for (done, batch) in batches.iter().enumerate() {
            let pixels = self.upload(dataset.batch(batch, None).images, batch.indices.len());
            let (originals, merged) = (self.originals(&pixels).await?, self.merged(&pixels).await?);
            let outputs = self.pairs.iter().zip(originals.iter().zip(&merged));
            let outputs = outputs.filter(|(pair, _)| of_classes(pair)).map(|(_, outputs)| outputs);
            for (task, (original, merged)) in tasks.iter_mut().zip(outputs) {
                task.original.extend(classes_of(original, task.classes.len()).take(batch.valid));
                task.merged.extend(classes_of(merged, task.classes.len()).take(batch.valid));
            }
            progress(done + 1, batches.len());
            yield_now().await;
        }
        Ok(Answers { images, tasks })
    }

    /// Asks all networks about one image file. Answers with its bytes as the networks see it and an opinion per task.
    ///
    /// # Shapes
    ///
    /// - the bytes: `[channels, height, width]`
    ///
    /// # Errors
    ///
    /// A file that is no image, or the device fails.
    pub async fn ask(&self, file: &[u8]) -> Result<(Vec<u8>, Vec<Opinion>), ProjectError> {
        let bytes = decode(file, self.shape).map_err(|reason| DataError::NotAnImage { reason })?;
        let pixels = self.upload(bytes.iter().map(|byte| f32::from(*byte)).collect(), 1);
        let (originals, merged) = (self.originals(&pixels).await?, self.merged(&pixels).await?);
        let opinions = self.pairs.iter().zip(originals).zip(merged);
        let opinions = opinions.map(|((pair, original), merged)| Opinion {
            name: pair.name.clone(),
            kind: pair.kind,
            classes: pair.classes.clone(),
            original: said(pair.kind, original),
            merged: said(pair.kind, merged),
        });
        Ok((bytes, opinions.collect()))
    }

    /// Size of the images that the networks see.
    pub fn shape(&self) -> ImageShape {
        self.shape
    }

    fn upload(&self, images: Vec<f32>, count: usize) -> Tensor<4> {
        let ImageShape { channels, height, width } = self.shape;
        Tensor::from_data(TensorData::new(images, [count, channels, height, width]), &self.device)
    }

    /// Logits per task, `[images, classes]`.
    async fn originals(&self, images: &Tensor<4>) -> Result<Vec<Vec<f32>>, NetError> {
        let outputs = self.pairs.iter().flat_map(|Pair { original, original_output, .. }| {
            let input = original.graph().inputs[0];
            original.run(&[(input, images.clone().into())], &[*original_output], Mode::Inference).targets
        });
        read_all(outputs.collect()).await
    }

    /// Logits per task, `[images, classes]`.
    async fn merged(&self, images: &Tensor<4>) -> Result<Vec<Vec<f32>>, NetError> {
        let outputs: Vec<TensorId> = self.pairs.iter().map(|pair| pair.merged_output).collect();
        let input = self.merged.graph().inputs[0];
        read_all(self.merged.run(&[(input, images.clone().into())], &outputs, Mode::Inference).targets).await
    }
}

impl Pair {
    /// The task's labels, and no answers yet.
    fn task(&self, dataset: &Dataset, images: &[usize]) -> TaskAnswers {
        let known = dataset.task(&self.name).map(|task| &task.labels);
        TaskAnswers {
            name: self.name.clone(),
            classes: self.classes.clone(),
            labels: images.iter().map(|image| known.and_then(|labels| labels[*image])).collect(),
            original: Vec::new(),
            merged: Vec::new(),
        }
    }
}

/// The class of each row.
fn classes_of(logits: &[f32], classes: usize) -> impl Iterator<Item = u32> {
    logits.chunks_exact(classes.max(1)).map(|row| argmax(row) as u32)
}

/// Outputs as people read them.
fn said(kind: TaskKind, outputs: Vec<f32>) -> Vec<f32> {
    match kind {
        TaskKind::Class => softmax(&outputs),
        TaskKind::Labels => outputs.into_iter().map(|logit| 1.0 / (1.0 + (-logit).exp())).collect(),
        TaskKind::Values => outputs,
    }
}

fn softmax(logits: &[f32]) -> Vec<f32> {
    let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let powers: Vec<f32> = logits.iter().map(|logit| (logit - largest).exp()).collect();
    let sum: f32 = powers.iter().sum();
    powers.into_iter().map(|power| power / sum).collect()
}
