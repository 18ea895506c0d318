//! One run from settings to results.
//!
//! A [`Project`] holds what was loaded; [`run`] takes it through the phases and tells of them by [`Event`]s.

mod bench;
mod calibrate;
mod checkpoint;
mod crew;
mod data_card;
mod error;
mod evaluate;
mod event;
mod export;
mod inspect;
mod judge;
mod loaded;
mod observer;
mod parity;
mod run;
mod score;
#[cfg(feature = "gpu")]
mod self_test;
mod settings;
mod side_by_side;
mod source;
mod supernet;
#[cfg(not(target_arch = "wasm32"))]
mod table;
mod teachers;
mod timing;
mod trunk;
mod workshop;

pub use bench::Bench;
pub use checkpoint::{Archive, Checkpoint};
pub use crew::{Crew, CrewMember, Errand};
pub use data_card::{DataCard, ImageCard, LabelledTask, SkippedFile};
pub use error::ProjectError;
pub use evaluate::{Evaluation, Measured, evaluate_file};
pub use event::{Event, OnEvent, Phase};
pub use export::apply_graft;
pub use inspect::{JoinPointCard, NetworkCard, TaskCard, copy_of, inspect};
pub use loaded::{Project, read_network};
pub use parity::{Feed, Parity, compare_devices};
pub use run::{Host, Outcome, run};
#[cfg(feature = "gpu")]
pub use self_test::self_test;
pub use settings::Settings;
pub use side_by_side::{Answers, Opinion, SideBySide, TaskAnswers};
pub use source::labelled;
#[cfg(not(target_arch = "wasm32"))]
pub use table::{OnLine, Shard, TablePlans, TableRequest, tabulate};
