//! Serves the static files, counts how often each is fetched, and lets chosen ones fail.

use std::collections::BTreeMap;
use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex};

use axum::extract::{self, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use crate::state::App;
use crate::sync::lock;

/// The static files of a server.
pub struct Files {
    dirs: Vec<PathBuf>,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    modes: BTreeMap<String, FileMode>,
    headers: BTreeMap<String, HeaderMap>,
    fetches: BTreeMap<String, u64>,
}

/// What befalls the fetches of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum FileMode {
    /// Nothing.
    #[serde(rename = "ok")]
    Ok,
    /// They are answered with 404.
    #[serde(rename = "404")]
    Missing,
    /// They are never answered.
    #[serde(rename = "hang")]
    Hang,
}

impl Files {
    /// Serves the files of `dirs`, the first match wins.
    pub fn new(dirs: Vec<PathBuf>) -> Self {
        Self {
            dirs,
            inner: Mutex::default(),
        }
    }

    /// Sets what befalls the fetches of `path` from now on.
    pub fn set_mode(&self, path: String, mode: FileMode) {
        lock(&self.inner).modes.insert(path, mode);
    }

    /// Sends these with the file at `path` from now on, in the place of those sent before.
    pub fn set_headers(&self, path: String, headers: HeaderMap) {
        lock(&self.inner).headers.insert(path, headers);
    }

    /// How often each path was asked for, answered or not.
    pub fn fetches(&self) -> BTreeMap<String, u64> {
        lock(&self.inner).fetches.clone()
    }

    fn enter(&self, path: &str) -> FileMode {
        let mut inner = lock(&self.inner);
        if inner.fetches.len() < MOST_PATHS || inner.fetches.contains_key(path) {
            *inner.fetches.entry(path.into()).or_default() += 1;
        }
        inner.modes.get(path).copied().unwrap_or(FileMode::Ok)
    }

    fn headers(&self, path: &str) -> HeaderMap {
        let inner = lock(&self.inner);
        inner.headers.get(path).cloned().unwrap_or_default()
    }

    async fn find(&self, path: &str) -> Found {
        let Some(relative) = relative(path) else {
            return Found::Nothing;
        };
        for dir in &self.dirs {
            let mut file = dir.join(&relative);
            if tokio::fs::metadata(&file)
                .await
                .is_ok_and(|found| found.is_dir())
            {
                file.push("index.html");
                if !path.ends_with('/') && tokio::fs::try_exists(&file).await.unwrap_or(false) {
                    return Found::Directory;
                }
            }
            match tokio::fs::read(&file).await {
                Ok(bytes) => return Found::File(file, bytes),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(_) => return Found::Nothing,
            }
        }
        Found::Nothing
    }
}

enum Found {
    File(PathBuf, Vec<u8>),
    Directory,
    Nothing,
}

/// Answers `GET` of any path that no route claims.
pub async fn serve_path(
    State(app): State<Arc<App>>,
    extract::Path(path): extract::Path<String>,
) -> Response {
    serve(&app.files, &format!("/{path}")).await
}

/// Answers `GET /`.
pub async fn serve_root(State(app): State<Arc<App>>) -> Response {
    serve(&app.files, "/").await
}

async fn serve(files: &Files, path: &str) -> Response {
    match files.enter(path) {
        FileMode::Ok => {}
        FileMode::Missing => return missing(path),
        FileMode::Hang => return std::future::pending().await,
    }
    let mut response = match files.find(path).await {
        Found::File(file, bytes) => ([(CONTENT_TYPE, mime(&file))], bytes).into_response(),
        // Relative links of its page would otherwise start from the parent.
        Found::Directory => Redirect::temporary(&format!("{path}/")).into_response(),
        Found::Nothing => missing(path),
    };
    response
        .headers_mut()
        .insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response.headers_mut().extend(files.headers(path));
    response
}

fn missing(path: &str) -> Response {
    (StatusCode::NOT_FOUND, format!("no file {path}\n")).into_response()
}

/// The path below a served directory, or `None` where it would lead out of it.
fn relative(path: &str) -> Option<PathBuf> {
    let path = Path::new(path.trim_start_matches('/'));
    path.components()
        .all(|part| matches!(part, Component::Normal(_)))
        .then(|| path.into())
}

fn mime(file: &Path) -> &'static str {
    let extension = file.extension().and_then(|extension| extension.to_str());
    match extension.unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" | "map" => "application/json",
        "wasm" => "application/wasm",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "webp" => "image/webp",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "txt" | "md" | "ts" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

/// How many different paths are counted.
const MOST_PATHS: usize = 10_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_stay_below_the_directory() {
        assert_eq!(relative("/"), Some(PathBuf::new()));
        assert_eq!(relative("/a/b.js"), Some("a/b.js".into()));
        assert_eq!(relative("//etc/passwd"), Some("etc/passwd".into()));
        assert_eq!(relative("/a/../../b"), None);
        assert_eq!(relative("/.."), None);
    }
}
