//! The kernels of the GPU against those of the CPU, on what adapter there is: as few threads as a software adapter wants,
//! and as many as a GPU.

use std::sync::OnceLock;

use burn::tensor::{Device, Tensor, module};

use super::super::tests::{CASES, PRODUCTS, difference, pools, products, random, transposed, with_gradient};
use super::super::{
    Kept, batch_norm_train, blend, conv_transpose2d, infer_conv2d, matmul, max_pool2d, softmax_loss,
};
use super::cut::WANTED;

/// Runs a test on both devices' behalf; without an adapter it says so.
fn on_gpu<F: Future<Output = ()>>(test: impl Fn(Device, Device) -> F) {
    // It is opened once only.
    static GPU: OnceLock<Option<Device>> = OnceLock::new();
    let open = || pollster::block_on(Device::wgpu_options().init_async()).ok();
    let Some(gpu) = GPU.get_or_init(open) else {
        eprintln!(
            "skipped: this machine has no adapter; the browser's self-test runs the kernels on a software one"
        );
        return;
    };
    pollster::block_on(async {
        for wanted in [1, 1 << 14] {
            WANTED.set(Some(wanted));
            test(Device::flex(), gpu.clone()).await;
        }
    });
}

async fn moved<const D: usize>(tensor: &Tensor<D>, device: &Device) -> Tensor<D> {
    Tensor::from_data(tensor.clone().into_data_async().await.expect("a read"), device)
}

#[test]
fn convolutions_on_the_gpu_are_those_on_the_cpu() {
    on_gpu(async |cpu, gpu| {
        for case in CASES {
            let tensors = [random(case.input, &cpu), random(case.weight, &cpu)];
            let bias = random([case.weight[0]], &cpu);
            let shape = module::conv2d(tensors[0].clone(), tensors[1].clone(), None, case.options()).dims();
            let factor = random(shape, &cpu);
            let (expected, expected_bias) = case.gradients(true, &tensors, Some(&bias), &factor);
            let [input, weight] = &tensors;
            let tensors = [moved(input, &gpu).await, moved(weight, &gpu).await];
            let (bias, factor) = (moved(&bias, &gpu).await, moved(&factor, &gpu).await);
            let (found, found_bias) = case.gradients(true, &tensors, Some(&bias), &factor);
            for ((found, expected), name) in
                found.iter().zip(&expected).zip(["output", "input gradient", "weight gradient"])
            {
                let difference = difference(found, expected).await;
                assert!(difference < 1e-4, "{name} of {:?}: {difference}", case.options());
            }
            let found_bias = found_bias.expect("asked for");
            let difference = difference(&found_bias, &expected_bias.expect("asked for")).await;
            assert!(difference < 1e-4, "bias gradient of {:?}", case.options());
        }
    });
}

#[test]
fn bounded_convolutions_on_the_gpu_are_those_on_the_cpu() {
    on_gpu(async |cpu, gpu| {
        for case in CASES {
            let (input, weight) = (random(case.input, &cpu), random(case.weight, &cpu));
            let bias = random([case.weight[0]], &cpu);
            let bounds = Some([-0.5, 1.0]);
            let (there, weights) = (moved(&input, &gpu).await, moved(&weight, &gpu).await);
            let biased = Some(moved(&bias, &gpu).await);
            let found = infer_conv2d(there, weights, biased, case.options(), bounds, None);
            let expected = infer_conv2d(input, weight, Some(bias), case.options(), bounds, None);
            assert!(difference(&found, &expected).await < 1e-4, "{:?}", case.options());
        }
    });
}

#[test]
fn what_is_kept_on_the_gpu_is_made_anew_for_other_weights_and_other_sizes() {
    on_gpu(async |cpu, gpu| {
        let kept = Kept::default();
        for case in CASES {
            for batch in [1, 1, 3, 1] {
                let [_, channels, height, width] = case.input;
                let input = moved(&random([batch, channels, height, width], &cpu), &gpu).await;
                let weight = moved(&random(case.weight, &cpu), &gpu).await;
                let expected = infer_conv2d(input.clone(), weight.clone(), None, case.options(), None, None);
                for _ in 0..2 {
                    let (input, weight) = (input.clone(), weight.clone());
                    let found = infer_conv2d(input, weight, None, case.options(), None, Some(&kept));
                    assert_eq!(difference(&found, &expected).await, 0.0, "{:?}", case.options());
                }
            }
        }
    });
}

#[test]
fn products_transposed_convolutions_and_pools_on_the_gpu_are_those_on_the_cpu() {
    on_gpu(async |cpu, gpu| {
        for (left, right) in PRODUCTS {
            let tensors = [random(*left, &cpu), random(*right, &cpu)];
            let there = [moved(&tensors[0], &gpu).await, moved(&tensors[1], &gpu).await];
            for (found, expected) in products(&there, matmul).iter().zip(&products(&tensors, matmul)) {
                assert!(difference(found, expected).await < 1e-5, "{left:?} times {right:?}");
            }
        }
        for (input, weight, options) in transposed() {
            let tensors = [random(input, &cpu), random(weight, &cpu)];
            let there = [moved(&tensors[0], &gpu).await, moved(&tensors[1], &gpu).await];
            let run = |tensors| products(tensors, |x, weight| conv_transpose2d(x, weight, options.clone()));
            for (found, expected) in run(&there).iter().zip(&run(&tensors)) {
                assert!(difference(found, expected).await < 1e-4, "{input:?}, {weight:?}, {options:?}");
            }
        }
        for (shape, kernel, options) in pools() {
            let input = random(shape, &cpu);
            let there = moved(&input, &gpu).await;
            let run = |input| with_gradient(input, |input| max_pool2d(input, kernel, options.clone()));
            for (found, expected) in run(&there).iter().zip(&run(&input)) {
                assert!(difference(found, expected).await < 1e-6, "{kernel:?}, {options:?}");
            }
        }
    });
}

#[test]
fn batch_normalisation_on_the_gpu_is_that_on_the_cpu() {
    on_gpu(async |cpu, gpu| {
        let shapes = [[4, 3, 8, 8], [2, 5, 3, 7], [7, 17, 1, 1], [64, 4, 5, 5]];
        let all = shapes.iter().flat_map(|shape| [None, Some([0.0, 0.8])].map(|bounds| (*shape, bounds)));
        for (shape, bounds) in all {
            let input = random(shape, &cpu).add_scalar(5.0);
            let factor = random(shape, &cpu);
            let scale = random([shape[1]], &cpu);
            let mut results = Vec::new();
            for device in [&cpu, &gpu] {
                let input = Tensor::from_inner(moved(&input, device).await).require_grad();
                let scale = Tensor::from_inner(moved(&scale, device).await).require_grad();
                let result = batch_norm_train(input.clone(), scale.clone(), scale.clone(), 1e-5, bounds);
                let factor = Tensor::from_inner(moved(&factor, device).await);
                let gradients = (result.output.clone() * factor).sum().backward();
                let wide = [result.output.inner(), input.grad(&gradients).expect("tracked")];
                let narrow = [scale.grad(&gradients).expect("tracked"), result.variance.inner()];
                results.push((wide, narrow));
            }
            let [(wide, narrow), (found_wide, found_narrow)] = &results[..] else { unreachable!() };
            for (found, expected) in found_wide.iter().zip(wide) {
                assert!(difference(found, expected).await < 1e-4, "{shape:?}");
            }
            for (found, expected) in found_narrow.iter().zip(narrow) {
                assert!(difference(found, expected).await < 1e-4, "{shape:?}");
            }
        }
    });
}

#[test]
fn losses_of_a_softmax_on_the_gpu_have_burns_values_and_gradients() {
    on_gpu(async |cpu, gpu| {
        let logits = random([6, 9], &cpu).mul_scalar(8.0);
        let targets = random([6, 9], &cpu).mul_scalar(8.0);
        assert!(softmax_loss(&logits, &targets, 4.0, true).is_none());
        let there = moved(&targets, &gpu).await;
        let input = Tensor::from_inner(moved(&logits, &gpu).await).require_grad();
        for (taught, targets) in [(true, there.clone()), (false, there.clamp(0.0, 1.0))] {
            let rows =
                softmax_loss(&input, &Tensor::from_inner(targets.clone()), 4.0, taught).expect("a kernel");
            let logs = burn::tensor::activation::log_softmax(input.clone().div_scalar(4.0), 1);
            let burns = if taught {
                let wanted =
                    Tensor::from_inner(burn::tensor::activation::log_softmax(targets.div_scalar(4.0), 1));
                (wanted.clone().exp() * (wanted - logs)).sum_dim(1)
            } else {
                (Tensor::from_inner(targets) * logs).sum_dim(1).neg()
            };
            let burns = burns.reshape([6]);
            assert!(difference(&rows.clone().inner(), &burns.clone().inner()).await < 1e-5, "{taught}");
            let [found, expected] = [rows, burns].map(|rows| {
                let weights = Tensor::from_floats([1.0, 2.0, 3.0, 4.0, 5.0, 6.0], &rows.device());
                input.grad(&(rows * weights).sum().backward()).expect("tracked")
            });
            assert!(difference(&found, &expected).await < 1e-5, "{taught}");
        }
    });
}

#[test]
fn blending_on_the_gpu_is_that_on_the_cpu() {
    on_gpu(async |cpu, gpu| {
        let [old, new] = [(); 2].map(|()| [(); 2].map(|()| random([13], &cpu)));
        let there =
            async |[mean, variance]: &[Tensor<1>; 2]| [moved(mean, &gpu).await, moved(variance, &gpu).await];
        let found = blend(there(&old).await, there(&new).await, 0.1);
        for (found, expected) in found.iter().zip(&blend(old, new, 0.1)) {
            assert!(difference(found, expected).await < 1e-6);
        }
    });
}
