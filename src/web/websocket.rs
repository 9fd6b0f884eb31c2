//! A WebSocket whose events count as long as this lives.

use js_sys::{Array, JsString};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use web_sys::{BinaryType, CloseEvent, MessageEvent, WebSocket};

use super::convert::Frame;
use crate::core::SocketEvent;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = WebSocket, extends = WebSocket)]
    type AnySocket;
    #[wasm_bindgen(method, catch)]
    fn send(this: &AnySocket, data: &JsValue) -> Result<(), JsValue>;
    #[wasm_bindgen(method, catch)]
    fn close(this: &AnySocket) -> Result<(), JsValue>;
}

/// One WebSocket. Dropping it detaches the handlers and closes it, without waiting for an event.
pub struct Socket {
    js: WebSocket,
    _open: Closure<dyn FnMut()>,
    _message: Closure<dyn FnMut(MessageEvent)>,
    _close: Closure<dyn FnMut(CloseEvent)>,
}

impl Socket {
    /// Opens a WebSocket. An error is what its constructor threw.
    pub fn open(
        url: &str,
        protocols: &[String],
        notify: impl Fn(SocketEvent<Frame>) + Clone + 'static,
    ) -> Result<Self, JsValue> {
        let offered: Array = protocols
            .iter()
            .map(|name| JsString::from(name.as_str()))
            .collect();
        let js = WebSocket::new_with_str_sequence(url, &offered)?;
        js.set_binary_type(BinaryType::Arraybuffer);
        let open = {
            let (js, notify) = (js.clone(), notify.clone());
            Closure::<dyn FnMut()>::new(move || {
                notify(SocketEvent::Opened {
                    protocol: js.protocol(),
                    extensions: js.extensions(),
                });
            })
        };
        let message = {
            let notify = notify.clone();
            Closure::<dyn FnMut(_)>::new(move |event: MessageEvent| {
                if let Some(frame) = Frame::new(event.data()) {
                    notify(SocketEvent::Frame(frame));
                }
            })
        };
        let close = Closure::<dyn FnMut(_)>::new(move |event: CloseEvent| {
            notify(SocketEvent::Closed {
                code: event.code(),
                reason: event.reason(),
                clean: event.was_clean(),
            });
        });
        js.set_onopen(Some(open.as_ref().unchecked_ref()));
        js.set_onmessage(Some(message.as_ref().unchecked_ref()));
        js.set_onclose(Some(close.as_ref().unchecked_ref()));
        Ok(Self {
            js,
            _open: open,
            _message: message,
            _close: close,
        })
    }

    /// Sends a frame. On a socket that is closing the browser discards it, and the close event will tell.
    pub fn send(&self, frame: &Frame) {
        let _ = self.js.unchecked_ref::<AnySocket>().send(frame.value());
    }

    /// Closes the socket with a code for the server, and forgets it.
    pub fn close(self, code: Option<u16>, reason: &str) {
        self.detach();
        let closed = code.map(|code| self.js.close_with_code_and_reason(code, reason));
        if !matches!(closed, Some(Ok(()))) {
            // A code that scripts may not use: close without one.
            let _ = self.js.unchecked_ref::<AnySocket>().close();
        }
    }

    fn detach(&self) {
        self.js.set_onopen(None);
        self.js.set_onmessage(None);
        self.js.set_onclose(None);
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.detach();
        let _ = self.js.unchecked_ref::<AnySocket>().close();
    }
}
