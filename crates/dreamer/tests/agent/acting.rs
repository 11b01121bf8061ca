//! Acting and imagining: actions of each kind, and open-loop images.

use super::kinds::{batch, projecting, tiny, weighing, with_options, with_vectors};
use dreamer::networks::IMAGE_NUMBERS;
use dreamer::{ActMode, ActionDistribution, Agent, AgentConfig, Metric};
use environment::Observation;
use random::Stream;

#[test]
fn an_agent_without_decoders_predicts_no_images() {
    let config = projecting();
    let (data, agent) = (batch(&config, 2), Agent::new(&config, 2, 7).unwrap());
    let seen = Observation { image: &data.image, vector: &data.vector }.part(&config.observation_space(), 0..6);
    assert!(!config.predicts_images() && weighing().predicts_images());
    assert!(agent.open_loop(seen, &data.action[..12], 3, &mut Stream::new(1, "open")).is_empty());
}

#[test]
fn open_loop_images_have_a_frame_for_every_step() {
    let config = tiny(false);
    let data = batch(&config, 2);
    let agent = Agent::new(&config, 2, 7).unwrap();
    let frames =
        agent.open_loop((&data.image[..6 * 64 * 64 * 3]).into(), &data.action[..12], 3, &mut Stream::new(1, "open"));
    assert_eq!(frames.len(), 6 * 64 * 64 * 3);
    let again =
        agent.open_loop((&data.image[..6 * 64 * 64 * 3]).into(), &data.action[..12], 3, &mut Stream::new(1, "open"));
    assert_eq!(frames, again);
}

#[test]
fn bounded_actions_are_within_bounds_and_their_mode_is_their_mean() {
    let config = with_options();
    let (data, agent) = (batch(&config, 2), Agent::new(&config, 2, 7).unwrap());
    let (mut state, mut random, mut action) = (agent.begin(), Stream::new(3, "act"), [0.0; 2]);
    let image = &data.image[..IMAGE_NUMBERS];
    let mut cut_off = 0;
    for _ in 0..200 {
        agent.act(&mut state, image.into(), ActMode::Sample, &mut random, &mut action);
        assert!(action.iter().all(|a| (-1.0..=1.0).contains(a)), "{action:?}");
        cut_off += action.iter().filter(|a| a.abs() == 1.0).count();
        let (means, stds) = state.distribution.split_at(2);
        assert!(means.iter().all(|x| x.abs() < 1.0) && stds.iter().all(|x| (0.1..=1.0).contains(x)));
    }
    assert!(cut_off > 0);
    agent.act(&mut state, image.into(), ActMode::Evaluate, &mut random, &mut action);
    assert_eq!(action, state.distribution[..2]);
}

#[test]
fn an_agent_with_one_hot_actions_learns_and_acts() {
    let config = AgentConfig { actor: ActionDistribution::OneHot, exploration_epsilon: 0.5, ..tiny(false) };
    let mut agent = Agent::new(&config, 3, 1).unwrap();
    let mut data = batch(&config, 3);
    for (index, action) in data.action.chunks_exact_mut(3).enumerate() {
        action.copy_from_slice(&[0.0; 3]);
        action[index % 3] = 1.0;
    }
    for _ in 0..3 {
        assert_eq!(agent.learn(&data).unwrap().not_finite(), None);
    }
    let mut random = Stream::new(2, "play");
    let mut chosen = [[0; 3]; 2];
    for (counts, mode) in chosen.iter_mut().zip([ActMode::Explore, ActMode::Evaluate]) {
        let (mut state, mut action) = (agent.begin(), [0.0; 3]);
        for _ in 0..200 {
            agent.act(&mut state, (&data.image[..IMAGE_NUMBERS]).into(), mode, &mut random, &mut action);
            assert_eq!(action.iter().sum::<f32>(), 1.0, "{action:?}");
            counts[action.iter().position(|x| *x == 1.0).expect("a one")] += 1;
            assert!((state.distribution.iter().sum::<f32>() - 1.0).abs() < 1e-5, "{:?}", state.distribution);
        }
    }
    assert!(chosen[0].iter().all(|count| *count > 20), "exploration chooses everything: {chosen:?}");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("agent.safetensors");
    agent.save(&path).unwrap();
    let mut again = Agent::load(&path).unwrap();
    assert_eq!(agent.learn(&data).unwrap().named(), again.learn(&data).unwrap().named());
}

#[test]
fn an_agent_that_observes_vectors_learns_them_and_acts_on_them() {
    for images in [false, true] {
        let config = AgentConfig { images, model_learning_rate: 3e-3, ..with_vectors() };
        let data = batch(&config, 2);
        let mut agent = Agent::new(&config, 2, 7).unwrap();
        let first = agent.learn(&data).unwrap();
        let last = (0..200).map(|_| agent.learn(&data).unwrap()).last().unwrap();
        let floor = 0.5 * std::f64::consts::TAU.ln() * 3.0;
        let loss = |metrics: &dreamer::StepMetrics| metrics[Metric::VectorLoss] - floor;
        assert!(loss(&last) < 0.5 * loss(&first), "{first:?} {last:?}");
        assert_eq!(last[Metric::ImageLoss] > 0.0, images);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("agent.safetensors");
        agent.save(&path).unwrap();
        let mut again = Agent::load(&path).unwrap();
        let space = config.observation_space();
        let act = |agent: &Agent, vector: &[f32]| {
            let (mut state, mut action) = (agent.begin(), [0.0; 2]);
            let seen = Observation { image: &data.image[..space.image_bytes()], vector };
            agent.act(&mut state, seen, ActMode::Sample, &mut Stream::new(3, "act"), &mut action);
            action
        };
        assert_eq!(act(&agent, &data.vector[..3]), act(&again, &data.vector[..3]));
        assert_ne!(act(&agent, &data.vector[..3]), act(&agent, &[4.0, -4.0, 9.0]));
        assert_eq!(agent.learn(&data).unwrap(), again.learn(&data).unwrap());
        // A batch without the vectors is refused.
        let mut without = data.clone();
        without.vector.clear();
        let error = agent.learn(&without).unwrap_err().to_string();
        assert!(error.contains("vectors has 0 numbers"), "{error}");
    }
}
