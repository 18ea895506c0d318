//! Join points: the tensors at which a network can be left or entered.

use serde::{Deserialize, Serialize};

use crate::graph::{Attributes, Constant, Graph, Node, TensorId};

/// A 4-D tensor that every path from the input to the outputs crosses.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct JoinPoint {
    /// In the network's graph; not stored.
    #[serde(skip)]
    pub tensor: TensorId,
    pub name: String,
    pub channels: usize,
    pub height: usize,
    pub width: usize,
    /// MACs of the layers that this tensor depends on, for one image.
    pub macs_before: u64,
    /// MACs of all other layers, for one image.
    pub macs_after: u64,
    /// The activation that makes this tensor, if one does; not stored.
    #[serde(skip)]
    pub activation: Option<Activation>,
}

impl JoinPoint {
    /// Channels, height and width.
    pub fn shape(&self) -> [usize; 3] {
        [self.channels, self.height, self.width]
    }
}

/// A copy of an activation node: its operator, attributes and constant inputs after the first.
#[derive(Clone, Debug, PartialEq)]
pub struct Activation {
    pub op_type: String,
    pub attributes: Attributes,
    pub constants: Vec<Option<Constant>>,
}

const ACTIVATIONS: &[&str] =
    &["Clip", "Elu", "HardSigmoid", "HardSwish", "LeakyRelu", "Relu", "Sigmoid", "Tanh"];
/// Nodes after which a tensor has the same shape and, up to a fixed function per channel, the same content.
const SHAPE_KEEPING: &[&str] = &["BatchNormalization", "Dropout", "Identity"];

/// The join points on the way to all of `outputs`, from the input onwards.
///
/// Of a run of shape-keeping nodes (activations, batch normalisation, Dropout, Identity) only the last tensor is kept.
/// Tensors before the first layer with MACs are left out, for nothing is saved there, and so are those of one pixel,
/// after which only the classifier is left.
pub fn join_points(graph: &Graph, outputs: &[TensorId]) -> Vec<JoinPoint> {
    let total: u64 = graph.cost().macs;
    let cuts = graph.cuts(outputs);
    let followed = |position: usize| {
        cuts.get(position + 1).is_some_and(|next| {
            let node = &graph.nodes[next.node];
            let keeps = ACTIVATIONS.contains(&node.op_type.as_str())
                || SHAPE_KEEPING.contains(&node.op_type.as_str());
            keeps && node.inputs.first() == Some(&Some(cuts[position].tensor))
        })
    };
    cuts.iter()
        .enumerate()
        .filter(|(position, _)| !followed(*position))
        .filter_map(|(_, cut)| {
            let [_, channels, height, width] = graph.shape(cut.tensor)[..] else { return None };
            let macs_before = graph.macs_before(cut.tensor);
            (macs_before > 0 && height * width > 1).then(|| JoinPoint {
                tensor: cut.tensor,
                name: graph.tensor(cut.tensor).name.clone(),
                channels,
                height,
                width,
                macs_before,
                macs_after: total - macs_before,
                activation: activation_of(graph, cut.node),
            })
        })
        .collect()
}

/// The activation whose output the tensor of `node` is, looking through Dropout and Identity.
fn activation_of(graph: &Graph, node: usize) -> Option<Activation> {
    let producers = graph.producers();
    let mut node: &Node = &graph.nodes[node];
    while ["Dropout", "Identity"].contains(&node.op_type.as_str()) {
        node = &graph.nodes[producers[node.inputs.first().copied()??.0]?];
    }
    if !ACTIVATIONS.contains(&node.op_type.as_str()) {
        return None;
    }
    let constants =
        node.inputs.iter().skip(1).map(|input| graph.constants.get(input.as_ref()?).cloned()).collect();
    Some(Activation { op_type: node.op_type.clone(), attributes: node.attributes.clone(), constants })
}
