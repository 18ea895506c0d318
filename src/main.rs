//! The `graftlab` command line.

#[cfg(not(target_arch = "wasm32"))]
fn main() -> std::process::ExitCode {
    graftlab::ops::kernels::keep_freed_memory();
    // On a thread of the pool that shares the kernels' work: from outside, each kernel would be handed over and waited for.
    rayon::scope(|_| graftlab::cli::main())
}

#[cfg(target_arch = "wasm32")]
fn main() {}
