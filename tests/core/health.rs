//! Scores, and what is told when they fall.

use serde_json::{Value, json};
use tabwire::core::PortId;
use tabwire::protocol::{Ailment, Alert, ConnectionReport, HubMessage, Instability};

use crate::rig::{A, B, Got, H, Rig};

/// Reconnects after 1 s, and is looked at every minute of the hub's clock.
fn options() -> Value {
    json!({
        "reconnect": {"minDelay": 1000, "maxDelay": 1000, "jitter": "none", "firstDelayMax": 1000, "floor": 1000},
        "heartbeat": {"message": "ping", "pong": "pong", "interval": 25_000, "jitter": 0, "timeout": 10_000},
    })
}

/// The same without pings, so that nobody has to answer.
fn quiet(thresholds: Value) -> Value {
    let mut options = options();
    options["heartbeat"] = json!({});
    options["health"] = json!({"thresholds": thresholds});
    options
}

fn open() -> Rig {
    let mut rig = Rig::open(options());
    rig.frame("pong");
    rig
}

fn report(rig: &mut Rig) -> ConnectionReport {
    rig.wire(A, json!([14, 1]));
    match rig.got.get_mut(&A).unwrap().pop() {
        Some(Got::Note(HubMessage::Reply(1, mut report))) => report.attached.remove(0),
        other => panic!("{other:?}"),
    }
}

fn alerts(rig: &mut Rig, port: PortId) -> Vec<Alert> {
    let notes = rig.notes(port).into_iter();
    let alerts = notes.filter_map(|note| match note {
        HubMessage::Alert(_, alert) => Some(alert),
        _ => None,
    });
    alerts.collect()
}

/// Loses the connection, and opens it again a second later.
fn lose_and_reopen(rig: &mut Rig) {
    rig.server_closes(1006, false);
    rig.pass_millis(1000);
    rig.accept();
    rig.frame("pong");
}

#[test]
fn a_connection_that_does_well_has_a_hundred_points() {
    let report = report(&mut open());
    assert_eq!((report.score, report.health), (100, "healthy"));
    assert!(report.reasons.is_empty());
}

#[test]
fn what_ails_a_connection_costs_its_points() {
    let mut rig = open();
    lose_and_reopen(&mut rig);
    assert_eq!(report(&mut rig).score, 85);
    // A pong that is late, and then does not come.
    rig.pass_millis(30_000);
    let suspect = report(&mut rig);
    assert_eq!(
        (suspect.score, suspect.reasons),
        (65, vec!["suspect", "losses"])
    );
    rig.pass_millis(5000);
    let down = report(&mut rig);
    assert_eq!(
        (down.score, down.health, down.reasons),
        (0, "unhealthy", vec!["down", "losses", "missed-pongs"])
    );
    assert_eq!(
        (
            down.recent.losses,
            down.recent.missed_pongs,
            down.recent.errors
        ),
        (2, 1, 0)
    );
}

#[test]
fn what_is_five_minutes_old_costs_nothing() {
    let mut rig = Rig::open(json!({"reconnect": {"jitter": "none"}}));
    rig.server_closes(1006, false);
    rig.reopen();
    assert_eq!(report(&mut rig).score, 85);
    rig.pass_millis(300_000);
    assert_eq!(report(&mut rig).score, 100);
    assert_eq!(report(&mut rig).counters.lost, 1);
}

#[test]
fn a_slow_path_costs_up_to_a_quarter() {
    let mut rig = Rig::open(options());
    for (millis, smoothed, score) in [(250, 250.0, 100), (6250, 1000.0, 75)] {
        rig.pass_millis(millis);
        rig.frame("pong");
        let report = report(&mut rig);
        assert_eq!(
            (report.rtt, report.smoothed_rtt, report.score),
            (Some(millis as f64), Some(smoothed), score)
        );
        rig.pass_millis(25_000 - millis);
    }
}

#[test]
fn the_queue_counts_by_the_share_of_its_bounds() {
    let mut rig = Rig::new();
    rig.hello(A);
    rig.attach(A, H, json!({"queue": {"maxMessages": 4}}));
    rig.send(A, 0, &["a", "b"]);
    let report = report(&mut rig);
    assert_eq!((report.queue_fill, report.score), (0.5, 27));
    assert_eq!(report.reasons, ["down", "queue"]);
}

#[test]
fn failed_attempts_and_failed_sends_are_errors() {
    let mut rig = Rig::new();
    rig.hello(A);
    rig.attach(
        A,
        H,
        json!({"reconnect": {"jitter": "none"}, "queue": {"ttl": 1000}}),
    );
    rig.send(A, 0, &["a", "b"]);
    rig.server_closes(1006, false);
    rig.pass_millis(1000);
    assert_eq!(report(&mut rig).recent.errors, 3);
    assert_eq!(report(&mut rig).counters.failed_attempts, 1);
    // What is looked at is counted once.
    rig.pass_millis(60_000);
    let after = report(&mut rig);
    assert_eq!(
        after.recent.errors as u64,
        after.counters.failed_attempts + 2
    );
}

#[test]
fn a_connection_that_is_found_down_is_told_once_until_it_has_been_well() {
    let mut rig = open();
    rig.server_closes(1006, false);
    for _ in 0..200 {
        rig.pass_millis(1000);
        if rig.deadline.is_some() {
            rig.server_closes(1006, false);
        }
    }
    let told = alerts(&mut rig, A);
    let first = &told[0];
    assert!(
        matches!(first, Alert::Unhealthy { score, reasons, count: 1 }
            if *score < 50 && reasons[0] == Ailment::Down),
        "{first:?}"
    );
    let unhealthy = told
        .iter()
        .filter(|alert| matches!(alert, Alert::Unhealthy { .. }));
    assert_eq!(unhealthy.count(), 1);
    rig.pass_millis(1000);
    rig.accept();
    rig.frame("pong");
    for _ in 0..40 {
        rig.pass_millis(10_000);
        rig.frame("pong");
    }
    rig.server_closes(1006, false);
    rig.pass_millis(1000);
    for _ in 0..7 {
        rig.pass_millis(10_000);
    }
    let again = alerts(&mut rig, A);
    assert!(
        again
            .iter()
            .any(|alert| matches!(alert, Alert::Unhealthy { count: 2, .. })),
        "{again:?}"
    );
    assert_eq!(report(&mut rig).counters.unhealthy, 2);
}

#[test]
fn losses_above_the_threshold_are_told_as_instability() {
    let mut rig = Rig::open(quiet(json!({"losses": 3, "score": 0})));
    for _ in 0..3 {
        lose_and_reopen(&mut rig);
    }
    rig.pass_millis(57_000);
    let unstable = Alert::Unstable {
        reason: Instability::Losses,
        value: 3.0,
        threshold: 3.0,
        count: 1,
    };
    assert_eq!(alerts(&mut rig, A), [unstable]);
}

#[test]
fn attempts_that_seldom_bring_it_back_are_told_as_instability() {
    let mut rig = Rig::open(quiet(json!({"score": 0})));
    rig.server_closes(1006, false);
    for _ in 0..3 {
        rig.pass_millis(1000);
        rig.server_closes(1006, false);
    }
    rig.pass_millis(1000);
    rig.accept();
    rig.frame("pong");
    rig.pass_millis(60_000);
    let unstable = Alert::Unstable {
        reason: Instability::RecoveryRate,
        value: 0.25,
        threshold: 0.5,
        count: 1,
    };
    assert_eq!(alerts(&mut rig, A), [unstable]);
}

#[test]
fn each_connection_is_looked_at_as_often_as_it_says() {
    let mut rig = Rig::new();
    rig.hello(A);
    for (handle, every) in [(1, 7000), (2, 20_000)] {
        let options = json!({"health": {"checkEvery": every}});
        rig.attach_to(
            A,
            tabwire::protocol::HandleId(handle),
            &format!("ws://server/{handle}"),
            "",
            options,
        );
    }
    let mut told = Vec::new();
    for second in 2..=25 {
        rig.pass_millis(1000);
        for note in rig.notes(A) {
            if let HubMessage::Alert(conn, _) = note {
                told.push((second, conn.0 + 2 - rig.conn().0));
            }
        }
    }
    assert_eq!(told, [(7, 1), (20, 2)]);
}

#[test]
fn only_tabs_that_are_awake_and_have_the_connection_are_told() {
    let mut rig = open();
    let c = PortId(3);
    for port in [B, c] {
        rig.hello(port);
    }
    rig.attach(B, H, options());
    rig.attach_to(c, H, "ws://server/ws", "other", options());
    rig.take(c);
    rig.wire(B, json!([10]));
    rig.input(tabwire::core::Input::Socket(
        tabwire::core::SocketId {
            conn: rig.attached[&A],
            generation: 1,
        },
        tabwire::core::SocketEvent::Closed {
            code: 1006,
            reason: String::new(),
            clean: false,
        },
    ));
    rig.pass_millis(60_000);
    let unhealthy = |alerts: Vec<Alert>, port| (port, alerts.len());
    assert_eq!(unhealthy(alerts(&mut rig, A), A), (A, 1));
    assert_eq!(unhealthy(alerts(&mut rig, B), B), (B, 0));
    let of_c = rig.attached[&c];
    let foreign = rig.notes(c).into_iter();
    assert!(
        foreign
            .clone()
            .all(|note| !matches!(note, HubMessage::Alert(conn, _) if conn != of_c))
    );
}

#[test]
fn silence_beyond_the_threshold_is_stale() {
    let mut rig = Rig::open(json!({"health": {"thresholds": {"silence": 60_000}}}));
    rig.pass_millis(59_999);
    assert_eq!(report(&mut rig).health, "healthy");
    rig.pass_millis(1);
    assert_eq!(report(&mut rig).health, "stale");
    rig.frame("something");
    assert_eq!(report(&mut rig).health, "healthy");
}

#[test]
fn uptime_and_recoveries_are_measured() {
    let mut rig = open();
    rig.pass_millis(10_000);
    rig.server_closes(1006, false);
    rig.pass_millis(500);
    let lost = report(&mut rig);
    assert_eq!((lost.uptime, lost.total_uptime), (0.0, 10_000.0));
    assert_eq!(lost.down_for, Some(500.0));
    rig.pass_millis(500);
    rig.accept();
    rig.frame("pong");
    rig.pass_millis(4000);
    let open = report(&mut rig);
    assert_eq!((open.uptime, open.total_uptime), (4000.0, 14_000.0));
    assert_eq!(
        (open.recovery_time, open.longest_recovery),
        (1000.0, 1000.0)
    );
    assert_eq!((open.counters.lost, open.counters.recovered), (1, 1));
    assert_eq!((open.age, open.down_for), (15_000.0, None));
}

#[test]
fn a_planned_replacement_does_not_end_the_uptime() {
    let mut rig = Rig::open(json!({"staleness": {"maxAge": 10_000}}));
    rig.pass_millis(10_000);
    rig.accept();
    rig.pass_millis(1000);
    let report = report(&mut rig);
    assert_eq!((report.counters.replaced, report.uptime), (1, 11_000.0));
    assert_eq!(report.score, 100);
}

#[test]
fn bytes_are_counted_both_ways() {
    let mut rig = open();
    rig.frame("four");
    rig.send(A, 0, &["five5", "x"]);
    let counters = report(&mut rig).counters;
    assert_eq!((counters.received, counters.received_bytes), (1, 4));
    assert_eq!((counters.sent, counters.sent_bytes), (2, 6));
}

#[test]
fn a_report_shows_no_query_and_no_user() {
    let mut rig = Rig::new();
    rig.hello(A);
    rig.attach_to(
        A,
        H,
        "wss://me:secret@server.example/ws?token=secret",
        "",
        json!({}),
    );
    let report = report(&mut rig);
    assert_eq!(report.url, "wss://server.example/ws");
}

#[test]
fn the_report_has_the_breakers_that_the_tab_uses() {
    let mut rig = Rig::new();
    rig.hello(A);
    rig.hello(B);
    rig.wire(A, json!([21, "api", {"breaker": {}}]));
    rig.wire(A, json!([24, "api", 1]));
    let breakers = rig.hub.report(A).breakers;
    assert_eq!(breakers.len(), 1);
    assert_eq!(
        (
            breakers[0].name.as_str(),
            breakers[0].state,
            breakers[0].reason
        ),
        ("api", "forced-open", "forced")
    );
    assert!(rig.hub.report(B).breakers.is_empty());
}

#[test]
fn nothing_is_looked_at_where_there_is_nothing() {
    let mut rig = Rig::open(json!({"linger": 0}));
    rig.wire(A, json!([4, H.0]));
    rig.pass_millis(0);
    assert_eq!(rig.deadline, None);
}
