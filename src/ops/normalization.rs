//! Batch normalisation.

use std::sync::Arc;

use burn::tensor::Tensor;

use super::kernels::{batch_norm_train, clip};
use super::{BatchStatistics, Mode, NodeView, OpError, Operator, Outputs, Support, Value, tensor};
use crate::graph::{Attribute, Node, Shape};

pub const OPERATORS: &[Support] =
    &[Support::new("BatchNormalization", &[7, 9, 14, 15]).limits("exported for inference; `spatial` 1")];

pub fn read(view: &NodeView) -> Result<Box<dyn Operator>, OpError> {
    view.signature(&["X", "scale", "B", "mean", "var"], 0, 1)?;
    view.only(&["epsilon", "momentum", "training_mode"])?;
    if view.int("training_mode")?.unwrap_or(0) != 0 {
        return Err(view.invalid("the network was exported in training mode; export it for inference"));
    }
    let epsilon = view.float("epsilon")?.unwrap_or(EPSILON).into();
    Ok(Box::new(BatchNormalization { epsilon, bounds: None }))
}

/// Added to the variance where nothing else is said.
const EPSILON: f32 = 1e-5;

/// What a `BatchNormalization` node that has been read adds to the variance.
pub fn batch_norm_epsilon(node: &Node) -> f64 {
    match node.attributes.get("epsilon") {
        Some(Attribute::Float(epsilon)) => (*epsilon).into(),
        _ => EPSILON.into(),
    }
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
    /// The output is moved between them.
    bounds: Option<[f32; 2]>,
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

    fn bounded(&self, bounds: [f32; 2]) -> Option<Arc<dyn Operator>> {
        let free = self.bounds.is_none();
        free.then(|| Arc::new(Self { bounds: Some(bounds), ..*self }) as Arc<dyn Operator>)
    }
}

impl BatchNormalization {
    fn normalize<const D: usize>(&self, x: Tensor<D>, inputs: &[Option<Value>], mode: Mode) -> Outputs
    where
        Value: From<Tensor<D>>,
    {
        let [scale, bias, mean, variance] = [1, 2, 3, 4].map(|index| tensor(inputs, index).to_rank::<1>());
        match mode {
            Mode::Inference => {
                // One factor and one summand per channel: two passes over the input instead of four.
                let factor = scale / variance.add_scalar(self.epsilon).sqrt();
                let summand = bias - mean * factor.clone();
                let mut shape = [1; D];
                shape[1] = x.dims()[1];
                let output = x * factor.reshape(shape) + summand.reshape(shape);
                let output = match self.bounds {
                    Some([low, high]) => clip(output, low, high),
                    None => output,
                };
                Value::from(output).into()
            }
            Mode::Training => {
                let shape = x.dims();
                let flat = x.reshape([shape[0], shape[1], shape[2..].iter().product(), 1]);
                let result = batch_norm_train(flat, scale, bias, self.epsilon, self.bounds);
                Outputs {
                    values: vec![result.output.reshape(shape).into()],
                    statistics: Some(BatchStatistics { mean: result.mean, variance: result.variance }),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::testing::{NodeTest, assert_close, host};

    /// Two channels, each with two images of one pixel.
    fn batch_normalization() -> NodeTest {
        NodeTest::new("BatchNormalization")
            .tensor(&[2, 2, 1, 1], &[1.0, 10.0, 3.0, 30.0])
            .tensor(&[2], &[2.0, 1.0])
            .tensor(&[2], &[0.5, -1.0])
            .tensor(&[2], &[1.0, 10.0])
            .tensor(&[2], &[4.0, 100.0])
            .with("epsilon", 0.0)
    }

    #[test]
    fn inference_uses_the_stored_statistics() {
        assert_close(&batch_normalization().run().1, &[0.5, -1.0, 2.5, 1.0]);
        assert!(batch_normalization().statistics().is_none());
    }

    #[test]
    fn training_uses_those_of_the_batch_and_reports_them() {
        let test = batch_normalization().mode(Mode::Training);
        assert_close(&test.run().1, &[-1.5, -2.0, 2.5, 0.0]);
        let statistics = test.statistics().unwrap();
        assert_close(&host(statistics.mean), &[2.0, 20.0]);
        assert_close(&host(statistics.variance), &[1.0, 100.0]);
    }

    #[test]
    fn gradients_are_those_of_differences() {
        let test = || NodeTest::new("BatchNormalization").noise(&[3, 2, 2, 2]).noise(&[2]).noise(&[2]);
        test().noise(&[2]).positive(&[2]).check_gradients();
        let fixed = || Constant::f32(vec![2], vec![1.0, 1.0]);
        test().constant(fixed()).constant(fixed()).mode(Mode::Training).check_gradients();
    }

    use crate::graph::Constant;

    #[test]
    fn older_forms_are_read() {
        assert_close(&batch_normalization().opset(7).with("spatial", 1).run().1, &[0.5, -1.0, 2.5, 1.0]);
        let error = batch_normalization().opset(7).with("spatial", 0).error();
        assert!(error.contains("operator BatchNormalization (opset 7): attribute 'spatial'"), "{error}");
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let short = NodeTest::new("BatchNormalization")
            .noise(&[1, 3])
            .noise(&[2])
            .noise(&[3])
            .noise(&[3])
            .noise(&[3]);
        for (test, reason) in [
            (short, "[2] do not fit 3 channels"),
            (batch_normalization().with("training_mode", 1), "training mode"),
            (batch_normalization().outputs(3), "output 2 is not supported"),
        ] {
            let error = test.error();
            assert!(error.contains(reason), "{error}");
        }
    }
}
