//! The position of the largest value.

use burn::tensor::Tensor;

use super::axes::axis;
use super::value::ElementWise;
use super::{Mode, NodeView, OpError, Operator, Outputs, Support, Value, tensor};
use crate::graph::Shape;

pub const OPERATORS: &[Support] = &[Support::new("ArgMax", &[1, 11, 12, 13])
    .limits("at the end of a network; set aside when it is joined")
    .zero_gradient()];

pub fn read(view: &NodeView) -> Result<Box<dyn Operator>, OpError> {
    view.signature(&["data"], 0, 1)?;
    view.only(&["axis", "keepdims", "select_last_index"])?;
    Ok(Box::new(ArgMax {
        axis: view.int("axis")?.unwrap_or(0),
        keep_axis: view.int("keepdims")?.unwrap_or(1) != 0,
        last: view.int("select_last_index")?.unwrap_or(0) != 0,
    }))
}

/// ONNX `ArgMax` (1, 11, 12, 13). While a network runs, indices are floats like all numbers.
#[derive(Debug)]
struct ArgMax {
    axis: i64,
    keep_axis: bool,
    /// Whether the last of equal values is meant.
    last: bool,
}

impl Operator for ArgMax {
    fn shapes(&self, inputs: &[&[usize]]) -> Result<Vec<Shape>, String> {
        let along = axis(self.axis, inputs[0].len())?;
        let mut shape = inputs[0].to_vec();
        shape[along] = 1;
        if !self.keep_axis {
            shape.remove(along);
        }
        Ok(vec![shape])
    }

    fn run(&self, inputs: &[Option<Value>], _mode: Mode) -> Outputs {
        let x = tensor(inputs, 0).detach();
        let mut shape = x.dims();
        // `shapes` has refused an axis that is not there.
        let along = axis(self.axis, shape.len()).unwrap_or(0);
        let found = x.map(Largest { axis: along, last: self.last });
        shape[along] = 1;
        if !self.keep_axis {
            shape.remove(along);
        }
        found.reshape(&shape).into()
    }
}

struct Largest {
    axis: usize,
    last: bool,
}

impl ElementWise for Largest {
    fn apply<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        if !self.last {
            return x.argmax(self.axis).float();
        }
        let size = x.dims()[self.axis] as f32;
        x.flip([self.axis]).argmax(self.axis).float().neg().add_scalar(size - 1.0)
    }
}

#[cfg(test)]
mod tests {
    use crate::ops::testing::NodeTest;

    #[test]
    fn the_first_or_the_last_of_equal_values_is_found() {
        let x = || NodeTest::new("ArgMax").tensor(&[2, 3], &[1.0, 5.0, 5.0, 9.0, 0.0, 1.0]).with("axis", 1);
        assert_eq!(x().run(), (vec![2, 1], vec![1.0, 0.0]));
        assert_eq!(x().with("keepdims", 0).with("select_last_index", 1).run(), (vec![2], vec![2.0, 0.0]));
    }

    #[test]
    fn an_axis_that_is_not_there_is_refused() {
        let error = NodeTest::new("ArgMax").noise(&[2]).with("axis", 1).error();
        assert!(error.contains("no axis 1"), "{error}");
    }
}
