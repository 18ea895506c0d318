//! The bundled backbones: small networks of three classical families, built layer by layer with random weights.

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

use crate::graph::{Attribute, Attributes, Constant, Graph, TensorId};
use crate::ops;

/// A family of convolutional networks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// Plain 3×3 convolutions and max pooling (Simonyan & Zisserman, 2015).
    Vgg,
    /// Basic residual blocks (He et al., 2016).
    ResNet,
    /// Depthwise-separable convolutions with ReLU6 (Howard et al., 2017).
    MobileNet,
}

impl Family {
    pub fn name(self) -> &'static str {
        match self {
            Self::Vgg => "VGG-like",
            Self::ResNet => "ResNet-like",
            Self::MobileNet => "MobileNet-like",
        }
    }
}

/// How many channels a network has, relative to its family's usual ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Width {
    Full,
    Half,
}

impl Width {
    fn of<const N: usize>(self, channels: [usize; N]) -> [usize; N] {
        match self {
            Self::Full => channels,
            Self::Half => channels.map(|channels| channels / 2),
        }
    }
}

/// A network of the family with random weights, on grey images of `size` × `size` with pixels from 0 to 1.
pub fn backbone(family: Family, width: Width, size: usize, classes: usize, seed: u64) -> Graph {
    let mut builder = Builder::new(size, seed);
    let features = match family {
        Family::Vgg => vgg(&mut builder, width),
        Family::ResNet => resnet(&mut builder, width),
        Family::MobileNet => mobilenet(&mut builder, width),
    };
    let mut graph = builder.classifier(features, classes);
    if let Err(error) = ops::infer(&mut graph) {
        unreachable!("the layers fit by construction: {error}");
    }
    graph
}

fn vgg(net: &mut Builder, width: Width) -> Layer {
    let [a, b, c, last] = width.of([16, 32, 64, 128]);
    let mut x = net.image();
    for channels in [a, b, c] {
        x = net.conv_bn_relu(x, channels, 3, 1);
        x = net.conv_bn_relu(x, channels, 3, 1);
        x = net.max_pool(x);
    }
    net.conv_bn_relu(x, last, 3, 1)
}

fn resnet(net: &mut Builder, width: Width) -> Layer {
    let [first, a, b, c] = width.of([16, 24, 48, 96]);
    let mut x = net.image();
    x = net.conv_bn_relu(x, first, 3, 1);
    for channels in [a, b, c] {
        let mut inner = net.conv_bn_relu(x, channels, 3, 2);
        inner = net.conv(inner, channels, 3, 1, 1);
        inner = net.batch_norm(inner);
        let mut skip = net.conv(x, channels, 1, 2, 1);
        skip = net.batch_norm(skip);
        x = net.add(inner, skip);
        x = net.relu(x);
    }
    x
}

fn mobilenet(net: &mut Builder, width: Width) -> Layer {
    let [first, a, b, c, d] = width.of([16, 32, 64, 128, 256]);
    let mut x = net.image();
    x = net.conv(x, first, 3, 1, 1);
    x = net.batch_norm(x);
    x = net.relu6(x);
    for (channels, stride) in [(a, 1), (b, 2), (b, 1), (c, 2), (c, 1), (d, 2)] {
        let groups = x.channels;
        for (channels, kernel, stride, groups) in [(groups, 3, stride, groups), (channels, 1, 1, 1)] {
            x = net.conv(x, channels, kernel, stride, groups);
            x = net.batch_norm(x);
            x = net.relu6(x);
        }
    }
    x
}

/// A tensor while the network is built.
#[derive(Clone, Copy)]
struct Layer {
    tensor: TensorId,
    channels: usize,
}

/// Adds layers to a graph, numbering them by kind.
struct Builder {
    graph: Graph,
    rng: ChaCha8Rng,
    layers: usize,
}

impl Builder {
    fn new(size: usize, seed: u64) -> Self {
        let mut graph = Graph { opset: 17, ..Graph::default() };
        graph.add_input("image", vec![1, 1, size, size]);
        Self { graph, rng: ChaCha8Rng::seed_from_u64(seed), layers: 0 }
    }

    fn image(&self) -> Layer {
        Layer { tensor: self.graph.inputs[0], channels: 1 }
    }

    fn name(&mut self, kind: &str) -> String {
        self.layers += 1;
        format!("{kind}{}", self.layers)
    }

    fn node<const N: usize>(
        &mut self,
        op: &str,
        name: &str,
        inputs: [TensorId; N],
        attributes: &[(&str, Attribute)],
    ) -> TensorId {
        let attributes: Attributes =
            attributes.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        self.graph.add_node_with(op, name, inputs, attributes)
    }

    /// A convolution without bias (batch normalisation follows), weights drawn as by He et al. (2015).
    fn conv(&mut self, x: Layer, channels: usize, kernel: usize, stride: usize, groups: usize) -> Layer {
        let name = self.name(if groups > 1 { "depthwise" } else { "conv" });
        let shape = vec![channels, x.channels / groups, kernel, kernel];
        let fan_out = (channels / groups * kernel * kernel) as f32;
        let bound = (6.0 / fan_out).sqrt();
        let weight = self.uniform(&format!("{name}/weight"), shape, bound);
        let (kernel, stride, pad) = (kernel as i64, stride as i64, (kernel / 2) as i64);
        let attributes = [
            ("group", Attribute::Int(groups as i64)),
            ("kernel_shape", Attribute::Ints(vec![kernel; 2])),
            ("pads", Attribute::Ints(vec![pad; 4])),
            ("strides", Attribute::Ints(vec![stride; 2])),
        ];
        Layer { tensor: self.node("Conv", &name, [x.tensor, weight], &attributes), channels }
    }

    fn batch_norm(&mut self, x: Layer) -> Layer {
        let name = self.name("bn");
        let [scale, bias, mean, variance] = [("scale", 1.0), ("bias", 0.0), ("mean", 0.0), ("variance", 1.0)]
            .map(|(part, value)| {
                let constant = Constant::f32(vec![x.channels], vec![value; x.channels]);
                self.graph.add_constant(&format!("{name}/{part}"), constant)
            });
        let inputs = [x.tensor, scale, bias, mean, variance];
        let tensor = self.node("BatchNormalization", &name, inputs, &[("epsilon", Attribute::Float(1e-5))]);
        Layer { tensor, ..x }
    }

    fn relu(&mut self, x: Layer) -> Layer {
        let name = self.name("relu");
        Layer { tensor: self.node("Relu", &name, [x.tensor], &[]), ..x }
    }

    fn relu6(&mut self, x: Layer) -> Layer {
        let name = self.name("relu6_");
        let low = self.graph.add_constant(&format!("{name}/low"), Constant::scalar(0.0));
        let high = self.graph.add_constant(&format!("{name}/high"), Constant::scalar(6.0));
        Layer { tensor: self.node("Clip", &name, [x.tensor, low, high], &[]), ..x }
    }

    fn conv_bn_relu(&mut self, x: Layer, channels: usize, kernel: usize, stride: usize) -> Layer {
        let x = self.conv(x, channels, kernel, stride, 1);
        let x = self.batch_norm(x);
        self.relu(x)
    }

    fn max_pool(&mut self, x: Layer) -> Layer {
        let name = self.name("pool");
        let window = Attribute::Ints(vec![2; 2]);
        let attributes = [("kernel_shape", window.clone()), ("strides", window)];
        Layer { tensor: self.node("MaxPool", &name, [x.tensor], &attributes), ..x }
    }

    fn add(&mut self, a: Layer, b: Layer) -> Layer {
        let name = self.name("add");
        Layer { tensor: self.node("Add", &name, [a.tensor, b.tensor], &[]), ..a }
    }

    /// Global average pooling and a linear layer; ends the network.
    fn classifier(mut self, x: Layer, classes: usize) -> Graph {
        let bound = (1.0 / x.channels as f32).sqrt();
        let weight = self.uniform("classifier/weight", vec![x.channels, classes], bound);
        let bias =
            self.graph.add_constant("classifier/bias", Constant::f32(vec![classes], vec![0.0; classes]));
        let pooled = self.node("GlobalAveragePool", "average", [x.tensor], &[]);
        let flat = self.node("Flatten", "flat", [pooled], &[]);
        let logits = self.node("Gemm", "logits", [flat, weight, bias], &[]);
        self.graph.outputs.push(logits);
        self.graph
    }

    fn uniform(&mut self, name: &str, shape: Vec<usize>, bound: f32) -> TensorId {
        let count = shape.iter().product();
        let values: Vec<f32> = (0..count).map(|_| self.rng.random_range(-bound..bound)).collect();
        self.graph.add_constant(name, Constant::f32(shape, values))
    }
}
