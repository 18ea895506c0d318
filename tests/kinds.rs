//! Networks that say several labels or numbers are joined like those that say classes.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail loudly")]

mod common;

use common::{SIZE, assert_measured_again, outcome, settings, stripes};
use graftlab::data::Files;
use graftlab::data::source::Limits;
use graftlab::net::{NetworkOptions, Pixels, Task, prepare, write_tasks};
use graftlab::onnx;
use graftlab::pretrain::backbone::{Family, Width, backbone};
use graftlab::project::Project;
use graftlab::task_kind::TaskKind;
use pollster::block_on;

const MARKS: [&str; 2] = ["upright", "thick"];
const NUMBERS: [&str; 2] = ["period", "shift"];

fn network(family: Family, task: &str, kind: TaskKind, names: [&str; 2], seed: u64) -> Vec<u8> {
    let mut graph = backbone(family, Width::Full, SIZE as usize, names.len(), seed);
    if kind == TaskKind::Labels {
        // As it is released: probabilities.
        let logits = graph.outputs[0];
        let output = graph.add_node("Sigmoid", "marks", [logits]);
        graph.tensors[output.0].shape = graph.tensors[logits.0].shape.clone();
        graph.outputs = vec![output];
    }
    let names = names.map(str::to_owned).to_vec();
    let task = Task { kind, ..Task::new(task, names, graph.outputs[0]) };
    write_tasks(&mut graph, &[task], Pixels::Unit);
    onnx::write(&graph).unwrap()
}

/// Stripes with what they are: marks, or none of them; and numbers.
fn pictures() -> Vec<u8> {
    let marks = |upright: bool, thick: bool| match (upright, thick) {
        (true, true) => "upright;thick",
        (true, false) => "upright",
        (false, true) => "thick",
        (false, false) => "-",
    };
    stripes(240, "file,marks,numbers\n", |index, upright, thick| {
        format!("{},{};{}", marks(upright, thick), if thick { 8 } else { 4 }, index % 8)
    })
}

fn project() -> Project {
    let mut project = Project::default();
    let options = NetworkOptions::default();
    let marks = network(Family::Vgg, "marks", TaskKind::Labels, MARKS, 1);
    let numbers = network(Family::MobileNet, "numbers", TaskKind::Values, NUMBERS, 2);
    project.add_network("marks.onnx", &marks, &options).unwrap();
    project.add_network("numbers.onnx", &numbers, &options).unwrap();
    let files = Files::from_zip(&pictures(), &Limits::default()).unwrap();
    block_on(project.load_data(files, &|_, _| {})).unwrap();
    project
}

#[test]
fn labels_and_values_are_learnt_measured_and_exported() {
    let mut settings = settings();
    settings.train.image_passes = 2_048;
    settings.train.label_weight = 1.0;
    settings.search.supernet_steps = 10;
    let outcome = outcome(&mut project(), &settings).unwrap();
    let report = &outcome.report;
    let [marks, numbers] = &report.tasks[..] else { panic!("two tasks") };
    assert_eq!((marks.kind, numbers.kind), (TaskKind::Labels, TaskKind::Values));
    // The originals are untrained: half of the marks are right by chance, and the numbers are worse than their mean. With
    // labels the merged network learns both.
    let gained =
        |task: &graftlab::report::TaskReport| task.test.merged.unwrap() - task.test.original.unwrap();
    assert!(gained(marks) > 0.1, "{marks:?}");
    assert!(gained(numbers) > 0.5, "{numbers:?}");
    assert!(marks.test.merged.unwrap() <= 1.0 && numbers.test.merged.unwrap() <= 1.0);

    let graph = onnx::read(&outcome.onnx).unwrap();
    assert_eq!(
        graph.nodes.iter().filter(|node| node.op_type == "Sigmoid").count(),
        1,
        "probabilities of the marks"
    );
    let prepared = prepare(&graph, &NetworkOptions::default(), "merged").unwrap();
    let kinds: Vec<TaskKind> = prepared.tasks.iter().map(|task| task.kind).collect();
    assert_eq!(kinds, [TaskKind::Labels, TaskKind::Values]);

    assert_measured_again(&outcome, &pictures());
}

#[test]
fn without_labels_the_originals_are_imitated() {
    let mut settings = settings();
    settings.use_labels = false;
    settings.train.image_passes = 2_048;
    settings.search.supernet_steps = 10;
    let report = outcome(&mut project(), &settings).unwrap().report;
    let [marks, numbers] = &report.tasks[..] else { panic!("two tasks") };
    assert!(marks.test.agreement > 0.7, "{marks:?}");
    // The untrained original says nearly the same number of every picture: there is hardly a variance to explain.
    assert!(numbers.test.agreement.is_finite() && numbers.test.agreement <= 1.0, "{numbers:?}");
}

#[test]
fn a_cell_that_says_something_else_is_refused_with_its_row() {
    let mut project = project();
    let wrong = stripes(40, "file,marks,numbers\n", |_, _, _| "upright,4".into());
    let files = Files::from_zip(&wrong, &Limits::default()).unwrap();
    let error = block_on(project.load_data(files, &|_, _| {})).unwrap_err().to_string();
    assert!(error.contains("row 2") && error.contains("2 number(s)") && error.contains("Hint:"), "{error}");
}
