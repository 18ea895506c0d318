//! A table, read: one row per plan, one column per seed.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::EvidenceError;
use crate::join::{Join, Plan, Source, Space};
use crate::report::{CandidateReport, PlanLine, SearchLine, SpaceLine, TableLine};
use crate::search::{Score, Scores, SearchSettings};
use crate::train::TrainSettings;

/// Everything that a table's lines tell.
pub struct Table {
    pub space: Space,
    pub settings: SearchSettings,
    pub seeds: Vec<Seed>,
    /// By plan.
    pub rows: Vec<Row>,
    /// The network that stays as it is, if there is one.
    pub base: Option<usize>,
    /// Image passes of every fine-tuning.
    pub image_passes: usize,
    /// How many plans the space has, if they can be counted.
    pub plans: Option<usize>,
}

/// What was done once per seed.
pub struct Seed {
    pub seed: u32,
    pub scores: Scores,
    /// Processor time of all that comes before the first plan is trained.
    pub seconds: f64,
    /// Searches that were really run.
    pub searches: Vec<SearchLine>,
}

/// One plan.
pub struct Row {
    pub plan: Plan,
    pub relative_macs: f64,
    /// By seed, in the order of [`Table::seeds`].
    pub results: Vec<Option<Measured>>,
}

/// One plan, fine-tuned with one seed: worst drops over the tasks in points, least agreement on test, and processor time.
#[derive(Clone, Copy, Debug)]
pub struct Measured {
    pub validation: f64,
    pub test: f64,
    pub agreement: f64,
    pub seconds: f64,
}

impl Row {
    /// Worst drop on validation, mean over the seeds that there are.
    pub fn validation(&self) -> f64 {
        mean(self.results.iter().flatten().map(|result| result.validation))
    }

    /// Worst drop on test, mean over the seeds that there are.
    pub fn test(&self) -> f64 {
        mean(self.results.iter().flatten().map(|result| result.test))
    }

    /// Least agreement with the originals on test, mean over the seeds that there are.
    pub fn agreement(&self) -> f64 {
        mean(self.results.iter().flatten().map(|result| result.agreement))
    }
}

/// Plans that are counted at most.
const COUNTED: usize = 200_000;

impl Table {
    /// Puts lines in order.
    ///
    /// # Errors
    ///
    /// They belong to different tables, or there is too little of one.
    pub fn new(lines: Vec<TableLine>) -> Result<Self, EvidenceError> {
        let (mut spaces, mut plans, mut searches): (Vec<SpaceLine>, Vec<PlanLine>, Vec<SearchLine>) =
            (Vec::new(), Vec::new(), Vec::new());
        for line in lines {
            match line {
                TableLine::Space(line) => spaces.push(*line),
                TableLine::Plan(line) => plans.push(*line),
                TableLine::Search(line) => searches.push(*line),
            }
        }
        let first = spaces.first().ok_or(EvidenceError::NoSpace)?;
        let settings: serde_json::Value = shared(first);
        let search: SearchSettings =
            serde_json::from_value(first.settings["search"].clone()).unwrap_or_default();
        let space = Space { networks: first.networks.clone(), shortcuts: search.shortcuts, costs: None };
        if spaces.iter().any(|line| line.networks != space.networks) {
            return Err(EvidenceError::Mixed { what: "networks" });
        }
        if spaces.iter().any(|line| shared(line) != settings) {
            return Err(EvidenceError::Mixed { what: "settings" });
        }
        let named = |name: &str| name.split('+').any(|task| settings["base"] == task);
        let base = space.networks.iter().position(|network| named(&network.name));
        let candidates = spaces.iter().flat_map(|line| &line.candidates).map(|candidate| score(candidate).0);
        let spoken_of = plans.iter().map(|line| &line.plan).chain(searches.iter().map(|line| &line.plan));
        if !(candidates.into_iter().all(|key| has_join(&space, key))
            && spoken_of.into_iter().all(|plan| plan.check(&space).is_ok()))
        {
            return Err(EvidenceError::Mixed { what: "networks" });
        }
        let image_passes = plans.first().map_or(0, |line| line.image_passes);
        if plans.iter().any(|line| line.image_passes != image_passes) {
            return Err(EvidenceError::Mixed { what: "numbers of image passes" });
        }
        let mut seeds: Vec<Seed> = Vec::new();
        for line in spaces {
            if seeds.iter().all(|seed| seed.seed != line.seed) {
                let scores = line.candidates.iter().map(score).collect();
                let searches = searches.iter().filter(|search| search.seed == line.seed).cloned().collect();
                seeds.push(Seed { seed: line.seed, scores, seconds: line.seconds, searches });
            }
        }
        seeds.sort_by_key(|seed| seed.seed);
        let mut by_plan: BTreeMap<Plan, BTreeMap<u32, PlanLine>> = BTreeMap::new();
        for line in plans {
            by_plan.entry(line.plan.clone()).or_default().entry(line.seed).or_insert(line);
        }
        let known: BTreeSet<u32> = seeds.iter().map(|seed| seed.seed).collect();
        let rows: Vec<Row> = by_plan
            .into_iter()
            .map(|(plan, lines)| Row {
                relative_macs: space.relative_macs(&plan),
                results: known.iter().map(|seed| lines.get(seed).map(measured)).collect(),
                plan,
            })
            .collect();
        if rows.is_empty() {
            return Err(EvidenceError::Unfinished);
        }
        let keeps_base = |plan: &&Plan| base.is_none_or(|base| plan.0[base] == Source::Root);
        let plans = space.plans(COUNTED).map(|plans| plans.iter().filter(keeps_base).count());
        Ok(Self { space, settings: search, seeds, rows, base, image_passes, plans })
    }

    /// Whether every plan of the space was fine-tuned with every seed.
    pub fn is_whole(&self) -> bool {
        let finished = |row: &&Row| row.results.iter().all(Option::is_some);
        self.plans == Some(self.rows.iter().filter(finished).count())
    }

    pub fn row(&self, plan: &Plan) -> Option<&Row> {
        let place = self.rows.binary_search_by(|row| row.plan.cmp(plan)).ok()?;
        self.rows.get(place)
    }

    /// Processor time of training every plan with one seed, all that comes before included.
    pub fn full_seconds(&self, seed: usize) -> f64 {
        self.seeds[seed].seconds
            + self.rows.iter().filter_map(|row| row.results[seed]).map(|result| result.seconds).sum::<f64>()
    }
}

/// Settings of a search that only say how much it tries.
const EFFORT: [&str; 6] = [
    "finalists",
    "finalist_rounds",
    "finalist_image_passes",
    "front_budgets",
    "evaluations",
    "supernet_steps",
];

/// The settings that all parts of a table share; what an earlier version did not know of is what it is by default.
fn shared(line: &SpaceLine) -> serde_json::Value {
    let mut settings = line.settings.clone();
    if let Some(fields) = settings.as_object_mut() {
        fields.retain(|name, value| name != "seed" && !value.is_null());
        fields.entry("cost").or_insert_with(|| "macs".into());
        complete::<SearchSettings>(fields, "search");
        complete::<TrainSettings>(fields, "train");
        if let Some(search) = fields.get_mut("search").and_then(serde_json::Value::as_object_mut) {
            search.retain(|name, _| !EFFORT.contains(&name.as_str()));
        }
    }
    settings
}

/// Fills in what a part of the settings does not say.
fn complete<T: Default + Serialize + DeserializeOwned>(
    fields: &mut serde_json::Map<String, serde_json::Value>,
    name: &str,
) {
    let given = fields.remove(name).unwrap_or_else(|| serde_json::json!({}));
    let whole =
        serde_json::from_value::<T>(given.clone()).ok().and_then(|part| serde_json::to_value(part).ok());
    fields.insert(name.to_owned(), whole.unwrap_or(given));
}

/// Whether a space has the points of a join.
fn has_join(space: &Space, (receiver, join): (usize, Join)) -> bool {
    let has = |network: usize, point: usize| {
        space.networks.get(network).is_some_and(|network| point < network.points.len())
    };
    has(receiver, join.receiver_point) && has(join.donor, join.donor_point)
}

fn score(candidate: &CandidateReport) -> ((usize, Join), Score) {
    let CandidateReport { receiver, receiver_point, donor, donor_point, .. } = *candidate;
    let CandidateReport { agreement, kappa, divergence, r_squared, .. } = *candidate;
    let join = Join { donor, donor_point, receiver_point };
    ((receiver, join), Score { agreement, kappa, divergence, r_squared })
}

fn measured(line: &PlanLine) -> Measured {
    let worst = |scores: &[crate::report::Scores]| {
        scores.iter().map(crate::report::Scores::drop_points).fold(f64::NEG_INFINITY, f64::max)
    };
    Measured {
        validation: worst(&line.validation),
        test: worst(&line.test),
        agreement: line.test.iter().map(|scores| scores.agreement).fold(f64::INFINITY, f64::min),
        seconds: line.seconds,
    }
}

/// Mean of some numbers; NaN of none.
pub fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = values.fold((0.0, 0), |(sum, count), value| (sum + value, count + 1));
    sum / f64::from(count)
}
