//! A network that the benchmarks time in the browser.

use wasm_bindgen::prelude::*;

use super::failure::Failure;
use super::{Session, device};
use crate::project::{self, read_network};

/// A network on fixed images, on its session's device.
#[wasm_bindgen]
pub struct Bench(project::Bench);

#[wasm_bindgen]
impl Session {
    /// Puts a network and a batch of `batch` fixed images on this session's device.
    ///
    /// # Errors
    ///
    /// The file is no network that classifies images.
    pub fn bench(&self, bytes: &[u8], batch: usize) -> Result<Bench, Failure> {
        let graph = read_network("network", bytes)?;
        Ok(Bench(project::Bench::new(&graph, batch, &self.device)?))
    }
}

#[wasm_bindgen]
impl Bench {
    /// A forward pass; the cross-entropy when it has been read back.
    ///
    /// # Errors
    ///
    /// The device fails.
    pub async fn forward(&self) -> Result<f64, Failure> {
        let loss = self.0.forward().await?;
        device::check_log()?;
        Ok(loss)
    }

    /// A training step; the cross-entropy before it, when it has been read back.
    ///
    /// # Errors
    ///
    /// The device fails.
    pub async fn step(&mut self) -> Result<f64, Failure> {
        let loss = self.0.step().await?;
        device::check_log()?;
        Ok(loss)
    }
}
