//! What must hold for any bytes that claim to be a network. `tests/hostile_onnx.rs` checks the same.

mod checks;
mod mutate;

pub use checks::{read, run};

/// One to four changes to the message in the first `size` bytes of a buffer; answers how many there are now.
pub fn mutate_in_place(data: &mut [u8], size: usize, max_size: usize, seed: u32) -> usize {
    let changed = mutate::mutate(&data[..size], seed.into());
    let length = changed.len().min(max_size);
    data[..length].copy_from_slice(&changed[..length]);
    length
}
