//! What can be wrong with an operator.

use thiserror::Error;

/// Why a node cannot be run.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum OpError {
    #[error(
        "node '{node}' uses operator {operator} (opset {opset}), which is not supported. \
         Hint: `graftlab inspect` lists the operators of a network; docs/operators.md lists those that are supported"
    )]
    Unsupported { node: String, operator: String, opset: i64 },

    #[error("node '{node}': operator {operator} (opset {opset}): {reason}")]
    Invalid { node: String, operator: String, opset: i64, reason: String },
}
