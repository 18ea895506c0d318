//! The invariants of ARCHITECTURE.md that can be read off the sources.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail loudly")]

use std::fs;
use std::path::{Path, PathBuf};

fn sources(folder: &str) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                found.push((path.clone(), fs::read_to_string(path).unwrap()));
            }
        }
    }
    assert!(!found.is_empty());
    found
}

/// A room and the rooms of this crate that it may use beside itself.
const ROOMS: &[(&str, &[&str])] = &[
    ("graph", &[]),
    ("onnx", &["graph"]),
    ("ops", &["graph", "onnx"]),
    ("data", &["platform"]),
    ("net", &["graph", "ops"]),
    ("join", &["graph", "ops", "net"]),
    ("train", &["graph", "ops", "net", "data", "join", "platform"]),
    ("search", &["join", "train"]),
    ("report", &["graph", "join", "search"]),
    ("evidence", &["join", "train", "search", "report"]),
];

#[test]
fn a_room_uses_only_rooms_below_it() {
    for (room, allowed) in ROOMS {
        for (path, text) in sources(room) {
            let code = text.split("#[cfg(test)]").next().unwrap();
            for used in code.split("crate::").skip(1) {
                let used: String = used.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                // Macros live at the crate's root; every room knows the kinds of tasks.
                let shared = ["with_tensor", "task_kind"].contains(&used.as_str());
                let fine = shared || used == *room || allowed.contains(&used.as_str());
                assert!(fine || used.is_empty(), "{} uses {used}", path.display());
            }
        }
    }
}

#[test]
fn graphs_and_onnx_files_know_nothing_of_burn() {
    for (path, text) in sources("graph").into_iter().chain(sources("onnx")) {
        assert!(!text.contains("burn::"), "{}", path.display());
    }
}

#[test]
fn the_browser_is_known_in_few_places() {
    for (path, text) in sources("") {
        let allowed =
            path.components().any(|part| part.as_os_str() == "web" || part.as_os_str() == "decoder")
                || path.ends_with("platform.rs");
        assert!(allowed || !text.contains("wasm_bindgen"), "{}", path.display());
    }
}
