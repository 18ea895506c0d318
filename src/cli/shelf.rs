//! Where the checkpoints of a run lie.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::{Failure, paths};
use crate::project::{Archive, Checkpoint};

/// The newest checkpoint, as a file in the run's folder.
pub struct Shelf {
    path: PathBuf,
}

impl Shelf {
    pub fn new(folder: &Path) -> Self {
        Self { path: folder.join("checkpoint.safetensors") }
    }

    /// The newest checkpoint; `None` where the run had not come so far.
    pub fn newest(&self) -> Result<Option<Checkpoint>, Failure> {
        if !self.path.exists() {
            eprintln!("note: there is no {}; beginning anew", self.path.display());
            return Ok(None);
        }
        Ok(Some(Checkpoint::from_bytes(&paths::read(&self.path)?)?))
    }

    /// Removes the checkpoint of a run that has ended.
    pub fn clear(&self) {
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                eprintln!("note: {} could not be removed: {error}", self.path.display());
            }
            _ => {}
        }
    }
}

impl Archive for Shelf {
    fn keep(&self, checkpoint: Vec<u8>) {
        // Renaming replaces the old one whole: there is no moment without a checkpoint.
        let fresh = self.path.with_extension("part");
        let kept = fs::write(&fresh, checkpoint).and_then(|()| fs::rename(&fresh, &self.path));
        if let Err(error) = kept {
            eprintln!("note: {} could not be written: {error}", self.path.display());
        }
    }
}
