//! A WebSocket whose events count as long as this lives.

use std::cell::Cell;
use std::rc::Rc;

use js_sys::{Array, Function, JsString, Set};
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

    /// What stands between the hub and a socket: each call tells whether the frame was translated.
    #[derive(Clone)]
    type Translator;
    #[wasm_bindgen(method)]
    fn encode(this: &Translator, frame: &JsValue) -> bool;
    #[wasm_bindgen(method)]
    fn decode(this: &Translator, frame: &JsValue) -> bool;
}

thread_local! {
    static LIVE: Set = Set::new(&JsValue::UNDEFINED);
}

/// Closes every WebSocket there is. For a hub that has failed and cannot be asked any more.
pub fn close_all() {
    LIVE.with(|live| {
        for socket in live.values().into_iter().flatten() {
            let socket: WebSocket = socket.unchecked_into();
            detach(&socket);
            let _ = socket.unchecked_ref::<AnySocket>().close();
        }
        live.clear();
    });
}

/// One WebSocket. Dropping it detaches the handlers and closes it, without waiting for an event.
pub struct Socket {
    js: WebSocket,
    was_closing: Rc<Cell<bool>>,
    translator: Option<Translator>,
    _received: Option<Closure<dyn FnMut(JsValue)>>,
    _open: Closure<dyn FnMut()>,
    _message: Closure<dyn FnMut(MessageEvent)>,
    _close: Closure<dyn FnMut(CloseEvent)>,
}

impl Socket {
    /// Opens a WebSocket, with what makes its translator and the name of that, if it has one. An error is what a constructor threw.
    pub fn open(
        url: &str,
        protocols: &[String],
        code: Option<(&Function, &str)>,
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
        let (translator, received) = match code {
            Some((make, name)) => {
                let notify = notify.clone();
                let received = Closure::<dyn FnMut(_)>::new(move |frame: JsValue| {
                    notify(Frame::new(frame).map_or(SocketEvent::Garbled, SocketEvent::Frame));
                });
                let made = make.call3(&JsValue::NULL, &name.into(), &js, received.as_ref())?;
                (Some(made.unchecked_into::<Translator>()), Some(received))
            }
            None => (None, None),
        };
        let message = {
            let (notify, translator) = (notify.clone(), translator.clone());
            Closure::<dyn FnMut(_)>::new(move |event: MessageEvent| match &translator {
                Some(translator) => {
                    if !translator.decode(&event.data()) {
                        notify(SocketEvent::Garbled);
                    }
                }
                None => {
                    if let Some(frame) = Frame::new(event.data()) {
                        notify(SocketEvent::Frame(frame));
                    }
                }
            })
        };
        let was_closing = Rc::new(Cell::new(false));
        let is_doubtful = Rc::clone(&was_closing);
        let close = Closure::<dyn FnMut(_)>::new(move |event: CloseEvent| {
            notify(SocketEvent::Closed {
                code: event.code(),
                reason: event.reason(),
                clean: event.was_clean() && !is_doubtful.get(),
            });
        });
        LIVE.with(|live| live.add(&js));
        js.set_onopen(Some(open.as_ref().unchecked_ref()));
        js.set_onmessage(Some(message.as_ref().unchecked_ref()));
        js.set_onclose(Some(close.as_ref().unchecked_ref()));
        Ok(Self {
            js,
            was_closing,
            translator,
            _received: received,
            _open: open,
            _message: message,
            _close: close,
        })
    }

    /// Sends a frame. On a socket that is closing the browser discards it, and the close event will tell. False if it could not be
    /// translated.
    pub fn send(&self, frame: &Frame) -> bool {
        if let Some(translator) = &self.translator {
            return translator.encode(frame.value());
        }
        let _ = self.js.unchecked_ref::<AnySocket>().send(frame.value());
        true
    }

    /// Bytes that have been sent and not passed on, as far as the browser says.
    pub fn buffered(&self) -> usize {
        self.js.buffered_amount() as usize
    }

    /// Starts the closing handshake. Its end is told by the close event, as unclean if the server had begun to close before:
    /// what was sent since then the browser has thrown away.
    pub fn retire(&self, code: u16, reason: &str) {
        self.was_closing
            .set(self.js.ready_state() != WebSocket::OPEN);
        // 1000 and a short reason are always taken.
        let _ = self.js.close_with_code_and_reason(code, reason);
    }

    /// Closes the socket with a code for the server, and forgets it.
    pub fn close(self, code: Option<u16>, reason: &str) {
        detach(&self.js);
        let closed = code.map(|code| self.js.close_with_code_and_reason(code, reason));
        if !matches!(closed, Some(Ok(()))) {
            // A code that scripts may not use: close without one.
            let _ = self.js.unchecked_ref::<AnySocket>().close();
        }
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        LIVE.with(|live| live.delete(&self.js));
        detach(&self.js);
        // One that is closing or closed stays as it is.
        let _ = self.js.unchecked_ref::<AnySocket>().close();
    }
}

fn detach(socket: &WebSocket) {
    socket.set_onopen(None);
    socket.set_onmessage(None);
    socket.set_onclose(None);
}
