//! What the hub does with what a tab says.

use super::connection::{Connection, Owner};
use super::gates::Ended;
use super::hub::Hub;
use super::io::{Output, Payload, PortId, TimerReason};
use super::tabs::Departure;
use crate::protocol::{HubMessage, TabMessage, op};

impl<P: Payload> Hub<P> {
    pub(super) fn handle_message(&mut self, port: PortId, message: TabMessage<P>) {
        if let TabMessage::Hello(hello) = message {
            self.handle_hello(port, &hello);
            return;
        }
        let Some(tab) = self.tabs.get_mut(port) else {
            if message != TabMessage::Bye {
                self.ask_who(port);
            }
            return;
        };
        if tab.handle_heard(self.now) {
            let next = tab.next_check();
            self.timers
                .set(Owner::Tab(port), TimerReason::TabSilence, next);
        }
        match message {
            TabMessage::Hello(_) => {}
            TabMessage::Bye => self.remove_tab(port, Departure::Left),
            TabMessage::Attach(handle, attach) => self.attach(port, handle, &attach),
            TabMessage::Detach {
                handle,
                code,
                reason,
                purge,
            } => self.detach(port, handle, (code, reason), purge),
            TabMessage::Send {
                handle,
                conn,
                first,
                frames,
            } => self.with_handle_on((port, handle), conn, op::SEND, |connection, cx| {
                connection.send(port, handle, first, frames, cx);
            }),
            TabMessage::Subscribe {
                handle,
                conn,
                subscriptions,
            } => self.with_handle_on((port, handle), conn, op::SUBSCRIBE, |connection, cx| {
                connection.subscribe((port, handle), subscriptions, cx);
            }),
            TabMessage::Unsubscribe {
                handle,
                conn,
                numbers,
            } => self.with_handle_on((port, handle), conn, op::UNSUBSCRIBE, |connection, cx| {
                connection.unsubscribe((port, handle), |sub| numbers.contains(&sub), cx);
            }),
            TabMessage::Request {
                handle,
                conn,
                number,
                data,
                timeout,
            } => self.with_handle_on((port, handle), conn, op::REQUEST, |connection, cx| {
                connection.request((port, handle), (number, data), timeout.get(), cx);
            }),
            TabMessage::Cancel {
                handle,
                conn,
                number,
            } => self.with_handle_on((port, handle), conn, op::CANCEL, |connection, cx| {
                let of = (port, handle);
                connection.cancel(|own| own.of == of && own.number == number, cx);
            }),
            TabMessage::Done { handle, conn, id } => {
                self.with_handle_on((port, handle), conn, op::DONE, |connection, cx| {
                    connection.settle_single((port, handle), id, cx);
                });
            }
            TabMessage::Ack { conn, next } => self.handle_ack(port, conn, next),
            TabMessage::Alive => self.out.push(Output::Post(port, HubMessage::Beat)),
            TabMessage::Visibility { visible, focused } => {
                tab.visible = visible;
                tab.focused = focused;
                self.flush_port(port);
            }
            TabMessage::Online(online) => self.handle_online(online),
            TabMessage::Suspend => {
                tab.suspended = true;
                self.watch_silence(port);
                self.with_all(&|connection, cx| {
                    connection.handle_unheard(|(owner, _)| *owner == port, cx);
                    connection.hand_on(Some(port), cx);
                });
                self.announce_census();
            }
            TabMessage::Resume => self.wake(port),
            TabMessage::Reconnect(handle) => self.reconnect(port, handle),
            TabMessage::Shutdown(handle) => {
                self.with_handle(port, handle, op::SHUTDOWN, Connection::shutdown);
            }
            TabMessage::Answer(id, answer) => self.handle_answer(port, id, answer),
            TabMessage::Gate {
                name,
                options,
                snapshot,
            } => self.gate(port, &name, &options, snapshot),
            TabMessage::Outcome {
                name,
                generation,
                permit,
                outcome,
                calls,
                ago,
            } => {
                let ended = Ended {
                    began: (generation, permit),
                    outcome,
                    calls,
                    ago,
                };
                self.handle_outcome(port, &name, ended);
            }
            TabMessage::Acquire { name, id, wish } => self.acquire(port, &name, id, wish),
            TabMessage::Force { name, order } => self.force(port, &name, order),
            TabMessage::Inspect(wants) => self.inspect(port, wants),
            TabMessage::Report(id) => {
                let report = self.report(port);
                self.out
                    .push(Output::Post(port, HubMessage::Reply(id, report)));
            }
        }
    }
}
