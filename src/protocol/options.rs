//! The options of a connection, their defaults and how a later attach is compared with those in force.

use core::time::Duration;

use serde::{Deserialize, Deserializer, de};

/// Declares an option group: the values in force with their defaults, and the partial form a tab sends.
macro_rules! group {
    ($(#[$meta:meta])* $config:ident, $options:ident, $group:literal {
        $($(#[$doc:meta])* $field:ident: $type:ty = $default:expr, $name:literal;)*
    }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq)]
        pub struct $config { $($(#[$doc])* pub $field: $type,)* }

        impl Default for $config {
            fn default() -> Self { Self { $($field: $default,)* } }
        }

        #[doc = concat!("The part of [`", stringify!($config), "`] that a tab gave.")]
        #[derive(Clone, Debug, Default, PartialEq, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct $options { $(#[doc = concat!("See [`", stringify!($config), "`].")] #[serde(rename = $name)] pub $field: Option<$type>,)* }

        impl $options {
            /// The given values over the defaults.
            pub fn resolve(&self) -> $config {
                let defaults = $config::default();
                $config { $($field: self.$field.clone().unwrap_or(defaults.$field),)* }
            }

            /// Names the given values that are not those in force.
            pub fn differences(&self, in_force: &$config, names: &mut Vec<&'static str>) {
                $(if self.$field.as_ref().is_some_and(|given| *given != in_force.$field) {
                    names.push(concat!($group, ".", $name));
                })*
            }
        }
    };
}

group! {
    /// When and how often a lost connection is tried again.
    ReconnectConfig, ReconnectOptions, "reconnect" {
        /// Delay that the growth starts from. Default 1 s.
        min_delay: Millis = Millis::from_millis(1000), "minDelay";
        /// Most that a delay grows to. Default 30 s.
        max_delay: Millis = Millis::from_millis(30_000), "maxDelay";
        /// Least that a drawn delay can be. Default 250 ms.
        floor: Millis = Millis::from_millis(250), "floor";
        /// Factor from one failure to the next. Default 2.
        growth: f64 = 2.0, "growth";
        /// How the delay is drawn. Default full jitter.
        jitter: Jitter = Jitter::Full, "jitter";
        /// The first retry after an established connection is lost is spread over this long. Default 5 s.
        first_delay_max: Millis = Millis::from_millis(5000), "firstDelayMax";
        /// Failed attempts in a row after which the connection has failed. Default: no limit.
        max_attempts: Count = Count::INFINITE, "maxAttempts";
        /// A connection that has been open this long and has carried a message is stable. Default 5 s.
        stable_after: Millis = Millis::from_millis(5000), "stableAfter";
        /// How long an attempt may take. Default 20 s: Firefox and Chromium delay attempts themselves.
        connect_timeout: Millis = Millis::from_millis(20_000), "connectTimeout";
        /// Close codes after which there is no reconnect.
        ///
        /// Default: 1000 normal, 1002 protocol error, 1003 unsupported data, 1007 bad payload, 1008 policy,
        /// 1010 extension missing (RFC 6455 §7.4.1), and the HTTP-like 4400, 4401, 4403, 4404.
        fatal_codes: Vec<u16> = vec![1000, 1002, 1003, 1007, 1008, 1010, 4400, 4401, 4403, 4404], "fatalCodes";
    }
}

group! {
    /// How a dead path is noticed.
    HeartbeatConfig, HeartbeatOptions, "heartbeat" {
        /// The frame that is the ping. Default: none, and then there are no pings.
        message: Option<String> = None, "message";
        /// The frame that is the pong, and is not delivered. Default: any frame counts, and is delivered.
        pong: Option<String> = None, "pong";
        /// Time from one ping to the next. Default 25 s: proxies close what is idle for 60 s.
        interval: Millis = Millis::from_millis(25_000), "interval";
        /// Share of the interval by which it varies up or down. Default 0.2.
        jitter: Fraction = Fraction(0.2), "jitter";
        /// How long a pong may take. Default 10 s.
        timeout: Millis = Millis::from_millis(10_000), "timeout";
        /// Whether a new socket must answer a ping before it counts as open. Default: yes, where a ping is defined.
        verify_on_open: bool = true, "verifyOnOpen";
    }
}

group! {
    /// Bounds of what a handle may have waiting to be sent.
    QueueConfig, QueueOptions, "queue" {
        /// Messages that may wait while the connection is not open. Default 1000.
        max_messages: Count = Count(1000), "maxMessages";
        /// Bytes that may wait while the connection is not open. Default 1 MiB.
        max_bytes: Count = Count(1 << 20), "maxBytes";
        /// Bytes that may be under way from tab to socket. Default 16 MiB.
        max_in_flight: Count = Count(16 << 20), "maxInFlight";
        /// How long a message may wait. Default 60 s.
        ttl: Millis = Millis::from_millis(60_000), "ttl";
        /// What happens at the bound. Default: `send` throws.
        overflow: Overflow = Overflow::Reject, "overflow";
        /// Whether messages of unknown fate are sent again. Default: never.
        resend: Resend = Resend::Never, "resend";
    }
}

group! {
    /// How much is posted to a tab that does not keep up.
    FlowConfig, FlowOptions, "flow" {
        /// Posted and not acknowledged, at most. Default 8192 messages or 4 MiB, and at least one message.
        window: Amount = Amount::new(8192, 4 << 20), "window";
        /// Queued for a tab beyond the window, at most. Default 65 536 messages or 16 MiB.
        cap: Amount = Amount::new(65_536, 16 << 20), "cap";
        /// What happens at the cap. Default: new messages are lost, and told, until the queue is empty.
        when_slow: WhenSlow = WhenSlow::Queue, "whenSlow";
        /// Longest delay of a message to a hidden tab. Default 250 ms.
        hidden_flush: Millis = Millis::from_millis(250), "hiddenFlush";
    }
}

/// The options of an `attach`, as far as given.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// See [`ReconnectConfig`].
    pub reconnect: ReconnectOptions,
    /// See [`HeartbeatConfig`].
    pub heartbeat: HeartbeatOptions,
    /// See [`QueueConfig`].
    pub queue: QueueOptions,
    /// See [`FlowConfig`].
    pub flow: FlowOptions,
    /// How long a connection outlives its last handle; the largest asked for counts. Default 2 s.
    pub linger: Option<Millis>,
}

impl Options {
    /// The linger asked for, or its default of 2 s.
    pub fn linger(&self) -> Duration {
        self.linger.map_or(Duration::from_secs(2), Millis::get)
    }
}

/// The options that belong to the connection, fixed by the first attach.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ConnectionConfig {
    /// When and how often to reconnect.
    pub reconnect: ReconnectConfig,
    /// How a dead path is noticed.
    pub heartbeat: HeartbeatConfig,
}

impl ConnectionConfig {
    /// The values in force if `options` come first.
    pub fn new(options: &Options) -> Self {
        Self {
            reconnect: options.reconnect.resolve(),
            heartbeat: options.heartbeat.resolve(),
        }
    }

    /// Names the options of a later attach that are not those in force.
    pub fn differences(&self, options: &Options) -> Vec<&'static str> {
        let mut names = Vec::new();
        options.reconnect.differences(&self.reconnect, &mut names);
        options.heartbeat.differences(&self.heartbeat, &mut names);
        names
    }
}

/// A span of time, given in milliseconds. At most ten years, so that sums stay in range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Millis(Duration);

impl Millis {
    const MOST: Duration = Duration::from_secs(10 * 366 * 24 * 3600);

    /// So many milliseconds.
    pub const fn from_millis(millis: u64) -> Self {
        Self(Duration::from_millis(millis))
    }

    /// The span.
    pub const fn get(self) -> Duration {
        self.0
    }
}

impl<'de> Deserialize<'de> for Millis {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let millis = f64::deserialize(from)?;
        if millis.is_nan() || millis < 0.0 {
            return Err(de::Error::custom("milliseconds"));
        }
        let span = Duration::try_from_secs_f64(millis / 1000.0).unwrap_or(Self::MOST);
        Ok(Self(span.min(Self::MOST)))
    }
}

/// A number of things or bytes. `Infinity` is the largest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Count(pub u32);

impl Count {
    /// No limit.
    pub const INFINITE: Self = Self(u32::MAX);

    /// The number, for comparing with lengths.
    pub const fn get(self) -> usize {
        self.0 as usize
    }
}

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let number = f64::deserialize(from)?;
        if number.is_nan() || number < 0.0 {
            return Err(de::Error::custom("count"));
        }
        Ok(Self(number as u32))
    }
}

/// A share between 0 and 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fraction(f64);

impl Fraction {
    /// The share.
    pub const fn get(self) -> f64 {
        self.0
    }
}

impl<'de> Deserialize<'de> for Fraction {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let share = f64::deserialize(from)?;
        if (0.0..=1.0).contains(&share) {
            Ok(Self(share))
        } else {
            Err(de::Error::custom("fraction"))
        }
    }
}

/// A number of messages and of bytes; whichever is reached first counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Amount {
    /// Messages.
    pub messages: Count,
    /// Bytes.
    pub bytes: Count,
}

impl Amount {
    /// So many messages or bytes.
    pub const fn new(messages: u32, bytes: u32) -> Self {
        Self {
            messages: Count(messages),
            bytes: Count(bytes),
        }
    }
}

impl Default for Count {
    fn default() -> Self {
        Self::INFINITE
    }
}

/// How a delay is drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Jitter {
    /// U(0, delay).
    Full,
    /// The delay itself.
    None,
    /// The delay ± this share of it.
    Fraction(f64),
    /// The delay + U(0, this).
    Add(Millis),
}

impl<'de> Deserialize<'de> for Jitter {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Given {
            Name(String),
            Fraction(Fraction),
            Add { add: Millis },
        }
        match Given::deserialize(from)? {
            Given::Name(name) if name == "full" => Ok(Self::Full),
            Given::Name(name) if name == "none" => Ok(Self::None),
            Given::Name(_) => Err(de::Error::custom("jitter")),
            Given::Fraction(share) => Ok(Self::Fraction(share.get())),
            Given::Add { add } => Ok(Self::Add(add)),
        }
    }
}

/// What happens to a send at the bound of the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Overflow {
    /// `send` throws; the hub fails what comes all the same.
    Reject,
    /// The oldest waiting message is dropped.
    DropOldest,
    /// The new message is dropped.
    DropNewest,
}

/// Whether messages of unknown fate are sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Resend {
    /// They are reported, and not sent again.
    Never,
    /// They are sent again: the server may see them twice.
    Unknown,
}

/// What happens when a tab does not keep up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WhenSlow {
    /// Queue up to the cap; then lose what is new until the queue is empty.
    Queue,
    /// Keep only the newest message that does not fit the window.
    Latest,
    /// Queue up to the cap; then lose what is oldest.
    DropOldest,
}

impl WhenSlow {
    /// The name of the policy on the wire and in the API.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Queue => "queue",
            Self::Latest => "latest",
            Self::DropOldest => "drop-oldest",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(json: &str) -> Result<Options, serde_json::Error> {
        serde_json::from_str(json)
    }

    #[test]
    fn only_given_options_can_differ() {
        let first =
            options(r#"{"reconnect":{"minDelay":5},"heartbeat":{"message":"ping"}}"#).unwrap();
        let in_force = ConnectionConfig::new(&first);
        assert!(in_force.differences(&Options::default()).is_empty());
        let later =
            options(r#"{"reconnect":{"minDelay":1000,"growth":2},"heartbeat":{"message":"ping"}}"#)
                .unwrap();
        assert_eq!(in_force.differences(&later), ["reconnect.minDelay"]);
    }

    #[test]
    fn jitter_has_four_forms() {
        let jitter = |json| serde_json::from_str::<Jitter>(json);
        assert_eq!(jitter("\"full\"").unwrap(), Jitter::Full);
        assert_eq!(jitter("\"none\"").unwrap(), Jitter::None);
        assert_eq!(jitter("0.5").unwrap(), Jitter::Fraction(0.5));
        assert_eq!(
            jitter("{\"add\":1000}").unwrap(),
            Jitter::Add(Millis::from_millis(1000))
        );
        assert!(jitter("\"some\"").is_err());
        assert!(jitter("1.5").is_err());
    }

    #[test]
    fn what_is_not_a_number_in_range_is_an_error() {
        assert!(options(r#"{"reconnect":{"minDelay":-1}}"#).is_err());
        assert!(options(r#"{"queue":{"maxMessages":"many"}}"#).is_err());
        assert!(options(r#"{"nonsense":{}}"#).is_err());
    }

    #[test]
    fn spans_are_cut_to_ten_years() {
        let parsed = options(r#"{"linger":1e300}"#).unwrap();
        assert_eq!(parsed.linger(), Millis::MOST);
    }
}
