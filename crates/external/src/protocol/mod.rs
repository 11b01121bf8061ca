//! Messages between a program and the environment that it steps: frames, and the messages in them.
//!
//! Here: bytes and their meaning, without any process. `docs/protocol.md` describes it for programs in other languages.

mod frame;
mod info;
mod malformed;
mod message;

pub use frame::{HEADER, Header, LARGEST};
pub use info::{Hello, Info, decode_info, encode_handshake};
pub use malformed::Malformed;
pub use message::{Kind, ObservationBytes, Stepped, encode_observation, encode_stepped, numbers, to_bytes};

/// The version of the protocol. Both sides send theirs first, and refuse another.
pub const VERSION: u32 = 1;
