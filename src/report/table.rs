//! `table.jsonl`: one line per space, per evaluated plan, and per search.
//!
//! Lines of several runs over the same networks, data and settings may be concatenated in any order.

use serde::{Deserialize, Serialize};

use super::{CandidateReport, JudgedPlan, Point, Scores, front};
use crate::join::{Plan, SpaceNetwork};
use crate::search::{LikelySource, SelectorName};

/// One line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum TableLine {
    Space(Box<SpaceLine>),
    Plan(Box<PlanLine>),
    Search(Box<SearchLine>),
}

/// What all plans of a seed have in common.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SpaceLine {
    /// Version of Graftlab.
    pub version: String,
    pub seed: u32,
    pub settings: serde_json::Value,
    pub networks: Vec<SpaceNetwork>,
    /// Scores before training.
    pub candidates: Vec<CandidateReport>,
    /// Processor time of the teachers' passes, of fitting adapters, and of scoring.
    pub seconds: f64,
}

/// One plan, fine-tuned and measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlanLine {
    pub plan: Plan,
    pub seed: u32,
    /// MACs relative to the original networks apart.
    pub relative_macs: f64,
    pub macs: u64,
    pub params: u64,
    pub image_passes: usize,
    /// Per task.
    pub validation: Vec<Scores>,
    /// Per task.
    pub test: Vec<Scores>,
    /// Processor time of building, fine-tuning and measuring on validation; without the test split.
    pub seconds: f64,
}

/// One search, as a run does it before the chosen plan is fine-tuned in full.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SearchLine {
    pub selector: SelectorName,
    pub budget: f64,
    pub seed: u32,
    /// What it chose.
    pub plan: Plan,
    /// Plans that it compared after brief training.
    pub judged: Vec<JudgedPlan>,
    /// Per network the sources that were still in it at its end, the most probable first; only of a differentiable search.
    pub likely: Option<Vec<Vec<LikelySource>>>,
    /// Processor time of the search; what [`SpaceLine::seconds`] counts comes before it.
    pub seconds: f64,
}

impl SearchLine {
    /// The plans that it compared with most image passes and that no other of these beats in cost and in drop, by cost;
    /// where it compared none, what it chose.
    pub fn front(&self, networks: &[SpaceNetwork]) -> Vec<Plan> {
        let names: Vec<String> = networks.iter().map(|network| network.name.clone()).collect();
        let most = self.judged.iter().map(|judged| judged.image_passes).max();
        let last: Vec<&JudgedPlan> =
            self.judged.iter().filter(|judged| Some(judged.image_passes) == most).collect();
        let points: Vec<Point> =
            last.iter().map(|judged| [judged.plan.relative_macs, judged.worst_drop_points]).collect();
        let plans: Vec<Plan> =
            front(&points).into_iter().filter_map(|index| last[index].plan.plan(&names)).collect();
        if plans.is_empty() { vec![self.plan.clone()] } else { plans }
    }
}
