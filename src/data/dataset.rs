//! A data set in memory: every image at one size, its labels per task, its split.

use graftlab_images::ImageShape;

use super::error::DataError;
use super::loader::{LoadOptions, Loader};
use super::source::{Files, Skipped};
use super::split::Split;
use crate::task_kind::TaskKind;

/// The labels of one task.
#[derive(Debug, Clone, PartialEq)]
pub struct TaskLabels {
    pub name: String,
    pub kind: TaskKind,
    /// Names of the classes, labels or values.
    pub classes: Vec<String>,
    /// Per image an index into `targets`; `None` where it is not labelled. Of a task of [`TaskKind::Class`] it is the class.
    pub labels: Vec<Option<u32>>,
    /// What each output unit should be, as [`TaskKind::target`] gives it: all that occur, each once.
    pub targets: Vec<Box<[f32]>>,
}

impl TaskLabels {
    /// Labels of a task of classes.
    pub fn of_classes(name: &str, classes: Vec<String>, labels: Vec<Option<u32>>) -> Self {
        let one_hot =
            |class: usize| (0..classes.len()).map(|other| f32::from(u8::from(other == class))).collect();
        let targets = (0..classes.len()).map(one_hot).collect();
        Self { name: name.to_owned(), kind: TaskKind::Class, classes, labels, targets }
    }

    /// What each output unit should be for an image, if it is labelled.
    pub fn target(&self, image: usize) -> Option<&[f32]> {
        self.labels[image].and_then(|label| self.targets.get(label as usize)).map(|target| &**target)
    }
}

/// Images of one size with labels and splits.
#[derive(Debug, Clone, PartialEq)]
pub struct Dataset {
    pub shape: ImageShape,
    /// [images, channels, height, width], one byte each.
    pub pixels: Vec<u8>,
    pub tasks: Vec<TaskLabels>,
    /// The group of each image, where the data set has groups.
    pub groups: Option<Vec<String>>,
    pub splits: Vec<Split>,
    pub paths: Vec<String>,
    /// Files that were left out, and why.
    pub skipped: Vec<Skipped>,
    /// Tasks that the data set labels and no network knows.
    pub unused_tasks: Vec<String>,
}

impl Dataset {
    /// Reads, decodes and splits in one go; [`Loader`] does the same in steps.
    ///
    /// # Errors
    /// As [`Loader::new`] and [`Loader::finish`].
    pub fn load(files: Files, options: &LoadOptions) -> Result<Dataset, DataError> {
        let mut loader = Loader::new(files, options)?;
        while loader.step(256) {}
        loader.finish()
    }

    /// Number of images.
    pub fn len(&self) -> usize {
        self.paths.len()
    }

    /// Whether there are no images.
    pub fn is_empty(&self) -> bool {
        self.paths.is_empty()
    }

    /// The bytes of one image: [channels, height, width].
    ///
    /// # Panics
    /// If `index` is not below [`Dataset::len`].
    pub fn image(&self, index: usize) -> &[u8] {
        let len = self.shape.len();
        &self.pixels[index * len..(index + 1) * len]
    }

    /// Indices of the images of one split, rising.
    pub fn indices(&self, split: Split) -> Vec<usize> {
        (0..self.len()).filter(|&i| self.splits[i] == split).collect()
    }

    /// The task of a name.
    pub fn task(&self, name: &str) -> Option<&TaskLabels> {
        self.tasks.iter().find(|task| task.name == name)
    }
}
