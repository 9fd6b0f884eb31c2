//! The program itself.

mod common;

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};

use common::open;
use serde_json::Value;

struct Program {
    child: Child,
    lines: BufReader<ChildStdout>,
}

impl Program {
    fn run(args: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_tabwire-server"))
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        Self { child, lines }
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.lines.read_line(&mut line).unwrap();
        line.trim_end().into()
    }

    fn addresses(&mut self) -> (String, String) {
        let line: Value = serde_json::from_str(&self.line()).unwrap();
        let address = |key: &str| line[key].as_str().unwrap()["http://".len()..].to_string();
        (address("site"), address("wire"))
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // Fails where the program has ended by itself, as most tests want.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_addresses_are_printed_and_served_and_stdin_ends_it() {
    let mut program = Program::run(&["--exit-with-stdin"]);
    let (site, wire) = program.addresses();
    assert!(site.starts_with("127.0.0.1:") && wire.starts_with("127.0.0.1:"));
    assert_ne!(site, wire);
    let mut client = open(wire.parse().unwrap(), "/ws").await.unwrap();
    client.settle().await;
    drop(program.child.stdin.take());
    assert!(program.child.wait().unwrap().success());
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sigterm_ends_it_while_stdin_is_open() {
    let mut program = Program::run(&["--exit-with-stdin"]);
    program.addresses();
    let kill = Command::new("kill")
        .arg(program.child.id().to_string())
        .status();
    assert!(kill.unwrap().success());
    assert!(program.child.wait().unwrap().success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changes_are_printed_when_watched() {
    let mut program = Program::run(&["--watch"]);
    let (_, wire) = program.addresses();
    let mut client = open(wire.parse().unwrap(), "/ws").await.unwrap();
    assert_eq!(program.line(), "tabs 0   connections 1");
    client.send(r#"{"type":"tabs","count":10}"#).await;
    assert_eq!(program.line(), "tabs 10   connections 1");
    client.close().await;
    assert_eq!(program.line(), "tabs ?   connections 0");
}

#[test]
fn a_bad_argument_is_named() {
    let output = Command::new(env!("CARGO_BIN_EXE_tabwire-server"))
        .arg("--wat")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(message.contains("unknown argument --wat"), "{message}");
}

#[test]
fn a_port_in_use_is_an_error() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let output = Command::new(env!("CARGO_BIN_EXE_tabwire-server"))
        .args(["--wire-port", &port])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
}
