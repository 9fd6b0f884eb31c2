//! The command line of the demo and fault server.

use std::io::{self, Read, Write};
use std::process::ExitCode;

use tabwire_server::args::{self, Args};
use tokio::sync::oneshot;

#[tokio::main]
async fn main() -> ExitCode {
    match args::parse(std::env::args().skip(1)) {
        Ok(Args::Help) => {
            print!("{}", args::HELP);
            ExitCode::SUCCESS
        }
        Ok(Args::Serve {
            options,
            exit_with_stdin,
        }) => match serve(options, exit_with_stdin).await {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("tabwire-server: {error}");
                ExitCode::FAILURE
            }
        },
        Err(message) => {
            eprintln!("tabwire-server: {message}\n\n{}", args::HELP);
            ExitCode::from(2)
        }
    }
}

async fn serve(options: tabwire_server::Options, exit_with_stdin: bool) -> io::Result<()> {
    // Before the line is printed: who has read it may send a signal at once.
    let signals = Signals::install()?;
    let server = tabwire_server::start(options).await?;
    let line = serde_json::json!({
        "site": format!("http://{}", server.site()),
        "wire": format!("http://{}", server.wire()),
    });
    let mut out = io::stdout();
    writeln!(out, "{line}")?;
    out.flush()?;
    tokio::select! {
        () = signals.stop() => Ok(()),
        () = stdin_end(exit_with_stdin) => Ok(()),
        never = server.watch() => match never {},
    }
}

/// The signals that stop the server.
#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn install() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};

        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    async fn stop(mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

/// The signals that stop the server.
#[cfg(windows)]
struct Signals {
    interrupt: tokio::signal::windows::CtrlC,
}

#[cfg(windows)]
impl Signals {
    fn install() -> io::Result<Self> {
        let interrupt = tokio::signal::windows::ctrl_c()?;
        Ok(Self { interrupt })
    }

    async fn stop(mut self) {
        self.interrupt.recv().await;
    }
}

/// Resolves when stdin has ended, or never when that is not asked for.
///
/// The thread is a plain one: a read on tokio's blocking pool would hold up the exit that a signal asks for.
async fn stdin_end(asked: bool) {
    if !asked {
        return std::future::pending().await;
    }
    let (ended, end) = oneshot::channel::<()>();
    std::thread::spawn(move || {
        let mut buffer = [0; 1024];
        let mut stdin = io::stdin();
        while matches!(stdin.read(&mut buffer), Ok(1..)) {}
        drop(ended);
    });
    // The thread never sends: its dropped end is the news.
    let _ = end.await;
}
