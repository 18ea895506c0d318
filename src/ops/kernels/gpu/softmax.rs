//! Losses of a softmax with their gradient: a thread for each logit, which goes over the whole row by itself.

#![allow(clippy::needless_range_loop, reason = "kernels have no iterators")]

use burn::cubecl;
use burn::cubecl::prelude::*;
use burn::tensor::Shape;

use super::{CubeTensor, buffer, contiguous, empty, threads};

pub(super) fn loss(
    logits: CubeTensor,
    targets: CubeTensor,
    temperature: f32,
    taught: bool,
) -> (CubeTensor, CubeTensor) {
    let [logits, targets] = [logits, targets].map(contiguous);
    let shape = logits.meta.shape().clone();
    let [batch, classes] = [shape[0], shape[1]];
    let (rows, gradient) = (empty(&logits, Shape::new([batch])), empty(&logits, shape));
    let (count, dim) = threads(&logits.client, batch * classes);
    // SAFETY: `rows` holds `batch` values and all others `batch * classes`; no index leaves them.
    unsafe {
        softmax_loss::launch_unchecked(
            &logits.client,
            count,
            dim,
            buffer(&logits),
            buffer(&targets),
            buffer(&rows),
            buffer(&gradient),
            1.0 / temperature,
            classes,
            batch * classes,
            taught,
        );
    }
    (rows, gradient)
}

#[cube(launch_unchecked)]
fn softmax_loss(
    logits: &[f32],
    targets: &[f32],
    rows: &mut [f32],
    gradient: &mut [f32],
    inverse_temperature: f32,
    classes: usize,
    length: usize,
    #[comptime] taught: bool,
) {
    if ABSOLUTE_POS >= length {
        terminate!();
    }
    let row = ABSOLUTE_POS / classes;
    let begin = row * classes;
    let (highest, sum) = exponentials(logits, begin, classes, inverse_temperature);
    // Of the teacher's softmax; or the sum of the targets.
    let (taught_highest, taught_sum) = if taught {
        exponentials(targets, begin, classes, inverse_temperature)
    } else {
        let mut sum = 0.0f32;
        for at in begin..begin + classes {
            sum += targets[at];
        }
        (0.0f32, sum)
    };

    let found = ((logits[ABSOLUTE_POS] - highest) * inverse_temperature).exp() / sum;
    let slope = if taught {
        found - ((targets[ABSOLUTE_POS] - taught_highest) * inverse_temperature).exp() / taught_sum
    } else {
        found * taught_sum - targets[ABSOLUTE_POS]
    };
    gradient[ABSOLUTE_POS] = slope * inverse_temperature;

    if ABSOLUTE_POS == begin {
        let mut loss = 0.0f32;
        for at in begin..begin + classes {
            let log = (logits[at] - highest) * inverse_temperature - sum.ln();
            if taught {
                let wanted = (targets[at] - taught_highest) * inverse_temperature - taught_sum.ln();
                loss += wanted.exp() * (wanted - log);
            } else {
                loss -= targets[at] * log;
            }
        }
        rows[row] = loss;
    }
}

/// The highest value of a row, and the sum of the exponentials of the scaled distances from it.
#[cube]
fn exponentials(values: &[f32], begin: usize, classes: usize, scale: f32) -> (f32, f32) {
    let mut highest = values[begin];
    for at in begin + 1..begin + classes {
        highest = max(highest, values[at]);
    }
    let mut sum = 0.0f32;
    for at in begin..begin + classes {
        sum += ((values[at] - highest) * scale).exp();
    }
    (highest, sum)
}
