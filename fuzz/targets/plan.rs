//! Transfer plans: any text gives a plan or an error; a plan is written and read again as the same plan.
#![no_main]

use libfuzzer_sys::fuzz_target;
use transfer::Plan;

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = str::from_utf8(bytes) else { return };
    if let Ok(plan) = Plan::parse(text, "plan.toml") {
        let written = plan.to_toml();
        let again = Plan::parse(&written, "plan.toml").expect("what was written is read");
        assert_eq!(again.to_toml(), written);
    }
});
