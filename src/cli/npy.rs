//! NumPy's `.npy` format, version 1, little-endian float32 in C order.

use super::Failure;

const MAGIC: &[u8] = b"\x93NUMPY";

/// Values and shape of a file.
pub fn read(bytes: &[u8]) -> Result<(Vec<f32>, Vec<usize>), Failure> {
    parse(bytes).ok_or_else(|| {
        Failure::BadInput(
            "the input is not a .npy file of little-endian float32 in C order. \
             Hint: numpy.save(path, numpy.ascontiguousarray(x, dtype='<f4'))"
                .into(),
        )
    })
}

fn parse(bytes: &[u8]) -> Option<(Vec<f32>, Vec<usize>)> {
    let rest = bytes.strip_prefix(MAGIC)?;
    let (length, start) = match rest.first()? {
        1 => (usize::from(u16::from_le_bytes(rest.get(2..4)?.try_into().ok()?)), 4),
        _ => (u32::from_le_bytes(rest.get(2..6)?.try_into().ok()?) as usize, 6),
    };
    let header = std::str::from_utf8(rest.get(start..start + length)?).ok()?;
    if !header.contains("'<f4'") || header.contains("'fortran_order': True") {
        return None;
    }
    let shape = header.split_once("'shape':")?.1.split_once('(')?.1.split_once(')')?.0;
    let shape: Vec<usize> = shape
        .split(',')
        .map(str::trim)
        .filter(|size| !size.is_empty())
        .map(|size| size.parse().ok())
        .collect::<Option<_>>()?;
    let values: Vec<f32> = rest
        .get(start + length..)?
        .chunks_exact(4)
        .map(|bytes| f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
        .collect();
    let count = shape.iter().try_fold(1_usize, |product, size| product.checked_mul(*size))?;
    (values.len() == count).then_some((values, shape))
}

/// The bytes of a file.
pub fn write(values: &[f32], shape: &[usize]) -> Vec<u8> {
    let sizes: String = shape.iter().map(|size| format!("{size},")).collect();
    let mut header = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({sizes}), }}");
    let unpadded = MAGIC.len() + 4 + header.len() + 1;
    header.push_str(&" ".repeat(unpadded.next_multiple_of(64) - unpadded));
    header.push('\n');
    let mut bytes = MAGIC.to_vec();
    bytes.extend([1, 0]);
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let values = [1.0, -2.5, 3.0, 0.0, 5.0, 6.0];
        assert_eq!(read(&write(&values, &[2, 3])).unwrap(), (values.to_vec(), vec![2, 3]));
    }

    #[test]
    fn other_bytes_are_refused() {
        assert!(read(b"PK\x03\x04").is_err());
        let mut short = write(&[1.0, 2.0], &[2]);
        short.pop();
        assert!(read(&short).is_err());
    }
}
