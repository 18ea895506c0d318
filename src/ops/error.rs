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

    #[error(
        "output '{output}' is the same for every image. Hint: name another output, or export the network again"
    )]
    FixedOutput { output: String },

    #[error("node '{node}': operator {operator} (opset {opset}): {}", hinted(.reason))]
    Invalid { node: String, operator: String, opset: i64, reason: String },
}

/// A reason that does not say what to do gets the advice that fits any node.
fn hinted(reason: &str) -> String {
    if reason.contains(" Hint: ") {
        return reason.to_owned();
    }
    format!(
        "{reason}. Hint: check the file with onnx.checker, and docs/operators.md for what the operator may hold"
    )
}
