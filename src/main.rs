//! The `graftlab` command line.

#[cfg(not(target_arch = "wasm32"))]
fn main() -> std::process::ExitCode {
    graftlab::ops::kernels::keep_freed_memory();
    graftlab::cli::main()
}

#[cfg(target_arch = "wasm32")]
fn main() {}
