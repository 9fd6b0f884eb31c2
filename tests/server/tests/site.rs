//! What the site serves.

mod common;

use std::path::PathBuf;

use common::{exchange, request, start, start_with};
use serde_json::json;
use tabwire_server::Options;

/// A directory of files that is removed when dropped.
struct Dir(PathBuf);

impl Dir {
    fn new(name: &str, files: &[(&str, &str)]) -> Self {
        let dir =
            std::env::temp_dir().join(format!("tabwire-server-{}-{name}", std::process::id()));
        for (path, content) in files {
            let file = dir.join(path);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, content).unwrap();
        }
        Self(dir)
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).unwrap();
    }
}

fn serving(dirs: &[&Dir]) -> Options {
    Options {
        static_dirs: dirs.iter().map(|dir| dir.0.clone()).collect(),
        ..Options::default()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_have_their_types_and_are_not_cached() {
    let dir = Dir::new(
        "types",
        &[
            ("index.html", "root"),
            ("hub.wasm", "w"),
            ("worker.js", "j"),
            ("a b.mjs", "m"),
            ("deep/style.css", "c"),
            ("page/index.html", "page"),
        ],
    );
    let server = start_with(serving(&[&dir])).await;
    for (path, mime, body) in [
        ("/", "text/html; charset=utf-8", "root"),
        ("/hub.wasm", "application/wasm", "w"),
        ("/worker.js?build=1", "text/javascript; charset=utf-8", "j"),
        ("/a%20b.mjs", "text/javascript; charset=utf-8", "m"),
        ("/deep/style.css", "text/css; charset=utf-8", "c"),
        ("/page/", "text/html; charset=utf-8", "page"),
    ] {
        let reply = server.get(path).await;
        assert_eq!(reply.status, 200, "{path}");
        assert_eq!(reply.header("content-type"), mime, "{path}");
        assert_eq!(reply.header("cache-control"), "no-cache", "{path}");
        assert_eq!(reply.text(), body, "{path}");
    }
    let head = request(server.site, "HEAD", "/hub.wasm", "").await.unwrap();
    assert_eq!((head.status, head.text()), (200, ""));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_directory_is_redirected_to_its_slash() {
    let dir = Dir::new("slash", &[("page/index.html", "page")]);
    let server = start_with(serving(&[&dir])).await;
    let reply = server.get("/page").await;
    assert_eq!((reply.status, reply.header("location")), (307, "/page/"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_directory_that_has_a_file_wins() {
    let first = Dir::new("first", &[("a.txt", "first")]);
    let second = Dir::new("second", &[("a.txt", "second"), ("b.txt", "second")]);
    let server = start_with(serving(&[&first, &second])).await;
    assert_eq!(server.get("/a.txt").await.text(), "first");
    assert_eq!(server.get("/b.txt").await.text(), "second");
    assert_eq!(server.get("/c.txt").await.status, 404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_outside_the_directories_is_served() {
    let dir = Dir::new("outside", &[("inner/a.txt", "a"), ("secret.txt", "s")]);
    let inner = Options {
        static_dirs: vec![dir.0.join("inner")],
        ..Options::default()
    };
    let server = start_with(inner).await;
    for path in ["/../secret.txt", "/%2e%2e/secret.txt", "/..%2fsecret.txt"] {
        assert_eq!(server.get(path).await.status, 404, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fetches_are_counted_by_path() {
    let dir = Dir::new("counted", &[("hub.wasm", "w")]);
    let server = start_with(serving(&[&dir])).await;
    for path in ["/hub.wasm", "/hub.wasm?v=2", "/none.js", "/hub.wasm"] {
        server.get(path).await;
    }
    assert_eq!(
        server.get("/control/fetches").await.json(),
        json!({ "/hub.wasm": 3, "/none.js": 1 })
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_is_sent_with_the_headers_that_were_ordered_for_it() {
    let dir = Dir::new("headers", &[("a.js", "a"), ("b.js", "b")]);
    let server = start_with(serving(&[&dir])).await;
    for policy in ["default-src 'none'", "script-src 'self'"] {
        let headers = json!({ "Content-Security-Policy": policy, "Cache-Control": "no-store" });
        server
            .post("static", json!({ "path": "/a.js", "headers": headers }))
            .await;
        let reply = server.get("/a.js?build=1").await;
        assert_eq!(reply.header("content-security-policy"), policy);
        assert_eq!(reply.header("cache-control"), "no-store");
    }
    let other = server.get("/b.js").await;
    assert_eq!(other.header("cache-control"), "no-cache");
    assert!(!other.head.contains("security-policy"), "{}", other.head);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_chosen_path_is_missing_or_hangs_until_it_is_well_again() {
    let dir = Dir::new("modes", &[("worker.js", "j")]);
    let server = start_with(serving(&[&dir])).await;
    let set = async |mode: &str| {
        let order = json!({ "path": "/worker.js", "mode": mode });
        server.post("static", order).await;
    };
    set("404").await;
    assert_eq!(server.get("/worker.js").await.status, 404);

    set("hang").await;
    let mut hanging = Box::pin(server.get("/worker.js"));
    // The request has arrived when it is counted; the mode is looked up at the same moment.
    tokio::select! {
        biased;
        reply = &mut hanging => panic!("answered: {reply:?}"),
        () = async {
            while server.get("/control/fetches").await.json()["/worker.js"] != 2 {
                tokio::task::yield_now().await;
            }
        } => {}
    }
    set("ok").await;
    assert_eq!(server.get("/worker.js").await.text(), "j");
    tokio::select! {
        biased;
        reply = &mut hanging => panic!("answered: {reply:?}"),
        () = std::future::ready(()) => {}
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_configuration_names_the_wire_and_no_prices_where_there_are_none() {
    let server = start().await;
    let wire = format!("ws://{}", server.wire);
    assert_eq!(
        server.get("/config.json").await.json(),
        json!({ "wire": wire, "prices": [] })
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn any_host_and_absolute_request_lines_are_served() {
    let dir = Dir::new("hosts", &[("a.txt", "a")]);
    let server = start_with(serving(&[&dir])).await;
    for target in ["/a.txt", "http://insecure.test:81/a.txt"] {
        let request =
            format!("GET {target} HTTP/1.1\r\nhost: insecure.test:81\r\nconnection: close\r\n\r\n");
        let reply = exchange(server.site, &request).await.unwrap();
        assert_eq!((reply.status, reply.text()), (200, "a"), "{target}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_site_has_the_routes_of_the_wire_but_not_its_faults() {
    let server = start().await;
    server.post("fault", json!({ "kind": "refuse" })).await;
    let mut client = common::open(server.site, "/ws").await.unwrap();
    server.post("fault", json!({ "kind": "hang" })).await;
    client.settle().await;
    server.post("reset", json!({})).await;
    client.settle().await;
    let health = server.get("/api/v1/public/health").await;
    assert_eq!(health.json()["status"], "healthy");
    assert_eq!(server.stats().await["connections"][0]["wire"], false);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_wire_has_neither_files_nor_controls() {
    let dir = Dir::new("wire", &[("a.txt", "a")]);
    let server = start_with(serving(&[&dir])).await;
    for path in ["/a.txt", "/control/stats", "/config.json"] {
        let reply = request(server.wire, "GET", path, "").await.unwrap();
        assert_eq!(reply.status, 404, "{path}");
    }
}
