//! What can be wrong with a message of a tab.

use core::fmt;

/// Why a message of a tab was not carried out. The code goes to the tab in `error`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MessageError {
    /// The message names an op that this hub does not know.
    UnknownOp,
    /// The message is not an array, or an item is missing or of the wrong type.
    Malformed,
    /// The message names a handle that this tab has not attached.
    UnknownHandle,
    /// The message names a connection that this tab has not attached.
    UnknownConnection,
    /// The tab speaks another protocol major.
    ProtocolMismatch,
}

impl MessageError {
    /// The stable code, as it stands on the wire.
    pub const fn code(self) -> &'static str {
        match self {
            Self::UnknownOp => "unknown-op",
            Self::Malformed => "malformed",
            Self::UnknownHandle => "unknown-handle",
            Self::UnknownConnection => "unknown-connection",
            Self::ProtocolMismatch => "protocol-mismatch",
        }
    }
}

impl fmt::Display for MessageError {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(self.code())
    }
}

impl core::error::Error for MessageError {}
