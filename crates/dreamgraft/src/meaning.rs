//! The meaning of arguments: a run folder with a resolved configuration, or the episodes to play.

use crate::args;
use crate::exit::Failure;
use environment::Catalogue;
use std::path::{Path, PathBuf};
use train::config::{Config, Layer, preset, resolve};
use train::{Evaluation, Film, PlayOptions, RunRequest, TrainError, WhoPlays};
use transfer::Plan;

/// A run to start or to resume.
#[derive(Debug)]
pub struct Training {
    /// The run folder.
    pub root: PathBuf,
    /// The resolved configuration.
    pub config: Config,
    /// The transfer from earlier agents.
    pub plan: Option<Plan>,
}

impl Training {
    /// Resolves a request.
    ///
    /// # Errors
    /// The first setting that cannot be used, with its path and origin, or the reason why the plan cannot be used.
    pub fn new(request: &RunRequest, catalogue: &dyn Catalogue) -> Result<Self, Failure> {
        let config = request.configuration()?;
        let plan = request.plan()?;
        let root = request.root(config.seed, catalogue);
        Ok(Self { root, config, plan })
    }
}

/// The episodes that `dreamgraft eval` plays.
pub fn evaluation(typed: &args::play::Eval) -> PlayOptions {
    PlayOptions {
        policy: WhoPlays::Run(typed.run.clone()),
        task: typed.task.clone(),
        settings: Vec::new(),
        film: film(&typed.results),
        evaluation: typed
            .evaluation
            .as_deref()
            .map(|name| if name == "mean" { Evaluation::Mean } else { Evaluation::Mode }),
        episodes: typed.episodes,
        seed: typed.seed,
    }
}

/// The episodes that `dreamgraft play` plays.
///
/// # Errors
/// The first setting that is not one of a task.
pub fn playing(typed: &args::play::Play) -> Result<PlayOptions, Failure> {
    let policy = match typed.policy.to_str() {
        Some("random") => WhoPlays::Random,
        Some("zero") => WhoPlays::Zero,
        Some(name) => {
            check_policy(name)?;
            WhoPlays::Run(name.into())
        }
        None => WhoPlays::Run((&typed.policy).into()),
    };
    let mut settings = Vec::new();
    if let Some(termination) = &typed.termination {
        settings.push(Layer::value(&format!("--termination {termination}"), "task.termination", termination));
    }
    for setting in &typed.set {
        settings.push(Layer::typed(setting).map_err(TrainError::from)?);
        check_of_task(setting)?;
    }
    let (task, episodes, seed) = (Some(typed.task.clone()), typed.episodes, typed.seed);
    let film = film(&typed.results);
    Ok(PlayOptions { policy, task, settings, film, evaluation: None, episodes, seed })
}

/// Refuses a policy that is neither the name of one nor a path. A path has several parts: a single name that is none
/// was meant as a name.
///
/// # Errors
/// [`TrainError::NoPolicy`].
fn check_policy(typed: &str) -> Result<(), TrainError> {
    if typed.contains('/') || Path::new(typed).exists() {
        return Ok(());
    }
    let nearest = wording::nearest(typed, ["random", "zero"].into_iter()).unwrap_or_default();
    Err(TrainError::NoPolicy { typed: typed.to_owned(), nearest })
}

/// Whether episodes are filmed: if a video was asked for.
fn film(results: &args::play::Results) -> Film {
    match (&results.video, results.imagined) {
        (None, _) => Film::No,
        (Some(_), false) => Film::Yes,
        (Some(_), true) => Film::Imagined,
    }
}

/// Refuses a setting that is not one of a task: for commands that do not train.
///
/// # Errors
/// If its key does not begin with `task.`.
pub fn check_of_task(setting: &str) -> Result<(), Failure> {
    if setting.trim_start().starts_with("task.") {
        return Ok(());
    }
    let message =
        "only settings of the task can be changed here; their names begin with task., as in task.frame_limit=200";
    Err(Failure::Arguments(format!("--set {setting}: {message}")))
}

/// The configuration that `dreamgraft bench` measures: the sizes of its preset, with the typed settings.
///
/// # Errors
/// The first setting that cannot be used, with its path and origin.
pub fn benchmark(typed: &args::bench::Bench) -> Result<Config, Failure> {
    let mut layers = vec![match typed.preset.as_str() {
        name @ ("paper" | "small") => Layer::agent(name, &train::bench::sizes(name)),
        name => preset(name).map_err(TrainError::from)?,
    }];
    for setting in &typed.set {
        layers.push(Layer::typed(setting).map_err(TrainError::from)?);
        let key = setting.split('=').next().unwrap_or_default().trim();
        if !matches!(key, "threads" | "replay.embeddings") && !key.starts_with("agent.") {
            let arguments = "a benchmark uses the settings agent.*, threads and replay.embeddings only; the number of \
                gradient steps is --steps";
            return Err(Failure::Arguments(format!("--set {setting}: {arguments}")));
        }
    }
    // A configuration names a task, and a measurement plays none: any name will do.
    layers.push(Layer::texts("TASK", "tasks", &["none".to_owned()]));
    Ok(resolve(&layers).map_err(TrainError::from)?)
}

/// The file for the video of `task`: `asked`, or with several tasks a separate file next to it.
pub fn video_of(asked: &Path, task: &str, several: bool) -> PathBuf {
    if !several {
        return asked.to_owned();
    }
    let mut name = asked.file_stem().unwrap_or_default().to_owned();
    name.push(format!("-{}.gif", environment::file_name(task)));
    asked.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request;
    use clap::Parser;

    fn training(arguments: &[&str]) -> Result<Training, Failure> {
        let typed = args::Typed::try_parse_from(["dreamgraft", "train"].iter().chain(arguments)).unwrap();
        let args::Command::Train(typed) = typed.command else { unreachable!("the command is train") };
        Training::new(&request::of(&typed)?, tasks::catalogue())
    }

    #[test]
    fn the_folder_is_named_after_task_preset_and_seed() {
        let root = |arguments: &[&str]| training(arguments).unwrap().root;
        assert_eq!(root(&["hopper"]), Path::new("runs/hopper/small/0"));
        assert_eq!(root(&["hopper", "--preset", "smoke", "--set", "seed=7"]), Path::new("runs/hopper/smoke/7"));
        assert_eq!(root(&["hopper", "--logdir", "here"]), Path::new("here"));
        assert_eq!(root(&["hopper", "ant", "--seed", "2"]), Path::new("runs/hopper+ant/small/2"));
        let from = ["hopper", "--from", "runs/ant/small/3", "--fraction", "0.3"];
        assert_eq!(root(&from), Path::new("runs/hopper/small-paper-0.3-from-ant-small-3/0"));
    }

    #[test]
    fn several_tasks_are_learned_in_the_order_in_which_they_were_typed() {
        assert_eq!(training(&["hopper", "ant"]).unwrap().config.tasks, ["hopper", "ant"]);
        assert_eq!(training(&["--preset", "smoke", "hopper", "ant"]).unwrap().config.tasks, ["hopper", "ant"]);
        let message = training(&["hopper", "ant", "hopper"]).unwrap_err().to_string();
        assert!(message.contains("is named twice"), "{message}");
        // Text that looks like a list stays text.
        assert_eq!(training(&["[\"ant\"]"]).unwrap().config.tasks, ["[\"ant\"]"]);
    }

    #[test]
    fn each_of_several_tasks_has_its_own_video() {
        assert_eq!(video_of(Path::new("a/b.gif"), "ant", false), Path::new("a/b.gif"));
        assert_eq!(video_of(Path::new("a/b.gif"), "ant", true), Path::new("a/b-ant.gif"));
    }

    #[test]
    fn arguments_win_over_the_file_and_it_over_the_preset() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("my.toml");
        std::fs::write(&file, "steps = 5000\nseed = 3\ntasks = [\"ant\"]\n[agent]\nhorizon = 7\n").unwrap();
        let arguments = ["hopper", "--config", file.to_str().unwrap(), "--steps", "1e4", "--set", "agent.length=9"];
        let config = training(&arguments).unwrap().config;
        assert_eq!((config.steps.0, config.seed, config.agent.horizon, config.agent.length), (10_000, 3, 7, 9));
        assert_eq!(config.tasks, ["hopper"]);
        assert_eq!(config.agent.units, 128, "from the preset small");
    }

    #[test]
    fn a_setting_that_is_given_twice_is_refused() {
        for (arguments, part) in [
            (&["hopper", "--set", "tasks=ant"][..], "--set tasks=ant and hopper"),
            (&["hopper", "--steps", "1e4", "--set", "steps=2e4"], "--set steps=2e4 and --steps 1e4"),
            (&["hopper", "--seed", "1", "--set", " seed = 1"], "and --seed 1"),
        ] {
            let message = training(arguments).unwrap_err().to_string();
            assert!(message.contains(part) && message.contains("give one of them"), "{message}");
        }
        assert_eq!(training(&["hopper", "--set", "steps=2e4"]).unwrap().config.steps.0, 20_000);
    }

    #[test]
    fn steps_are_read_as_people_write_them() {
        for steps in ["1e5", "100000", "100_000"] {
            assert_eq!(training(&["hopper", "--steps", steps]).unwrap().config.steps.0, 100_000);
        }
        let message = training(&["hopper", "--steps", "lots"]).unwrap_err().to_string();
        assert!(message.contains("--steps") && message.contains("\"lots\""), "{message}");
    }
}
