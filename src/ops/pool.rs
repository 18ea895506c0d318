//! Pools over a sliding window.

use burn::tensor::Tensor;
use burn::tensor::module::avg_pool2d;
use burn::tensor::ops::{AvgPoolOptions, ConvOptions};

use super::kernels::{conv2d, max_pool2d};
use super::window::Window;
use super::{Mode, NodeView, OpError, Operator, Outputs, Support, Value, tensor};
use crate::graph::Shape;

pub const OPERATORS: &[Support] = &[
    Support::new("AveragePool", &[7, 10, 11, 19, 22])
        .limits("height and width (2-D); padding smaller than the window"),
    Support::new("MaxPool", &[1, 8, 10, 11, 12, 22])
        .limits("height and width (2-D); padding smaller than the window; no indices"),
];

pub fn read(view: &NodeView) -> Result<Box<dyn Operator>, OpError> {
    view.signature(&["X"], 0, 1)?;
    let mut known = Window::ATTRIBUTES.to_vec();
    known.push("ceil_mode");
    let kind = if view.op_type() == "MaxPool" {
        // Tells the order of the indices, an output that is not supported.
        known.push("storage_order");
        Kind::Max
    } else {
        known.push("count_include_pad");
        Kind::Average { count_padding: view.int("count_include_pad")?.unwrap_or(0) != 0 }
    };
    view.only(&known)?;
    let rank = view.input_shape(0).len();
    if rank != 4 {
        return Err(view.invalid(format!("the input has {rank} axes; only 2-D pools are supported")));
    }
    let window = Window::read(view, None)?;
    window.sees_input(view)?;
    Ok(Box::new(Pool { window, kind }))
}

#[derive(Debug)]
enum Kind {
    /// ONNX `MaxPool` (8, 10, 11, 12, 22) without indices. Padding never wins.
    Max,
    /// ONNX `AveragePool` (7, 10, 11, 19, 22).
    Average { count_padding: bool },
}

/// # Shapes
///
/// - `X`: [batch, channels, height, width]
#[derive(Debug)]
struct Pool {
    window: Window,
    kind: Kind,
}

impl Operator for Pool {
    fn shapes(&self, inputs: &[&[usize]]) -> Result<Vec<Shape>, String> {
        let &[batch, channels, height, width] = inputs[0] else {
            return Err(format!("the input {:?} must have 4 axes", inputs[0]));
        };
        let [height, width] = self.window.output(channels, [height, width])?;
        Ok(vec![vec![batch, channels, height, width]])
    }

    fn run(&self, inputs: &[Option<Value>], _mode: Mode) -> Outputs {
        let x: Tensor<4> = tensor(inputs, 0).to_rank();
        let [_, _, height, width] = x.dims();
        let size = [height, width];
        let padding = self.window.padding_for_whole_windows(size);
        let pooled = match self.kind {
            Kind::Max => {
                let Window { kernel, stride, dilation, .. } = self.window;
                max_pool2d(x, kernel, ConvOptions::new_with_padding(stride, padding, dilation, 1))
            }
            Kind::Average { count_padding } => {
                let correction = self.correction(size, count_padding, &x);
                let mean = self.mean(x, padding);
                match correction {
                    Some(factors) => mean * factors,
                    None => mean,
                }
            }
        };
        Value::from(pooled).into()
    }
}

impl Pool {
    /// The sum of each window over the number of its positions, padding counted as zeros.
    fn mean(&self, x: Tensor<4>, padding: [(usize, usize); 2]) -> Tensor<4> {
        let Window { kernel, stride, dilation, .. } = self.window;
        if dilation == [1, 1] {
            let options = AvgPoolOptions::new(kernel)
                .with_stride(stride)
                .with_padding_pairs(padding)
                .with_count_include_pad(true);
            return avg_pool2d(x, options);
        }
        let channels = x.dims()[1];
        let weight = Tensor::full(
            [channels, 1, kernel[0], kernel[1]],
            1.0 / (kernel[0] * kernel[1]) as f64,
            &x.device(),
        );
        conv2d(x, weight, None, ConvOptions::new_with_padding(stride, padding, dilation, channels))
    }

    /// Per window the number of its positions over the number of those that count, `[1, 1, height, width]`; `None`
    /// where all count.
    fn correction(&self, size: [usize; 2], count_padding: bool, x: &Tensor<4>) -> Option<Tensor<4>> {
        let declared = self.window.padding(size);
        let [rows, columns] = [0, 1].map(|axis| {
            let range = if count_padding {
                let (begin, end) = declared[axis];
                (-(begin as i64), (size[axis] + end) as i64)
            } else {
                (0, size[axis] as i64)
            };
            self.window.counts(axis, size, range)
        });
        let all = self.window.kernel[0] * self.window.kernel[1];
        let factors: Vec<f32> = rows
            .iter()
            .flat_map(|row| columns.iter().map(move |column| all as f32 / (row * column) as f32))
            .collect();
        if factors.iter().all(|factor| *factor == 1.0) {
            return None;
        }
        let shape = [1, 1, rows.len(), columns.len()];
        Some(Value::from_host(&factors, &shape, &x.device()).to_rank())
    }
}

#[cfg(test)]
mod tests {
    use crate::ops::testing::{NodeTest, assert_close};

    /// Over the image 1 2 3 / 4 5 6 / 7 8 9, all numbers negative where `sign` is -1.
    fn pool(op_type: &str, sign: f32) -> NodeTest {
        let values: Vec<f32> = (1..10).map(|value| sign * value as f32).collect();
        NodeTest::new(op_type).tensor(&[1, 1, 3, 3], &values).with("kernel_shape", vec![2, 2])
    }

    #[test]
    fn padding_never_wins_a_maximum() {
        for (test, expected) in [
            (
                pool("MaxPool", -1.0).with("pads", vec![1, 1, 0, 0]),
                &[-1., -1., -2., -1., -1., -2., -4., -4., -5.][..],
            ),
            (
                pool("MaxPool", -1.0).with("pads", vec![1, 1, 1, 1]).with("strides", vec![2, 2]),
                &[-1., -2., -4., -5.],
            ),
            (
                pool("MaxPool", -1.0).with("auto_pad", "SAME_UPPER").with("strides", vec![2, 2]),
                &[-1., -3., -7., -9.],
            ),
        ] {
            assert_close(&test.run().1, expected);
        }
    }

    #[test]
    fn ceil_mode_adds_a_window_at_the_end() {
        let max = pool("MaxPool", 1.0).with("strides", vec![2, 2]);
        assert_close(&max.run().1, &[5.0]);
        let (shape, values) = pool("MaxPool", -1.0).with("strides", vec![2, 2]).with("ceil_mode", 1).run();
        assert_eq!(shape, [1, 1, 2, 2]);
        assert_close(&values, &[-1.0, -3.0, -7.0, -9.0]);
        let average = || pool("AveragePool", 1.0).with("strides", vec![2, 2]).with("ceil_mode", 1);
        assert_close(&average().run().1, &[3.0, 4.5, 7.5, 9.0]);
        // What lies beyond input and padding does not count even where padding does.
        assert_close(&average().with("count_include_pad", 1).run().1, &[3.0, 4.5, 7.5, 9.0]);
    }

    #[test]
    fn averages_count_padding_if_told() {
        let average = || pool("AveragePool", 1.0).with("pads", vec![1, 0, 0, 0]);
        assert_close(&average().run().1, &[1.5, 2.5, 3.0, 4.0, 6.0, 7.0]);
        assert_close(&average().with("count_include_pad", 1).run().1, &[0.75, 1.25, 3.0, 4.0, 6.0, 7.0]);
    }

    #[test]
    fn windows_with_gaps() {
        let max = pool("MaxPool", 1.0).with("dilations", vec![2, 2]).run();
        assert_eq!(max, (vec![1, 1, 1, 1], vec![9.0]));
        let average = pool("AveragePool", 1.0).with("dilations", vec![2, 1]).with("pads", vec![1, 0, 0, 0]);
        assert_close(&average.run().1, &[4.5, 5.5, 4.5, 5.5]);
    }

    #[test]
    fn gradients_are_those_of_differences() {
        for op_type in ["MaxPool", "AveragePool"] {
            let pool = || NodeTest::new(op_type).noise(&[2, 2, 5, 4]).with("kernel_shape", vec![3, 2]);
            pool().check_gradients();
            pool()
                .with("strides", vec![2, 2])
                .with("ceil_mode", 1)
                .with("pads", vec![1, 1, 0, 0])
                .check_gradients();
            pool().with("dilations", vec![2, 1]).with("pads", vec![1, 1, 1, 1]).check_gradients();
        }
    }

    #[test]
    fn what_is_not_supported_is_refused() {
        for (test, reason) in [
            (NodeTest::new("MaxPool").noise(&[1, 1, 4, 4]), "'kernel_shape' is missing"),
            (NodeTest::new("MaxPool").noise(&[1, 1, 4]).with("kernel_shape", vec![2]), "only 2-D pools"),
            (pool("AveragePool", 1.0).with("pads", vec![2, 0, 0, 0]), "is not smaller than the window"),
            (pool("MaxPool", 1.0).outputs(2), "output 2 is not supported"),
            (pool("MaxPool", 1.0).with("count_include_pad", 1), "'count_include_pad' is not supported"),
        ] {
            let error = test.error();
            assert!(error.contains(reason), "{error}");
        }
    }
}
