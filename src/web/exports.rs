//! What JavaScript sees of the hub.

use std::cell::RefCell;
use std::rc::Rc;

use js_sys::{Array, Function, Promise};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use super::driver::{Driver, Surroundings};
use super::locks;
use super::port::JsPort;
use super::websocket::close_all;
use crate::core::origin_of;
use crate::protocol::Address;

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = include_str!("env.d.ts");

#[wasm_bindgen]
extern "C" {
    /// What the worker script hands to its hub: `env.d.ts` has it in full.
    #[wasm_bindgen(typescript_type = "HubEnv")]
    pub type HubEnv;
    #[wasm_bindgen(method, getter)]
    fn build(this: &HubEnv) -> String;
    #[wasm_bindgen(method, getter, js_name = workerUrl)]
    fn worker_url(this: &HubEnv) -> String;
    #[wasm_bindgen(method, getter)]
    fn name(this: &HubEnv) -> Option<String>;
    #[wasm_bindgen(method, getter)]
    fn locks(this: &HubEnv) -> bool;
    #[wasm_bindgen(method, getter, js_name = locksFall)]
    fn locks_fall(this: &HubEnv) -> bool;
    #[wasm_bindgen(method, getter)]
    fn crashed(this: &HubEnv) -> Function;
    #[wasm_bindgen(method, getter)]
    fn gone(this: &HubEnv) -> Function;
    #[wasm_bindgen(method, getter)]
    fn subprotocols(this: &HubEnv) -> Array;
    #[wasm_bindgen(method, getter)]
    fn translate(this: &HubEnv) -> Function;
    #[wasm_bindgen(method, getter)]
    fn request(this: &HubEnv) -> Function;

    #[wasm_bindgen(js_namespace = crypto, js_name = getRandomValues)]
    fn fill_random(bytes: &mut [u8]);
}

/// A hub in this worker.
#[wasm_bindgen]
pub struct Hub {
    driver: Rc<Driver>,
}

#[wasm_bindgen]
impl Hub {
    /// Starts a hub. With `locks` it holds a lock for as long as it lives; in Firefox that keeps its pages out of the
    /// back-forward cache, so only tabs that hold locks themselves ask for it. With the `name` of a SharedWorker the hub meets
    /// those of other builds.
    ///
    /// The promise is kept with a `Hub` once that holds its lock: tabs that wait for the lock before would find it free.
    /// After a panic `crashed` is called with what is known of it; nothing of this instance may be used any more.
    #[wasm_bindgen(unchecked_return_type = "Promise<Hub>")]
    pub fn start(env: &HubEnv) -> Promise {
        CRASHED.set(Some(env.crashed()));
        std::panic::set_hook(Box::new(report_panic));
        let epoch = format!("{:016x}", random());
        let worker_url = env.worker_url();
        // Hub clients with a name of their own have a fragment, and hubs that meet nobody else.
        let origin = origin_of(&worker_url).to_owned();
        let family = worker_url
            .find('#')
            .and_then(|at| worker_url.get(at..))
            .unwrap_or_default()
            .to_owned();
        let is_shared = env.name().is_some();
        let locks_fall = env.locks_fall();
        let kind = if is_shared { "hub" } else { "own" };
        let prefix = format!("tabwire:{kind}{family}:");
        let lock = format!("{prefix}{epoch}");
        let with_lock = env.locks();
        let mut surroundings = Some(Surroundings {
            build: env.build(),
            address: Address {
                worker_url,
                name: env.name().unwrap_or_default(),
            },
            epoch,
            lock: None,
            gone: env.gone(),
            translate: env.translate(),
            request: env.request(),
        });
        let names: Vec<_> = env
            .subprotocols()
            .iter()
            .filter_map(|name| name.as_string())
            .collect();
        Promise::new(&mut |resolve, reject| {
            let Some(mut surroundings) = surroundings.take() else {
                return;
            };
            let (prefix, names, origin) = (prefix.clone(), names.clone(), origin.clone());
            let channel = is_shared.then(|| format!("tabwire{family}"));
            let start = move |surroundings, others| {
                // Settling a promise does not throw.
                let _ = match Driver::new(random(), surroundings) {
                    Ok(driver) => {
                        driver.introduce(names, &origin);
                        if let Some(channel) = channel {
                            driver.meet(&channel, others, locks_fall);
                        }
                        resolve.call1(&JsValue::NULL, &Self { driver }.into())
                    }
                    Err(error) => reject.call1(&JsValue::NULL, &error),
                };
            };
            if !with_lock {
                return start(surroundings, None);
            }
            let lock = lock.clone();
            locks::hold(&lock.clone(), move |held| {
                surroundings.lock = held.then(|| lock.clone());
                if held {
                    locks::others(&prefix, &lock, move |others| start(surroundings, others));
                } else {
                    start(surroundings, None);
                }
            });
        })
    }

    /// Takes a port. `backlog` holds what it has said already; from now on its `onmessage` belongs to the hub.
    pub fn connect(&self, port: JsPort, backlog: &Array) {
        self.driver.connect(port, backlog);
    }
}

thread_local! {
    static CRASHED: RefCell<Option<Function>> = const { RefCell::new(None) };
}

fn report_panic(info: &std::panic::PanicHookInfo<'_>) {
    console_error_panic_hook::hook(info);
    close_all();
    let crashed = CRASHED.with_borrow(Clone::clone);
    if let Some(crashed) = crashed {
        // The instance is lost in any case; an error here could only hide that.
        let _ = crashed.call1(&JsValue::NULL, &info.to_string().into());
    }
}

fn random() -> u64 {
    let mut bytes = [0; 8];
    fill_random(&mut bytes);
    u64::from_le_bytes(bytes)
}
