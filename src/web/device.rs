//! Opening a device, and watching what it logs.

use std::sync::Mutex;

use burn::tensor::Device;
use log::{Level, LevelFilter, Log, Metadata, Record};

use super::failure::Failure;
use crate::platform::lanes;
#[cfg(feature = "gpu")]
use crate::project::self_test;

/// A device that is ready.
pub struct Opened {
    pub device: Device,
    /// For people.
    pub name: String,
    /// For programs: `cpu` or `webgpu`.
    pub backend: &'static str,
}

/// Opens the device of a backend.
///
/// # Errors
///
/// A backend that this build does not have, no adapter, or a self-test that fails.
pub async fn open(backend: &str) -> Result<Opened, Failure> {
    match backend {
        "cpu" => Ok(Opened { device: Device::flex(), name: cpu_name(), backend: "cpu" }),
        #[cfg(feature = "gpu")]
        "webgpu" => open_webgpu().await,
        other => {
            Err(Failure::new(format!("this build has no backend '{other}'. Hint: use 'cpu'"), "no_backend"))
        }
    }
}

fn cpu_name() -> String {
    match lanes() {
        1 => "CPU (SIMD)".into(),
        threads => format!("CPU (SIMD, {threads} threads)"),
    }
}

/// Operations that are recorded before they are handed to the GPU.
#[cfg(feature = "gpu")]
const TASKS_MAX: usize = 32;

#[cfg(feature = "gpu")]
async fn open_webgpu() -> Result<Opened, Failure> {
    let device = Device::wgpu_options().tasks_max(TASKS_MAX).init_async().await.map_err(|error| {
        Failure::new(format!("WebGPU could not be started: {error}. Hint: use the CPU"), "no_adapter")
    })?;
    self_test(&device).await?;
    check_log()?;
    Ok(Opened { device, name: "WebGPU".into(), backend: "webgpu" })
}

/// The first error that was logged. On WebGPU a rejected shader is only logged, and later reads return old values.
static FIRST_ERROR: Mutex<Option<String>> = Mutex::new(None);

struct Watch;

impl Log for Watch {
    fn enabled(&self, metadata: &Metadata) -> bool {
        metadata.level() <= Level::Error
    }

    fn log(&self, record: &Record) {
        if self.enabled(record.metadata())
            && let Ok(mut first) = FIRST_ERROR.lock()
            && first.is_none()
        {
            let mut text = record.args().to_string();
            text.truncate(text.char_indices().nth(500).map_or(text.len(), |(end, _)| end));
            *first = Some(text);
        }
    }

    fn flush(&self) {}
}

/// Listens to what libraries log.
pub fn install_log() {
    // A logger that is there already stays.
    if log::set_logger(&Watch).is_ok() {
        log::set_max_level(LevelFilter::Error);
    }
}

/// Fails if an error has been logged since the module was loaded: results can no longer be believed.
///
/// # Errors
///
/// The first logged error.
pub fn check_log() -> Result<(), Failure> {
    match FIRST_ERROR.lock().ok().and_then(|first| first.clone()) {
        None => Ok(()),
        Some(text) => Err(Failure::new(
            format!(
                "the device reported an error, so its results cannot be believed: {text}. Hint: use the CPU"
            ),
            "device_fault",
        )),
    }
}
