//! A base network that stays as it is, and what is grafted on it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail loudly")]

mod common;

use burn::tensor::{Device, Tensor, TensorData};
use common::{network, outcome, project, settings};
use graftlab::data::Augment;
use graftlab::join::{Join, Plan, Source};
use graftlab::net::{NetworkOptions, prepare};
use graftlab::onnx;
use graftlab::platform::Cancel;
use graftlab::pretrain::backbone::Family;
use graftlab::project::{Event, Host, Settings, apply_graft, run};
use graftlab::train::Start;
use pollster::block_on;

#[test]
fn a_base_stays_as_it_is_and_takes_its_graft_again() {
    let mut settings = Settings { base: Some("direction".into()), ..settings() };
    settings.train.self_distillation_weight = 0.5;
    let outcome = outcome(&mut project(), &settings).unwrap();
    let base = network(Family::Vgg, "direction", &["upright", "level"], 1);
    let graft = outcome.graft.unwrap();
    let options = NetworkOptions::default();

    let applied = apply_graft(("direction.onnx", &base), &options, ("graft.onnx", &graft)).unwrap();
    assert!(applied == outcome.onnx, "base and graft are not the merged file");
    assert!(graft.len() < outcome.onnx.len(), "the graft holds the base");

    let alone = prepare(&onnx::read(&base).unwrap(), &options, "direction").unwrap();
    let merged = prepare(&onnx::read(&outcome.onnx).unwrap(), &options, "merged").unwrap();
    let run = |graph: &graftlab::graph::Graph| {
        let values: Vec<f32> = (0..5 * 256).map(|index| (index * 37 % 256) as f32).collect();
        let images = Tensor::<4>::from_data(TensorData::new(values, [5, 1, 16, 16]), &Device::flex());
        let network = graftlab::net::Network::new(graph, &Device::flex()).unwrap();
        block_on(graftlab::net::read(network.forward(images).swap_remove(0))).unwrap()
    };
    assert_eq!(run(&alone.graph), run(&merged.graph), "the base's output has changed");

    let spoilt = |change: &dyn Fn(&mut graftlab::graph::Graph)| {
        let mut graph = onnx::read(&graft).unwrap();
        change(&mut graph);
        let graft = onnx::write(&graph).unwrap();
        apply_graft(("direction.onnx", &base), &options, ("graft.onnx", &graft))
    };
    let far = spoilt(&|graph| {
        let about = graph.metadata.get_mut("graftlab.graft").unwrap();
        *about = about.replace("\"positions\":[0]", "\"positions\":[99]");
    });
    let last = prepare(&onnx::read(&far.unwrap()).unwrap(), &options, "merged").unwrap();
    assert_eq!(last.tasks[1].name, "direction");
    let renamed = spoilt(&|graph| {
        let read = graph.inputs[1];
        graph.tensors[read.0].name = "direction/nowhere".into();
    });
    assert!(renamed.unwrap_err().to_string().contains("no tensor 'direction/nowhere'"));

    let other = network(Family::Vgg, "direction", &["upright", "level"], 5);
    let error = apply_graft(("direction.onnx", &other), &options, ("graft.onnx", &graft)).unwrap_err();
    assert!(error.to_string().contains("another network"), "{error}");
}

#[test]
fn a_graft_learns_the_same_from_tensors_of_the_base_that_were_kept() {
    // Unchanged images are the same in all views, and what is seen in more views than there is time for is not kept.
    let (brightness, contrast) = (0.0, 0.0);
    let unchanged =
        Augment { shift_px: 0.0, rotate_deg: 0.0, scale: 0.0, brightness, contrast, noise: 0.0, flip: false };
    let trained = |views: usize| {
        let mut settings = Settings { base: Some("direction".into()), ..settings() };
        let plan = Join { donor: 0, donor_point: 2, receiver_point: 2 };
        settings.plan = Some(Plan(vec![Source::Root, Source::Join(plan)]));
        settings.train.image_passes = 512;
        settings.train.augment = unchanged;
        settings.train.views = views;
        outcome(&mut project(), &settings).unwrap().report.curve
    };
    let (kept, computed) = (trained(1), trained(100));
    assert_eq!(kept.len(), computed.len());
    for (kept, computed) in kept.iter().zip(&computed) {
        assert!((kept.loss - computed.loss).abs() < 1e-3 * computed.loss.abs(), "{kept:?} {computed:?}");
    }
}

#[test]
fn a_base_keeps_weights_and_statistics_however_the_others_start() {
    for (start, fixed) in [(Start::Scratch, false), (Start::Fitted, true)] {
        let mut settings = Settings { base: Some("direction".into()), ..settings() };
        settings.train.start = start;
        settings.train.fixed_statistics = fixed;
        let mut found = Vec::new();
        let watch = |event: Event| {
            if let Event::Validated { student, teacher, .. } = event {
                assert_eq!(student[0], teacher[0], "{start:?}: the base computes something else");
            }
        };
        let host =
            Host { on_event: &watch, cancel: &Cancel::default(), archive: None, crew: None, resume: None };
        let outcome = block_on(run(&mut project(), &settings, (&Device::flex(), "cpu"), host)).unwrap();
        let graph = onnx::read(&outcome.onnx).unwrap();
        for norm in graph.nodes.iter().filter(|node| node.op_type == "BatchNormalization") {
            found.extend_from_slice(graph.constants[&norm.inputs[3].unwrap()].as_f32().unwrap());
        }
        // The untrained networks' means are zero.
        assert_eq!(found.iter().all(|mean| mean.abs() < 1e-6), fixed, "{start:?}");
        assert_eq!(outcome.report.tasks[0].test.agreement, 1.0, "{start:?}");
    }
}

#[test]
fn a_plan_that_joins_the_base_is_refused() {
    let join = Join { donor: 1, donor_point: 2, receiver_point: 2 };
    let plan = Some(Plan(vec![Source::Join(join), Source::Root]));
    let settings = Settings { base: Some("direction".into()), plan, ..settings() };
    let error = outcome(&mut project(), &settings).err().unwrap();
    assert!(error.is_bad_input());
    assert!(error.to_string().contains("'direction', which is to stay as it is"), "{error}");
}

#[test]
fn an_unknown_base_is_named() {
    let settings = Settings { base: Some("colour".into()), ..settings() };
    let error = outcome(&mut project(), &settings).err().unwrap();
    assert!(error.is_bad_input());
    assert!(error.to_string().contains("direction, width"), "{error}");
}
