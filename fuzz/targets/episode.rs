//! Episodes: any bytes give an episode within the limit, or an error.
#![no_main]

use libfuzzer_sys::fuzz_target;

const LIMIT: u64 = 1 << 20;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(episode) = replay::decode_episode(bytes, LIMIT) {
        assert!(episode.bytes() <= LIMIT);
        assert!(episode.reward().iter().chain(episode.action()).all(|x| x.is_finite()));
    }
});
