//! Weights that lie in files beside the network's own: what exporters do with large networks, and PyTorch's with all.

use std::collections::BTreeMap;

use prost::Message;

use super::OnnxError;
use super::proto::{EXTERNAL, ModelProto, TensorProto};
use super::read::decode;

/// Paths of the files that hold weights of an ONNX file, relative to its folder; none for most networks.
///
/// # Errors
///
/// Bytes that are no ONNX file, and a path that leads out of the network's folder.
pub fn external_files(bytes: &[u8]) -> Result<Vec<String>, OnnxError> {
    let mut model = decode(bytes)?;
    let mut files: Vec<String> = Vec::new();
    for tensor in tensors(&mut model) {
        if let Some(file) = location(tensor) {
            check_path(file)?;
            if !files.iter().any(|known| known == file) {
                files.push(file.to_owned());
            }
        }
    }
    Ok(files)
}

/// The ONNX file with all its weights in it, taken from `files`, whose keys are those of [`external_files`].
///
/// # Errors
///
/// A file that is not given, a range that it does not hold, more weights than the files have bytes, and the errors of
/// [`external_files`].
pub fn with_external_files(bytes: &[u8], files: &BTreeMap<String, Vec<u8>>) -> Result<Vec<u8>, OnnxError> {
    let mut model = decode(bytes)?;
    // What many tensors claim of the same bytes would fill the memory.
    let mut left: usize = files.values().map(Vec::len).sum();
    for tensor in tensors(&mut model) {
        let Some(file) = location(tensor).map(str::to_owned) else { continue };
        check_path(&file)?;
        let held = files.get(&file).ok_or_else(|| OnnxError::ExternalData { file: file.clone() })?;
        let fail = |reason: &str| OnnxError::ExternalFile { file: file.clone(), reason: reason.to_owned() };
        let range = range(tensor, held.len()).ok_or_else(|| {
            let name = tensor.name.as_deref().unwrap_or_default();
            fail(&format!("is too short for tensor '{name}'"))
        })?;
        left = left.checked_sub(range.len()).ok_or_else(|| fail("holds less than the network claims"))?;
        tensor.raw_data = Some(held[range].to_vec());
        tensor.external_data.clear();
        tensor.data_location = None;
    }
    Ok(model.encode_to_vec())
}

/// Initializers, and tensors that are attributes.
fn tensors(model: &mut ModelProto) -> impl Iterator<Item = &mut TensorProto> {
    model.graph.iter_mut().flat_map(|graph| {
        let attributes = graph.node.iter_mut().flat_map(|node| &mut node.attribute);
        graph.initializer.iter_mut().chain(attributes.filter_map(|attribute| attribute.t.as_mut()))
    })
}

/// The file that holds a tensor's values, if it is another one.
pub fn location(tensor: &TensorProto) -> Option<&str> {
    let external = tensor.data_location == Some(EXTERNAL) || !tensor.external_data.is_empty();
    external.then(|| entry(tensor, "location").unwrap_or_default())
}

fn entry<'a>(tensor: &'a TensorProto, key: &str) -> Option<&'a str> {
    let found = tensor.external_data.iter().find(|entry| entry.key.as_deref() == Some(key))?;
    Some(found.value.as_deref().unwrap_or_default())
}

/// The tensor's bytes in a file of `size` bytes: to its end, unless the length is said.
fn range(tensor: &TensorProto, size: usize) -> Option<std::ops::Range<usize>> {
    let number = |key: &str, otherwise: usize| match entry(tensor, key) {
        Some(text) => text.parse().ok(),
        None => Some(otherwise),
    };
    let start: usize = number("offset", 0)?;
    let end = start.checked_add(number("length", size.checked_sub(start)?)?)?;
    (end <= size).then_some(start..end)
}

/// Whether a path stays in the folder of the network, on every system.
fn check_path(path: &str) -> Result<(), OnnxError> {
    let inside =
        |part: &str| !part.is_empty() && !part.contains([':', '\\']) && !part.trim_matches('.').is_empty();
    if path.split('/').all(|part| part == "." || inside(part)) {
        return Ok(());
    }
    Err(OnnxError::ExternalFile {
        file: path.to_owned(),
        reason: "is outside the network's folder, where nothing is read".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::super::proto::StringStringEntryProto;
    use super::super::{read, write};
    use super::*;
    use crate::graph::{Constant, Graph};

    /// A network with three weights of which the last two are at the end of `file`.
    fn split(file: &str) -> (Vec<u8>, Vec<u8>) {
        let mut graph = Graph { opset: 18, ..Graph::default() };
        let mut tensor = graph.add_input("image", vec![1, 2]);
        for (name, values) in [("a", [1.0, 2.0]), ("b", [3.0, 4.0]), ("c", [5.0, 6.0])] {
            let weight = graph.add_constant(name, Constant::f32(vec![2], values.to_vec()));
            tensor = graph.add_node("Mul", &format!("times {name}"), [tensor, weight]);
        }
        graph.outputs.push(tensor);
        let mut model = ModelProto::decode(&write(&graph).unwrap()[..]).unwrap();
        let mut data = vec![0; 4];
        for weight in &mut model.graph.as_mut().unwrap().initializer[1..] {
            let values = weight.raw_data.take().unwrap();
            let entries = [
                ("location", file.to_owned()),
                ("offset", data.len().to_string()),
                ("length", values.len().to_string()),
            ];
            weight.data_location = Some(EXTERNAL);
            weight.external_data = entries
                .map(|(key, value)| StringStringEntryProto { key: Some(key.into()), value: Some(value) })
                .into();
            data.extend(values);
        }
        (model.encode_to_vec(), data)
    }

    fn given(file: &str, data: Vec<u8>) -> BTreeMap<String, Vec<u8>> {
        BTreeMap::from([(file.to_owned(), data)])
    }

    #[test]
    fn weights_beside_the_network_are_taken_in() {
        let (model, data) = split("parts/net.data");
        assert_eq!(external_files(&model).unwrap(), ["parts/net.data"]);
        let whole = with_external_files(&model, &given("parts/net.data", data)).unwrap();
        assert!(external_files(&whole).unwrap().is_empty());
        let constants = read(&whole).unwrap().constants;
        let values: Vec<&[f32]> = constants.values().filter_map(Constant::as_f32).collect();
        assert_eq!(values, [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]);
    }

    #[test]
    fn without_their_file_it_is_named() {
        let (model, _) = split("net.data");
        let missing = OnnxError::ExternalData { file: "net.data".into() };
        assert_eq!(read(&model).unwrap_err(), missing);
        assert_eq!(with_external_files(&model, &BTreeMap::new()).unwrap_err(), missing);
    }

    #[test]
    fn a_file_that_is_too_short_is_an_error() {
        let (model, data) = split("net.data");
        for length in [0, 3, 12, 19] {
            let short = given("net.data", data[..length].to_vec());
            let error = with_external_files(&model, &short).unwrap_err();
            assert!(matches!(error, OnnxError::ExternalFile { .. }), "{error}");
        }
    }

    #[test]
    fn the_same_bytes_cannot_be_claimed_over_and_over() {
        let (model, data) = split("net.data");
        let mut model = ModelProto::decode(&model[..]).unwrap();
        let weights = &mut model.graph.as_mut().unwrap().initializer;
        for index in 0..10 {
            let mut again = weights[1].clone();
            again.name = Some(format!("again {index}"));
            weights.push(again);
        }
        let error = with_external_files(&model.encode_to_vec(), &given("net.data", data)).unwrap_err();
        assert!(error.to_string().contains("less than the network claims"), "{error}");
    }

    #[test]
    fn no_path_leads_out_of_the_folder() {
        for path in
            ["", "/etc/passwd", "../net.data", "a/../../b", "a//b", "C:\\net", "c:net", "a\\..\\b", "..."]
        {
            let (model, data) = split(path);
            assert!(matches!(external_files(&model), Err(OnnxError::ExternalFile { .. })), "{path}");
            assert!(with_external_files(&model, &given(path, data)).is_err(), "{path}");
        }
        assert!(external_files(&split("./net.data").0).is_ok());
    }
}
