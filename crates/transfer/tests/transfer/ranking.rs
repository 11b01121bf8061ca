//! Rankings of agents that learned a small world: one that knows it comes first, then a beginner, and an untrained one last.

use dreamer::networks::IMAGE_NUMBERS;
use dreamer::{Agent, AgentConfig, Policy};
use random::Stream;
use replay::{Batch, Episode, EpisodeBuilder};
use transfer::rank::{Kind, Ranked, order, score};

const LENGTH: usize = 60;

fn config() -> AgentConfig {
    AgentConfig {
        depth: 2,
        stoch: 4,
        deter: 12,
        hidden: 12,
        units: 12,
        batch: 4,
        length: 10,
        horizon: 3,
        shard: 4,
        free_nats: 0.5,
        model_learning_rate: 3e-3,
        ..AgentConfig::default()
    }
}

/// A bar that an action moves and that earns by being far right.
fn episode(seed: u64) -> Episode {
    let mut random = Stream::new(seed, "actions");
    let mut place = 20.0 + 24.0 * random.uniform();
    let image = |place: f64| {
        let (first, last) = (place as usize, place as usize + 8);
        let mut image = vec![20; IMAGE_NUMBERS];
        for (index, pixel) in image.chunks_exact_mut(3).enumerate() {
            if (first..last).contains(&(index % 64)) {
                pixel.fill(230);
            }
        }
        image
    };
    let mut builder = EpisodeBuilder::new("bar", 1, &image(place)).unwrap();
    let mut action = 0.0;
    for _ in 1..LENGTH {
        // Actions are correlated in time, so that the bar moves far enough.
        action = (0.8 * action + 0.6 * random.normal()).clamp(-1.0, 1.0);
        place = (place + 3.0 * action).clamp(0.0, 55.0);
        builder.push(&[action as f32], (place / 28.0 - 1.0) as f32, 1.0, &image(place)).unwrap();
    }
    builder.finish().unwrap()
}

/// An agent that has taken `steps` gradient steps.
fn agent(seed: u64, steps: usize) -> Policy {
    let mut agent = Agent::new(&config(), 1, seed).unwrap();
    let episodes: Vec<Episode> = (0..8).map(|index| episode(1000 * seed + index)).collect();
    let mut random = Stream::new(seed, "windows");
    for _ in 0..steps {
        let mut batch = Batch::new(config().batch, config().length);
        batch.action_size = 1;
        for _ in 0..config().batch {
            let episode = &episodes[random.below(episodes.len())];
            let start = random.below(LENGTH - config().length);
            let window = start..start + config().length;
            batch.image.extend_from_slice(&episode.image()[window.start * IMAGE_NUMBERS..window.end * IMAGE_NUMBERS]);
            batch.action.extend_from_slice(&episode.action()[window.clone()]);
            batch.reward.extend_from_slice(&episode.reward()[window.clone()]);
            batch.discount.extend_from_slice(&episode.discount()[window]);
        }
        assert_eq!(agent.learn(&batch).unwrap().not_finite(), None);
    }
    agent.into_policy()
}

fn row(name: &str, kind: Kind, agent: &Policy, episodes: &[Episode]) -> Ranked {
    Ranked {
        given: None,
        name: name.to_owned(),
        file: None,
        kind,
        tasks: Vec::new(),
        action_size: 1,
        config: config(),
        scores: score(agent, episodes),
        own_image: None,
        zero_shot: None,
        rank: 0.0,
    }
}

#[test]
fn an_agent_of_the_target_comes_first_and_an_untrained_one_last() {
    let [others, targets] = [40, 500].map(|steps| (0..4).map(|seed| agent(seed, steps)).collect::<Vec<_>>());
    for seed in 0..20 {
        let episodes: Vec<Episode> = (0..5).map(|index| episode(5000 + 10 * seed + index)).collect();
        let (one, another) = (seed as usize % 4, seed as usize / 4 % 4);
        let rows = vec![
            row("untrained", Kind::Untrained, &agent(100 + seed, 0), &episodes),
            row("beginner", Kind::Source, &others[one], &episodes),
            row("target", Kind::Target, &targets[another], &episodes),
        ];
        let ordered = order(rows);
        let names: Vec<&str> = ordered.iter().map(|row| row.name.as_str()).collect();
        assert_eq!((names[0], names[2]), ("target", "untrained"), "trial {seed}: {ordered:#?}");
    }
}

#[test]
fn actions_of_another_length_are_cut_or_filled_up() {
    let episodes: Vec<Episode> = (0..2).map(episode).collect();
    let wide = Agent::new(&config(), 3, 0).unwrap().into_policy();
    let scores = score(&wide, &episodes);
    assert!(scores.image.is_some() && scores.ahead.iter().all(Option::is_some), "{scores:?}");
    assert_eq!(score(&wide, &episodes), scores, "the same episodes give the same scores");
}
