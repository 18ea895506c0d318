//! What a network for inference keeps between two passes.

use std::sync::{Arc, Mutex, PoisonError};

/// A place for what a convolution makes of its weights and sizes alone. It is made anew where these have changed.
#[derive(Clone, Debug, Default)]
pub struct Kept {
    pub(super) cpu: Slot<super::flex::Prepared>,
    #[cfg(feature = "gpu")]
    pub(super) gpu: Slot<super::gpu::Packed>,
}

#[derive(Clone, Debug)]
pub(super) struct Slot<T>(Arc<Mutex<Option<T>>>);

impl<T> Default for Slot<T> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<T: Clone> Slot<T> {
    /// What is kept, if it is `current`, or else what is made and kept from now on.
    pub fn get(&self, current: impl FnOnce(&T) -> bool, make: impl FnOnce() -> T) -> T {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match kept.take() {
            Some(found) if current(&found) => kept.insert(found).clone(),
            _ => kept.insert(make()).clone(),
        }
    }
}
