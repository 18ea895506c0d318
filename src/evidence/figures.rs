//! The figures that a table gives: what each search loses against the full one, and what predicts a plan's worth.

use serde::Serialize;

use super::hypervolume::hypervolume;
use super::most_probable::{MostProbable, most_probable};
use super::predictors::{PredictorFigures, predictors};
use super::replay::{Choice, replay};
use super::table::{Row, Table, mean};
use crate::join::Plan;
use crate::report::{Point, front};
use crate::search::SelectorName;

/// All figures of a table.
#[derive(Debug, Serialize)]
pub struct Evidence {
    /// The tasks, in the order of the networks.
    pub tasks: Vec<String>,
    /// Plans that were fine-tuned.
    pub plans: usize,
    /// Whether these are all plans of the space; only then is there a full search to compare with.
    pub whole: bool,
    pub seeds: Vec<u32>,
    pub image_passes: usize,
    /// Processor time of training every plan with one seed, all stages counted; mean over the seeds.
    pub full_seconds: f64,
    pub selectors: Vec<SelectorFigures>,
    /// What the probabilities alone would choose.
    pub most_probable: Vec<MostProbable>,
    pub predictors: Vec<PredictorFigures>,
    /// The plans that no other beats in cost and in mean drop on validation, by cost.
    pub front: Vec<FrontPlan>,
}

/// A selector at one budget.
#[derive(Debug, Serialize)]
pub struct SelectorFigures {
    pub selector: SelectorName,
    pub budget: f64,
    /// Whether its searches were really run; else they were replayed against the table.
    pub run: bool,
    /// Mean worst drop on test of the plans that it chose on validation, in points: each plan's mean over the seeds.
    pub drop: f64,
    /// The same, by the seed that the search had.
    pub drops: Vec<f64>,
    /// Relative MACs of these plans.
    pub relative_macs: Vec<f64>,
    /// What `drop` is above that of the plan that a full search with all seeds chooses on validation, in points.
    pub regret: Option<f64>,
    /// Standard deviation between seeds of a plan's worst drop on test, in points: pooled over the best quarter of the
    /// plans within the budget.
    pub seed_noise: f64,
    /// Processor time of the search, all stages counted; mean over the seeds.
    pub seconds: f64,
    /// Time of the search relative to training every plan, all stages counted; mean over the seeds.
    pub time_ratio: Option<f64>,
    /// Of this selector's choices at all budgets, relative to a full search's at the same budgets.
    pub hypervolume_ratio: Option<f64>,
    /// The same, not relative, of the plans that each seed's searches chose, as they were trained with that seed: mean over
    /// the seeds, and standard deviation.
    pub hypervolume: [f64; 2],
    /// The same of the fronts of these searches: all plans that one compared and that no other of these beats. `None` if
    /// one of them was not trained with its search's seed.
    pub front_hypervolume: Option<[f64; 2]>,
}

/// A plan on the front.
#[derive(Debug, Serialize)]
pub struct FrontPlan {
    pub plan: Plan,
    pub relative_macs: f64,
    pub validation: f64,
    pub test: f64,
}

/// Draws all figures from a table, for these budgets; `None` takes those of the table's own searches, or else 0.4, 0.5,
/// 0.6 and 0.75.
pub fn figures(table: &Table, budgets: Option<Vec<f64>>) -> Evidence {
    let budgets = budgets.unwrap_or_else(|| own_budgets(table));
    let whole = table.is_whole();
    let full_seconds = mean((0..table.seeds.len()).map(|seed| table.full_seconds(seed)));
    let full: Vec<Option<&Row>> = budgets.iter().map(|budget| best_row(table, *budget)).collect();
    let full_volumes = (0..table.seeds.len()).map(|seed| volume(full.iter().flatten().copied(), seed));
    let full_volume = mean(full_volumes);
    let selectors = SelectorName::ALL
        .into_iter()
        .flat_map(|name| selector_figures(table, name, &budgets, whole.then_some((&full[..], full_volume))))
        .collect();
    let points: Vec<Point> = table.rows.iter().map(|row| [row.relative_macs, row.validation()]).collect();
    let front = front(&points).into_iter().map(|index| &table.rows[index]).map(|row| FrontPlan {
        plan: row.plan.clone(),
        relative_macs: row.relative_macs,
        validation: row.validation(),
        test: row.test(),
    });
    Evidence {
        tasks: table.space.networks.iter().map(|network| network.name.clone()).collect(),
        plans: table.rows.len(),
        whole,
        seeds: table.seeds.iter().map(|seed| seed.seed).collect(),
        image_passes: table.image_passes,
        full_seconds,
        selectors,
        most_probable: most_probable(table, &budgets),
        predictors: predictors(table),
        front: front.collect(),
    }
}

fn own_budgets(table: &Table) -> Vec<f64> {
    let mut budgets: Vec<f64> =
        table.seeds.iter().flat_map(|seed| seed.searches.iter().map(|search| search.budget)).collect();
    budgets.sort_by(f64::total_cmp);
    budgets.dedup();
    if budgets.is_empty() { vec![0.4, 0.5, 0.6, 0.75] } else { budgets }
}

/// Plans within a budget.
pub fn within(table: &Table, budget: f64) -> impl Iterator<Item = &Row> {
    table.rows.iter().filter(move |row| row.relative_macs <= budget)
}

/// What a full search with all seeds chooses.
pub fn best_row(table: &Table, budget: f64) -> Option<&Row> {
    within(table, budget).min_by(|a, b| a.validation().total_cmp(&b.validation()))
}

/// Hypervolume of some choices as they were trained with one seed; the originals apart are always one.
fn volume<'t>(choices: impl Iterator<Item = &'t Row>, seed: usize) -> f64 {
    let point =
        |row: &Row| [row.relative_macs, row.results[seed].map_or_else(|| row.test(), |result| result.test)];
    hypervolume(&choices.map(point).chain([[1.0, 0.0]]).collect::<Vec<_>>())
}

/// A full search's choices by budget, and their hypervolume.
type Full<'t> = (&'t [Option<&'t Row>], f64);

fn selector_figures(
    table: &Table,
    selector: SelectorName,
    budgets: &[f64],
    full: Option<Full>,
) -> Vec<SelectorFigures> {
    let chosen: Vec<Choices> =
        (0..budgets.len()).filter_map(|place| choices(table, selector, budgets[place], place)).collect();
    let seeds = 0..table.seeds.len();
    let volumes: Vec<f64> =
        seeds.clone().map(|seed| volume(chosen.iter().map(|choice| choice.rows[seed]), seed)).collect();
    let hypervolume = spread(&volumes);
    let fronts: Option<Vec<f64>> =
        seeds.clone().map(|seed| front_volume(table, selector, budgets, seed)).collect();
    let front_hypervolume = fronts.map(|volumes| spread(&volumes));
    chosen
        .iter()
        .map(|Choices { place, run, rows, seconds }| {
            let drops: Vec<f64> = rows.iter().map(|row| row.test()).collect();
            let drop = mean(drops.iter().copied());
            let ratio = |seed: usize| seconds[seed] / table.full_seconds(seed);
            SelectorFigures {
                selector,
                budget: budgets[*place],
                run: *run,
                drop,
                drops,
                relative_macs: rows.iter().map(|row| row.relative_macs).collect(),
                regret: full.and_then(|(rows, _)| Some(drop - rows[*place]?.test())),
                seed_noise: seed_noise(table, budgets[*place]),
                seconds: mean(seconds.iter().copied()),
                time_ratio: full.map(|_| mean(seeds.clone().map(ratio))),
                hypervolume_ratio: full.map(|(_, volume)| hypervolume[0] / volume),
                hypervolume,
                front_hypervolume,
            }
        })
        .collect()
}

/// Hypervolume of the fronts of all searches of a selector with one seed. `None` if there are none, or if a plan on them
/// was not trained with this seed.
fn front_volume(table: &Table, selector: SelectorName, budgets: &[f64], seed: usize) -> Option<f64> {
    let searches = table.seeds[seed].searches.iter();
    let mut searches =
        searches.filter(|line| line.selector == selector && budgets.contains(&line.budget)).peekable();
    searches.peek()?;
    let rows: Option<Vec<&Row>> = searches
        .flat_map(|line| line.front(&table.space.networks))
        .map(|plan| table.row(&plan).filter(|row| row.results[seed].is_some()))
        .collect();
    Some(volume(rows?.into_iter(), seed))
}

/// What a selector chose at one budget, by seed.
struct Choices<'t> {
    /// The budget's, among the budgets.
    place: usize,
    /// Whether the searches were run.
    run: bool,
    rows: Vec<&'t Row>,
    /// Processor time of all stages.
    seconds: Vec<f64>,
}

/// `None` where the search of a seed has no choice.
fn choices(table: &Table, selector: SelectorName, budget: f64, place: usize) -> Option<Choices<'_>> {
    let of_run = |seed: usize| {
        let of_seed = &table.seeds[seed];
        let line = of_seed.searches.iter().find(|line| line.selector == selector && line.budget == budget)?;
        Some((table.row(&line.plan)?, of_seed.seconds + line.seconds))
    };
    let of_replay = |seed: usize| {
        let Choice { plan, seconds } = replay(table, selector, budget, seed)?;
        Some((table.row(&plan)?, seconds))
    };
    let seeds = 0..table.seeds.len();
    let run: Option<Vec<(&Row, f64)>> = seeds.clone().map(of_run).collect();
    let was_run = run.is_some();
    let (rows, seconds) = run.or_else(|| seeds.map(of_replay).collect())?.into_iter().unzip();
    Some(Choices { place, run: was_run, rows, seconds })
}

fn seed_noise(table: &Table, budget: f64) -> f64 {
    let mut rows: Vec<&Row> = within(table, budget).collect();
    rows.sort_by(|a, b| a.validation().total_cmp(&b.validation()));
    rows.truncate(rows.len().div_ceil(4));
    let variance = |row: &Row| {
        let tests: Vec<f64> = row.results.iter().flatten().map(|result| result.test).collect();
        deviation(&tests).powi(2)
    };
    mean(rows.into_iter().map(variance)).sqrt()
}

/// Mean and standard deviation.
fn spread(values: &[f64]) -> [f64; 2] {
    [mean(values.iter().copied()), deviation(values)]
}

/// Standard deviation of a sample; NaN of fewer than two.
fn deviation(values: &[f64]) -> f64 {
    let centre = mean(values.iter().copied());
    let squares: f64 = values.iter().map(|value| (value - centre).powi(2)).sum();
    (squares / (values.len() as f64 - 1.0)).sqrt()
}
