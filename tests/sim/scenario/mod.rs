//! The scenarios of `tests/scenarios`, which the browsers play as well, played in virtual time.
//!
//! With `TABWIRE_ROWS` set to a folder each run leaves a row there for the table of `docs/RELIABILITY.md`.

mod audit;
mod parse;
mod row;
mod stage;
mod verbs;

use tabwire::protocol::Liveness;

use parse::{Scenario, read_all};
use stage::{Host, Stage};

#[test]
fn scenarios_end_with_every_tab_open_and_everything_lost_told() {
    let mut failed = Vec::new();
    for scenario in read_all() {
        for host in &scenario.hosts {
            for &liveness in scenario.liveness() {
                if let Err(why) = play(&scenario, *host, liveness) {
                    failed.push(format!(
                        "{} by {}, {liveness:?}: {why}",
                        scenario.name,
                        host.code()
                    ));
                }
            }
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

fn play(scenario: &Scenario, host: Host, liveness: Liveness) -> Result<(), String> {
    let mut stage = Stage::new(host, liveness);
    for step in &scenario.steps {
        stage
            .play(step)
            .map_err(|why| format!("{}: {why}", step.text))?;
    }
    let losses = stage.audit()?;
    if scenario.liveness().last() == Some(&liveness) {
        row::write(scenario, host, &stage, losses);
    }
    Ok(())
}
