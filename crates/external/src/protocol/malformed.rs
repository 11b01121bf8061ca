//! Faults of bytes that are not a frame or a message.

/// Bytes that cannot be decoded.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Malformed {
    /// A frame that is longer than any, or of an unknown kind: most likely text.
    #[error("its output contains bytes that are not a message ({0:?}): its other output must go to standard error")]
    NotAFrame(String),
    /// A message that does not belong here.
    #[error("it answered with the message {found} instead of {expected}")]
    OutOfPlace {
        /// The message's name.
        found: &'static str,
        /// The names of those that belong here.
        expected: &'static str,
    },
    /// A payload of a wrong length.
    #[error("its message {message} has {found} bytes instead of {expected}: {what}")]
    Length {
        /// The message's name.
        message: &'static str,
        /// Bytes that it has.
        found: usize,
        /// Bytes that belong there.
        expected: usize,
        /// The found bytes.
        what: String,
    },
    /// Another version of the protocol.
    #[error("it speaks version {found} of the protocol, and this program version {expected}: install matching versions", expected = super::VERSION)]
    Version {
        /// The other side's version.
        found: u32,
    },
    /// A handshake with a key that is missing, or has a value that it cannot have.
    #[error("its {message} message is not valid: {why}")]
    Handshake {
        /// The message's name.
        message: &'static str,
        /// The fault.
        why: String,
    },
    /// A number that is infinite or NaN.
    #[error("{what} is {value}: environments must give finite numbers")]
    NotFinite {
        /// Which number.
        what: String,
        /// Its value.
        value: f32,
    },
    /// A choice that there is not.
    #[error("it chose the action {index}, but there are {count} actions, numbered from 0")]
    Choice {
        /// The choice, from 0.
        index: u32,
        /// How many there are.
        count: usize,
    },
}
