//! The browser's door: a session object and its messages.
//!
//! Nothing is computed here. Values cross as plain JavaScript objects whose types are generated from the Rust types.

mod archive;
mod bench;
mod beside;
mod crew;
mod device;
mod failure;
mod files;
mod rest;
#[cfg(target_feature = "atomics")]
mod threads;
mod values;

use std::cell::{Cell, RefCell};
use std::sync::atomic::{AtomicBool, Ordering};

use burn::tensor::Device;
use js_sys::{Array, Function, Reflect, Uint8Array};
use tsify::Tsify;
use wasm_bindgen::prelude::*;

use crate::data::Files;
use crate::data::source::Limits;
use crate::net::NetworkOptions;
use crate::platform::Cancel;
use crate::project::{
    Checkpoint, Crew, CrewMember, DataCard, Event, Feed, Host, NetworkCard, Project, ProjectError, Settings,
    SideBySide, compare_devices, read_network, run,
};
use crate::report::Report;
use archive::PageArchive;
use crew::PageCrew;
use failure::{Failure, bad_message};
use rest::Rest;
use values::{from_js, to_js};

/// Version of Graftlab.
#[wasm_bindgen]
pub fn version() -> String {
    env!("CARGO_PKG_VERSION").into()
}

unsafe extern "C" {
    // Written by the linker. A module that never calls it gets a call at the head of each exported function, of which a
    // single dispatch on the GPU enters several: the shader compiler's thousands of constructors then take most of a
    // training step.
    fn __wasm_call_ctors();
}

/// Runs the constructors of statics, and installs what turns a Rust panic into a readable error. Runs when the module is
/// loaded; workers that load it with the memory of another find everything done.
#[wasm_bindgen(start)]
pub fn start() {
    static STARTED: AtomicBool = AtomicBool::new(false);
    if STARTED.swap(true, Ordering::Relaxed) {
        return;
    }
    // SAFETY: nothing has run before it, and nothing calls it again.
    unsafe { __wasm_call_ctors() };
    console_error_panic_hook::set_once();
    device::install_log();
}

/// What decodes images from now on: the function `decode` of the module `decoder`. To be called before images are loaded.
#[wasm_bindgen(js_name = useDecoder)]
pub fn use_decoder(
    #[wasm_bindgen(
        unchecked_param_type = "(file: Uint8Array, channels: number, height: number, width: number) => Uint8Array"
    )]
    decode: Function,
) {
    crate::platform::use_decoder(decode);
}

/// The settings that a page starts from.
#[wasm_bindgen(js_name = defaultSettings, unchecked_return_type = "Settings")]
pub fn default_settings(quick: bool) -> Result<JsValue, Failure> {
    to_js(&if quick { Settings::quick() } else { Settings::default() })
}

/// What a run leaves.
#[derive(Tsify)]
pub struct Outcome {
    pub report: Report,
    #[tsify(type = "Uint8Array")]
    pub onnx: Vec<u8>,
    #[tsify(type = "Uint8Array")]
    pub safetensors: Vec<u8>,
    /// Where a base stays as it is: what was added to it, as an ONNX file that reads the base's tensors.
    #[tsify(optional, type = "Uint8Array")]
    pub graft: Option<Vec<u8>>,
}

/// Networks, images and one device. All methods are called from one worker.
#[wasm_bindgen]
pub struct Session {
    /// Taken out while something works on it.
    project: RefCell<Option<Project>>,
    device: Device,
    device_name: String,
    backend: &'static str,
    cancel: RefCell<Cancel>,
    checkpoint_wanted: Cell<bool>,
    rest: Rest,
    /// What this session knows from errands of another's run.
    member: RefCell<CrewMember>,
    /// The networks beside the merged one that was given last.
    beside: RefCell<Option<SideBySide>>,
}

#[wasm_bindgen]
impl Session {
    /// Opens a session on `cpu` or `webgpu`. On WebGPU, the operators in use are first tested against the CPU.
    ///
    /// # Errors
    ///
    /// A backend that this build does not have, no adapter, or a self-test that fails.
    pub async fn create(backend: String) -> Result<Session, Failure> {
        let opened = device::open(&backend).await?;
        Ok(Session {
            project: RefCell::new(Some(Project::default())),
            device: opened.device,
            device_name: opened.name,
            backend: opened.backend,
            cancel: RefCell::default(),
            checkpoint_wanted: Cell::default(),
            rest: Rest::default(),
            member: RefCell::default(),
            beside: RefCell::default(),
        })
    }

    /// What computes, for people: `CPU (SIMD)`, with its threads if there are several, or WebGPU.
    #[wasm_bindgen(getter)]
    pub fn device(&self) -> String {
        self.device_name.clone()
    }

    /// Adds a network.
    ///
    /// # Errors
    ///
    /// The file is no network that can be joined; code `needs_options` where only its pixels' scale is unknown.
    #[wasm_bindgen(js_name = addNetwork, unchecked_return_type = "NetworkCard")]
    pub fn add_network(
        &self,
        file_name: &str,
        bytes: &[u8],
        #[wasm_bindgen(unchecked_param_type = "NetworkOptions | undefined")] options: JsValue,
    ) -> Result<JsValue, Failure> {
        let options: NetworkOptions =
            if options.is_undefined() { NetworkOptions::default() } else { from_js(options)? };
        self.with(|project| to_js(project.add_network(file_name, bytes, &options)?))
    }

    /// Takes a network away.
    ///
    /// # Errors
    ///
    /// A run is going on.
    #[wasm_bindgen(js_name = removeNetwork)]
    pub fn remove_network(&self, index: usize) -> Result<(), Failure> {
        self.with(|project| {
            project.remove_network(index);
            Ok(())
        })
    }

    /// The networks' cards, in the order in which they were added.
    ///
    /// # Errors
    ///
    /// A run is going on.
    #[wasm_bindgen(unchecked_return_type = "NetworkCard[]")]
    pub fn networks(&self) -> Result<JsValue, Failure> {
        self.with(|project| to_js(&project.cards().collect::<Vec<&NetworkCard>>()))
    }

    /// Loads a zip of images and labels.
    ///
    /// # Errors
    ///
    /// Not a zip, no images, labels that do not fit, too few images. What was loaded before stays.
    #[wasm_bindgen(js_name = loadZip, unchecked_return_type = "DataCard")]
    pub async fn load_zip(
        &self,
        bytes: Vec<u8>,
        #[wasm_bindgen(unchecked_param_type = "(done: number, total: number) => void")] on_progress: Function,
    ) -> Result<JsValue, Failure> {
        let files = Files::from_zip(&bytes, &Limits::default()).map_err(ProjectError::from)?;
        drop(bytes);
        self.load(files, on_progress).await
    }

    /// Loads files of a folder: an array of `{ path, bytes }`.
    ///
    /// # Errors
    ///
    /// As `loadZip`.
    #[wasm_bindgen(js_name = loadFiles, unchecked_return_type = "DataCard")]
    pub async fn load_files(
        &self,
        #[wasm_bindgen(unchecked_param_type = "{ path: string; bytes: Uint8Array }[]")] files: Array,
        #[wasm_bindgen(unchecked_param_type = "(done: number, total: number) => void")] on_progress: Function,
    ) -> Result<JsValue, Failure> {
        let files = Files::from_list(files::read(&files)?, &Limits::default()).map_err(ProjectError::from)?;
        self.load(files, on_progress).await
    }

    /// What the images hold for the networks that are there now: they are decoded again if networks have changed.
    ///
    /// # Errors
    ///
    /// No images are loaded, or they do not fit the networks.
    #[wasm_bindgen(js_name = dataCard, unchecked_return_type = "DataCard")]
    pub async fn data_card(&self) -> Result<JsValue, Failure> {
        let mut project = self.take()?;
        let card = project.dataset().await.map(DataCard::new);
        self.project.replace(Some(project));
        to_js(&card?)
    }

    async fn load(&self, files: Files, on_progress: Function) -> Result<JsValue, Failure> {
        let progress = |done: usize, total: usize| {
            // A page that fails to show progress does not stop the work.
            let _ = on_progress.call2(&JsValue::NULL, &done.into(), &total.into());
        };
        let mut project = self.take()?;
        let card = project.load_data(files, &progress).await;
        self.project.replace(Some(project));
        to_js(&card?)
    }

    /// Joins the networks and fine-tunes the result. Events go to `on_event` while it works, and now and then a checkpoint
    /// to `on_checkpoint`; with one in `resume`, the run goes on from there. The workers of a `crew` judge plans beside this
    /// one.
    ///
    /// # Errors
    ///
    /// Too little is loaded, no plan meets the budget, the checkpoint is of another run, the work fails, or it was stopped
    /// before there was a network.
    #[wasm_bindgen(unchecked_return_type = "Outcome")]
    pub async fn run(
        &self,
        #[wasm_bindgen(unchecked_param_type = "Settings")] settings: JsValue,
        #[wasm_bindgen(unchecked_param_type = "(event: Event) => void")] on_event: Function,
        #[wasm_bindgen(unchecked_param_type = "(checkpoint: Uint8Array) => void")] on_checkpoint: Function,
        resume: Option<Vec<u8>>,
        #[wasm_bindgen(unchecked_param_type = "Crew | undefined")] crew: JsValue,
    ) -> Result<JsValue, Failure> {
        self.rest.ask(false);
        let settings: Settings = from_js(settings)?;
        let resume = resume.map(|bytes| Checkpoint::from_bytes(&bytes)).transpose()?;
        let tell = |event: Event| {
            self.rest.hear(&event);
            if let Ok(event) = to_js(&event) {
                let _ = on_event.call1(&JsValue::NULL, &event);
            }
        };
        let mut project = self.take()?;
        let cancel = Cancel::default();
        self.cancel.replace(cancel.clone());
        let crew = PageCrew::new(&crew);
        let archive = PageArchive { keep: on_checkpoint, wanted: &self.checkpoint_wanted, rest: &self.rest };
        let host = Host {
            on_event: &tell,
            cancel: &cancel,
            archive: Some(&archive),
            crew: crew.as_ref().map(|crew| crew as &dyn Crew),
            resume,
        };
        let outcome = run(&mut project, &settings, (&self.device, self.backend), host).await;
        self.project.replace(Some(project));
        // It may have been asked to rest at its very end.
        self.rest.ask(false);
        let outcome = outcome?;
        device::check_log()?;
        let object = js_sys::Object::new();
        let bytes = |bytes: &[u8]| JsValue::from(Uint8Array::from(bytes));
        let entries = [
            ("report", to_js(&outcome.report)?),
            ("onnx", bytes(&outcome.onnx)),
            ("safetensors", bytes(&outcome.safetensors)),
        ];
        let graft = outcome.graft.as_deref().map(|graft| ("graft", bytes(graft)));
        for (name, value) in entries.into_iter().chain(graft) {
            Reflect::set(&object, &name.into(), &value).map_err(|_| bad_message("the outcome"))?;
        }
        Ok(object.into())
    }

    /// Asks the run that is going on for a checkpoint at its next step: the page may be about to close.
    #[wasm_bindgen(js_name = keepCheckpoint)]
    pub fn keep_checkpoint(&self) {
        self.checkpoint_wanted.set(true);
    }

    /// Stops the run that is going on. Training that has begun still yields a network.
    pub fn cancel(&self) {
        self.cancel.borrow().cancel();
        self.rest.ask(false);
    }

    /// Lets the run that is going on rest, or go on. While it trains, it makes a checkpoint first.
    pub fn pause(&self, paused: bool) {
        if paused {
            self.keep_checkpoint();
        }
        self.rest.ask(paused);
    }

    /// Runs a network on this session's device and on the CPU and compares outputs and gradients. `feeds`: values of
    /// every input; random images if it is left out.
    ///
    /// # Errors
    ///
    /// The file is no network, or the device fails.
    #[wasm_bindgen(unchecked_return_type = "Parity")]
    pub async fn parity(
        &self,
        bytes: Vec<u8>,
        #[wasm_bindgen(unchecked_param_type = "Feed[] | undefined")] feeds: JsValue,
    ) -> Result<JsValue, Failure> {
        let graph = read_network("network", &bytes)?;
        let feeds: Vec<Feed> = match feeds.is_undefined() {
            true => vec![Feed::random_images(&graph, 8).map_err(ProjectError::from)?],
            false => from_js(feeds)?,
        };
        let parity = compare_devices(&graph, &feeds, &self.device, &Device::flex()).await?;
        device::check_log()?;
        to_js(&parity)
    }

    /// Takes the project out, to be put back when the work on it is done.
    fn take(&self) -> Result<Project, Failure> {
        self.project.borrow_mut().take().ok_or_else(Failure::busy)
    }

    fn with<T>(&self, work: impl FnOnce(&mut Project) -> Result<T, Failure>) -> Result<T, Failure> {
        work(self.project.borrow_mut().as_mut().ok_or_else(Failure::busy)?)
    }
}
