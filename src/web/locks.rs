//! Web Locks, bound by hand: web-sys has them behind an unstable flag.

use js_sys::{Function, Promise};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue, closure::Closure};

#[wasm_bindgen]
extern "C" {
    type Navigator;
    type LockManager;
    #[wasm_bindgen(thread_local_v2, js_name = navigator)]
    static NAVIGATOR: Navigator;
    #[wasm_bindgen(method, getter)]
    fn locks(this: &Navigator) -> Option<LockManager>;
    #[wasm_bindgen(method, catch)]
    fn request(this: &LockManager, name: &str, granted: &Function) -> Result<Promise, JsValue>;
}

/// Holds a lock for as long as this worker lives. False where there are no locks (an insecure context).
pub fn hold(name: &str) -> bool {
    let for_ever = Promise::new(&mut |_, _| {});
    let granted = Closure::once_into_js(move || for_ever);
    request(name, granted.unchecked_ref())
}

/// Calls back once the lock can be had, which is when its holder is gone.
pub fn watch(name: &str, gone: impl FnOnce() + 'static) -> bool {
    let granted = Closure::once_into_js(gone);
    request(name, granted.unchecked_ref())
}

/// Whether a request could be made at all. One that is rejected later (the worker is going away) grants nothing.
fn request(name: &str, granted: &Function) -> bool {
    let Some(locks) = NAVIGATOR.with(Navigator::locks) else {
        return false;
    };
    match locks.request(name, granted) {
        Ok(promise) => {
            let ignore = Closure::once_into_js(|_: JsValue| {});
            let then: Function = js_sys::Reflect::get(&promise, &"then".into())
                .ok()
                .and_then(|then| then.dyn_into().ok())
                .unwrap_or_default();
            then.call2(&promise, &JsValue::UNDEFINED, &ignore).is_ok()
        }
        Err(_) => false,
    }
}
