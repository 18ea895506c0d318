//! The one file that tells native from browser: clock, yielding, and the token that stops long work.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Stops a run from outside. Clones stop the same run.
#[derive(Clone, Debug, Default)]
pub struct Cancel(Arc<AtomicBool>);

impl Cancel {
    /// Asks the run to stop at the next step. Training that has begun still yields a usable network.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// A clock for durations.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch(web_time::Instant);

impl Stopwatch {
    pub fn start() -> Self {
        Self(web_time::Instant::now())
    }

    pub fn elapsed_seconds(&self) -> f64 {
        self.0.elapsed().as_secs_f64()
    }
}

/// A clock of the processor time that all threads of this process use: what else the machine does counts little.
#[cfg(not(target_arch = "wasm32"))]
#[derive(Clone, Copy, Debug)]
pub struct ProcessorClock(cpu_time::ProcessTime);

#[cfg(not(target_arch = "wasm32"))]
impl ProcessorClock {
    pub fn start() -> Self {
        Self(cpu_time::ProcessTime::now())
    }

    pub fn elapsed_seconds(&self) -> f64 {
        self.0.elapsed().as_secs_f64()
    }
}

/// Lets the event loop run, so that messages are answered while long work goes on. Does nothing natively.
#[cfg(not(target_arch = "wasm32"))]
pub async fn yield_now() {}

/// Lets the event loop run, so that messages are answered while long work goes on.
///
/// A macrotask: a resolved promise would only run other microtasks and starve the worker's messages.
#[cfg(target_arch = "wasm32")]
pub async fn yield_now() {
    use wasm_bindgen::JsCast;
    use wasm_bindgen::prelude::wasm_bindgen;

    #[wasm_bindgen]
    extern "C" {
        #[wasm_bindgen(js_name = setTimeout)]
        fn set_timeout(callback: &js_sys::Function, delay_ms: u32) -> js_sys::JsString;
    }

    let promise = js_sys::Promise::new(&mut |resolve, _| {
        set_timeout(resolve.unchecked_ref(), 0);
    });
    // A timer's promise is never rejected.
    let _ = wasm_bindgen_futures::JsFuture::from(promise).await;
}
