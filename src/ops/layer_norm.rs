//! Normalisation of each image by itself.

use burn::tensor::Tensor;

use super::arithmetic::Arithmetic;
use super::axes::{axis, broadcasts_to};
use super::{Mode, NodeView, OpError, Operator, Outputs, Support, Value, optional, tensor};
use crate::graph::Shape;

pub const OPERATORS: &[Support] = &[
    Support::new("GroupNormalization", &[18, 21]),
    Support::new("InstanceNormalization", &[6, 22]),
    Support::new("LayerNormalization", &[17]),
    Support::new("LpNormalization", &[1, 22]),
    Support::new("RMSNormalization", &[23]),
];

pub fn read(view: &NodeView) -> Result<Box<dyn Operator>, OpError> {
    let epsilon = f64::from(view.float("epsilon")?.unwrap_or(1e-5));
    let axis = view.int("axis")?.unwrap_or(-1);
    match view.op_type() {
        "GroupNormalization" => {
            view.signature(&["X", "scale", "bias"], 0, 1)?;
            view.only(&["epsilon", "num_groups", "stash_type"])?;
            let groups =
                view.int("num_groups")?.ok_or_else(|| view.invalid("attribute 'num_groups' is missing"))?;
            let groups = usize::try_from(groups).ok().filter(|groups| *groups > 0);
            let groups = groups.ok_or_else(|| view.invalid("attribute 'num_groups' must be positive"))?;
            Ok(Box::new(PerChannel { groups: Some(groups), epsilon }))
        }
        "InstanceNormalization" => {
            view.signature(&["input", "scale", "B"], 0, 1)?;
            view.only(&["epsilon"])?;
            Ok(Box::new(PerChannel { groups: None, epsilon }))
        }
        "LayerNormalization" => {
            view.signature(&["X", "Scale"], 1, 3)?;
            view.floats(2, "B")?;
            view.only(&["axis", "epsilon", "stash_type"])?;
            Ok(Box::new(Layer { axis, epsilon, centred: true, outputs: view.outputs() }))
        }
        "LpNormalization" => {
            view.signature(&["input"], 0, 1)?;
            view.only(&["axis", "p"])?;
            match view.int("p")?.unwrap_or(2) {
                1 => Ok(Box::new(Lp { axis, squares: false })),
                2 => Ok(Box::new(Lp { axis, squares: true })),
                p => Err(view.invalid(format!("p {p} is neither 1 nor 2"))),
            }
        }
        _ => {
            view.signature(&["X", "scale"], 0, 1)?;
            view.only(&["axis", "epsilon", "stash_type"])?;
            Ok(Box::new(Layer { axis, epsilon, centred: false, outputs: 1 }))
        }
    }
}

/// ONNX `InstanceNormalization` (6, 22) over height and width, and `GroupNormalization` (21) over groups of channels
/// as well.
///
/// # Shapes
///
/// - `X`: [batch, channels, ...]
/// - `scale`, `bias`: [channels]
#[derive(Debug)]
struct PerChannel {
    /// Number of groups; every channel by itself where it is `None`.
    groups: Option<usize>,
    epsilon: f64,
}

impl Operator for PerChannel {
    fn shapes(&self, inputs: &[&[usize]]) -> Result<Vec<Shape>, String> {
        let [x, parameters @ ..] = inputs else { return Err("it has no input".to_owned()) };
        let &[_, channels, ..] = *x else { return Err(format!("the input {x:?} has no channels")) };
        if !channels.is_multiple_of(self.groups.unwrap_or(1)) {
            return Err(format!("{channels} channels do not divide into {:?} groups", self.groups));
        }
        match parameters.iter().find(|shape| **shape != [channels]) {
            None => Ok(vec![x.to_vec()]),
            Some(shape) => Err(format!("parameters of shape {shape:?} do not fit {channels} channels")),
        }
    }

    fn run(&self, inputs: &[Option<Value>], _mode: Mode) -> Outputs {
        let x = tensor(inputs, 0);
        let dims = x.dims();
        let (batch, channels) = (dims[0], dims[1]);
        let groups = self.groups.unwrap_or(channels);
        let inner = dims[1..].iter().product::<usize>() / groups;
        let [scale, bias] =
            [1, 2].map(|index| tensor(inputs, index).reshape(&[1, channels, 1]).to_rank::<3>());
        let (centred, inverse, _) =
            standardised(x.reshape(&[batch, groups, inner]).to_rank::<3>(), true, self.epsilon);
        let normal = (centred * inverse).reshape([batch, channels, inner * groups / channels]);
        Value::from(normal * scale + bias).reshape(&dims).into()
    }
}

/// The input, less its mean over the last axis where it is `centred`; one by its deviation; and its mean.
fn standardised<const D: usize>(
    x: Tensor<D>,
    centred: bool,
    epsilon: f64,
) -> (Tensor<D>, Tensor<D>, Tensor<D>) {
    let mean = x.clone().mean_dim(D - 1);
    let x = if centred { x - mean.clone() } else { x };
    let variance = (x.clone() * x.clone()).mean_dim(D - 1);
    (x, variance.add_scalar(epsilon).sqrt().recip(), mean)
}

/// ONNX `LayerNormalization` (17) and `RMSNormalization` (23): over all axes from `axis` on.
///
/// # Shapes
///
/// - `X`: any
/// - `Scale`, `B`: broadcast to the axes that are normalised
#[derive(Debug)]
struct Layer {
    axis: i64,
    epsilon: f64,
    /// Whether the mean is taken off.
    centred: bool,
    outputs: usize,
}

impl Operator for Layer {
    fn shapes(&self, inputs: &[&[usize]]) -> Result<Vec<Shape>, String> {
        let x = inputs[0];
        let split = axis(self.axis, x.len())?;
        for parameter in &inputs[1..] {
            broadcasts_to(parameter, x)?;
        }
        let mut statistics = x.to_vec();
        statistics[split..].fill(1);
        let all = [x.to_vec(), statistics.clone(), statistics];
        Ok(all.into_iter().take(self.outputs.max(1)).collect())
    }

    fn run(&self, inputs: &[Option<Value>], _mode: Mode) -> Outputs {
        let x = tensor(inputs, 0);
        let dims = x.dims();
        // `shapes` has refused an axis that is not there.
        let split = axis(self.axis, dims.len()).unwrap_or(0);
        let rows = dims[..split].iter().product();
        let columns = dims[split..].iter().product();
        let (x, inverse, mean) =
            standardised(x.reshape(&[rows, columns]).to_rank::<2>(), self.centred, self.epsilon);
        let normal = Value::from(x * inverse.clone()).reshape(&dims).zip(tensor(inputs, 1), &Arithmetic::Multiply);
        let normal = match optional(inputs, 2) {
            Some(bias) => normal.zip(bias, &Arithmetic::Add),
            None => normal,
        };
        let mut statistics = dims;
        statistics[split..].fill(1);
        let mut values = vec![normal];
        if self.outputs > 1 {
            values.extend([mean, inverse].map(|value| Value::from(value).reshape(&statistics)));
        }
        Outputs { values, statistics: None }
    }
}

/// ONNX `LpNormalization` (1, 22): divided by the norm along one axis; zeros stay.
#[derive(Debug)]
struct Lp {
    axis: i64,
    /// Whether the norm is Euclidean, or the sum of the absolute values.
    squares: bool,
}

impl Operator for Lp {
    fn shapes(&self, inputs: &[&[usize]]) -> Result<Vec<Shape>, String> {
        axis(self.axis, inputs[0].len())?;
        Ok(vec![inputs[0].to_vec()])
    }

    fn run(&self, inputs: &[Option<Value>], _mode: Mode) -> Outputs {
        tensor(inputs, 0).map(self).into()
    }
}

impl super::value::ElementWise for &Lp {
    fn apply<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        // `shapes` has refused an axis that is not there.
        let along = axis(self.axis, D).unwrap_or(0);
        let sum = match self.squares {
            true => (x.clone() * x.clone()).sum_dim(along),
            false => x.clone().abs().sum_dim(along),
        };
        // Where all are 0, they are divided by 1.
        let nothing = sum.clone().equal_elem(0.0);
        let sum = sum.mask_fill(nothing, 1.0);
        x / if self.squares { sum.sqrt() } else { sum }
    }
}

#[cfg(test)]
mod tests {
    use crate::graph::Constant;
    use crate::ops::testing::{NodeTest, assert_close};

    const X: [f32; 8] = [1.0, 3.0, 2.0, 6.0, -1.0, 1.0, 0.0, 4.0];

    fn parameters(test: NodeTest, scale: &[f32], bias: &[f32]) -> NodeTest {
        test.with("epsilon", 0.0).tensor(&[scale.len()], scale).tensor(&[bias.len()], bias)
    }

    #[test]
    fn values_are_those_of_onnx() {
        let x = |op_type: &str| NodeTest::new(op_type).tensor(&[1, 4, 1, 2], &X);
        let instance = parameters(x("InstanceNormalization"), &[1.0, 2.0, 1.0, 1.0], &[0.0, 1.0, 0.0, 0.5]);
        assert_close(&instance.run().1, &[-1.0, 1.0, -1.0, 3.0, -1.0, 1.0, -0.5, 1.5]);
        let group = parameters(x("GroupNormalization").opset(21), &[1.0; 4], &[0.0; 4]).with("num_groups", 2);
        let [a, b] = [3.5_f32.sqrt(), 3.5_f32.sqrt()];
        let expected = [-2.0 / a, 0.0, -1.0 / a, 3.0 / a, -2.0 / b, 0.0, -1.0 / b, 3.0 / b];
        assert_close(&group.run().1, &expected);
        let layer =
            parameters(NodeTest::new("LayerNormalization").tensor(&[4, 2], &X), &[1.0, 2.0], &[0.0, 1.0]);
        assert_close(&layer.run().1, &[-1.0, 3.0, -1.0, 3.0, -1.0, 3.0, -1.0, 3.0]);
        let all = layer.outputs(3).run_all();
        assert_eq!(all[1], (vec![4, 1], vec![2.0, 4.0, 0.0, 2.0]));
        assert_eq!(all[2], (vec![4, 1], vec![1.0, 0.5, 1.0, 0.5]));
        let rms = NodeTest::new("RMSNormalization").tensor(&[1, 2], &[3.0, 4.0]).tensor(&[2], &[1.0, 2.0]);
        assert_close(&rms.run().1, &[0.848528, 2.262742]);
        let lp = || NodeTest::new("LpNormalization").tensor(&[2, 2], &[3.0, 4.0, 0.0, 0.0]);
        assert_close(&lp().run().1, &[0.6, 0.8, 0.0, 0.0]);
        assert_close(&lp().with("p", 1).run().1, &[3.0 / 7.0, 4.0 / 7.0, 0.0, 0.0]);
    }

    /// Operator set 18 had one scale per group.
    #[test]
    fn older_groups_are_scaled_together() {
        let group = NodeTest::new("GroupNormalization").tensor(&[1, 4, 1, 2], &X).with("num_groups", 2);
        let group = group.opset(18).with("epsilon", 0.0).constant(Constant::f32(vec![2], vec![2.0, 1.0]));
        let (shape, values) = group.constant(Constant::f32(vec![2], vec![0.0, 1.0])).run();
        assert_eq!(shape, [1, 4, 1, 2]);
        let deviation = 3.5_f32.sqrt();
        assert_close(&values[..2], &[-4.0 / deviation, 0.0]);
        assert_close(&values[6..], &[1.0 - 1.0 / deviation, 1.0 + 3.0 / deviation]);
    }

    #[test]
    fn gradients_are_those_of_differences() {
        NodeTest::new("InstanceNormalization").noise(&[2, 2, 2, 2]).noise(&[2]).noise(&[2]).check_gradients();
        let group = NodeTest::new("GroupNormalization").opset(21).noise(&[2, 4, 3]).noise(&[4]).noise(&[4]);
        group.with("num_groups", 2).check_gradients();
        let layer = NodeTest::new("LayerNormalization").noise(&[2, 3, 4]).noise(&[3, 4]).noise(&[4]);
        layer.with("axis", 1).check_gradients();
        NodeTest::new("RMSNormalization").noise(&[2, 4]).noise(&[4]).check_gradients();
        NodeTest::new("LpNormalization").noise(&[2, 3]).check_gradients();
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let x = |op_type: &str| NodeTest::new(op_type).noise(&[1, 4, 2]);
        for (test, reason) in [
            (x("InstanceNormalization").noise(&[3]).noise(&[4]), "do not fit 4 channels"),
            (
                x("GroupNormalization").opset(21).noise(&[4]).noise(&[4]).with("num_groups", 3),
                "do not divide",
            ),
            (x("LayerNormalization").noise(&[3]), "does not broadcast"),
            (x("LpNormalization").with("p", 3), "neither 1 nor 2"),
        ] {
            let error = test.error();
            assert!(error.contains(reason), "{error}");
        }
    }
}
