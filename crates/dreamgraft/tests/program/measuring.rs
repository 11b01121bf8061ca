//! `dreamgraft bench`.

use crate::program::Program;

#[test]
fn a_measurement_is_one_line_of_json_with_the_keys_of_the_peers() {
    let tiny = ["agent.batch=2", "agent.length=4", "agent.depth=2", "agent.horizon=3", "agent.shard=1", "threads=1"];
    let mut arguments = vec!["bench", "--steps", "2"];
    tiny.iter().for_each(|setting| arguments.extend(["--set", setting]));
    let text = Program::new().succeed(&arguments);
    assert_eq!(text.lines().count(), 1, "{text}");
    let measured: serde_json::Value = serde_json::from_str(&text).unwrap();
    for key in
        ["step_s_median", "step_s_min", "step_s_max", "policy_ms_median", "policy_ms_p95", "start_to_first_step_s"]
    {
        assert!(measured[key].as_f64().is_some_and(|value| value > 0.0), "{key}: {text}");
    }
    assert_eq!((measured["size"].as_str(), measured["n"].as_u64()), (Some("small"), Some(2)));
    assert!(measured["peer"].as_str().unwrap().starts_with("dreamgraft-"));
}

#[test]
fn a_setting_that_does_not_exist_is_named_with_the_nearest() {
    let ended = Program::new().run(&["bench", "--set", "agent.dept=4"]);
    assert_eq!(ended.code, Some(2));
    assert!(ended.stderr.contains("agent.dept") && ended.stderr.contains("agent.depth"), "{}", ended.stderr);
}

#[test]
fn a_runs_settings_are_refused() {
    let ended = Program::new().run(&["bench", "--set", "steps=5"]);
    assert_eq!(ended.code, Some(2));
    assert!(ended.stderr.contains("--set steps=5") && ended.stderr.contains("--steps"), "{}", ended.stderr);
}
