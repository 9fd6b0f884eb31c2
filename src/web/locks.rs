//! Web Locks, bound by hand: web-sys has them behind an unstable flag.

use std::cell::Cell;
use std::rc::Rc;

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

    type Thenable;
    #[wasm_bindgen(method, js_name = then)]
    fn on_rejected(this: &Thenable, nothing: &JsValue, rejected: &Function) -> Thenable;
}

/// Takes a lock for as long as this worker lives, and then says whether it is held.
/// It is not where there are no locks (an insecure context) or they are refused (storage is blocked).
pub fn hold(name: &str, then: impl FnOnce(bool) + 'static) {
    let then = Rc::new(Cell::new(Some(then)));
    let say = move |held| {
        if let Some(then) = then.take() {
            then(held);
        }
    };
    let held = say.clone();
    let granted = Closure::once_into_js(move || {
        held(true);
        Promise::new(&mut |_, _| {})
    });
    request(name, granted.unchecked_ref(), move || say(false));
}

/// Calls back once the lock can be had, which is when its holder is gone.
pub fn watch(name: &str, gone: impl FnOnce() + 'static) {
    let granted = Closure::once_into_js(gone);
    request(name, granted.unchecked_ref(), || {});
}

fn request(name: &str, granted: &Function, refused: impl FnOnce() + 'static) {
    let Some(locks) = NAVIGATOR.with(Navigator::locks) else {
        return refused();
    };
    match locks.request(name, granted) {
        Ok(promise) => {
            let rejected = Closure::once_into_js(move |_: JsValue| refused());
            promise
                .unchecked_ref::<Thenable>()
                .on_rejected(&JsValue::UNDEFINED, rejected.unchecked_ref());
        }
        Err(_) => refused(),
    }
}
