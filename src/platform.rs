//! The one file that tells native from browser: clock, threads, yielding, the token that stops long work, and who decodes
//! images.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use web_time::Instant;

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

/// Whether long work is held.
struct Hold {
    held: bool,
    /// How long it was held before.
    before: Duration,
}

static HOLD: Mutex<Hold> = Mutex::new(Hold { held: false, before: Duration::ZERO });

fn with_hold<T>(look: impl FnOnce(&mut Hold) -> T) -> T {
    look(&mut HOLD.lock().unwrap_or_else(PoisonError::into_inner))
}

/// Holds long work where it next yields, or lets it go on. Natively nothing yields.
pub fn hold(held: bool) {
    with_hold(|hold| hold.held = held);
}

/// A clock for durations. Time for which work was held does not count.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch {
    held: Duration,
    start: Instant,
}

impl Stopwatch {
    pub fn start() -> Self {
        Self { held: with_hold(|hold| hold.before), start: Instant::now() }
    }

    pub fn elapsed_seconds(&self) -> f64 {
        let held = with_hold(|hold| hold.before).saturating_sub(self.held);
        self.start.elapsed().saturating_sub(held).as_secs_f64()
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

/// Threads that share the work.
pub fn lanes() -> usize {
    #[cfg(any(not(target_arch = "wasm32"), target_feature = "atomics"))]
    let lanes = rayon::current_num_threads();
    #[cfg(all(target_arch = "wasm32", not(target_feature = "atomics")))]
    let lanes = 1;
    lanes
}

/// Does two things, side by side where there are threads.
pub async fn both<A: Send, B: Send, F: Future<Output = B>>(
    first: impl FnOnce() -> A + Send,
    second: impl FnOnce() -> F + Send,
) -> (A, B) {
    #[cfg(any(not(target_arch = "wasm32"), target_feature = "atomics"))]
    let results = rayon::join(first, || pollster::block_on(second()));
    #[cfg(all(target_arch = "wasm32", not(target_feature = "atomics")))]
    let results = (first(), second().await);
    results
}

/// Does `work` for every item, and returns the results in the items' order. Where there are threads, each takes one item
/// after the other and keeps to itself: no thread waits for a lock that a piece of work on the same thread holds.
#[cfg(not(target_arch = "wasm32"))]
pub async fn for_all<'a, T: Sync, R: Send, F: Future<Output = R>>(
    items: &'a [T],
    work: impl Fn(&'a T) -> F + Sync,
) -> Vec<R> {
    use std::sync::atomic::AtomicUsize;
    use std::sync::{Mutex, PoisonError};

    let lanes = lanes().min(items.len());
    if lanes <= 1 {
        return one_by_one(items, work).await;
    }
    let next = AtomicUsize::new(0);
    let results = Mutex::new(Vec::with_capacity(items.len()));
    let lane = || {
        while let Some((index, item)) = {
            let index = next.fetch_add(1, Ordering::Relaxed);
            items.get(index).map(|item| (index, item))
        } {
            let result = pollster::block_on(work(item));
            results.lock().unwrap_or_else(PoisonError::into_inner).push((index, result));
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..lanes {
            scope.spawn(|| match rayon::ThreadPoolBuilder::new().num_threads(1).build() {
                Ok(pool) => pool.install(lane),
                Err(_) => lane(),
            });
        }
    });
    let mut results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
    results.sort_by_key(|(index, _)| *index);
    results.into_iter().map(|(_, result)| result).collect()
}

/// Does `work` for every item, and returns the results in the items' order.
#[cfg(target_arch = "wasm32")]
pub async fn for_all<'a, T, R, F: Future<Output = R>>(items: &'a [T], work: impl Fn(&'a T) -> F) -> Vec<R> {
    one_by_one(items, work).await
}

async fn one_by_one<'a, T, R, F: Future<Output = R>>(items: &'a [T], work: impl Fn(&'a T) -> F) -> Vec<R> {
    let mut results = Vec::with_capacity(items.len());
    for item in items {
        results.push(work(item).await);
    }
    results
}

/// Lets the event loop run, so that messages are answered while long work goes on. Does nothing natively.
#[cfg(not(target_arch = "wasm32"))]
pub async fn yield_now() {}

/// Lets the event loop run, so that messages are answered while long work goes on. Work that is held comes back from here
/// when it may go on.
///
/// A macrotask: a resolved promise would only run other microtasks and starve the worker's messages.
#[cfg(target_arch = "wasm32")]
pub async fn yield_now() {
    /// How often work that is held looks whether it may go on.
    const PAUSE_MS: u32 = 50;
    let is_held = || with_hold(|hold| hold.held);
    if !is_held() {
        return timer(0).await;
    }
    let since = Instant::now();
    while is_held() {
        timer(PAUSE_MS).await;
    }
    with_hold(|hold| hold.before += since.elapsed());
}

#[cfg(target_arch = "wasm32")]
async fn timer(delay_ms: u32) {
    use wasm_bindgen::JsCast;

    let scope = js_sys::global().unchecked_into::<web_sys::WorkerGlobalScope>();
    let promise = js_sys::Promise::new(&mut |resolve, _| {
        let resolve = resolve.unchecked_ref();
        let _ = scope.set_timeout_with_callback_and_timeout_and_arguments_0(resolve, delay_ms as i32);
    });
    // A timer's promise is never rejected.
    let _ = wasm_bindgen_futures::JsFuture::from(promise).await;
}

#[cfg(not(target_arch = "wasm32"))]
pub use graftlab_images::decode;

#[cfg(target_arch = "wasm32")]
thread_local! {
    static DECODER: std::cell::RefCell<Option<js_sys::Function>> = const { std::cell::RefCell::new(None) };
}

/// What [`decode`] calls on this thread: a function of a file's bytes, channels, height and width that gives the image's
/// bytes or throws why it can't.
#[cfg(target_arch = "wasm32")]
pub fn use_decoder(decoder: js_sys::Function) {
    DECODER.replace(Some(decoder));
}

/// Decodes an image file as natively, by the module that was given for it.
///
/// # Shapes
/// - result: [channels, height, width], one byte each
///
/// # Errors
/// The reason, in words, why the file does not decode.
#[cfg(target_arch = "wasm32")]
pub fn decode(bytes: &[u8], shape: graftlab_images::ImageShape) -> Result<Vec<u8>, String> {
    use js_sys::Uint8Array;
    use wasm_bindgen::JsValue;

    let reason = |thrown: JsValue| thrown.as_string().unwrap_or_else(|| "the decoder failed".into());
    let [channels, height, width] =
        [shape.channels, shape.height, shape.width].map(|size| JsValue::from(size as u32));
    let decoder = DECODER.with_borrow(|decoder| decoder.clone()).ok_or("there is no decoder")?;
    let image = decoder
        .call4(&JsValue::UNDEFINED, &Uint8Array::from(bytes), &channels, &height, &width)
        .map_err(reason)?;
    Ok(Uint8Array::from(image).to_vec())
}
