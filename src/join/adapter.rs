//! Adapters: what turns a donor's tensor into the one that a receiver expects.

use serde::{Deserialize, Serialize};

use super::resample::resample;
use super::{JoinPoint, fit::Fit};
use crate::graph::{Attributes, Constant, Graph, Node, TensorId};

/// A fitted adapter: resampling to the receiver's height and width, a 1×1 convolution with bias, and the receiver's
/// activation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Adapter {
    /// `[receiver channels, donor channels]`, row-major.
    pub weight: Vec<f32>,
    /// `[receiver channels]`
    pub bias: Vec<f32>,
}

impl Adapter {
    /// An adapter whose weights are still to come.
    pub fn blank(donor: &JoinPoint, receiver: &JoinPoint) -> Self {
        Self { weight: vec![0.0; donor.channels * receiver.channels], bias: vec![0.0; receiver.channels] }
    }

    /// Whether it leads from a tensor like the donor's to one like the receiver's.
    pub fn fits(&self, donor: &JoinPoint, receiver: &JoinPoint) -> bool {
        self.bias.len() == receiver.channels && self.weight.len() == receiver.channels * donor.channels
    }
}

impl From<&Fit> for Adapter {
    fn from(fit: &Fit) -> Self {
        Self { weight: fit.weight.clone(), bias: fit.bias.clone() }
    }
}

/// MACs of an adapter for one image.
pub fn macs(donor: &JoinPoint, receiver: &JoinPoint) -> u64 {
    let (from, to) = ((donor.height, donor.width), (receiver.height, receiver.width));
    let smaller = if grows(from, to) { from.0 * from.1 } else { to.0 * to.1 };
    let convolution = (donor.channels * receiver.channels) as u64 * smaller as u64;
    let channels = if grows(from, to) { receiver.channels } else { donor.channels };
    convolution + resampling_macs(channels, from, to)
}

/// Float values of an adapter: weight, bias, and the fixed matrices that resample.
pub fn params(donor: &JoinPoint, receiver: &JoinPoint) -> u64 {
    adapter_graph(&Adapter::blank(donor, receiver), donor, receiver).cost().params
}

fn resampling_macs(channels: usize, from: (usize, usize), to: (usize, usize)) -> u64 {
    if from.0.is_multiple_of(to.0) && from.1.is_multiple_of(to.1) {
        return 0;
    }
    let product = |sizes: [usize; 3]| sizes.iter().map(|size| *size as u64).product::<u64>();
    let rows = if from.0 == to.0 { 0 } else { product([to.0, from.0, from.1]) };
    let columns = if from.1 == to.1 { 0 } else { product([to.0, from.1, to.1]) };
    channels as u64 * (rows + columns)
}

/// Whether the convolution comes before the resampling. Both orders give the same result, for a 1×1 convolution
/// commutes with a weighted mean over positions; the one at the smaller size is cheaper.
fn grows(from: (usize, usize), to: (usize, usize)) -> bool {
    to.0 * to.1 > from.0 * from.1
}

/// The adapter as a graph from the donor's tensor to the receiver's.
pub fn adapter_graph(adapter: &Adapter, donor: &JoinPoint, receiver: &JoinPoint) -> Graph {
    let mut graph = Graph { opset: 17, ..Graph::default() };
    let input = graph.add_input("donor", vec![1, donor.channels, donor.height, donor.width]);
    let output = add_adapter(&mut graph, "", input, adapter, donor, receiver);
    graph.outputs.push(output);
    graph
}

/// Adds the adapter's nodes to a graph in which `tensor` is the donor's tensor.
pub fn add_adapter(
    graph: &mut Graph,
    prefix: &str,
    tensor: TensorId,
    adapter: &Adapter,
    donor: &JoinPoint,
    receiver: &JoinPoint,
) -> TensorId {
    let (from, to) = ((donor.height, donor.width), (receiver.height, receiver.width));
    let mut tensor = tensor;
    if !grows(from, to) {
        tensor = resample(graph, prefix, tensor, from, to);
    }
    let shape = vec![receiver.channels, donor.channels, 1, 1];
    let weight = graph.add_constant(&format!("{prefix}weight"), Constant::f32(shape, adapter.weight.clone()));
    let bias = Constant::f32(vec![receiver.channels], adapter.bias.clone());
    let bias = graph.add_constant(&format!("{prefix}bias"), bias);
    tensor = graph.add_node("Conv", &format!("{prefix}conv"), [tensor, weight, bias]);
    if grows(from, to) {
        tensor = resample(graph, prefix, tensor, from, to);
    }
    match &receiver.activation {
        None => tensor,
        Some(activation) => {
            let mut inputs = vec![Some(tensor)];
            for constant in &activation.constants {
                let name = format!("{prefix}bound");
                inputs.push(constant.as_ref().map(|constant| graph.add_constant(&name, constant.clone())));
            }
            let output = graph.add_tensor(&format!("{prefix}activation"), None);
            graph.nodes.push(Node {
                name: graph.tensor(output).name.clone(),
                op_type: activation.op_type.clone(),
                domain: String::new(),
                attributes: Attributes::clone(&activation.attributes),
                inputs,
                outputs: vec![output],
                macs: 0,
            });
            output
        }
    }
}
