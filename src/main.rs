//! The `graftlab` command line.
fn main() {}
