//! Workers that judge plans for each other.

use std::pin::Pin;

use js_sys::{Function, Promise, Reflect};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

use super::failure::{Failure, bad_message};
use super::{Session, device};
use crate::project::{Crew, Errand};

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = r#"
/** Other workers, with the same networks and images, that judge plans during a run. */
export interface Crew {
  size: number;
  /** Sends an errand to a worker that is free: what its `Session.judge` answers. */
  send(errand: string): Promise<number>;
}
"#;

/// A crew that the page has called together.
pub struct PageCrew {
    size: usize,
    send: Function,
}

impl PageCrew {
    /// `None` of an object that is no crew.
    pub fn new(object: &JsValue) -> Option<Self> {
        let of = |name: &str| Reflect::get(object, &name.into()).ok();
        let size = of("size")?.as_f64()? as usize;
        let send = of("send")?.dyn_into::<Function>().ok()?;
        (size > 0).then_some(Self { size, send })
    }
}

impl Crew for PageCrew {
    fn size(&self) -> usize {
        self.size
    }

    fn send(&self, errand: &Errand) -> Pin<Box<dyn Future<Output = Option<f64>> + '_>> {
        let promise = serde_json::to_string(errand).ok().and_then(|errand| {
            let promise = self.send.call1(&JsValue::NULL, &errand.into()).ok()?;
            promise.dyn_into::<Promise>().ok()
        });
        // Listened to from now on: a promise that is rejected before anyone listens ends the worker.
        let answer = promise.map(JsFuture::from);
        Box::pin(async move { answer?.await.ok()?.as_f64() })
    }
}

#[wasm_bindgen]
impl Session {
    /// Judges a plan for another session's run: its worst drop after brief training, in points.
    ///
    /// # Errors
    ///
    /// Other networks or images are loaded than there, a run is going on, or the device fails.
    pub async fn judge(&self, errand: &str) -> Result<f64, Failure> {
        let errand: Errand = serde_json::from_str(errand).map_err(|error| bad_message(&error.to_string()))?;
        let mut project = self.take()?;
        let mut member = self.member.take();
        let drop = member.judge(&mut project, errand, &self.device).await;
        self.member.replace(member);
        self.project.replace(Some(project));
        let drop = drop?;
        device::check_log()?;
        Ok(drop)
    }
}
