//! What a task says of an image: one class, several labels, or numbers.

use serde::{Deserialize, Serialize};

/// The kind of a task. A network gives one output unit per class, label, or number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify))]
#[serde(rename_all = "snake_case")]
pub enum TaskKind {
    /// One of several classes: logits of a softmax.
    #[default]
    Class,
    /// Each of several labels or not: logits of a sigmoid each.
    Labels,
    /// Numbers, as they are.
    Values,
}

impl TaskKind {
    /// The name as it is written in options and metadata.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Class => "class",
            Self::Labels => "labels",
            Self::Values => "values",
        }
    }
}
