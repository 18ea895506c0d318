//! Single images: what they are, and what originals and merged network say of them.

use js_sys::{Function, Uint8Array};
use tsify::Tsify;
use wasm_bindgen::prelude::*;

use super::values::to_js;
use super::{Failure, Session, device};
use crate::data::ImageShape;
use crate::project::{Answers, ImageCard, Opinion, ProjectError, SideBySide};

/// Images with their pixels.
#[derive(Tsify)]
#[allow(dead_code, reason = "it is written field by field; this says to TypeScript what it holds")]
pub struct Pictures {
    pub width: usize,
    pub height: usize,
    pub cards: Vec<ImageCard>,
    /// Red, green, blue and alpha of each pixel, row by row, one image after the other.
    #[tsify(type = "Uint8Array")]
    pub rgba: Vec<u8>,
}

/// One image that was asked about.
#[derive(Tsify)]
#[allow(dead_code, reason = "it is written field by field; this says to TypeScript what it holds")]
pub struct Asked {
    pub width: usize,
    pub height: usize,
    /// The image as the networks see it.
    #[tsify(type = "Uint8Array")]
    pub rgba: Vec<u8>,
    pub opinions: Vec<Opinion>,
}

#[wasm_bindgen]
impl Session {
    /// Some of the loaded images, by their index. An index that does not exist is left out.
    ///
    /// # Errors
    ///
    /// No images are loaded, or a run is going on.
    #[wasm_bindgen(unchecked_return_type = "Pictures")]
    pub async fn pictures(&self, indices: Vec<u32>) -> Result<JsValue, Failure> {
        let mut project = self.take()?;
        let found = project.dataset().await.map(|dataset| {
            let shape = dataset.shape;
            let cards = indices.iter().map(|index| *index as usize);
            let cards: Vec<_> = cards.filter_map(|at| Some((at, ImageCard::new(dataset, at)?))).collect();
            let rgba: Vec<u8> = cards.iter().flat_map(|(at, _)| rgba(dataset.image(*at), shape)).collect();
            (shape, cards.into_iter().map(|(_, card)| card).collect::<Vec<_>>(), rgba)
        });
        self.project.replace(Some(project));
        let (shape, cards, rgba) = found?;
        object(&[
            ("width", shape.width.into()),
            ("height", shape.height.into()),
            ("cards", to_js(&cards)?),
            ("rgba", Uint8Array::from(&rgba[..]).into()),
        ])
    }

    /// Takes the merged network, an ONNX file, that `answers` and `ask` compare with the loaded networks.
    ///
    /// # Errors
    ///
    /// It was made from other networks, or a run is going on.
    #[wasm_bindgen(js_name = compareWith)]
    pub fn compare_with(&self, merged: &[u8]) -> Result<(), Failure> {
        let beside =
            self.with(|project| SideBySide::new(project, merged, &self.device).map_err(Failure::from))?;
        self.beside.replace(Some(beside));
        Ok(())
    }

    /// What all networks answer on the test images.
    ///
    /// # Errors
    ///
    /// No merged network was given, no images are loaded, or a run is going on.
    #[wasm_bindgen(unchecked_return_type = "Answers")]
    pub async fn answers(
        &self,
        #[wasm_bindgen(unchecked_param_type = "(done: number, total: number) => void")] on_progress: Function,
    ) -> Result<JsValue, Failure> {
        let progress = |done: usize, total: usize| {
            // A page that fails to show progress does not stop the work.
            let _ = on_progress.call2(&JsValue::NULL, &done.into(), &total.into());
        };
        let beside = self.take_beside()?;
        let mut project = match self.take() {
            Ok(project) => project,
            Err(failure) => {
                self.beside.replace(Some(beside));
                return Err(failure);
            }
        };
        let answers: Result<Answers, ProjectError> = async {
            let dataset = project.dataset().await?;
            beside.answers(dataset, &progress).await
        }
        .await;
        self.project.replace(Some(project));
        self.beside.replace(Some(beside));
        device::check_log()?;
        to_js(&answers?)
    }

    /// What all networks say of one image file.
    ///
    /// # Errors
    ///
    /// No merged network was given, or the file is no image.
    #[wasm_bindgen(unchecked_return_type = "Asked")]
    pub async fn ask(&self, image: Vec<u8>) -> Result<JsValue, Failure> {
        let beside = self.take_beside()?;
        let shape = beside.shape();
        let asked = beside.ask(&image).await;
        self.beside.replace(Some(beside));
        device::check_log()?;
        let (bytes, opinions) = asked?;
        object(&[
            ("width", shape.width.into()),
            ("height", shape.height.into()),
            ("rgba", Uint8Array::from(&rgba(&bytes, shape)[..]).into()),
            ("opinions", to_js(&opinions)?),
        ])
    }

    /// Takes the networks out, to be put back when the work with them is done.
    fn take_beside(&self) -> Result<SideBySide, Failure> {
        let none = || Failure::new("no merged network was given", "no_merged");
        self.beside.borrow_mut().take().ok_or_else(none)
    }
}

/// Planar bytes as pixels that a canvas takes.
fn rgba(planar: &[u8], shape: ImageShape) -> Vec<u8> {
    let size = shape.height * shape.width;
    let channel = |wanted: usize| &planar[wanted.min(shape.channels - 1) * size..];
    let [red, green, blue] = [channel(0), channel(1), channel(2)];
    (0..size).flat_map(|at| [red[at], green[at], blue[at], u8::MAX]).collect()
}

fn object(entries: &[(&str, JsValue)]) -> Result<JsValue, Failure> {
    let object = js_sys::Object::new();
    for (name, value) in entries {
        js_sys::Reflect::set(&object, &(*name).into(), value).map_err(|_| super::bad_message("an answer"))?;
    }
    Ok(object.into())
}
