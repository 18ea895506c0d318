//! Why a table tells nothing.

use thiserror::Error;

#[derive(Debug, Error)]
pub enum EvidenceError {
    #[error(
        "the table has no line that describes the space. Hint: give whole files that graftlab table has written"
    )]
    NoSpace,

    #[error(
        "the lines speak of different {what}. Hint: put only tables of the same networks, data and settings together"
    )]
    Mixed { what: &'static str },

    #[error("the table has no fine-tuned plan yet. Hint: let graftlab table go on")]
    Unfinished,
}
