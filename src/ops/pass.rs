//! Operators that hand their input on.

use super::{Mode, NodeView, OpError, Operator, Outputs, Value, tensor};
use crate::graph::{ConstantData, Shape};

pub const OPERATORS: &[&str] = &["Cast", "Dropout", "Identity"];

/// `TensorProto.DataType.FLOAT`.
const FLOAT: i64 = 1;

pub fn read(view: &NodeView) -> Result<Box<dyn Operator>, OpError> {
    match view.op_type() {
        "Cast" => {
            view.signature(&["input"], 0, 1)?;
            view.only(&["round_mode", "saturate", "to"])?;
            if view.int("to")? != Some(FLOAT) {
                return Err(view.invalid("only casts to float32 are supported while a network runs"));
            }
        }
        "Dropout" => {
            view.signature(&["data"], 2, 1)?;
            view.only(&["seed"])?;
            // The input `training_mode` is false where it is left out.
            let inference = match view.constant(2).map(|constant| &constant.data) {
                Some(ConstantData::Bool(values)) => values.iter().all(|training| !training),
                _ => !view.has_input(2),
            };
            if !inference {
                return Err(view.invalid("the network was exported in training mode; export it for inference"));
            }
        }
        _ => {
            view.signature(&["input"], 0, 1)?;
            view.only(&[])?;
        }
    }
    Ok(Box::new(Pass))
}

/// ONNX `Identity` (1 to 25), `Dropout` (7, 10, 12, 13, 22) at inference, `Cast` (6 to 28) of floats to float32.
#[derive(Debug)]
struct Pass;

impl Operator for Pass {
    fn shapes(&self, inputs: &[&[usize]]) -> Result<Vec<Shape>, String> {
        Ok(vec![inputs[0].to_vec()])
    }

    fn run(&self, inputs: &[Option<Value>], _mode: Mode) -> Outputs {
        tensor(inputs, 0).into()
    }
}

#[cfg(test)]
mod tests {
    use crate::graph::{Constant, ConstantData};
    use crate::ops::testing::NodeTest;

    fn x(op_type: &str) -> NodeTest {
        NodeTest::new(op_type).tensor(&[1, 2], &[1.0, -2.0])
    }

    #[test]
    fn values_pass() {
        let no_training = || Constant { shape: vec![], data: ConstantData::Bool([false].into()) };
        for test in [
            x("Identity"),
            x("Cast").with("to", 1),
            x("Dropout"),
            x("Dropout").opset(10).with("ratio", 0.5),
            x("Dropout").constant(Constant::scalar(0.5)).constant(no_training()),
        ] {
            assert_eq!(test.run(), (vec![1, 2], vec![1.0, -2.0]));
        }
        x("Identity").check_gradients();
    }

    #[test]
    fn what_would_change_values_is_refused() {
        let training = Constant { shape: vec![], data: ConstantData::Bool([true].into()) };
        for (test, reason) in [
            (x("Cast").with("to", 7), "only casts to float32"),
            (x("Dropout").none().constant(training), "training mode"),
            (x("Dropout").outputs(2), "output 2 is not supported"),
        ] {
            let error = test.error();
            assert!(error.contains(reason), "{error}");
        }
    }
}
