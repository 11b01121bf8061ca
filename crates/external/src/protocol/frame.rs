//! Frames: a length, a kind, and as many bytes as the length requires.

use super::malformed::Malformed;
use super::message::Kind;

/// Bytes before a frame's payload: its length (u32, little endian) and its kind (u8).
pub const HEADER: usize = 5;

/// The most bytes that a payload may have. No message is near it, and text is far above it: its first four bytes, read
/// as a length, are at least 2^24.
pub const LARGEST: usize = 1 << 20;

/// The beginning of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Bytes of the payload.
    pub length: usize,
    /// The kind of the message.
    pub kind: Kind,
}

impl Header {
    /// Reads the beginning of a frame.
    ///
    /// # Errors
    /// [`Malformed::NotAFrame`] quotes bytes that cannot be one.
    pub fn decode(bytes: &[u8; HEADER]) -> Result<Self, Malformed> {
        let [a, b, c, d, kind] = *bytes;
        let length = u32::from_le_bytes([a, b, c, d]) as usize;
        match Kind::of(kind) {
            Some(kind) if length <= LARGEST => Ok(Self { length, kind }),
            _ => Err(Malformed::NotAFrame(String::from_utf8_lossy(bytes).into_owned())),
        }
    }

    /// A whole frame, appended to `frame`.
    ///
    /// # Panics
    /// If the payload is longer than [`LARGEST`]: those who make one know its length.
    pub fn encode(kind: Kind, payload: &[u8], frame: &mut Vec<u8>) {
        assert!(payload.len() <= LARGEST, "a message of {} bytes", payload.len());
        frame.extend((payload.len() as u32).to_le_bytes());
        frame.push(kind as u8);
        frame.extend(payload);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_read_as_it_was_written() {
        let mut frame = Vec::new();
        Header::encode(Kind::Reset, &7u64.to_le_bytes(), &mut frame);
        assert_eq!(frame, [8, 0, 0, 0, 2, 7, 0, 0, 0, 0, 0, 0, 0]);
        let header = Header::decode(frame.first_chunk().unwrap()).unwrap();
        assert_eq!(header, Header { length: 8, kind: Kind::Reset });
    }

    #[test]
    fn text_is_never_taken_for_a_frame() {
        for text in ["hello", "\n\n\n\n\n", "Loading checkpoint shards", "     "] {
            let error = Header::decode(text.as_bytes().first_chunk().unwrap()).unwrap_err();
            assert!(matches!(error, Malformed::NotAFrame(_)), "{text}");
        }
        assert!(Header::decode(&[0, 0, 0, 0, 99]).is_err());
    }
}
