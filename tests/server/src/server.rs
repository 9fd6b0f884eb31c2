//! Starts the server within this process.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::events::Events;
use crate::fault::Faults;
use crate::files::Files;
use crate::flood::Floods;
use crate::listener::{Peer, SiteListener, WireListener, WireSwitch, bind};
use crate::record::Record;
use crate::registry::Registry;
use crate::route_fault::RouteFaults;
use crate::service::Services;
use crate::signal::Signal;
use crate::state::{App, Counts};
use crate::tcp::Cut;
use crate::tokens::Tokens;
use crate::topics::Topics;
use crate::{prices, site, watch, wire};

/// How a server is to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// The port of the site, 0 for any free one; 0 by default.
    pub site_port: u16,
    /// The port of the wire, 0 for any free one; 0 by default.
    pub wire_port: u16,
    /// Where static files are looked for, the first match wins; none by default.
    pub static_dirs: Vec<PathBuf>,
    /// How many WebSockets may be live at one time; 50 by default.
    pub max_connections: usize,
    /// The age at which a WebSocket is closed; 30 minutes by default.
    pub max_age: Option<Duration>,
    /// How often a price is published; never by default.
    pub prices: Option<Duration>,
    /// Whether to print changes of the number of tabs or connections; off by default.
    pub watch: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            site_port: 0,
            wire_port: 0,
            static_dirs: Vec::new(),
            max_connections: 50,
            max_age: Some(Duration::from_secs(30 * 60)),
            prices: None,
            watch: false,
        }
    }
}

/// A running server; it ends when this is dropped.
pub struct Server {
    app: Arc<App>,
    site: SocketAddr,
    tasks: [JoinHandle<io::Result<()>>; 2],
    prices: Option<JoinHandle<Infallible>>,
}

/// Opens both ports and serves in the background.
///
/// # Errors
/// Those of binding a port.
pub async fn start(options: Options) -> io::Result<Server> {
    let site_port = bind(options.site_port)?;
    let wire_port = bind(options.wire_port)?;
    let site_address = site_port.local_addr()?;
    let (switch, commands) = WireSwitch::new();
    let app = Arc::new(App {
        started: Instant::now(),
        wire_address: wire_port.local_addr()?,
        wire: switch,
        faults: Faults::default(),
        tokens: Tokens::default(),
        registry: Registry::default(),
        counts: Counts::default(),
        record: Record::default(),
        floods: Floods::default(),
        topics: Topics::default(),
        events: Events::default(),
        route_faults: RouteFaults::default(),
        services: Services::default(),
        files: Files::new(options.static_dirs.clone()),
        changed: Signal::default(),
        options,
    });
    let wire = axum::serve(
        WireListener::new(Arc::clone(&app), wire_port, commands)?,
        wire::router(Arc::clone(&app)).into_make_service_with_connect_info::<Peer>(),
    );
    let site = axum::serve(
        SiteListener::new(site_port),
        site::router(Arc::clone(&app)).into_make_service_with_connect_info::<Peer>(),
    );
    let period = app.options.prices;
    let prices = period.map(|period| prices::start(&app, period));
    Ok(Server {
        app,
        prices,
        site: site_address,
        tasks: [
            tokio::spawn(wire.into_future()),
            tokio::spawn(site.into_future()),
        ],
    })
}

impl Server {
    /// The address of the site.
    pub fn site(&self) -> SocketAddr {
        self.site
    }

    /// The address of the wire.
    pub fn wire(&self) -> SocketAddr {
        self.app.wire_address
    }

    /// Prints the number of tabs and connections whenever one changes, where the options ask for it; never returns.
    pub async fn watch(&self) -> Infallible {
        if self.app.options.watch {
            watch::print_changes(&self.app).await;
        }
        std::future::pending().await
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
        if let Some(prices) = &self.prices {
            prices.abort();
        }
        self.app.cut_wire(Cut::Reset);
    }
}
