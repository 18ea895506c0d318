//! The sample packs: a zip of PNG files and a `labels.csv`, as a user would bring it, and a card beside it.

use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};

use graftlab_images::rng;
use image::ExtendedColorType;
use image::ImageEncoder;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use rand::seq::SliceRandom;
use zip::write::SimpleFileOptions;

use super::cards;
use super::error::PretrainError;
use super::fonts::Fonts;
use super::garments::{self, Sources};
use super::glyphs;
use crate::data::{Dataset, Split};

/// Seeds of the packs. The glyphs are drawn afresh: none is a picture that a network was trained on.
const GLYPHS_SEED: u64 = 1;
const GARMENTS_SEED: u64 = 2;

/// How many images per class of garments and of digits go into the pack.
const PER_CLASS: [(Split, usize); 3] = [(Split::Train, 200), (Split::Validation, 50), (Split::Test, 100)];

/// One file that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    pub path: PathBuf,
    pub bytes: usize,
    pub images: usize,
}

/// Draws and writes `glyphs.zip` and `garments-digits.zip` with their cards into `folder`.
///
/// The same fonts and data sets give the same bytes.
///
/// # Errors
/// A folder that cannot be written; a data set that is missing.
pub fn write_samples(folder: &Path, fonts: &Fonts, sources: &Sources) -> Result<Vec<Written>, PretrainError> {
    let glyphs = glyphs_pack(fonts);
    let (garments, digits) = (garments::garments(sources)?, garments::digits(sources)?);
    let pair = [Chosen::some(&garments), Chosen::some(&digits)];
    let written = [
        (write(folder, "glyphs", &[Chosen::all(&glyphs)], GLYPHS_SEED)?, cards::glyphs(fonts, &glyphs)),
        (write(folder, "garments-digits", &pair, GARMENTS_SEED)?, cards::garments_digits(&pair)),
    ];
    let mut files = Vec::new();
    for (zip, card) in written {
        let path = zip.path.with_extension("md");
        save(&path, card.as_bytes())?;
        files.push(zip);
    }
    Ok(files)
}

/// The glyphs of the sample pack: every character of every face once.
pub fn glyphs_pack(fonts: &Fonts) -> Dataset {
    let parts = [(Split::Train, 1), (Split::Validation, 1), (Split::Test, 1)];
    glyphs::render(fonts, &parts, GLYPHS_SEED)
}

/// Some images of a data set.
pub struct Chosen<'a> {
    pub data: &'a Dataset,
    pub images: Vec<usize>,
}

impl<'a> Chosen<'a> {
    fn all(data: &'a Dataset) -> Self {
        Chosen { data, images: (0..data.len()).collect() }
    }

    /// The first images of each class and split, as many as [`PER_CLASS`] says.
    fn some(data: &'a Dataset) -> Self {
        let mut images = Vec::new();
        let task = &data.tasks[0];
        for class in 0..task.classes.len() as u32 {
            for (split, count) in PER_CLASS {
                let of = |&i: &usize| task.labels[i] == Some(class) && data.splits[i] == split;
                images.extend((0..data.len()).filter(of).take(count));
            }
        }
        Chosen { data, images }
    }

    /// How many of the images are in a split.
    pub fn count(&self, split: Split) -> usize {
        self.images.iter().filter(|&&i| self.data.splits[i] == split).count()
    }
}

/// Writes the images of some data sets into one zip, in random order.
fn write(folder: &Path, name: &str, sets: &[Chosen], seed: u64) -> Result<Written, PretrainError> {
    let mut order: Vec<(&Dataset, usize)> =
        sets.iter().flat_map(|set| set.images.iter().map(|&image| (set.data, image))).collect();
    order.shuffle(&mut rng::stream(seed, u64::MAX));
    let path = folder.join(format!("{name}.zip"));
    let bytes = pack(&order, sets).map_err(|reason| file_error(&path, reason))?;
    save(&path, &bytes)?;
    Ok(Written { path, bytes: bytes.len(), images: order.len() })
}

fn pack(order: &[(&Dataset, usize)], sets: &[Chosen]) -> Result<Vec<u8>, String> {
    // PNG files are packed already. The time of every entry is the zip format's first day.
    let stored = SimpleFileOptions::default()
        .compression_method(zip::CompressionMethod::Stored)
        .last_modified_time(zip::DateTime::default());
    let deflated = stored.compression_method(zip::CompressionMethod::Deflated);
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let text = |e: zip::result::ZipError| e.to_string();
    zip.start_file("labels.csv", deflated).map_err(text)?;
    zip.write_all(&table(order, sets)?).map_err(|e| e.to_string())?;
    for (at, (data, image)) in order.iter().enumerate() {
        zip.start_file(file_name(at), stored).map_err(text)?;
        zip.write_all(&png(data, *image)?).map_err(|e| e.to_string())?;
    }
    Ok(zip.finish().map_err(text)?.into_inner())
}

fn file_name(at: usize) -> String {
    format!("images/{at:05}.png")
}

/// `labels.csv`: file, split, group (where there are groups), and a column per task.
fn table(order: &[(&Dataset, usize)], sets: &[Chosen]) -> Result<Vec<u8>, String> {
    let tasks: Vec<&str> =
        sets.iter().flat_map(|set| &set.data.tasks).map(|task| task.name.as_str()).collect();
    let grouped = sets.iter().any(|set| set.data.groups.is_some());
    let mut csv = csv::Writer::from_writer(Vec::new());
    let fixed = ["file", "split"].into_iter().chain(grouped.then_some("group"));
    csv.write_record(fixed.chain(tasks.iter().copied())).map_err(|e| e.to_string())?;
    for (at, &(data, image)) in order.iter().enumerate() {
        let mut row = vec![file_name(at), data.splits[image].to_string()];
        if grouped {
            row.push(data.groups.as_ref().map_or_else(String::new, |groups| groups[image].clone()));
        }
        for name in &tasks {
            let class = data.task(name).and_then(|task| Some(&task.classes[task.labels[image]? as usize]));
            row.push(class.cloned().unwrap_or_default());
        }
        csv.write_record(row).map_err(|e| e.to_string())?;
    }
    csv.into_inner().map_err(|e| e.to_string())
}

/// The smallest of the PNG files that the filters give.
fn png(data: &Dataset, image: usize) -> Result<Vec<u8>, String> {
    let (width, height) = (data.shape.width as u32, data.shape.height as u32);
    let mut smallest: Option<Vec<u8>> = None;
    for filter in [FilterType::NoFilter, FilterType::Sub, FilterType::Up, FilterType::Adaptive] {
        let mut out = Vec::new();
        let encoder = PngEncoder::new_with_quality(&mut out, CompressionType::Best, filter);
        encoder
            .write_image(data.image(image), width, height, ExtendedColorType::L8)
            .map_err(|e| e.to_string())?;
        if smallest.as_ref().is_none_or(|smallest| out.len() < smallest.len()) {
            smallest = Some(out);
        }
    }
    Ok(smallest.unwrap_or_default())
}

fn save(path: &Path, bytes: &[u8]) -> Result<(), PretrainError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)
        .and_then(|()| std::fs::write(path, bytes))
        .map_err(|e| file_error(path, e.to_string()))
}

fn file_error(path: &Path, reason: String) -> PretrainError {
    PretrainError::File {
        path: path.display().to_string(),
        reason,
        hint: "Choose a folder that can be written".to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Files, ImageShape, LoadOptions, TaskLabels, source::Limits};

    /// Twelve images of 2×2, of which each third is not labelled.
    fn small() -> Dataset {
        Dataset {
            shape: ImageShape { channels: 1, height: 2, width: 2 },
            pixels: (0..48).collect(),
            tasks: vec![TaskLabels::of_classes(
                "kind",
                vec!["a".to_string(), "b, c".to_string()],
                (0..12).map(|i| (i % 3 != 0).then_some(i % 2)).collect(),
            )],
            groups: Some((0..12).map(|i| format!("g{}", i / 2)).collect()),
            splits: (0..12)
                .map(|i| {
                    [Split::Train, Split::Validation, Split::Test][usize::from(i > 5) + usize::from(i > 8)]
                })
                .collect(),
            paths: (0..12).map(|i| i.to_string()).collect(),
            skipped: Vec::new(),
            unused_tasks: Vec::new(),
        }
    }

    #[test]
    fn a_pack_loads_as_what_was_packed_and_is_the_same_each_time() {
        let data = small();
        let order: Vec<(&Dataset, usize)> = (0..12).rev().map(|image| (&data, image)).collect();
        let bytes = pack(&order, &[Chosen::all(&data)]).unwrap();
        assert_eq!(bytes, pack(&order, &[Chosen::all(&data)]).unwrap());
        let files = Files::from_zip(&bytes, &Limits::default()).unwrap();
        let loaded = Dataset::load(files, &LoadOptions::new(data.shape, Vec::new())).unwrap();
        for (at, image) in (0..12).rev().enumerate() {
            assert_eq!(loaded.image(at), data.image(image));
            assert_eq!(loaded.tasks[0].labels[at], data.tasks[0].labels[image]);
            assert_eq!(loaded.groups.as_ref().unwrap()[at], data.groups.as_ref().unwrap()[image]);
            let kept = loaded.splits[at] == data.splits[image];
            assert!(kept || (data.splits[image], loaded.splits[at]) == (Split::Train, Split::Architecture));
        }
    }

    #[test]
    fn two_data_sets_in_one_pack_have_a_column_each() {
        let (left, mut right) = (small(), small());
        right.tasks[0].name = "other".to_string();
        let csv = table(&[(&left, 1), (&right, 2)], &[Chosen::all(&left), Chosen::all(&right)]).unwrap();
        let expected = "file,split,group,kind,other\nimages/00000.png,train,g0,\"b, c\",\nimages/00001.png,train,g1,,a\n";
        assert_eq!(String::from_utf8(csv).unwrap(), expected);
    }
}
