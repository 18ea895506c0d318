//! The font families that glyphs are drawn from: which Debian package, which licence, which side of the split.
//!
//! `fonts.csv` beside this file is the table. What is in it:
//!
//! - Only free licences, and none that reaches what is drawn with a font.
//! - Only families with true regular, bold, italic (or oblique) and bold italic faces, which is checked each
//!   time they are loaded.
//! - No monospaced sans: its `I`, `i`, `l` and `1` have serifs, so neither label would be true.
//! - Families with old-style figures (`0` of the height of `o`, `1` like a small `I`) give letters only.
//! - Clones of one design (`design`) are on one side of the split: Carlito is Lato, Termes is Times.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::error::PretrainError;
use super::face::Face;
use crate::data::Split;

/// Faces of a family, in the order of the classes of the task `emphasis`.
pub const STYLES: [&str; 4] = ["regular", "bold", "italic", "bold italic"];

const TABLE: &str = include_str!("fonts.csv");

/// Serifs or not: the classes of the task `typeface`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Typeface {
    Serif,
    Sans,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Digits {
    Yes,
    No,
}

/// One line of the font table.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Family {
    /// Train, validation or test.
    pub part: Split,
    pub typeface: Typeface,
    #[serde(rename = "family")]
    pub name: String,
    /// Families of one design are drawn after the same model.
    pub design: String,
    /// Debian packages, separated by spaces.
    pub packages: String,
    pub licence: String,
    /// Below `/usr/share`.
    folder: String,
    regular: String,
    bold: String,
    italic: String,
    bold_italic: String,
    digits: Digits,
}

impl Family {
    /// The font files in the order of [`STYLES`].
    fn files(&self, root: &Path) -> [PathBuf; 4] {
        [&self.regular, &self.bold, &self.italic, &self.bold_italic]
            .map(|file| root.join(&self.folder).join(file))
    }

    /// Whether its figures are as high as its capitals.
    pub fn has_digits(&self) -> bool {
        self.digits == Digits::Yes
    }
}

/// The font table.
///
/// # Errors
/// A line that cannot be read, or a design on both sides of a split.
pub fn table() -> Result<Vec<Family>, PretrainError> {
    let mut families = Vec::new();
    for (at, row) in csv::Reader::from_reader(TABLE.as_bytes()).deserialize().enumerate() {
        let bad = |e: csv::Error| PretrainError::FontTable {
            row: format!("row {}", at + 2),
            reason: e.to_string(),
        };
        families.push(row.map_err(bad)?);
    }
    let mut sides: BTreeMap<&str, Split> = BTreeMap::new();
    for Family { design, part, name, .. } in &families {
        if sides.insert(design, *part).is_some_and(|other| other != *part) {
            let reason = format!("the design {design} is on two sides of the split");
            return Err(PretrainError::FontTable { row: name.clone(), reason });
        }
    }
    Ok(families)
}

/// A family with its faces, in the order of [`STYLES`].
pub struct LoadedFamily {
    pub family: Family,
    pub faces: [Face; 4],
}

/// All families of the table, loaded.
pub struct Fonts {
    pub families: Vec<LoadedFamily>,
}

impl Fonts {
    /// Loads all fonts below `root`, which is `/usr/share` on Debian.
    ///
    /// # Errors
    /// Fonts that are missing (the packages are named), that cannot be drawn, or whose face is not what its
    /// name says: a bold that is not bolder, an italic that is upright.
    pub fn load(root: &Path) -> Result<Fonts, PretrainError> {
        let table = table()?;
        let (mut count, mut packages) = (0, BTreeSet::new());
        for family in &table {
            let missing = family.files(root).iter().filter(|file| !file.is_file()).count();
            if missing > 0 {
                count += missing;
                packages.extend(family.packages.split(' ').map(str::to_string));
            }
        }
        if count > 0 {
            return Err(PretrainError::MissingFonts { count, packages: packages.into_iter().collect() });
        }
        let families =
            table.into_iter().map(|family| LoadedFamily::load(family, root)).collect::<Result<_, _>>()?;
        Ok(Fonts { families })
    }

    /// The families of one side of the split.
    pub fn part(&self, part: Split) -> impl Iterator<Item = &LoadedFamily> {
        self.families.iter().filter(move |loaded| loaded.family.part == part)
    }
}

impl LoadedFamily {
    fn load(family: Family, root: &Path) -> Result<LoadedFamily, PretrainError> {
        let [regular, bold, italic, bold_italic] = family.files(root).map(|path| Face::load(&path));
        let faces = [regular?, bold?, italic?, bold_italic?];
        let loaded = LoadedFamily { family, faces };
        loaded.check()?;
        Ok(loaded)
    }

    /// Holds each face to its name, by its ink and its slant.
    fn check(&self) -> Result<(), PretrainError> {
        let ink: Vec<f32> = self.faces.iter().map(Face::darkness).collect();
        for (style, face) in self.faces.iter().enumerate() {
            let slant = face.slant_degrees();
            let (bold, italic) = (style % 2 == 1, style >= 2);
            let reason = if bold && ink[style] < 1.25 * ink[style - 1] {
                format!("it has only {:.2} times the ink of the lighter face", ink[style] / ink[style - 1])
            } else if italic && slant < 5.0 {
                format!("it leans by {slant:.1}° only")
            } else if !italic && slant.abs() > 2.0 {
                format!("it leans by {slant:.1}°")
            } else {
                continue;
            };
            let style = STYLES[style].to_string();
            return Err(PretrainError::FalseFace { family: self.family.name.clone(), style, reason });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_keeps_designs_apart_and_names_free_licences() {
        let table = table().unwrap();
        for part in [Split::Train, Split::Validation, Split::Test] {
            for typeface in [Typeface::Serif, Typeface::Sans] {
                let families = table.iter().filter(|f| f.part == part && f.typeface == typeface).count();
                assert!(families >= 3, "{part}: {families} of {typeface:?}");
            }
        }
        for family in &table {
            assert!(!family.licence.is_empty() && !family.licence.contains("AGPL"), "{}", family.name);
            assert!(family.packages.split(' ').all(|p| p.starts_with("fonts-")), "{}", family.name);
        }
        assert!(table.iter().filter(|f| f.part == Split::Test).all(Family::has_digits));
    }

    #[test]
    fn missing_fonts_are_said_by_package() {
        let error = Fonts::load(Path::new("nowhere")).err().unwrap().to_string();
        assert!(error.contains("apt-get install") && error.contains("fonts-lato"), "{error}");
    }
}
