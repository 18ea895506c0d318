//! Convolution as products of matrices, for backends without kernels of ours: few dispatches, all of them on operations
//! that every device does well.
//!
//! burn's own gradient of a grouped convolution's weight is one convolution per group, hundreds of dispatches in a
//! depthwise layer.

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, TensorMetadata};
use burn::tensor::{Shape, Slice};

use super::geometry::Conv;

/// Whether [`forward`] and [`input_gradient`] compute this convolution.
pub(super) fn is_dense(conv: &Conv) -> bool {
    conv.groups == 1
}

/// Whether each input channel makes one output channel by itself.
pub(super) fn is_depthwise(conv: &Conv) -> bool {
    conv.group_in() == 1 && conv.group_out() == 1
}

/// The output of a convolution without groups.
pub(super) fn forward<B: Backend>(
    input: FloatTensor<B>,
    weight: FloatTensor<B>,
    conv: &Conv,
) -> FloatTensor<B> {
    let Conv { batch, channels_in, channels_out, output: [height, width], .. } = *conv;
    let inner = channels_in * conv.taps();
    let columns = B::float_reshape(columns::<B>(input, conv), Shape::new([batch, inner, height * width]));
    let weight = B::float_reshape(weight, Shape::new([1, channels_out, inner]));
    B::float_reshape(B::float_matmul(weight, columns), Shape::new([batch, channels_out, height, width]))
}

/// Gradient of the input of a convolution without groups, from the output's.
pub(super) fn input_gradient<B: Backend>(
    weight: FloatTensor<B>,
    gradient: FloatTensor<B>,
    conv: &Conv,
) -> FloatTensor<B> {
    let Conv { batch, channels_in, channels_out, output: [height, width], .. } = *conv;
    let inner = channels_in * conv.taps();
    let weight = B::float_reshape(weight, Shape::new([1, channels_out, inner]));
    let gradient = B::float_reshape(gradient, Shape::new([batch, channels_out, height * width]));
    let columns = B::float_matmul(B::float_swap_dims(weight, 1, 2), gradient);
    let shape = Shape::new([batch, channels_in, conv.taps(), height * width]);
    fold::<B>(B::float_reshape(columns, shape), conv)
}

/// Gradient of the weight of a convolution without groups, from the output's.
pub(super) fn weight_gradient<B: Backend>(
    input: FloatTensor<B>,
    gradient: FloatTensor<B>,
    conv: &Conv,
) -> FloatTensor<B> {
    let Conv { batch, channels_in, channels_out, kernel: [rows, columns], output: [height, width], .. } =
        *conv;
    let inner = channels_in * conv.taps();
    let patches =
        B::float_reshape(self::columns::<B>(input, conv), Shape::new([batch, inner, height * width]));
    let gradient = B::float_reshape(gradient, Shape::new([batch, channels_out, height * width]));
    let products = B::float_matmul(gradient, B::float_swap_dims(patches, 1, 2));
    B::float_reshape(B::float_sum_dim(products, 0), Shape::new([channels_out, channels_in, rows, columns]))
}

/// Gradient of the weight of a depthwise convolution, from the output's.
pub(super) fn depthwise_weight_gradient<B: Backend>(
    input: FloatTensor<B>,
    gradient: FloatTensor<B>,
    conv: &Conv,
) -> FloatTensor<B> {
    let Conv { batch, channels_out, kernel: [rows, columns], output: [height, width], .. } = *conv;
    let gradient = B::float_reshape(gradient, Shape::new([batch, channels_out, 1, height * width]));
    let products = B::float_mul(self::columns::<B>(input, conv), gradient);
    let sums = B::float_sum_dims(products, &[0, 3]);
    B::float_reshape(sums, Shape::new([channels_out, 1, rows, columns]))
}

/// What each tap reads (im2col): `[batch, channels, taps, output pixels]`.
fn columns<B: Backend>(input: FloatTensor<B>, conv: &Conv) -> FloatTensor<B> {
    let Conv { batch, channels_in, output: [height, width], .. } = *conv;
    let shape = Shape::new([batch, channels_in, 1, height * width]);
    if conv.taps() == 1 && conv.output == conv.input && padded(conv) == conv.input {
        return B::float_reshape(input, shape);
    }
    let source = if padded(conv) == conv.input {
        input
    } else {
        let [padded_height, padded_width] = padded(conv);
        let (device, dtype) = (input.device(), input.dtype());
        let shape = Shape::new([batch, channels_in, padded_height, padded_width]);
        let zeros = B::float_zeros(shape, &device, dtype.into());
        B::float_slice_assign(zeros, &inside(conv), input)
    };
    let taps =
        taps(conv).map(|tap| B::float_reshape(B::float_slice(source.clone(), &tap), shape.clone())).collect();
    B::float_cat(taps, 2)
}

/// The sum of what each tap gives to the pixels it reads (col2im), from `[batch, channels, taps, output pixels]`.
fn fold<B: Backend>(columns: FloatTensor<B>, conv: &Conv) -> FloatTensor<B> {
    let Conv { batch, channels_in, input: [input_height, input_width], output: [height, width], .. } = *conv;
    if conv.taps() == 1 && conv.output == conv.input && padded(conv) == conv.input {
        return B::float_reshape(columns, Shape::new([batch, channels_in, input_height, input_width]));
    }
    let [padded_height, padded_width] = padded(conv);
    let (device, dtype) = (columns.device(), columns.dtype());
    let shape = Shape::new([batch, channels_in, padded_height, padded_width]);
    let mut sum = B::float_zeros(shape, &device, dtype.into());
    for (number, tap) in taps(conv).enumerate() {
        let here = [full(), full(), range(number, 1), full()];
        let part = B::float_slice(columns.clone(), &here);
        let part = B::float_reshape(part, Shape::new([batch, channels_in, height, width]));
        let before = B::float_slice(sum.clone(), &tap);
        sum = B::float_slice_assign(sum, &tap, B::float_add(before, part));
    }
    B::float_slice(sum, &inside(conv))
}

/// Height and width of the padded input that taps read from.
fn padded(conv: &Conv) -> [usize; 2] {
    [0, 1].map(|axis| {
        let (begin, end) = conv.options.padding[axis];
        conv.input[axis] + begin + end
    })
}

/// Where the input lies in the padded one.
fn inside(conv: &Conv) -> [Slice; 4] {
    let [rows, columns] = [0, 1].map(|axis| range(conv.padding[axis], conv.input[axis]));
    [full(), full(), rows, columns]
}

/// What each tap reads of the padded input, row by row.
fn taps(conv: &Conv) -> impl Iterator<Item = [Slice; 4]> {
    let along = |axis: usize, index: usize| {
        let start = index * conv.dilation[axis];
        let end = start + (conv.output[axis] - 1) * conv.stride[axis] + 1;
        Slice::new(start as isize, Some(end as isize), conv.stride[axis] as isize)
    };
    (0..conv.kernel[0]).flat_map(move |row| {
        (0..conv.kernel[1]).map(move |column| [full(), full(), along(0, row), along(1, column)])
    })
}

fn full() -> Slice {
    Slice::new(0, None, 1)
}

fn range(start: usize, length: usize) -> Slice {
    Slice::new(start as isize, Some((start + length) as isize), 1)
}

#[cfg(test)]
mod tests {
    use burn::backend::Flex;
    use burn::backend::ops::FloatTensorOps;
    use burn::tensor::TensorData;

    use super::super::backend::TrainingOps;
    use super::super::tests::CASES;
    use super::*;

    type Floats = FloatTensor<Flex>;

    fn wave(shape: &[usize], speed: f32) -> Floats {
        let values: Vec<f32> =
            (0..shape.iter().product()).map(|index: usize| (index as f32 * speed).sin()).collect();
        Flex::float_from_data(TensorData::new(values, shape.to_vec()), &Default::default())
    }

    fn values(tensor: Floats) -> Vec<f32> {
        let data = pollster::block_on(Flex::float_into_data(tensor)).expect("flex reads never fail");
        data.try_to_vec().expect("f32 all along")
    }

    fn assert_close(found: Floats, expected: Floats, name: &str) {
        assert_eq!(found.shape(), expected.shape(), "{name}");
        let (found, expected) = (values(found), values(expected));
        let largest = expected.iter().fold(f32::MIN_POSITIVE, |largest, value| largest.max(value.abs()));
        for (a, b) in found.iter().zip(&expected) {
            assert!((a - b).abs() <= 1e-4 * largest, "{name}: {a} against {b}");
        }
    }

    #[test]
    fn products_give_what_the_kernels_give() {
        let mut seen = 0;
        for case in CASES {
            let conv = Conv::new(case.input, case.weight, case.options()).expect("a convolution");
            let (input, weight) = (wave(&case.input, 0.37), wave(&case.weight, 0.73));
            let output = [conv.batch, conv.channels_out, conv.output[0], conv.output[1]];
            let gradient = wave(&output, 0.19);
            let of_weight =
                Flex::train_conv2d_weight(input.clone(), weight.clone(), gradient.clone(), conv.clone());
            if is_depthwise(&conv) {
                let found = depthwise_weight_gradient::<Flex>(input.clone(), gradient.clone(), &conv);
                assert_close(found, of_weight.clone(), "depthwise weight gradient");
                seen += 1;
            }
            if is_dense(&conv) {
                let expected = Flex::train_conv2d(input.clone(), weight.clone(), conv.clone());
                assert_close(forward::<Flex>(input.clone(), weight.clone(), &conv), expected, "output");
                let expected =
                    Flex::train_conv2d_input(input.clone(), weight.clone(), gradient.clone(), conv.clone());
                assert_close(
                    input_gradient::<Flex>(weight, gradient.clone(), &conv),
                    expected,
                    "input gradient",
                );
                assert_close(weight_gradient::<Flex>(input, gradient, &conv), of_weight, "weight gradient");
                seen += 1;
            }
        }
        assert!(seen > 10);
    }
}
