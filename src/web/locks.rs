//! Web Locks, bound by hand: web-sys has them behind an unstable flag.

use std::cell::Cell;
use std::rc::Rc;

use js_sys::{Array, Function, Object, Promise, Reflect};
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
    #[wasm_bindgen(method, catch, js_name = request)]
    fn request_shared(
        this: &LockManager,
        name: &str,
        options: &JsValue,
        granted: &Function,
    ) -> Result<Promise, JsValue>;
    #[wasm_bindgen(method, catch)]
    fn query(this: &LockManager) -> Result<Promise, JsValue>;

    type Thenable;
    #[wasm_bindgen(method, js_name = then)]
    fn settled(this: &Thenable, kept: &JsValue, rejected: &Function) -> Thenable;

    type Snapshot;
    #[wasm_bindgen(method, getter)]
    fn held(this: &Snapshot) -> Option<Array>;
    type LockInfo;
    #[wasm_bindgen(method, getter)]
    fn name(this: &LockInfo) -> Option<String>;
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
    request(name, false, granted.unchecked_ref(), move || say(false));
}

/// Calls back once the lock can be had, which is when its holder is gone. It is asked for in shared mode: whoever is frozen
/// while it is granted keeps it, and others wait for it as well.
pub fn watch(name: &str, gone: impl FnOnce() + 'static) {
    let granted = Closure::once_into_js(gone);
    request(name, true, granted.unchecked_ref(), || {});
}

/// Says whether somebody else holds a lock whose name begins so, beside the one called `own`, if that can be told.
pub fn others(prefix: &str, own: &str, then: impl FnOnce(Option<bool>) + 'static) {
    let Some(Ok(snapshot)) = NAVIGATOR.with(Navigator::locks).map(|locks| locks.query()) else {
        return then(None);
    };
    let then = Rc::new(Cell::new(Some(then)));
    let say = move |others| {
        if let Some(then) = then.take() {
            then(others);
        }
    };
    let (kept, rejected) = (say.clone(), say);
    let (prefix, own) = (prefix.to_owned(), own.to_owned());
    let kept = Closure::once_into_js(move |snapshot: Snapshot| {
        let held = snapshot.held().unwrap_or_default();
        let names = held
            .iter()
            .filter_map(|lock| lock.unchecked_into::<LockInfo>().name());
        let mut others = names.filter(|name| name.starts_with(&prefix) && *name != own);
        kept(Some(others.next().is_some()));
    });
    let rejected = Closure::once_into_js(move |_: JsValue| rejected(None));
    snapshot
        .unchecked_ref::<Thenable>()
        .settled(&kept, rejected.unchecked_ref());
}

fn request(name: &str, is_shared: bool, granted: &Function, refused: impl FnOnce() + 'static) {
    let Some(locks) = NAVIGATOR.with(Navigator::locks) else {
        return refused();
    };
    let requested = if is_shared {
        let options = Object::new();
        // A plain object takes any property.
        let _ = Reflect::set(&options, &"mode".into(), &"shared".into());
        locks.request_shared(name, &options, granted)
    } else {
        locks.request(name, granted)
    };
    match requested {
        Ok(promise) => {
            let rejected = Closure::once_into_js(move |_: JsValue| refused());
            promise
                .unchecked_ref::<Thenable>()
                .settled(&JsValue::UNDEFINED, rejected.unchecked_ref());
        }
        Err(_) => refused(),
    }
}
