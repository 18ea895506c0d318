//! Values and gradients against burn's own operations, and the same bits whatever the threads.

mod convolution;
mod normalise;
mod others;

use std::cell::RefCell;

use burn::tensor::ops::ConvOptions;
use burn::tensor::{Device, Tensor, TensorData, module};
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

use super::{batch_norm_train, conv2d};

/// Largest difference relative to the largest expected value.
pub async fn difference<const D: usize>(found: &Tensor<D>, expected: &Tensor<D>) -> f32 {
    assert_eq!(found.dims(), expected.dims());
    let (found, expected) = (floats(found).await, floats(expected).await);
    let scale = expected.iter().fold(f32::MIN_POSITIVE, |scale, value| scale.max(value.abs()));
    found.iter().zip(&expected).fold(0.0, |worst: f32, (a, b)| worst.max((a - b).abs() / scale))
}

pub async fn floats<const D: usize>(tensor: &Tensor<D>) -> Vec<f32> {
    let data = tensor.clone().into_data_async().await.expect("flex reads never fail");
    data.try_to_vec().expect("f32 all along")
}

thread_local! {
    /// Every test has a thread of its own, and so the same values each time.
    static VALUES: RefCell<ChaCha8Rng> = RefCell::new(ChaCha8Rng::seed_from_u64(0));
}

/// Even draws from -1 to 1.
pub fn random<const D: usize>(shape: [usize; D], device: &Device) -> Tensor<D> {
    let draw = |rng: &RefCell<ChaCha8Rng>| {
        let mut rng = rng.borrow_mut();
        (0..shape.iter().product()).map(|_| rng.random_range(-1.0..1.0)).collect()
    };
    let values: Vec<f32> = VALUES.with(draw);
    Tensor::from_data(TensorData::new(values, shape), device)
}

pub struct Case {
    pub input: [usize; 4],
    pub weight: [usize; 4],
    stride: [usize; 2],
    padding: [(usize, usize); 2],
    dilation: [usize; 2],
    groups: usize,
}

const fn case(input: [usize; 4], weight: [usize; 4], stride: usize, padding: usize, groups: usize) -> Case {
    let padding = [(padding, padding); 2];
    Case { input, weight, stride: [stride; 2], padding, dilation: [1; 2], groups }
}

pub const CASES: &[Case] = &[
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
    // By Winograd's products: groups, rows that fill no tile, uneven padding, a wide kernel whose taps lie apart.
    case([2, 32, 16, 16], [32, 16, 3, 3], 1, 1, 2),
    case([3, 8, 23, 17], [12, 8, 3, 3], 1, 0, 1),
    Case {
        input: [2, 16, 26, 20],
        weight: [9, 16, 3, 5],
        stride: [1, 1],
        padding: [(2, 0), (1, 7)],
        dilation: [1, 2],
        groups: 1,
    },
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
    pub fn options(&self) -> ConvOptions<2> {
        ConvOptions {
            stride: self.stride,
            padding: self.padding,
            dilation: self.dilation,
            groups: self.groups,
        }
    }

    /// Output, and gradients of input, weight and bias, by ours or burn's function.
    pub fn gradients(
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

/// Output and input gradient of a function of one tensor.
pub fn with_gradient(input: &Tensor<4>, function: impl Fn(Tensor<4>) -> Tensor<4>) -> [Tensor<4>; 2] {
    let input = Tensor::from_inner(input.clone()).require_grad();
    let output = function(input.clone());
    // Any factor that is not the same everywhere.
    let gradients = (output.clone() * output.clone().detach().add_scalar(0.3)).sum().backward();
    [output.inner(), input.grad(&gradients).expect("tracked")]
}

/// Inputs, kernels and windows.
pub fn pools() -> Vec<([usize; 4], [usize; 2], ConvOptions<2>)> {
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
pub const PRODUCTS: &[([usize; 4], [usize; 4])] = &[
    ([1, 1, 16, 31], [1, 1, 31, 62]),
    ([2, 3, 5, 7], [2, 3, 7, 6]),
    ([2, 3, 5, 7], [1, 1, 7, 1]),
    ([1, 3, 1, 7], [2, 1, 7, 9]),
    ([1, 1, 1, 40], [1, 1, 40, 700]),
    ([1, 1, 150, 9], [1, 1, 9, 3]),
];

/// Inputs, weights and windows of transposed convolutions.
pub fn transposed() -> Vec<([usize; 4], [usize; 4], ConvOptions<2>)> {
    vec![
        ([2, 6, 5, 4], [6, 3, 3, 3], ConvOptions::new([1, 1], [0, 0], [1, 1], 1)),
        ([2, 6, 5, 4], [6, 2, 4, 4], ConvOptions::new([2, 2], [0, 0], [1, 1], 3)),
        ([1, 4, 3, 1], [4, 5, 2, 3], ConvOptions::new([1, 3], [0, 0], [2, 1], 1)),
        ([1, 2, 3, 3], [2, 3, 8, 8], ConvOptions::new([8, 8], [0, 0], [1, 1], 1)),
    ]
}

/// A function of two tensors, of which the second lies transposed in memory: its output and its gradients.
pub fn products(
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
