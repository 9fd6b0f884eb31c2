//! The BroadcastChannel on which hubs find each other.

use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use web_sys::{BroadcastChannel, MessageEvent};

/// A channel that is listened to as long as this lives.
pub struct Channel {
    js: BroadcastChannel,
    _listener: Closure<dyn FnMut(MessageEvent)>,
}

impl Channel {
    /// Listens to the channel of this name. None where there are no channels, or they are refused (storage is blocked).
    pub fn open(name: &str, listener: impl FnMut(MessageEvent) + 'static) -> Option<Self> {
        let js = BroadcastChannel::new(name).ok()?;
        let listener = Closure::<dyn FnMut(MessageEvent)>::new(listener);
        js.set_onmessage(Some(listener.as_ref().unchecked_ref()));
        Some(Self {
            js,
            _listener: listener,
        })
    }

    /// Says something to all others.
    pub fn post(&self, message: &JsValue) {
        // Strings and numbers always clone, and the channel is open as long as this lives.
        let _ = self.js.post_message(message);
    }
}

impl Drop for Channel {
    fn drop(&mut self) {
        self.js.close();
    }
}
