//! The phases of a run.

use burn::module::Module;
use burn::tensor::Device;

use super::checkpoint::{Archive, Checkpoint, Chosen, Ledger};
use super::crew::Crew;
use super::evaluate::{Evaluation, worst_drop_points};
use super::export::export;
use super::judge::{Around, search};
use super::observer::DistilObserver;
use super::timing::milliseconds;
use super::workshop::Workshop;
use super::{Event, OnEvent, Phase, Project, ProjectError, Settings};
use crate::data::Split;
use crate::graph::Cost;
use crate::join::{Join, JoinError, Plan, Source, Space};
use crate::net::Prepared;
use crate::platform::{Cancel, Stopwatch};
use crate::report::{
    CandidateReport, CostReport, DataReport, JudgedPlan, Milliseconds, Report, SCHEMA_VERSION, TaskReport,
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

/// Whoever a run works for: hears of it, may stop it, and keeps its checkpoints.
pub struct Host<'a> {
    pub on_event: OnEvent<'a>,
    pub cancel: &'a Cancel,
    pub archive: Option<&'a dyn Archive>,
    /// Other workers that may judge plans.
    pub crew: Option<&'a dyn Crew>,
    /// What the run is to go on from.
    pub resume: Option<Checkpoint>,
}

/// Joins the project's networks and fine-tunes the result.
///
/// # Errors
///
/// Too little is loaded, no plan meets the budget, training diverges, the device fails, the checkpoint to go on from is of
/// another run, or the run is stopped before training has begun. The project is as it was.
pub async fn run(
    project: &mut Project,
    settings: &Settings,
    (device, device_name): (&Device, &str),
    host: Host<'_>,
) -> Result<Outcome, ProjectError> {
    settings.check()?;
    let Host { on_event, cancel, archive, crew, resume } = host;
    let total = Stopwatch::start();
    let networks = project.networks()?;
    let dataset = project.dataset().await?;
    let ledger = Ledger::new(resume, archive, settings, &networks, dataset)?;
    let mut seconds = ledger.seconds();
    let seconds_before = seconds.total;
    let mut workshop = Workshop::new(&networks, dataset, settings, device, cancel)?;
    let clock = begin(Phase::Teachers, on_event, cancel)?;
    workshop.measure_costs(ledger.costs()).await?;
    ledger.set_costs(workshop.space.costs.clone());
    let base = workshop.base;
    match &settings.plan {
        Some(plan) => check_plan(&workshop, plan)?,
        None => check_budget(&workshop.space, base, settings.budget)?,
    }
    seconds.search += clock.elapsed_seconds();

    let clock = Stopwatch::start();
    let tell = |done, total| on_event(Event::progress(Phase::Teachers, done, total, clock));
    let labels = workshop.labels.clone();
    let teachers = &workshop.teachers;
    let validation =
        Evaluation::new(dataset, Split::Validation, VALIDATION_IMAGES, labels, teachers, &tell).await?;
    seconds.teachers += clock.elapsed_seconds();

    let clock = begin(Phase::Score, on_event, cancel)?;
    let chosen = match (ledger.chosen(), settings.plan.clone()) {
        (Some(chosen), _) => {
            chosen.plan.check(&workshop.space)?;
            workshop.blank_adapters(&chosen.plan);
            retell(&chosen, on_event);
            chosen
        }
        (None, Some(plan)) => {
            workshop.fit(&plan.joins().collect::<Vec<_>>(), &|_| {}).await?;
            seconds.search += clock.elapsed_seconds();
            let chosen = Chosen { plan, ..Chosen::default() };
            ledger.set_chosen(chosen.clone());
            chosen
        }
        (None, None) => {
            let scores = workshop.score(on_event).await?;
            begin(Phase::Search, on_event, cancel)?;
            let wanted = (settings.selector, settings.budget);
            let around = Around { on_event, ledger: &ledger, crew };
            let found = search(&workshop, &validation, &scores, wanted, around).await?;
            seconds.search += clock.elapsed_seconds();
            let candidates = candidate_reports(&workshop.space, &scores);
            let chosen = Chosen { plan: found.plan, candidates, judged: found.judged, steps: found.steps };
            ledger.set_chosen(chosen.clone());
            chosen
        }
    };
    let Chosen { plan, candidates, judged, steps } = chosen;
    let space = workshop.space.clone();
    let summary = space.summary(&plan);
    on_event(Event::PlanChosen { plan: summary.clone() });

    let clock = begin(Phase::Distil, on_event, cancel)?;
    let (merged, mut student) = workshop.build(&plan)?;
    let (start, curve) = ledger.training();
    if start.as_ref().is_some_and(|start| !start.fits(&student)) {
        return Err(ProjectError::OtherRun);
    }
    seconds.total = seconds_before + total.elapsed_seconds();
    let mut observer = DistilObserver {
        evaluation: &validation,
        outputs: student.outputs.clone(),
        on_event,
        clock,
        curve,
        ledger: &ledger,
        seconds,
    };
    workshop.train(&plan, &merged, &mut student, &settings.train, start.as_ref(), &mut observer).await?;
    let curve = observer.curve;
    seconds.train += clock.elapsed_seconds();

    on_event(Event::PhaseStarted { phase: Phase::Evaluate });
    let clock = Stopwatch::start();
    let (few, all) = (VALIDATION_IMAGES, usize::MAX);
    let batches = [(Split::Validation, few), (Split::Test, all)]
        .map(|(split, n)| Evaluation::batches(dataset, split, n));
    let tell = |before: usize| {
        let total = batches[0] + 2 * batches[1];
        move |done, _| on_event(Event::progress(Phase::Evaluate, before + done, total, clock))
    };
    let (network, outputs) = (&student.network, &student.outputs);
    let on_validation = validation.compare(network, outputs, &tell(0)).await?;
    let test = {
        let (labels, tell) = (workshop.known_labels.clone(), tell(batches[0]));
        Evaluation::new(dataset, Split::Test, all, labels, &workshop.teachers, &tell).await?
    };
    let on_test = test.compare(network, outputs, &tell(batches[0] + batches[1])).await?;
    seconds.evaluate += clock.elapsed_seconds();

    on_event(Event::PhaseStarted { phase: Phase::Export });
    let files = export(&student.network.valid(), &merged, &networks, &summary, base).await?;
    seconds.total = seconds_before + total.elapsed_seconds();
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
        candidates,
        judged,
        search_steps: steps,
        tasks: networks
            .iter()
            .flat_map(|network| &network.tasks)
            .zip(on_validation.iter().zip(&on_test))
            .map(|(task, (validation, test))| TaskReport {
                name: task.name.clone(),
                kind: task.kind,
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

/// Tells anew of what a run that goes on from a checkpoint had told before.
fn retell(chosen: &Chosen, on_event: OnEvent<'_>) {
    for CandidateReport {
        receiver,
        receiver_point,
        donor,
        donor_point,
        agreement,
        kappa,
        divergence,
        r_squared,
        ..
    } in chosen.candidates.iter().cloned()
    {
        on_event(Event::CandidateScored {
            donor,
            donor_point,
            receiver,
            receiver_point,
            agreement,
            kappa,
            divergence,
            r_squared,
        });
    }
    on_event(Event::PhaseStarted { phase: Phase::Search });
    for step in &chosen.steps {
        on_event(Event::SearchStep { step: step.clone() });
    }
    for JudgedPlan { plan, image_passes, worst_drop_points } in chosen.judged.iter().cloned() {
        on_event(Event::PlanJudged { plan, image_passes, worst_drop_points });
    }
}

/// A plan that is given must fit the networks, and leave the base as it is.
fn check_plan(workshop: &Workshop, plan: &Plan) -> Result<(), ProjectError> {
    plan.check(&workshop.space)?;
    if let Some(base) = workshop.base.filter(|base| plan.0[*base] != Source::Root) {
        let name = &workshop.space.networks[base].name;
        let reason =
            format!("it joins '{name}', which is to stay as it is. Hint: name another base, or none");
        return Err(JoinError::InvalidPlan { reason }.into());
    }
    Ok(())
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
