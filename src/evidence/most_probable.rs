//! What the differentiable search's probabilities alone would choose, without comparing finalists.

use serde::Serialize;

use super::figures::{best_row, within};
use super::predictors::log_probability;
use super::table::{Row, Table, mean};
use crate::report::SearchLine;

/// The most probable plan at one budget, as DARTS would take it.
#[derive(Debug, Serialize)]
pub struct MostProbable {
    pub budget: f64,
    /// Seeds whose search told its probabilities and left a plan within the budget.
    pub seeds: usize,
    /// Mean worst drop on test of these plans, in points.
    pub drop: f64,
    /// What this is above the drop of the plan that a full search with all seeds chooses, in points.
    pub regret: f64,
    /// Mean regret of what these same searches chose by comparing finalists.
    pub regret_of_finalists: f64,
}

/// One per budget at which a search told its probabilities; none where not every plan was trained.
pub fn most_probable(table: &Table, budgets: &[f64]) -> Vec<MostProbable> {
    if !table.is_whole() {
        return Vec::new();
    }
    budgets.iter().filter_map(|budget| at(table, *budget)).collect()
}

fn at(table: &Table, budget: f64) -> Option<MostProbable> {
    let full = best_row(table, budget)?.test();
    let searches = table.seeds.iter().flat_map(|seed| &seed.searches).filter(|line| line.budget == budget);
    let chosen: Vec<[f64; 2]> = searches
        .filter_map(|line| Some([likeliest(table, line)?.test(), table.row(&line.plan)?.test()]))
        .collect();
    let drop = mean(chosen.iter().map(|[likeliest, _]| *likeliest));
    let of_finalists = mean(chosen.iter().map(|[_, found]| *found));
    (!chosen.is_empty()).then_some(MostProbable {
        budget,
        seeds: chosen.len(),
        drop,
        regret: drop - full,
        regret_of_finalists: of_finalists - full,
    })
}

/// The plan within the search's budget to which its probabilities give most.
fn likeliest<'t>(table: &'t Table, line: &SearchLine) -> Option<&'t Row> {
    let known = within(table, line.budget).filter_map(|row| Some((row, log_probability(&row.plan, line)?)));
    known.max_by(|(_, a), (_, b)| a.total_cmp(b)).map(|(row, _)| row)
}
