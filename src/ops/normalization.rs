//! Batch normalisation.

use burn::tensor::Tensor;
use burn::tensor::module::batch_norm;

use super::kernels::batch_norm_train;
use super::{BatchStatistics, Mode, NodeView, OpError, Operator, Outputs, Value, tensor};
use crate::graph::Shape;

pub const OPERATORS: &[&str] = &["BatchNormalization"];

pub fn read(view: &NodeView) -> Result<Box<dyn Operator>, OpError> {
    view.signature(&["X", "scale", "B", "mean", "var"], 0, 1)?;
    view.only(&["epsilon", "momentum", "training_mode"])?;
    if view.int("training_mode")?.unwrap_or(0) != 0 {
        return Err(view.invalid("the network was exported in training mode; export it for inference"));
    }
    Ok(Box::new(BatchNormalization { epsilon: view.float("epsilon")?.unwrap_or(1e-5).into() }))
}

/// ONNX `BatchNormalization` (7, 9, 14, 15).
///
/// In [`Mode::Training`] it normalises by the statistics of the batch and reports them; who runs it keeps the
/// running ones.
///
/// # Shapes
///
/// - `X`: [batch, channels, ...]
/// - all others: [channels]
#[derive(Debug)]
struct BatchNormalization {
    epsilon: f64,
}

impl Operator for BatchNormalization {
    fn shapes(&self, inputs: &[&[usize]]) -> Result<Vec<Shape>, String> {
        let [x, parameters @ ..] = inputs else { return Err("it has no input".to_owned()) };
        let &[_, channels, ..] = *x else { return Err(format!("the input {x:?} has no channels")) };
        match parameters.iter().find(|shape| **shape != [channels]) {
            None => Ok(vec![x.to_vec()]),
            Some(shape) => Err(format!("parameters of shape {shape:?} do not fit {channels} channels")),
        }
    }

    fn run(&self, inputs: &[Option<Value>], mode: Mode) -> Outputs {
        match tensor(inputs, 0) {
            Value::R1(_) => unreachable!("`shapes` has refused an input without channels"),
            Value::R2(x) => self.normalize(x, inputs, mode),
            Value::R3(x) => self.normalize(x, inputs, mode),
            Value::R4(x) => self.normalize(x, inputs, mode),
            Value::R5(x) => self.normalize(x, inputs, mode),
            Value::R6(x) => self.normalize(x, inputs, mode),
        }
    }
}

impl BatchNormalization {
    fn normalize<const D: usize>(&self, x: Tensor<D>, inputs: &[Option<Value>], mode: Mode) -> Outputs
    where
        Value: From<Tensor<D>>,
    {
        let [scale, bias, mean, variance] = [1, 2, 3, 4].map(|index| tensor(inputs, index).to_rank::<1>());
        match mode {
            Mode::Inference => Value::from(batch_norm(x, scale, bias, mean, variance, self.epsilon)).into(),
            Mode::Training => {
                let shape = x.dims();
                let flat = x.reshape([shape[0], shape[1], shape[2..].iter().product(), 1]);
                let result = batch_norm_train(flat, scale, bias, self.epsilon);
                Outputs {
                    values: vec![result.output.reshape(shape).into()],
                    statistics: Some(BatchStatistics { mean: result.mean, variance: result.variance }),
                }
            }
        }
    }
}
