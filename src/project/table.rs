//! Fine-tunes and measures plans one by one, for evidence.

use std::ops::ControlFlow;

use burn::tensor::Device;

use super::evaluate::{Comparison, Evaluation};
use super::observer::Unobserved;
use super::run::candidate_reports;
use super::workshop::Workshop;
use super::{Project, ProjectError, Settings};
use crate::data::Split;
use crate::join::{Plan, Source};
use crate::platform::{Cancel, Stopwatch};
use crate::report::{PlanLine, SpaceLine, TableLine};

/// Which part of the work is to be done: every `of`-th plan, beginning with number `index` (from 0).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    pub index: usize,
    pub of: usize,
}

/// Most plans that are enumerated.
const MOST_PLANS: usize = 100_000;

/// Fine-tunes every plan of the space with every seed, and hands out one line after the other, with how many plans are
/// done and how many there are, until `on_line` breaks off. Plans that `done` knows are left out.
///
/// # Errors
///
/// As a run's, and a space of more than 100,000 plans.
pub async fn tabulate(
    project: &mut Project,
    settings: &Settings,
    seeds: &[u32],
    shard: Shard,
    done: &dyn Fn(&Plan, u32) -> bool,
    device: &Device,
    on_line: &mut dyn FnMut(TableLine, usize, usize) -> ControlFlow<()>,
) -> Result<(), ProjectError> {
    settings.check()?;
    let networks = project.networks()?;
    let dataset = project.dataset().await?;
    let cancel = Cancel::default();
    let mut finished = 0;
    for (round, seed) in seeds.iter().enumerate() {
        let settings = Settings { seed: *seed, ..settings.clone() };
        let clock = Stopwatch::start();
        let mut workshop = Workshop::new(&networks, dataset, &settings, device, &cancel)?;
        let all = workshop.space.plans(MOST_PLANS).ok_or(ProjectError::TooManyPlans { most: MOST_PLANS })?;
        let mine: Vec<&Plan> = all
            .iter()
            .enumerate()
            .filter(|(index, _)| (index + round) % shard.of == shard.index)
            .map(|(_, plan)| plan)
            .filter(|plan| workshop.base.is_none_or(|base| plan.0[base] == Source::Root))
            .filter(|plan| !done(plan, *seed))
            .collect();
        let total = finished + mine.len() * (seeds.len() - round);
        if mine.is_empty() {
            continue;
        }
        let labels = [workshop.labels.clone(), workshop.known_labels.clone()];
        let scores = workshop.score(&|_| {}).await?;
        let [on_validation, on_test] = labels;
        let teachers = &mut workshop.teachers;
        let quiet = |_: usize, _: usize| {};
        let validation =
            Evaluation::new(dataset, Split::Validation, usize::MAX, on_validation, teachers, &quiet).await?;
        let line = SpaceLine {
            version: env!("CARGO_PKG_VERSION").into(),
            seed: *seed,
            settings: serde_json::json!(settings),
            networks: workshop.space.networks.clone(),
            candidates: candidate_reports(&workshop.space, &scores),
            seconds: clock.elapsed_seconds(),
        };
        if on_line(TableLine::Space(Box::new(line)), finished, total).is_break() {
            return Ok(());
        }
        let test = Evaluation::new(dataset, Split::Test, usize::MAX, on_test, teachers, &quiet).await?;
        for plan in mine {
            let clock = Stopwatch::start();
            let (merged, mut student) = workshop.build(plan)?;
            workshop.train(plan, &merged, &mut student, &settings.train, &mut Unobserved).await?;
            let on_validation = validation.compare(&student.network, &student.outputs).await?;
            let seconds = clock.elapsed_seconds();
            let on_test = test.compare(&student.network, &student.outputs).await?;
            let scores = |compared: &[Comparison]| compared.iter().map(Comparison::scores).collect();
            finished += 1;
            let line = PlanLine {
                plan: plan.clone(),
                seed: *seed,
                relative_macs: workshop.space.relative_macs(plan),
                macs: workshop.space.macs(plan),
                params: merged.graph.cost().params,
                image_passes: settings.train.image_passes,
                validation: scores(&on_validation),
                test: scores(&on_test),
                seconds,
            };
            if on_line(TableLine::Plan(Box::new(line)), finished, total).is_break() {
                return Ok(());
            }
        }
    }
    Ok(())
}
