//! Ranking earlier agents for a task before anything is trained: the episodes, the agents and the controls.
//!
//! Not here: the scores, their order and the table (`transfer::rank`).

use crate::agent::environments::Environments;
use crate::agent::learned::{Learned, find_newest};
use crate::config::Config;
use crate::entrance::pool;
use crate::error::ChoiceError;
use crate::folder::{config_of_run, episodes_of, is_run, stored_config};
use crate::run::episode::{Played, evaluate_episode, play_episode, random_action};
use crate::run::schedule::{Phase, Position, next};
use crate::streams::{EvaluationStreams, RunKey, Streams};
use crate::{MisfitError, TrainError};
use dreamer::{ActionDistribution, Agent, Policy};
use environment::{Catalogue, Environment, Observation, ObservationSpace};
use replay::{Episode, EpisodeName, read_episode};
use std::path::{Path, PathBuf};
use transfer::rank::{Kind, Ranked, Ranking, image_score, order, score};

/// The most bytes that an episode may take in memory: more than a hundred thousand steps.
const LARGEST_EPISODE: u64 = 2 << 30;

/// Episodes of its own tasks that an agent's reconstruction is compared with.
const OWN_EPISODES: usize = 2;

/// The options of a ranking.
#[derive(Clone, Debug)]
pub struct RankOptions {
    /// The agents: run folders, checkpoints, or agents' files.
    pub from: Vec<PathBuf>,
    /// An agent of the target itself, as a control.
    pub target: Option<PathBuf>,
    /// The episodes of the target.
    pub episodes: RankEpisodes,
}

/// The episodes of the target, at least two, on which agents are ranked.
#[derive(Clone, Debug)]
pub enum RankEpisodes {
    /// So many of random actions.
    Random(usize),
    /// So many of the newest of this run.
    OfRun(PathBuf, usize),
    /// The random episodes with which a run of the configuration begins.
    OfThisRun,
}

/// The events of a ranking.
#[derive(Debug)]
pub enum RankEvent<'a> {
    /// This many episodes of the target are there.
    Episodes(usize),
    /// This agent is scored next.
    Scores(&'a str),
}

/// Ranks agents for the first task of `config`, whose seed decides the episodes and the untrained agent. Nothing is written.
///
/// # Errors
/// If there is no such task, an agent or an episode cannot be read, or there are fewer than two episodes.
pub fn rank(
    catalogue: &dyn Catalogue,
    config: &Config,
    options: &RankOptions,
    mut listen: impl FnMut(RankEvent<'_>) + Send,
) -> Result<Ranking, TrainError> {
    let mut environments = Environments::make(catalogue, config)?;
    let shown = environments.sizes().observations;
    let environment = environments.training[0].as_mut();
    let (task, action_size) = (environment.task().to_owned(), environment.action_size());
    if let Some(path) = (1..options.from.len()).find(|end| options.from[..*end].contains(&options.from[*end])) {
        return Err(ChoiceError::SameSource { option: "--from", path: options.from[path].clone() }.into());
    }
    let of_kind = |kind| move |path: &PathBuf| Ok((path.clone(), kind, find_newest::<Policy>(path)?));
    let sources =
        options.from.iter().map(of_kind(Kind::Source)).chain(options.target.iter().map(of_kind(Kind::Target)));
    let sources = sources.collect::<Result<Vec<_>, TrainError>>()?;
    let Some((_, _, first)) = sources.first().filter(|_| !options.from.is_empty()) else {
        return Err(ChoiceError::NothingToRank.into());
    };
    if let Some((path, _, other)) = sources.iter().find(|(_, _, one)| one.agent.config().observation_space() != shown) {
        let agent = other.agent.config().observation_space();
        let (agent, shown) = (Box::new(agent), Box::new(shown));
        return Err(MisfitError::Observations { path: path.clone(), agent, task, shown }.into());
    }
    let of_target = sources.iter().filter(|(_, kind, _)| *kind == Kind::Target);
    if let Some((path, _, other)) = of_target.into_iter().find(|(_, _, one)| !one.about.tasks.contains(&task)) {
        return Err(ChoiceError::NotOfTarget { path: path.clone(), tasks: other.about.tasks.clone(), task }.into());
    }
    if let Some((path, ..)) = sources.iter().find(|(_, _, one)| !one.agent.config().predicts_observations()) {
        return Err(ChoiceError::PredictsNothing { path: path.clone() }.into());
    }
    pool(config.threads)?.install(|| {
        let random = "random actions".to_owned();
        let (episodes, episodes_of) = match &options.episodes {
            RankEpisodes::OfRun(run, count) => (episodes_of_run(run, &task, *count, shown)?, run.display().to_string()),
            RankEpisodes::Random(count) => (random_episodes(environment, config.seed, *count)?, random),
            RankEpisodes::OfThisRun => (first_episodes(environment, config)?, random),
        };
        if episodes.len() < 2 && matches!(options.episodes, RankEpisodes::OfThisRun) {
            return Err(ChoiceError::TooFewRandomEpisodes { task, found: episodes.len() }.into());
        }
        if episodes.len() < 2 {
            return Err(ChoiceError::TooFewEpisodes { task, of: episodes_of, found: episodes.len() }.into());
        }
        listen(RankEvent::Episodes(episodes.len()));
        let mut rows = Vec::new();
        for (index, (path, kind, Learned { path: agent_path, about, agent })) in sources.iter().enumerate() {
            let name = path.display().to_string();
            listen(RankEvent::Scores(&name));
            // Only a run folder contains episodes.
            let own = if is_run(path) { newest_episodes(path, None, OWN_EPISODES)? } else { Vec::new() };
            rows.push(Ranked {
                scores: score(agent, &episodes),
                own_image: if own.is_empty() { None } else { image_score(agent, &own) },
                zero_shot: zero_shot(environment, agent, config.seed, episodes.len())?,
                action_size: agent.action_size(),
                config: agent.config().clone(),
                file: Some(std::path::absolute(agent_path).map_err(TrainError::io(agent_path))?),
                tasks: about.tasks.clone(),
                rank: 0.0,
                given: (*kind == Kind::Source).then_some(index),
                kind: *kind,
                name,
            });
        }
        listen(RankEvent::Scores("an untrained agent"));
        let untrained = Agent::new(first.agent.config(), action_size, config.seed)?.into_policy();
        rows.push(Ranked {
            name: "untrained agent".to_owned(),
            file: None,
            given: None,
            kind: Kind::Untrained,
            tasks: Vec::new(),
            action_size,
            config: untrained.config().clone(),
            scores: score(&untrained, &episodes),
            own_image: None,
            zero_shot: zero_shot(environment, &untrained, config.seed, episodes.len())?,
            rank: 0.0,
        });
        let mean_return = episodes.iter().map(Episode::score).sum::<f64>() / episodes.len() as f64;
        Ok(Ranking { task, action_size, episodes_of, episodes: episodes.len(), mean_return, rows: order(rows) })
    })
}

/// Episodes of random actions.
fn random_episodes(environment: &mut dyn Environment, seed: u64, count: usize) -> Result<Vec<Episode>, TrainError> {
    let discrete = environment.info().actions.is_discrete();
    let one = |index| {
        let EvaluationStreams { mut starts, mut actions } = EvaluationStreams::asked_for(seed, index);
        let choose = |_: Observation<'_>, action: &mut [f32]| random_action(discrete, &mut actions, action);
        Ok(play_episode(environment, &mut starts, choose, || false)?.expect("nobody interrupts").episode)
    };
    (0..count as u64).map(one).collect()
}

/// The random episodes with which a run of `config` on this one task begins: drawn from the same streams, they are the
/// same.
fn first_episodes(environment: &mut dyn Environment, config: &Config) -> Result<Vec<Episode>, TrainError> {
    let discrete = environment.info().actions.is_discrete();
    let (mut streams, mut position) = (Streams::new(RunKey::of(config), false), Position::default());
    let mut episodes = Vec::new();
    while let phase @ Phase::Prefill { .. } = next(config, &position) {
        let random = &mut streams.prefill;
        let choose = |_: Observation<'_>, action: &mut [f32]| random_action(discrete, random, action);
        let played = play_episode(environment, &mut streams.environment, choose, || false)?;
        let Played { episode, frames, agent_steps, .. } = played.expect("nobody interrupts");
        position.collected(config, phase, frames, agent_steps);
        episodes.push(episode);
    }
    Ok(episodes)
}

/// The newest episodes of a run for ranking: of `task`, which it must learn, with the observations of the task.
///
/// # Errors
/// If the run learns other tasks or from other observations, or an episode cannot be read.
fn episodes_of_run(run: &Path, task: &str, count: usize, shown: ObservationSpace) -> Result<Vec<Episode>, TrainError> {
    let learned = config_of_run(run)?.tasks;
    if !learned.iter().any(|known| known == task) {
        return Err(TrainError::NotLearned { path: run.to_owned(), task: task.to_owned(), learned });
    }
    let episodes = newest_episodes(run, Some(task), count)?;
    match episodes.iter().map(|episode| episode.sizes().observations).find(|own| *own != shown) {
        Some(agent) => {
            let (agent, shown) = (Box::new(agent), Box::new(shown));
            Err(MisfitError::Observations { path: run.to_owned(), agent, task: task.to_owned(), shown }.into())
        }
        None => Ok(episodes),
    }
}

/// The newest episodes of a run, of one of its tasks or of any; the newest comes first.
///
/// # Errors
/// If the folder is not a run's, or an episode cannot be read.
fn newest_episodes(run: &Path, task: Option<&str>, count: usize) -> Result<Vec<Episode>, TrainError> {
    stored_config(run)?;
    let folder = episodes_of(run);
    let mut names = Vec::new();
    for entry in std::fs::read_dir(&folder).map_err(TrainError::io(&folder))? {
        let name = entry.map_err(TrainError::io(&folder))?.file_name();
        names.extend(name.to_str().filter(|name| EpisodeName::parse(name).is_some()).map(str::to_owned));
    }
    names.sort_unstable_by(|a, b| b.cmp(a));
    let mut episodes = Vec::new();
    for name in names {
        if episodes.len() == count {
            break;
        }
        let episode = read_episode(&folder.join(name), LARGEST_EPISODE)?;
        if task.is_none_or(|task| task == episode.task()) {
            episodes.push(episode);
        }
    }
    Ok(episodes)
}

/// The mean return of a policy; `None` if its actions are not the task's.
fn zero_shot(
    environment: &mut dyn Environment,
    agent: &Policy,
    seed: u64,
    count: usize,
) -> Result<Option<f64>, TrainError> {
    let discrete = agent.config().actor == ActionDistribution::OneHot;
    if agent.action_size() != environment.action_size() || discrete != environment.info().actions.is_discrete() {
        return Ok(None);
    }
    let mut sum = 0.0;
    for index in 0..count as u64 {
        let mut random = EvaluationStreams::asked_for(seed, index);
        sum += evaluate_episode(environment, agent, &mut random, || false)?.expect("nobody interrupts").episode.score();
    }
    Ok(Some(sum / count as f64))
}
