//! Writes a transfer plan in code and previews it, parameter by parameter: `cargo run --release --example own_plan`.

use std::{error::Error, path::Path, sync::atomic::AtomicBool};
use train::{Event, Frames, Job, RunRequest};
use transfer::Plan;

/// The encoder and the decoder in full, a fraction of the value model, and everything else random.
const PLAN: &str = r#"
    format = 1
    description = "images, and a fraction of the values"

    [[rule]]
    match = ["world_model.encoder.**", "world_model.decoder.**"]
    take = "full"

    [[rule]]
    match = "value.**"
    take = { fraction = 0.5 }

    [[rule]]
    match = "**"
    rest = true
    take = "random"
"#;

/// Trains a source agent in the run folder `source`, and returns the preview of a transfer from it to another task.
pub fn run(source: &Path) -> Result<String, Box<dyn Error>> {
    let mut request = RunRequest::new(vec!["inverted-pendulum-swingup".to_owned()], "smoke");
    request.steps = Some(Frames(2000));
    let config = request.configuration()?;
    // If the run is already finished, this returns at once.
    train::train(tasks::catalogue(), Job::new(source, &config), &AtomicBool::new(false), &mut |_: &Event<'_>| ())?;

    let mut plan = Plan::parse(PLAN, "my plan")?;
    plan.add_source("pendulum", source)?;
    plan.set_fraction(0.3)?; // for all rules with a fraction
    println!("{}", plan.to_toml());
    let target = RunRequest::new(vec!["hopper".to_owned()], "smoke").configuration()?;
    // To train with this plan, set `plan: Some(&plan)` in the `Job`.
    Ok(train::preview(tasks::catalogue(), &target, &plan)?.to_string())
}

fn main() -> Result<(), Box<dyn Error>> {
    println!("{}", run(Path::new("runs/examples/pendulum"))?);
    Ok(())
}
