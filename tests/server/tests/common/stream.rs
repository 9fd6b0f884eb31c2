//! A client of a stream of events.

use std::net::SocketAddr;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

/// An open stream of events, after the head of its answer.
pub struct Stream {
    pub head: String,
    lines: BufReader<TcpStream>,
}

impl Stream {
    /// Asks for a stream and reads the head of the answer.
    pub async fn open(address: SocketAddr, target: &str, last_event_id: Option<&str>) -> Self {
        let mut stream = TcpStream::connect(address).await.unwrap();
        // By HTTP/1.0, whose body comes as it is and not in chunks.
        let mut request = format!("GET {target} HTTP/1.0\r\n");
        if let Some(id) = last_event_id {
            request.push_str(&format!("last-event-id: {id}\r\n"));
        }
        request.push_str("\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut lines = BufReader::new(stream);
        let head = block(&mut lines).await;
        Self { head, lines }
    }

    /// The lines of the next event, empty at the end of the stream.
    pub async fn event(&mut self) -> String {
        block(&mut self.lines).await
    }
}

/// The lines up to the next empty one.
async fn block(lines: &mut BufReader<TcpStream>) -> String {
    let mut block = String::new();
    loop {
        let mut line = String::new();
        lines.read_line(&mut line).await.unwrap();
        let line = line.trim_end_matches(['\r', '\n']);
        if line.is_empty() {
            return block;
        }
        block.push_str(line);
        block.push('\n');
    }
}
