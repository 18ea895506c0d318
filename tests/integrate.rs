//! The main job from bytes to files, on two small untrained networks and pictures of stripes.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail loudly")]

mod common;

use std::cell::RefCell;
use std::ops::ControlFlow;

use burn::tensor::Device;
use common::{SIZE, assert_measured_again, network, outcome, pictures, project, settings};
use graftlab::join::CostMeasure;
use graftlab::net::{NetworkOptions, prepare};
use graftlab::onnx;
use graftlab::platform::Cancel;
use graftlab::pretrain::backbone::Family;
use graftlab::project::{
    Event, Host, Outcome, ProjectError, Settings, Shard, SideBySide, TablePlans, TableRequest, run, tabulate,
};
use graftlab::report::TableLine;
use graftlab::search::{SearchError, SelectorName};
use graftlab::train::Start;
use pollster::block_on;

#[test]
fn the_exported_network_is_the_one_that_was_measured() {
    let mut project = project();
    let outcome = outcome(&mut project, &settings()).unwrap();
    let report = &outcome.report;

    let graph = onnx::read(&outcome.onnx).unwrap();
    let prepared = prepare(&graph, &NetworkOptions::default(), "merged").unwrap();
    let names: Vec<_> = prepared.tasks.iter().map(|task| task.name.as_str()).collect();
    assert_eq!(names, ["direction", "width"]);
    assert_eq!(prepared.graph.cost().macs, report.plan.macs);
    assert_eq!(report.cost.macs.merged, report.plan.macs);
    assert!(report.plan.relative_macs <= 0.8);

    assert_measured_again(&outcome, &pictures(240));
}

#[test]
fn side_by_side_the_networks_answer_as_the_report_counts() {
    let mut project = project();
    let outcome = outcome(&mut project, &settings()).unwrap();
    let beside = SideBySide::new(&project, &outcome.onnx, &Device::flex()).unwrap();
    let dataset = block_on(project.dataset()).unwrap();
    let answers = block_on(beside.answers(dataset, &|_, _| {})).unwrap();
    for (task, reported) in answers.tasks.iter().zip(&outcome.report.tasks) {
        assert_eq!(task.name, reported.name);
        assert_eq!(answers.images.len(), reported.test.images);
        let right = |said: &[u32]| {
            let right = said.iter().zip(&task.labels).filter(|(said, label)| Some(**said) == **label);
            Some(right.count() as f64 / reported.test.labelled as f64)
        };
        assert_eq!(right(&task.original), reported.test.original);
        assert_eq!(right(&task.merged), reported.test.merged);
    }

    // The same picture, asked about as a file: the same classes.
    let at = answers.images[0];
    let mut png = std::io::Cursor::new(Vec::new());
    let picture = image::GrayImage::from_raw(SIZE, SIZE, dataset.image(at).to_vec()).unwrap();
    picture.write_to(&mut png, image::ImageFormat::Png).unwrap();
    let (seen, opinions) = block_on(beside.ask(png.get_ref())).unwrap();
    assert_eq!(seen, dataset.image(at));
    for (opinion, task) in opinions.iter().zip(&answers.tasks) {
        assert!((opinion.merged.iter().sum::<f32>() - 1.0).abs() < 1e-5);
        let likeliest =
            (0..task.classes.len()).max_by(|a, b| opinion.merged[*a].total_cmp(&opinion.merged[*b]));
        assert_eq!(likeliest, Some(task.merged[0] as usize));
    }
    assert!(matches!(block_on(beside.ask(b"no image")), Err(ProjectError::Data(_))));
}

#[test]
fn a_merged_network_stands_beside_the_networks_it_was_made_from_only() {
    let mut project = project();
    let outcome = outcome(&mut project, &settings()).unwrap();
    project.remove_network(1);
    let other = network(Family::Vgg, "colour", &["red", "blue"], 4);
    project.add_network("colour.onnx", &other, &NetworkOptions::default()).unwrap();
    let beside = SideBySide::new(&project, &outcome.onnx, &Device::flex());
    assert!(matches!(beside, Err(ProjectError::OtherNetworks)));
}

#[test]
fn the_same_seed_gives_the_same_plan_and_the_same_bytes() {
    let first = outcome(&mut project(), &settings()).unwrap();
    let second = outcome(&mut project(), &settings()).unwrap();
    assert_eq!(first.report.plan, second.report.plan);
    assert!(first.onnx == second.onnx, "two runs with one seed wrote different networks");
}

#[test]
fn a_budget_of_parameters_counts_those_of_the_exported_network() {
    let settings = Settings { cost: CostMeasure::Params, budget: 0.7, ..settings() };
    let report = outcome(&mut project(), &settings).unwrap().report;
    let counted = report.plan.relative_cost.unwrap();
    let exported = report.cost.params.merged as f64 / report.cost.params.originals as f64;
    assert!(counted <= 0.7, "{counted}");
    assert!((counted - exported).abs() < 1e-3, "{counted} was counted, {exported} exported");
}

#[test]
fn a_budget_of_time_is_met_by_what_was_measured() {
    let settings = Settings { cost: CostMeasure::Milliseconds, budget: 0.9, ..settings() };
    let report = outcome(&mut project(), &settings).unwrap().report;
    let counted = report.plan.relative_cost.unwrap();
    assert!(counted > 0.0 && counted <= 0.9, "{counted}");
    assert!(report.cost.milliseconds.originals > 0.0 && report.cost.milliseconds.merged > 0.0);
}

#[test]
fn every_selector_yields_a_plan_within_the_budget() {
    let mut project = project();
    for selector in SelectorName::ALL {
        let mut settings = Settings { selector, ..settings() };
        settings.search.finalists = 1;
        settings.search.scored_donor_points = 1;
        settings.search.finalist_image_passes = 16;
        settings.search.evaluations = 4;
        settings.search.supernet_steps = 20;
        settings.train.image_passes = 16;
        let outcome = outcome(&mut project, &settings).unwrap();
        assert!(outcome.report.plan.relative_macs <= settings.budget, "{selector:?}");
        assert!(outcome.report.cost.macs.merged < outcome.report.cost.macs.originals, "{selector:?}");
    }
}

#[test]
fn hints_self_distillation_and_no_labels_work_together() {
    let mut settings = Settings { use_labels: false, ..settings() };
    settings.search.finalists = 1;
    settings.train.image_passes = 64;
    settings.train.hint_weight = 0.5;
    settings.train.self_distillation_weight = 0.5;
    let outcome = outcome(&mut project(), &settings).unwrap();
    let graph = onnx::read(&outcome.onnx).unwrap();
    assert_eq!(graph.outputs.len(), 2, "auxiliary heads are left out of the file");
    assert_eq!(graph.cost(), prepared_cost(&outcome.onnx), "nothing of them is left behind");
}

fn prepared_cost(bytes: &[u8]) -> graftlab::graph::Cost {
    // MACs are inferred, not stored: a graph that has just been read has none.
    graftlab::graph::Cost { macs: 0, ..onnx::read(bytes).unwrap().pruned().cost() }
}

#[test]
fn a_budget_out_of_reach_names_one_that_can_be_met() {
    let mut project = project();
    let tight = Settings { budget: 0.01, ..settings() };
    let Err(ProjectError::Search(SearchError::BudgetOutOfReach { nearest, .. })) =
        outcome(&mut project, &tight)
    else {
        panic!("a hundredth of the MACs cannot be enough");
    };
    let offered = Settings { budget: nearest, ..settings() };
    assert!(outcome(&mut project, &offered).is_ok(), "the budget that is offered can be met");
}

#[test]
fn a_front_compares_plans_of_other_budgets_and_the_baselines() {
    for selector in SelectorName::ALL {
        let mut settings = Settings { selector, ..settings() };
        settings.search.front_budgets = 3;
        settings.search.supernet_steps = 20;
        settings.search.finalist_rounds = 1;
        settings.search.evaluations = 2;
        settings.search.scored_donor_points = 1;
        if selector == SelectorName::Exhaustive {
            continue; // It compares every plan within the budget anyway.
        }
        let report = outcome(&mut project(), &settings).unwrap().report;
        let passes = settings.search.finalist_image_passes;
        let front: Vec<_> = report.judged.iter().filter(|judged| judged.image_passes == passes).collect();
        assert!(
            front.iter().any(|judged| judged.plan == report.plan),
            "{selector:?}: the plan that was chosen"
        );
        let costs = front.iter().map(|judged| judged.plan.relative_macs);
        let (least, most) = costs.fold((1.0_f64, 0.0_f64), |(a, b), cost| (a.min(cost), b.max(cost)));
        assert!(most - least > 0.2, "{selector:?}: {least} to {most}");
    }
}

#[test]
fn the_plan_of_an_earlier_run_is_trained_again_from_other_weights() {
    let settings = settings();
    let searched = outcome(&mut project(), &settings).unwrap();
    let mut names = project().labels();
    let plan = searched.report.plan.plan(&names);
    assert!(plan.is_some());
    names[0].push_str(" of another run");
    assert_eq!(searched.report.plan.plan(&names), None);
    let weights = |outcome: &Outcome| {
        let graph = onnx::read(&outcome.onnx).unwrap();
        let first = graph.nodes.iter().find(|node| node.op_type == "Conv").unwrap().inputs[1].unwrap();
        graph.constants[&first].as_f32().unwrap().to_vec()
    };
    let mut found = Vec::new();
    for start in [Start::Fitted, Start::RandomAdapters, Start::Scratch] {
        let mut settings = Settings { plan: plan.clone(), ..settings.clone() };
        settings.train.start = start;
        settings.train.image_passes = 16;
        settings.train.learning_rate = 1e-9;
        let outcome = outcome(&mut project(), &settings).unwrap();
        assert_eq!(outcome.report.plan, searched.report.plan);
        assert!(outcome.report.judged.is_empty() && outcome.report.candidates.is_empty());
        found.push(weights(&outcome));
    }
    let apart = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(apart(&found[0], &found[1]) < 1e-6, "the first layer is the original's in both");
    assert!(apart(&found[0], &found[2]) > 1e-2, "from scratch it is another");
}

#[test]
fn fixed_statistics_stay_while_weights_are_trained() {
    let means = |fixed: bool| {
        let mut settings = settings();
        settings.train.fixed_statistics = fixed;
        let graph = onnx::read(&outcome(&mut project(), &settings).unwrap().onnx).unwrap();
        let norms = graph.nodes.iter().filter(|node| node.op_type == "BatchNormalization");
        let means = norms.map(|node| graph.constants[&node.inputs[3].unwrap()].as_f32().unwrap().to_vec());
        means.flatten().collect::<Vec<f32>>()
    };
    let moved = |values: &[f32]| values.iter().filter(|value| value.abs() > 1e-6).count();
    // The untrained networks' means are zero.
    assert_eq!(moved(&means(true)), 0);
    assert!(moved(&means(false)) > 0);
}

#[test]
fn a_run_stopped_while_training_leaves_a_network() {
    let cancel = Cancel::default();
    let steps = RefCell::new(0);
    let on_event = |event: Event| {
        if matches!(event, Event::Step { .. }) {
            *steps.borrow_mut() += 1;
            cancel.cancel();
        }
    };
    let mut settings = settings();
    settings.train.image_passes = 100_000;
    let host = Host { on_event: &on_event, cancel: &cancel, archive: None, crew: None, resume: None };
    let outcome = block_on(run(&mut project(), &settings, (&Device::flex(), "cpu"), host)).unwrap();
    assert_eq!(*steps.borrow(), 1);
    assert!(outcome.report.stopped);
    assert!(onnx::read(&outcome.onnx).is_ok());
}

#[test]
fn two_networks_for_one_task_are_refused_and_the_first_stays() {
    let mut project = project();
    let again = network(Family::ResNet, "width", &["thick", "thin"], 9);
    let error = project.add_network("again.onnx", &again, &NetworkOptions::default()).unwrap_err();
    assert!(error.to_string().contains("'width'"), "{error}");
    let options = NetworkOptions { task: Some("width/of/lines".into()), ..NetworkOptions::default() };
    let error = project.add_network("again.onnx", &again, &options).unwrap_err();
    assert!(error.to_string().contains("slash"), "{error}");
    assert_eq!(project.cards().count(), 2);
}

#[test]
fn a_table_goes_on_where_it_stopped_even_if_an_older_version_began_it() {
    let mut project = project();
    let mut settings = settings();
    settings.train.image_passes = 16;
    let request = TableRequest {
        settings,
        seeds: vec![3],
        shard: Shard { index: 0, of: 60 },
        searches: Vec::new(),
        plans: TablePlans::All,
    };
    let mut lines = |known: &[TableLine], most: usize| {
        let mut lines = Vec::new();
        let mut hear = |line, _, _| {
            lines.push(line);
            if lines.len() < most { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        };
        block_on(tabulate(&mut project, &request, known, &Device::flex(), &mut hear)).unwrap();
        lines
    };
    let whole = lines(&[], usize::MAX);
    let mut begun = lines(&[], 2);
    let [TableLine::Space(space), TableLine::Plan(_)] = &mut begun[..] else { panic!("{begun:?}") };
    space.settings.as_object_mut().unwrap().remove("cost");

    let rest = lines(&begun, usize::MAX);
    assert!(rest.iter().all(|line| matches!(line, TableLine::Plan(_))), "{rest:?}");
    assert!(rest.len() > 1 && begun.len() + rest.len() == whole.len());
}
