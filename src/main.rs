//! The `graftlab` command line.

#[cfg(not(target_arch = "wasm32"))]
fn main() -> std::process::ExitCode {
    graftlab::cli::main()
}

#[cfg(target_arch = "wasm32")]
fn main() {}
