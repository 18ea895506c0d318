//! The thread pool of the artifact that is compiled with atomics.
//!
//! A browser gives threads by workers only. The page starts some, each loads this module with the memory of the first
//! and waits in [`join_threads`]; then the first, which runs the session, calls [`start_threads`] and makes them a pool.
//! It is a thread of the pool itself: from outside, each kernel would be handed over and waited for.

use std::sync::{Condvar, Mutex, PoisonError};

use rayon::{ThreadBuilder, ThreadPoolBuilder};
use wasm_bindgen::prelude::*;

use super::failure::Failure;

/// Threads that the pool has asked for and no worker has become yet.
static WANTED: Mutex<Vec<ThreadBuilder>> = Mutex::new(Vec::new());
static ASKED: Condvar = Condvar::new();

/// The module and its memory, with which another worker loads it.
#[wasm_bindgen(unchecked_return_type = "[WebAssembly.Module, WebAssembly.Memory]")]
pub fn shared() -> js_sys::Array {
    js_sys::Array::of2(&wasm_bindgen::module(), &wasm_bindgen::memory())
}

/// Becomes a thread of the pool, for ever. Called by a worker that is nothing else.
#[wasm_bindgen(js_name = joinThreads)]
pub fn join_threads() {
    let mut wanted = WANTED.lock().unwrap_or_else(PoisonError::into_inner);
    loop {
        if let Some(thread) = wanted.pop() {
            drop(wanted);
            return thread.run();
        }
        wanted = ASKED.wait(wanted).unwrap_or_else(PoisonError::into_inner);
    }
}

/// Shares the work of all kernels between this thread and `count` - 1 workers that have called [`join_threads`].
///
/// # Errors
///
/// There is a pool already.
#[wasm_bindgen(js_name = startThreads)]
pub fn start_threads(count: usize) -> Result<(), Failure> {
    ThreadPoolBuilder::new()
        .num_threads(count)
        .use_current_thread()
        .spawn_handler(|thread| {
            WANTED.lock().unwrap_or_else(PoisonError::into_inner).push(thread);
            ASKED.notify_one();
            Ok(())
        })
        .build_global()
        .map_err(|error| Failure::new(format!("{error}. Hint: reload the page"), "threads"))
}
