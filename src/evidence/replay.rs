//! Searches replayed against a table.

use super::table::Table;
use crate::join::{JoinError, Plan};
use crate::search::{
    Evaluator, Judged, Problem, SearchError, SearchNews, SearchSettings, SelectorName, select,
};

/// What a search chose, and the processor time of all its stages.
pub struct Choice {
    pub plan: Plan,
    pub seconds: f64,
}

/// Lets a selector choose with the table in place of training. A plan is judged by its row, so with all image passes of
/// the table, and costs the row's time. `None` for the selectors that need more than rows, or plans that have none.
pub fn replay(table: &Table, name: SelectorName, budget: f64, seed: usize) -> Option<Choice> {
    // These train further where they have trained before, or train layers that plans share.
    if matches!(name, SelectorName::Differentiable | SelectorName::Halving) {
        return None;
    }
    let settings = SearchSettings { finalist_rounds: 1, ..table.settings.clone() };
    let of_seed = &table.seeds[seed];
    let problem = Problem {
        space: &table.space,
        scores: &of_seed.scores,
        settings: &settings,
        budget,
        further: &[],
        seed: of_seed.seed.into(),
        base: table.base,
    };
    let mut rows = Rows { table, seed, seconds: of_seed.seconds };
    let judged = pollster::block_on(select(name, &problem, &mut rows)).ok()?.judged;
    Some(Choice { plan: judged.into_iter().next()?.plan, seconds: rows.seconds })
}

struct Rows<'t> {
    table: &'t Table,
    seed: usize,
    seconds: f64,
}

impl Rows<'_> {
    fn lacking(what: &str) -> SearchError {
        SearchError::Join(JoinError::InvalidPlan { reason: format!("the table has no {what}") })
    }
}

impl Evaluator for Rows<'_> {
    async fn judge(&mut self, plans: &[Plan], _image_passes: usize) -> Result<Vec<Judged>, SearchError> {
        let mut judged = Vec::with_capacity(plans.len());
        for plan in plans {
            let result = self.table.row(plan).and_then(|row| row.results[self.seed]);
            let result = result.ok_or_else(|| Self::lacking("such plan"))?;
            self.seconds += result.seconds;
            let image_passes = self.table.image_passes;
            judged.push(Judged { plan: plan.clone(), image_passes, worst_drop_points: result.validation });
        }
        Ok(judged)
    }

    async fn train_shared(&mut self, _: &Plan, _: f64, _: bool) -> Result<(), SearchError> {
        Err(Self::lacking("shared layers"))
    }

    async fn distances(&mut self, _: &[Plan]) -> Result<Vec<Vec<f64>>, SearchError> {
        Err(Self::lacking("shared layers"))
    }

    fn tell(&mut self, _: SearchNews) {}
}
