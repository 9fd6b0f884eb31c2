//! Measures how fast a running server feeds WebSocket clients that only count.
//!
//! `cargo run --release -p tabwire-server --example flood_rate -- [messages] [bytes] [connections]`

use std::error::Error;
use std::time::Instant;

use futures_util::StreamExt;
use tabwire_server::Options;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::client_async;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let mut numbers = std::env::args().skip(1).map(|arg| arg.parse::<u64>());
    let mut next = |default| numbers.next().unwrap_or(Ok(default));
    let (count, size, connections) = (next(2_000_000)?, next(200)?, next(1)?);

    let server = tabwire_server::start(Options::default()).await?;
    let mut clients = Vec::new();
    for _ in 0..connections {
        let stream = TcpStream::connect(server.wire()).await?;
        let (client, _) = client_async(format!("ws://{}/ws", server.wire()), stream).await?;
        clients.push(client);
    }
    let body = format!(r#"{{"count":{count},"size":{size}}}"#);
    let request = format!(
        "POST /control/flood HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let begun = Instant::now();
    let mut control = TcpStream::connect(server.site()).await?;
    control.write_all(request.as_bytes()).await?;
    let counting: Vec<_> = clients
        .into_iter()
        .map(|mut client| {
            tokio::spawn(async move {
                for _ in 0..count {
                    client.next().await.ok_or("the server closed")??;
                }
                Ok::<_, Box<dyn Error + Send + Sync>>(())
            })
        })
        .collect();
    for task in counting {
        task.await??;
    }
    let seconds = begun.elapsed().as_secs_f64();
    control.read_to_end(&mut Vec::new()).await?;
    let total = count * connections;
    println!(
        "{total} messages of {size} bytes to {connections} connections in {seconds:.2} s: {:.0} a second",
        total as f64 / seconds
    );
    Ok(())
}
