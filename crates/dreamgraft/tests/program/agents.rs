//! The trained agents in the folder `agents/` of the repository.

use crate::program::Program;
use serde_json::Value;
use std::path::Path;

#[test]
fn every_agent_of_the_repository_acts_as_recorded_and_can_be_a_source() {
    let program = Program::new();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../agents").canonicalize().unwrap();
    let error = program.fail(5, &["inspect", folder.to_str().unwrap()]);
    assert!(
        error.contains("is not an agent, but a folder with agents in it") && error.contains("agents/ant"),
        "{error}"
    );
    let mut agents = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let agent = path.to_str().unwrap();
        let size: u64 = std::fs::read_dir(&path).unwrap().map(|file| file.unwrap().metadata().unwrap().len()).sum();
        assert!(size <= 3_000_000, "{agent} has {size} bytes");
        let recorded: Value = serde_json::from_slice(&std::fs::read(path.join("results.json")).unwrap()).unwrap();
        let (task, returns) = (recorded[0]["task"].as_str().unwrap(), recorded[0]["returns"].as_array().unwrap());
        assert!(program.succeed(&["inspect", agent]).contains(task));
        let seed = recorded[0]["seed"].to_string();
        let played = program.succeed(&["eval", agent, "--episodes", "1", "--seed", &seed, "--json"]);
        let played: Value = serde_json::from_str(&played).unwrap();
        // The last bits of a return differ between processors, and an episode with them: it is of the same kind.
        let mean = returns.iter().map(|score| score.as_f64().unwrap()).sum::<f64>() / returns.len() as f64;
        let score = played["returns"][0].as_f64().unwrap();
        assert!((score - mean).abs() < 0.5 * mean.abs(), "{task}: {score}, and {mean} in results.json");
        let config: Value = serde_json::from_slice(&std::fs::read(path.join("config.json")).unwrap()).unwrap();
        let observe = config["task"]["observe"].as_str().unwrap();
        let layer =
            if observe == "vector" { "world_model.encoder.vector.h1.kernel" } else { "world_model.encoder.h1.kernel" };
        let set = format!("task.observe=\"{observe}\"");
        let plan = program.succeed(&["transfer", "plan", "hopper", "--from", agent, "--set", &set]);
        assert!(plan.contains(layer), "{plan}");
        agents += 1;
    }
    assert!(agents > 0);
}
