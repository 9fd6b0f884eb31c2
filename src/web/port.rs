//! A port to a tab: a `MessagePort`, or the global scope of a dedicated worker.

use std::cell::Cell;
use std::rc::Rc;

use js_sys::Function;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use web_sys::MessageEvent;

use crate::core::PortId;

#[wasm_bindgen]
extern "C" {
    /// What both kinds of port have in common.
    #[derive(Clone)]
    #[wasm_bindgen(typescript_type = "HubPort")]
    pub type JsPort;
    #[wasm_bindgen(method, catch, js_name = postMessage)]
    fn post_message(this: &JsPort, message: &JsValue) -> Result<(), JsValue>;
    #[wasm_bindgen(method, setter)]
    fn set_onmessage(this: &JsPort, listener: Option<&Function>);
    #[wasm_bindgen(method, setter)]
    fn set_onmessageerror(this: &JsPort, listener: Option<&Function>);
}

/// A port that is listened to as long as this lives.
pub struct Port {
    js: JsPort,
    id: Rc<Cell<PortId>>,
    _listener: Closure<dyn FnMut(MessageEvent)>,
}

impl Port {
    /// Listens to a port. A message that cannot be cloned arrives as undefined.
    pub fn new(js: JsPort, id: PortId, listener: impl Fn(PortId, MessageEvent) + 'static) -> Self {
        let id = Rc::new(Cell::new(id));
        let current = Rc::clone(&id);
        let listener = Closure::<dyn FnMut(MessageEvent)>::new(move |event| {
            listener(current.get(), event);
        });
        let function = Some(listener.as_ref().unchecked_ref());
        js.set_onmessage(function);
        js.set_onmessageerror(function);
        Self {
            js,
            id,
            _listener: listener,
        }
    }

    /// Posts a message. To a port whose tab is gone that does nothing.
    pub fn post(&self, message: &JsValue) {
        // Strings, numbers and buffers always clone: there is nothing to fail.
        let _ = self.js.post_message(message);
    }

    /// The number that it goes by, now and later.
    pub fn id(&self) -> Rc<Cell<PortId>> {
        Rc::clone(&self.id)
    }

    /// From now on it goes by another number.
    pub fn rename(&self, id: PortId) {
        self.id.set(id);
    }

    /// The port itself.
    pub fn js(&self) -> &JsPort {
        &self.js
    }
}

impl Drop for Port {
    fn drop(&mut self) {
        self.js.set_onmessage(None);
        self.js.set_onmessageerror(None);
    }
}
