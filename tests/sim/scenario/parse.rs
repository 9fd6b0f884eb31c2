//! Reading the files; their grammar is told in `tests/scenarios/README.md`.

use std::fs;
use std::path::Path;

use tabwire::protocol::Liveness;

use super::stage::Host;

/// A file.
#[derive(Debug)]
pub struct Scenario {
    /// Its name.
    pub name: String,
    /// Its first line.
    pub title: String,
    /// Where its hub runs.
    pub hosts: Vec<Host>,
    /// What happens.
    pub steps: Vec<Step>,
}

/// A line.
#[derive(Debug)]
pub struct Step {
    /// With its number, for errors.
    pub text: String,
    /// What is done.
    pub verb: String,
    /// To what.
    pub words: Vec<String>,
}

impl Scenario {
    /// How tabs and hub learn of each other's death: in either way, unless the options say in which.
    pub fn liveness(&self) -> &'static [Liveness] {
        let options = self.steps.iter().find(|step| step.verb == "options");
        let says = |word| options.is_some_and(|step| step.words.concat().contains(word));
        if says(r#""liveness":"locks""#) {
            &[Liveness::Locks]
        } else if says(r#""liveness":"heartbeat""#) {
            &[Liveness::Heartbeat]
        } else {
            &[Liveness::Heartbeat, Liveness::Locks]
        }
    }
}

/// All files, in the order of their names.
pub fn read_all() -> Vec<Scenario> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios");
    let files = fs::read_dir(folder).expect("the scenarios");
    let mut paths: Vec<_> = files.map(|file| file.expect("a file").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|end| end == "txt"));
    paths.sort();
    paths
        .iter()
        .map(|path| {
            let name = path.file_stem().unwrap_or_default().to_string_lossy();
            parse(&name, &fs::read_to_string(path).expect("a text"))
        })
        .collect()
}

fn parse(name: &str, text: &str) -> Scenario {
    let title = text.lines().next().unwrap_or_default();
    let mut scenario = Scenario {
        name: name.into(),
        title: title.trim_start_matches('#').trim().into(),
        hosts: vec![Host::SharedWorker],
        steps: Vec::new(),
    };
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        let is_header = line.starts_with("engines:") || line.starts_with("simulated-only ");
        if line.is_empty() || line.starts_with('#') || is_header {
            continue;
        }
        if let Some(hosts) = line.strip_prefix("hosts:") {
            scenario.hosts = hosts.split_whitespace().map(Host::named).collect();
            continue;
        }
        let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
        let words = if verb == "options" {
            vec![rest.into()]
        } else {
            rest.split_whitespace().map(String::from).collect()
        };
        scenario.steps.push(Step {
            text: format!("{name}.txt:{}: {line}", index + 1),
            verb: verb.into(),
            words,
        });
    }
    scenario
}
