//! `agent.safetensors`: any bytes give an agent or an error; the agent has the size in its header.
#![no_main]

use dreamer::Agent;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(agent) = Agent::from_bytes(bytes) {
        assert!(agent.learner().parameters().numbers() * 4 <= bytes.len());
        let parameters = agent.learner().parameters();
        assert!(parameters.iter().all(|one| parameters.values(one).iter().all(|x| x.is_finite())));
    }
});
