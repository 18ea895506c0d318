//! Fine-tuning of imported networks: a few steps of distillation bring a spoilt copy back towards its original.
//!
//! `tests/python/test_architectures.py` writes the networks and runs this file.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests fail loudly")]

use std::path::Path;

use burn::tensor::{Device, Distribution, Tensor};
use graftlab::graph::{Constant, Graph};
use graftlab::net::{Network, NetworkOptions, Pixels, Prepared, prepare, read};
use graftlab::onnx;
use graftlab::ops::Mode;
use graftlab::platform::Cancel;
use graftlab::train::{
    BatchSource, Observer, StepReport, Student, TaskTarget, TrainBatch, TrainError, TrainSettings,
    distillation, train,
};
use pollster::block_on;
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

const STEPS: usize = 5;
const IMAGES: usize = 8;

#[test]
#[ignore = "needs the networks that tests/python/test_architectures.py writes"]
fn five_steps_of_distillation_lower_the_loss() {
    let folder = std::env::var("GRAFTLAB_ARCHITECTURES").expect("the folder of the networks");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let mut wrong = Vec::new();
    for file in &files {
        let [before, after] = losses(file);
        println!("{:<24} {before:.4} to {after:.4}", file.file_stem().unwrap().to_string_lossy());
        if !(before > 1e-6 && after < before) {
            wrong.push(format!("{}: {before} to {after}", file.display()));
        }
    }
    assert!(!files.is_empty() && wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The loss on one batch before and after the steps on it.
fn losses(file: &Path) -> [f32; 2] {
    let options = NetworkOptions { preprocessing: Some(Pixels::Bytes), ..NetworkOptions::default() };
    let graph = onnx::read(&std::fs::read(file).unwrap()).unwrap();
    let Prepared { graph, input: [channels, height, width], tasks, .. } =
        prepare(&graph, &options, "network").unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let (flat, device) = (Device::flex(), Device::flex().autodiff());
    flat.seed(5);
    let noise = |shape, spread| Tensor::<4>::random(shape, Distribution::Normal(0.0, spread), &flat);
    let images = noise([IMAGES, channels, height, width], 1.0) + noise([IMAGES, channels, 1, 1], 1.0);
    let teacher = Network::new(&graph, &flat).unwrap().forward(images.clone()).swap_remove(0).to_rank::<2>();
    let mut student = Student {
        network: Network::new(&spoilt(&graph), &device).unwrap(),
        outputs: vec![tasks[0].output],
        heads: Vec::new(),
        hinted: Vec::new(),
        trunk: Vec::new(),
    };
    let mut batch = Repeated { images, teacher };
    let settings = TrainSettings {
        image_passes: STEPS * IMAGES,
        batch_size: IMAGES,
        learning_rate: 5e-4,
        ..TrainSettings::default()
    };
    let before = loss(&student, &batch, settings.temperature);
    block_on(train(&mut student, &mut batch, &settings, None, &mut Unobserved, &Cancel::default())).unwrap();
    [before, loss(&student, &batch, settings.temperature)]
}

/// The graph with kernels and matrices that are off by up to a half.
fn spoilt(graph: &Graph) -> Graph {
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let mut graph = graph.clone();
    for constant in graph.constants.values_mut() {
        if let Some(values) = constant.as_f32().filter(|_| constant.shape.len() > 1) {
            let values: Vec<f32> = values.iter().map(|value| value * rng.random_range(0.5..1.5)).collect();
            *constant = Constant::f32(constant.shape.clone(), values);
        }
    }
    graph
}

fn loss(student: &Student, batch: &Repeated, temperature: f64) -> f32 {
    let input = student.network.graph().inputs[0];
    let images = Tensor::from_inner(batch.images.clone());
    let pass = student.network.run(&[(input, images.into())], &student.outputs, Mode::Training);
    let logits = pass.targets.into_iter().next().unwrap().to_rank::<2>();
    block_on(read(distillation(logits.inner(), batch.teacher.clone(), temperature).into())).unwrap()[0]
}

/// The same batch at every step.
struct Repeated {
    images: Tensor<4>,
    teacher: Tensor<2>,
}

impl BatchSource for Repeated {
    async fn batch(&mut self, _: usize) -> Result<TrainBatch, TrainError> {
        let teacher = Some(Tensor::from_inner(self.teacher.clone()));
        let targets = vec![TaskTarget { teacher, ..TaskTarget::default() }];
        Ok(TrainBatch {
            images: Tensor::from_inner(self.images.clone()),
            known: Vec::new(),
            targets,
            hints: Vec::new(),
        })
    }
}

struct Unobserved;

impl Observer for Unobserved {
    fn step(&mut self, _: StepReport) {}

    async fn validate(&mut self, _: usize, _: &Network) -> Result<Option<Vec<f64>>, TrainError> {
        Ok(None)
    }
}
