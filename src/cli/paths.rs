//! Reading what the command line names.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::Failure;
use crate::data::Files;
use crate::data::source::Limits;
use crate::onnx::{OnnxError, external_files, with_external_files};
use crate::project::{DataCard, ProjectError};

/// The bytes of a file.
pub fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    fs::read(path)
        .map_err(|error| Failure::BadInput(format!("{}: {error}. Hint: check the path", path.display())))
}

/// The bytes of an ONNX file, with the weights that lie in other files of its folder.
pub fn read_network(path: &Path) -> Result<Vec<u8>, Failure> {
    let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
    let bad = |source| Failure::from(ProjectError::Onnx { file: name.clone().into_owned(), source });
    let bytes = read(path)?;
    let outside = external_files(&bytes).map_err(bad)?;
    if outside.is_empty() {
        return Ok(bytes);
    }
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    let mut files = BTreeMap::new();
    for file in outside {
        let Ok(place) = folder.join(&file).canonicalize() else { continue };
        if !folder.canonicalize().is_ok_and(|folder| place.starts_with(folder)) {
            let reason = "is a link to outside the network's folder, where nothing is read".to_owned();
            return Err(bad(OnnxError::ExternalFile { file, reason }));
        }
        files.insert(file, read(&place)?);
    }
    with_external_files(&bytes, &files).map_err(bad)
}

/// Makes a folder for results, unless it is there.
pub fn make_folder(path: &Path) -> Result<(), Failure> {
    fs::create_dir_all(path).map_err(|error| {
        Failure::BadInput(format!("{}: {error}. Hint: choose a folder that can be written", path.display()))
    })
}

/// Lists what is not used of a data set.
pub fn tell_unused(data: &DataCard) {
    for file in &data.skipped {
        eprintln!("skipped {}: {}", file.path, file.reason);
    }
    if !data.unused_tasks.is_empty() {
        eprintln!("labels that no network has a task for: {}", data.unused_tasks.join(", "));
    }
}

/// Writes a file, its folder made first.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let failed = |error: std::io::Error| Failure::Failed(format!("{}: {error}", path.display()));
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(failed)?;
    }
    fs::write(path, bytes).map_err(failed)
}

/// Images and labels of a zip or of a folder with all folders below it.
pub fn read_data(path: &Path) -> Result<Files, Failure> {
    let bad = |error: crate::data::DataError| Failure::BadInput(format!("{}: {error}", path.display()));
    if !path.is_dir() {
        return Files::from_zip(&read(path)?, &Limits::default()).map_err(bad);
    }
    let mut names = Vec::new();
    walk(path, &mut names)?;
    names.sort();
    let mut list = Vec::new();
    for name in names {
        let relative = name.strip_prefix(path).unwrap_or(&name).to_string_lossy().replace('\\', "/");
        list.push((relative, read(&name)?));
    }
    Files::from_list(list, &Limits::default()).map_err(bad)
}

fn walk(folder: &Path, found: &mut Vec<PathBuf>) -> Result<(), Failure> {
    let bad = |error: std::io::Error| {
        Failure::BadInput(format!("{}: {error}. Hint: choose a folder that can be read", folder.display()))
    };
    for entry in fs::read_dir(folder).map_err(bad)? {
        let path = entry.map_err(bad)?.path();
        if path.is_dir() {
            walk(&path, found)?;
        } else if path.file_name().is_some_and(|name| Files::wants(&name.to_string_lossy())) {
            found.push(path);
        }
    }
    Ok(())
}
