//! A server in this process, and clients for its two ports.

#![allow(dead_code, reason = "no test file uses all of it")]

pub mod stream;

use std::io;
use std::net::SocketAddr;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tabwire_server::{Options, Server};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

/// A running server and the addresses of its ports.
pub struct Fixture {
    pub site: SocketAddr,
    pub wire: SocketAddr,
    _server: Server,
}

/// An answer to an HTTP request.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

/// A WebSocket client.
#[derive(Debug)]
pub struct Client(pub WebSocketStream<TcpStream>);

/// Starts a server with the default options.
pub async fn start() -> Fixture {
    start_with(Options::default()).await
}

/// Starts a server.
pub async fn start_with(options: Options) -> Fixture {
    let server = tabwire_server::start(options).await.unwrap();
    Fixture {
        site: server.site(),
        wire: server.wire(),
        _server: server,
    }
}

impl Fixture {
    /// Opens `/ws` on the wire.
    pub async fn connect(&self) -> Client {
        self.open("/ws").await
    }

    /// Opens a WebSocket on the wire.
    pub async fn open(&self, path: &str) -> Client {
        open(self.wire, path).await.unwrap()
    }

    /// Opens `/ws/topics` on the wire, and subscribes to a topic there.
    pub async fn subscriber(&self, topic: &str) -> Client {
        let mut client = self.open("/ws/topics").await;
        let subscribe = json!({ "type": "subscribe", "id": 1, "topics": [topic] });
        client.send(&subscribe.to_string()).await;
        client.text().await;
        client
    }

    /// Opens `/ws` on the wire, which is to fail with an HTTP status.
    pub async fn refused_with(&self) -> u16 {
        self.refused_at("/ws").await
    }

    /// Opens a WebSocket on the wire, which is to fail with an HTTP status.
    pub async fn refused_at(&self, path: &str) -> u16 {
        match open(self.wire, path).await.unwrap_err() {
            Error::Http(response) => response.status().as_u16(),
            error => panic!("not an HTTP answer: {error}"),
        }
    }

    /// Sends `GET` to the site.
    pub async fn get(&self, path: &str) -> Reply {
        request(self.site, "GET", path, "").await.unwrap()
    }

    /// Sends `POST` to a control, which is to be carried out.
    pub async fn post(&self, control: &str, body: Value) -> Value {
        let reply = self.try_post(control, body).await;
        assert_eq!(reply.status, 200, "{control}: {reply:?}");
        reply.json()
    }

    /// Sends `POST` to a control.
    pub async fn try_post(&self, control: &str, body: Value) -> Reply {
        let path = format!("/control/{control}");
        request(self.site, "POST", &path, &body.to_string())
            .await
            .unwrap()
    }

    /// The statistics.
    pub async fn stats(&self) -> Value {
        self.get("/control/stats").await.json()
    }

    /// Waits for a condition, which is to come true, and returns the statistics.
    pub async fn wait(&self, query: &str) -> Value {
        let reply = self.get(&format!("/control/wait?{query}")).await;
        assert_eq!(reply.status, 200, "{query}: {}", reply.text());
        reply.json()
    }

    /// The texts that were received.
    pub async fn received(&self) -> Vec<String> {
        let page = self.get("/control/received").await.json();
        let frames = page["frames"].as_array().unwrap();
        frames
            .iter()
            .map(|frame| frame["text"].as_str().unwrap().into())
            .collect()
    }
}

impl Reply {
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// The value of a header, empty where there is none.
    pub fn header(&self, name: &str) -> &str {
        self.head
            .lines()
            .filter_map(|line| line.split_once(": "))
            .find(|(found, _)| found.eq_ignore_ascii_case(name))
            .map_or("", |(_, value)| value)
    }
}

impl Client {
    pub async fn send(&mut self, text: &str) {
        self.0.send(Message::text(text)).await.unwrap();
    }

    /// The next text message.
    pub async fn text(&mut self) -> String {
        match self.message().await {
            Message::Text(text) => text.as_str().into(),
            other => panic!("not a text: {other:?}"),
        }
    }

    pub async fn json(&mut self) -> Value {
        serde_json::from_str(&self.text().await).unwrap()
    }

    pub async fn message(&mut self) -> Message {
        self.0.next().await.unwrap().unwrap()
    }

    /// Sends a ping and waits for its pong: everything sent before has then been handled.
    pub async fn settle(&mut self) {
        self.send("ping").await;
        assert_eq!(self.text().await, "pong");
    }

    /// The code and reason of the close frame that comes next; answers it and waits for the end.
    pub async fn closed_with(&mut self) -> (u16, String) {
        let Message::Close(Some(frame)) = self.message().await else {
            panic!("no close frame with a code");
        };
        assert!(self.0.next().await.is_none(), "the connection goes on");
        (frame.code.into(), frame.reason.as_str().into())
    }

    /// The error with which the connection ends next.
    pub async fn broken(&mut self) -> Error {
        self.0.next().await.unwrap().unwrap_err()
    }

    /// Closes with a handshake.
    pub async fn close(mut self) {
        self.0.close(None).await.unwrap();
        while let Some(message) = self.0.next().await {
            message.unwrap();
        }
    }
}

/// Whether a connection ended by RST.
pub fn is_reset(error: &Error) -> bool {
    matches!(error, Error::Io(error) if error.kind() == io::ErrorKind::ConnectionReset)
}

/// Whether a connection ended by FIN, without a close frame.
pub fn is_plain_end(error: &Error) -> bool {
    use tokio_tungstenite::tungstenite::error::ProtocolError::ResetWithoutClosingHandshake;
    matches!(error, Error::Protocol(ResetWithoutClosingHandshake))
}

/// Opens a WebSocket.
pub async fn open(address: SocketAddr, path: &str) -> Result<Client, Error> {
    let stream = TcpStream::connect(address).await?;
    let (socket, _) = client_async(format!("ws://{address}{path}"), stream).await?;
    Ok(Client(socket))
}

/// Sends one HTTP request on a connection of its own.
pub async fn request(
    address: SocketAddr,
    method: &str,
    target: &str,
    body: &str,
) -> io::Result<Reply> {
    request_with(address, method, target, &[], body).await
}

/// Sends one HTTP request with headers on a connection of its own.
pub async fn request_with(
    address: SocketAddr,
    method: &str,
    target: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> io::Result<Reply> {
    let length = body.len();
    let mut head =
        format!("{method} {target} HTTP/1.1\r\nhost: {address}\r\ncontent-length: {length}\r\n");
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    exchange(address, &format!("{head}connection: close\r\n\r\n{body}")).await
}

/// Sends bytes and reads the answer up to the end of the connection.
pub async fn exchange(address: SocketAddr, request: &str) -> io::Result<Reply> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(request.as_bytes()).await?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await?;
    let split = bytes
        .windows(4)
        .position(|window| window == b"\r\n\r\n")
        .ok_or(io::ErrorKind::UnexpectedEof)?;
    let head = String::from_utf8_lossy(&bytes[..split]).into_owned();
    Ok(Reply {
        status: head[9..12].parse().unwrap(),
        body: bytes[split + 4..].to_vec(),
        head,
    })
}
