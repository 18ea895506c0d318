//! Simulated annealing over plans, after GMorph (Yang et al., EuroSys 2024).

use rand::rngs::ChaCha8Rng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};

use super::evaluator::{Judged, SearchNews};
use super::matching::Matching;
use super::{Decision, Evaluator, Problem, Proposals, SearchError, Selector};
use crate::join::{Join, Plan, Source};

/// Mutates an elite, trains it briefly, and accepts it if it is better or, with a chance that falls with the
/// temperature, if it is not.
#[derive(Clone, Copy, Debug)]
pub struct Annealing;

/// Temperature at the start and at the end, in points of accuracy.
const TEMPERATURE: [f64; 2] = [10.0, 0.5];
/// Points of accuracy that a whole original network's cost above the budget counts for.
const EXCESS: f64 = 100.0;
/// Plans that may be mutated further.
const ELITES: usize = 6;
/// Attempts to find a mutation that is valid and new.
const ATTEMPTS: usize = 200;

impl Selector for Annealing {
    async fn propose(
        &self,
        problem: &Problem<'_>,
        evaluator: &mut impl Evaluator,
    ) -> Result<Proposals, SearchError> {
        let Decision { judged, front } = self.select(problem, evaluator).await?;
        Ok(Proposals { plans: judged.into_iter().map(|judged| judged.plan).collect(), front })
    }

    async fn select(
        &self,
        problem: &Problem<'_>,
        evaluator: &mut impl Evaluator,
    ) -> Result<Decision, SearchError> {
        let mut rng = ChaCha8Rng::seed_from_u64(problem.seed);
        let passes = problem.settings.finalist_image_passes;
        let energy = |plan: &Plan, drop: f64| {
            drop + EXCESS * (problem.space.relative_cost(plan) - problem.budget).max(0.0)
        };
        let apart = Plan::apart(problem.space.networks.len());
        let mut current = energy(&apart, 0.0);
        let mut elites = vec![(current, apart)];
        let mut judged: Vec<Judged> = Vec::new();
        let steps = problem.settings.evaluations.max(1);
        for step in 0..steps {
            let done = step as f64 / steps as f64;
            let temperature = TEMPERATURE[0] * (TEMPERATURE[1] / TEMPERATURE[0]).powf(done);
            let Some(plan) = mutate(problem, &elites, &judged, &mut rng) else { break };
            let [result] = &evaluator.judge(std::slice::from_ref(&plan), passes).await?[..] else { break };
            let found = energy(&plan, result.worst_drop_points);
            judged.push(result.clone());
            evaluator.tell(SearchNews::Progress { done: step + 1, total: steps });
            if found <= current || rng.random_range(0.0..1.0) < ((current - found) / temperature).exp() {
                current = found;
                elites.push((found, plan));
                elites.sort_by(|a, b| a.0.total_cmp(&b.0));
                elites.truncate(ELITES);
            }
        }
        // For a further budget the best that was met on the way.
        judged.sort_by(|a, b| a.worst_drop_points.total_cmp(&b.worst_drop_points));
        let within = |budget: &f64| {
            judged.iter().find(|judged| Problem { budget: *budget, ..*problem }.fits(&judged.plan))
        };
        let front = problem.further.iter().filter_map(within).map(|judged| judged.plan.clone()).collect();
        judged.retain(|judged| problem.fits(&judged.plan));
        if judged.is_empty() {
            // Nothing within the budget was met on the way.
            return Matching.select(problem, evaluator).await;
        }
        Ok(Decision { judged, front })
    }
}

/// An elite with one network's source drawn anew: valid, not judged before, and no dearer than the elite unless it meets
/// the budget.
fn mutate(
    problem: &Problem,
    elites: &[(f64, Plan)],
    judged: &[Judged],
    rng: &mut ChaCha8Rng,
) -> Option<Plan> {
    for _ in 0..ATTEMPTS {
        let (_, elite) = elites.choose(rng)?;
        let network = rng.random_range(0..problem.space.networks.len());
        let joins: Vec<Join> = problem.joins(network).collect();
        let mut plan = elite.clone();
        plan.0[network] = joins.choose(rng).map_or(Source::Root, |join| Source::Join(*join));
        let dearest = problem.budget.max(problem.space.relative_cost(elite));
        if plan.check(problem.space).is_ok()
            && problem.space.relative_cost(&plan) <= dearest
            && judged.iter().all(|known| known.plan != plan)
        {
            return Some(plan);
        }
    }
    None
}
