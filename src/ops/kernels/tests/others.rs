//! Products of matrices, maxima over windows, bounds, losses, and the optimiser.

use burn::backend::Dispatch;
use burn::tensor::activation::{log_softmax, relu};
use burn::tensor::ops::{ConvOptions, MaxPoolOptions};
use burn::tensor::{Device, Tensor, module};

use super::super::backend::TrainingOps;
use super::super::{AdamStep, adam, clip, matmul, max_pool2d};
use super::{PRODUCTS, difference, floats, pools, products, random, with_gradient};

#[test]
fn max_pooling_and_its_gradient_are_burns() {
    let device = Device::flex();
    pollster::block_on(async {
        for (shape, kernel, options) in pools() {
            let input = random(shape, &device);
            let ours = with_gradient(&input, |input| max_pool2d(input, kernel, options.clone()));
            let burns = with_gradient(&input, |input| {
                let ConvOptions { stride, padding, dilation, .. } = options.clone();
                let pool = MaxPoolOptions::new(kernel).with_stride(stride).with_padding_pairs(padding);
                module::max_pool2d(input, pool.with_dilation(dilation))
            });
            for (ours, burns) in ours.iter().zip(&burns) {
                assert!(difference(ours, burns).await < 1e-6, "{kernel:?}, {options:?}");
            }
        }
    });
}

#[test]
fn products_of_matrices_and_their_gradients_are_burns() {
    let device = Device::flex();
    pollster::block_on(async {
        for (left, right) in PRODUCTS {
            let tensors = [random(*left, &device), random(*right, &device)];
            let (ours, burns) = (products(&tensors, matmul), products(&tensors, Tensor::matmul));
            for (ours, burns) in ours.iter().zip(&burns) {
                assert!(difference(ours, burns).await < 1e-6, "{left:?} times {right:?}");
            }
        }
    });
}

#[test]
fn clipping_keeps_its_ends_but_not_their_gradient() {
    let device = Device::flex();
    pollster::block_on(async {
        let input = random([3, 5, 7, 11], &device).mul_scalar(10.0);
        for (ours, burns) in [
            (
                with_gradient(&input, |input| clip(input, 0.0, 6.0)),
                with_gradient(&input, |input| input.clamp(0.0, 6.0)),
            ),
            (with_gradient(&input, |input| clip(input, 0.0, f32::INFINITY)), with_gradient(&input, relu)),
        ] {
            for (ours, burns) in ours.iter().zip(&burns) {
                assert_eq!(floats(ours).await, floats(burns).await);
            }
        }
        let ends = Tensor::<4>::from_data([[[[0.0, 6.0, -0.1, 6.1, 5.9]]]], &device);
        let [output, gradient] = with_gradient(&ends, |input| clip(input, 0.0, 6.0));
        assert_eq!(floats(&output).await, [0.0, 6.0, 0.0, 6.0, 5.9]);
        // As of ReLU and ReLU6 in other frameworks.
        assert_eq!(floats(&gradient).await[..4], [0.0; 4]);
        assert_ne!(floats(&gradient).await[4], 0.0);
        let far = Tensor::<1>::from_data([f32::INFINITY, -2.0, f32::NAN], &device);
        let found = floats(&clip(far, -1.0, f32::INFINITY)).await;
        assert_eq!(found[..2], [f32::INFINITY, -1.0]);
        assert!(found[2].is_nan(), "{found:?}");
    });
}

#[test]
fn the_loss_of_a_softmax_and_its_gradient_are_burns() {
    let device = Device::flex();
    pollster::block_on(async {
        let [logits, other] = [(); 2].map(|()| random([1, 1, 5, 7], &device).mul_scalar(9.0).reshape([5, 7]));
        for taught in [true, false] {
            // What labels with an image that has none look like, or a teacher's logits.
            let targets = if taught { other.clone() } else { other.clone().clamp(0.0, 1.0) };
            let input: Tensor<2> = Tensor::from_inner(logits.clone()).require_grad();
            let logs = log_softmax(input.clone().div_scalar(4.0), 1);
            let burns = if taught {
                let wanted = Tensor::from_inner(log_softmax(targets.clone().div_scalar(4.0), 1));
                (wanted.clone().exp() * (wanted - logs)).sum_dim(1)
            } else {
                (Tensor::from_inner(targets.clone()) * logs).sum_dim(1).neg()
            };
            let gradient = input.grad(&burns.clone().sum().backward()).expect("tracked");
            let [logits, targets] = [logits.clone(), targets].map(Tensor::into_dispatch);
            let (rows, found) = Dispatch::train_softmax_loss(logits, targets, 4.0, taught);
            let rows: Tensor<1> = Tensor::from_dispatch(rows);
            assert!(difference(&rows.reshape([5, 1]), &burns.inner()).await < 1e-5, "{taught}");
            assert!(difference(&Tensor::<2>::from_dispatch(found), &gradient).await < 1e-5, "{taught}");
        }
    });
}

#[test]
fn a_step_of_the_optimiser_is_burns() {
    let device = Device::flex();
    let (rate, decay) = (1e-2, 1e-1_f32);
    let rule: burn::optim::AdamW = burn::optim::AdamWConfig::new().with_weight_decay(decay).build();
    pollster::block_on(async {
        // More than one piece, and a length that fits no vector.
        let values: Tensor<1> = random([1, 1, 1, 40_003], &device).flatten(0, 3);
        let (mut ours, mut burns) = (values.clone(), values.clone());
        let mut moments = [values.zeros_like(), values.zeros_like()];
        let mut state = None;
        for time in 1..4 {
            let gradient: Tensor<1> = random([1, 1, 1, 40_003], &device).flatten(0, 3);
            let betas = [0.9_f32, 0.999];
            let step = AdamStep {
                betas,
                corrections: betas.map(|beta| 1.0 - beta.powi(time)),
                epsilon: 1e-5,
                learning_rate: rate as f32,
                kept: (1.0 - rate * f64::from(decay)) as f32,
            };
            (ours, moments) = adam(ours, gradient.clone(), moments, step);
            (burns, state) = burn::optim::Optimizer::step(&rule, rate, burns, gradient, state);
            assert_eq!(difference(&ours, &burns).await, 0.0, "step {time}");
        }
    });
}
