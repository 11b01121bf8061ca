//! `run.json`: any bytes give a state or an error; every state has a next phase.
#![no_main]

use libfuzzer_sys::fuzz_target;
use train::config::Config;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(state) = train::checkpoint::decode_state(bytes) {
        let config = Config { tasks: state.tasks.clone(), ..Config::default() };
        if config.validate().is_ok() {
            let _ = train::next(&config, &state.position);
        }
        let _ = train::streams::Streams::resume(&state.streams);
        let _ = state.meters.clone().take();
    }
});
