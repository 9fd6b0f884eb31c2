//! Prints the number of tabs and connections as they change.

use std::io::Write;
use std::sync::atomic::Ordering;

use crate::state::App;

/// Prints a line at each change, until stdout is closed.
pub async fn print_changes(app: &App) {
    let mut printed = (0, 0);
    loop {
        let now = || {
            (
                app.counts.tabs.load(Ordering::SeqCst),
                app.registry.census().live,
            )
        };
        app.changed.when(|| now() != printed).await;
        let (tabs, connections) = now();
        if (tabs, connections) != printed {
            printed = (tabs, connections);
            // Without a connection nobody can say how many tabs there are.
            let tabs = if connections == 0 {
                "?".to_owned()
            } else {
                tabs.to_string()
            };
            if writeln!(std::io::stdout(), "tabs {tabs}   connections {connections}").is_err() {
                return;
            }
        }
    }
}
