//! Evidence: what a table of fine-tuned plans says of the searches and of what they go by.
//!
//! Nothing is trained here: everything is drawn from the lines that `graftlab table` wrote, in seconds.

mod document;
mod error;
mod figures;
mod hypervolume;
mod most_probable;
mod plots;
mod predictors;
mod rank;
mod replay;
mod table;
#[cfg(test)]
mod tests;

pub use document::document;
pub use error::EvidenceError;
pub use figures::{Evidence, FrontPlan, SelectorFigures, figures};
pub use most_probable::MostProbable;
pub use plots::{Plot, plots};
pub use predictors::PredictorFigures;
pub use table::Table;
