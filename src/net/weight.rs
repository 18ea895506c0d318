//! Weights of any rank, as parameters of a burn module.

use burn::module::{Module, Param, ParamId};
use burn::tensor::{Gradients, Tensor, TensorData};

use crate::graph::Graph;
use crate::ops::Value;

/// One weight tensor.
#[derive(Module, Debug)]
pub enum Weight {
    R1(Param<Tensor<1>>),
    R2(Param<Tensor<2>>),
    R3(Param<Tensor<3>>),
    R4(Param<Tensor<4>>),
    R5(Param<Tensor<5>>),
    R6(Param<Tensor<6>>),
}

/// Inputs that are trained where they are constants, by operator.
const TRAINABLE: &[(&str, &[usize])] = &[
    ("Add", &[0, 1]),
    ("BatchNormalization", &[1, 2]),
    ("Conv", &[1, 2]),
    ("ConvTranspose", &[1, 2]),
    ("Einsum", &[0, 1, 2]),
    ("Gemm", &[0, 1, 2]),
    ("GroupNormalization", &[1, 2]),
    ("InstanceNormalization", &[1, 2]),
    ("LayerNormalization", &[1, 2]),
    ("MatMul", &[0, 1]),
    ("PRelu", &[1]),
    ("RMSNormalization", &[1]),
];

/// Operators that only move a weight, or change its type.
const MOVES: &[&str] = &[
    "Cast",
    "Concat",
    "Expand",
    "Flatten",
    "Gather",
    "Identity",
    "Reshape",
    "Slice",
    "Squeeze",
    "Transpose",
    "Unsqueeze",
];

/// A path segment in a constant's name that keeps it from being trained, such as a resampling matrix.
pub const FIXED: &str = "fixed";

/// For every tensor of `graph` whether it is a weight that training may change, be it read as it is or moved before.
pub fn trainable(graph: &Graph) -> Vec<bool> {
    let mut trainable = vec![false; graph.tensors.len()];
    for node in graph.nodes.iter().rev() {
        let read =
            |(op_type, places): &(&str, &'static [usize])| (*op_type == node.op_type).then_some(*places);
        let moved = MOVES.contains(&node.op_type.as_str()) && node.outputs.iter().any(|id| trainable[id.0]);
        let places = match TRAINABLE.iter().find_map(read) {
            Some(places) => places.to_vec(),
            None if moved && node.op_type == "Concat" => (0..node.inputs.len()).collect(),
            None if moved => vec![0],
            None => continue,
        };
        for id in places.into_iter().filter_map(|place| node.inputs.get(place).copied().flatten()) {
            trainable[id.0] = !is_fixed(&graph.tensor(id).name);
        }
    }
    trainable
}

/// Whether a constant of this name is no weight.
pub fn is_fixed(name: &str) -> bool {
    name.split('/').any(|segment| segment == FIXED)
}

impl Weight {
    pub fn new(value: Value, trainable: bool) -> Self {
        fn param<const D: usize>(tensor: Tensor<D>, trainable: bool) -> Param<Tensor<D>> {
            Param::initialized(ParamId::new(), tensor).set_require_grad(trainable)
        }
        match value {
            Value::R1(tensor) => Self::R1(param(tensor, trainable)),
            Value::R2(tensor) => Self::R2(param(tensor, trainable)),
            Value::R3(tensor) => Self::R3(param(tensor, trainable)),
            Value::R4(tensor) => Self::R4(param(tensor, trainable)),
            Value::R5(tensor) => Self::R5(param(tensor, trainable)),
            Value::R6(tensor) => Self::R6(param(tensor, trainable)),
        }
    }

    pub fn value(&self) -> Value {
        match self {
            Self::R1(param) => param.val().into(),
            Self::R2(param) => param.val().into(),
            Self::R3(param) => param.val().into(),
            Self::R4(param) => param.val().into(),
            Self::R5(param) => param.val().into(),
            Self::R6(param) => param.val().into(),
        }
    }

    /// The gradient of a loss with respect to this weight, if it is trained and the loss depends on it.
    pub fn gradient(&self, gradients: &Gradients) -> Option<Value> {
        match self {
            Self::R1(param) => param.val().grad(gradients).map(Value::from),
            Self::R2(param) => param.val().grad(gradients).map(Value::from),
            Self::R3(param) => param.val().grad(gradients).map(Value::from),
            Self::R4(param) => param.val().grad(gradients).map(Value::from),
            Self::R5(param) => param.val().grad(gradients).map(Value::from),
            Self::R6(param) => param.val().grad(gradients).map(Value::from),
        }
    }

    /// Replaces the value by what `rule` makes of it and its gradient, both flat and outside automatic differentiation, if
    /// the weight is trained and the loss depends on it.
    pub fn step(
        &mut self,
        gradients: &Gradients,
        rule: &mut impl FnMut(ParamId, Tensor<1>, Tensor<1>) -> Tensor<1>,
    ) {
        fn step<const D: usize>(
            param: &mut Param<Tensor<D>>,
            gradients: &Gradients,
            rule: &mut impl FnMut(ParamId, Tensor<1>, Tensor<1>) -> Tensor<1>,
        ) {
            let value = param.val();
            let Some(gradient) = value.grad(gradients) else { return };
            let (value, shape) = (value.inner(), param.dims());
            let count: usize = shape.iter().product();
            let value = rule(param.id, value.reshape([count]), gradient.reshape([count]));
            *param =
                Param::initialized(param.id, Tensor::from_inner(value.reshape(shape))).set_require_grad(true);
        }
        match self {
            Self::R1(param) => step(param, gradients, rule),
            Self::R2(param) => step(param, gradients, rule),
            Self::R3(param) => step(param, gradients, rule),
            Self::R4(param) => step(param, gradients, rule),
            Self::R5(param) => step(param, gradients, rule),
            Self::R6(param) => step(param, gradients, rule),
        }
    }

    /// Replaces the values, in row-major order, and nothing else.
    pub fn put(&mut self, values: &[f32]) {
        fn put<const D: usize>(param: &mut Param<Tensor<D>>, values: &[f32]) {
            let (old, trained) = (param.val(), param.is_require_grad());
            let data = TensorData::new(values.to_vec(), old.dims());
            *param = Param::initialized(param.id, Tensor::from_data(data, &old.device()))
                .set_require_grad(trained);
        }
        match self {
            Self::R1(param) => put(param, values),
            Self::R2(param) => put(param, values),
            Self::R3(param) => put(param, values),
            Self::R4(param) => put(param, values),
            Self::R5(param) => put(param, values),
            Self::R6(param) => put(param, values),
        }
    }

    pub fn id(&self) -> ParamId {
        match self {
            Self::R1(param) => param.id,
            Self::R2(param) => param.id,
            Self::R3(param) => param.id,
            Self::R4(param) => param.id,
            Self::R5(param) => param.id,
            Self::R6(param) => param.id,
        }
    }

    /// Takes the weight out of training.
    pub fn hold(&mut self) {
        fn still<const D: usize>(param: &Param<Tensor<D>>) -> Param<Tensor<D>> {
            Param::initialized(param.id, param.val().detach()).set_require_grad(false)
        }
        match self {
            Self::R1(param) => *param = still(param),
            Self::R2(param) => *param = still(param),
            Self::R3(param) => *param = still(param),
            Self::R4(param) => *param = still(param),
            Self::R5(param) => *param = still(param),
            Self::R6(param) => *param = still(param),
        }
    }

    /// A vector, such as a running mean, outside of what is differentiated.
    pub fn vector(&self) -> Option<Tensor<1>> {
        match self {
            Self::R1(param) => Some(param.val().detach()),
            _ => None,
        }
    }

    /// Replaces a vector by one that is not trained. Weights of other ranks stay as they are.
    pub fn put_vector(&mut self, value: Tensor<1>) {
        if let Self::R1(param) = self {
            *param = Param::initialized(param.id, value).set_require_grad(false);
        }
    }
}
