//! The phases of a run.

use burn::module::Module;
use burn::tensor::Device;

use super::evaluate::{Evaluation, worst_drop_points};
use super::export::export;
use super::judge::search;
use super::observer::DistilObserver;
use super::timing::milliseconds;
use super::workshop::Workshop;
use super::{Event, OnEvent, Phase, Project, ProjectError, Settings};
use crate::data::Split;
use crate::graph::Cost;
use crate::join::{Join, Source, Space};
use crate::net::Prepared;
use crate::platform::{Cancel, Stopwatch};
use crate::report::{
    CandidateReport, CostReport, DataReport, Milliseconds, Report, SCHEMA_VERSION, Seconds, TaskReport,
};
use crate::search::{Score, Scores, check_budget};

/// What a run leaves.
pub struct Outcome {
    pub report: Report,
    /// The merged network.
    pub onnx: Vec<u8>,
    /// Its weights alone.
    pub safetensors: Vec<u8>,
    /// What was added to a base that stays as it is, as a network of its own.
    pub graft: Option<Vec<u8>>,
}

/// Images that plans and the network in training are judged on.
pub const VALIDATION_IMAGES: usize = 768;

/// Joins the project's networks and fine-tunes the result.
///
/// # Errors
///
/// Too little is loaded, no plan meets the budget, training diverges, the device fails, or the run is stopped before
/// training has begun. The project is as it was.
pub async fn run(
    project: &mut Project,
    settings: &Settings,
    device: &Device,
    device_name: &str,
    on_event: OnEvent<'_>,
    cancel: &Cancel,
) -> Result<Outcome, ProjectError> {
    settings.check()?;
    let total = Stopwatch::start();
    let mut seconds = Seconds::default();
    let networks = project.networks()?;
    let dataset = project.dataset().await?;
    let mut workshop = Workshop::new(&networks, dataset, settings, device, cancel)?;
    let clock = begin(Phase::Teachers, on_event, cancel)?;
    workshop.measure_costs().await?;
    let base = workshop.base;
    check_budget(&workshop.space, base, settings.budget)?;
    seconds.search = clock.elapsed_seconds();

    let clock = Stopwatch::start();
    let tell = |done, total| on_event(Event::progress(Phase::Teachers, done, total, clock));
    let labels = workshop.labels.clone();
    let teachers = &mut workshop.teachers;
    let validation =
        Evaluation::new(dataset, Split::Validation, VALIDATION_IMAGES, labels, teachers, &tell).await?;
    seconds.teachers = clock.elapsed_seconds();

    let clock = begin(Phase::Score, on_event, cancel)?;
    let scores = workshop.score(on_event).await?;

    begin(Phase::Search, on_event, cancel)?;
    let found =
        search(&mut workshop, &validation, &scores, settings.selector, settings.budget, on_event).await?;
    let (space, plan) = (workshop.space.clone(), found.plan);
    let summary = space.summary(&plan);
    on_event(Event::PlanChosen { plan: summary.clone() });
    seconds.search += clock.elapsed_seconds();

    let clock = begin(Phase::Distil, on_event, cancel)?;
    let (merged, mut student) = workshop.build(&plan)?;
    let mut observer = DistilObserver {
        evaluation: &validation,
        outputs: student.outputs.clone(),
        on_event,
        clock,
        curve: Vec::new(),
    };
    workshop.train(&plan, &merged, &mut student, &settings.train, &mut observer).await?;
    let curve = observer.curve;
    seconds.train = clock.elapsed_seconds();

    on_event(Event::PhaseStarted { phase: Phase::Evaluate });
    let clock = Stopwatch::start();
    let on_validation = validation.compare(&student.network, &student.outputs).await?;
    let tell = |done, total| on_event(Event::progress(Phase::Evaluate, done, total, clock));
    let test = {
        let labels = workshop.known_labels.clone();
        Evaluation::new(dataset, Split::Test, usize::MAX, labels, &mut workshop.teachers, &tell).await?
    };
    let on_test = test.compare(&student.network, &student.outputs).await?;
    seconds.evaluate = clock.elapsed_seconds();

    on_event(Event::PhaseStarted { phase: Phase::Export });
    let files = export(&student.network.valid(), &merged, &networks, &summary, base).await?;
    seconds.total = total.elapsed_seconds();
    let savings = space.savings(&plan);
    let inference = Milliseconds {
        originals: milliseconds(&workshop.teachers.networks, device).await?,
        merged: milliseconds([&student.network.valid()], device).await?,
    };
    let report = Report {
        schema_version: SCHEMA_VERSION,
        version: env!("CARGO_PKG_VERSION").into(),
        device: device_name.to_owned(),
        settings: serde_json::json!(settings),
        plan: summary,
        candidates: candidate_reports(&space, &scores),
        judged: found.judged,
        search_steps: found.steps,
        tasks: networks
            .iter()
            .flat_map(|network| &network.tasks)
            .zip(on_validation.iter().zip(&on_test))
            .map(|(task, (validation, test))| TaskReport {
                name: task.name.clone(),
                classes: task.classes.clone(),
                validation: validation.scores(),
                test: test.scores(),
            })
            .collect(),
        worst_drop_points: worst_drop_points(&on_test),
        cost: CostReport::new(
            apart(&networks),
            files.graph.cost(),
            inference,
            savings.shared,
            savings.skipped,
        ),
        seconds,
        curve,
        data: DataReport {
            images: dataset.len(),
            train: dataset.indices(Split::Train).len(),
            architecture: dataset.indices(Split::Architecture).len(),
            validation: dataset.indices(Split::Validation).len(),
            test: dataset.indices(Split::Test).len(),
            skipped: dataset.skipped.len(),
        },
        stopped: cancel.is_cancelled(),
    };
    Ok(Outcome { report, onnx: files.onnx, safetensors: files.safetensors, graft: files.graft })
}

/// The joins that were scored, for reports.
pub fn candidate_reports(space: &Space, scores: &Scores) -> Vec<CandidateReport> {
    let of = |((receiver, join), score): (&(usize, Join), &Score)| CandidateReport {
        receiver: *receiver,
        receiver_point: join.receiver_point,
        donor: join.donor,
        donor_point: join.donor_point,
        agreement: score.agreement,
        kappa: score.kappa,
        divergence: score.divergence,
        r_squared: score.r_squared,
        macs_kept: space.source_macs(*receiver, Source::Join(*join)) as f64
            / space.networks[*receiver].macs.max(1) as f64,
    };
    scores.iter().map(of).collect()
}

/// Announces a phase, unless the run has been stopped.
fn begin(phase: Phase, on_event: OnEvent<'_>, cancel: &Cancel) -> Result<Stopwatch, ProjectError> {
    if cancel.is_cancelled() {
        return Err(ProjectError::Cancelled);
    }
    on_event(Event::PhaseStarted { phase });
    Ok(Stopwatch::start())
}

fn apart(networks: &[Prepared]) -> Cost {
    networks.iter().map(|network| network.graph.cost()).fold(Cost::default(), |sum, cost| Cost {
        macs: sum.macs + cost.macs,
        params: sum.params + cost.params,
    })
}
