//! Choosing and repeating along axes.

use super::axes::{axis, broadcast};
use super::{Mode, NodeView, OpError, Operator, Outputs, Support, Value, tensor};
use crate::graph::Shape;

pub const OPERATORS: &[Support] = &[
    Support::new("Expand", &[8, 13]).limits("a shape that is constant, or computed from shapes"),
    Support::new("Gather", &[1, 11, 13]).limits("constant indices"),
    Support::new("Tile", &[6, 13]).limits("constant repeats"),
];

/// The largest size that a repeated axis may get.
const LIMIT: usize = 1 << 20;

pub fn read(view: &NodeView) -> Result<Box<dyn Operator>, OpError> {
    let sizes = |name: &str| -> Result<Vec<usize>, OpError> {
        let values =
            view.ints_input(1, name)?.ok_or_else(|| view.invalid(format!("input '{name}' is missing")))?;
        let sizes = values.iter().map(|size| usize::try_from(*size).ok().filter(|size| *size <= LIMIT));
        sizes
            .collect::<Option<_>>()
            .ok_or_else(|| view.invalid(format!("{name} {values:?} is negative or too large")))
    };
    view.signature(&["data"], 1, 1)?;
    match view.op_type() {
        "Expand" => {
            view.only(&[])?;
            Ok(Box::new(Expand { shape: sizes("shape")? }))
        }
        "Tile" => {
            view.only(&[])?;
            Ok(Box::new(Tile { repeats: sizes("repeats")? }))
        }
        _ => {
            view.only(&["axis"])?;
            let indices =
                view.ints_input(1, "indices")?.ok_or_else(|| view.invalid("input 'indices' is missing"))?;
            let shape = view.input_shape(1).to_vec();
            Ok(Box::new(Gather { axis: view.int("axis")?.unwrap_or(0), indices, shape }))
        }
    }
}

/// ONNX `Expand` (8, 13): axes of size 1 are repeated.
#[derive(Debug)]
struct Expand {
    shape: Shape,
}

impl Operator for Expand {
    fn shapes(&self, inputs: &[&[usize]]) -> Result<Vec<Shape>, String> {
        Ok(vec![broadcast(&[inputs[0], &self.shape])?])
    }

    fn run(&self, inputs: &[Option<Value>], _mode: Mode) -> Outputs {
        let x = tensor(inputs, 0);
        match broadcast(&[&x.dims(), &self.shape]) {
            Ok(shape) => x.expand(&shape).into(),
            Err(reason) => unreachable!("`shapes` has refused shapes that do not fit: {reason}"),
        }
    }
}

/// ONNX `Tile` (6, 13).
#[derive(Debug)]
struct Tile {
    repeats: Vec<usize>,
}

impl Operator for Tile {
    fn shapes(&self, inputs: &[&[usize]]) -> Result<Vec<Shape>, String> {
        if inputs[0].len() != self.repeats.len() {
            return Err(format!("repeats {:?} do not fit the shape {:?}", self.repeats, inputs[0]));
        }
        let sizes = inputs[0].iter().zip(&self.repeats).map(|(size, count)| size.checked_mul(*count));
        let shape: Option<Shape> = sizes.collect();
        Ok(vec![shape.ok_or_else(|| format!("repeats {:?} are too many", self.repeats))?])
    }

    fn run(&self, inputs: &[Option<Value>], _mode: Mode) -> Outputs {
        let repeated = self.repeats.iter().enumerate().filter(|(_, count)| **count > 1);
        repeated.fold(tensor(inputs, 0), |x, (axis, count)| Value::cat(vec![x; *count], axis)).into()
    }
}

/// ONNX `Gather` (1, 11, 13).
#[derive(Debug)]
struct Gather {
    axis: i64,
    indices: Vec<i64>,
    /// Shape of the indices, which takes the place of the axis.
    shape: Shape,
}

impl Gather {
    /// The axis and the indices along it.
    fn chosen(&self, input: &[usize]) -> Result<(usize, Vec<usize>), String> {
        let along = axis(self.axis, input.len())?;
        let chosen = self.indices.iter().map(|entry| {
            axis(*entry, input[along])
                .map_err(|_| format!("there is no index {entry} on axis {along} of {input:?}"))
        });
        Ok((along, chosen.collect::<Result<_, _>>()?))
    }

    fn shape(&self, input: &[usize], along: usize) -> Shape {
        [&input[..along], &self.shape, &input[along + 1..]].concat()
    }
}

impl Operator for Gather {
    fn shapes(&self, inputs: &[&[usize]]) -> Result<Vec<Shape>, String> {
        let (along, _) = self.chosen(inputs[0])?;
        Ok(vec![self.shape(inputs[0], along)])
    }

    fn run(&self, inputs: &[Option<Value>], _mode: Mode) -> Outputs {
        let x = tensor(inputs, 0);
        let dims = x.dims();
        let Ok((along, chosen)) = self.chosen(&dims) else {
            unreachable!("`shapes` has refused other indices")
        };
        x.select(along, &chosen).reshape(&self.shape(&dims, along)).into()
    }
}

#[cfg(test)]
mod tests {
    use crate::graph::Constant;
    use crate::ops::testing::{NodeTest, assert_close};

    fn x(op_type: &str) -> NodeTest {
        NodeTest::new(op_type).tensor(&[2, 3], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
    }

    #[test]
    fn indices_are_chosen() {
        let scalar = Constant { shape: vec![], ..Constant::ints(vec![-1]) };
        assert_eq!(x("Gather").constant(scalar).with("axis", 1).run(), (vec![2], vec![3.0, 6.0]));
        let (shape, values) = x("Gather").ints(&[2, 0, 2]).with("axis", 1).run();
        assert_eq!(shape, [2, 3]);
        assert_close(&values, &[3.0, 1.0, 3.0, 6.0, 4.0, 6.0]);
        let square = Constant { shape: vec![2, 1], ..Constant::ints(vec![1, 0]) };
        assert_eq!(x("Gather").constant(square).run().0, [2, 1, 3]);
    }

    #[test]
    fn axes_are_repeated() {
        let column = || NodeTest::new("Expand").tensor(&[2, 1], &[1.0, 2.0]);
        assert_eq!(column().ints(&[1, 2]).run(), (vec![2, 2], vec![1.0, 1.0, 2.0, 2.0]));
        assert_eq!(column().ints(&[2, 1, 1]).run(), (vec![2, 2, 1], vec![1.0, 2.0, 1.0, 2.0]));
        let (shape, values) = x("Tile").ints(&[1, 2]).run();
        assert_eq!(shape, [2, 6]);
        assert_close(&values, &[1.0, 2.0, 3.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 4.0, 5.0, 6.0]);
    }

    #[test]
    fn gradients_are_those_of_differences() {
        NodeTest::new("Gather").noise(&[2, 4]).ints(&[3, 0, 3]).with("axis", 1).check_gradients();
        NodeTest::new("Expand").noise(&[2, 1, 2]).ints(&[2, 2, 3, 2]).check_gradients();
        NodeTest::new("Tile").noise(&[2, 3]).ints(&[2, 2]).check_gradients();
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        for (test, reason) in [
            (x("Gather").ints(&[3]).with("axis", 1), "no index 3 on axis 1"),
            (x("Gather").noise(&[1]), "must be a constant list of integers"),
            (x("Expand").ints(&[2, 4]), "do not broadcast"),
            (x("Expand").ints(&[1 << 40]), "negative or too large"),
            (x("Tile").ints(&[2]), "do not fit the shape"),
        ] {
            let error = test.error();
            assert!(error.contains(reason), "{error}");
        }
    }
}
