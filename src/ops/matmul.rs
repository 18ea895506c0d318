//! Matrix products.

use burn::tensor::Tensor;
use burn::tensor::ops::ConvOptions;

use super::axes::{broadcast, broadcasts_to};
use super::kernels::{conv2d, matmul};
use super::value::Binary;
use super::{Mode, NodeView, OpError, Operator, Outputs, Support, Value, optional, tensor};
use crate::graph::Shape;

pub const OPERATORS: &[Support] = &[Support::new("Gemm", &[7, 9, 11, 13]), Support::new("MatMul", &[1, 9, 13])];

pub fn read(view: &NodeView) -> Result<Box<dyn Operator>, OpError> {
    if view.op_type() == "MatMul" {
        view.signature(&["A", "B"], 0, 1)?;
        view.only(&[])?;
        return Ok(Box::new(MatMul));
    }
    view.signature(&["A", "B"], 1, 1)?;
    view.floats(2, "C")?;
    view.only(&["alpha", "beta", "transA", "transB"])?;
    Ok(Box::new(Gemm {
        alpha: view.float("alpha")?.unwrap_or(1.0),
        beta: view.float("beta")?.unwrap_or(1.0),
        transpose_a: view.int("transA")?.unwrap_or(0) != 0,
        transpose_b: view.int("transB")?.unwrap_or(0) != 0,
    }))
}

/// ONNX `Gemm` (7, 9, 11, 13): `alpha A B + beta C`.
///
/// # Shapes
///
/// - `A`: [rows, inner], or transposed
/// - `B`: [inner, columns], or transposed
/// - `C`: broadcasts to [rows, columns]
#[derive(Debug)]
struct Gemm {
    alpha: f32,
    beta: f32,
    transpose_a: bool,
    transpose_b: bool,
}

impl Operator for Gemm {
    fn shapes(&self, inputs: &[&[usize]]) -> Result<Vec<Shape>, String> {
        let (&[a0, a1], &[b0, b1]) = (inputs[0], inputs[1]) else {
            return Err(format!("{:?} and {:?} must have 2 axes", inputs[0], inputs[1]));
        };
        let (rows, inner) = if self.transpose_a { (a1, a0) } else { (a0, a1) };
        let (inner_b, columns) = if self.transpose_b { (b1, b0) } else { (b0, b1) };
        if inner != inner_b {
            return Err(format!("the product of {:?} and {:?} does not fit", inputs[0], inputs[1]));
        }
        if let Some(c) = inputs.get(2) {
            broadcasts_to(c, &[rows, columns])?;
        }
        Ok(vec![vec![rows, columns]])
    }

    fn macs(&self, inputs: &[&[usize]], outputs: &[Shape]) -> u64 {
        let inner = inputs[0][usize::from(!self.transpose_a)];
        outputs[0].iter().map(|size| *size as u64).product::<u64>() * inner as u64
    }

    fn run(&self, inputs: &[Option<Value>], _mode: Mode) -> Outputs {
        let [a, b] = [0, 1].map(|index| tensor(inputs, index).to_rank::<2>());
        let a = if self.transpose_a { a.transpose() } else { a };
        let b = if self.transpose_b { b.transpose() } else { b };
        let product = scaled(matmul(a, b), self.alpha);
        let sum = match optional(inputs, 2) {
            Some(c) => product + scaled(c.to_rank::<2>(), self.beta),
            None => product,
        };
        Value::from(sum).into()
    }
}

fn scaled(x: Tensor<2>, factor: f32) -> Tensor<2> {
    if factor == 1.0 { x } else { x.mul_scalar(factor) }
}

/// ONNX `MatMul` (1, 9, 13), with NumPy's rules for vectors and for stacks of matrices.
#[derive(Debug)]
struct MatMul;

/// The shapes of two matrices, or stacks of them, that two operands stand for, and that of their product.
fn matrices(a: &[usize], b: &[usize]) -> Result<[Shape; 3], String> {
    let fail = || format!("the product of {a:?} and {b:?} does not fit");
    let (mut left, mut right) = (a.to_vec(), b.to_vec());
    if a.len() == 1 {
        left.insert(0, 1);
    }
    if b.len() == 1 {
        right.push(1);
    }
    let ([stack_a @ .., rows, inner], [stack_b @ .., inner_b, columns]) = (&left[..], &right[..]) else {
        return Err(fail());
    };
    if inner != inner_b {
        return Err(fail());
    }
    let mut product = broadcast(&[stack_a, stack_b]).map_err(|_| fail())?;
    if a.len() > 1 {
        product.push(*rows);
    }
    if b.len() > 1 {
        product.push(*columns);
    }
    Ok([left, right, product])
}

// One matrix times a stack of many small ones, as in resampling, is a pointwise convolution over the axis that is summed.
// The convolution's kernels read every weight for a tile of pixels.

/// `[rows, inner]` times `[batch, channels, inner, columns]`.
fn rows_mixed(matrix: Tensor<2>, stack: Tensor<4>) -> Tensor<4> {
    pointwise(stack.swap_dims(1, 2), matrix).swap_dims(1, 2)
}

/// `[batch, channels, rows, inner]` times `[inner, columns]`.
fn columns_mixed(stack: Tensor<4>, matrix: Tensor<2>) -> Tensor<4> {
    pointwise(stack.swap_dims(1, 3), matrix.transpose()).swap_dims(1, 3)
}

/// `[batch, inner, height, width]` to `[batch, outer, height, width]` by a matrix `[outer, inner]`.
fn pointwise(input: Tensor<4>, matrix: Tensor<2>) -> Tensor<4> {
    let [outer, inner] = matrix.dims();
    let options = ConvOptions::new([1, 1], [0, 0], [1, 1], 1);
    conv2d(input, matrix.reshape([outer, inner, 1, 1]), None, options)
}

impl Operator for MatMul {
    fn shapes(&self, inputs: &[&[usize]]) -> Result<Vec<Shape>, String> {
        let [_, _, product] = matrices(inputs[0], inputs[1])?;
        Ok(vec![product])
    }

    fn macs(&self, inputs: &[&[usize]], outputs: &[Shape]) -> u64 {
        let inner = inputs[0].last().copied().unwrap_or(0);
        outputs[0].iter().map(|size| *size as u64).product::<u64>() * inner as u64
    }

    fn run(&self, inputs: &[Option<Value>], _mode: Mode) -> Outputs {
        let (a, b) = (tensor(inputs, 0), tensor(inputs, 1));
        let Ok([left, right, product]) = matrices(&a.dims(), &b.dims()) else {
            unreachable!("`shapes` has refused operands that do not fit")
        };
        match (a, b) {
            (Value::R2(matrix), Value::R4(stack)) => Value::from(rows_mixed(matrix, stack)).into(),
            (Value::R4(stack), Value::R2(matrix)) => Value::from(columns_mixed(stack, matrix)).into(),
            (a, b) => a.reshape(&left).zip(b.reshape(&right), self).reshape(&product).into(),
        }
    }
}

impl Binary for &MatMul {
    fn apply<const D: usize>(&self, left: Tensor<D>, right: Tensor<D>) -> Tensor<D> {
        matmul(left, right)
    }
}

#[cfg(test)]
mod tests {
    use crate::ops::testing::{NodeTest, assert_close};

    const A: [f32; 6] = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
    const B: [f32; 6] = [1.0, 0.0, 0.0, 1.0, 1.0, 1.0];

    #[test]
    fn gemm_takes_transposed_and_scaled_operands() {
        let gemm = |a: &[usize], b: &[usize]| NodeTest::new("Gemm").tensor(a, &A).tensor(b, &B);
        for (test, expected) in [
            (gemm(&[2, 3], &[3, 2]), [4.0, 5.0, 10.0, 11.0]),
            (gemm(&[3, 2], &[3, 2]).with("transA", 1), [6.0, 8.0, 8.0, 10.0]),
            (gemm(&[2, 3], &[2, 3]).with("transB", 1), [1.0, 6.0, 4.0, 15.0]),
            (gemm(&[2, 3], &[3, 2]).with("alpha", 0.5), [2.0, 2.5, 5.0, 5.5]),
            (gemm(&[2, 3], &[3, 2]).tensor(&[2], &[1.0, -1.0]), [5.0, 4.0, 11.0, 10.0]),
            (gemm(&[2, 3], &[3, 2]).tensor(&[2, 1], &[1.0, -1.0]).with("beta", 2.0), [6.0, 7.0, 8.0, 9.0]),
            (gemm(&[2, 3], &[3, 2]).tensor(&[], &[1.0]), [5.0, 6.0, 11.0, 12.0]),
        ] {
            let (shape, values) = test.run();
            assert_eq!(shape, [2, 2]);
            assert_close(&values, &expected);
        }
    }

    #[test]
    fn matmul_follows_numpy() {
        for (a, b, shape) in [
            (&[2, 3][..], &[3, 2][..], &[2, 2][..]),
            (&[3], &[3, 2], &[2]),
            (&[2, 3], &[3], &[2]),
            (&[3], &[3], &[]),
            (&[4, 2, 3], &[3, 5], &[4, 2, 5]),
            (&[4, 1, 2, 3], &[6, 3, 5], &[4, 6, 2, 5]),
        ] {
            let (given, values) = NodeTest::new("MatMul").noise(a).noise(b).run();
            assert_eq!(given, shape);
            assert_eq!(values.len(), shape.iter().product::<usize>());
        }
        let (_, values) = NodeTest::new("MatMul").tensor(&[2, 3], &A).tensor(&[3], &[1.0, 0.0, -1.0]).run();
        assert_close(&values, &[-2.0, -2.0]);
    }

    #[test]
    fn macs_count_products() {
        assert_eq!(NodeTest::new("MatMul").noise(&[4, 2, 3]).noise(&[3, 5]).macs(), 4 * 2 * 3 * 5);
        assert_eq!(NodeTest::new("Gemm").noise(&[3, 2]).noise(&[3, 5]).with("transA", 1).macs(), 2 * 3 * 5);
    }

    #[test]
    fn gradients_are_those_of_differences() {
        NodeTest::new("Gemm")
            .noise(&[3, 2])
            .noise(&[4, 3])
            .noise(&[4])
            .with("transA", 1)
            .with("transB", 1)
            .with("alpha", 0.5)
            .with("beta", 2.0)
            .check_gradients();
        NodeTest::new("MatMul").noise(&[2, 2, 3]).noise(&[3, 2]).check_gradients();
        NodeTest::new("MatMul").noise(&[3]).noise(&[2, 3, 2]).check_gradients();
    }

    #[test]
    fn operands_that_do_not_fit_are_refused() {
        for (test, reason) in [
            (NodeTest::new("MatMul").noise(&[2, 3]).noise(&[2, 3]), "the product of [2, 3] and [2, 3] does not fit"),
            (NodeTest::new("MatMul").noise(&[2, 2, 3]).noise(&[3, 3, 2]), "does not fit"),
            (NodeTest::new("Gemm").noise(&[2, 3]).noise(&[2, 3]), "does not fit"),
            (NodeTest::new("Gemm").noise(&[2, 3]).noise(&[3, 2]).noise(&[3]), "does not broadcast to [2, 2]"),
            (NodeTest::new("Gemm").noise(&[1, 2, 3]).noise(&[3, 2]), "must have 2 axes"),
        ] {
            let error = test.error();
            assert!(error.contains(reason), "{error}");
        }
    }
}
