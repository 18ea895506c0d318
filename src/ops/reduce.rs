//! Reductions over whole axes.

use burn::tensor::Tensor;

use super::axes::{array, axes};
use super::value::ElementWise;
use super::{Mode, NodeView, OpError, Operator, Outputs, Support, Value, tensor};
use crate::graph::Shape;

const AXES: &str = "constant axes";

pub const OPERATORS: &[Support] = &[
    Support::new("GlobalAveragePool", &[1, 22]),
    Support::new("GlobalMaxPool", &[1, 22]),
    Support::new("ReduceL1", &[1, 11, 13, 18]).limits(AXES),
    Support::new("ReduceL2", &[1, 11, 13, 18]).limits(AXES),
    Support::new("ReduceLogSum", &[1, 11, 13, 18, 28]).limits(AXES),
    Support::new("ReduceLogSumExp", &[1, 11, 13, 18, 28]).limits(AXES),
    Support::new("ReduceMax", &[1, 11, 12, 13, 18, 20]).limits(AXES),
    Support::new("ReduceMean", &[1, 11, 13, 18]).limits(AXES),
    Support::new("ReduceMin", &[1, 11, 12, 13, 18, 20]).limits(AXES),
    Support::new("ReduceProd", &[1, 11, 13, 18]).limits(AXES),
    Support::new("ReduceSum", &[1, 11, 13]).limits(AXES),
    Support::new("ReduceSumSquare", &[1, 11, 13, 18]).limits(AXES),
];

pub fn read(view: &NodeView) -> Result<Box<dyn Operator>, OpError> {
    let kind = match view.op_type() {
        "GlobalAveragePool" | "ReduceMean" => Kind::Mean,
        "ReduceL1" => Kind::L1,
        "ReduceL2" => Kind::L2,
        "ReduceLogSum" => Kind::LogSum,
        "ReduceLogSumExp" => Kind::LogSumExp,
        "ReduceMin" => Kind::Min,
        "ReduceProd" => Kind::Product,
        "ReduceSum" => Kind::Sum,
        "ReduceSumSquare" => Kind::SumSquare,
        _ => Kind::Max,
    };
    if view.op_type().starts_with("Global") {
        view.signature(&["X"], 0, 1)?;
        view.only(&[])?;
        return Ok(Box::new(Reduce { kind, over: Over::Space, keep_axes: true }));
    }
    view.signature(&["data"], 1, 1)?;
    view.only(&["keepdims", "noop_with_empty_axes"])?;
    let over = match view.ints_input(1, "axes")? {
        Some(list) if !list.is_empty() => Over::Axes(list),
        _ if view.int("noop_with_empty_axes")?.unwrap_or(0) != 0 => Over::Axes(vec![]),
        _ => Over::All,
    };
    Ok(Box::new(Reduce { kind, over, keep_axes: view.int("keepdims")?.unwrap_or(1) != 0 }))
}

#[derive(Debug)]
enum Kind {
    L1,
    L2,
    LogSum,
    LogSumExp,
    Max,
    Mean,
    Min,
    Product,
    Sum,
    SumSquare,
}

#[derive(Debug)]
enum Over {
    /// All but batch and channels.
    Space,
    All,
    Axes(Vec<i64>),
}

/// ONNX `GlobalAveragePool` and `GlobalMaxPool` (1, 22), and all of `Reduce…` (11, 13, 18, 20, 28).
#[derive(Debug)]
struct Reduce {
    kind: Kind,
    over: Over,
    keep_axes: bool,
}

impl Reduce {
    fn axes(&self, rank: usize) -> Result<Vec<usize>, String> {
        match &self.over {
            Over::Space if rank < 3 => Err(format!("an input of {rank} axes has no height and width")),
            Over::Space => Ok((2..rank).collect()),
            Over::All => Ok((0..rank).collect()),
            Over::Axes(list) => axes(list, rank),
        }
    }

    fn shape(&self, input: &[usize], axes: &[usize]) -> Shape {
        let sizes = input.iter().enumerate();
        let kept = sizes.filter_map(|(axis, size)| match axes.contains(&axis) {
            true => self.keep_axes.then_some(1),
            false => Some(*size),
        });
        kept.collect()
    }
}

impl Operator for Reduce {
    fn shapes(&self, inputs: &[&[usize]]) -> Result<Vec<Shape>, String> {
        Ok(vec![self.shape(inputs[0], &self.axes(inputs[0].len())?)])
    }

    fn run(&self, inputs: &[Option<Value>], _mode: Mode) -> Outputs {
        let x = tensor(inputs, 0);
        let dims = x.dims();
        // `shapes` has refused axes that are not there.
        let axes = self.axes(dims.len()).unwrap_or_default();
        let shape = self.shape(&dims, &axes);
        let reduced = x.map(JoinedReduce { kind: &self.kind, joined: joined(&dims, &axes) });
        reduced.reshape(&shape).into()
    }
}

/// A reduction in which neighbouring axes are reduced as one: fewer steps, and one rounding.
struct JoinedReduce<'a> {
    kind: &'a Kind,
    joined: Joined,
}

impl ElementWise for JoinedReduce<'_> {
    fn apply<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        let x = x.reshape(array::<D>(&self.joined.shape));
        let over = |x: Tensor<D>, each: fn(Tensor<D>, usize) -> Tensor<D>| {
            self.joined.axes.iter().fold(x, |x, axis| each(x, *axis))
        };
        let sum = |x: Tensor<D>| over(x, |x, axis| x.sum_dim(axis));
        match self.kind {
            Kind::L1 => sum(x.abs()),
            Kind::L2 => sum(x.clone() * x).sqrt(),
            Kind::LogSum => sum(x).log(),
            // Shifted by the largest value: the exponentials do not overflow.
            Kind::LogSumExp => {
                let largest = over(x.clone().detach(), |x, axis| x.max_dim(axis));
                sum((x - largest.clone()).exp()).log() + largest
            }
            Kind::Max => over(x, |x, axis| x.max_dim(axis)),
            Kind::Mean => over(x, |x, axis| x.mean_dim(axis)),
            Kind::Min => over(x, |x, axis| x.min_dim(axis)),
            Kind::Product => over(x, |x, axis| x.prod_dim(axis)),
            Kind::Sum => sum(x),
            Kind::SumSquare => sum(x.clone() * x),
        }
    }
}

/// A shape of the same rank in which runs of reduced axes are one axis, filled up by axes of 1.
struct Joined {
    shape: Shape,
    axes: Vec<usize>,
}

fn joined(dims: &[usize], axes: &[usize]) -> Joined {
    let mut joined = Joined { shape: Vec::new(), axes: Vec::new() };
    for (axis, size) in dims.iter().enumerate() {
        let reduced = axes.contains(&axis);
        match joined.shape.last_mut() {
            Some(last) if reduced && axis > 0 && axes.contains(&(axis - 1)) => *last *= size,
            _ => {
                if reduced {
                    joined.axes.push(joined.shape.len());
                }
                joined.shape.push(*size);
            }
        }
    }
    joined.shape.resize(dims.len(), 1);
    joined
}

#[cfg(test)]
mod tests {
    use crate::ops::testing::{NodeTest, assert_close};

    /// Values 0 to 11 as [1, 2, 2, 3].
    fn reduce(op_type: &str) -> NodeTest {
        let values: Vec<f32> = (0..12).map(|value| value as f32).collect();
        NodeTest::new(op_type).tensor(&[1, 2, 2, 3], &values)
    }

    #[test]
    fn values_are_those_of_onnx() {
        for (test, shape, expected) in [
            (reduce("GlobalAveragePool"), vec![1, 2, 1, 1], &[2.5, 8.5][..]),
            (reduce("GlobalMaxPool"), vec![1, 2, 1, 1], &[5.0, 11.0]),
            (reduce("ReduceMean").ints(&[2, 3]).with("keepdims", 0), vec![1, 2], &[2.5, 8.5]),
            (reduce("ReduceMean").ints(&[-1, 1]), vec![1, 1, 2, 1], &[4.0, 7.0]),
            (reduce("ReduceMax").ints(&[1]), vec![1, 1, 2, 3], &[6.0, 7.0, 8.0, 9.0, 10.0, 11.0]),
            (reduce("ReduceSum").ints(&[0, 2]), vec![1, 2, 1, 3], &[3.0, 5.0, 7.0, 15.0, 17.0, 19.0]),
            (reduce("ReduceL1").ints(&[2, 3]).with("keepdims", 0), vec![1, 2], &[15.0, 51.0]),
            (
                reduce("ReduceL2").ints(&[3]).with("keepdims", 0),
                vec![1, 2, 2],
                &[2.236068, 7.071068, 12.206556, 17.378147],
            ),
            (reduce("ReduceLogSum").ints(&[2, 3]).with("keepdims", 0), vec![1, 2], &[2.70805, 3.931826]),
            (reduce("ReduceLogSumExp").ints(&[1, 3]).with("keepdims", 0), vec![1, 2], &[8.410083, 11.410083]),
            (reduce("ReduceMin").ints(&[1, 2]), vec![1, 1, 1, 3], &[0.0, 1.0, 2.0]),
            (reduce("ReduceProd").ints(&[3]).with("keepdims", 0), vec![1, 2, 2], &[0.0, 60.0, 336.0, 990.0]),
            (reduce("ReduceSumSquare").ints(&[2, 3]).with("keepdims", 0), vec![1, 2], &[55.0, 451.0]),
            (reduce("ReduceMean"), vec![1, 1, 1, 1], &[5.5]),
            (reduce("ReduceSum").with("keepdims", 0), vec![], &[66.0]),
            (reduce("ReduceMean").opset(13).with("axes", vec![-2, -1]), vec![1, 2, 1, 1], &[2.5, 8.5]),
        ] {
            let (given, values) = test.run();
            assert_eq!(given, shape);
            assert_close(&values, expected);
        }
        let (shape, _) = reduce("ReduceMean").ints(&[]).with("noop_with_empty_axes", 1).run();
        assert_eq!(shape, [1, 2, 2, 3]);
    }

    #[test]
    fn gradients_are_those_of_differences() {
        for op_type in [
            "ReduceL1",
            "ReduceL2",
            "ReduceLogSumExp",
            "ReduceMax",
            "ReduceMean",
            "ReduceMin",
            "ReduceProd",
            "ReduceSum",
            "ReduceSumSquare",
        ] {
            NodeTest::new(op_type).noise(&[2, 3, 2, 2]).ints(&[1, 3]).check_gradients();
        }
        NodeTest::new("ReduceLogSum").positive(&[2, 3, 2, 2]).ints(&[1, 3]).check_gradients();
        for op_type in ["GlobalAveragePool", "GlobalMaxPool"] {
            NodeTest::new(op_type).noise(&[2, 3, 2, 2]).check_gradients();
        }
    }

    #[test]
    fn axes_that_are_not_there_are_refused() {
        for (test, reason) in [
            (reduce("ReduceMean").ints(&[4]), "no axis 4 among 4"),
            (reduce("ReduceMean").ints(&[1, -3]), "name one axis twice"),
            (NodeTest::new("GlobalMaxPool").noise(&[2, 3]), "has no height and width"),
        ] {
            let error = test.error();
            assert!(error.contains(reason), "{error}");
        }
    }
}
