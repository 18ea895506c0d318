//! The operators that networks are made of.

pub mod kernels;
