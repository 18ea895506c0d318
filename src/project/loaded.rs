//! What has been loaded: networks and images.

use std::collections::HashSet;

use super::{DataCard, NetworkCard, ProjectError, inspect};
use crate::data::{Dataset, Expected, Files, ImageShape, LoadOptions, Loader};
use crate::graph::Graph;
use crate::join::{JoinError, fit_input};
use crate::net::{NetworkOptions, Prepared, Task, prepare};
use crate::onnx;
use crate::platform::yield_now;

/// Networks and images, ready for runs. Loading something that is at fault leaves the rest as it was.
#[derive(Debug, Default)]
pub struct Project {
    networks: Vec<(NetworkCard, Prepared)>,
    files: Option<Files>,
    dataset: Option<Dataset>,
}

/// Reads an ONNX file.
///
/// # Errors
///
/// Bytes that are no ONNX network, named by `file`.
pub fn read_network(file: &str, bytes: &[u8]) -> Result<Graph, ProjectError> {
    onnx::read(bytes).map_err(|source| ProjectError::Onnx { file: file.to_owned(), source })
}

/// A file's name without its folder and its ending.
pub fn stem(file: &str) -> &str {
    let name = file.rsplit(['/', '\\']).next().unwrap_or(file);
    name.strip_suffix(".onnx").unwrap_or(name)
}

impl Project {
    /// Adds a network.
    ///
    /// # Errors
    ///
    /// A file that is no ONNX network, an operator that is not supported, an input or output of another kind, pixels
    /// that nothing says how to scale, or a task name that another network has.
    pub fn add_network(
        &mut self,
        file: &str,
        bytes: &[u8],
        options: &NetworkOptions,
    ) -> Result<&NetworkCard, ProjectError> {
        let graph = read_network(file, bytes)?;
        let wrap = |source| ProjectError::Network { file: file.to_owned(), source };
        let prepared = prepare(&graph, options, stem(file)).map_err(wrap)?;
        if let Some(task) = prepared.tasks.iter().find(|task| task.name.contains('/')) {
            return Err(JoinError::TaskName { task: task.name.clone() }.into());
        }
        let mut taken: HashSet<&str> = self.tasks().map(|task| task.name.as_str()).collect();
        if let Some(twice) = prepared.tasks.iter().find(|task| !taken.insert(&task.name)) {
            return Err(JoinError::SameTask { task: twice.name.clone() }.into());
        }
        let card = inspect(&graph, &prepared);
        self.networks.push((card, prepared));
        self.dataset = None;
        Ok(&self.networks[self.networks.len() - 1].0)
    }

    /// Takes a network away. An index that does not exist changes nothing.
    pub fn remove_network(&mut self, index: usize) {
        if index < self.networks.len() {
            self.networks.remove(index);
            self.dataset = None;
        }
    }

    fn tasks(&self) -> impl Iterator<Item = &Task> {
        self.networks.iter().flat_map(|(_, network)| &network.tasks)
    }

    /// What the networks are called among each other.
    pub fn labels(&self) -> Vec<String> {
        self.networks.iter().map(|(_, network)| network.label()).collect()
    }

    pub fn cards(&self) -> impl Iterator<Item = &NetworkCard> {
        self.networks.iter().map(|(card, _)| card)
    }

    /// The networks behind their common input: the most channels, the largest height and width of any.
    ///
    /// # Errors
    ///
    /// Fewer than two networks.
    pub fn networks(&self) -> Result<Vec<Prepared>, ProjectError> {
        if self.networks.len() < 2 {
            return Err(JoinError::TooFew { given: self.networks.len() }.into());
        }
        let shape = self.shape();
        let size = [shape.channels, shape.height, shape.width];
        self.networks
            .iter()
            .map(|(_, network)| fit_input(network, size).map_err(ProjectError::from))
            .collect()
    }

    /// Channels, height and width of the networks' common input.
    pub fn shape(&self) -> ImageShape {
        let largest =
            |axis: usize| self.networks.iter().map(|(_, network)| network.input[axis]).max().unwrap_or(1);
        ImageShape { channels: largest(0), height: largest(1), width: largest(2) }
    }

    /// Takes in images and labels, decoded at the networks' common input size.
    ///
    /// # Errors
    ///
    /// No images, labels that do not fit, too few images. What was loaded before stays.
    pub async fn load_data(
        &mut self,
        files: Files,
        progress: &dyn Fn(usize, usize),
    ) -> Result<DataCard, ProjectError> {
        let dataset = self.decode(files.clone(), progress).await?;
        let card = DataCard::new(&dataset);
        self.files = Some(files);
        self.dataset = Some(dataset);
        Ok(card)
    }

    /// The images at the networks' present input size; decoded again if networks have changed since.
    ///
    /// # Errors
    ///
    /// Nothing was loaded, or it no longer fits the networks.
    pub async fn dataset(&mut self) -> Result<&Dataset, ProjectError> {
        if self.dataset.is_none() {
            let files = self.files.clone().ok_or(ProjectError::NoData)?;
            self.dataset = Some(self.decode(files, &|_, _| {}).await?);
        }
        self.dataset.as_ref().ok_or(ProjectError::NoData)
    }

    async fn decode(&self, files: Files, progress: &dyn Fn(usize, usize)) -> Result<Dataset, ProjectError> {
        let tasks = self
            .tasks()
            .map(|task| Expected { name: task.name.clone(), kind: task.kind, classes: task.classes.clone() })
            .collect();
        let mut loader = Loader::new(files, &LoadOptions::new(self.shape(), tasks))?;
        while loader.step(128) {
            let (done, total) = loader.progress();
            progress(done, total);
            yield_now().await;
        }
        Ok(loader.finish()?)
    }
}
