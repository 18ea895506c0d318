//! Elementwise activations.

use burn::tensor::{Tensor, activation};

use super::axes::broadcasts_to;
use super::kernels::clip;
use super::value::{Binary, ElementWise};
use super::{Mode, NodeView, OpError, Operator, Outputs, Support, Value, tensor};
use crate::graph::Shape;

pub const OPERATORS: &[Support] = &[
    Support::new("Celu", &[12, 28]),
    Support::new("Clip", &[6, 11, 12, 13]).limits("constant bounds"),
    Support::new("Elu", &[6, 22]),
    Support::new("Gelu", &[20]),
    Support::new("HardSigmoid", &[6, 22]),
    Support::new("HardSwish", &[14, 22]),
    Support::new("LeakyRelu", &[6, 16]),
    Support::new("Mish", &[18, 22]),
    Support::new("PRelu", &[7, 9, 16]),
    Support::new("Relu", &[6, 13, 14]),
    Support::new("Selu", &[6, 22]),
    Support::new("Sigmoid", &[6, 13]),
    Support::new("Softplus", &[1, 22]),
    Support::new("Softsign", &[1, 22]),
    Support::new("Swish", &[24]),
    Support::new("Tanh", &[6, 13]),
    Support::new("ThresholdedRelu", &[10, 22]),
];

pub fn read(view: &NodeView) -> Result<Box<dyn Operator>, OpError> {
    let (optional, known): (usize, &[&str]) = match view.op_type() {
        "Clip" => (2, &[]),
        "Celu" | "Elu" | "LeakyRelu" | "Swish" | "ThresholdedRelu" => (0, &["alpha"]),
        "Gelu" => (0, &["approximate"]),
        "Selu" => (0, &["alpha", "gamma"]),
        "HardSigmoid" => (0, &["alpha", "beta"]),
        "PRelu" => {
            view.signature(&["X", "slope"], 0, 1)?;
            view.only(&[])?;
            return Ok(Box::new(PRelu));
        }
        _ => (0, &[]),
    };
    view.signature(&["X"], optional, 1)?;
    view.only(known)?;
    let alpha = |default: f32| Ok(f64::from(view.float("alpha")?.unwrap_or(default)));
    Ok(Box::new(match view.op_type() {
        "Celu" => match alpha(1.0)? {
            0.0 => return Err(view.invalid("attribute 'alpha' is 0")),
            alpha => Activation::Celu { alpha },
        },
        "Clip" => Activation::Clip { min: view.float_input(1, "min")?, max: view.float_input(2, "max")? },
        "Elu" => Activation::Elu { alpha: alpha(1.0)? },
        "Gelu" => match view.string("approximate")?.unwrap_or("none") {
            "none" => Activation::Gelu,
            "tanh" => Activation::GeluTanh,
            other => return Err(view.invalid(format!("approximate '{other}' is not known"))),
        },
        "HardSigmoid" => {
            Activation::HardSigmoid { alpha: alpha(0.2)?, beta: view.float("beta")?.unwrap_or(0.5).into() }
        }
        "HardSwish" => Activation::HardSwish,
        "LeakyRelu" => Activation::LeakyRelu { alpha: alpha(0.01)? },
        "Relu" => Activation::Relu,
        "Mish" => Activation::Mish,
        "Selu" => Activation::Selu {
            alpha: alpha(1.673_263_2)?,
            gamma: view.float("gamma")?.unwrap_or(1.050_701).into(),
        },
        "Sigmoid" => Activation::Sigmoid,
        "Softplus" => Activation::Softplus,
        "Softsign" => Activation::Softsign,
        "Swish" => Activation::Swish { alpha: alpha(1.0)? },
        "ThresholdedRelu" => Activation::ThresholdedRelu { alpha: alpha(1.0)? },
        _ => Activation::Tanh,
    }))
}

/// A function of one number.
#[derive(Debug)]
enum Activation {
    /// ONNX `Celu` (12, 28).
    Celu { alpha: f64 },
    /// ONNX `Clip` (6, 11, 12, 13).
    Clip { min: Option<f32>, max: Option<f32> },
    /// ONNX `Elu` (6, 22).
    Elu { alpha: f64 },
    /// ONNX `Gelu` (20).
    Gelu,
    /// ONNX `Gelu` (20) with `approximate` = `tanh`.
    GeluTanh,
    /// ONNX `HardSigmoid` (6, 22).
    HardSigmoid { alpha: f64, beta: f64 },
    /// ONNX `HardSwish` (14, 22).
    HardSwish,
    /// ONNX `LeakyRelu` (6, 16).
    LeakyRelu { alpha: f64 },
    /// ONNX `Mish` (18, 22).
    Mish,
    /// ONNX `Relu` (6, 13, 14).
    Relu,
    /// ONNX `Selu` (6, 22).
    Selu { alpha: f64, gamma: f64 },
    /// ONNX `Sigmoid` (6, 13).
    Sigmoid,
    /// ONNX `Softplus` (1, 22).
    Softplus,
    /// ONNX `Softsign` (1, 22).
    Softsign,
    /// ONNX `Swish` (24).
    Swish { alpha: f64 },
    /// ONNX `ThresholdedRelu` (10, 22).
    ThresholdedRelu { alpha: f64 },
    /// ONNX `Tanh` (6, 13).
    Tanh,
}

impl Operator for Activation {
    fn shapes(&self, inputs: &[&[usize]]) -> Result<Vec<Shape>, String> {
        Ok(vec![inputs[0].to_vec()])
    }

    fn run(&self, inputs: &[Option<Value>], _mode: Mode) -> Outputs {
        tensor(inputs, 0).map(self).into()
    }

    fn bounds(&self) -> Option<[f32; 2]> {
        match *self {
            Activation::Clip { min, max } => Some(range(min, max)),
            Activation::Relu => Some([0.0, f32::INFINITY]),
            _ => None,
        }
    }
}

impl ElementWise for &Activation {
    fn apply<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        match **self {
            Activation::Clip { min, max } => {
                let [low, high] = range(min, max);
                clip(x, low, high)
            }
            Activation::Celu { alpha } => {
                activation::relu(x.clone()) + negative_exponential(x.div_scalar(alpha)).mul_scalar(alpha)
            }
            Activation::Elu { alpha } => {
                activation::relu(x.clone()) + negative_exponential(x).mul_scalar(alpha)
            }
            Activation::Gelu => {
                let share = x.clone().mul_scalar(std::f64::consts::FRAC_1_SQRT_2).erf().add_scalar(1.0);
                x.mul_scalar(0.5) * share
            }
            Activation::GeluTanh => {
                let cube = x.clone() * x.clone() * x.clone();
                let inner =
                    (x.clone() + cube.mul_scalar(0.044_715)).mul_scalar((2.0 / std::f64::consts::PI).sqrt());
                x.mul_scalar(0.5) * inner.tanh().add_scalar(1.0)
            }
            Activation::HardSigmoid { alpha, beta } => hard_sigmoid(x, alpha, beta),
            Activation::HardSwish => x.clone() * hard_sigmoid(x, 1.0 / 6.0, 0.5),
            Activation::LeakyRelu { alpha } => activation::leaky_relu(x, alpha),
            Activation::Mish => x.clone() * softplus(x).tanh(),
            Activation::Relu => clip(x, 0.0, f32::INFINITY),
            Activation::Selu { alpha, gamma } => {
                (activation::relu(x.clone()) + negative_exponential(x).mul_scalar(alpha)).mul_scalar(gamma)
            }
            Activation::Sigmoid => activation::sigmoid(x),
            Activation::Softplus => softplus(x),
            Activation::Softsign => x.clone() / x.abs().add_scalar(1.0),
            Activation::Swish { alpha } => x.clone() * activation::sigmoid(x.mul_scalar(alpha)),
            Activation::ThresholdedRelu { alpha } => {
                let low = x.clone().lower_equal_elem(alpha);
                x.mask_fill(low, 0.0)
            }
            Activation::Tanh => x.tanh(),
        }
    }
}

/// The ends of what `Clip` lets through. Where the bounds cross, the upper one holds.
fn range(min: Option<f32>, max: Option<f32>) -> [f32; 2] {
    let high = max.unwrap_or(f32::INFINITY);
    [min.unwrap_or(f32::NEG_INFINITY).min(high), high]
}

/// `exp(x) - 1` of negative numbers, 0 of others. The exponential sees no positive number: an infinite one would spoil
/// gradients even where it is masked.
fn negative_exponential<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    x.clamp_max(0.0).exp().sub_scalar(1.0)
}

/// `ln(1 + exp(x))`, without an exponential that overflows.
fn softplus<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    activation::log_sigmoid(x.neg()).neg()
}

fn hard_sigmoid<const D: usize>(x: Tensor<D>, alpha: f64, beta: f64) -> Tensor<D> {
    x.mul_scalar(alpha).add_scalar(beta).clamp(0.0, 1.0)
}

/// ONNX `PRelu` (7, 9, 16): negative numbers times a slope that broadcasts to the input.
#[derive(Debug)]
struct PRelu;

impl Operator for PRelu {
    fn shapes(&self, inputs: &[&[usize]]) -> Result<Vec<Shape>, String> {
        broadcasts_to(inputs[1], inputs[0])?;
        Ok(vec![inputs[0].to_vec()])
    }

    fn run(&self, inputs: &[Option<Value>], _mode: Mode) -> Outputs {
        tensor(inputs, 0).zip(tensor(inputs, 1), self).into()
    }
}

impl Binary for &PRelu {
    fn apply<const D: usize>(&self, x: Tensor<D>, slope: Tensor<D>) -> Tensor<D> {
        activation::relu(x.clone()) - activation::relu(x.neg()) * slope
    }
}

#[cfg(test)]
mod tests {
    use crate::graph::Constant;
    use crate::ops::testing::{NodeTest, assert_close};

    const X: [f32; 5] = [-4.0, -1.0, 0.0, 0.5, 7.0];

    fn activation(op_type: &str) -> NodeTest {
        NodeTest::new(op_type).tensor(&[1, 5], &X)
    }

    fn clip(min: Option<f32>, max: Option<f32>) -> NodeTest {
        let bound = |test: NodeTest, value: Option<f32>| match value {
            Some(value) => test.constant(Constant::scalar(value)),
            None => test.none(),
        };
        bound(bound(activation("Clip"), min), max)
    }

    #[test]
    fn values_are_those_of_onnx() {
        for (test, expected) in [
            (activation("Relu"), [0.0, 0.0, 0.0, 0.5, 7.0]),
            (clip(Some(0.0), Some(6.0)), [0.0, 0.0, 0.0, 0.5, 6.0]),
            (clip(None, Some(0.25)), [-4.0, -1.0, 0.0, 0.25, 0.25]),
            (clip(Some(-2.0), None), [-2.0, -1.0, 0.0, 0.5, 7.0]),
            (clip(None, None), X),
            // The maximum wins over a larger minimum.
            (clip(Some(3.0), Some(1.0)), [1.0; 5]),
            (activation("Clip").opset(6 + 4).with("min", 0.0).with("max", 6.0), [0.0, 0.0, 0.0, 0.5, 6.0]),
            (activation("LeakyRelu"), [-0.04, -0.01, 0.0, 0.5, 7.0]),
            (activation("LeakyRelu").with("alpha", 0.5), [-2.0, -0.5, 0.0, 0.5, 7.0]),
            (activation("Sigmoid"), [0.017986, 0.268941, 0.5, 0.622459, 0.999089]),
            (activation("Tanh"), [-0.999329, -0.761594, 0.0, 0.462117, 0.999998]),
            (activation("HardSigmoid"), [0.0, 0.3, 0.5, 0.6, 1.0]),
            (activation("HardSwish"), [0.0, -0.333333, 0.0, 0.291667, 7.0]),
            (activation("Elu").with("alpha", 2.0), [-1.963369, -1.264241, 0.0, 0.5, 7.0]),
            (activation("Celu").with("alpha", 2.0), [-1.729329, -0.786939, 0.0, 0.5, 7.0]),
            (activation("Gelu"), [-0.000127, -0.158655, 0.0, 0.345731, 7.0]),
            (activation("Gelu").with("approximate", "tanh"), [-0.00007, -0.158808, 0.0, 0.345714, 7.0]),
            (activation("Mish"), [-0.072592, -0.303401, 0.0, 0.375249, 6.999988]),
            (activation("Selu"), [-1.725899, -1.111331, 0.0, 0.525351, 7.354907]),
            (activation("Softplus"), [0.01815, 0.313262, std::f32::consts::LN_2, 0.974077, 7.000911]),
            (activation("Softsign"), [-0.8, -0.5, 0.0, 0.333333, 0.875]),
            (activation("Swish").with("alpha", 2.0), [-0.001341, -0.119203, 0.0, 0.365529, 6.999994]),
            (activation("ThresholdedRelu").with("alpha", 0.5), [0.0, 0.0, 0.0, 0.0, 7.0]),
            (activation("PRelu").tensor(&[1], &[0.25]), [-1.0, -0.25, 0.0, 0.5, 7.0]),
        ] {
            assert_close(&test.run().1, &expected);
        }
    }

    #[test]
    fn gradients_are_those_of_differences() {
        for op_type in [
            "Celu",
            "Elu",
            "Gelu",
            "HardSigmoid",
            "HardSwish",
            "LeakyRelu",
            "Mish",
            "Relu",
            "Selu",
            "Sigmoid",
            "Softplus",
            "Softsign",
            "Swish",
            "Tanh",
        ] {
            NodeTest::new(op_type).noise(&[2, 3, 2]).check_gradients();
        }
        NodeTest::new("Gelu").noise(&[2, 3, 2]).with("approximate", "tanh").check_gradients();
        NodeTest::new("ThresholdedRelu").noise(&[2, 3, 2]).with("alpha", 0.25).check_gradients();
        let bounds = [-0.5, 0.5].map(Constant::scalar);
        let [min, max] = bounds;
        NodeTest::new("Clip").noise(&[2, 7]).constant(min).constant(max).check_gradients();
        NodeTest::new("PRelu").noise(&[2, 3, 2]).noise(&[3, 1]).check_gradients();
    }

    #[test]
    fn an_exponential_that_overflows_spoils_no_gradient() {
        for op_type in ["Celu", "Elu", "Mish", "Selu", "Softplus"] {
            NodeTest::new(op_type).tensor(&[2], &[100.0, -100.0]).check_gradients();
        }
    }

    #[test]
    fn bounds_must_be_constant() {
        let error = activation("Clip").noise(&[1]).error();
        assert!(error.contains("input 'min' must be a constant float"), "{error}");
    }
}
