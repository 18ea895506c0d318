//! Convolutions, transposed ones too.

use burn::tensor::ops::{ConvOptions, ConvTransposeOptions};
use burn::tensor::{Device, Tensor, module};

use super::super::conv::Conv;
use super::super::{Kept, clip, conv_transpose2d, conv2d, infer_conv2d};
use super::{CASES, difference, floats, products, random, transposed};

#[test]
fn convolutions_and_their_gradients_are_burns() {
    let device = Device::flex();
    pollster::block_on(async {
        for case in CASES {
            let tensors = [random(case.input, &device), random(case.weight, &device)];
            let bias = random([case.weight[0]], &device);
            for bias in [None, Some(&bias)] {
                let shape =
                    module::conv2d(tensors[0].clone(), tensors[1].clone(), None, case.options()).dims();
                let factor = random(shape, &device);
                let (ours, our_bias) = case.gradients(true, &tensors, bias, &factor);
                let (burns, burn_bias) = case.gradients(false, &tensors, bias, &factor);
                let names = ["output", "input gradient", "weight gradient"];
                for ((ours, burns), name) in ours.iter().zip(&burns).zip(names) {
                    let difference = difference(ours, burns).await;
                    assert!(difference < 1e-5, "{name} of {:?}: {difference}", case.options());
                }
                if let (Some(ours), Some(burns)) = (our_bias, burn_bias) {
                    assert!(difference(&ours, &burns).await < 1e-4, "bias gradient of {:?}", case.options());
                }
            }
        }
    });
}

#[test]
fn winograds_products_are_for_many_channels_and_three_rows_of_taps() {
    let suits = |input, weight, stride, groups| {
        let options = ConvOptions::new([stride; 2], [1, 1], [1, 1], groups);
        Conv::new(input, weight, options).is_some_and(|conv| conv.winograd())
    };
    assert!(suits([32, 16, 32, 32], [32, 16, 3, 3], 1, 1));
    assert!(!suits([32, 1, 32, 32], [32, 1, 3, 3], 1, 1));
    assert!(!suits([32, 16, 32, 32], [16, 1, 3, 3], 1, 16));
    assert!(!suits([32, 16, 32, 32], [32, 16, 3, 3], 2, 1));
    assert!(!suits([32, 16, 32, 32], [32, 16, 5, 5], 1, 1));
    assert!(!suits([32, 16, 1, 32], [32, 16, 3, 3], 1, 1));
    assert!(!suits([1, 64, 224, 224], [64, 64, 3, 3], 1, 1));
}

#[test]
fn a_bounded_convolution_is_one_that_is_clipped() {
    let device = Device::flex();
    pollster::block_on(async {
        for case in CASES {
            let [input, weight] = [random(case.input, &device), random(case.weight, &device)];
            let bias = Some(random([case.weight[0]], &device));
            let plain = conv2d(input.clone(), weight.clone(), bias.clone(), case.options());
            let found = infer_conv2d(input, weight, bias, case.options(), Some([-0.5, 1.0]), None);
            assert_eq!(difference(&found, &clip(plain, -0.5, 1.0)).await, 0.0, "{:?}", case.options());
        }
    });
}

#[test]
fn what_is_kept_is_made_anew_for_other_weights_and_other_sizes() {
    let device = Device::flex();
    let kept = Kept::default();
    pollster::block_on(async {
        for case in CASES {
            for batch in [1, 1, 3, 1] {
                let [_, channels, height, width] = case.input;
                let (input, weight) =
                    (random([batch, channels, height, width], &device), random(case.weight, &device));
                let expected = floats(&conv2d(input.clone(), weight.clone(), None, case.options())).await;
                for _ in 0..2 {
                    let (input, weight) = (input.clone(), weight.clone());
                    let found = infer_conv2d(input, weight, None, case.options(), None, Some(&kept));
                    assert_eq!(floats(&found).await, expected, "{:?}", case.options());
                }
            }
        }
    });
}

#[test]
fn a_plain_tensor_gets_the_same_output_as_a_tracked_one() {
    let device = Device::flex();
    let case = &CASES[1];
    let (input, weight) = (random(case.input, &device), random(case.weight, &device));
    let plain = conv2d(input.clone(), weight.clone(), None, case.options());
    let tracked = conv2d(input, Tensor::from_inner(weight).require_grad(), None, case.options());
    pollster::block_on(async { assert_eq!(floats(&plain).await, floats(&tracked.inner()).await) });
}

#[test]
fn an_output_that_nobody_differentiates_is_left_out() {
    let device = Device::flex();
    let case = &CASES[2];
    let input = Tensor::from_inner(random(case.input, &device));
    let weight = Tensor::from_inner(random(case.weight, &device)).require_grad();
    let gradients = conv2d(input.clone(), weight.clone(), None, case.options()).sum().backward();
    assert!(weight.grad(&gradients).is_some() && input.grad(&gradients).is_none());
}

#[test]
fn transposed_convolutions_and_their_gradients_are_burns() {
    let device = Device::flex();
    pollster::block_on(async {
        for (input, weight, options) in transposed() {
            let tensors = [random(input, &device), random(weight, &device)];
            let ours = products(&tensors, |x, weight| conv_transpose2d(x, weight, options.clone()));
            let burns = products(&tensors, |x, weight| {
                let ConvOptions { stride, dilation, groups, .. } = options.clone();
                let options = ConvTransposeOptions::new(stride, [0, 0], [0, 0], dilation, groups);
                module::conv_transpose2d(x, weight, None, options)
            });
            for (ours, burns) in ours.iter().zip(&burns) {
                assert!(difference(ours, burns).await < 1e-5, "{input:?}, {weight:?}, {options:?}");
            }
        }
    });
}
