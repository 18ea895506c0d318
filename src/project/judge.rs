//! A search with all that selectors ask for: brief training, and the supernet.

use super::checkpoint::Ledger;
use super::crew::{Crew, Errand};
use super::evaluate::{Evaluation, worst_drop_points};
use super::observer::Unobserved;
use super::supernet::Supernet;
use super::workshop::Workshop;
use super::{Event, OnEvent, Phase, ProjectError};
use crate::join::{JoinError, Plan, Space};
use crate::platform::{Stopwatch, for_all, lanes, yield_now};
use crate::report::JudgedPlan;
use crate::search::{
    Decision, Evaluator, Judged, Problem, Scores, SearchError, SearchNews, SearchStep, SelectorName,
    best_scores, nearest_budget, select, share_all,
};
use crate::train::{TrainError, TrainSettings};

/// What a search found.
pub struct Found {
    pub plan: Plan,
    /// Plans that were compared after brief training.
    pub judged: Vec<JudgedPlan>,
    /// The way of a differentiable search.
    pub steps: Vec<SearchStep>,
}

/// What a search tells, remembers, and is helped by.
#[derive(Clone, Copy)]
pub struct Around<'a> {
    pub on_event: OnEvent<'a>,
    pub ledger: &'a Ledger<'a>,
    pub crew: Option<&'a dyn Crew>,
}

/// Chooses a plan of the workshop's space within a budget.
///
/// # Errors
///
/// No plan meets the budget, a plan cannot be trained, the device fails, or the run is cancelled.
pub async fn search<'a>(
    workshop: &Workshop<'a>,
    validation: &Evaluation<'a>,
    scores: &Scores,
    (selector, budget): (SelectorName, f64),
    around: Around<'_>,
) -> Result<Found, ProjectError> {
    let space = workshop.space.clone();
    let settings = &workshop.settings.search;
    let further = further_budgets(&space, workshop.base, settings.front_budgets);
    let problem = Problem {
        space: &space,
        scores,
        settings,
        budget,
        further: &further,
        seed: workshop.settings.seed.into(),
        base: workshop.base,
    };
    let mut referee = Referee::new(workshop, validation, around);
    let Decision { judged, front } = select(selector, &problem, &mut referee).await?;
    let plan = judged.first().ok_or_else(|| problem.out_of_reach())?.plan.clone();
    if !further.is_empty() {
        // Beside the search's plans for other budgets, what it is to be held against.
        let all = Problem { budget: 1.0, ..problem };
        let baselines = [share_all(&all), best_scores(&problem)].into_iter().flatten();
        let baselines = baselines.filter_map(|plans| plans.into_iter().next());
        let passes = settings.finalist_image_passes;
        let mut plans: Vec<Plan> = Vec::new();
        for plan in front.into_iter().chain(baselines).chain([plan.clone()]) {
            let is_known = |judged: &Judged| judged.plan == plan && judged.image_passes == passes;
            if !plans.contains(&plan) && !judged.iter().any(is_known) && plan.joins().next().is_some() {
                plans.push(plan);
            }
        }
        let total = plans.len();
        for (done, plan) in plans.chunks(referee.at_once().max(1)).enumerate() {
            referee.judge(plan, passes).await?;
            let done = (done * referee.at_once() + plan.len()).min(total);
            referee.tell(SearchNews::Progress { done, total });
        }
    }
    Ok(Found { plan, judged: referee.judged, steps: referee.steps })
}

/// Budgets for the front, evenly spread between the smallest that a plan meets and running the networks apart.
fn further_budgets(space: &Space, base: Option<usize>, count: usize) -> Vec<f64> {
    let nearest = if count > 0 { nearest_budget(space, base) } else { 1.0 };
    (0..count).map(|index| nearest + 1e-9 + (1.0 - nearest) * index as f64 / count as f64).collect()
}

/// Trains and measures in the workshop, and keeps what was found.
struct Referee<'w, 'a> {
    workshop: &'w Workshop<'a>,
    validation: &'w Evaluation<'a>,
    around: Around<'w>,
    /// Since the part of the search that is going on began.
    clock: Stopwatch,
    /// How far that part is.
    done: usize,
    supernet: Option<Supernet>,
    judged: Vec<JudgedPlan>,
    steps: Vec<SearchStep>,
}

impl<'w, 'a> Referee<'w, 'a> {
    fn new(workshop: &'w Workshop<'a>, validation: &'w Evaluation<'a>, around: Around<'w>) -> Self {
        let (clock, judged, steps) = (Stopwatch::start(), Vec::new(), Vec::new());
        Self { workshop, validation, around, clock, done: 0, supernet: None, judged, steps }
    }

    /// The worst drops of plans after brief training, in points.
    async fn measure(&self, plans: &[&Plan], image_passes: usize) -> Vec<Result<f64, ProjectError>> {
        let (workshop, validation) = (self.workshop, self.validation);
        let here = |plan| measure(workshop, validation, plan, image_passes);
        let (Some(crew), [first, others @ ..]) = (self.around.crew, plans) else {
            return for_all(plans, |plan| here(plan)).await;
        };
        let sent: Vec<_> =
            others.iter().map(|plan| crew.send(&Errand::new(workshop, plan, image_passes))).collect();
        let mut drops = vec![here(first).await];
        for (plan, answer) in others.iter().zip(sent) {
            drops.push(match answer.await {
                Some(drop) => Ok(drop),
                None if workshop.cancel.is_cancelled() => Err(ProjectError::Cancelled),
                None => here(plan).await,
            });
        }
        drops
    }

    fn go_on(&self) -> Result<(), SearchError> {
        if self.workshop.cancel.is_cancelled() { Err(SearchError::Cancelled) } else { Ok(()) }
    }

    /// The supernet, made when it is first asked for.
    fn supernet(&mut self) -> Result<Supernet, TrainError> {
        match self.supernet.take() {
            Some(supernet) => Ok(supernet),
            None => Ok(Supernet::new(self.workshop)?),
        }
    }
}

/// The worst drop of a plan after brief training, in points.
pub async fn measure(
    workshop: &Workshop<'_>,
    validation: &Evaluation<'_>,
    plan: &Plan,
    image_passes: usize,
) -> Result<f64, ProjectError> {
    let (merged, mut student) = workshop.build(plan)?;
    let settings = TrainSettings { image_passes, ..workshop.settings.train.clone() };
    workshop.train(plan, &merged, &mut student, &settings, None, &mut Unobserved).await?;
    let compared = validation.compare(&student.network, &student.outputs, &|_, _| {}).await?;
    Ok(worst_drop_points(&compared))
}

fn as_search_error(error: ProjectError) -> SearchError {
    match error {
        ProjectError::Cancelled => SearchError::Cancelled,
        ProjectError::Join(error) => SearchError::Join(error),
        ProjectError::Train(error) => SearchError::Train(error),
        ProjectError::Device(error) => SearchError::Train(TrainError::Network(error)),
        other => SearchError::Join(JoinError::InvalidPlan { reason: other.to_string() }),
    }
}

impl Evaluator for Referee<'_, '_> {
    fn at_once(&self) -> usize {
        self.around.crew.map_or_else(lanes, |crew| crew.size() + 1)
    }

    async fn judge(&mut self, plans: &[Plan], image_passes: usize) -> Result<Vec<Judged>, SearchError> {
        self.go_on()?;
        let mut known: Vec<Option<Judged>> =
            plans.iter().map(|plan| self.around.ledger.known(plan, image_passes)).collect();
        let new: Vec<&Plan> =
            plans.iter().zip(&known).filter(|(_, known)| known.is_none()).map(|(plan, _)| plan).collect();
        let drops = self.measure(&new, image_passes).await;
        for (plan, drop) in new.iter().zip(drops) {
            let worst_drop_points = drop.map_err(as_search_error)?;
            self.go_on()?;
            let judged = Judged { plan: (*plan).clone(), image_passes, worst_drop_points };
            self.around.ledger.add(judged.clone());
            if let Some(place) = plans.iter().position(|known| known == *plan) {
                known[place] = Some(judged);
            }
        }
        let judged: Vec<Judged> = known.into_iter().flatten().collect();
        for Judged { plan, worst_drop_points, .. } in &judged {
            let (summary, worst_drop_points) = (self.workshop.space.summary(plan), *worst_drop_points);
            self.judged.push(JudgedPlan { plan: summary.clone(), image_passes, worst_drop_points });
            (self.around.on_event)(Event::PlanJudged { plan: summary, image_passes, worst_drop_points });
        }
        Ok(judged)
    }

    async fn train_shared(&mut self, plan: &Plan, progress: f64, warm_up: bool) -> Result<(), SearchError> {
        self.go_on()?;
        let mut supernet = self.supernet()?;
        supernet.train(self.workshop, plan, progress, warm_up).await?;
        self.supernet = Some(supernet);
        yield_now().await;
        Ok(())
    }

    async fn distances(&mut self, plans: &[Plan]) -> Result<Vec<Vec<f64>>, SearchError> {
        let mut supernet = self.supernet()?;
        let distances = supernet.distances(self.workshop, plans).await?;
        self.supernet = Some(supernet);
        Ok(distances)
    }

    fn tell(&mut self, news: SearchNews) {
        match news {
            SearchNews::Progress { done, total } => {
                if done <= self.done {
                    self.clock = Stopwatch::start();
                }
                self.done = done;
                (self.around.on_event)(Event::progress(Phase::Search, done, total, self.clock));
            }
            SearchNews::Step(step) => {
                (self.around.on_event)(Event::SearchStep { step: step.clone() });
                self.steps.push(step);
            }
        }
    }
}
