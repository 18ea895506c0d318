//! Milliseconds of burn's operations and of ours, forward and forward with gradients, as a markdown table.
//!
//! `cargo bench --bench conv`; `RAYON_NUM_THREADS=1` for one thread.

use std::hint::black_box;
use std::time::Instant;

use burn::tensor::ops::{ConvOptions, MaxPoolOptions};
use burn::tensor::{Device, Distribution, Tensor, module};
use graftlab::ops::kernels::{batch_norm_train, clip, conv2d, keep_freed_memory, matmul, max_pool2d};

const BATCH: usize = 64;

/// The fastest of several runs, in milliseconds.
fn time(mut run: impl FnMut()) -> f64 {
    run();
    (0..7)
        .map(|_| {
            let start = Instant::now();
            run();
            start.elapsed().as_secs_f64() * 1e3
        })
        .fold(f64::INFINITY, f64::min)
}

fn random<const D: usize>(shape: [usize; D]) -> Tensor<D> {
    Tensor::random(shape, Distribution::Default, &Device::flex())
}

fn row(name: &str, [burn, ours]: [[f64; 2]; 2]) {
    println!(
        "| {name} | {:.2} | {:.2} | {:.1}x | {:.2} | {:.2} | {:.1}x |",
        burn[0],
        ours[0],
        burn[0] / ours[0],
        burn[1],
        ours[1],
        burn[1] / ours[1]
    );
}

fn convolution(
    channels_in: usize,
    channels_out: usize,
    size: usize,
    kernel: usize,
    stride: usize,
    groups: usize,
) {
    let input = random([BATCH, channels_in, size, size]);
    let weight = random([channels_out, channels_in / groups, kernel, kernel]);
    let options = ConvOptions::new([stride; 2], [kernel / 2; 2], [1; 2], groups);
    let apply = |ours: bool, input: &Tensor<4>, weight: &Tensor<4>| match ours {
        true => conv2d(input.clone(), weight.clone(), None, options.clone()),
        false => module::conv2d(input.clone(), weight.clone(), None, options.clone()),
    };
    let factor = random(apply(true, &input, &weight).dims());
    let [tracked, tracked_weight] =
        [&input, &weight].map(|tensor| Tensor::from_inner(tensor.clone()).require_grad());
    let factor = Tensor::from_inner(factor);
    let times = [false, true].map(|ours| {
        let forward = time(|| {
            black_box(apply(ours, &input, &weight));
        });
        let both = time(|| {
            let loss = (apply(ours, &tracked, &tracked_weight) * factor.clone()).sum();
            let gradients = loss.backward();
            black_box((tracked.grad(&gradients), tracked_weight.grad(&gradients)));
        });
        [forward, both]
    });
    let name = format!(
        "{channels_in} → {channels_out}, {size} px, {kernel}×{kernel}, stride {stride}, groups {groups}"
    );
    row(&name, times);
}

fn normalisation(channels: usize, size: usize) {
    let input = random([BATCH, channels, size, size]);
    let scale: Tensor<1> = random([channels]);
    let apply = |ours: bool, input: &Tensor<4>, scale: &Tensor<1>| match ours {
        true => batch_norm_train(input.clone(), scale.clone(), scale.clone(), 1e-5, None).output,
        false => module::batch_norm_train(input.clone(), scale.clone(), scale.clone(), 1e-5).output,
    };
    let factor = Tensor::from_inner(random(input.dims()));
    let tracked = Tensor::from_inner(input.clone()).require_grad();
    let tracked_scale = Tensor::from_inner(scale.clone()).require_grad();
    let times = [false, true].map(|ours| {
        let forward = time(|| {
            black_box(apply(ours, &input, &scale));
        });
        let both = time(|| {
            let gradients = (apply(ours, &tracked, &tracked_scale) * factor.clone()).sum().backward();
            black_box((tracked.grad(&gradients), tracked_scale.grad(&gradients)));
        });
        [forward, both]
    });
    row(&format!("batch norm, {channels}, {size} px"), times);
}

/// `[rows, inner]` by `[inner, columns]`.
fn product(rows: usize, inner: usize, columns: usize) {
    let (left, right) = (random([rows, inner]), random([inner, columns]));
    let apply = |ours: bool, left: &Tensor<2>, right: &Tensor<2>| match ours {
        true => matmul(left.clone(), right.clone()),
        false => left.clone().matmul(right.clone()),
    };
    let factor = Tensor::from_inner(random([rows, columns]));
    let [tracked, tracked_right] =
        [&left, &right].map(|tensor| Tensor::from_inner(tensor.clone()).require_grad());
    let times = [false, true].map(|ours| {
        let forward = time(|| {
            black_box(apply(ours, &left, &right));
        });
        let both = time(|| {
            let gradients = (apply(ours, &tracked, &tracked_right) * factor.clone()).sum().backward();
            black_box((tracked.grad(&gradients), tracked_right.grad(&gradients)));
        });
        [forward, both]
    });
    row(&format!("product, {rows}×{inner} by {inner}×{columns}"), times);
}

/// Functions of one tensor.
fn unary(name: &str, channels: usize, size: usize, functions: [&dyn Fn(Tensor<4>) -> Tensor<4>; 2]) {
    let input = random([BATCH, channels, size, size]).sub_scalar(0.5);
    let factor = Tensor::from_inner(random(functions[1](input.clone()).dims()));
    let tracked = Tensor::from_inner(input.clone()).require_grad();
    let times = functions.map(|function| {
        let forward = time(|| {
            black_box(function(input.clone()));
        });
        let both = time(|| {
            let gradients = (function(tracked.clone()) * factor.clone()).sum().backward();
            black_box(tracked.grad(&gradients));
        });
        [forward, both]
    });
    row(&format!("{name}, {channels}, {size} px"), times);
}

fn main() {
    keep_freed_memory();
    println!(
        "Batch {BATCH}, {} threads; the gradient columns include a product and a sum.\n",
        rayon::current_num_threads()
    );
    println!("| | burn forward | ours | | burn with gradients | ours | |");
    println!("|---|---|---|---|---|---|---|");
    convolution(1, 16, 32, 3, 1, 1);
    convolution(16, 32, 32, 3, 1, 1);
    convolution(32, 32, 16, 3, 1, 1);
    convolution(64, 64, 16, 3, 1, 1);
    convolution(32, 64, 32, 3, 2, 1);
    convolution(64, 128, 8, 3, 1, 1);
    convolution(128, 128, 4, 3, 1, 1);
    convolution(64, 64, 16, 1, 1, 1);
    convolution(32, 64, 16, 1, 2, 1);
    convolution(64, 64, 16, 3, 1, 64);
    convolution(64, 64, 32, 3, 2, 64);
    convolution(64, 64, 16, 5, 1, 64);
    normalisation(16, 32);
    normalisation(64, 16);
    normalisation(128, 4);
    product(BATCH, 128, 64);
    product(BATCH, 1024, 1000);
    product(1, 4096, 4096);
    product(512, 512, 512);
    let windows = || ConvOptions::new([2, 2], [0, 0], [1, 1], 1);
    for (channels, size) in [(16, 32), (64, 8)] {
        let burns = |x| module::max_pool2d(x, MaxPoolOptions::new([2, 2]));
        let ours = |x| max_pool2d(x, [2, 2], windows());
        unary("max pool 2×2", channels, size, [&burns, &ours]);
    }
    unary("clip", 64, 16, [&|x| x.clamp(0.0, 6.0), &|x| clip(x, 0.0, 6.0)]);
}
