//! Random numbers that are the same on every machine.

use rand::rngs::ChaCha8Rng;
use rand::{Rng, SeedableRng};

/// Purposes that must not share random numbers under one seed.
pub const SPLIT: u64 = 1;
pub const ORDER: u64 = 1 << 62;
pub const AUGMENT: u64 = 1 << 63;

/// The random generator of one purpose (`stream`) under one seed.
pub fn stream(seed: u64, stream: u64) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(stream);
    rng
}

/// Near enough to a normal distribution of deviation one: a sum of four bytes.
pub fn normal(rng: &mut impl Rng) -> f32 {
    let sum: i32 = rng.next_u32().to_le_bytes().iter().map(|byte| i32::from(*byte)).sum();
    // Four even bytes have mean 510 and deviation √(4·(256² − 1)/12) = 147.8.
    (sum - 510) as f32 / 147.8
}
