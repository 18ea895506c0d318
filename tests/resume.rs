//! A run that was broken off goes on as if nothing had happened.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail loudly")]

mod common;

use std::cell::RefCell;

use burn::tensor::Device;
use common::{outcome, project, settings};
use graftlab::join::CostMeasure;
use graftlab::platform::Cancel;
use graftlab::project::{Archive, Checkpoint, Event, Host, Outcome, ProjectError, Settings, run};
use pollster::block_on;

/// Keeps every checkpoint, and wants one whenever there can be one.
#[derive(Default)]
struct Greedy(RefCell<Vec<Vec<u8>>>);

impl Archive for Greedy {
    fn wants_now(&self) -> bool {
        true
    }

    fn keep(&self, checkpoint: Vec<u8>) {
        self.0.borrow_mut().push(checkpoint);
    }
}

struct Watched {
    outcome: Outcome,
    checkpoints: Vec<Vec<u8>>,
    /// Names of the events.
    told: Vec<String>,
}

fn watched(settings: &Settings, resume: Option<&[u8]>) -> Result<Watched, ProjectError> {
    let archive = Greedy::default();
    let told = RefCell::new(Vec::new());
    let on_event = |event: Event| {
        let json = serde_json::to_value(&event).unwrap();
        told.borrow_mut().push(json["kind"].as_str().unwrap().to_owned());
    };
    let resume = resume.map(Checkpoint::from_bytes).transpose()?;
    let host =
        Host { on_event: &on_event, cancel: &Cancel::default(), archive: Some(&archive), crew: None, resume };
    let outcome = block_on(run(&mut project(), settings, (&Device::flex(), "cpu"), host))?;
    Ok(Watched { outcome, checkpoints: archive.0.take(), told: told.take() })
}

/// Everything in the report that one seed repeats.
fn numbers(outcome: &Outcome) -> serde_json::Value {
    let mut report = serde_json::to_value(&outcome.report).unwrap();
    report.as_object_mut().unwrap().remove("seconds");
    report["cost"].as_object_mut().unwrap().remove("milliseconds");
    report
}

fn chatty() -> Settings {
    let mut settings = settings();
    settings.train.self_distillation_weight = 0.5;
    settings.train.trunk_learning_rate = 0.5;
    settings.train.views = 2;
    settings.search.supernet_steps = 12;
    settings
}

#[test]
fn a_run_goes_on_from_any_checkpoint_with_the_numbers_of_one_that_was_never_broken_off() {
    let settings = chatty();
    let undisturbed = outcome(&mut project(), &settings).unwrap();
    let Watched { outcome: whole, checkpoints, .. } = watched(&settings, None).unwrap();
    assert!(whole.onnx == undisturbed.onnx, "keeping checkpoints changes nothing");

    // Two plans are compared, then training reads its losses twice.
    assert_eq!(checkpoints.len(), 4);
    for (number, checkpoint) in checkpoints.iter().enumerate() {
        let Watched { outcome, checkpoints: further, told } = watched(&settings, Some(checkpoint)).unwrap();
        assert!(outcome.onnx == whole.onnx, "checkpoint {number}: another network");
        assert_eq!(numbers(&outcome), numbers(&whole), "checkpoint {number}");
        assert_eq!(further.len(), 3 - number, "checkpoint {number}: work was done again");
        let count = |kind: &str| told.iter().filter(|told| *told == kind).count();
        assert_eq!(count("plan_judged"), whole.report.judged.len(), "what was found is told anew");
        assert_eq!(count("candidate_scored"), whole.report.candidates.len());
    }
}

#[test]
fn measured_costs_are_measured_once_for_a_run() {
    let mut settings = chatty();
    settings.cost = CostMeasure::Milliseconds;
    // Whatever is measured, there is a plan: a busy machine measures anything.
    settings.budget = 1.0;
    let Watched { outcome: whole, checkpoints, .. } = watched(&settings, None).unwrap();
    let Watched { outcome, .. } = watched(&settings, Some(&checkpoints[0])).unwrap();
    assert_eq!(outcome.report.plan, whole.report.plan);
}

#[test]
fn the_checkpoint_of_another_run_and_what_is_none_are_refused() {
    let settings = chatty();
    let Watched { checkpoints, .. } = watched(&settings, None).unwrap();
    let newest = checkpoints.last().unwrap();
    let other = Settings { seed: settings.seed + 1, ..settings.clone() };
    let error = watched(&other, Some(newest)).map(|_| ()).unwrap_err();
    assert!(matches!(error, ProjectError::OtherRun), "{error}");
    assert!(error.to_string().contains("Hint:"));

    for damaged in [&newest[..newest.len() / 2], &newest[..7], b"graftlab"] {
        let error = watched(&settings, Some(damaged)).map(|_| ()).unwrap_err();
        assert!(matches!(error, ProjectError::Checkpoint { .. }), "{error}");
    }
}
