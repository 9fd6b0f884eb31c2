//! Random options, from roomy to mean.

use serde_json::{Value, json};
use tabwire::protocol::Options;

use crate::json::Json;
use crate::server::{PING, PONG};
use crate::topics::Speech;

/// The options of a connection, which all handles of an identity give alike for the most part.
#[derive(Clone, Debug)]
pub struct Base {
    given: Value,
    speech: Option<Speech>,
}

impl Base {
    /// Draws options.
    pub fn random(speech: Option<Speech>, rng: &mut fastrand::Rng) -> Self {
        let min_delay = pick(rng, &[0, 50, 500, 1000, 2000]);
        let max_delay = pick(rng, &[500, 3000, 10_000, 30_000]).max(min_delay);
        let jitter = match rng.u8(0..6) {
            0 => json!("none"),
            1 => json!(0.5),
            2 => json!({ "add": 1000 }),
            _ => json!("full"),
        };
        let mut reconnect = json!({
            "minDelay": min_delay,
            "maxDelay": max_delay,
            "floor": pick(rng, &[0, 50, 250, 1000]),
            "growth": pick(rng, &[1.0, 1.5, 2.0, 3.0]),
            "jitter": jitter,
            "firstDelayMax": pick(rng, &[0, 1000, 5000]),
            "stableAfter": pick(rng, &[0, 1000, 5000]),
            "connectTimeout": pick(rng, &[2000, 5000, 20_000]),
        });
        if rng.u8(0..5) == 0 {
            reconnect["maxAttempts"] = json!(rng.u8(1..6));
        }
        let mut options = json!({ "reconnect": reconnect, "heartbeat": heartbeat(rng) });
        if rng.u8(0..3) == 0 {
            options["staleness"] = staleness(rng);
        }
        if rng.u8(0..3) == 0 {
            options["recovery"] = json!({
                "failureThreshold": pick(rng, &[1, 2, 3, 5]),
                "openFor": pick(rng, &[0, 2000, 20_000, 60_000]),
            });
        }
        if rng.u8(0..3) == 0 {
            options["auth"] = json!({
                "via": pick(rng, &["query", "subprotocol"]),
                "refreshBefore": pick(rng, &[0, 5000, 60_000]),
            });
        }
        if let Some(speech) = speech {
            add_topics(&mut options, speech, rng);
        }
        Self {
            given: options,
            speech,
        }
    }

    /// No options: handles bring their own.
    pub fn none() -> Self {
        Self {
            given: json!({}),
            speech: None,
        }
    }

    /// Whether the server wants a token.
    pub fn wants_token(&self) -> bool {
        self.given.get("auth").is_some()
    }

    /// Options for one handle: those of the connection, now and then others, and its own.
    pub fn options(&self, rng: &mut fastrand::Rng) -> Options {
        let mut options = if rng.u8(0..10) == 0 {
            Self::random(self.speech, rng).given
        } else {
            self.given.clone()
        };
        if rng.bool() {
            options["queue"] = queue(rng);
        }
        if rng.bool() {
            options["flow"] = flow(rng);
        }
        if rng.bool() {
            options["linger"] = json!(pick(rng, &[0, 500, 2000, 10_000]));
        }
        Options::read(&Json(options)).expect("options that are written down here")
    }
}

/// What there is to say where the server has topics: it pings as its template says, and whoever pings hears something now and then.
fn add_topics(options: &mut Value, speech: Speech, rng: &mut fastrand::Rng) {
    options["subprotocol"] = json!(speech.template());
    options["heartbeat"] = json!({
        "interval": pick(rng, &[700, 3000, 25_000]),
        "timeout": pick(rng, &[2000, 5000]),
        "verifyOnOpen": rng.bool(),
    });
    if options.get("staleness").is_some() {
        options["staleness"] = json!({
            "staleAfter": pick(rng, &[40_000, 60_000]),
            "maxAge": pick(rng, &[5000, 20_000, 120_000]),
        });
    }
    options["replay"] = json!({
        "perTopic": pick(rng, &[0, 1, 1, 3, 20]),
        "maxAge": pick(rng, &[500, 60_000]),
        "maxBytes": pick(rng, &[200, 1 << 20]),
    });
    // What is kept hides as many messages of a server that counts anew and does not say so.
    if speech.is_silent && options["replay"]["perTopic"].as_u64() > Some(1) {
        options["replay"]["perTopic"] = json!(1);
    }
    if options.get("auth").is_some() && rng.bool() {
        options["auth"]["via"] = json!("message");
    }
    if let Some(most) = speech.most {
        options["pool"] = json!({
            "maxTopicsPerConnection": most,
            "stagger": pick(rng, &[0, 200, 2000]),
            "resubscribeSpread": [0, pick(rng, &[0, 500])],
        });
    }
}

fn heartbeat(rng: &mut fastrand::Rng) -> Value {
    if rng.u8(0..5) < 2 {
        return json!({});
    }
    let mut heartbeat = json!({
        "message": PING,
        "interval": pick(rng, &[700, 3000, 25_000]),
        "jitter": pick(rng, &[0.0, 0.2, 0.5]),
        "timeout": pick(rng, &[2000, 5000, 10_000]),
        "verifyOnOpen": rng.bool(),
    });
    if rng.u8(0..4) > 0 {
        heartbeat["pong"] = json!(PONG);
    }
    heartbeat
}

fn staleness(rng: &mut fastrand::Rng) -> Value {
    let mut staleness = json!({ "checkEvery": pick(rng, &[500, 3000, 10_000]) });
    if rng.bool() {
        staleness["staleAfter"] = json!(pick(rng, &[2000, 15_000, 60_000]));
    }
    if rng.u8(0..3) > 0 {
        staleness["maxAge"] = json!(pick(rng, &[3000, 20_000, 120_000]));
    }
    staleness
}

fn queue(rng: &mut fastrand::Rng) -> Value {
    json!({
        "maxMessages": pick(rng, &[1, 2, 5, 30, 1000]),
        "maxBytes": pick(rng, &[1, 1000, 20_000, 1 << 20]),
        "maxInFlight": pick(rng, &[1, 1000, 100_000, 16 << 20]),
        "ttl": pick(rng, &[0, 300, 5000, 60_000, 600_000]),
        "overflow": pick(rng, &["reject", "drop-oldest", "drop-newest"]),
        "resend": pick(rng, &["never", "unknown"]),
    })
}

fn flow(rng: &mut fastrand::Rng) -> Value {
    json!({
        "window": {
            "messages": pick(rng, &[1, 2, 3, 8, 64, 8192]),
            "bytes": pick(rng, &[1, 300, 5000, 4 << 20]),
        },
        "cap": {
            "messages": pick(rng, &[1, 4, 50, 65_536]),
            "bytes": pick(rng, &[1, 2000, 50_000, 16 << 20]),
        },
        "whenSlow": pick(rng, &["queue", "latest", "drop-oldest"]),
        "hiddenFlush": pick(rng, &[0, 20, 250, 250, 2000]),
    })
}

fn pick<T: Copy>(rng: &mut fastrand::Rng, from: &[T]) -> T {
    from[rng.usize(0..from.len())]
}
