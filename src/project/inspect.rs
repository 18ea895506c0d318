//! What is known of a network without running it.

use serde::{Deserialize, Serialize};

/// The card of one network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify))]
pub struct NetworkCard {
    /// File name without its ending, or the graph's name.
    pub name: String,
    pub tasks: Vec<TaskCard>,
    /// Channels, height and width of the image input.
    pub input: [usize; 3],
    pub params: u64,
    /// Multiply-accumulate operations for one image.
    pub macs: u64,
    pub opset: i64,
    /// Operator names with how often each occurs.
    pub operators: Vec<(String, usize)>,
    pub join_points: Vec<JoinPointCard>,
}

/// One output of a network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify))]
pub struct TaskCard {
    pub name: String,
    pub classes: Vec<String>,
}

/// One place where a network can be joined.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify))]
pub struct JoinPointCard {
    /// Name of the tensor.
    pub tensor: String,
    /// Channels, height and width.
    pub shape: [usize; 3],
    /// MACs of the layers up to here, for one image.
    pub macs_before: u64,
    /// MACs of the layers after here, for one image.
    pub macs_after: u64,
}
