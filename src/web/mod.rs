//! The browser's side of the hub: the only code that touches a web API.

mod channel;
mod clock;
mod convert;
mod driver;
mod exports;
mod fetch_stream;
mod locks;
mod port;
mod tick;
mod websocket;

pub use exports::Hub;
