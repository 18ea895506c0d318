//! Networks that run: a graph, its operators, and its weights as a burn module.

mod error;
mod fold;
mod layout;
mod prepare;
mod read;
mod task;
mod weight;

use std::sync::Arc;

use burn::module::{Module, ParamId};
use burn::tensor::{Device, Gradients, Tensor};

pub use error::NetError;
pub use prepare::{Prepared, prepare};
pub use read::{read, read_all};
pub use task::{NetworkOptions, Pixels, Task, read_tasks, write_tasks};

use crate::graph::{Constant, ConstantData, Graph, TensorId};
use crate::ops::{self, BatchStatistics, Mode, Operator, Value};
use weight::Weight;
pub use weight::is_fixed;

/// A graph with its weights on a device. Clones share the graph and, until one is trained, the weights.
#[derive(Module, Debug)]
pub struct Network {
    weights: Vec<Weight>,
    #[module(skip)]
    program: Arc<Program>,
    /// Per node, whether it stays as it is while the network is trained.
    #[module(skip)]
    frozen: Arc<Vec<bool>>,
}

/// All of a network that does not change while it is trained.
#[derive(Clone, Debug)]
struct Program {
    graph: Graph,
    operators: Vec<Arc<dyn Operator>>,
    /// For every node, if a single node reads it, which does no more than to move values between bounds, and it can do
    /// that, too: that reader, and the operator that does both.
    joint: Vec<Option<(usize, Arc<dyn Operator>)>>,
    /// For every float constant the index of its weight.
    weights: Vec<(TensorId, usize)>,
    /// For every tensor the index of its weight, if it is one.
    weight_of: Vec<Option<usize>>,
}

/// What a run computed.
#[derive(Debug)]
pub struct Pass {
    /// The targets that were asked for, in that order.
    pub targets: Vec<Value>,
    /// Statistics of batch-normalisation nodes, by node index; empty in [`Mode::Inference`].
    pub statistics: Vec<(usize, BatchStatistics)>,
}

impl Network {
    /// Puts the weights of `graph` on `device` and prepares its operators. The graph's nodes are in topological order;
    /// tensors keep their ids.
    ///
    /// # Errors
    ///
    /// An operator that is not supported, or shapes that do not fit.
    pub fn new(graph: &Graph, device: &Device) -> Result<Self, NetError> {
        let mut graph = graph.clone();
        ops::rewrite_batch(&mut graph);
        let operators = ops::infer(&mut graph)?;
        let trainable = weight::trainable(&graph);
        let mut weights = Vec::new();
        let mut index = Vec::new();
        let mut weight_of = vec![None; graph.tensors.len()];
        for (id, constant) in &graph.constants {
            if let ConstantData::F32(values) = &constant.data {
                weight_of[id.0] = Some(weights.len());
                index.push((*id, weights.len()));
                let value = Value::from_host(values, &constant.shape, device);
                weights.push(Weight::new(value, trainable[id.0]));
            }
        }
        let frozen = Arc::new(vec![false; graph.nodes.len()]);
        let mut program = Program { graph, operators, joint: Vec::new(), weights: index, weight_of };
        program.find_joint();
        Ok(Self { weights, program: Arc::new(program), frozen })
    }

    /// Freezes the nodes that `select` names by their first output: their weights are not trained, their
    /// batch-normalisation statistics stay, and they compute in training what they compute in inference.
    #[must_use]
    pub fn freeze_nodes(mut self, select: impl Fn(TensorId) -> bool) -> Self {
        let nodes = &self.program.graph.nodes;
        let frozen: Vec<bool> =
            nodes.iter().map(|node| node.outputs.first().is_some_and(|id| select(*id))).collect();
        for (node, _) in nodes.iter().zip(&frozen).filter(|(_, frozen)| **frozen) {
            for index in node.inputs.iter().flatten().filter_map(|id| self.program.weight_of[id.0]) {
                self.weights[index].hold();
            }
        }
        self.frozen =
            Arc::new(frozen.iter().zip(self.frozen.iter()).map(|(new, old)| *new || *old).collect());
        self
    }

    /// Lets batch normalisation keep its statistics in training; its scales and shifts are trained.
    #[must_use]
    pub fn fix_statistics(mut self) -> Self {
        let nodes = self.program.graph.nodes.iter().zip(self.frozen.iter());
        let fixed = nodes.map(|(node, frozen)| *frozen || node.op_type == "BatchNormalization").collect();
        self.frozen = Arc::new(fixed);
        self
    }

    /// Checks that the network takes any batch.
    ///
    /// # Errors
    ///
    /// Names the node that holds for one image only.
    pub fn check_batch(&self) -> Result<(), NetError> {
        Ok(ops::check_batch(&self.program.graph, &self.program.operators)?)
    }

    /// The graph, its tensors' shapes inferred. Its constants hold the weights that the network was made with; those
    /// it has now come from [`Network::to_graph`].
    pub fn graph(&self) -> &Graph {
        &self.program.graph
    }

    /// The graph with the weights as they are now.
    ///
    /// # Errors
    ///
    /// The device fails to hand the weights out.
    pub async fn to_graph(&self) -> Result<Graph, NetError> {
        let mut graph = self.program.graph.clone();
        for ((id, _), values) in self.program.weights.iter().zip(self.read_weights().await?) {
            if let Some(constant) = graph.constants.get_mut(id) {
                *constant = Constant::f32(constant.shape.clone(), values);
            }
        }
        Ok(graph)
    }

    /// All weights as they are now, each in row-major order. Networks of the same graph have theirs in the same order.
    ///
    /// # Errors
    ///
    /// The device fails to hand the weights out.
    pub async fn read_weights(&self) -> Result<Vec<Vec<f32>>, NetError> {
        read_all(self.weights.iter().map(Weight::value).collect()).await
    }

    /// Replaces all weights by those that [`Network::read_weights`] gave of a network of the same graph.
    pub fn put_weights(&mut self, values: &[Vec<f32>]) {
        for (weight, values) in self.weights.iter_mut().zip(values) {
            weight.put(values);
        }
    }

    /// Ids of the weights, in the order of [`Network::read_weights`].
    pub fn weight_ids(&self) -> impl Iterator<Item = ParamId> {
        self.weights.iter().map(Weight::id)
    }

    /// Numbers of values of the weights, in the order of [`Network::read_weights`].
    pub fn weight_sizes(&self) -> Vec<usize> {
        self.weights.iter().map(|weight| weight.value().dims().iter().product()).collect()
    }

    /// Trains: replaces every weight that a loss depends on by what `rule` makes of it and of its gradient.
    ///
    /// # Shapes
    ///
    /// Value, gradient and what `rule` returns are flat, outside automatic differentiation.
    pub fn step_weights(
        &mut self,
        gradients: &Gradients,
        mut rule: impl FnMut(ParamId, Tensor<1>, Tensor<1>) -> Tensor<1>,
    ) {
        for weight in &mut self.weights {
            weight.step(gradients, &mut rule);
        }
    }

    /// Runs the network on images and returns its outputs.
    ///
    /// # Shapes
    ///
    /// - `images`: `[batch, channels, height, width]`
    /// - each output: `[batch, …]`
    pub fn forward(&self, images: Tensor<4>) -> Vec<Value> {
        let graph = self.graph();
        let feeds = [(graph.inputs[0], images.into())];
        self.run(&feeds, &graph.outputs, Mode::Inference).targets
    }

    /// Computes `targets` from `feeds`, which may be any tensors of the graph that together determine the targets.
    /// Only the nodes between them run.
    ///
    /// # Shapes
    ///
    /// A feed has the shape of its tensor, with any batch in front.
    pub fn run(&self, feeds: &[(TensorId, Value)], targets: &[TensorId], mode: Mode) -> Pass {
        let graph = self.graph();
        let known: Vec<TensorId> = feeds.iter().map(|(id, _)| *id).collect();
        let mut needed = graph.needed_nodes(targets, &known);
        let mut uses = vec![0_usize; graph.tensors.len()];
        for target in targets {
            uses[target.0] += 1;
        }
        for (node, _) in graph.nodes.iter().zip(&needed).filter(|(_, needed)| **needed) {
            for input in node.inputs.iter().flatten() {
                uses[input.0] += 1;
            }
        }

        let mut values: Vec<Option<Value>> = vec![None; graph.tensors.len()];
        for (id, value) in feeds {
            values[id.0] = Some(value.clone());
        }
        let mut statistics = Vec::new();
        for (index, node) in graph.nodes.iter().enumerate() {
            if !needed[index] {
                continue;
            }
            let inputs: Vec<Option<Value>> =
                node.inputs.iter().map(|input| self.take(&mut values, &mut uses, (*input)?)).collect();
            let mode = if self.frozen[index] { Mode::Inference } else { mode };
            // What a target is, too, has to be computed by itself.
            let alone = |reader: usize| needed[reader] && uses[node.outputs[0].0] == 1;
            let (operator, ids) = match &self.program.joint[index] {
                Some((reader, operator)) if alone(*reader) => {
                    needed[*reader] = false;
                    (operator, &graph.nodes[*reader].outputs)
                }
                _ => (&self.program.operators[index], &node.outputs),
            };
            let outputs = operator.run(&inputs, mode);
            for (id, value) in ids.iter().zip(outputs.values) {
                if uses[id.0] > 0 {
                    values[id.0] = Some(value);
                }
            }
            statistics.extend(outputs.statistics.map(|statistics| (index, statistics)));
        }
        let targets = targets
            .iter()
            .map(|id| match self.take(&mut values, &mut uses, *id) {
                Some(value) => value,
                None => unreachable!("feeds determine the targets: {:?}", graph.tensor(*id)),
            })
            .collect();
        Pass { targets, statistics }
    }

    /// Hands out a tensor, and forgets it after its last use so that its memory can be used again.
    fn take(&self, values: &mut [Option<Value>], uses: &mut [usize], id: TensorId) -> Option<Value> {
        if let Some(index) = self.program.weight_of[id.0] {
            return Some(self.weights[index].value());
        }
        uses[id.0] -= 1;
        if uses[id.0] == 0 { values[id.0].take() } else { values[id.0].clone() }
    }

    /// Moves the stored statistics of batch normalisation towards those of a batch: `new = old + momentum * (batch -
    /// old)`. A momentum of 1 replaces them.
    pub fn update_statistics(&mut self, statistics: Vec<(usize, BatchStatistics)>, momentum: f64) {
        for (node, batch) in statistics {
            let inputs = &self.program.graph.nodes[node].inputs;
            let weight = |place: usize| self.program.weight_of[inputs.get(place).copied().flatten()?.0];
            // ONNX BatchNormalization: inputs 3 and 4 are the mean and the variance.
            let (Some(mean), Some(variance)) = (weight(3), weight(4)) else { continue };
            let new = [batch.mean, batch.variance].map(Tensor::detach);
            let new = match (self.weights[mean].vector(), self.weights[variance].vector()) {
                (Some(mean), Some(variance)) if momentum < 1.0 => {
                    ops::kernels::blend([mean, variance], new, momentum as f32)
                }
                _ => new,
            };
            for (index, value) in [mean, variance].into_iter().zip(new) {
                self.weights[index].put_vector(value);
            }
        }
    }

    /// Stored statistics of batch normalisation become those of `feeds`, which hold the calibration images in batches
    /// of the same size: the mean over the batches.
    pub fn recalibrate(&mut self, batches: &[Vec<(TensorId, Value)>]) {
        for (done, feeds) in batches.iter().enumerate() {
            let outputs = self.graph().outputs.clone();
            let pass = self.run(feeds, &outputs, Mode::Training);
            self.update_statistics(pass.statistics, 1.0 / (done + 1) as f64);
        }
    }

    /// Gradients of a loss with respect to the weights that it depends on, by the weight's tensor.
    pub fn gradients(&self, gradients: &Gradients) -> Vec<(TensorId, Value)> {
        let weights = self.program.weights.iter();
        weights.filter_map(|(id, index)| Some((*id, self.weights[*index].gradient(gradients)?))).collect()
    }

    /// Ids of the parameters that `select` names by their tensors, for an optimiser's groups.
    pub fn parameters(&self, select: impl Fn(TensorId) -> bool) -> Vec<ParamId> {
        self.program
            .weights
            .iter()
            .filter(|(id, _)| select(*id))
            .map(|(_, index)| self.weights[*index].id())
            .collect()
    }
}
