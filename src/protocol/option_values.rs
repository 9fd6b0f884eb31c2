//! The kinds of values that options have, and how each is read from outside.

use core::time::Duration;

use super::Foreign;

/// A value that a tab can give.
pub trait Given: Sized {
    /// Reads the value, if it is one.
    fn read<F: Foreign>(from: &F) -> Option<Self>;
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

impl Given for Millis {
    fn read<F: Foreign>(from: &F) -> Option<Self> {
        let millis = from.number().filter(|millis| *millis >= 0.0)?;
        let span = Duration::try_from_secs_f64(millis / 1000.0).unwrap_or(Self::MOST);
        Some(Self(span.min(Self::MOST)))
    }
}

/// A span of at least one millisecond, after which something is done again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Period(Millis);

impl Period {
    /// So many milliseconds.
    pub const fn from_millis(millis: u64) -> Self {
        Self(Millis::from_millis(if millis == 0 { 1 } else { millis }))
    }

    /// The span.
    pub const fn get(self) -> Duration {
        self.0.get()
    }
}

impl Given for Period {
    fn read<F: Foreign>(from: &F) -> Option<Self> {
        let span = Millis::read(from)?;
        (span >= Millis::from_millis(1)).then_some(Self(span))
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

impl Given for Count {
    fn read<F: Foreign>(from: &F) -> Option<Self> {
        let number = from.number().filter(|number| *number >= 0.0)?;
        Some(Self(number as u32))
    }
}

/// A number of things of which there is at least one. `Infinity` is the largest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Positive(pub u32);

impl Positive {
    /// No limit.
    pub const INFINITE: Self = Self(u32::MAX);

    /// The number, for comparing with lengths.
    pub const fn get(self) -> usize {
        self.0 as usize
    }
}

impl Given for Positive {
    fn read<F: Foreign>(from: &F) -> Option<Self> {
        let number = from.number().filter(|number| *number >= 1.0)?;
        Some(Self(number as u32))
    }
}

/// A share between 0 and 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fraction(f64);

impl Fraction {
    /// The share, brought into range.
    pub const fn new(share: f64) -> Self {
        Self(share.clamp(0.0, 1.0))
    }

    /// The share.
    pub const fn get(self) -> f64 {
        self.0
    }
}

impl Given for Fraction {
    fn read<F: Foreign>(from: &F) -> Option<Self> {
        from.number()
            .filter(|share| (0.0..=1.0).contains(share))
            .map(Self)
    }
}

/// A factor of at least 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Growth(f64);

impl Growth {
    /// Twice as much each time.
    pub const DOUBLE: Self = Self(2.0);

    /// The factor.
    pub const fn get(self) -> f64 {
        self.0
    }
}

impl Given for Growth {
    fn read<F: Foreign>(from: &F) -> Option<Self> {
        from.number().filter(|factor| *factor >= 1.0).map(Self)
    }
}

/// A number of messages and of bytes; whichever is reached first counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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

impl Given for Amount {
    fn read<F: Foreign>(from: &F) -> Option<Self> {
        let part = |name| {
            let value = from.field(name);
            if value.is_nothing() {
                Some(Count::INFINITE)
            } else {
                Count::read(&value)
            }
        };
        Some(Self {
            messages: part("messages")?,
            bytes: part("bytes")?,
        })
    }
}

/// A span that is drawn between two. Given as a number of milliseconds, or as `[least, most]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The shortest.
    pub least: Millis,
    /// The longest.
    pub most: Millis,
}

impl Span {
    /// From so many milliseconds to so many.
    pub const fn from_millis(least: u64, most: u64) -> Self {
        Self {
            least: Millis::from_millis(least),
            most: Millis::from_millis(most),
        }
    }

    /// The span that `share`, from 0 to 1, stands for.
    pub fn draw(self, share: f64) -> Duration {
        let range = self.most.get().saturating_sub(self.least.get());
        self.least.get() + range.mul_f64(share)
    }
}

impl Given for Span {
    fn read<F: Foreign>(from: &F) -> Option<Self> {
        if let Some(least) = Millis::read(from) {
            return Some(Self { least, most: least });
        }
        let (least, most) = (Millis::read(&from.item(0))?, Millis::read(&from.item(1))?);
        (from.length() == Some(2) && least <= most).then_some(Self { least, most })
    }
}

/// How a delay is drawn. Given as `'full'`, `'none'`, a share, or `{ add: milliseconds }`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Jitter {
    /// U(0, delay).
    Full,
    /// The delay itself.
    None,
    /// The delay ± this share of it.
    Fraction(Fraction),
    /// The delay + U(0, this).
    Add(Millis),
}

impl Given for Jitter {
    fn read<F: Foreign>(from: &F) -> Option<Self> {
        match from.text().as_deref() {
            Some("full") => Some(Self::Full),
            Some("none") => Some(Self::None),
            Some(_) => None,
            None if from.number().is_some() => Fraction::read(from).map(Self::Fraction),
            None => Millis::read(&from.field("add")).map(Self::Add),
        }
    }
}

/// Declares an enum that is given by the name of a variant.
macro_rules! named {
    ($(#[$meta:meta])* $type:ident { $($(#[$doc:meta])* $variant:ident => $name:literal,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $type { $($(#[$doc])* $variant,)* }

        impl $type {
            /// The name on the wire and in the API.
            pub const fn code(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
        }

        impl Given for $type {
            fn read<F: Foreign>(from: &F) -> Option<Self> {
                match from.text()?.as_str() {
                    $($name => Some(Self::$variant),)*
                    _ => None,
                }
            }
        }
    };
}

named! {
    /// What happens to a send at the bound of the queue.
    Overflow {
        /// `send` throws; the hub fails what comes all the same.
        Reject => "reject",
        /// The oldest waiting message is dropped.
        DropOldest => "drop-oldest",
        /// The new message is dropped.
        DropNewest => "drop-newest",
    }
}

named! {
    /// Whether messages of unknown fate are sent again.
    Resend {
        /// They are reported, and not sent again.
        Never => "never",
        /// They are sent again: the server may see them twice.
        Unknown => "unknown",
    }
}

named! {
    /// What happens when a tab does not keep up.
    WhenSlow {
        /// Queue up to the cap; then lose what is new until the queue is empty.
        Queue => "queue",
        /// Keep only the newest message that does not fit the window, or of each topic the newest.
        Latest => "latest",
        /// Queue up to the cap; then lose what is oldest.
        DropOldest => "drop-oldest",
    }
}

named! {
    /// Values for a purpose, in the place of the defaults.
    Preset {
        /// For thousands of topics on dozens of sockets of one server, each with 50 topics at most: rare pings that are never in
        /// step, starts and subscriptions that are spread, and a minute between attempts.
        Fleet => "fleet",
    }
}

named! {
    /// How the server is shown the token.
    Via {
        /// As a parameter of the url.
        Query => "query",
        /// As a subprotocol, offered after one that is named like the parameter.
        Subprotocol => "subprotocol",
        /// As a message of its own, the first on each socket.
        Message => "message",
    }
}

impl Given for bool {
    fn read<F: Foreign>(from: &F) -> Option<Self> {
        from.flag()
    }
}

impl Given for String {
    fn read<F: Foreign>(from: &F) -> Option<Self> {
        from.text()
    }
}

impl<T: Given> Given for Option<T> {
    fn read<F: Foreign>(from: &F) -> Option<Self> {
        T::read(from).map(Some)
    }
}

impl Given for Vec<u16> {
    fn read<F: Foreign>(from: &F) -> Option<Self> {
        let code = |index| {
            let number = from.item(index).number()?;
            (0.0..=65535.0).contains(&number).then_some(number as u16)
        };
        (0..from.length()?).map(code).collect()
    }
}
