//! Whether there is memory enough, before anything is made or written, and whether the replay memory can hold a whole
//! run.
//!
//! Here: comparing the memory that a run needs at least with the available memory, and its episodes with their budget.
//! Not here: the memory of an agent (`dreamer::footprint`).

use crate::TrainError;
use crate::agent::environments::Environments;
use crate::config::Config;
use dreamer::{AgentConfig, footprint};
use replay::{ReplayStats, Sizes};
use wording::{counted, grouped};

/// Bytes that an image of the built-in tasks takes in the replay memory at most. The mean over an episode was measured to be
/// 250 to 350 for `inverted-pendulum-swingup`, `hopper` and `walker2d`, and 970 to 1280 for the tasks with a checkered
/// floor; the largest of all images, one of `ant`, took 1553.
pub(crate) const COMPRESSED_IMAGE: u64 = 1_600;

/// The memory of the episodes of a run depends on these sizes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Episodes {
    sizes: Sizes,
    /// Transitions of the whole run.
    transitions: u64,
    /// The most bytes of episodes of another run, which are part of the budget.
    rehearsed: u64,
}

impl Episodes {
    /// Those of a run of `config` in these environments, which rehearses at most `rehearsed` bytes of episodes of
    /// another run.
    pub fn of(config: &Config, environments: &Environments, rehearsed: u64) -> Self {
        Self { sizes: environments.sizes(), transitions: environments.transitions(config.steps.0), rehearsed }
    }
}

/// Checks that there is enough memory for a run of `config`. Otherwise, the operating system would kill the run,
/// perhaps days later. Episodes count with their budget, or with the uncompressed size of the whole run if that is
/// less, because the compression of a task's images is not known in advance. So do the embeddings of a frozen encoder.
/// With a device, `learns_here` is false, and the device checks its own memory.
///
/// # Errors
/// [`TrainError::Memory`] with the needed and the available memory.
pub(crate) fn check_run(config: &Config, episodes: Episodes, learns_here: bool) -> Result<(), TrainError> {
    let Episodes { sizes, transitions, rehearsed } = episodes;
    let whole = transitions.saturating_mul(sizes.bytes() as u64).saturating_add(rehearsed);
    let agent =
        if learns_here { learning_bytes(&config.agent, sizes.action, crate::threads(config.threads))? } else { 0 };
    let all = if config.agent.frozen_encoder && config.agent.vector == 0 {
        footprint::embedding_bytes(&config.agent, transitions)
    } else {
        0
    };
    check(agent, config.replay.budget.0.min(whole), config.replay.embeddings.0.min(all))
}

/// Checks that there is memory enough for an agent that learns on so many threads.
///
/// # Errors
/// As [`check_run`].
pub(crate) fn check_learner(config: &AgentConfig, action_size: usize, threads: usize) -> Result<(), TrainError> {
    check(learning_bytes(config, action_size, threads)?, 0, 0)
}

/// A lower bound of the bytes that an agent takes while it learns on so many threads.
fn learning_bytes(config: &AgentConfig, action_size: usize, threads: usize) -> Result<u64, TrainError> {
    // More threads than shards have nothing to compute.
    let workers = threads.min(config.batch.div_ceil(config.shard.max(1))) as u64;
    let of_workers = footprint::least_worker_bytes(config).saturating_mul(workers);
    Ok(footprint::training_bytes(config, action_size)?.saturating_add(of_workers))
}

/// Checks that there is memory enough for an agent that is made, before it learns.
///
/// # Errors
/// As [`check_run`].
pub(crate) fn check_agent(config: &AgentConfig, action_size: usize) -> Result<(), TrainError> {
    check(footprint::training_bytes(config, action_size)?, 0, 0)
}

/// Bytes that a built-in environment takes, measured: a run of six tasks, which has each of them twice, took 471 MB, and a run of one
/// 99 MB.
pub(crate) const ENVIRONMENT: u64 = 37_000_000;

/// Checks that there is memory enough for an environment of each of these tasks. External ones are programs of their own.
///
/// # Errors
/// [`TrainError::EnvironmentMemory`] with the needed and the available memory.
pub(crate) fn check_environments<'t>(tasks: impl Iterator<Item = &'t String>) -> Result<(), TrainError> {
    let count = tasks.filter(|task| !task.contains(':')).count() as u64;
    match footprint::available() {
        Some(available) if available.bytes < count.saturating_mul(ENVIRONMENT) => {
            let needed = count.saturating_mul(ENVIRONMENT);
            Err(TrainError::EnvironmentMemory { count, needed, available: Box::new(available) })
        }
        _ => Ok(()),
    }
}

fn check(agent: u64, replay: u64, embeddings: u64) -> Result<(), TrainError> {
    match footprint::available() {
        Some(available) if available.bytes < agent.saturating_add(replay).saturating_add(embeddings) => {
            let available = Box::new(available);
            Err(TrainError::Memory { agent, replay, embeddings, available })
        }
        _ => Ok(()),
    }
}

/// The note at the start of a session if the replay memory, which has `stats` now, does not or may not hold the whole run in
/// these environments; `None` if it most likely does.
///
/// The size of the run is estimated from the episodes in memory, or without any from [`COMPRESSED_IMAGE`]. Episodes of
/// another run take `rehearsed` bytes of the budget.
pub(crate) fn forgets(
    config: &Config,
    environments: &Environments,
    stats: &ReplayStats,
    rehearsed: u64,
) -> Option<String> {
    let budget = config.replay.budget;
    let of_others = match rehearsed {
        0 => String::new(),
        bytes => format!(", of which rehearsed episodes take {},", wording::bytes(bytes)),
    };
    if stats.dropped > 0 {
        let all = counted(stats.episodes as u64 + stats.dropped, "episode");
        return Some(format!(
            "the agent learns from the newest {} of {all} only, because replay.budget = {budget}{of_others} is full; the files of \
             the other episodes are kept",
            grouped(stats.episodes as u64)
        ));
    }
    let transitions = environments.transitions(config.steps.0);
    let (size, source) = match stats.bytes.checked_div(stats.transitions) {
        Some(size) => (size, "at the size of the episodes so far"),
        None => {
            let sizes = environments.sizes();
            let numbers = (sizes.bytes() - sizes.image()) as u64;
            match sizes.image() {
                0 => (numbers, "without images"),
                _ => (COMPRESSED_IMAGE + numbers, "if its images compress like those of the built-in tasks"),
            }
        }
    };
    let whole = transitions.saturating_mul(size);
    (whole > budget.0.saturating_sub(rehearsed)).then(|| {
        format!(
            "replay.budget = {budget}{of_others} may be too small for all episodes of this run, {} transitions of up to {} \
             {source}: once it is full, the agent no longer learns from the oldest episodes; their files are kept",
            grouped(transitions),
            wording::bytes(whole)
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Layer, resolve};
    use crate::{Film, PlayOptions, Plays, WhoPlays};
    use environment::{Catalogue, Timing};
    use proptest::prelude::*;
    use replay::CompressedEpisode;

    const NOTHING: ReplayStats =
        ReplayStats { episodes: 0, transitions: 0, bytes: 0, budget: 0, too_short: 0, dropped: 0 };

    /// The environment with the largest actions.
    fn ant() -> Environments {
        let config = Config { tasks: vec!["ant".to_owned()], ..Config::default() };
        Environments::make(tasks::catalogue(), &config).unwrap()
    }

    fn config(settings: &[&str]) -> Config {
        let settings = ["tasks=hopper"].iter().chain(settings);
        resolve(&settings.map(|text| Layer::typed(text).unwrap()).collect::<Vec<_>>()).unwrap()
    }

    #[test]
    fn a_budget_that_may_be_too_small_is_named_before_anything_is_learned() {
        for steps in ["steps=1e5", "steps=1e6", "steps=2e6"] {
            assert_eq!(forgets(&config(&[steps]), &ant(), &NOTHING, 0), None, "{steps}");
        }
        let note = forgets(&config(&["replay.budget=500MB"]), &ant(), &NOTHING, 0).unwrap();
        let parts = [
            "replay.budget = 500MB may be too small",
            "501 000 transitions",
            "0.8 GB",
            "built-in tasks",
            "no longer learns",
        ];
        assert!(parts.iter().all(|part| note.contains(part)), "{note}");
    }

    #[test]
    fn once_there_are_episodes_their_size_counts() {
        let seen = |bytes, dropped| ReplayStats { episodes: 10, transitions: 5010, bytes, dropped, ..NOTHING };
        let (small, ant) = (config(&["replay.budget=500MB"]), ant());
        assert_eq!(forgets(&small, &ant, &seen(5010 * 900, 0), 0), None);
        let noise = forgets(&config(&[]), &ant, &seen(5010 * 12_300, 0), 0).unwrap();
        assert!(noise.contains("6.2 GB at the size of the episodes so far"), "{noise}");
        let full = forgets(&small, &ant, &seen(500_000_000, 1990), 0).unwrap();
        assert!(full.starts_with("the agent learns from the newest 10 of 2 000 episodes only"), "{full}");
    }

    #[test]
    fn two_million_frames_fit_a_machine_of_24_gb() {
        let config = config(&["steps=2e6"]);
        let agent = footprint::training_bytes(&config.agent, 8).unwrap();
        assert!(config.replay.budget.0 + agent < 10_000_000_000, "{agent}");
        if footprint::available().is_some_and(|available| available.bytes >= 20_000_000_000) {
            check_run(&config, Episodes::of(&config, &ant(), 0), true).unwrap();
        }
    }

    #[test]
    fn images_of_the_built_in_tasks_compress_as_well_as_was_measured() {
        let options = PlayOptions {
            policy: WhoPlays::Random,
            evaluation: None,
            task: None,
            settings: Vec::new(),
            film: Film::No,
            episodes: 1,
            seed: 0,
        };
        let plays = crate::play(tasks::catalogue(), &options, |_| true).unwrap();
        assert_eq!(plays.len(), tasks::catalogue().tasks().len());
        for Plays { last, .. } in plays {
            let episode = last.unwrap();
            let (task, length) = (episode.task().to_owned(), episode.len() as u64);
            let sizes = episode.sizes();
            let numbers = length * (sizes.bytes() - sizes.image()) as u64;
            let kept = CompressedEpisode::new(episode);
            let mean = (kept.bytes() - numbers) / length;
            assert!(mean <= COMPRESSED_IMAGE, "{mean} bytes an image of {task}");
            // A run of 2e6 frames fits twice into the default budget.
            let run = Timing::STANDARD.transitions(2_000_000) * kept.bytes() / length;
            assert!(2 * run <= Config::default().replay.budget.0, "{run} bytes of {task}");
        }
    }

    proptest! {
        // Each case loads a model.
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn no_counts_make_it_panic(bytes: u64, transitions: u64, dropped in 0u64..1 << 60, episodes in 0usize..1 << 50) {
            let stats = ReplayStats { episodes, transitions, bytes, dropped, ..NOTHING };
            let _ = forgets(&config(&["steps=1e12"]), &ant(), &stats, 0);
        }
    }
}
