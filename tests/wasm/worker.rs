//! The hub in a real SharedWorker, talked to over real ports.
#![cfg(target_arch = "wasm32")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test may fail by panicking"
)]

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use js_sys::{Array, Function, JSON, Object, Promise, Reflect};
use tabwire::protocol::op;
use tabwire::web::Hub;
use wasm_bindgen::convert::TryFromJsValue;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};
use web_sys::{MessageChannel, MessageEvent, MessagePort};

wasm_bindgen_test_configure!(run_in_shared_worker);

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(thread_local_v2, js_name = isSecureContext)]
    static IS_SECURE: bool;
}

/// The tab's end of a port to a hub.
struct Tab {
    port: MessagePort,
    inbox: Inbox,
    hub: Hub,
    gone: Array,
}

impl Tab {
    async fn new(backlog: &Array) -> Self {
        Self::at(backlog, "test", &JsValue::UNDEFINED).await
    }

    /// The tab of a hub of that build; with a name it meets others.
    async fn at(backlog: &Array, build: &str, name: &JsValue) -> Self {
        let env = Object::new();
        let gone = Array::new();
        let set = |name: &str, value: &JsValue| {
            Reflect::set(&env, &name.into(), value).unwrap();
        };
        set("build", &build.into());
        set("name", name);
        set("locks", &JsValue::TRUE);
        set("locksFall", &JsValue::FALSE);
        set("workerUrl", &"http://localhost/worker.js".into());
        set("crashed", &Function::new_no_args(""));
        set("subprotocols", &Array::new());
        set("translate", &Function::new_no_args(""));
        set("request", &Function::new_no_args(""));
        let list = gone.clone();
        let note_gone = Closure::<dyn FnMut(JsValue)>::new(move |port: JsValue| {
            list.push(&port);
        });
        set("gone", &note_gone.into_js_value());
        let started = JsFuture::from(Hub::start(env.unchecked_ref())).await;
        let hub = Hub::try_from_js_value(started.unwrap()).ok().unwrap();
        let channel = MessageChannel::new().unwrap();
        hub.connect(channel.port2().unchecked_into(), backlog);
        Self {
            inbox: Inbox::listen(&channel.port1()),
            port: channel.port1(),
            hub,
            gone,
        }
    }

    fn post(&self, json: &str) {
        self.port.post_message(&JSON::parse(json).unwrap()).unwrap();
    }

    /// The next message with this op; those before it are passed over.
    async fn wait_for(&self, op: u32) -> Array {
        loop {
            let message = self.inbox.next().await;
            if message.get(0).as_f64() == Some(f64::from(op)) {
                return message;
            }
        }
    }
}

/// Messages in their order of arrival, none lost while nobody waits.
struct Inbox {
    arrived: Rc<RefCell<VecDeque<Array>>>,
    wake: Rc<RefCell<Option<Function>>>,
}

impl Inbox {
    fn listen(port: &MessagePort) -> Self {
        let arrived = Rc::new(RefCell::new(VecDeque::new()));
        let wake = Rc::new(RefCell::new(None::<Function>));
        let (queue, waiting) = (Rc::clone(&arrived), Rc::clone(&wake));
        let listener = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
            queue.borrow_mut().push_back(event.data().unchecked_into());
            if let Some(wake) = waiting.take() {
                wake.call0(&JsValue::NULL).unwrap();
            }
        });
        port.set_onmessage(Some(listener.into_js_value().unchecked_ref()));
        Self { arrived, wake }
    }

    async fn next(&self) -> Array {
        loop {
            let message = self.arrived.borrow_mut().pop_front();
            if let Some(message) = message {
                return message;
            }
            let arrival = Promise::new(&mut |resolve, _| {
                *self.wake.borrow_mut() = Some(resolve);
            });
            JsFuture::from(arrival).await.unwrap();
        }
    }
}

const HELLO: &str = r#"[1, {"protocol": 1, "build": "test", "tab": "t1", "liveness": "heartbeat",
    "visible": 1, "focused": 1, "online": 1}]"#;

#[wasm_bindgen_test]
async fn hello_is_welcomed_with_an_epoch_and_the_lock_that_the_hub_holds() {
    let tab = Tab::new(&Array::new()).await;
    tab.post(HELLO);
    let welcome = tab.wait_for(op::WELCOME).await.get(1);
    let field = |name: &str| Reflect::get(&welcome, &name.into()).unwrap();
    assert_eq!(field("protocol"), JsValue::from(1));
    assert_eq!(field("build"), JsValue::from("test"));
    let epoch = field("epoch").as_string().unwrap();
    assert_eq!(epoch.len(), 16);
    if IS_SECURE.with(|secure| *secure) {
        assert_eq!(
            field("lock").as_string().unwrap(),
            format!("tabwire:own:{epoch}")
        );
    }
}

#[wasm_bindgen_test]
async fn a_hub_of_an_older_build_sends_its_tabs_to_the_newer_one() {
    let old = Tab::at(&Array::new(), "0.1.0", &"old".into()).await;
    old.post(HELLO);
    old.wait_for(op::WELCOME).await;
    let new = Tab::at(&Array::new(), "0.2.0", &"new".into()).await;
    let to = old.wait_for(op::MOVE).await.get(1);
    let name = Reflect::get(&to, &"name".into()).unwrap();
    assert_eq!(name, JsValue::from("new"));
    new.post(HELLO);
    new.wait_for(op::WELCOME).await;
}

#[wasm_bindgen_test]
async fn what_a_port_said_before_the_hub_was_up_is_not_lost() {
    let backlog = Array::of1(&JSON::parse(HELLO).unwrap());
    let tab = Tab::new(&backlog).await;
    tab.wait_for(op::WELCOME).await;
}

#[wasm_bindgen_test]
async fn malformed_messages_are_answered_and_the_hub_lives_on() {
    let tab = Tab::new(&Array::new()).await;
    tab.post(HELLO);
    tab.wait_for(op::WELCOME).await;
    for junk in [
        "null",
        "7",
        "\"text\"",
        "{}",
        "[]",
        "[999]",
        "[5]",
        "[5, -1, 1, 0, []]",
        "[5, 1, 1, 0, [{}]]",
        "[3, 1, 5]",
        "[3, 1e300, {}]",
        "[[1], [2]]",
        "[1, null]",
    ] {
        tab.post(junk);
        let error = tab.wait_for(op::ERROR).await;
        assert!(error.get(2).is_string(), "{junk}");
    }
    tab.post("[7]");
    tab.wait_for(op::BEAT).await;
}

#[wasm_bindgen_test]
async fn an_unreachable_server_is_an_attempt_that_failed() {
    let tab = Tab::new(&Array::new()).await;
    tab.post(HELLO);
    tab.post(r#"[3, 1, {"url": "ws://127.0.0.1:81/", "protocols": [], "key": "", "options": {}}]"#);
    loop {
        let status = tab.wait_for(op::STATUS).await;
        if status.get(2) == "reconnecting" {
            assert_eq!(status.get(6), JsValue::from("connect-failed"));
            let next_attempt = status.get(4).as_f64().unwrap();
            assert!((next_attempt - js_sys::Date::now()).abs() < 60_000.0);
            return;
        }
    }
}

#[wasm_bindgen_test]
async fn a_url_that_the_browser_refuses_is_told_and_not_thrown() {
    let tab = Tab::new(&Array::new()).await;
    tab.post(HELLO);
    tab.post(r#"[3, 1, {"url": "not a url at all", "protocols": ["b c"], "key": ""}]"#);
    let closed = tab.wait_for(op::CLOSED).await;
    assert_eq!(closed.get(2), JsValue::from(1006));
}

#[wasm_bindgen_test]
async fn a_tab_that_leaves_is_let_go() {
    let tab = Tab::new(&Array::new()).await;
    tab.post(HELLO);
    tab.wait_for(op::WELCOME).await;
    tab.post("[14, 3]");
    let report = tab.wait_for(op::REPLY).await.get(2);
    assert_eq!(
        Reflect::get(&report, &"tabs".into()).unwrap(),
        JsValue::from(1)
    );
    tab.post("[2]");
    let other = MessageChannel::new().unwrap();
    tab.hub
        .connect(other.port2().unchecked_into(), &Array::new());
    let tab = Tab {
        inbox: Inbox::listen(&other.port1()),
        port: other.port1(),
        ..tab
    };
    tab.post(HELLO);
    tab.wait_for(op::WELCOME).await;
    assert_eq!(tab.gone.length(), 1);
}
