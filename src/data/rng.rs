//! Random numbers that are the same on every machine.

use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;

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
