//! Fine-tunes and measures plans one by one, and runs searches beside them, for evidence.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use burn::tensor::Device;

use super::checkpoint::Ledger;
use super::evaluate::{Comparison, Evaluation};
use super::judge::{Around, search};
use super::observer::Unobserved;
use super::run::{VALIDATION_IMAGES, candidate_reports};
use super::workshop::Workshop;
use super::{Project, ProjectError, Settings};
use crate::data::Split;
use crate::join::{CostMeasure, Plan, Source, SpaceNetwork};
use crate::platform::{Cancel, ProcessorClock};
use crate::report::{PlanLine, SearchLine, SpaceLine, TableLine};
use crate::search::{Scores, SearchError, SelectorName, check_budget};

/// What a table is to hold.
#[derive(Clone, Debug)]
pub struct TableRequest {
    pub settings: Settings,
    pub seeds: Vec<u32>,
    pub shard: Shard,
    /// Searches to run with every seed: who, and within which budget.
    pub searches: Vec<(SelectorName, f64)>,
    pub plans: TablePlans,
}

/// Which part of the work is to be done: every `of`-th plan and search, beginning with number `index` (from 0).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    pub index: usize,
    pub of: usize,
}

impl Shard {
    fn has(self, number: usize) -> bool {
        number % self.of == self.index
    }
}

/// The plans that are fine-tuned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TablePlans {
    /// Every plan of the space.
    All,
    /// What the searches choose, each with the seed of its search.
    Chosen,
    /// The same, and the rest of each search's front.
    Front,
}

impl TablePlans {
    /// The plans that a search asks for.
    fn of(self, line: &SearchLine, networks: &[SpaceNetwork]) -> Vec<Plan> {
        match self {
            Self::All => Vec::new(),
            Self::Chosen => vec![line.plan.clone()],
            Self::Front => line.front(networks).into_iter().chain([line.plan.clone()]).collect(),
        }
    }
}

/// Hears of every line, with how many there are by now of how many; breaks off.
pub type OnLine<'a> = &'a mut dyn FnMut(TableLine, usize, usize) -> ControlFlow<()>;

/// Most plans that are enumerated.
const MOST_PLANS: usize = 100_000;

/// Makes the lines that are asked for, one after the other, but for those that are `known`.
///
/// # Errors
///
/// As a run's, and a space of more than 100,000 plans if all are wanted.
pub async fn tabulate(
    project: &mut Project,
    request: &TableRequest,
    known: &[TableLine],
    device: &Device,
    on_line: OnLine<'_>,
) -> Result<(), ProjectError> {
    request.settings.check()?;
    let networks = project.networks()?;
    let dataset = project.dataset().await?;
    let cancel = Cancel::default();
    let mut counted = (0, 0);
    for (round, seed) in request.seeds.iter().enumerate() {
        // A table is of MACs: what a device makes of them would not be the same in all its parts.
        let settings = Settings { seed: *seed, cost: CostMeasure::Macs, ..request.settings.clone() };
        let clock = ProcessorClock::start();
        let mut workshop = Workshop::new(&networks, dataset, &settings, device, &cancel)?;
        for (_, budget) in &request.searches {
            check_budget(&workshop.space, workshop.base, *budget)?;
        }
        let mut todo = Todo::new(request, known, &workshop, round)?;
        let rounds = request.seeds.len() - round;
        counted.1 = counted.0 + (todo.plans.len() + todo.searches.len()) * rounds;
        if todo.is_empty() {
            continue;
        }
        let labels = [workshop.labels.clone(), workshop.known_labels.clone()];
        let scores = workshop.score(&|_| {}).await?;
        let [on_validation, on_test] = labels;
        let teachers = &workshop.teachers;
        let quiet = |_: usize, _: usize| {};
        let (part, labels) = (VALIDATION_IMAGES, on_validation.clone());
        let for_search = Evaluation::new(dataset, Split::Validation, part, labels, teachers, &quiet).await?;
        let told = known.iter().any(|line| match line {
            TableLine::Space(line) => line.seed == *seed && speaks_of(line, &settings),
            _ => false,
        });
        let line = SpaceLine {
            version: env!("CARGO_PKG_VERSION").into(),
            seed: *seed,
            settings: serde_json::json!(settings),
            networks: workshop.space.networks.clone(),
            candidates: candidate_reports(&workshop.space, &scores),
            seconds: clock.elapsed_seconds(),
        };
        if !told && on_line(TableLine::Space(Box::new(line)), counted.0, counted.1).is_break() {
            return Ok(());
        }
        let validation =
            Evaluation::new(dataset, Split::Validation, usize::MAX, on_validation, teachers, &quiet).await?;
        let test = Evaluation::new(dataset, Split::Test, usize::MAX, on_test, teachers, &quiet).await?;
        for (selector, budget) in todo.searches {
            let found = search_line(&workshop, &for_search, &scores, selector, budget).await;
            // Not every selector can meet every budget that some plan meets.
            if let Err(ProjectError::Search(SearchError::BudgetOutOfReach { .. })) = found {
                counted.0 += 1;
                continue;
            }
            let line = found?;
            let asked = request.plans.of(&line, &workshop.space.networks).into_iter();
            todo.plans.extend(asked.filter(|plan| !is_done(known, workshop.settings, plan)));
            counted.0 += 1;
            if on_line(TableLine::Search(Box::new(line)), counted.0, counted.1).is_break() {
                return Ok(());
            }
        }
        for plan in todo.plans {
            let line = plan_line(&workshop, &validation, &test, plan).await?;
            counted.0 += 1;
            if on_line(TableLine::Plan(Box::new(line)), counted.0, counted.1.max(counted.0)).is_break() {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// Whether a line was written under these settings: by an older version perhaps, which knew fewer of them.
fn speaks_of(line: &SpaceLine, settings: &Settings) -> bool {
    serde_json::from_value::<Settings>(line.settings.clone()).is_ok_and(|told| told == *settings)
}

/// Whether the table has a line of this plan, with this seed and this training.
fn is_done(known: &[TableLine], settings: &Settings, plan: &Plan) -> bool {
    known.iter().any(|line| match line {
        TableLine::Plan(line) => {
            line.seed == settings.seed
                && line.image_passes == settings.train.image_passes
                && line.plan == *plan
        }
        _ => false,
    })
}

/// What is left to do with one seed.
struct Todo {
    searches: Vec<(SelectorName, f64)>,
    plans: BTreeSet<Plan>,
}

impl Todo {
    fn new(
        request: &TableRequest,
        known: &[TableLine],
        workshop: &Workshop,
        round: usize,
    ) -> Result<Self, ProjectError> {
        let seed = workshop.settings.seed;
        let found = known.iter().filter_map(|line| match line {
            TableLine::Search(line) if line.seed == seed => Some(&**line),
            _ => None,
        });
        let found: Vec<&SearchLine> = found.collect();
        let mine = |number: usize| request.shard.has(number + round);
        let searches = request.searches.iter().enumerate();
        let searches = searches.filter(|(number, _)| mine(*number)).map(|(_, search)| *search);
        let is_found = |(selector, budget): &(SelectorName, f64)| {
            found.iter().any(|line| line.selector == *selector && line.budget == *budget)
        };
        let (done, left): (Vec<_>, Vec<_>) = searches.partition(is_found);
        let mut plans: Vec<Plan> = match request.plans {
            TablePlans::All => {
                let all = workshop.space.plans(MOST_PLANS);
                let all = all.ok_or(ProjectError::TooManyPlans { most: MOST_PLANS })?;
                all.into_iter()
                    .enumerate()
                    .filter(|(number, _)| mine(*number))
                    .map(|(_, plan)| plan)
                    .collect()
            }
            of_searches => found
                .iter()
                .filter(|line| done.contains(&(line.selector, line.budget)))
                .flat_map(|line| of_searches.of(line, &workshop.space.networks))
                .collect(),
        };
        plans.retain(|plan| {
            workshop.base.is_none_or(|base| plan.0[base] == Source::Root)
                && !is_done(known, workshop.settings, plan)
        });
        Ok(Self { searches: left, plans: plans.into_iter().collect() })
    }

    fn is_empty(&self) -> bool {
        self.searches.is_empty() && self.plans.is_empty()
    }
}

async fn search_line<'a>(
    workshop: &Workshop<'a>,
    validation: &Evaluation<'a>,
    scores: &Scores,
    selector: SelectorName,
    budget: f64,
) -> Result<SearchLine, ProjectError> {
    let clock = ProcessorClock::start();
    let around = Around { on_event: &|_| {}, ledger: &Ledger::blank(), crew: None };
    let found = search(workshop, validation, scores, (selector, budget), around).await?;
    Ok(SearchLine {
        selector,
        budget,
        seed: workshop.settings.seed,
        plan: found.plan,
        judged: found.judged,
        likely: found.steps.into_iter().next_back().map(|step| step.likely),
        seconds: clock.elapsed_seconds(),
    })
}

async fn plan_line(
    workshop: &Workshop<'_>,
    validation: &Evaluation<'_>,
    test: &Evaluation<'_>,
    plan: Plan,
) -> Result<PlanLine, ProjectError> {
    let clock = ProcessorClock::start();
    let settings = workshop.settings;
    let (merged, mut student) = workshop.build(&plan)?;
    workshop.train(&plan, &merged, &mut student, &settings.train, None, &mut Unobserved).await?;
    let on_validation = validation.compare(&student.network, &student.outputs, &|_, _| {}).await?;
    let seconds = clock.elapsed_seconds();
    let on_test = test.compare(&student.network, &student.outputs, &|_, _| {}).await?;
    let scores = |compared: &[Comparison]| compared.iter().map(Comparison::scores).collect();
    Ok(PlanLine {
        seed: settings.seed,
        relative_macs: workshop.space.relative_macs(&plan),
        macs: workshop.space.macs(&plan),
        params: merged.graph.cost().params,
        image_passes: settings.train.image_passes,
        validation: scores(&on_validation),
        test: scores(&on_test),
        seconds,
        plan,
    })
}
