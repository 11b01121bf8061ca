//! What the cases of whole agents have in common: an agent with a case's weights, range of returns and moments, and a
//! gradient step on its batch and noise.

use super::case::{Case, Results, swapped};
use dreamer::{
    ActionDistribution, AgentConfig, BatchView, Divergence, Heads, LayerActivation, Learner, Noise, Norm, Optimisers,
    ReturnScale, ReturnsFrom, StepMetrics,
};
use tape::{Optimiser, Parameter};

/// A tensor of a case that is a parameter of an agent, or a part of one.
pub struct Tensor {
    /// The tensor's name.
    pub name: String,
    /// The place in the parameter of each of the tensor's numbers.
    pub places: Vec<usize>,
}

/// The tensors that a parameter of an agent has in a case.
type Tensors = fn(&Learner<f64>, Parameter) -> Result<Vec<Tensor>, String>;

/// The path of the range of returns, which a case has as two numbers.
pub const RANGE: &str = "return_range.bounds";

/// What the configurations of whole agents have in common. The keys of sizes begin with `agent`.
pub fn shared(case: &Case, agent: &str) -> Result<AgentConfig, String> {
    let size = |key: &str| case.size(&format!("{agent}.{key}"));
    Ok(AgentConfig {
        stoch: size("stoch")?,
        deter: size("deter")?,
        hidden: size("hidden")?,
        units: size("units")?,
        norm: Norm::Rms,
        activation: LayerActivation::Silu,
        heads: Heads::TwoHot,
        bins: size("bins")?,
        discount_head: true,
        discount_scale: 1.0,
        discount: 1.0 - 1.0 / case.number("horizon")?,
        batch: size("batch")?,
        shard: size("batch")?,
        length: size("time")?,
        horizon: size("horizon")?,
        resets: true,
        returns_from: ReturnsFrom::Start,
        lambda: case.number("lam")?,
        divergence: Divergence::Balanced,
        free_nats: case.number("free_nats")?,
        kl_scale: case.number("dyn_scale")?,
        representation_scale: case.number("rep_scale")?,
        actor: ActionDistribution::BoundedNormal,
        actor_entropy: case.number("actent")?,
        slow_value: case.number("slow_rate")?,
        replay_value: case.number("repval_scale")?,
        return_scale: ReturnScale::Percentile,
        ..AgentConfig::default()
    })
}

/// A case of a whole agent.
pub struct Whole<'a> {
    pub case: &'a Case<'a>,
    pub tensors: Tensors,
    /// The case's names of the optimisers' first and second moments.
    pub moments: [&'static str; 2],
}

impl Whole<'_> {
    /// A size of the agent.
    pub fn size(&self, key: &str) -> Result<usize, String> {
        self.case.size(&format!("{}.{key}", self.case.name))
    }

    /// A parameter's numbers in the case, below a name such as `w`.
    pub fn numbers(&self, learner: &Learner<f64>, parameter: Parameter, kind: &str) -> Result<Vec<f64>, String> {
        let size = learner.parameters().values(parameter).len();
        let mut ours = vec![f64::NAN; size];
        for Tensor { name, places } in (self.tensors)(learner, parameter)? {
            let numbers = self.case.numbers(&format!("{kind}/{name}"))?;
            if numbers.len() != places.len() {
                return Err(format!("{name} has {} numbers, and this agent's {}", numbers.len(), places.len()));
            }
            places.iter().zip(numbers).for_each(|(place, number)| ours[*place] = *number);
        }
        Ok(ours)
    }

    /// Adds a parameter's numbers to the results, below a name such as `grad`.
    pub fn put(
        &self,
        results: &mut Results,
        kind: &str,
        learner: &Learner<f64>,
        parameter: Parameter,
        numbers: &[f64],
    ) -> Result<(), String> {
        for Tensor { name, places } in (self.tensors)(learner, parameter)? {
            let shape = self.case.shape(&format!("w/{name}"))?;
            let theirs: Vec<f64> = places.iter().map(|place| numbers[*place]).collect();
            results.put(format!("{kind}/{name}"), shape, theirs);
        }
        Ok(())
    }

    /// The range of returns before the step.
    pub fn range(&self) -> Result<[f64; 2], String> {
        Ok([self.case.scalar("return_low")?, self.case.scalar("return_high")?])
    }

    /// An agent as it is before the step, with this range of returns.
    pub fn learner(&self, config: &AgentConfig, range: [f64; 2]) -> Result<Learner<f64>, String> {
        let mut learner = Learner::<f64>::new(config, self.size("action")?).map_err(|error| error.to_string())?;
        for parameter in learner.parameters().iter() {
            let values = match learner.parameters().path(parameter) {
                RANGE => range.to_vec(),
                _ => self.numbers(&learner, parameter, "w")?,
            };
            learner.parameters_mut().values_mut(parameter).copy_from_slice(&values);
        }
        let Optimisers { model, actor, value } = learner.optimisers();
        let mut before = Vec::new();
        for (optimiser, kind) in [model, actor, value].into_iter().flat_map(|one| self.moments.map(|kind| (one, kind)))
        {
            let parameters = optimiser.set().iter();
            let numbers: Result<Vec<_>, String> =
                parameters.map(|parameter| self.numbers(&learner, parameter, kind)).collect();
            before.push(numbers?.concat());
        }
        let steps = self.size("opt_step")?.checked_sub(1).ok_or("opt_step is 0, and steps are counted from 1")?;
        if steps == 0 {
            return Err("opt_step is 1, and this agent's slow value head is a copy of its value head then".to_owned());
        }
        let Optimisers { model, actor, value } = learner.optimisers_mut();
        for (optimiser, before) in [model, actor, value].into_iter().zip(before.chunks_exact(2)) {
            let (first, second) = optimiser.moments_mut();
            first.copy_from_slice(&before[0]);
            second.copy_from_slice(&before[1]);
            optimiser.set_updates(steps as u64);
        }
        Ok(learner)
    }

    /// The case's batch.
    pub fn batch(&self, config: &AgentConfig) -> Result<Batch, String> {
        let case = self.case;
        let mut start = Vec::new();
        if case.has("carry/stoch") {
            let states = case.numbers("carry/stoch")?.chunks_exact(config.state_size());
            let states = states.zip(case.numbers("carry/deter")?.chunks_exact(config.deter));
            start = states.flat_map(|(stoch, deter)| [stoch, deter].concat()).collect();
        }
        Ok(Batch {
            image: case.numbers("image_u8")?.iter().map(|&x| x as u8).collect(),
            // The case's agent divides actions beyond [-1, 1] by their absolute values.
            action: case.numbers("action")?.iter().map(|x| x / x.abs().max(1.0)).collect(),
            reward: case.numbers("reward")?.to_vec(),
            discount: case.numbers("is_terminal")?.iter().map(|terminal| 1.0 - terminal).collect(),
            first: case.numbers("is_first")?.to_vec(),
            start,
        })
    }

    /// The case's noise, as one shard has it.
    pub fn noise(&self, config: &AgentConfig, actions: usize) -> Result<Noise<f64>, String> {
        let case = self.case;
        // DreamerV3 draws an action after the last imagined state, too, and does not use it.
        let drawn = &case.numbers("noise/act")?[..config.horizon * config.batch * config.length * actions];
        Ok(Noise {
            posterior: case.numbers("noise/post")?.to_vec(),
            action: by_step(drawn, config.horizon, config),
            prior: by_step(case.numbers("noise/img")?, config.horizon, config),
            start: Vec::new(),
        })
    }

    /// One gradient step on the case's batch and noise.
    pub fn step(&self, learner: &mut Learner<f64>) -> Result<StepMetrics, String> {
        let config = learner.config().clone();
        let (batch, noise) = (self.batch(&config)?, self.noise(&config, learner.action_size())?);
        learner.step(batch.view(), &|_, out| out.clone_from(&noise)).map_err(|error| error.to_string())
    }

    /// Adds the gradients of a step, the parameters after it, and the moments.
    pub fn put_step(&self, results: &mut Results, learner: &Learner<f64>) -> Result<(), String> {
        let (model, behaviour) = learner.last_gradients();
        for parameter in learner.parameters().iter().filter(|one| learner.parameters().path(*one) != RANGE) {
            self.put(results, "step", learner, parameter, learner.parameters().values(parameter))?;
            if let Some(gradient) = model.of(parameter).or(behaviour.of(parameter)) {
                self.put(results, "grad", learner, parameter, gradient)?;
            }
            let (Some(optimiser), moments) = (optimiser_of(learner, parameter), self.moments) else { continue };
            let place = optimiser.set().place(parameter).expect("of the set");
            let (first, second) = optimiser.moments();
            for (kind, numbers) in moments.into_iter().zip([first, second]) {
                self.put(results, kind, learner, parameter, &numbers[place.clone()])?;
            }
        }
        Ok(())
    }
}

/// The optimiser that trains a parameter, if one does.
fn optimiser_of(learner: &Learner<f64>, parameter: Parameter) -> Option<&Optimiser<f64>> {
    let Optimisers { model, actor, value } = learner.optimisers();
    [model, actor, value].into_iter().find(|optimiser| optimiser.set().contains(parameter))
}

/// The data of a [`BatchView`].
pub struct Batch {
    pub image: Vec<u8>,
    pub action: Vec<f64>,
    pub reward: Vec<f64>,
    pub discount: Vec<f64>,
    pub first: Vec<f64>,
    pub start: Vec<f64>,
}

impl Batch {
    fn view(&self) -> BatchView<'_, f64> {
        BatchView {
            image: &self.image,
            vector: &[],
            action: &self.action,
            reward: &self.reward,
            discount: &self.discount,
            first: &self.first,
            start: &self.start,
            embedding: &[],
        }
    }
}

/// Numbers of H steps of rollouts [H, B L, ...], numbered sequence by sequence, as ours, which are numbered step by step.
pub fn by_step(numbers: &[f64], steps: usize, config: &AgentConfig) -> Vec<f64> {
    let of_step = |step: &[f64]| swapped(step, config.batch, config.length);
    numbers.chunks_exact(numbers.len() / steps).flat_map(of_step).collect()
}

/// The opposite, rollout by rollout: ours to [B L, H, ...].
pub fn by_rollout(numbers: &[f64], steps: usize, config: &AgentConfig) -> Vec<f64> {
    let of_step = |step: &[f64]| swapped(step, config.length, config.batch);
    let by_step: Vec<f64> = numbers.chunks_exact(numbers.len() / steps).flat_map(of_step).collect();
    swapped(&by_step, steps, config.batch * config.length)
}
