//! An agent with all options at once, at sizes of DreamerV3: gradients in single precision against double precision.

use dreamer::{
    ActionDistribution, AgentConfig, BatchView, Cell, Divergence, Heads, Latent, LayerActivation, Learner, Noise, Norm,
    OptimiserRule, ReturnScale,
};
use random::Stream;
use tape::{Parameter, Real};

const ACTION: usize = 6;

fn config() -> AgentConfig {
    AgentConfig {
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
    }
}

/// A learner that has computed its gradients at a point that depends on nothing else.
fn gradients<F: Real>() -> Learner<F> {
    let config = config();
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
    let noise = Stream::new(0, "noise");
    let draw = |shard: usize, draws: &mut Noise<F>| draws.draw(&config, &mut noise.part(shard as u64));
    learner.gradients(batch, &draw).unwrap();
    learner
}

/// A parameter's gradient, if it is trained.
fn find<F: Real>(learner: &Learner<F>, parameter: Parameter) -> Option<Vec<f64>> {
    let (model, behaviour) = learner.last_gradients();
    let numbers = model.of(parameter).or_else(|| behaviour.of(parameter))?;
    Some(numbers.iter().map(|x| x.to_f64()).collect())
}

#[test]
fn single_precision_does_not_drift_from_double_precision() {
    let (exact, single) = (gradients::<f64>(), gradients::<f32>());
    let mut compared = 0;
    for parameter in exact.parameters().iter() {
        let (Some(one), Some(other)) = (find(&exact, parameter), find(&single, parameter)) else { continue };
        let norm = |numbers: &mut dyn Iterator<Item = f64>| numbers.map(|x| x * x).sum::<f64>().sqrt();
        let apart = norm(&mut one.iter().zip(&other).map(|(one, other)| one - other));
        let size = norm(&mut one.iter().copied());
        let path = exact.parameters().path(parameter);
        assert!(size > 0.0, "{path} has no gradient");
        assert!(apart < 1e-3 * size, "{path}: {apart:e} apart of {size:e}");
        compared += 1;
    }
    assert!(compared > 60, "{compared} parameters");
}
