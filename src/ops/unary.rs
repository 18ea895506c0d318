//! Functions of one number that are no activations.

use burn::tensor::Tensor;

use super::value::ElementWise;
use super::{Mode, NodeView, OpError, Operator, Outputs, Support, Value, tensor};
use crate::graph::Shape;

pub const OPERATORS: &[Support] = &[
    Support::new("Abs", &[6, 13]),
    Support::new("Ceil", &[6, 13]).zero_gradient(),
    Support::new("Cos", &[7, 22]),
    Support::new("Erf", &[9, 13]),
    Support::new("Exp", &[6, 13]),
    Support::new("Floor", &[6, 13]).zero_gradient(),
    Support::new("Log", &[6, 13]),
    Support::new("Neg", &[6, 13]),
    Support::new("Reciprocal", &[6, 13]),
    Support::new("Round", &[11, 22]).zero_gradient(),
    Support::new("Sign", &[9, 13]).zero_gradient(),
    Support::new("Sin", &[7, 22]),
    Support::new("Sqrt", &[6, 13]),
];

pub fn read(view: &NodeView) -> Result<Box<dyn Operator>, OpError> {
    view.signature(&["X"], 0, 1)?;
    view.only(&[])?;
    Ok(Box::new(match view.op_type() {
        "Abs" => Unary::Abs,
        "Ceil" => Unary::Ceil,
        "Cos" => Unary::Cos,
        "Erf" => Unary::Erf,
        "Exp" => Unary::Exp,
        "Floor" => Unary::Floor,
        "Log" => Unary::Log,
        "Neg" => Unary::Neg,
        "Reciprocal" => Unary::Reciprocal,
        "Round" => Unary::Round,
        "Sign" => Unary::Sign,
        "Sin" => Unary::Sin,
        _ => Unary::Sqrt,
    }))
}

/// ONNX operators of the same names, at the versions that [`OPERATORS`] lists.
#[derive(Debug)]
enum Unary {
    Abs,
    Ceil,
    Cos,
    Erf,
    Exp,
    Floor,
    Log,
    Neg,
    Reciprocal,
    /// Halves go to the even neighbour.
    Round,
    Sign,
    Sin,
    Sqrt,
}

impl Operator for Unary {
    fn shapes(&self, inputs: &[&[usize]]) -> Result<Vec<Shape>, String> {
        Ok(vec![inputs[0].to_vec()])
    }

    fn run(&self, inputs: &[Option<Value>], _mode: Mode) -> Outputs {
        tensor(inputs, 0).map(self).into()
    }
}

impl ElementWise for &Unary {
    fn apply<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        match self {
            Unary::Abs => x.abs(),
            Unary::Ceil => x.ceil(),
            Unary::Cos => x.cos(),
            Unary::Erf => x.erf(),
            Unary::Exp => x.exp(),
            Unary::Floor => x.floor(),
            Unary::Log => x.log(),
            Unary::Neg => x.neg(),
            Unary::Reciprocal => x.recip(),
            Unary::Round => x.round(),
            Unary::Sign => x.sign(),
            Unary::Sin => x.sin(),
            Unary::Sqrt => x.sqrt(),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::ops::testing::{NodeTest, assert_close};

    #[test]
    fn values_are_those_of_onnx() {
        let x = |op_type: &str| NodeTest::new(op_type).tensor(&[4], &[-1.5, 0.0, 0.25, 2.5]);
        for (op_type, expected) in [
            ("Abs", [1.5, 0.0, 0.25, 2.5]),
            ("Ceil", [-1.0, 0.0, 1.0, 3.0]),
            ("Cos", [0.070737, 1.0, 0.968912, -0.801144]),
            ("Erf", [-0.966105, 0.0, 0.276326, 0.999593]),
            ("Exp", [0.223130, 1.0, 1.284025, 12.182494]),
            ("Floor", [-2.0, 0.0, 0.0, 2.0]),
            ("Neg", [1.5, 0.0, -0.25, -2.5]),
            ("Round", [-2.0, 0.0, 0.0, 2.0]),
            ("Sign", [-1.0, 0.0, 1.0, 1.0]),
            ("Sin", [-0.997495, 0.0, 0.247404, 0.598472]),
        ] {
            assert_close(&x(op_type).run().1, &expected);
        }
        let x = |op_type: &str| NodeTest::new(op_type).tensor(&[3], &[0.25, 1.0, 4.0]);
        assert_close(&x("Log").run().1, &[-1.386294, 0.0, 1.386294]);
        assert_close(&x("Reciprocal").run().1, &[4.0, 1.0, 0.25]);
        assert_close(&x("Sqrt").run().1, &[0.5, 1.0, 2.0]);
    }

    #[test]
    fn gradients_are_those_of_differences() {
        for op_type in ["Abs", "Cos", "Erf", "Exp", "Neg", "Sin"] {
            NodeTest::new(op_type).noise(&[2, 3, 2]).check_gradients();
        }
        for op_type in ["Log", "Reciprocal", "Sqrt"] {
            NodeTest::new(op_type).positive(&[2, 3, 2]).check_gradients();
        }
    }

    #[test]
    fn steps_have_no_gradient() {
        for op_type in ["Ceil", "Floor", "Round", "Sign"] {
            NodeTest::new(op_type).tensor(&[3], &[-0.7, 0.3, 1.2]).check_gradients();
        }
    }
}
