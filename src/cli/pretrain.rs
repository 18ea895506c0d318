//! `graftlab pretrain`

use std::io::Write;
use std::path::Path;

use clap::ValueEnum;

use super::{Failure, PretrainOptions, PretrainPart, paths};
use crate::data::Dataset;
use crate::onnx;
use crate::pretrain::fonts::Fonts;
use crate::pretrain::garments::{Sources, digits, garments};
use crate::pretrain::networks::{RECIPES, Recipe, train_backbone};
use crate::pretrain::{PretrainError, cards, glyphs, packs};

/// Where Debian's font packages put their files.
const FONTS: &str = "/usr/share";

impl From<PretrainError> for Failure {
    fn from(error: PretrainError) -> Self {
        Self::BadInput(error.to_string())
    }
}

pub fn pretrain(options: &PretrainOptions) -> Result<(), Failure> {
    let parts = if options.parts.is_empty() { PretrainPart::value_variants() } else { &options.parts[..] };
    let sources = Sources { digits: options.digits.clone(), ..Sources::default() };
    if parts.contains(&PretrainPart::Samples) {
        let fonts = Fonts::load(Path::new(FONTS))?;
        for written in packs::write_samples(&options.out.join("samples"), &fonts, &sources)? {
            println!("{}: {} images, {} bytes", written.path.display(), written.images, written.bytes);
        }
    }
    for recipe in RECIPES.iter().filter(|recipe| parts.iter().any(|part| part.task() == Some(recipe.task))) {
        let dataset = match recipe.task {
            "garment" => garments(&sources)?,
            "digit" => digits(&sources)?,
            _ => glyphs::pretraining(&Fonts::load(Path::new(FONTS))?),
        };
        train_network(recipe, &dataset, &options.out.join("networks"))?;
    }
    Ok(())
}

fn train_network(recipe: &Recipe, dataset: &Dataset, folder: &Path) -> Result<(), Failure> {
    let mut tenths = 0;
    let mut show = |report: &crate::train::StepReport| {
        if report.step * 10 / report.steps > tenths {
            tenths = report.step * 10 / report.steps;
            println!(
                "{}: step {}/{}, loss {:.3}, {:.0} images/s",
                recipe.task, report.step, report.steps, report.loss, report.images_per_second
            );
            // A pipe would otherwise keep the line back for minutes.
            let _ = std::io::stdout().flush();
        }
    };
    let failed = |error: String| Failure::Failed(format!("{}: {error}", recipe.task));
    let trained = pollster::block_on(train_backbone(recipe, dataset, &mut show))
        .map_err(|error| failed(error.to_string()))?;
    let bytes = onnx::write(&trained.graph).map_err(|error| failed(error.to_string()))?;
    let path = folder.join(format!("{}.onnx", recipe.task));
    paths::write(&path, &bytes)?;
    paths::write(
        &path.with_extension("md"),
        cards::network(recipe, &trained, dataset, bytes.len()).as_bytes(),
    )?;
    println!("{}: {:.2} % on test, {:.0} s", path.display(), trained.test * 100.0, trained.seconds);
    Ok(())
}

impl PretrainPart {
    /// The task whose network this is.
    fn task(self) -> Option<&'static str> {
        match self {
            Self::Samples => None,
            Self::Character => Some("character"),
            Self::Typeface => Some("typeface"),
            Self::Emphasis => Some("emphasis"),
            Self::Slant => Some("slant"),
            Self::Weight => Some("weight"),
            Self::Garment => Some("garment"),
            Self::Digit => Some("digit"),
        }
    }
}
