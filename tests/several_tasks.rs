//! Networks of several tasks: merged ones that are joined again, and files with more outputs than are wanted.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail loudly")]

mod common;

use std::sync::OnceLock;

use burn::tensor::{Device, Tensor, TensorData};
use common::{network, outcome, pictures, project, settings};
use graftlab::data::Files;
use graftlab::data::source::Limits;
use graftlab::graph::Graph;
use graftlab::net::{Network, NetworkOptions, Pixels, prepare, read};
use graftlab::onnx;
use graftlab::pretrain::backbone::Family;
use graftlab::project::{Project, Settings, apply_graft, evaluate_file};
use graftlab::search::SelectorName;
use pollster::block_on;

/// A merged network of two tasks, made once.
fn merged() -> &'static [u8] {
    static MERGED: OnceLock<Vec<u8>> = OnceLock::new();
    MERGED.get_or_init(|| outcome(&mut project(), &settings()).unwrap().onnx)
}

/// A project of the merged network and a third one, whose task nobody has labelled.
fn with_a_third() -> Project {
    let mut project = Project::default();
    let options = NetworkOptions::default();
    project.add_network("merged.onnx", merged(), &options).unwrap();
    let shade = network(Family::ResNet, "shade", &["dark", "middle", "bright"], 4);
    project.add_network("shade.onnx", &shade, &options).unwrap();
    let files = Files::from_zip(&pictures(240), &Limits::default()).unwrap();
    block_on(project.load_data(files, &|_, _| {})).unwrap();
    project
}

fn task_names(bytes: &[u8]) -> Vec<String> {
    let prepared = prepare(&onnx::read(bytes).unwrap(), &NetworkOptions::default(), "merged").unwrap();
    prepared.tasks.into_iter().map(|task| task.name).collect()
}

/// The first output for five images of noise.
fn first_output(graph: &Graph) -> Vec<f32> {
    let values: Vec<f32> = (0..5 * 256).map(|index| (index * 37 % 256) as f32).collect();
    let images = Tensor::<4>::from_data(TensorData::new(values, [5, 1, 16, 16]), &Device::flex());
    let network = Network::new(graph, &Device::flex()).unwrap();
    block_on(read(network.forward(images).swap_remove(0))).unwrap()
}

#[test]
fn a_merged_network_is_joined_with_a_third() {
    let mut project = with_a_third();
    let labels: Vec<usize> = project.cards().map(|card| card.tasks.len()).collect();
    assert_eq!(labels, [2, 1]);
    let settings = Settings { budget: 0.9, ..settings() };
    let again = outcome(&mut project, &settings).unwrap();

    assert_eq!(task_names(&again.onnx), ["direction", "width", "shade"]);
    assert!(again.report.plan.relative_macs <= 0.9);
    let reported: Vec<_> = again.report.tasks.iter().map(|task| task.name.as_str()).collect();
    assert_eq!(reported, ["direction", "width", "shade"]);
    let files = Files::from_zip(&pictures(240), &Limits::default()).unwrap();
    let options = NetworkOptions::default();
    let measured =
        block_on(evaluate_file("again.onnx", &again.onnx, &options, files, &Device::flex())).unwrap();
    for (task, reported) in measured.tasks.iter().zip(&again.report.tasks) {
        assert_eq!(task.accuracy, reported.test.merged, "{}", task.name);
    }
    let graph = onnx::read(&again.onnx).unwrap();
    let named = |prefix: &str| graph.nodes.iter().any(|node| node.name.starts_with(prefix));
    assert!(named("direction+width/") && named("shade/"), "nodes keep their networks' names");
}

#[test]
fn every_kind_of_search_takes_several_tasks() {
    let mut project = with_a_third();
    for selector in [SelectorName::Matching, SelectorName::Differentiable] {
        let mut settings = Settings { selector, budget: 0.9, ..settings() };
        settings.search.finalists = 1;
        settings.search.finalist_image_passes = 16;
        settings.search.supernet_steps = 10;
        settings.train.image_passes = 16;
        settings.train.hint_weight = 0.5;
        settings.train.self_distillation_weight = 0.5;
        let outcome = outcome(&mut project, &settings).unwrap();
        assert_eq!(task_names(&outcome.onnx).len(), 3, "{selector:?}");
    }
}

#[test]
fn a_merged_network_stays_as_it_is_when_it_is_the_base() {
    let settings = Settings { base: Some("width".into()), budget: 0.95, ..settings() };
    let again = outcome(&mut with_a_third(), &settings).unwrap();
    let options = NetworkOptions::default();
    let applied = apply_graft(("merged.onnx", merged()), &options, ("graft.onnx", &again.graft.unwrap()));
    assert!(applied.unwrap() == again.onnx, "base and graft are not the merged file");
    let run = |bytes: &[u8]| {
        first_output(
            &prepare(&onnx::read(bytes).unwrap(), &NetworkOptions::default(), "merged").unwrap().graph,
        )
    };
    assert_eq!(run(merged()), run(&again.onnx), "the base's output has changed");
}

#[test]
fn one_of_several_outputs_is_picked_by_name() {
    let mut graph = onnx::read(&network(Family::Vgg, "direction", &["upright", "level"], 1)).unwrap();
    graph.metadata.clear();
    let inner = graph.nodes[1].outputs[0];
    graph.outputs.push(inner);
    let options = NetworkOptions { preprocessing: Some(Pixels::Unit), ..NetworkOptions::default() };
    let refused = prepare(&graph, &options, "two").unwrap_err().to_string();
    assert!(refused.contains("output=NAME"), "{refused}");

    let name = graph.tensor(graph.outputs[0]).name.clone();
    let picked = NetworkOptions { output: Some(name), task: Some("direction".into()), ..options.clone() };
    let prepared = prepare(&graph, &picked, "two").unwrap();
    assert_eq!(prepared.tasks.len(), 1);
    assert_eq!(prepared.graph.outputs.len(), 1);

    let unclear = NetworkOptions { output: None, ..picked.clone() };
    let error = prepare(&graph, &unclear, "two").unwrap_err().to_string();
    assert!(error.contains("say which output"), "{error}");
    let wrong = NetworkOptions { output: Some("nowhere".into()), ..picked };
    let error = prepare(&graph, &wrong, "two").unwrap_err().to_string();
    assert!(error.contains("no output 'nowhere'"), "{error}");
}
