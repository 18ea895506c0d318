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
    /// Tasks that the data set labels and no network has.
    pub unused_tasks: Vec<String>,
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

impl LabelledTask {
    fn new(task: &TaskLabels) -> Self {
        let mut per_class =
            if task.kind == TaskKind::Values { Vec::new() } else { vec![0; task.classes.len()] };
        for target in (0..task.labels.len()).filter_map(|image| task.target(image)) {
            let there = per_class.iter_mut().zip(target).filter(|(_, value)| **value == 1.0);
            there.for_each(|(count, _)| *count += 1);
        }
        Self {
            name: task.name.clone(),
            classes: task.classes.clone(),
            labelled: task.labels.iter().flatten().count(),
            per_class,
        }
    }
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
        let count = |wanted: Split| dataset.splits.iter().filter(|split| **split == wanted).count();
        let skipped = dataset
            .skipped
            .iter()
            .map(|skipped| SkippedFile { path: skipped.path.clone(), reason: skipped.reason.clone() });
        Self {
            images: dataset.len(),
            channels: dataset.shape.channels,
            height: dataset.shape.height,
            width: dataset.shape.width,
            tasks: dataset.tasks.iter().map(LabelledTask::new).collect(),
            train: count(Split::Train),
            architecture: count(Split::Architecture),
            validation: count(Split::Validation),
            test: count(Split::Test),
            skipped: skipped.collect(),
            unused_tasks: dataset.unused_tasks.clone(),
        }
    }
}
