use super::*;
use crate::net::{Network, NetworkOptions, Pixels, prepare};
use crate::ops::{Mode, Value};
use burn::tensor::Device;

const FIRST: [i64; 4] = [0, 3, 1, 2];
const TO_LAST: [i64; 4] = [0, 2, 3, 1];

struct Builder {
    graph: Graph,
}

impl Builder {
    fn new(shape: [usize; 4]) -> (Self, TensorId) {
        let mut graph = Graph { opset: 18, ..Graph::default() };
        let image = graph.add_input("image", shape.to_vec());
        (Self { graph }, image)
    }

    fn transpose(&mut self, x: TensorId, order: [i64; 4]) -> TensorId {
        let attributes = Attributes::from([("perm".to_owned(), order.to_vec().into())]);
        self.graph.add_node_with("Transpose", "transposed", [x], attributes)
    }

    fn constant(&mut self, shape: &[usize]) -> TensorId {
        let count: usize = shape.iter().product();
        let values: Vec<f32> = (0..count).map(|index| (index as f32 * 0.7).sin()).collect();
        self.graph.add_constant("weight", Constant::f32(shape, values))
    }

    fn conv(&mut self, x: TensorId, channels: [usize; 2]) -> TensorId {
        let weight = self.constant(&[channels[1], channels[0], 3, 3]);
        let attributes = Attributes::from([("pads".to_owned(), vec![1, 1, 1, 1].into())]);
        self.graph.add_node_with("Conv", "conv", [x, weight], attributes)
    }

    /// A convolution as TensorFlow's converter writes it, on channels that come last.
    fn conv_last(&mut self, x: TensorId, channels: [usize; 2]) -> TensorId {
        let x = self.transpose(x, FIRST);
        let x = self.conv(x, channels);
        self.transpose(x, TO_LAST)
    }

    fn ints(&mut self, values: &[i64]) -> TensorId {
        self.graph.add_constant("ints", Constant::ints(values))
    }
}

fn run(graph: &Graph, images: &[f32], shape: [usize; 4]) -> Vec<f32> {
    let device = Device::flex();
    let network = Network::new(graph, &device).unwrap();
    let feeds = [(network.graph().inputs[0], Value::from_host(images, &shape, &device))];
    let outputs = network.run(&feeds, &network.graph().outputs, Mode::Inference).targets;
    pollster::block_on(crate::net::read(outputs[0].clone())).unwrap()
}

fn noise(count: usize) -> Vec<f32> {
    (0..count).map(|index| (index as f32 * 1.3).cos()).collect()
}

/// Two images with channels last, and the same with channels first.
fn images([height, width, channels]: [usize; 3]) -> [Vec<f32>; 2] {
    let last = Constant::f32(vec![2, height, width, channels], noise(2 * height * width * channels));
    let first = ops::permuted(&last, &[0, 3, 1, 2]).unwrap();
    [last, first].map(|images| images.as_f32().unwrap().to_vec())
}

/// A block with squeeze and excitation and a skip, as Keras networks have them.
fn keras() -> Graph {
    let (mut b, image) = Builder::new([1, 6, 4, 3]);
    let mean = b.constant(&[3]);
    let x = b.graph.add_node("Sub", "normalised", [image, mean]);
    let skip = b.conv_last(x, [3, 4]);
    let bias = b.constant(&[4]);
    let biased = b.graph.add_node("Add", "biased", [skip, bias]);
    let x = b.graph.add_node("Relu", "relu", [biased]);
    let pads = b.ints(&[0, 1, 0, 0, 0, 0, 1, 0]);
    let x = b.graph.add_node("Pad", "padded", [x, pads]);
    let [starts, ends, axes] = [[1, 0], [7, 4], [1, 2]].map(|values| b.ints(&values));
    let x = b.graph.add_node("Slice", "sliced", [x, starts, ends, axes]);
    let axes = b.ints(&[1, 2]);
    let squeezed = b.graph.add_node("ReduceMean", "squeezed", [x, axes]);
    let gate = b.conv_last(squeezed, [4, 4]);
    let gate = b.graph.add_node("Sigmoid", "gate", [gate]);
    let x = b.graph.add_node("Mul", "excited", [x, gate]);
    let axis = Attributes::from([("axis".to_owned(), (-1).into())]);
    let x = b.graph.add_node_with("Concat", "joined", [x, skip], axis);
    let x = b.conv_last(x, [8, 5]);
    let axes = b.ints(&[1, 2]);
    let attributes = Attributes::from([("keepdims".to_owned(), 0.into())]);
    let x = b.graph.add_node_with("ReduceMean", "pooled", [x, axes], attributes);
    let weight = b.constant(&[5, 2]);
    let logits = b.graph.add_node("MatMul", "logits", [x, weight]);
    b.graph.outputs.push(logits);
    b.graph
}

#[test]
fn a_network_with_channels_last_becomes_one_with_channels_first() {
    let graph = keras();
    let options = NetworkOptions { preprocessing: Some(Pixels::Bytes), ..NetworkOptions::default() };
    let prepared = prepare(&graph, &options, "keras").unwrap();
    assert_eq!(prepared.input, [3, 6, 4]);
    let transposes = prepared.graph.nodes.iter().filter(|node| node.op_type == "Transpose").count();
    assert_eq!(transposes, 0, "{:?}", prepared.graph.nodes.iter().map(|node| &node.name).collect::<Vec<_>>());
    let [last, first] = images([6, 4, 3]);
    let (expected, given) = (run(&graph, &last, [2, 6, 4, 3]), run(&prepared.graph, &first, [2, 3, 6, 4]));
    for (given, expected) in given.iter().zip(&expected) {
        assert!((given - expected).abs() < 1e-5, "{given} {expected}");
    }
    assert_eq!(given.len(), 4);
}

#[test]
fn names_stay() {
    let prepared = channels_first(&inferred(keras())).unwrap();
    for name in ["image", "normalised", "biased", "gate", "logits"] {
        assert!(prepared.find(name).is_some(), "{name}");
    }
}

fn inferred(mut graph: Graph) -> Graph {
    ops::infer(&mut graph).unwrap();
    graph
}

/// A layer that wants its channels last keeps its transposes.
#[test]
fn what_must_be_transposed_is_left_alone() {
    let (mut b, image) = Builder::new([1, 3, 4, 4]);
    let x = b.conv(image, [3, 4]);
    let x = b.transpose(x, TO_LAST);
    let scale = b.constant(&[4]);
    let x = b.graph.add_node("LayerNormalization", "norm", [x, scale]);
    let x = b.graph.add_node("Relu", "relu", [x]);
    let x = b.transpose(x, FIRST);
    b.graph.outputs.push(x);
    assert_eq!(channels_first(&inferred(b.graph)), None);
}

/// Some of the pairs undo each other, one transpose stays, and an output keeps its order and its name.
#[test]
fn outputs_keep_their_order() {
    let (mut b, image) = Builder::new([1, 3, 4, 2]);
    let x = b.conv(image, [3, 4]);
    let last = b.transpose(x, TO_LAST);
    let x = b.graph.add_node("Relu", "relu", [last]);
    let first = b.transpose(x, FIRST);
    let x = b.conv(first, [4, 2]);
    let x = b.transpose(x, TO_LAST);
    let output = b.graph.add_node("Tanh", "map", [x]);
    b.graph.outputs.push(output);
    let graph = inferred(b.graph);
    let turned = channels_first(&graph).unwrap();
    assert_eq!(turned.nodes.iter().filter(|node| node.op_type == "Transpose").count(), 1);
    assert_eq!(turned.tensor(turned.outputs[0]).name, "map");
    let [_, images] = images([4, 2, 3]);
    assert_eq!(run(&graph, &images, [2, 3, 4, 2]), run(&turned, &images, [2, 3, 4, 2]));
    assert_eq!(inferred(turned.clone()).shape(turned.outputs[0]), [1, 4, 2, 2]);
}
