//! Runs one node as a network would, for the families' tests.

use burn::tensor::Device;
use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use rand::seq::SliceRandom;

use super::{BatchStatistics, Mode, Value, infer};
use crate::graph::{Attribute, Constant, Graph, Node, Shape, TensorId};
use crate::with_tensor;

/// A graph of one node, with values for its inputs.
pub struct NodeTest {
    graph: Graph,
    feeds: Vec<(TensorId, Vec<f32>)>,
    mode: Mode,
    seed: u64,
}

impl NodeTest {
    pub fn new(op_type: &str) -> Self {
        let mut graph = Graph { opset: 18, ..Graph::default() };
        let output = graph.add_tensor("output", None);
        graph.outputs.push(output);
        graph.nodes.push(Node {
            name: "node".into(),
            op_type: op_type.into(),
            domain: String::new(),
            attributes: Default::default(),
            inputs: vec![],
            outputs: vec![output],
            macs: 0,
        });
        Self { graph, feeds: vec![], mode: Mode::Inference, seed: 1 }
    }

    pub fn opset(mut self, opset: i64) -> Self {
        self.graph.opset = opset;
        self
    }

    pub fn mode(mut self, mode: Mode) -> Self {
        self.mode = mode;
        self
    }

    pub fn with(mut self, name: &str, value: impl Into<Attribute>) -> Self {
        self.graph.nodes[0].attributes.insert(name.into(), value.into());
        self
    }

    /// An input that is known only when the network runs.
    pub fn tensor(mut self, shape: &[usize], values: &[f32]) -> Self {
        let id = self.graph.add_input("x", shape.to_vec());
        self.graph.nodes[0].inputs.push(Some(id));
        self.feeds.push((id, values.to_vec()));
        self
    }

    /// An input of numbers between -1 and 1, none of them close to 0.
    pub fn noise(mut self, shape: &[usize]) -> Self {
        let values: Vec<f32> = noise(shape.iter().product(), self.seed);
        self.seed += 1;
        self.tensor(shape, &values)
    }

    /// An input of numbers between 0.5 and 1.
    pub fn positive(mut self, shape: &[usize]) -> Self {
        let values: Vec<f32> =
            noise(shape.iter().product(), self.seed).iter().map(|x| 0.75 + x / 4.0).collect();
        self.seed += 1;
        self.tensor(shape, &values)
    }

    pub fn constant(mut self, constant: Constant) -> Self {
        let id = self.graph.add_constant("c", constant);
        self.graph.nodes[0].inputs.push(Some(id));
        self
    }

    pub fn ints(self, values: &[i64]) -> Self {
        self.constant(Constant::ints(values))
    }

    /// An input that is left out.
    pub fn none(mut self) -> Self {
        self.graph.nodes[0].inputs.push(None);
        self
    }

    pub fn outputs(mut self, count: usize) -> Self {
        while self.graph.outputs.len() < count {
            let output = self.graph.add_tensor("output", None);
            self.graph.nodes[0].outputs.push(output);
            self.graph.outputs.push(output);
        }
        self
    }

    /// The graph after shapes have been inferred.
    pub fn inferred(&self) -> Graph {
        let mut graph = self.graph.clone();
        infer(&mut graph).unwrap();
        graph
    }

    /// Why the node is refused.
    pub fn error(&self) -> String {
        infer(&mut self.graph.clone()).unwrap_err().to_string()
    }

    /// MACs of the node.
    pub fn macs(&self) -> u64 {
        self.inferred().cost().macs
    }

    /// Shape and values of the first output. The shape that was inferred is that which was computed.
    pub fn run(&self) -> (Shape, Vec<f32>) {
        self.run_all().swap_remove(0)
    }

    /// Shape and values of every output.
    pub fn run_all(&self) -> Vec<(Shape, Vec<f32>)> {
        let device = Device::flex();
        let inferred = self.inferred();
        let run = self.compute(&self.feeds, &device, |value| value);
        let outputs = run.outputs.into_iter().zip(&self.graph.outputs);
        outputs
            .map(|(value, id)| {
                let shape = inferred.shape(*id).to_vec();
                let elements: usize = shape.iter().product();
                assert!(
                    value.dims() == shape || shape.is_empty() && elements == 1,
                    "{:?} {shape:?}",
                    value.dims()
                );
                (shape, host(value))
            })
            .collect()
    }

    /// Statistics that the node reports.
    pub fn statistics(&self) -> Option<BatchStatistics> {
        self.compute(&self.feeds, &Device::flex(), |value| value).statistics
    }

    /// Compares the gradients of a weighted sum of all outputs, with respect to every input that is no constant, with
    /// central differences.
    pub fn check_gradients(&self) {
        const STEP: f32 = 5e-3;
        let run = self.compute(&self.feeds, &Device::flex().autodiff(), Value::require_gradient);
        let loss = run.outputs.into_iter().enumerate().map(|(index, value)| {
            let weights = noise(value.dims().iter().product(), 1000 + index as u64);
            let weights = Value::from_host(&weights, &value.dims(), &value.device());
            with_tensor!(value, value => (value * weights.to_rank()).sum())
        });
        let gradients = loss.reduce(|left, right| left + right).unwrap().backward();
        for (input, leaf) in run.leaves.into_iter().enumerate() {
            let given = host(leaf.gradient(&gradients).expect("every input has a gradient"));
            let largest = given.iter().fold(1.0_f32, |largest, value| largest.max(value.abs()));
            for (index, given) in given.iter().enumerate() {
                let mut loss = [STEP, -STEP].map(|step| {
                    let mut feeds = self.feeds.clone();
                    feeds[input].1[index] += step;
                    self.loss(&feeds)
                });
                loss[0] -= loss[1];
                let expected = (loss[0] / (2.0 * f64::from(STEP))) as f32;
                assert!(
                    (given - expected).abs() <= 5e-3 * largest,
                    "input {input}, value {index}: gradient {given}, differences give {expected}"
                );
            }
        }
    }

    fn loss(&self, feeds: &[(TensorId, Vec<f32>)]) -> f64 {
        let run = self.compute(feeds, &Device::flex(), |value| value);
        let weighted = run.outputs.into_iter().enumerate().map(|(index, value)| {
            let values = host(value);
            let weights = noise(values.len(), 1000 + index as u64);
            values
                .iter()
                .zip(weights)
                .map(|(value, weight)| f64::from(*value) * f64::from(weight))
                .sum::<f64>()
        });
        weighted.sum()
    }

    fn compute(
        &self,
        feeds: &[(TensorId, Vec<f32>)],
        device: &Device,
        leaf: impl Fn(Value) -> Value,
    ) -> Computed {
        let mut graph = self.graph.clone();
        let operators = infer(&mut graph).unwrap();
        let mut values: Vec<Option<Value>> = vec![None; graph.tensors.len()];
        for (id, constant) in &graph.constants {
            let floats = constant.as_f32();
            values[id.0] = floats.map(|floats| Value::from_host(floats, &constant.shape, device));
        }
        let mut leaves = vec![];
        for (id, host) in feeds {
            let value = leaf(Value::from_host(host, self.graph.shape(*id), device));
            leaves.push(value.clone());
            values[id.0] = Some(value);
        }
        let mut statistics = None;
        for (node, operator) in graph.nodes.iter().zip(operators) {
            let inputs: Vec<_> =
                node.inputs.iter().map(|id| id.and_then(|id| values[id.0].clone())).collect();
            let outputs = operator.run(&inputs, self.mode);
            statistics = outputs.statistics.or(statistics);
            for (id, value) in node.outputs.iter().zip(outputs.values) {
                values[id.0] = Some(value);
            }
        }
        let outputs = graph.outputs.iter().map(|id| values[id.0].clone().unwrap()).collect();
        Computed { outputs, leaves, statistics }
    }
}

struct Computed {
    outputs: Vec<Value>,
    leaves: Vec<Value>,
    statistics: Option<BatchStatistics>,
}

/// Values of a tensor.
pub fn host(value: impl Into<Value>) -> Vec<f32> {
    with_tensor!(value.into(), tensor => pollster::block_on(tensor.into_data_async()).unwrap().try_to_vec().unwrap())
}

/// Numbers between -1 and 1 in no order, evenly spaced but for a gap around 0: central differences meet neither the
/// kink of an activation nor two numbers that change places in a maximum.
pub fn noise(count: usize, seed: u64) -> Vec<f32> {
    let mut values: Vec<f32> = (0..count)
        .map(|rank| (2 * rank + 1) as f32 / count as f32 - 1.0)
        .map(|x| x * 0.95 + 0.05 * x.signum())
        .collect();
    values.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
    values
}

/// Asserts that numbers agree within one part in 10,000.
pub fn assert_close(given: &[f32], expected: &[f32]) {
    assert_eq!(given.len(), expected.len(), "{given:?}");
    for (index, (a, b)) in given.iter().zip(expected).enumerate() {
        assert!((a - b).abs() <= 1e-4 * b.abs().max(1.0), "value {index}: {a}, expected {b}; all: {given:?}");
    }
}
