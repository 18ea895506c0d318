//! What ranks plans before they are trained, and how well.

use serde::Serialize;

use super::rank::{kendall_tau_b, precision_at, spearman};
use super::table::{Row, Table, mean};
use crate::join::{Join, Plan, Source};
use crate::report::SearchLine;
use crate::search::{Problem, Score};

/// How well something known beforehand ranks plans by their mean worst drop on test; mean over the seeds.
#[derive(Debug, Serialize)]
pub struct PredictorFigures {
    pub predictor: &'static str,
    /// Plans that it speaks of.
    pub plans: usize,
    pub kendall_tau_b: f64,
    pub spearman: f64,
    /// The same with the least agreement with the originals on test.
    pub spearman_agreement: f64,
    /// Among the best quarter of the plans.
    pub spearman_top_quarter: f64,
    /// Among plans with the same receiver point; the mean over such groups of three or more.
    pub spearman_within_receiver_point: f64,
    /// Share of the ten that it ranks highest which are among the ten best.
    pub precision_at_10: f64,
}

/// What says something of a plan before any training or while all train together; higher is better.
pub fn predictors(table: &Table) -> Vec<PredictorFigures> {
    type Predictor<'a> = (&'static str, Box<dyn Fn(&Plan, usize) -> Option<f64> + 'a>);
    let by_score = |value: fn(&Score) -> f64| {
        move |plan: &Plan, seed: usize| {
            let of = |key: (usize, Join)| table.seeds[seed].scores.get(&key).map(value);
            plan.joins().map(of).sum()
        }
    };
    let badness = |plan: &Plan, seed: usize| {
        let problem = Problem {
            space: &table.space,
            scores: &table.seeds[seed].scores,
            settings: &table.settings,
            budget: 1.0,
            further: &[],
            seed: 0,
            base: table.base,
        };
        Some(-plan.joins().map(|(receiver, join)| problem.badness(receiver, join)).sum::<f64>())
    };
    let probability = |plan: &Plan, seed: usize| {
        let searches = table.seeds[seed].searches.iter();
        let logs: Vec<f64> = searches.filter_map(|line| log_probability(plan, line)).collect();
        (!logs.is_empty()).then(|| mean(logs.into_iter()))
    };
    let cost = |plan: &Plan, _: usize| Some(table.space.relative_macs(plan));
    let list: Vec<Predictor> = vec![
        ("score before training", Box::new(badness)),
        ("agreement beyond chance", Box::new(by_score(|score| score.kappa - 1.0))),
        ("divergence", Box::new(by_score(|score| -score.divergence))),
        ("variance explained", Box::new(by_score(|score| score.r_squared - 1.0))),
        ("probability in the search", Box::new(probability)),
        ("cost alone", Box::new(cost)),
    ];
    list.into_iter().filter_map(|(name, predict)| predictor_figures(table, name, &predict)).collect()
}

/// Logarithm of a plan's probability at a search's end, if all its sources were still in it.
pub fn log_probability(plan: &Plan, line: &SearchLine) -> Option<f64> {
    let sources = plan.0.iter().zip(line.likely.as_ref()?);
    sources
        .map(|(source, likely)| {
            let known = likely.iter().find(|option| option.source() == *source)?;
            Some(known.probability.max(1e-12).ln())
        })
        .sum()
}

fn predictor_figures(
    table: &Table,
    predictor: &'static str,
    predict: &dyn Fn(&Plan, usize) -> Option<f64>,
) -> Option<PredictorFigures> {
    let joined: Vec<&Row> = table.rows.iter().filter(|row| row.plan.joins().next().is_some()).collect();
    let mut figures = Vec::new();
    for seed in 0..table.seeds.len() {
        let known = joined.iter().filter_map(|row| Some((*row, predict(&row.plan, seed)?)));
        let (rows, predicted): (Vec<&Row>, Vec<f64>) = known.unzip();
        let truth: Vec<f64> = rows.iter().map(|row| -row.test()).collect();
        let agreement: Vec<f64> = rows.iter().map(|row| row.agreement()).collect();
        if rows.len() < 3 {
            continue;
        }
        let pick = |indices: &[usize]| -> [Vec<f64>; 2] {
            [&predicted, &truth].map(|values| indices.iter().map(|index| values[*index]).collect())
        };
        let mut best: Vec<usize> = (0..rows.len()).collect();
        best.sort_by(|a, b| truth[*b].total_cmp(&truth[*a]));
        best.truncate(rows.len().div_ceil(4));
        let [top_predicted, top_truth] = pick(&best);
        let mut receivers: Vec<(usize, usize)> = rows.iter().filter_map(|row| only_receiver(row)).collect();
        receivers.sort_unstable();
        receivers.dedup();
        let groups = receivers.iter().filter_map(|place| {
            let group: Vec<usize> =
                (0..rows.len()).filter(|index| only_receiver(rows[*index]) == Some(*place)).collect();
            let [predicted, truth] = pick(&group);
            Some(spearman(&predicted, &truth)).filter(|rho| group.len() >= 3 && rho.is_finite())
        });
        figures.push(PredictorFigures {
            predictor,
            plans: rows.len(),
            kendall_tau_b: kendall_tau_b(&predicted, &truth),
            spearman: spearman(&predicted, &truth),
            spearman_agreement: spearman(&predicted, &agreement),
            spearman_top_quarter: spearman(&top_predicted, &top_truth),
            spearman_within_receiver_point: mean(groups),
            precision_at_10: precision_at(10, &predicted, &truth),
        });
    }
    let over_seeds = |value: fn(&PredictorFigures) -> f64| mean(figures.iter().map(value));
    Some(PredictorFigures {
        predictor,
        plans: figures.first()?.plans,
        kendall_tau_b: over_seeds(|figures| figures.kendall_tau_b),
        spearman: over_seeds(|figures| figures.spearman),
        spearman_agreement: over_seeds(|figures| figures.spearman_agreement),
        spearman_top_quarter: over_seeds(|figures| figures.spearman_top_quarter),
        spearman_within_receiver_point: over_seeds(|figures| figures.spearman_within_receiver_point),
        precision_at_10: over_seeds(|figures| figures.precision_at_10),
    })
}

/// Receiver and its point of a plan with one join.
fn only_receiver(row: &Row) -> Option<(usize, usize)> {
    let mut joins = row.plan.0.iter().enumerate().filter_map(|(receiver, source)| match source {
        Source::Root => None,
        Source::Join(join) => Some((receiver, join.receiver_point)),
    });
    let first = joins.next();
    if joins.next().is_some() { None } else { first }
}
