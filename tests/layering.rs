//! The layers point one way: time ← protocol ← core ← web.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

use std::fs;
use std::path::{Path, PathBuf};

#[test]
fn no_layer_names_one_above_it() {
    for (layer, above) in [
        (
            "src/time.rs",
            &["crate::protocol", "crate::core", "crate::web"][..],
        ),
        ("src/protocol", &["crate::core", "crate::web"]),
        ("src/core", &["crate::web"]),
    ] {
        assert_none(layer, above);
    }
}

#[test]
fn the_core_names_no_browser_clock_or_ambient_randomness() {
    const BANNED: &[&str] = &[
        "web_sys",
        "js_sys",
        "wasm_bindgen",
        "gloo_",
        "std::time::",
        "SystemTime",
        "thread_rng",
        "fastrand::u",
        "fastrand::f",
        "println!",
        "eprintln!",
        "HashMap",
        "HashSet",
    ];
    assert_none("src/core", BANNED);
    assert_none("src/protocol", BANNED);
    assert_none("src/time.rs", BANNED);
}

#[test]
fn only_the_web_layer_is_left_out_of_native_builds() {
    for file in sources("src") {
        if !file.starts_with("src/web") && file != Path::new("src/lib.rs") {
            let text = fs::read_to_string(&file).unwrap();
            assert!(
                !text.contains("wasm32"),
                "{} depends on the target",
                file.display()
            );
        }
    }
}

#[test]
fn the_page_reaches_the_worker_by_url_and_the_local_hub_by_dynamic_import_only() {
    // What is for unit tests has the hub within.
    let is_for_pages = |file: &PathBuf| !file.starts_with("www/testing");
    for file in sources("www").into_iter().filter(is_for_pages) {
        let text = fs::read_to_string(&file).unwrap();
        for line in text.lines().map(str::trim_start) {
            let is_static = line.starts_with("import ") || line.starts_with("export ");
            let leaves =
                line.contains("/worker/") || line.contains("local.js") || line.contains("#glue");
            assert!(!(is_static && leaves), "{}: {line}", file.display());
        }
    }
}

#[test]
fn the_client_does_not_know_react() {
    assert_none("www/client", &["react", "../demo", "../testing"]);
    assert_none("www/react", &["../demo", "../testing"]);
    assert_none("www/testing", &["react", "../demo"]);
}

#[test]
fn no_source_file_is_longer_than_600_lines() {
    for root in ["src", "www", "worker"] {
        for file in sources(root) {
            let lines = fs::read_to_string(&file).unwrap().lines().count();
            assert!(lines <= 600, "{} has {lines} lines", file.display());
        }
    }
}

fn assert_none(root: &str, banned: &[&str]) {
    for file in sources(root) {
        let text = fs::read_to_string(&file).unwrap();
        for (number, line) in text.lines().enumerate() {
            for word in banned {
                assert!(
                    !line.contains(word),
                    "{}:{} names {word}",
                    file.display(),
                    number + 1
                );
            }
        }
    }
}

fn sources(root: &str) -> Vec<PathBuf> {
    let root = Path::new(root);
    if root.is_file() {
        return vec![root.to_path_buf()];
    }
    let mut found = Vec::new();
    for entry in fs::read_dir(root).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            if !path.ends_with("node_modules") && !path.ends_with("dist") {
                found.extend(sources(&path.to_string_lossy()));
            }
        } else if path
            .extension()
            .is_some_and(|extension| ["rs", "ts", "tsx"].iter().any(|known| extension == *known))
        {
            found.push(path);
        }
    }
    found
}
