//! Configurations, as files and as arguments: any text gives a configuration within its ranges, or an error.
#![no_main]

use libfuzzer_sys::fuzz_target;
use train::config::{Layer, resolve};

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = str::from_utf8(bytes) else { return };
    let (typed, file) = text.split_once('\0').unwrap_or(("steps=1", text));
    let tasks = Layer::texts("TASK", "tasks", &["hopper".to_owned()]);
    let (Ok(file), Ok(typed)) = (Layer::parse("config.toml", file), Layer::typed(typed)) else { return };
    if let Ok(config) = resolve(&[file, typed, tasks]) {
        config.validate().expect("what was resolved is within its ranges");
        let written = Layer::parse("again", &train::config_text(&config)).expect("what was written is TOML");
        assert_eq!(resolve(&[written]).expect("what was written is read"), config);
    }
});
