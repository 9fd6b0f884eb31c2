//! The options of a connection, their defaults and how a later attach is compared with those in force.

use core::time::Duration;

use super::Foreign;
use super::breaker::{Budget, Recent};
use super::fallback::{After, Place, Polling};
use super::health::Thresholds;
use super::option_values::{
    Amount, Count, Fraction, Given, Growth, Jitter, Millis, Overflow, Period, Positive, Preset,
    Resend, Span, Via, WhenSlow,
};

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
        #[derive(Clone, Debug, Default, PartialEq)]
        pub struct $options {
            $(#[doc = concat!("See [`", stringify!($config), "`].")] pub $field: Option<$type>,)*
        }

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

            /// Reads what was given; the error names the option that is wrong.
            pub fn read<F: Foreign>(options: &F) -> Result<Self, &'static str> {
                let group = options.field($group);
                if group.is_nothing() {
                    return Ok(Self::default());
                }
                Ok(Self { $($field: read(&group.field($name), concat!($group, ".", $name))?,)* })
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
        growth: Growth = Growth::DOUBLE, "growth";
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
        interval: Period = Period::from_millis(25_000), "interval";
        /// Share of the interval by which it varies up or down. Default 0.2.
        jitter: Fraction = Fraction::new(0.2), "jitter";
        /// How long a pong may take. Default 10 s.
        timeout: Millis = Millis::from_millis(10_000), "timeout";
        /// Whether a new socket must answer a ping before it counts as open. Default: yes, where a ping is defined.
        verify_on_open: bool = true, "verifyOnOpen";
    }
}

group! {
    /// When a connection that says nothing, or has lived long, is replaced.
    StalenessConfig, StalenessOptions, "staleness" {
        /// Silence after which the connection is stale and its socket is replaced. Default: none.
        stale_after: Option<Millis> = None, "staleAfter";
        /// How often that is looked at. Default 10 s.
        check_every: Period = Period::from_millis(10_000), "checkEvery";
        /// Age at which a socket is replaced by a fresh one that is open before it is closed. Default: none.
        max_age: Option<Millis> = None, "maxAge";
    }
}

group! {
    /// When attempts are paused.
    RecoveryConfig, RecoveryOptions, "recovery" {
        /// Failed attempts in a row after which there is a pause. Default: never.
        failure_threshold: Count = Count::INFINITE, "failureThreshold";
        /// How long the pause is, and each one that follows until an attempt succeeds. Default 60 s.
        open_for: Millis = Millis::from_millis(60_000), "openFor";
    }
}

group! {
    /// When a connection is looked at, and what is too bad.
    HealthConfig, HealthOptions, "health" {
        /// How often it is looked at. Default 60 s.
        check_every: Period = Period::from_millis(60_000), "checkEvery";
        /// What it is measured against.
        thresholds: Thresholds = Thresholds::DEFAULT, "thresholds";
    }
}

group! {
    /// How the server is shown a token. The token itself comes from a tab.
    AuthConfig, AuthOptions, "auth" {
        /// Where the token goes. Default: into the query.
        via: Via = Via::Query, "via";
        /// The parameter of the query, or the subprotocol that is offered before the token. Default `access_token`.
        param: String = "access_token".into(), "param";
        /// How long before it expires a token is replaced, and the socket with it. Default 60 s.
        refresh_before: Millis = Millis::from_millis(60_000), "refreshBefore";
        /// Close codes that mean that the token is refused; they are not fatal then. Default 1008, 4401, 4403.
        refused_codes: Vec<u16> = vec![1008, 4401, 4403], "refusedCodes";
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

group! {
    /// What is kept of each topic for those who come later.
    ReplayConfig, ReplayOptions, "replay" {
        /// Messages of a topic. Default 1.
        per_topic: Count = Count(1), "perTopic";
        /// How old they may be. Default 60 s.
        max_age: Millis = Millis::from_millis(60_000), "maxAge";
        /// Bytes of all topics of the connection. Default 1 MiB.
        max_bytes: Count = Count(1 << 20), "maxBytes";
    }
}

group! {
    /// How topics are shared out among sockets.
    PoolConfig, PoolOptions, "pool" {
        /// Topics of one socket, at least one. Default: all of them.
        max_topics_per_connection: Positive = Positive(u32::MAX), "maxTopicsPerConnection";
        /// Sockets, at least one. Default 64.
        max_connections: Positive = Positive(64), "maxConnections";
        /// Time from the start of one socket to that of the next. Default 5 s.
        stagger: Millis = Millis::from_millis(5000), "stagger";
        /// Time in which all sockets start, at most: they start `min(stagger, maxStagger / sockets)` apart. Default 30 s.
        max_stagger: Millis = Millis::from_millis(30_000), "maxStagger";
        /// How long a socket that has been opened again waits before it asks for its topics. Default: not at all.
        resubscribe_spread: Span = Span::from_millis(0, 0), "resubscribeSpread";
    }
}

group! {
    /// What takes the place of the WebSocket while that does not open.
    FallbackConfig, FallbackOptions, "fallback" {
        /// A stream of server-sent events. Default: none.
        sse: Option<Place> = None, "sse";
        /// What is asked for again and again. Default: none.
        polling: Option<Polling> = None, "polling";
        /// Where frames to the server go meanwhile. Default: they wait.
        send: Option<Place> = None, "send";
        /// When. Default: after 3 failed attempts in a row, or 10 s without a connection.
        after: After = After::DEFAULT, "after";
    }
}

group! {
    /// When a breaker opens, for how long, and what closes it.
    BreakerConfig, BreakerOptions, "breaker" {
        /// Failures in a row that open it. Default 5.
        failure_threshold: Positive = Positive(5), "failureThreshold";
        /// The share of the last calls whose failure opens it, if there were enough. Default 0.5.
        failure_rate: Fraction = Fraction::new(0.5), "failureRate";
        /// Calls of which shares are taken, at least. Default 10: a browser makes few.
        minimum_calls: Positive = Positive(10), "minimumCalls";
        /// Which calls are the last ones. Default: those of 30 s.
        window: Recent = Recent::Time(Period::from_millis(30_000)), "window";
        /// A call that takes this long is slow. Default: none is.
        slow_call_duration: Option<Period> = None, "slowCallDuration";
        /// The share of the last calls whose slowness opens it. Default 1.
        slow_call_rate: Fraction = Fraction::new(1.0), "slowCallRate";
        /// How long it stays open the first time. Default 5 s.
        reset_timeout: Period = Period::from_millis(5000), "resetTimeout";
        /// Factor from one time to the next, until it is closed. Default 2.
        growth: Growth = Growth::DOUBLE, "growth";
        /// What that grows to. Default 60 s, or `resetTimeout` if that is longer.
        max_reset_timeout: Millis = Millis::from_millis(60_000), "maxResetTimeout";
        /// Share of that time by which it varies up or down. Default 0.2.
        jitter: Fraction = Fraction::new(0.2), "jitter";
        /// Calls that may be under way while it is half-open. Default 1.
        probes: Positive = Positive(1), "probes";
        /// Of which so many must succeed before it closes. Default 1.
        success_threshold: Positive = Positive(1), "successThreshold";
        /// How long a probe may say nothing before another may pass. Default 30 s.
        lease: Period = Period::from_millis(30_000), "lease";
        /// Most that a `Retry-After` counts for. Default 5 min.
        max_retry_after: Millis = Millis::from_millis(300_000), "maxRetryAfter";
        /// How many calls may be made again.
        retry_budget: Budget = Budget::DEFAULT, "retryBudget";
    }
}

/// The options of an `attach`, as far as given.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Options {
    /// See [`ReconnectConfig`].
    pub reconnect: ReconnectOptions,
    /// See [`HeartbeatConfig`].
    pub heartbeat: HeartbeatOptions,
    /// See [`StalenessConfig`].
    pub staleness: StalenessOptions,
    /// See [`RecoveryConfig`].
    pub recovery: RecoveryOptions,
    /// See [`HealthConfig`].
    pub health: HealthOptions,
    /// See [`AuthConfig`].
    pub auth: AuthOptions,
    /// See [`FallbackConfig`].
    pub fallback: FallbackOptions,
    /// See [`QueueConfig`].
    pub queue: QueueOptions,
    /// See [`FlowConfig`].
    pub flow: FlowOptions,
    /// See [`ReplayConfig`].
    pub replay: ReplayOptions,
    /// See [`PoolConfig`].
    pub pool: PoolOptions,
    /// How long a connection outlives its last handle; the largest asked for counts. Default 2 s.
    pub linger: Option<Millis>,
    /// How the server speaks, as JSON text: a word or a template. Default `"raw"`.
    pub subprotocol: Option<String>,
}

impl Options {
    /// Reads what was given. What this build does not know is left alone: it may come from a newer tab,
    /// and every tab has checked its own options. The error names the option that is wrong.
    pub fn read<F: Foreign>(from: &F) -> Result<Self, &'static str> {
        let mut given = Self {
            reconnect: ReconnectOptions::read(from)?,
            heartbeat: HeartbeatOptions::read(from)?,
            staleness: StalenessOptions::read(from)?,
            recovery: RecoveryOptions::read(from)?,
            health: HealthOptions::read(from)?,
            auth: AuthOptions::read(from)?,
            fallback: FallbackOptions::read(from)?,
            queue: QueueOptions::read(from)?,
            flow: FlowOptions::read(from)?,
            replay: ReplayOptions::read(from)?,
            pool: PoolOptions::read(from)?,
            linger: read(&from.field("linger"), "linger")?,
            subprotocol: read(&from.field("subprotocol"), "subprotocol")?,
        };
        if let Some(Preset::Fleet) = read(&from.field("preset"), "preset")? {
            given.prefer_fleet();
        }
        Ok(given)
    }

    /// What a client with 2 800 topics on 56 sockets of one server has found to be bearable for both, where nothing else is given:
    /// a ping every 120 to 180 s, 50 topics a socket, reconnects after 45 to 75 s and subscriptions 15 to 45 s after that.
    fn prefer_fleet(&mut self) {
        let minute = Millis::from_millis(60_000);
        let Self {
            heartbeat,
            reconnect,
            pool,
            ..
        } = self;
        heartbeat
            .interval
            .get_or_insert(Period::from_millis(150_000));
        heartbeat.jitter.get_or_insert(Fraction::new(0.2));
        reconnect.min_delay.get_or_insert(minute);
        reconnect.max_delay.get_or_insert(minute);
        let quarter = Jitter::Fraction(Fraction::new(0.25));
        reconnect.jitter.get_or_insert(quarter);
        reconnect.floor.get_or_insert(Millis::from_millis(45_000));
        reconnect
            .first_delay_max
            .get_or_insert(Millis::from_millis(75_000));
        pool.max_topics_per_connection.get_or_insert(Positive(50));
        pool.resubscribe_spread
            .get_or_insert(Span::from_millis(15_000, 45_000));
    }

    /// How the server is said to speak.
    pub fn subprotocol(&self) -> &str {
        self.subprotocol.as_deref().unwrap_or("\"raw\"")
    }

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
    /// When it is replaced though nothing is known to be wrong.
    pub staleness: StalenessConfig,
    /// When attempts are paused.
    pub recovery: RecoveryConfig,
    /// What its health is measured against.
    pub health: HealthConfig,
    /// How the server is shown a token.
    pub auth: AuthConfig,
    /// What is kept of each topic.
    pub replay: ReplayConfig,
    /// How topics are shared out among sockets.
    pub pool: PoolConfig,
    /// What takes its place while it does not open.
    pub fallback: FallbackConfig,
}

impl ConnectionConfig {
    /// The values in force if `options` come first.
    pub fn new(options: &Options) -> Self {
        Self {
            reconnect: options.reconnect.resolve(),
            heartbeat: options.heartbeat.resolve(),
            staleness: options.staleness.resolve(),
            recovery: options.recovery.resolve(),
            health: options.health.resolve(),
            auth: options.auth.resolve(),
            replay: options.replay.resolve(),
            pool: options.pool.resolve(),
            fallback: options.fallback.resolve(),
        }
    }

    /// Names the options of a later attach that are not those in force.
    pub fn differences(&self, options: &Options) -> Vec<&'static str> {
        let mut names = Vec::new();
        options.reconnect.differences(&self.reconnect, &mut names);
        options.heartbeat.differences(&self.heartbeat, &mut names);
        options.staleness.differences(&self.staleness, &mut names);
        options.recovery.differences(&self.recovery, &mut names);
        options.health.differences(&self.health, &mut names);
        options.auth.differences(&self.auth, &mut names);
        options.replay.differences(&self.replay, &mut names);
        options.pool.differences(&self.pool, &mut names);
        options.fallback.differences(&self.fallback, &mut names);
        names
    }
}

fn read<F: Foreign, T: Given>(value: &F, name: &'static str) -> Result<Option<T>, &'static str> {
    if value.is_nothing() {
        Ok(None)
    } else {
        T::read(value).map(Some).ok_or(name)
    }
}
