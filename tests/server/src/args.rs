//! Reads the command line.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use crate::server::Options;

/// What the command line asks for.
#[derive(Debug, PartialEq, Eq)]
pub enum Args {
    /// Print [`HELP`] and leave.
    Help,
    /// Serve until told to stop.
    Serve {
        /// How to serve.
        options: Options,
        /// Whether the end of stdin stops the server, so that a killed parent leaves none behind.
        exit_with_stdin: bool,
    },
}

/// Reads the arguments that follow the name of the program.
///
/// # Errors
/// A sentence that names the argument that is unknown, lacks its value or has a bad one.
pub fn parse(args: impl IntoIterator<Item = String>) -> Result<Args, String> {
    let mut options = Options::default();
    let mut exit_with_stdin = false;
    let mut args = args.into_iter();
    while let Some(name) = args.next() {
        let mut value = || args.next().ok_or_else(|| format!("{name} needs a value"));
        match name.as_str() {
            "--help" | "-h" => return Ok(Args::Help),
            "--site-port" => options.site_port = number(&name, &value()?)?,
            "--wire-port" => options.wire_port = number(&name, &value()?)?,
            "--static" => options.static_dirs.push(PathBuf::from(value()?)),
            "--max-connections" => options.max_connections = number(&name, &value()?)?,
            "--max-age" => {
                let seconds: u64 = number(&name, &value()?)?;
                options.max_age = (seconds > 0).then(|| Duration::from_secs(seconds));
            }
            "--prices" => {
                let ms: u64 = number(&name, &value()?)?;
                options.prices = (ms > 0).then(|| Duration::from_millis(ms));
            }
            "--watch" => options.watch = true,
            "--exit-with-stdin" => exit_with_stdin = true,
            _ => return Err(format!("unknown argument {name}")),
        }
    }
    Ok(Args::Serve {
        options,
        exit_with_stdin,
    })
}

fn number<T: FromStr>(name: &str, value: &str) -> Result<T, String> {
    value
        .parse()
        .map_err(|_| format!("{name} needs a number in range, not {value:?}"))
}

/// The text of `--help`.
pub const HELP: &str = "\
tabwire-server: the demo and fault server of tabwire, on 127.0.0.1 only

  --site-port PORT        port of the pages and the controls [0 = any free one]
  --wire-port PORT        port of the WebSockets that can be made to fail [0]
  --static DIR            serve the files of DIR; repeatable, the first match wins
  --max-connections N     answer 503 to further WebSockets [50]
  --max-age SECONDS       close older WebSockets with 1001 [1800, 0 = never]
  --prices MS             publish a price every MS milliseconds [0 = never]
  --watch                 print a line whenever tabs or connections change
  --exit-with-stdin       stop when stdin ends

Prints one line of JSON, {\"site\":url,\"wire\":url}, when both ports listen.
";

#[cfg(test)]
mod tests {
    use super::*;

    fn parse_words(words: &str) -> Result<Args, String> {
        parse(words.split_whitespace().map(String::from))
    }

    #[test]
    fn no_arguments_mean_the_defaults() {
        assert_eq!(
            parse_words(""),
            Ok(Args::Serve {
                options: Options::default(),
                exit_with_stdin: false
            })
        );
    }

    #[test]
    fn every_argument_is_read() {
        let words = "--site-port 1 --wire-port 2 --static a --static b --max-connections 3 --max-age 4 --prices 5 \
                     --watch --exit-with-stdin";
        let expected = Args::Serve {
            options: Options {
                site_port: 1,
                wire_port: 2,
                static_dirs: vec!["a".into(), "b".into()],
                max_connections: 3,
                max_age: Some(Duration::from_secs(4)),
                prices: Some(Duration::from_millis(5)),
                watch: true,
            },
            exit_with_stdin: true,
        };
        assert_eq!(parse_words(words), Ok(expected));
    }

    #[test]
    fn a_max_age_of_zero_turns_it_off() {
        let Ok(Args::Serve { options, .. }) = parse_words("--max-age 0") else {
            panic!("not to be served");
        };
        assert_eq!(options.max_age, None);
    }

    #[test]
    fn errors_name_the_argument() {
        assert_eq!(
            parse_words("--static"),
            Err("--static needs a value".into())
        );
        assert_eq!(
            parse_words("--port 1"),
            Err("unknown argument --port".into())
        );
        assert_eq!(
            parse_words("--wire-port 70000"),
            Err("--wire-port needs a number in range, not \"70000\"".into())
        );
    }
}
