//! `agent.safetensors` and `model.safetensors`, read for their parameters: any bytes give a policy or a reason.
#![no_main]

use dreamer::Policy;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(policy) = Policy::from_bytes(bytes) else { return };
    let parameters = policy.parameters();
    let numbers: usize = parameters.iter().map(|one| parameters.values(one).len()).sum();
    assert!(4 * numbers <= bytes.len(), "more numbers than bytes");
    assert!(parameters.iter().all(|one| parameters.values(one).iter().all(|value| value.is_finite())));
});
