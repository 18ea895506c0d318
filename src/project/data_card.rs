//! What is known of a data set without looking at its images.

use serde::{Deserialize, Serialize};

use crate::data::{Dataset, Split, TaskLabels};
use crate::task_kind::TaskKind;

/// The card of a data set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify))]
pub struct DataCard {
    pub images: usize,
    pub channels: usize,
    pub height: usize,
    pub width: usize,
    pub tasks: Vec<LabelledTask>,
    /// Images that train weights.
    pub train: usize,
    /// Images that train the choice of architecture.
    pub architecture: usize,
    /// Images that compare plans.
    pub validation: usize,
    /// Images that judge the result, once.
    pub test: usize,
    /// Files that were left out.
    pub skipped: Vec<SkippedFile>,
}

/// The labels of one task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify))]
pub struct LabelledTask {
    pub name: String,
    pub classes: Vec<String>,
    /// Images that have a label of this task.
    pub labelled: usize,
    /// Images per class, in the order of `classes`; empty for a task of values.
    pub per_class: Vec<usize>,
}

/// One image, without its pixels.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify))]
pub struct ImageCard {
    pub path: String,
    /// `train`, `architecture`, `validation` or `test`.
    pub split: String,
    /// Index among the classes per task, in the order of the data card's tasks; `None` where it is not labelled, or where
    /// the task is not one of classes.
    pub labels: Vec<Option<u32>>,
}

impl ImageCard {
    /// The card of the image at `index`; `None` if there is none.
    pub fn new(dataset: &Dataset, index: usize) -> Option<Self> {
        Some(Self {
            path: dataset.paths.get(index)?.clone(),
            split: dataset.splits.get(index)?.to_string(),
            labels: dataset.tasks.iter().map(|task| class_of(task, index)).collect(),
        })
    }
}

fn class_of(task: &TaskLabels, index: usize) -> Option<u32> {
    if task.kind == TaskKind::Class { task.labels[index] } else { None }
}

/// A file that was left out, and why.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify))]
pub struct SkippedFile {
    pub path: String,
    pub reason: String,
}

impl DataCard {
    pub fn new(dataset: &Dataset) -> Self {
        let summary = dataset.summary();
        let count = |wanted: Split| {
            summary.splits.iter().find(|(split, _)| *split == wanted).map_or(0, |(_, count)| *count)
        };
        let tasks = summary.tasks.iter().zip(&dataset.tasks).map(|(task, TaskLabels { kind, .. })| {
            let (classes, images) = task.classes.iter().cloned().unzip();
            let per_class = if *kind == TaskKind::Values { Vec::new() } else { images };
            LabelledTask { name: task.name.clone(), classes, labelled: task.labelled, per_class }
        });
        let skipped = summary
            .skipped
            .iter()
            .map(|skipped| SkippedFile { path: skipped.path.clone(), reason: skipped.reason.clone() });
        Self {
            images: summary.images,
            channels: dataset.shape.channels,
            height: dataset.shape.height,
            width: dataset.shape.width,
            tasks: tasks.collect(),
            train: count(Split::Train),
            architecture: count(Split::Architecture),
            validation: count(Split::Validation),
            test: count(Split::Test),
            skipped: skipped.collect(),
        }
    }
}
