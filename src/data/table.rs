//! Tables as people save them: in which encoding, and what separates their cells.

use std::borrow::Cow;

/// The text of a table: UTF-8, or UTF-16 with the mark that spreadsheets put in front.
///
/// # Errors
///
/// Bytes that are neither.
pub fn text(bytes: &[u8]) -> Result<Cow<'_, str>, String> {
    let wide = |bytes: &[u8], unit: fn([u8; 2]) -> u16| {
        let units = bytes.as_chunks::<2>().0.iter().map(|pair| unit(*pair));
        let text: Result<String, _> = char::decode_utf16(units).collect();
        text.map(Cow::Owned).map_err(|error| error.to_string())
    };
    match bytes {
        [0xef, 0xbb, 0xbf, rest @ ..] => text(rest),
        [0xff, 0xfe, rest @ ..] => wide(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => wide(rest, u16::from_be_bytes),
        _ => str::from_utf8(bytes).map(Cow::Borrowed).map_err(|error| {
            let row = 1 + bytes[..error.valid_up_to()].iter().filter(|byte| **byte == b'\n').count();
            format!("row {row} is not UTF-8")
        }),
    }
}

/// What separates the cells, judged by the header: in many languages spreadsheets write semicolons, as text, tabs.
pub fn separator(text: &str) -> u8 {
    let header = text.lines().next().unwrap_or_default();
    let count = |separator: u8| header.bytes().filter(|byte| *byte == separator).count();
    // Of several that are as frequent the last one wins, and there may be one column only.
    [b';', b'\t', b','].into_iter().max_by_key(|separator| count(*separator)).unwrap_or(b',')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodings_of_spreadsheets_are_read() {
        let wanted = "file,顏色\na.png,Grün\n";
        let wide = |order: fn(u16) -> [u8; 2]| -> Vec<u8> {
            "\u{feff}".encode_utf16().chain(wanted.encode_utf16()).flat_map(order).collect()
        };
        for bytes in [
            wanted.into(),
            format!("\u{feff}{wanted}").into_bytes(),
            wide(u16::to_le_bytes),
            wide(u16::to_be_bytes),
        ] {
            assert_eq!(text(&bytes).unwrap(), wanted);
        }
    }

    #[test]
    fn another_encoding_is_said_with_its_row() {
        // Latin-1.
        let error = text(b"file,colour\na.png,blue\nb.png,gr\xfcn\n").unwrap_err();
        assert!(error.contains("row 3"), "{error}");
        assert!(text(b"\xff\xfe\x00\xd8a\x00").is_err());
    }

    #[test]
    fn the_header_tells_what_separates() {
        for (table, separator_of_it) in [
            ("file,a,b\nx;y;z,1,2", b','),
            ("file;a;b\nx,y", b';'),
            ("file\ta,b\tc\n", b'\t'),
            ("file\nx.png\n", b','),
            ("", b','),
        ] {
            assert_eq!(separator(table), separator_of_it, "{table}");
        }
    }
}
