//! The answers of an external environment: any bytes give answers or reasons.
#![no_main]

use external::protocol::{
    HEADER, Header, Hello, Kind, LARGEST, ObservationBytes, Stepped, decode_info, encode_handshake, numbers,
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let mut rest = bytes;
    let mut space = None;
    while let Some((header, after)) = rest.split_first_chunk::<HEADER>() {
        let Ok(Header { length, kind }) = Header::decode(header) else { return };
        assert!(length <= LARGEST);
        let Some(payload) = after.get(..length) else { return };
        rest = &after[length..];
        match (kind, &space) {
            (Kind::Info, _) => {
                let Ok(info) = decode_info(payload) else { continue };
                assert_eq!(decode_info(&encode_handshake(&info.to_json())).unwrap(), info);
                assert!(info.actions.size > 0 && info.timing.longest_episode() > 1);
                space = Some(info.observations);
            }
            (Kind::Hello, _) => {
                let Ok(hello) = Hello::decode(payload) else { continue };
                assert_eq!(Hello::decode(&encode_handshake(&hello)).unwrap(), hello);
            }
            (Kind::Observation, Some(space)) => {
                let Ok(seen) = ObservationBytes::decode(payload, space) else { continue };
                assert_eq!((seen.image.len(), seen.vector.len()), (space.image_bytes(), 4 * space.vector));
                assert!(numbers(seen.vector).all(f32::is_finite));
            }
            (Kind::Outcome, Some(space)) => {
                let Ok(stepped) = Stepped::decode(payload, space) else { continue };
                assert!(stepped.reward.is_finite() && stepped.observation.image.len() == space.image_bytes());
            }
            _ => {}
        }
    }
});
