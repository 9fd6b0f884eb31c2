//! A task of its own, sooner than any timer: a message to ourselves.

use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use web_sys::{MessageChannel, MessagePort};

/// Gives a callback a task of its own whenever it is asked for.
pub struct Tick {
    channel: MessageChannel,
    inner: MessagePort,
    _callback: Closure<dyn FnMut()>,
}

impl Tick {
    /// A tick that calls `callback`.
    pub fn new(callback: impl FnMut() + 'static) -> Result<Self, JsValue> {
        let channel = MessageChannel::new()?;
        let inner = channel.port1();
        let callback = Closure::<dyn FnMut()>::new(callback);
        inner.set_onmessage(Some(callback.as_ref().unchecked_ref()));
        Ok(Self {
            channel,
            inner,
            _callback: callback,
        })
    }

    /// Asks for one tick.
    pub fn request(&self) {
        // Posting null to a port of our own cannot fail.
        let _ = self.channel.port2().post_message(&JsValue::NULL);
    }
}

impl Drop for Tick {
    fn drop(&mut self) {
        self.inner.set_onmessage(None);
        self.inner.close();
    }
}
