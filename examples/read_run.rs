//! Reads a run: its metrics, its episodes and its newest checkpoint. `cargo run --release --example read_run [-- RUN]`; the
//! default is the run of the example `own_environment`.

use dreamer::{ActMode, Agent};
use std::{error::Error, fs, path::Path};

/// Prints the content of the run folder `folder`, and returns the numbers of evaluations and of episodes.
pub fn run(folder: &Path) -> Result<(usize, usize), Box<dyn Error>> {
    // Metrics: one JSON object per line, with the key `step` in frames (docs/metrics.md).
    let mut evaluations = 0;
    for line in fs::read_to_string(folder.join("metrics.jsonl"))?.lines() {
        let values: serde_json::Value = serde_json::from_str(line)?;
        if let Some(score) = values["eval_return"].as_f64() {
            println!("frame {}: evaluation return {score:.1}", values["step"]);
            evaluations += 1;
        }
    }
    // Episodes: npz files, which NumPy can read too (docs/formats.md).
    let mut files: Vec<_> =
        fs::read_dir(folder.join("episodes"))?.map(|entry| Ok(entry?.path())).collect::<Result<_, std::io::Error>>()?;
    files.retain(|file| file.extension().is_some_and(|ending| ending == "npz"));
    files.sort();
    for file in &files {
        let episode = replay::read_episode(file, 1 << 30)?;
        println!("episode of {}: {} transitions, return {:.1}", episode.task(), episode.len(), episode.score());
    }
    // The newest checkpoint, and the action of its agent for the last image of the last episode.
    let (newest, _damaged) = train::checkpoint::newest::<Agent>(&folder.join("checkpoints"))?;
    let checkpoint = newest.ok_or("the run does not have a checkpoint yet")?;
    let (frames, agent) = (checkpoint.state.position.frames, checkpoint.agent);
    println!("checkpoint at {frames} frames: {} gradient steps", agent.updates());
    let episode = replay::read_episode(files.last().ok_or("the run does not have episodes yet")?, 1 << 30)?;
    let image = &episode.image()[episode.image().len() - replay::IMAGE_BYTES..];
    let (mut state, mut action) = (agent.begin(), vec![0.0; agent.action_size()]);
    agent.act(&mut state, image.into(), ActMode::Evaluate, &mut random::Stream::new(0, "example"), &mut action);
    println!("action for the last image: {action:?}");
    Ok((evaluations, files.len()))
}

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args().nth(1).unwrap_or_else(|| "runs/examples/own-environment".to_owned());
    run(Path::new(&folder))?;
    Ok(())
}
