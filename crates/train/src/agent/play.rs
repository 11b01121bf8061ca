//! Plays episodes with random actions, zero actions, or the agent of a run.
//!
//! Here: playing. Not here: finding the agent (`learned`), evaluations within a run (`run`), and statistics over returns
//! (`study::statistics`).

use crate::agent::Actor;
use crate::agent::environments::{check_arguments, check_observations, notes_of};
use crate::agent::footprint::check_environments;
use crate::agent::imagined::Imagined;
use crate::agent::learned::{Learned, alone, find_learned};
use crate::config::{Layer, task_options};
use crate::folder::checkpoint::Damaged;
use crate::run::episode::{Played, evaluate_episode, play_episode, random_action};
use crate::run::images;
use crate::streams::EvaluationStreams;
use crate::{Frames, MisfitError, TrainError};
use dreamer::Evaluation;
use environment::{Catalogue, Environment, Observe, Padded, TaskError, TaskOptions};
use replay::Episode;
use std::path::{Path, PathBuf};

/// The source of the actions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WhoPlays {
    /// Chance: uniform from -1 to 1, as in the prefill of a run.
    Random,
    /// Zero actions.
    Zero,
    /// The agent of a run folder (its newest checkpoint), of a checkpoint's folder, or of the agent's file in one.
    Run(PathBuf),
}

/// Whether episodes are filmed: an agent that observes only vectors needs no images, and environments then show none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Film {
    /// Episodes have images only if the agent observes them.
    No,
    /// Episodes have images if the environment can show them.
    IfPossible,
    /// Episodes have images; that an environment cannot show any is an error.
    Yes,
    /// As [`Film::Yes`], and the last episode also has the images that the agent imagines; that it imagines none is an error.
    Imagined,
}

/// The episodes to play.
#[derive(Clone, Debug)]
pub struct PlayOptions {
    /// The player.
    pub policy: WhoPlays,
    /// The task. If none is given: each that the agent was trained for, or each there is where no agent plays.
    pub task: Option<String>,
    /// Settings of the section `task` that replace those of the agent's training, or the defaults.
    pub settings: Vec<Layer>,
    /// Whether the episodes have images even if the agent observes none.
    pub film: Film,
    /// How the agent acts; `None` for the setting `agent.evaluation` of its run.
    pub evaluation: Option<Evaluation>,
    /// Episodes of each task.
    pub episodes: u64,
    /// From which starts and actions are made. Episode i of a seed is the same however many are played.
    pub seed: u64,
}

/// An event while episodes are played.
#[derive(Debug)]
pub enum PlayEvent<'a> {
    /// A note for the user, on one line.
    Note(&'a str),
    /// An episode ended.
    Episode {
        /// The task.
        task: &'a str,
        /// The episode's number, from 0.
        index: u64,
        /// Its return.
        score: f64,
        /// Its environment frames.
        frames: Frames,
    },
}

/// The results of the episodes of one task.
#[derive(Clone, Debug)]
pub struct Plays {
    /// The task.
    pub task: String,
    /// The policy: `random`, `zero`, or the checkpoint's folder.
    pub policy: String,
    /// The number of frames on which the agent was trained, if an agent played.
    pub trained: Option<Frames>,
    /// How the agent acted, if an agent played for which this can be chosen.
    pub evaluation: Option<Evaluation>,
    /// The seed.
    pub seed: u64,
    /// The time for which an action is held, in seconds.
    pub step_seconds: f64,
    /// Each episode's return.
    pub returns: Vec<f64>,
    /// Each episode's environment frames.
    pub lengths: Vec<Frames>,
    /// The last episode, if any was played.
    pub last: Option<Episode>,
    /// The frames that the agent imagined in the last episode, if they were asked for.
    pub imagined: Option<Imagined>,
}

/// The policy, loaded.
enum Player<L> {
    Random,
    Zero,
    Agent(Box<Learned<L>>),
}

/// Plays episodes and returns their results, task by task. `listen` receives every event and returns whether to
/// continue. Runs on the current thread pool.
///
/// # Errors
/// If the task or checkpoint does not exist or cannot be used, or if the agent does not match the task.
pub fn play_with<L: Actor>(
    catalogue: &dyn Catalogue,
    options: &PlayOptions,
    mut listen: impl FnMut(PlayEvent<'_>) -> bool,
) -> Result<Vec<Plays>, TrainError> {
    let player = match &options.policy {
        WhoPlays::Random => Player::Random,
        WhoPlays::Zero => Player::Zero,
        WhoPlays::Run(run) => {
            let alone = match options.task {
                Some(_) => alone::<L>(run)?,
                None => None,
            };
            let (mut loaded, damaged) = match alone {
                Some(alone) => (alone, Vec::new()),
                None => find_learned::<L>(run)?,
            };
            if let Some(evaluation) = options.evaluation {
                loaded.agent.evaluate_by(evaluation);
            }
            for Damaged { why, .. } in damaged {
                listen(PlayEvent::Note(&format!("{}. This command uses {}", why.damage(), loaded.path.display())));
            }
            Player::Agent(Box::new(loaded))
        }
    };
    player.check_imagines(options.film)?;
    let tasks = match (&options.task, &player) {
        (Some(task), _) => vec![task.clone()],
        (None, Player::Agent(loaded)) => loaded.about.tasks.clone(),
        (None, _) => catalogue.names().into_iter().map(str::to_owned).collect(),
    };
    check_environments(tasks.iter())?;
    // All environments first: an error comes before anything is played.
    let environments =
        tasks.iter().map(|task| player.environment(catalogue, task, options)).collect::<Result<Vec<_>, _>>();
    let environments = environments.map_err(|error| match (error, &player) {
        // The user did not type this name.
        (TrainError::Task(TaskError::UnknownTask { name, .. }), Player::Agent(loaded)) if options.task.is_none() => {
            let why = format!(
                "it was trained for the task {name:?}, which this program does not have; if it was edited, restore it"
            );
            TrainError::Checkpoint { path: loaded.path.clone(), why }
        }
        (error, _) => error,
    })?;
    if let (Some(task), Player::Agent(loaded)) = (&options.task, &player)
        && !loaded.about.tasks.is_empty()
        && !loaded.about.tasks.contains(task)
    {
        let trained = loaded.about.tasks.join(", ");
        listen(PlayEvent::Note(&format!("the agent was trained for {trained}, not for {task}")));
    }
    for note in environments.iter().flat_map(|environment| notes_of(environment.info())) {
        listen(PlayEvent::Note(&note));
    }
    let mut all = Vec::new();
    for (task, mut environment) in tasks.into_iter().zip(environments) {
        let mut plays = player.plays(task, environment.info().timing.step_seconds(), options.seed);
        let mut going = true;
        for index in 0..options.episodes {
            let mut random = EvaluationStreams::asked_for(options.seed, index);
            let Some(Played { episode, frames, .. }) = player.episode(environment.as_mut(), &mut random)? else {
                break;
            };
            let score = episode.score();
            plays.returns.push(score);
            plays.lengths.push(frames);
            plays.last = Some(episode);
            going = listen(PlayEvent::Episode { task: &plays.task, index, score, frames });
            if !going {
                break;
            }
        }
        if let (Film::Imagined, Some(episode), Player::Agent(loaded)) = (options.film, &plays.last, &player) {
            plays.imagined = Some(Imagined::of(&loaded.agent, episode, options.seed));
        }
        all.push(plays);
        if !going {
            break;
        }
    }
    Ok(all)
}

impl<L: Actor> Player<L> {
    /// Checks that there is an agent that imagines images, if they are to be filmed.
    ///
    /// # Errors
    /// [`TrainError::ImaginesNothing`].
    fn check_imagines(&self, film: Film) -> Result<(), TrainError> {
        let why = match self {
            _ if film != Film::Imagined => return Ok(()),
            Self::Random | Self::Zero => "random and zero actions do not come from a world model; give a trained agent",
            Self::Agent(loaded) if loaded.agent.observation_space().image.is_none() => {
                "this agent observes vectors, so its world model does not predict images"
            }
            Self::Agent(loaded) if !loaded.agent.predicts_images() => {
                "this agent has no decoder (agent.reconstruction is \"barlow\"), so its world model does not predict images"
            }
            Self::Agent(_) => return Ok(()),
        };
        Err(TrainError::ImaginesNothing { why })
    }

    /// The environment of `task`, its actions as long as the player's.
    fn environment(
        &self,
        catalogue: &dyn Catalogue,
        task: &str,
        options: &PlayOptions,
    ) -> Result<Box<dyn Environment>, TrainError> {
        let trained = match self {
            Self::Agent(loaded) => loaded.about.task.clone(),
            Self::Random | Self::Zero => TaskOptions::default(),
        };
        let asked = task_options(&trained, &options.settings)?;
        let filmed = TaskOptions { observe: Observe::Both, ..asked.clone() };
        let environment = match (options.film, asked.observe) {
            (Film::Yes | Film::Imagined, Observe::Vector) => catalogue.make(task, &filmed)?,
            (Film::IfPossible, Observe::Vector) => {
                catalogue.make(task, &filmed).or_else(|_| catalogue.make(task, &asked))?
            }
            _ => catalogue.make(task, &asked)?,
        };
        check_observations(environment.info())?;
        if matches!(options.film, Film::Yes | Film::Imagined) && environment.info().observations.image.is_none() {
            return Err(MisfitError::NoImages { task: task.to_owned() }.into());
        }
        let typed = task_options(&TaskOptions::default(), &options.settings)?;
        check_arguments(std::iter::once(environment.info()), &typed)?;
        let Self::Agent(loaded) = self else { return Ok(environment) };
        let (observed, shown) = (loaded.agent.observation_space(), environment.info().observations);
        if let Some(known) = loaded.about.external.iter().find(|known| known.task == task)
            && asked.observe == trained.observe
        {
            known.check_vectors(shown, &loaded.path, !typed.arguments.is_empty())?;
        }
        let (own, needed) = (loaded.agent.action_size(), environment.action_size());
        let padded = own > needed && loaded.about.tasks.iter().any(|known| known == task);
        if own != needed && !padded {
            return Err(MisfitError::ActionSize {
                path: loaded.path.clone(),
                agent: own,
                task: task.to_owned(),
                needed,
                learned: match loaded.about.tasks.is_empty() {
                    true => vec!["tasks that its file does not name".to_owned()],
                    false => loaded.about.tasks.clone(),
                },
            }
            .into());
        }
        let image_is_missing = observed.image.is_some() && shown.image.is_none();
        if image_is_missing || shown.vector > observed.vector || (observed.vector > 0 && shown.vector == 0) {
            let path = loaded.path.clone();
            let (agent, shown) = (Box::new(observed), Box::new(shown));
            return Err(MisfitError::Observations { path, agent, task: task.to_owned(), shown }.into());
        }
        Ok(Box::new(Padded::new(environment, own, observed.vector)?))
    }

    fn episode(
        &self,
        environment: &mut dyn Environment,
        random: &mut EvaluationStreams,
    ) -> Result<Option<Played>, TrainError> {
        let EvaluationStreams { starts, actions } = random;
        let discrete = environment.info().actions.is_discrete();
        match self {
            Self::Random => {
                play_episode(environment, starts, |_, action| random_action(discrete, actions, action), || false)
            }
            Self::Zero => play_episode(environment, starts, |_, action| action.fill(0.0), || false),
            Self::Agent(loaded) => evaluate_episode(environment, &loaded.agent, random, || false),
        }
    }

    /// No episodes yet.
    fn plays(&self, task: String, step_seconds: f64, seed: u64) -> Plays {
        let (policy, trained) = match self {
            Self::Random => ("random".to_owned(), None),
            Self::Zero => ("zero".to_owned(), None),
            Self::Agent(loaded) => (loaded.path.display().to_string(), Some(loaded.about.frames)),
        };
        let evaluation = match self {
            Self::Agent(loaded) => loaded.agent.evaluation(),
            Self::Random | Self::Zero => None,
        };
        let (returns, lengths) = (Vec::new(), Vec::new());
        Plays { task, policy, trained, evaluation, seed, step_seconds, returns, lengths, last: None, imagined: None }
    }
}

impl Plays {
    /// Writes the last episode, which was filmed, as a GIF, next to the frames that the agent imagined if there are
    /// any.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn write_video(&self, path: &Path) -> Result<(), TrainError> {
        match (&self.last, &self.imagined) {
            (Some(episode), Some(imagined)) => {
                images::write_gif_of(path, Imagined::WIDTH, imagined.next_to(episode), self.step_seconds)
            }
            (Some(episode), None) => images::video(path, episode, self.step_seconds),
            (None, _) => Ok(()),
        }
    }
}
