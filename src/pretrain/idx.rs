//! The IDX format of MNIST and its kin: bytes in a box of given sides.

use std::io::Read;
use std::path::Path;

use super::error::PretrainError;

/// Unsigned bytes with their dimensions, slowest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Idx {
    pub dims: Vec<usize>,
    pub bytes: Vec<u8>,
}

impl Idx {
    /// Reads a gzipped IDX file of unsigned bytes.
    ///
    /// # Errors
    /// A file that cannot be read or unpacked, or is not IDX of unsigned bytes.
    pub fn read_gz(path: &Path, hint: &str) -> Result<Idx, PretrainError> {
        let name = || path.display().to_string();
        let bad = |reason: String| PretrainError::File { path: name(), reason, hint: hint.to_string() };
        let file = std::fs::File::open(path).map_err(|e| bad(e.to_string()))?;
        let mut bytes = Vec::new();
        flate2::read::GzDecoder::new(file).read_to_end(&mut bytes).map_err(|e| bad(e.to_string()))?;
        let reason = "it is not an IDX file of unsigned bytes".to_string();
        Idx::parse(&bytes).ok_or(PretrainError::BadData { path: name(), reason, hint: hint.to_string() })
    }

    /// Header: two zero bytes, the type (8: unsigned byte), the number of dimensions, then each as a
    /// big-endian 32-bit number.
    fn parse(bytes: &[u8]) -> Option<Idx> {
        let [0, 0, 8, rank, rest @ ..] = bytes else { return None };
        let (header, data) = rest.split_at_checked(4 * usize::from(*rank))?;
        let dims: Vec<usize> =
            header.chunks_exact(4).map(|d| u32::from_be_bytes([d[0], d[1], d[2], d[3]]) as usize).collect();
        (dims.iter().product::<usize>() == data.len()).then(|| Idx { dims, bytes: data.to_vec() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dimensions_and_bytes_are_read_and_checked() {
        let bytes = [0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 6];
        assert_eq!(Idx::parse(&bytes), Some(Idx { dims: vec![2, 3], bytes: vec![1, 2, 3, 4, 5, 6] }));
        assert_eq!(Idx::parse(&bytes[..17]), None);
        assert_eq!(Idx::parse(&[0, 0, 13, 1, 0, 0, 0, 1, 1]), None);
    }
}
