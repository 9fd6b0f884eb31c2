//! What a run leaves for the table of `docs/RELIABILITY.md`.

use std::fs;
use std::path::PathBuf;

use serde_json::json;

use super::audit::Losses;
use super::parse::Scenario;
use super::stage::{Host, Stage};

/// Writes the row of a run, if somebody wants it.
pub fn write(scenario: &Scenario, host: Host, stage: &Stage, losses: Losses) {
    let Some(folder) = std::env::var_os("TABWIRE_ROWS").map(PathBuf::from) else {
        return;
    };
    let has_recovered = stage.recovered_at >= stage.fault_at;
    let recover_ms = stage.recovered_at.since(stage.fault_at).as_millis() as u64;
    let row = json!({
        "scenario": scenario.name,
        "title": scenario.title,
        "engine": "simulation",
        "host": host.code(),
        "sees": seen(stage),
        "recoverMs": has_recovered.then_some(recover_ms),
        "lost": losses.lost,
        "failed": losses.failed,
        "duplicated": 0,
        "reported": true,
    });
    let name = format!("{}.simulation.{}.json", scenario.name, host.code());
    fs::create_dir_all(&folder).expect("a folder for the rows");
    fs::write(folder.join(name), format!("{row:#}\n")).expect("a row");
}

/// What the tab that has shown most has shown since the first fault, each state and reason once.
fn seen(stage: &Stage) -> Vec<String> {
    let mut most = Vec::new();
    for name in stage.players.keys() {
        let mut seen = Vec::new();
        for shown in stage.shown(name) {
            let text = format!("{} {}", shown.state.code(), shown.reason);
            let is_since = stage.first_fault_at.is_some_and(|at| shown.since >= at);
            if is_since && !seen.contains(&text) {
                seen.push(text);
            }
        }
        if seen.len() > most.len() {
            most = seen;
        }
    }
    most
}
