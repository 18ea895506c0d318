//! Batch normalisation.

use burn::tensor::{Device, Tensor, module};

use super::super::{batch_norm_train, clip};
use super::{difference, floats, random};

#[test]
fn batch_norm_and_its_gradients_are_burns() {
    let device = Device::flex();
    pollster::block_on(async {
        for shape in [[4, 3, 8, 8], [2, 5, 3, 7], [7, 17, 1, 1], [1, 2, 16, 16], [64, 4, 5, 5]] {
            // An offset larger than the spread: where a careless variance loses its digits.
            let input = random(shape, &device).add_scalar(50.0);
            let [scale, shift] = [(); 2].map(|()| random([shape[1]], &device));
            let factor = random(shape, &device);
            let run = |ours: bool| {
                let input = Tensor::from_inner(input.clone()).require_grad();
                let [scale, shift] = [&scale, &shift].map(|t| Tensor::from_inner(t.clone()).require_grad());
                let (output, mean, variance) = if ours {
                    let result = batch_norm_train(input.clone(), scale.clone(), shift.clone(), 1e-5, None);
                    (result.output, result.mean, result.variance)
                } else {
                    let result = module::batch_norm_train(input.clone(), scale.clone(), shift.clone(), 1e-5);
                    (result.output, result.mean, result.variance)
                };
                let gradients = (output.clone() * Tensor::from_inner(factor.clone())).sum().backward();
                let grads = [&scale, &shift].map(|tensor| tensor.grad(&gradients).expect("tracked"));
                let wide = [output.inner(), input.grad(&gradients).expect("tracked")];
                (wide, [grads.to_vec(), vec![mean.inner(), variance.inner()]].concat())
            };
            let ((ours, our_channels), (burns, burn_channels)) = (run(true), run(false));
            for (ours, burns) in ours.iter().zip(&burns) {
                assert!(difference(ours, burns).await < 2e-4, "{shape:?}");
            }
            for (ours, burns) in our_channels.iter().zip(&burn_channels) {
                assert!(difference(ours, burns).await < 2e-4, "{shape:?}");
            }
        }
    });
}

#[test]
fn a_bounded_batch_norm_is_one_that_is_clipped() {
    let device = Device::flex();
    pollster::block_on(async {
        for shape in [[4, 3, 8, 8], [2, 5, 3, 7], [7, 17, 1, 1], [64, 4, 5, 5]] {
            let [input, factor] = [(); 2].map(|()| random(shape, &device));
            let [scale, shift] = [(); 2].map(|()| random([shape[1]], &device));
            let run = |at_once: bool| {
                let input = Tensor::from_inner(input.clone()).require_grad();
                let [scale, shift] = [&scale, &shift].map(|t| Tensor::from_inner(t.clone()).require_grad());
                let bounds = at_once.then_some([0.0, 0.7]);
                let output =
                    batch_norm_train(input.clone(), scale.clone(), shift.clone(), 1e-5, bounds).output;
                let output = if at_once { output } else { clip(output, 0.0, 0.7) };
                let gradients = (output.clone() * Tensor::from_inner(factor.clone())).sum().backward();
                let narrow = [&scale, &shift].map(|tensor| tensor.grad(&gradients).expect("tracked"));
                ([output.inner(), input.grad(&gradients).expect("tracked")], narrow)
            };
            let ((wide, narrow), (wide_apart, narrow_apart)) = (run(true), run(false));
            for (found, expected) in wide.iter().zip(&wide_apart) {
                assert_eq!(floats(found).await, floats(expected).await, "{shape:?}");
            }
            for (found, expected) in narrow.iter().zip(&narrow_apart) {
                assert_eq!(floats(found).await, floats(expected).await, "{shape:?}");
            }
        }
    });
}
