//! Comparisons, logic, and choosing by them. Truth values are 1 and 0 while a network runs.

use burn::tensor::{Bool, Tensor};

use super::arithmetic::same_shape;
use super::axes::broadcast;
use super::value::Binary;
use super::{Mode, NodeView, OpError, Operator, Outputs, Support, Value, tensor};
use crate::graph::{Constant, ConstantData, Shape};

pub const OPERATORS: &[Support] = &[
    Support::new("And", &[7]).zero_gradient(),
    Support::new("Equal", &[7, 11, 13, 19]).zero_gradient(),
    Support::new("Greater", &[7, 9, 13]).zero_gradient(),
    Support::new("GreaterOrEqual", &[12, 16]).zero_gradient(),
    Support::new("Less", &[7, 9, 13]).zero_gradient(),
    Support::new("LessOrEqual", &[12, 16]).zero_gradient(),
    Support::new("Not", &[1]).zero_gradient(),
    Support::new("Or", &[7]).zero_gradient(),
    Support::new("Where", &[9, 16]),
    Support::new("Xor", &[7]).zero_gradient(),
];

pub fn read(view: &NodeView) -> Result<Box<dyn Operator>, OpError> {
    view.only(&[])?;
    let relation = match view.op_type() {
        "Where" => {
            view.given(&["condition", "X", "Y"], 0, 1)?;
            view.floats(1, "X")?;
            view.floats(2, "Y")?;
            return Ok(Box::new(Where { condition: Flags::read(view, 0, "condition")? }));
        }
        "Not" => {
            view.signature(&["X"], 0, 1)?;
            return Ok(Box::new(Not));
        }
        "And" => Relation::And,
        "Equal" => Relation::Equal,
        "Greater" => Relation::Greater,
        "GreaterOrEqual" => Relation::GreaterOrEqual,
        "Less" => Relation::Less,
        "LessOrEqual" => Relation::LessOrEqual,
        "Or" => Relation::Or,
        _ => Relation::Xor,
    };
    view.given(&["A", "B"], 0, 1)?;
    let operands = [Flags::read(view, 0, "A")?, Flags::read(view, 1, "B")?];
    if let [Some(_), Some(_)] = operands {
        return Err(view.invalid("its result is too large to be worked out beforehand"));
    }
    Ok(Box::new(Compare { relation, operands }))
}

/// Constant truth values, taken in when the node is read.
#[derive(Debug)]
struct Flags {
    shape: Shape,
    values: Vec<f32>,
}

impl Flags {
    fn read(view: &NodeView, index: usize, name: &str) -> Result<Option<Self>, OpError> {
        match view.constant(index) {
            Some(Constant { shape, data: ConstantData::Bool(flags) }) => {
                let values = flags.iter().map(|flag| f32::from(u8::from(*flag))).collect();
                Ok(Some(Self { shape: shape.clone(), values }))
            }
            _ => view.floats(index, name).map(|()| None),
        }
    }

    /// Input `index`, or the constant that was taken in for it.
    fn of(flags: Option<&Self>, inputs: &[Option<Value>], index: usize) -> Value {
        let device = || inputs.iter().flatten().next().map(Value::device);
        match (flags, device()) {
            (Some(flags), Some(device)) => Value::from_host(&flags.values, &flags.shape, &device),
            _ => tensor(inputs, index),
        }
    }
}

/// ONNX `Equal` (7, 11, 13, 19), `Greater` and `Less` (7, 9, 13), `GreaterOrEqual` and `LessOrEqual` (12, 16), `And`,
/// `Or` and `Xor` (7).
#[derive(Debug)]
struct Compare {
    relation: Relation,
    operands: [Option<Flags>; 2],
}

#[derive(Debug)]
enum Relation {
    And,
    Equal,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
    Or,
    Xor,
}

impl Operator for Compare {
    fn shapes(&self, inputs: &[&[usize]]) -> Result<Vec<Shape>, String> {
        Ok(vec![broadcast(inputs)?])
    }

    fn run(&self, inputs: &[Option<Value>], _mode: Mode) -> Outputs {
        let [a, b] = [0, 1].map(|index| Flags::of(self.operands[index].as_ref(), inputs, index).detach());
        a.zip(b, &self.relation).into()
    }
}

impl Binary for &Relation {
    fn apply<const D: usize>(&self, a: Tensor<D>, b: Tensor<D>) -> Tensor<D> {
        match self {
            Relation::And => return a * b,
            Relation::Or => return a.clone() + b.clone() - a * b,
            _ => {}
        }
        let (a, b) = same_shape(a, b);
        let holds: Tensor<D, Bool> = match self {
            Relation::Equal => a.equal(b),
            Relation::Greater => a.greater(b),
            Relation::GreaterOrEqual => a.greater_equal(b),
            Relation::Less => a.lower(b),
            Relation::LessOrEqual => a.lower_equal(b),
            _ => a.not_equal(b),
        };
        holds.float()
    }
}

/// ONNX `Not` (1).
#[derive(Debug)]
struct Not;

impl Operator for Not {
    fn shapes(&self, inputs: &[&[usize]]) -> Result<Vec<Shape>, String> {
        Ok(vec![inputs[0].to_vec()])
    }

    fn run(&self, inputs: &[Option<Value>], _mode: Mode) -> Outputs {
        let flags = tensor(inputs, 0).detach();
        let shape = vec![1; flags.rank()];
        let one = Value::from_host(&[1.0], &shape, &flags.device());
        one.zip(flags, Difference).into()
    }
}

struct Difference;

impl Binary for Difference {
    fn apply<const D: usize>(&self, a: Tensor<D>, b: Tensor<D>) -> Tensor<D> {
        a - b
    }
}

/// ONNX `Where` (9, 16): the second input where the first is true, else the third.
#[derive(Debug)]
struct Where {
    condition: Option<Flags>,
}

impl Operator for Where {
    fn shapes(&self, inputs: &[&[usize]]) -> Result<Vec<Shape>, String> {
        Ok(vec![broadcast(inputs)?])
    }

    fn run(&self, inputs: &[Option<Value>], _mode: Mode) -> Outputs {
        let condition = Flags::of(self.condition.as_ref(), inputs, 0).detach();
        let [x, y] = [1, 2].map(|index| tensor(inputs, index));
        let dims = [condition.dims(), x.dims(), y.dims()];
        let shapes = [&dims[0][..], &dims[1], &dims[2]];
        let Ok(shape) = broadcast(&shapes) else {
            unreachable!("`shapes` has refused operands that do not broadcast")
        };
        let [condition, x, y] = [condition, x, y].map(|value| value.expand(&shape));
        x.zip(y, Choose(condition)).into()
    }
}

struct Choose(Value);

impl Binary for Choose {
    fn apply<const D: usize>(&self, x: Tensor<D>, y: Tensor<D>) -> Tensor<D> {
        let condition = self.0.clone().to_rank::<D>().greater_elem(0.5);
        y.mask_where(condition, x)
    }
}

#[cfg(test)]
mod tests {
    use crate::graph::{Constant, ConstantData};
    use crate::ops::testing::{NodeTest, assert_close};

    fn flags(values: &[bool]) -> Constant {
        Constant { shape: vec![values.len()], data: ConstantData::Bool(values.into()) }
    }

    #[test]
    fn relations_are_those_of_onnx() {
        for (op_type, expected) in [
            ("Equal", [0.0, 1.0, 0.0]),
            ("Greater", [0.0, 0.0, 1.0]),
            ("GreaterOrEqual", [0.0, 1.0, 1.0]),
            ("Less", [1.0, 0.0, 0.0]),
            ("LessOrEqual", [1.0, 1.0, 0.0]),
        ] {
            let test = NodeTest::new(op_type).tensor(&[1, 3], &[1.0, 2.0, 3.0]).tensor(&[1], &[2.0]);
            assert_eq!(test.run(), (vec![1, 3], expected.to_vec()));
        }
        for (op_type, expected) in
            [("And", [0.0, 0.0, 0.0, 1.0]), ("Or", [0.0, 1.0, 1.0, 1.0]), ("Xor", [0.0, 1.0, 1.0, 0.0])]
        {
            let test = NodeTest::new(op_type).tensor(&[4], &[0.0, 0.0, 1.0, 1.0]);
            assert_eq!(test.constant(flags(&[false, true, false, true])).run().1, expected);
        }
        assert_eq!(NodeTest::new("Not").tensor(&[2], &[0.0, 1.0]).run().1, [1.0, 0.0]);
    }

    #[test]
    fn where_chooses() {
        let test = NodeTest::new("Where").constant(flags(&[true, false])).tensor(&[2, 1], &[1.0, 2.0]);
        assert_eq!(test.tensor(&[], &[9.0]).run(), (vec![2, 2], vec![1.0, 9.0, 2.0, 9.0]));
        let test = NodeTest::new("Where").tensor(&[2], &[0.0, 1.0]).tensor(&[2], &[5.0, 6.0]);
        assert_close(&test.tensor(&[2], &[7.0, 8.0]).run().1, &[7.0, 6.0]);
    }

    #[test]
    fn what_is_chosen_gets_the_gradient() {
        let test = NodeTest::new("Where").constant(flags(&[true, false, true])).noise(&[2, 3]);
        test.noise(&[3]).check_gradients();
    }

    #[test]
    fn constants_too_large_to_compare_beforehand_are_refused() {
        let side = |shape: [usize; 2]| Constant {
            shape: shape.to_vec(),
            data: ConstantData::Bool(vec![true; 1 << 14].into()),
        };
        let test = NodeTest::new("And").constant(side([1 << 14, 1])).constant(side([1, 1 << 14]));
        let error = test.error();
        assert!(error.contains("too large to be worked out"), "{error}");
    }

    #[test]
    fn integers_do_not_run() {
        let error = NodeTest::new("Where").constant(flags(&[true])).noise(&[1]).ints(&[1]).error();
        assert!(error.contains("input 'Y' must hold floats"), "{error}");
    }
}
