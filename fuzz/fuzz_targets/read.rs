//! Reading, inferring shapes, writing and reading again.
#![no_main]

use libfuzzer_sys::{Corpus, fuzz_mutator, fuzz_target};

fuzz_target!(|bytes: &[u8]| -> Corpus {
    if graftlab_fuzz::read(bytes) { Corpus::Keep } else { Corpus::Reject }
});

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    graftlab_fuzz::mutate_in_place(data, size, max_size, seed)
});
