//! Agents with all options at once, at sizes of DreamerV3: gradients in single precision and in parts of a batch,
//! against those of the whole batch in double precision.

use dreamer::{
    ActionDistribution, ActorGradient, AgentConfig, BatchView, Cell, Divergence, Heads, Latent, LayerActivation,
    Learner, LossWeights, Noise, Norm, OptimiserRule, Reconstruction, ReturnScale, ReturnsFrom,
};
use random::Stream;
use tape::{Parameter, Real};

const ACTION: usize = 6;

/// An actor that learns through the dynamics from the imagined states, DreamerV3's, and one whose world model has no
/// decoders, and learned weights of losses.
fn configs() -> [AgentConfig; 3] {
    let through_dynamics = AgentConfig {
        images: false,
        vector: 24,
        vector_units: 256,
        resets: true,
        latent: Latent::Categorical,
        stoch: 32,
        classes: 16,
        cell: Cell::BlockGru,
        deter: 512,
        blocks: 8,
        prior_layers: 2,
        hidden: 256,
        units: 256,
        norm: Norm::Rms,
        activation: LayerActivation::Silu,
        heads: Heads::TwoHot,
        divergence: Divergence::Balanced,
        free_nats: 0.0,
        actor: ActionDistribution::BoundedNormal,
        actor_entropy: 3e-4,
        return_scale: ReturnScale::Percentile,
        slow_value: 0.02,
        optimiser: OptimiserRule::LaProp,
        discount_head: true,
        batch: 4,
        shard: 4,
        length: 12,
        horizon: 8,
        ..AgentConfig::default()
    };
    let published = AgentConfig {
        actor_gradient: ActorGradient::Reinforce,
        returns_from: ReturnsFrom::Start,
        replay_value: 0.3,
        ..through_dynamics.clone()
    };
    let projecting =
        AgentConfig { reconstruction: Reconstruction::Barlow, loss_weights: LossWeights::Harmony, ..published.clone() };
    [through_dynamics, published, projecting]
}

/// The noise of sequences first..first + count, each from a stream of its own.
fn noise_of<F: Real>(config: &AgentConfig, first: usize, count: usize) -> Noise<F> {
    let alone = AgentConfig { batch: 1, shard: 1, ..config.clone() };
    let streams = Stream::new(0, "noise");
    let each: Vec<Noise<F>> = (first..first + count)
        .map(|sequence| {
            let (steps, imagined) = (alone.length, alone.horizon * alone.length);
            let mut noise = Noise {
                posterior: vec![F::ZERO; steps * alone.state_size()],
                action: vec![F::ZERO; imagined * ACTION],
                prior: vec![F::ZERO; imagined * alone.state_size()],
                start: Vec::new(),
            };
            noise.draw(&alone, &mut streams.part(sequence as u64));
            noise
        })
        .collect();
    // Row by row, of all sequences in turn.
    let together = |of: fn(&Noise<F>) -> &[F], rows: usize| -> Vec<F> {
        let size = of(&each[0]).len() / rows;
        (0..rows).flat_map(|row| each.iter().flat_map(move |one| of(one)[row * size..][..size].to_vec())).collect()
    };
    let (steps, imagined) = (config.length, config.horizon * config.length);
    Noise {
        posterior: together(|noise| &noise.posterior, steps),
        action: together(|noise| &noise.action, imagined),
        prior: together(|noise| &noise.prior, imagined),
        start: Vec::new(),
    }
}

/// A learner that has computed its gradients at a point that depends on nothing else.
fn gradients<F: Real>(config: &AgentConfig, shard: usize) -> Learner<F> {
    let config = AgentConfig { shard, ..config.clone() };
    let mut learner = Learner::<F>::new(&config, ACTION).unwrap();
    learner.initialise(&mut Stream::new(0, "weights"));
    // Output layers of two-hot heads start at zero: nothing would pass through them. Peaked logits keep means moderate.
    let mut random = Stream::new(0, "heads");
    let heads: Vec<(Parameter, bool)> = learner
        .parameters()
        .iter()
        .filter_map(|parameter| {
            let path = learner.parameters().path(parameter);
            let is_head = ["world_model.reward.hout.", "value.hout."].iter().any(|start| path.starts_with(start));
            is_head.then(|| (parameter, path.ends_with("kernel")))
        })
        .collect();
    for (parameter, is_kernel) in heads {
        for (index, value) in learner.parameters_mut().values_mut(parameter).iter_mut().enumerate() {
            let from_middle = (index % config.bins) as f64 - 0.5 * (config.bins - 1) as f64;
            *value = F::of(if is_kernel { 0.3 * random.normal() } else { -0.02 * from_middle * from_middle });
        }
    }
    let mut random = Stream::new(0, "batch");
    let rows = config.batch * config.length;
    let vector: Vec<F> = (0..rows * config.vector).map(|_| F::of(random.normal())).collect();
    let action: Vec<F> = (0..rows * ACTION).map(|_| F::of(random.uniform_in(-1.0, 1.0))).collect();
    let reward: Vec<F> = (0..rows).map(|_| F::of(3.0 * random.normal())).collect();
    let discount: Vec<F> = (0..rows).map(|row| F::of(f64::from(u8::from(row % 9 != 4)))).collect();
    let first: Vec<F> = (0..rows).map(|row| F::of(f64::from(u8::from(row % 9 == 5)))).collect();
    let batch = BatchView {
        image: &[],
        vector: &vector,
        action: &action,
        reward: &reward,
        discount: &discount,
        first: &first,
        start: &[],
        embedding: &[],
    };
    let draw = |index: usize, draws: &mut Noise<F>| {
        let first = index * shard;
        *draws = noise_of(&config, first, shard.min(config.batch - first));
    };
    learner.gradients(batch, &draw).unwrap();
    learner
}

/// A parameter's gradient, if it is trained.
fn find<F: Real>(learner: &Learner<F>, parameter: Parameter) -> Option<Vec<f64>> {
    let (model, behaviour) = learner.last_gradients();
    let numbers = model.of(parameter).or_else(|| behaviour.of(parameter))?;
    Some(numbers.iter().map(|x| x.to_f64()).collect())
}

/// Compares every gradient, by the norm of the difference in relation to its own.
fn compare<F: Real>(exact: &Learner<f64>, other: &Learner<F>, most: f64) {
    let mut compared = 0;
    for parameter in exact.parameters().iter() {
        let (Some(one), Some(other)) = (find(exact, parameter), find(other, parameter)) else { continue };
        let norm = |numbers: &mut dyn Iterator<Item = f64>| numbers.map(|x| x * x).sum::<f64>().sqrt();
        let apart = norm(&mut one.iter().zip(&other).map(|(one, other)| one - other));
        let size = norm(&mut one.iter().copied());
        let path = exact.parameters().path(parameter);
        assert!(size > 0.0, "{path} has no gradient");
        assert!(apart < most * size, "{path}: {apart:e} apart of {size:e}");
        compared += 1;
    }
    assert!(compared > 60, "{compared} parameters");
}

#[test]
fn single_precision_and_parts_of_a_batch_do_not_drift_from_the_whole_in_double_precision() {
    for config in configs() {
        let exact = gradients::<f64>(&config, config.batch);
        // One sequence at a time, three and then the last, and all four.
        for shard in [1, 3, config.batch] {
            compare(&exact, &gradients::<f32>(&config, shard), 1e-3);
            compare(&exact, &gradients::<f64>(&config, shard), 1e-11);
        }
    }
}
