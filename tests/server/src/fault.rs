//! The faults of the wire listener: what befalls its next connections, and those that it has.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use serde::{Deserialize, Serialize};

use crate::sync::lock;
use crate::tcp::{Cut, Tcp};

/// The body of `POST /control/fault`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultOrder {
    kind: Kind,
    #[serde(default)]
    scope: Scope,
    code: Option<u16>,
    delay_ms: Option<u64>,
    times: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    None,
    Refuse,
    Reset,
    AcceptThenClose,
    Hang,
    HalfOpen,
    Delay,
    Unauthorized,
    HangUpgrade,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Scope {
    New,
    Live,
    #[default]
    Both,
}

/// What befalls a new connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum Fault {
    /// Its upgrade is answered with 503.
    Refuse,
    /// Its upgrade is answered with 401.
    Unauthorized,
    /// Its upgrade is never answered.
    HangUpgrade,
    /// It is reset as soon as it is accepted.
    Reset,
    /// It is upgraded, then closed at once.
    AcceptThenClose {
        /// The code of the close frame.
        code: u16,
    },
    /// It is accepted, then neither read nor written.
    Hang,
    /// What its client sends is thrown away, what it is sent goes out. Befalls live connections only.
    HalfOpen,
    /// Its frames are held back.
    Delay {
        /// For so long in each direction.
        delay_ms: u64,
    },
}

/// The faults in force and the TCP connections of the wire, under one lock so that none escapes a fault.
#[derive(Default)]
pub struct Faults(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    fault: Option<Fault>,
    /// How many connections the fault still befalls; `None` is without end.
    left: Option<u64>,
    /// Counts the ends of `hang-upgrade`.
    hang_ends: u64,
    sockets: BTreeMap<u64, Arc<Tcp>>,
}

impl Faults {
    /// Puts an order in force and tells how many live connections it acted on.
    ///
    /// # Errors
    /// A sentence that says what is wrong with the order.
    pub fn apply(&self, order: &FaultOrder) -> Result<usize, String> {
        let fault = order.fault()?;
        let on_new = order.scope != Scope::Live && order.kind != Kind::HalfOpen;
        let on_live = matches!(
            order.kind,
            Kind::None | Kind::Hang | Kind::HalfOpen | Kind::Delay
        );
        if order.scope == Scope::New && !on_new {
            return Err("this kind befalls live connections only".into());
        }
        if order.scope == Scope::Live && !on_live {
            return Err(
                "this kind befalls new connections only; for live ones there are \
                 /control/reset, /control/drop and /control/close"
                    .into(),
            );
        }
        if order.times == Some(0) {
            return Err("times must be at least 1".into());
        }
        let mut inner = lock(&self.0);
        if on_new {
            // By an order only: those that the last of so many times has befallen hang on.
            inner.hang_ends += u64::from(fault != Some(Fault::HangUpgrade));
            inner.fault = fault;
            inner.left = order.times.filter(|_| fault.is_some());
        }
        if order.scope == Scope::New || !on_live {
            return Ok(0);
        }
        for tcp in inner.sockets.values() {
            befall(tcp, fault);
        }
        Ok(inner.sockets.len())
    }

    /// Enters a connection that has just been accepted, under the fault in force.
    ///
    /// Returns `false` when that fault is to reset it: the connection is then cut and not entered.
    pub fn accept(&self, tcp: &Arc<Tcp>) -> bool {
        let mut inner = lock(&self.0);
        let fault =
            inner.take(|fault| matches!(fault, Fault::Reset | Fault::Hang | Fault::Delay { .. }));
        if fault == Some(Fault::Reset) {
            tcp.cut(Cut::Reset);
            return false;
        }
        befall(tcp, fault);
        inner.sockets.insert(tcp.id, Arc::clone(tcp));
        true
    }

    /// The fault that befalls an upgrade which has just been asked for.
    pub fn upgrade(&self) -> Option<Fault> {
        lock(&self.0).take(|fault| {
            matches!(
                fault,
                Fault::Refuse
                    | Fault::Unauthorized
                    | Fault::HangUpgrade
                    | Fault::AcceptThenClose { .. }
            )
        })
    }

    /// How often `hang-upgrade` has ended, which those that it has befallen compare.
    pub fn hang_ends(&self) -> u64 {
        lock(&self.0).hang_ends
    }

    /// Removes a connection that has been closed.
    pub fn forget(&self, tcp: &Tcp) {
        lock(&self.0).sockets.remove(&tcp.id);
    }

    /// Cuts every TCP connection of the wire, upgraded or not, and tells how many there were.
    pub fn cut_all(&self, how: Cut) -> usize {
        let sockets = std::mem::take(&mut lock(&self.0).sockets);
        for tcp in sockets.values() {
            tcp.cut(how);
        }
        sockets.len()
    }

    /// The fault that waits for new connections.
    pub fn in_force(&self) -> Option<Fault> {
        lock(&self.0).fault
    }
}

impl Inner {
    fn take(&mut self, wanted: impl Fn(Fault) -> bool) -> Option<Fault> {
        let fault = self.fault.filter(|fault| wanted(*fault))?;
        if let Some(left) = &mut self.left {
            *left -= 1;
            if *left == 0 {
                self.fault = None;
                self.left = None;
            }
        }
        Some(fault)
    }
}

impl FaultOrder {
    fn fault(&self) -> Result<Option<Fault>, String> {
        Ok(Some(match self.kind {
            Kind::None => return Ok(None),
            Kind::Refuse => Fault::Refuse,
            Kind::Unauthorized => Fault::Unauthorized,
            Kind::HangUpgrade => Fault::HangUpgrade,
            Kind::Reset => Fault::Reset,
            Kind::Hang => Fault::Hang,
            Kind::HalfOpen => Fault::HalfOpen,
            Kind::AcceptThenClose => {
                let code = self.code.unwrap_or(DEFAULT_CODE);
                check_code(code)?;
                Fault::AcceptThenClose { code }
            }
            Kind::Delay => Fault::Delay {
                delay_ms: self.delay_ms.ok_or("delay needs delay_ms")?,
            },
        }))
    }
}

/// Checks that a server may send `code` in a close frame.
///
/// # Errors
/// A sentence that names the code.
pub fn check_code(code: u16) -> Result<(), String> {
    match code {
        1004..=1006 | 1015 => Err(format!("the close code {code} must not be sent")),
        1000..=4999 => Ok(()),
        _ => Err(format!("the close code {code} is not in 1000..=4999")),
    }
}

/// Brings a connection into the state of a fault; the state of an earlier one ends.
fn befall(tcp: &Tcp, fault: Option<Fault>) {
    tcp.set_delay(match fault {
        Some(Fault::Delay { delay_ms }) => delay_ms,
        _ => 0,
    });
    tcp.half_open(fault == Some(Fault::HalfOpen));
    tcp.hang(fault == Some(Fault::Hang));
}

/// The close code of `accept-then-close` where none is given.
const DEFAULT_CODE: u16 = 1011;
