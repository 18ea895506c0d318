//! A run as it was at a moment, kept so that it can go on after a crash, a closed tab or an empty battery.

use std::cell::{Cell, RefCell};

use safetensors::tensor::{Dtype, SafeTensors, TensorView, serialize};
use serde::{Deserialize, Serialize};

use super::{ProjectError, Settings};
use crate::data::Dataset;
use crate::join::{Costs, Plan, checksum};
use crate::net::Prepared;
use crate::platform::Stopwatch;
use crate::report::{CandidateReport, CurvePoint, JudgedPlan, Seconds};
use crate::search::{Judged, SearchStep};
use crate::train::{Progress, TrainState};

/// Keeps a run's checkpoints, one in place of the other.
pub trait Archive {
    /// Whether a checkpoint is wanted at once, before its time: a page may be about to close.
    fn wants_now(&self) -> bool {
        false
    }

    /// Takes the newest checkpoint. What cannot be stored is lost; the run goes on.
    fn keep(&self, checkpoint: Vec<u8>);
}

/// All that a run has found out so far.
#[derive(Clone, Debug, PartialEq)]
pub struct Checkpoint {
    known: Known,
    training: Option<TrainState>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Known {
    /// Of settings, networks, images and Graftlab's version.
    checksum: u32,
    seconds: Seconds,
    costs: Option<Costs>,
    judged: Vec<Judged>,
    chosen: Option<Chosen>,
    curve: Vec<CurvePoint>,
    progress: Option<Progress>,
}

/// What the search of a run led to.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Chosen {
    pub plan: Plan,
    pub candidates: Vec<CandidateReport>,
    pub judged: Vec<JudgedPlan>,
    pub steps: Vec<SearchStep>,
}

/// The name under which the facts stand in the file's metadata.
const KEY: &str = "graftlab.checkpoint";

impl Checkpoint {
    /// Reads a checkpoint.
    ///
    /// # Errors
    ///
    /// Bytes that are none.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ProjectError> {
        let fault = |reason: String| ProjectError::Checkpoint { reason };
        let (_, header) = SafeTensors::read_metadata(bytes).map_err(|error| fault(error.to_string()))?;
        let json = header.metadata().as_ref().and_then(|metadata| metadata.get(KEY));
        let json = json.ok_or_else(|| fault("it holds no run".into()))?;
        let known: Known = serde_json::from_str(json).map_err(|error| fault(error.to_string()))?;
        let file = SafeTensors::deserialize(bytes).map_err(|error| fault(error.to_string()))?;
        let read = |part: &str| -> Vec<Vec<f32>> {
            let tensor = |index: usize| file.tensor(&format!("{part}.{index}")).ok();
            let floats = |view: TensorView| {
                let numbers = view.data().chunks_exact(4);
                numbers.map(|bytes| f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])).collect()
            };
            (0..).map_while(tensor).map(floats).collect()
        };
        let training = known.progress.clone().map(|progress| TrainState {
            progress,
            weights: read("weight"),
            moments: [read("first"), read("second")],
        });
        Ok(Self { known, training })
    }

    fn to_bytes(&self) -> Result<Vec<u8>, ProjectError> {
        let fault = |reason: String| ProjectError::Checkpoint { reason };
        let json = serde_json::to_string(&self.known).map_err(|error| fault(error.to_string()))?;
        let parts = self.training.iter().flat_map(|state| {
            let [first, second] = &state.moments;
            [("weight", &state.weights), ("first", first), ("second", second)]
        });
        let tensors: Vec<(String, usize, Vec<u8>)> = parts
            .flat_map(|(part, tensors)| {
                tensors.iter().enumerate().map(move |(index, values)| {
                    let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
                    (format!("{part}.{index}"), values.len(), bytes)
                })
            })
            .collect();
        let views = tensors
            .iter()
            .map(|(name, count, bytes)| Ok((name, TensorView::new(Dtype::F32, vec![*count], bytes)?)))
            .collect::<Result<Vec<_>, safetensors::SafeTensorError>>()
            .map_err(|error| fault(error.to_string()))?;
        let metadata = Some([(KEY.to_owned(), json)].into());
        serialize(views, metadata).map_err(|error| fault(error.to_string()))
    }
}

/// Least seconds between two checkpoints.
const EVERY: f64 = 20.0;
/// A checkpoint may take this share of the time.
const SHARE: f64 = 0.05;

/// What is known of a run, which goes to an archive now and then.
pub struct Ledger<'a> {
    now: RefCell<Checkpoint>,
    archive: Option<&'a dyn Archive>,
    /// When the last checkpoint was made, and the seconds that it took.
    last: Cell<(Stopwatch, f64)>,
    /// Seconds by phase before this ledger was opened, and the time since.
    before: (Seconds, Stopwatch),
}

impl<'a> Ledger<'a> {
    /// The ledger of a run that begins, or that goes on from `resume`.
    ///
    /// # Errors
    ///
    /// The checkpoint is another run's.
    pub fn new(
        resume: Option<Checkpoint>,
        archive: Option<&'a dyn Archive>,
        settings: &Settings,
        networks: &[Prepared],
        dataset: &Dataset,
    ) -> Result<Self, ProjectError> {
        let checksum = checksum_of(settings, networks, dataset);
        let now = match resume {
            Some(checkpoint) if checkpoint.known.checksum == checksum => checkpoint,
            Some(_) => return Err(ProjectError::OtherRun),
            None => Checkpoint { known: Known { checksum, ..Known::default() }, training: None },
        };
        let last = Cell::new((Stopwatch::start(), 0.0));
        let before = (now.known.seconds, Stopwatch::start());
        Ok(Self { now: RefCell::new(now), archive, last, before })
    }

    /// A ledger that remembers nothing.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn blank() -> Self {
        let now = RefCell::new(Checkpoint { known: Known::default(), training: None });
        let clock = Stopwatch::start();
        Self { now, archive: None, last: Cell::new((clock, 0.0)), before: (Seconds::default(), clock) }
    }

    /// Seconds by phase until the last checkpoint.
    pub fn seconds(&self) -> Seconds {
        self.now.borrow().known.seconds
    }

    /// What budgets count, where that has been measured.
    pub fn costs(&self) -> Option<Costs> {
        self.now.borrow().known.costs.clone()
    }

    pub fn set_costs(&self, costs: Option<Costs>) {
        self.now.borrow_mut().known.costs = costs;
    }

    /// A plan as it was judged before.
    pub fn known(&self, plan: &Plan, image_passes: usize) -> Option<Judged> {
        let now = self.now.borrow();
        let mut judged = now.known.judged.iter();
        judged.find(|judged| judged.plan == *plan && judged.image_passes == image_passes).cloned()
    }

    /// Writes down a judged plan.
    pub fn add(&self, judged: Judged) {
        if self.archive.is_none() {
            return;
        }
        {
            let known = &mut self.now.borrow_mut().known;
            known.judged.push(judged);
            // All that comes before the training is counted as search.
            let (before, clock) = self.before;
            let elapsed = clock.elapsed_seconds();
            let (search, total) = (before.search + elapsed, before.total + elapsed);
            known.seconds = Seconds { search, total, ..before };
        }
        if self.is_due() {
            self.keep();
        }
    }

    /// What the search led to, if training had begun.
    pub fn chosen(&self) -> Option<Chosen> {
        self.now.borrow().known.chosen.clone()
    }

    /// Where training had come, and its curve until then.
    pub fn training(&self) -> (Option<TrainState>, Vec<CurvePoint>) {
        let now = self.now.borrow();
        (now.training.clone(), now.known.curve.clone())
    }

    /// Writes down what the search led to. It is kept once training has begun.
    pub fn set_chosen(&self, chosen: Chosen) {
        self.now.borrow_mut().known.chosen = Some(chosen);
    }

    /// Whether it is time for a checkpoint.
    pub fn is_due(&self) -> bool {
        let (last, took) = self.last.get();
        let time =
            |archive: &&dyn Archive| archive.wants_now() || last.elapsed_seconds() > EVERY.max(took / SHARE);
        self.archive.as_ref().is_some_and(time)
    }

    /// Keeps where training has come.
    pub fn keep_training(&self, state: &TrainState, curve: &[CurvePoint], seconds: Seconds) {
        {
            let now = &mut *self.now.borrow_mut();
            now.known.curve = curve.to_vec();
            now.known.progress = Some(state.progress.clone());
            now.known.seconds = seconds;
            now.training = Some(state.clone());
        }
        self.keep();
    }

    fn keep(&self) {
        let clock = Stopwatch::start();
        if let (Some(archive), Ok(bytes)) = (self.archive, self.now.borrow().to_bytes()) {
            archive.keep(bytes);
        }
        self.last.set((Stopwatch::start(), clock.elapsed_seconds()));
    }
}

/// CRC-32 of all that decides a run.
fn checksum_of(settings: &Settings, networks: &[Prepared], dataset: &Dataset) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(env!("CARGO_PKG_VERSION").as_bytes());
    hasher.update(serde_json::json!(settings).to_string().as_bytes());
    for network in networks {
        hasher.update(network.label().as_bytes());
        hasher.update(&checksum(&network.graph).to_le_bytes());
    }
    hasher.update(&dataset.pixels);
    for (path, split) in dataset.paths.iter().zip(&dataset.splits) {
        hasher.update(path.as_bytes());
        hasher.update(format!("{split:?}").as_bytes());
    }
    for task in &dataset.tasks {
        for label in &task.labels {
            hasher.update(&label.map_or(u32::MAX, |label| label).to_le_bytes());
        }
        for value in task.targets.iter().flatten() {
            hasher.update(&value.to_le_bytes());
        }
    }
    hasher.finalize()
}
