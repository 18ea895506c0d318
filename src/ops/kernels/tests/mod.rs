//! Values and gradients against burn's own operations, and the same bits whatever the threads.

use std::cell::RefCell;

use burn::backend::Dispatch;
use burn::tensor::activation::{log_softmax, relu};
use burn::tensor::ops::{ConvOptions, ConvTransposeOptions, MaxPoolOptions};
use burn::tensor::{Device, Tensor, TensorData, module};
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

use super::backend::TrainingOps;
use super::{
    AdamStep, Kept, adam, batch_norm_train, clip, conv_transpose2d, conv2d, infer_conv2d, matmul, max_pool2d,
};

/// Largest difference relative to the largest expected value.
pub(super) async fn difference<const D: usize>(found: &Tensor<D>, expected: &Tensor<D>) -> f32 {
    assert_eq!(found.dims(), expected.dims());
    let (found, expected) = (floats(found).await, floats(expected).await);
    let scale = expected.iter().fold(f32::MIN_POSITIVE, |scale, value| scale.max(value.abs()));
    found.iter().zip(&expected).fold(0.0, |worst: f32, (a, b)| worst.max((a - b).abs() / scale))
}

pub(super) async fn floats<const D: usize>(tensor: &Tensor<D>) -> Vec<f32> {
    let data = tensor.clone().into_data_async().await.expect("flex reads never fail");
    data.try_to_vec().expect("f32 all along")
}

thread_local! {
    /// Every test has a thread of its own, and so the same values each time.
    static VALUES: RefCell<ChaCha8Rng> = RefCell::new(ChaCha8Rng::seed_from_u64(0));
}

/// Even draws from -1 to 1.
pub(super) fn random<const D: usize>(shape: [usize; D], device: &Device) -> Tensor<D> {
    let draw = |rng: &RefCell<ChaCha8Rng>| {
        let mut rng = rng.borrow_mut();
        (0..shape.iter().product()).map(|_| rng.random_range(-1.0..1.0)).collect()
    };
    let values: Vec<f32> = VALUES.with(draw);
    Tensor::from_data(TensorData::new(values, shape), device)
}

pub(super) struct Case {
    pub(super) input: [usize; 4],
    pub(super) weight: [usize; 4],
    stride: [usize; 2],
    padding: [(usize, usize); 2],
    dilation: [usize; 2],
    groups: usize,
}

const fn case(input: [usize; 4], weight: [usize; 4], stride: usize, padding: usize, groups: usize) -> Case {
    let padding = [(padding, padding); 2];
    Case { input, weight, stride: [stride; 2], padding, dilation: [1; 2], groups }
}

pub(super) const CASES: &[Case] = &[
    // The blocks of the usual networks.
    case([3, 1, 12, 12], [16, 1, 3, 3], 1, 1, 1),
    case([17, 16, 8, 8], [33, 16, 3, 3], 1, 1, 1),
    case([2, 8, 16, 16], [16, 8, 3, 3], 2, 1, 1),
    case([2, 3, 32, 32], [8, 3, 7, 7], 2, 3, 1),
    case([5, 24, 4, 4], [40, 24, 1, 1], 1, 0, 1),
    case([2, 16, 7, 7], [5, 16, 1, 1], 2, 0, 1),
    case([2, 19, 16, 16], [19, 1, 3, 3], 1, 1, 19),
    case([2, 8, 15, 15], [8, 1, 5, 5], 2, 2, 8),
    // Groups, with and without a channel multiplier.
    case([2, 12, 9, 9], [18, 4, 3, 3], 1, 1, 3),
    case([2, 4, 6, 6], [8, 1, 3, 3], 1, 1, 4),
    case([2, 64, 5, 5], [64, 32, 3, 3], 1, 1, 2),
    // No padding, a kernel as large as the image, a single pixel, padding wider than the image.
    case([2, 3, 9, 9], [4, 3, 3, 3], 1, 0, 1),
    case([2, 3, 6, 5], [4, 3, 6, 5], 1, 0, 1),
    case([3, 4, 1, 1], [6, 4, 1, 1], 1, 0, 1),
    case([1, 2, 2, 2], [3, 2, 3, 3], 1, 4, 1),
    // A stride that skips pixels, whose gradient is zero.
    case([2, 3, 8, 8], [4, 3, 2, 2], 3, 0, 1),
    case([1, 2, 1, 1], [2, 2, 3, 3], 3, 1, 1),
    // Patches, a kernel that is larger than most, a stride that is.
    case([2, 3, 32, 48], [5, 3, 16, 16], 16, 0, 1),
    case([2, 4, 12, 12], [8, 1, 9, 9], 1, 4, 4),
    case([2, 3, 17, 15], [4, 3, 3, 3], 5, 1, 1),
    Case {
        input: [1, 2, 103, 104],
        weight: [3, 2, 2, 2],
        stride: [1, 1],
        padding: [(0, 0); 2],
        dilation: [101, 99],
        groups: 1,
    },
    // Everything at once.
    Case {
        input: [2, 6, 11, 10],
        weight: [4, 3, 3, 2],
        stride: [2, 1],
        padding: [(0, 1), (2, 1)],
        dilation: [1, 3],
        groups: 2,
    },
    Case {
        input: [3, 4, 9, 14],
        weight: [7, 4, 5, 3],
        stride: [3, 2],
        padding: [(3, 0), (0, 4)],
        dilation: [2, 2],
        groups: 1,
    },
];

impl Case {
    pub(super) fn options(&self) -> ConvOptions<2> {
        ConvOptions {
            stride: self.stride,
            padding: self.padding,
            dilation: self.dilation,
            groups: self.groups,
        }
    }

    /// Output, and gradients of input, weight and bias, by ours or burn's function.
    pub(super) fn gradients(
        &self,
        ours: bool,
        [input, weight]: &[Tensor<4>; 2],
        bias: Option<&Tensor<1>>,
        factor: &Tensor<4>,
    ) -> (Vec<Tensor<4>>, Option<Tensor<1>>) {
        let [input, weight] = [input, weight].map(|tensor| Tensor::from_inner(tensor.clone()).require_grad());
        let bias = bias.map(|bias| Tensor::from_inner(bias.clone()).require_grad());
        // Channels last in memory: what a kernel must not take for granted.
        let seen = input.clone().permute([0, 2, 3, 1]).mul_scalar(1.0).permute([0, 3, 1, 2]);
        let output = match ours {
            true => conv2d(seen, weight.clone(), bias.clone(), self.options()),
            false => module::conv2d(seen, weight.clone(), bias.clone(), self.options()),
        };
        let gradients = (output.clone() * Tensor::from_inner(factor.clone())).sum().backward();
        let grads = [&input, &weight].map(|tensor| tensor.grad(&gradients).expect("tracked"));
        let bias = bias.map(|bias| bias.grad(&gradients).expect("tracked"));
        ([vec![output.inner()], grads.to_vec()].concat(), bias)
    }
}

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
                    assert!(difference < 1e-4, "{name} of {:?}: {difference}", case.options());
                }
                if let (Some(ours), Some(burns)) = (our_bias, burn_bias) {
                    assert!(difference(&ours, &burns).await < 1e-4, "bias gradient of {:?}", case.options());
                }
            }
        }
    });
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
fn the_number_of_threads_changes_no_bit() {
    let device = Device::flex();
    let case = case([37, 16, 9, 9], [24, 16, 3, 3], 1, 1, 1);
    let tensors = [random(case.input, &device), random(case.weight, &device)];
    let factor = random([37, 24, 9, 9], &device);
    let scale = random([16], &device);
    let run = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
        pool.install(|| {
            let (mut results, bias) =
                case.gradients(true, &tensors, Some(&random([24], &device).zeros_like()), &factor);
            results.push(bias.expect("asked for").reshape([1, 24, 1, 1]));
            results
                .push(batch_norm_train(tensors[0].clone(), scale.clone(), scale.clone(), 1e-5, None).output);
            pollster::block_on(async {
                let mut values = Vec::new();
                for result in &results {
                    values.extend(floats(result).await.iter().map(|value| value.to_bits()));
                }
                values
            })
        })
    };
    let one = run(1);
    assert!([2, 3, 8].into_iter().all(|threads| run(threads) == one));
}

/// Output and input gradient of a function of one tensor.
pub(super) fn with_gradient(input: &Tensor<4>, function: impl Fn(Tensor<4>) -> Tensor<4>) -> [Tensor<4>; 2] {
    let input = Tensor::from_inner(input.clone()).require_grad();
    let output = function(input.clone());
    // Any factor that is not the same everywhere.
    let gradients = (output.clone() * output.clone().detach().add_scalar(0.3)).sum().backward();
    [output.inner(), input.grad(&gradients).expect("tracked")]
}

/// Inputs, kernels and windows.
pub(super) fn pools() -> Vec<([usize; 4], [usize; 2], ConvOptions<2>)> {
    let options = |stride, padding, dilation| ConvOptions { stride, padding, dilation, groups: 1 };
    vec![
        ([2, 3, 8, 8], [2, 2], options([2, 2], [(0, 0); 2], [1, 1])),
        ([2, 3, 9, 7], [2, 2], options([2, 2], [(0, 0); 2], [1, 1])),
        ([2, 3, 16, 16], [3, 3], options([2, 2], [(1, 1); 2], [1, 1])),
        ([1, 2, 6, 5], [3, 2], options([1, 3], [(1, 1), (0, 0)], [2, 1])),
        ([1, 2, 7, 7], [2, 2], options([1, 1], [(0, 1), (1, 0)], [1, 1])),
        ([3, 1, 1, 1], [1, 1], options([1, 1], [(0, 0); 2], [1, 1])),
    ]
}

/// Matrices, and stacks of them that broadcast.
pub(super) const PRODUCTS: &[([usize; 4], [usize; 4])] = &[
    ([1, 1, 16, 31], [1, 1, 31, 62]),
    ([2, 3, 5, 7], [2, 3, 7, 6]),
    ([2, 3, 5, 7], [1, 1, 7, 1]),
    ([1, 3, 1, 7], [2, 1, 7, 9]),
];

/// Inputs, weights and windows of transposed convolutions.
pub(super) fn transposed() -> Vec<([usize; 4], [usize; 4], ConvOptions<2>)> {
    vec![
        ([2, 6, 5, 4], [6, 3, 3, 3], ConvOptions::new([1, 1], [0, 0], [1, 1], 1)),
        ([2, 6, 5, 4], [6, 2, 4, 4], ConvOptions::new([2, 2], [0, 0], [1, 1], 3)),
        ([1, 4, 3, 1], [4, 5, 2, 3], ConvOptions::new([1, 3], [0, 0], [2, 1], 1)),
        ([1, 2, 3, 3], [2, 3, 8, 8], ConvOptions::new([8, 8], [0, 0], [1, 1], 1)),
    ]
}

/// A function of two tensors, of which the second lies transposed in memory: its output and its gradients.
pub(super) fn products(
    tensors: &[Tensor<4>; 2],
    function: impl Fn(Tensor<4>, Tensor<4>) -> Tensor<4>,
) -> [Tensor<4>; 3] {
    let [left, right] = [0, 1].map(|index| Tensor::from_inner(tensors[index].clone()).require_grad());
    let seen = right.clone().swap_dims(2, 3).mul_scalar(1.0).swap_dims(2, 3);
    let output = function(left.clone(), seen);
    let gradients = (output.clone() * output.clone().detach().add_scalar(0.3)).sum().backward();
    [output.inner(), left.grad(&gradients).expect("tracked"), right.grad(&gradients).expect("tracked")]
}

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
