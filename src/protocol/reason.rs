//! Why something happened: the reason codes of every transition, loss and refusal.

/// Declares a fieldless enum whose variants carry a stable code for the wire.
macro_rules! codes {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident => $code:literal,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$doc])* $variant,)* }

        impl $name {
            /// Every value, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The stable code, as it stands on the wire and in the documentation.
            pub const fn code(self) -> &'static str {
                match self { $(Self::$variant => $code,)* }
            }
        }
    };
}

codes! {
    /// Why a connection is in its state. Shown as `status.reason`.
    Reason {
        /// No handle has asked for the connection yet.
        Unused => "unused",
        /// Another hub of this browser is asked first.
        Meeting => "meeting",
        /// The first handle asked for it.
        Attached => "attached",
        /// A tab is asked for the url or the token of the attempt.
        Asking => "asking",
        /// No tab gave the url or the token; it is asked for again.
        TokenWait => "token-wait",
        /// The url function returned what is no url of a WebSocket.
        BadUrl => "bad-url",
        /// The token function returned what is no token.
        BadToken => "bad-token",
        /// The server refused the token: a fresh one is asked for.
        AuthRefused => "auth-refused",
        /// The wait before an attempt is over.
        Retry => "retry",
        /// The WebSocket opened, and the ping that verifies it was answered or none is defined.
        Opened => "opened",
        /// The pong is late: half of `heartbeat.timeout` has passed.
        PongLate => "pong-late",
        /// A frame or pong came while the connection was suspect.
        Recovered => "recovered",
        /// The pong did not come within `heartbeat.timeout`: the socket was replaced.
        PongTimeout => "pong-timeout",
        /// The worker was frozen or the computer asleep: the connection is in doubt, or tried again at once.
        Woke => "woke",
        /// After that the connection did not answer a ping.
        WakeTimeout => "wake-timeout",
        /// Nothing came for `staleness.staleAfter`: the socket was replaced.
        Stale => "stale",
        /// The socket was replaced as planned, by `staleness.maxAge` or for a fresh token.
        Handover => "handover",
        /// A hub of a newer build takes over.
        Moved => "moved",
        /// The server closed the WebSocket with a close frame.
        ClosedByServer => "closed-by-server",
        /// The WebSocket ended without a close frame (1006).
        ConnectionLost => "connection-lost",
        /// An attempt ended before the WebSocket opened.
        ConnectFailed => "connect-failed",
        /// An attempt took longer than `reconnect.connectTimeout`.
        ConnectTimeout => "connect-timeout",
        /// The WebSocket opened but did not answer the ping that verifies it.
        VerifyTimeout => "verify-timeout",
        /// `recovery.failureThreshold` attempts in a row have failed: none for `recovery.openFor`.
        BreakerOpen => "breaker-open",
        /// The server has not kept what came after the last event that was got by what takes the place of a WebSocket.
        EventsNotKept => "events-not-kept",
        /// The WebSocket does not open: something else takes its place.
        Fallback => "fallback",
        /// A tab reported that the browser is offline: attempts at the longest delay only, until it is online.
        Offline => "offline",
        /// A tab reported that the browser is online again.
        Online => "online",
        /// `reconnect()` was called.
        Requested => "requested",
        /// `shutdown()` was called in some tab.
        Shutdown => "shutdown",
        /// The last handle left and `linger` has passed.
        Unwanted => "unwanted",
        /// The server closed with a code of `reconnect.fatalCodes`.
        FatalCode => "fatal-code",
        /// `reconnect.maxAttempts` attempts in a row have failed.
        MaxAttempts => "max-attempts",
        /// The browser refused to construct the WebSocket.
        SocketRefused => "socket-refused",
    }
}

codes! {
    /// Why a send was not delivered. Shown as `sendfailed.reason`.
    SendFailure {
        /// It may or may not have reached the server.
        Unknown => "unknown",
        /// It waited longer than `queue.ttl`.
        Expired => "expired",
        /// `queue.overflow` dropped it.
        Overflow => "overflow",
        /// Its handle or connection ended first.
        Closed => "closed",
        /// The subprotocol does not say how to send it.
        Unsupported => "unsupported",
    }
}

codes! {
    /// Why a request gets no answer or a subscription no messages. Shown as the `code` of the error.
    RequestError {
        /// The server did not answer in time.
        Timeout => "timeout",
        /// The server answered with an error.
        Refused => "refused",
        /// The connection was lost before the answer came: the server may have done what it was asked.
        Lost => "lost",
        /// The subprotocol does not say how to ask.
        Unsupported => "unsupported",
        /// So many requests wait for their answers that no more are taken.
        Full => "queue-full",
    }
}

codes! {
    /// Why a tab misses messages. Shown as `gap.reason`, beside every [`Reason`] of a lost connection.
    Loss {
        /// The tab did not keep up and its flow policy dropped messages.
        SlowTab => "slow-tab",
        /// The server did not go on with a topic where it was asked to.
        NotRecovered => "not-recovered",
        /// The hub has not kept (`replay`) all that a tab has missed of a topic.
        NotKept => "not-kept",
        /// The server counts the positions of a topic anew.
        CountedAnew => "counted-anew",
        /// No tab has dealt with a message that was for one alone, and too many wait.
        NotTaken => "not-taken",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_reasons_share_a_code() {
        let mut codes: Vec<_> = Reason::ALL.iter().map(|reason| reason.code()).collect();
        codes.extend(SendFailure::ALL.iter().map(|reason| reason.code()));
        codes.extend(Loss::ALL.iter().map(|reason| reason.code()));
        let count = codes.len();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), count);
    }
}
