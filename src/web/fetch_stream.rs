//! Requests, whose answers come piece by piece.

use core::time::Duration;

use js_sys::{Array, Function};
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};

use super::convert::Frame;
use crate::core::{Fetch, Response, SocketEvent};

/// What the worker script tells of a request (`worker/requests.ts`).
type Told = dyn FnMut(u32, JsValue, JsValue, JsValue, JsValue, JsValue);

/// One request. Dropping it gives it up.
pub struct Request {
    give_up: Option<Function>,
    _told: Closure<Told>,
}

impl Request {
    /// Makes a request by the function that the worker script has for that.
    pub fn make(
        make: &Function,
        fetch: &Fetch<Frame>,
        notify: impl Fn(SocketEvent<Frame>) + 'static,
    ) -> Self {
        let number = fetch.request;
        let told =
            Closure::<Told>::new(move |what, first: JsValue, kind, etag, modified, after| {
                notify(match what {
                    0 => SocketEvent::Response(
                        number,
                        Box::new(Response {
                            status: number_in(&first).unwrap_or_default() as u16,
                            content_type: text_in(&kind).unwrap_or_default(),
                            etag: text_in(&etag),
                            modified: text_in(&modified),
                            retry_after: number_in(&after).and_then(|millis| {
                                Duration::try_from_secs_f64(millis / 1000.0).ok()
                            }),
                        }),
                    ),
                    1 => SocketEvent::Text(number, text_in(&first).unwrap_or_default()),
                    _ => SocketEvent::Done(number, first.is_truthy()),
                });
            });
        let headers: Array = fetch
            .headers
            .iter()
            .map(|(name, value)| Array::of2(&(*name).into(), &value.into()))
            .collect();
        let body = fetch.body.as_ref();
        let body = body.map_or(JsValue::NULL, |body| body.value().clone());
        let given = Array::of5(
            &fetch.url.as_str().into(),
            &fetch.method.code().into(),
            &headers,
            &body,
            told.as_ref(),
        );
        // It tells of its failure itself.
        let made = make.apply(&JsValue::NULL, &given).ok();
        Self {
            give_up: made.and_then(|made| made.dyn_into().ok()),
            _told: told,
        }
    }
}

impl Drop for Request {
    fn drop(&mut self) {
        if let Some(give_up) = &self.give_up {
            let _ = give_up.call0(&JsValue::NULL);
        }
    }
}

fn text_in(value: &JsValue) -> Option<String> {
    value.as_string()
}

fn number_in(value: &JsValue) -> Option<f64> {
    value.as_f64()
}
