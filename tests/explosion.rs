//! Training that explodes goes back to where it was good, more slowly, and gives up only if that does not help.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail loudly")]

use burn::tensor::{Device, Distribution, Tensor};
use graftlab::net::Network;
use graftlab::platform::Cancel;
use graftlab::pretrain::backbone::{Family, Width, backbone};
use graftlab::train::{
    BatchSource, Observer, StepReport, Student, TaskTarget, TrainBatch, TrainError, TrainSettings,
    TrainState, train,
};
use pollster::block_on;

const SIZE: usize = 16;
const IMAGES: usize = 4;
const STEPS: usize = 24;

/// Asks for the state whenever it can be had.
#[derive(Default)]
struct Watcher {
    /// Where training stood and with which learning rate, at every read of the losses.
    reads: Vec<(usize, f64)>,
    kept: Vec<usize>,
    went_back: Vec<(usize, usize)>,
}

impl Observer for Watcher {
    fn step(&mut self, report: StepReport) {
        self.reads.push((report.step, report.learning_rate));
    }

    async fn validate(&mut self, _: usize, _: &Network) -> Result<Option<Vec<f64>>, TrainError> {
        Ok(None)
    }

    fn wants_state(&self) -> bool {
        true
    }

    fn state(&mut self, state: &TrainState) {
        self.kept.push(state.progress.step);
    }

    fn went_back(&mut self, step: usize, to: usize) {
        self.went_back.push((step, to));
    }
}

/// Noise whose teacher is no number at one step, for so many times.
struct Spoilt {
    step: usize,
    times: usize,
}

impl BatchSource for Spoilt {
    async fn batch(&mut self, step: usize) -> Result<TrainBatch, TrainError> {
        let device = Device::flex().autodiff();
        let images = Tensor::random([IMAGES, 1, SIZE, SIZE], Distribution::Normal(0.0, 1.0), &device);
        let mut teacher = Tensor::<2>::random([IMAGES, 2], Distribution::Normal(0.0, 1.0), &device);
        if step == self.step && self.times > 0 {
            self.times -= 1;
            teacher = teacher.mul_scalar(f32::NAN);
        }
        let targets = vec![TaskTarget { teacher: Some(teacher), ..TaskTarget::default() }];
        Ok(TrainBatch { images, known: Vec::new(), targets, hints: Vec::new() })
    }
}

fn trained(mut source: Spoilt) -> (Result<(), TrainError>, Student, Watcher) {
    let graph = backbone(Family::Vgg, Width::Full, SIZE, 2, 1);
    let network = Network::new(&graph, &Device::flex().autodiff()).unwrap();
    let outputs = graph.outputs.clone();
    let mut student = Student { network, outputs, heads: Vec::new(), hinted: Vec::new(), trunk: Vec::new() };
    let settings =
        TrainSettings { image_passes: STEPS * IMAGES, batch_size: IMAGES, ..TrainSettings::default() };
    let mut watcher = Watcher::default();
    let result =
        block_on(train(&mut student, &mut source, &settings, None, &mut watcher, &Cancel::default()));
    (result, student, watcher)
}

#[test]
fn an_explosion_is_found_at_the_next_look_and_undone() {
    let (result, student, watcher) = trained(Spoilt { step: 10, times: 1 });
    assert_eq!(result, Ok(()));
    // Losses are told every eight steps; every third is validated, and looked at before.
    assert_eq!(watcher.went_back, [(12, 8)]);
    assert_eq!(watcher.kept, [8, 16, 24], "nothing is kept of what exploded");
    let undisturbed = trained(Spoilt { step: 10, times: 0 }).2;
    let rates = |watcher: &Watcher| watcher.reads.iter().map(|(_, rate)| *rate).collect::<Vec<_>>();
    let ([first, second, _], [same, before, _]) = (&rates(&watcher)[..], &rates(&undisturbed)[..]) else {
        unreachable!("three reads of the losses each")
    };
    assert_eq!((first, *second), (same, before / 2.0));
    let weights = block_on(student.network.read_weights()).unwrap();
    assert!(weights.iter().flatten().all(|value| value.is_finite()));
}

#[test]
fn what_explodes_again_and_again_is_an_error_that_says_where() {
    let (result, student, watcher) = trained(Spoilt { step: 2, times: usize::MAX });
    assert_eq!(result, Err(TrainError::Diverged { step: 3 }));
    assert_eq!(watcher.went_back, vec![(3, 0); watcher.went_back.len()]);
    assert!(!watcher.went_back.is_empty() && watcher.kept.is_empty());
    assert_eq!(student.outputs.len(), 1);
}
