//! The whole agent in double precision on weights, inputs and noise from a file: every intermediate value, loss, gradient,
//! optimiser step and action under the file's own names (`in/`, `w/`, `noise/`, `policy/` in; `out/`, `grad/`, `adam1/`,
//! `policy/` out). Shared by the golden test, the tests of crate `transfer`, and the tool `reference`.

#[path = "../../examples/reference_modern/tensors.rs"]
mod tensors;

pub use tensors::{Tensors, read};

use dreamer::behaviour::{evaluate, imagine};
use dreamer::networks::{IMAGE_NUMBERS, ObservationVars, Seen};
use dreamer::{
    AgentConfig, BatchView, Learner, Metric, Noise, PolicyNoise, RewardSource, StepMetrics, squashed_log_density,
};
use tape::{Parameter, Tape, Var, Workspace};

/// An agent and the data it is to be tried on.
pub struct Reference {
    pub learner: Learner<f64>,
    tensors: Tensors,
    image: Vec<u8>,
    discount: Vec<f64>,
}

impl Reference {
    /// Builds the agent that the configuration describes, with the file's weights.
    pub fn new(tensors: Tensors, config: &serde_json::Value) -> Result<Self, String> {
        let number = |key: &str| config[key].as_f64().ok_or_else(|| format!("`config` lacks the number {key:?}"));
        let count = |key: &str| {
            config[key].as_u64().map(|n| n as usize).ok_or_else(|| format!("`config` lacks the size {key:?}"))
        };
        for (key, fixed) in [
            ("adam_b1", 0.9),
            ("adam_b2", 0.999),
            ("adam_eps", 1e-7),
            ("mean_scale", 5.0),
            ("init_std", 5.0),
            ("min_std", 1e-4),
        ] {
            if config.get(key).is_some() && number(key)? != fixed {
                return Err(format!("{key} is {}, and this agent's is {fixed}", config[key]));
            }
        }
        let discount_head = tensors.contains_key("w/discount/h0/kernel");
        let layers =
            |head: &str| (0..).take_while(|layer| tensors.contains_key(&format!("w/{head}/h{layer}/kernel"))).count();
        let sources = (0..).map(|index| format!("reward_sources/{index}"));
        let reward_sources = sources
            .take_while(|source| layers(source) > 0)
            .map(|source| RewardSource {
                layers: layers(&source),
                units: tensors[&format!("w/{source}/h0/bias")].1.len(),
                ..RewardSource::default()
            })
            .collect();
        let defaults = AgentConfig::default();
        let config = AgentConfig {
            depth: count("depth")?,
            stoch: count("stoch")?,
            deter: count("deter")?,
            hidden: count("hidden")?,
            units: count("units")?,
            reward_layers: layers("reward"),
            reward_sources,
            frozen_encoder: config["frozen_encoder"].as_bool().unwrap_or(false),
            value_layers: layers("value"),
            actor_layers: layers("actor"),
            discount_head,
            discount_layers: if discount_head { layers("discount") } else { defaults.discount_layers },
            batch: count("batch")?,
            length: count("length")?,
            horizon: count("horizon")?,
            discount: number("discount")?,
            lambda: number("disclam")?,
            free_nats: number("free_nats")?,
            kl_scale: number("kl_scale")?,
            min_std: number("std_min_rssm")?,
            model_learning_rate: number("model_lr")?,
            value_learning_rate: number("value_lr")?,
            actor_learning_rate: number("actor_lr")?,
            gradient_clip: number("grad_clip")?,
            exploration_noise: number("expl_amount")?,
            shard: count("batch")?,
            ..defaults
        };
        let mut learner = Learner::new(&config, count("action")?).map_err(|error| error.to_string())?;
        let parameters: Vec<Parameter> = learner.parameters().iter().collect();
        for parameter in parameters {
            let name = format!("w/{}", theirs(learner.parameters().path(parameter)));
            let (shape, values) = tensors.get(&name).ok_or_else(|| format!("the file lacks {name}"))?;
            if shape != learner.parameters().shape(parameter) {
                return Err(format!("{name} is {shape:?}, should be {:?}", learner.parameters().shape(parameter)));
            }
            learner.parameters_mut().values_mut(parameter).copy_from_slice(values);
        }
        let image = values(&tensors, "in/image_u8")?.iter().map(|&x| x as u8).collect();
        let discount = match tensors.get("in/discount") {
            Some((_, values)) => values.clone(),
            None => vec![1.0; config.batch * config.length],
        };
        Ok(Self { learner, tensors, image, discount })
    }

    fn values(&self, name: &str) -> Result<&[f64], String> {
        values(&self.tensors, name)
    }

    /// The learner's own loss and gradients, on its own shards.
    #[allow(dead_code, reason = "the example has no use for it")]
    pub fn gradients(&mut self) -> Result<StepMetrics, String> {
        let noise = self.noise()?;
        let config = self.learner.config().clone();
        let (action, reward) = (self.values("in/action")?.to_vec(), self.values("in/reward")?.to_vec());
        let batch = BatchView {
            image: &self.image,
            vector: &[],
            action: &action,
            reward: &reward,
            discount: &self.discount,
            first: &[],
            start: &[],
            embedding: &[],
        };
        let sequences = config.batch;
        let metrics = self.learner.gradients(batch, &|shard, out| {
            let first = shard * config.shard;
            let part = config.shard.min(sequences - first);
            *out = part_of(&noise, sequences, first, part, config.length, config.horizon);
        });
        metrics.map_err(|error| error.to_string())
    }

    /// One whole step of the learner.
    fn step(&mut self) -> Result<StepMetrics, String> {
        let noise = self.noise()?;
        let (action, reward) = (self.values("in/action")?.to_vec(), self.values("in/reward")?.to_vec());
        let batch = BatchView {
            image: &self.image,
            vector: &[],
            action: &action,
            reward: &reward,
            discount: &self.discount,
            first: &[],
            start: &[],
            embedding: &[],
        };
        self.learner.step(batch, &|_, out| out.clone_from(&noise)).map_err(|error| error.to_string())
    }

    /// The file's noise for the whole batch in one shard. There, rollouts are numbered sequence by sequence.
    fn noise(&self) -> Result<Noise<f64>, String> {
        let &AgentConfig { batch, length, horizon, stoch, .. } = self.learner.config();
        let by_step = |values: &[f64], size: usize| -> Vec<f64> {
            let rows = batch * length;
            let ours = (0..horizon * rows).flat_map(|row| {
                let (step, row) = (row / rows, row % rows);
                let from = (step * rows + (row % batch) * length + row / batch) * size;
                values[from..from + size].to_vec()
            });
            ours.collect()
        };
        Ok(Noise {
            posterior: self.values("noise/post")?.to_vec(),
            action: by_step(self.values("noise/act")?, self.learner.action_size()),
            prior: by_step(self.values("noise/img")?, stoch),
            start: Vec::new(),
        })
    }

    /// Everything: `out/`, `grad/`, `adam1/`, `adam1_m/`, `adam1_v/`, `policy/`.
    pub fn compute(&mut self) -> Result<Tensors, String> {
        let mut out = Tensors::new();
        self.forward(&mut out)?;
        self.policy(&mut out)?;
        let metrics = self.step()?;
        let config = self.learner.config().clone();
        let mut scalar = |name: &str, value: f64| out.insert(format!("out/{name}"), (vec![], vec![value]));
        scalar("model_loss", metrics[Metric::ModelLoss]);
        scalar("actor_loss", metrics[Metric::ActorLoss]);
        scalar("value_loss", metrics[Metric::ValueLoss]);
        scalar("like_image", -metrics[Metric::ImageLoss]);
        scalar("like_reward", -metrics[Metric::RewardLoss]);
        scalar("div_raw", metrics[Metric::Kl]);
        scalar("div", metrics[Metric::Kl].max(config.free_nats));
        scalar("prior_entropy", metrics[Metric::PriorEntropy]);
        scalar("post_entropy", metrics[Metric::PosteriorEntropy]);
        scalar("model_grad_norm", metrics[Metric::ModelGradientNorm]);
        scalar("actor_grad_norm", metrics[Metric::ActorGradientNorm]);
        scalar("value_grad_norm", metrics[Metric::ValueGradientNorm]);
        let parameters = self.learner.parameters();
        let (model, behaviour) = self.learner.last_gradients();
        let optimisers = self.learner.optimisers();
        for parameter in parameters.iter() {
            let (name, shape) = (theirs(parameters.path(parameter)), parameters.shape(parameter).to_vec());
            if let Some(gradient) = model.of(parameter).or(behaviour.of(parameter)) {
                out.insert(format!("grad/{name}"), (shape.clone(), gradient.to_vec()));
            }
            out.insert(format!("adam1/{name}"), (shape.clone(), parameters.values(parameter).to_vec()));
            for optimiser in [&optimisers.model, &optimisers.actor, &optimisers.value] {
                let Some(place) = optimiser.set().place(parameter) else { continue };
                let (first, second) = optimiser.moments();
                out.insert(format!("adam1_m/{name}"), (shape.clone(), first[place.clone()].to_vec()));
                out.insert(format!("adam1_v/{name}"), (shape.clone(), second[place].to_vec()));
            }
        }
        Ok(out)
    }

    /// World model and imagination, forward.
    fn forward(&self, out: &mut Tensors) -> Result<(), String> {
        let config = self.learner.config();
        let &AgentConfig { batch, length, horizon, stoch, deter, .. } = config;
        let (rows, actions) = (batch * length, self.learner.action_size());
        let networks = self.learner.networks();
        let noise = self.noise()?;
        let mut workspace = Workspace::default();
        let mut tape = Tape::new(self.learner.parameters(), self.learner.no_parameters(), &mut workspace);
        // The file numbers transitions sequence by sequence, the tape step by step.
        let sequence_major = |row: usize| (row % length) * batch + row / length;
        let step_major = |row: usize| (row % batch) * length + row / batch;
        let input = |tape: &mut Tape<f64>, values: &[f64], size: usize| {
            let values = reorder(values, size, rows, step_major);
            tape.constant(rows, size, |y| y.copy_from_slice(&values))
        };
        let bytes: Vec<f64> = self.image.iter().map(|&x| f64::from(x) / 255.0 - 0.5).collect();
        let images = input(&mut tape, &bytes, IMAGE_NUMBERS);
        let action = input(&mut tape, self.values("in/action")?, actions);
        let reward = input(&mut tape, self.values("in/reward")?, 1);
        let constant = |tape: &mut Tape<f64>, values: &[f64], size: usize| {
            tape.constant(values.len() / size, size, |y| y.copy_from_slice(values))
        };
        let draw = constant(&mut tape, &noise.posterior, stoch);
        let embed = networks.encoder.forward(&mut tape, ObservationVars { images: Some(images), vectors: None });
        let start = networks.rssm.zero(&mut tape, batch);
        let observed = networks.rssm.observe(&mut tape, start, Seen { embed, action, noise: draw, kept: None });
        let prior = networks.rssm.prior(&mut tape, observed.deter);
        let draw = constant(&mut tape, self.values("noise/prior")?, stoch);
        let prior_stoch = tape.sample(prior, draw);
        let divergence = tape.divergence(observed.posterior, prior);
        let mean = networks.decoder.image.as_ref().unwrap().forward(&mut tape, observed.feature);
        let image_density = tape.normal_log_density(mean, images);
        let reward_mean = networks.reward.forward(&mut tape, observed.feature);
        let source_predictions = networks.reward.source_predictions(&mut tape, observed.feature);
        let reward_density = tape.normal_log_density(reward_mean, reward);
        let imagined = imagine(self.learner.behaviour_view(), &mut tape, (observed.stoch, observed.deter), &noise);
        let evaluated = evaluate(self.learner.behaviour_view(), &mut tape, &imagined);

        let mut put = |name: &str, lead: &[usize], var: Var, columns: std::ops::Range<usize>, squeeze: bool| {
            let (all, cols) = tape.shape(var);
            let ours = tape.value(var);
            let mut values = Vec::with_capacity(all * columns.len());
            for row in 0..all {
                let from = (row / rows * rows + sequence_major(row % rows)) * cols;
                values.extend_from_slice(&ours[from + columns.start..from + columns.end]);
            }
            let mut shape = lead.to_vec();
            if !squeeze {
                shape.push(columns.len());
            }
            out.insert(format!("out/{name}"), (shape, values));
        };
        let by_transition = [batch, length];
        put("embed", &by_transition, embed, 0..config.embed(), false);
        put("feat", &by_transition, observed.feature, 0..config.feature(), false);
        for (kind, gaussian, sample) in [("post", observed.posterior, observed.stoch), ("prior", prior, prior_stoch)] {
            put(&format!("{kind}/mean"), &by_transition, gaussian, 0..stoch, false);
            put(&format!("{kind}/std"), &by_transition, gaussian, stoch..2 * stoch, false);
            put(&format!("{kind}/stoch"), &by_transition, sample, 0..stoch, false);
            put(&format!("{kind}/deter"), &by_transition, observed.deter, 0..deter, false);
        }
        put("kl", &by_transition, divergence, 0..1, true);
        put("image_logprob", &by_transition, image_density, 0..1, true);
        put("reward_mean", &by_transition, reward_mean, 0..1, true);
        for (index, prediction) in source_predictions.into_iter().enumerate() {
            put(&format!("source_preds/{index}"), &by_transition, prediction, 0..1, true);
        }
        put("reward_logprob", &by_transition, reward_density, 0..1, true);
        let (steps, returns) = ([horizon, rows], [horizon - 1, rows]);
        put("imag/action", &steps, imagined.action, 0..actions, false);
        put("imag/mean", &steps, imagined.prior, 0..stoch, false);
        put("imag/std", &steps, imagined.prior, stoch..2 * stoch, false);
        put("imag/stoch", &steps, imagined.stoch, 0..stoch, false);
        put("imag/deter", &steps, imagined.deter, 0..deter, false);
        put("imag/reward", &steps, evaluated.reward, 0..1, true);
        put("imag/value", &steps, evaluated.value, 0..1, true);
        put("imag/returns", &returns, evaluated.returns, 0..1, true);
        put("imag/discount", &returns, evaluated.weights, 0..1, true);
        put("value_logprob", &returns, evaluated.value_density, 0..1, true);

        let mut sums = Vec::new();
        for row in 0..rows {
            let at = sequence_major(row) * IMAGE_NUMBERS;
            let image = &tape.value(mean)[at..at + IMAGE_NUMBERS];
            sums.extend((0..3).map(|channel| image[channel..].iter().step_by(3).sum::<f64>()));
        }
        out.insert("out/image_mean_sums".into(), (vec![batch, length, 3], sums));
        if batch > 1 && length > 4 {
            let at = (4 * batch + 1) * IMAGE_NUMBERS;
            let image = tape.value(mean)[at..at + IMAGE_NUMBERS].to_vec();
            out.insert("out/image_mean_b1t4".into(), (vec![64, 64, 3], image));
        }
        Ok(())
    }

    /// The policy on one image, from a given state.
    fn policy(&self, out: &mut Tensors) -> Result<(), String> {
        let config = self.learner.config();
        let (stoch, actions) = (config.stoch, self.learner.action_size());
        if !self.tensors.contains_key("policy/prev_stoch") {
            return Ok(());
        }
        let image = &self.image[IMAGE_NUMBERS..2 * IMAGE_NUMBERS];
        let start = || -> Result<_, String> {
            let mut state = self.learner.begin();
            state.stoch.copy_from_slice(self.values("policy/prev_stoch")?);
            state.deter.copy_from_slice(self.values("policy/prev_deter")?);
            state.action.copy_from_slice(self.values("policy/prev_action")?);
            Ok(state)
        };
        let posterior = self.values("policy/noise_post")?;
        let mut put = |name: &str, rows: usize, values: &[f64]| {
            out.insert(format!("policy/{name}"), (vec![rows, values.len() / rows], values.to_vec()));
        };
        let mut state = start()?;
        let action = self.values("policy/noise_act")?;
        self.learner.act_with(&mut state, image.into(), PolicyNoise { posterior, action, exploration: &[] });
        put("action_sample", 1, &state.action);
        put("post_stoch", 1, &state.stoch);
        put("post_deter", 1, &state.deter);
        put("actor_mean", 1, &state.distribution[..actions]);
        put("actor_std", 1, &state.distribution[actions..]);
        let samples = self.values("policy/noise_mode")?;
        let densities: Vec<f64> =
            samples.chunks_exact(actions).map(|noise| squashed_log_density(&state.distribution, noise)).collect();
        put("mode_logprob", densities.len(), &densities);
        let mut state = start()?;
        let exploration = self.values("policy/noise_expl")?;
        self.learner.act_with(&mut state, image.into(), PolicyNoise { posterior, action, exploration });
        put("action_expl", 1, &state.action);
        let mut state = start()?;
        self.learner.act_with(&mut state, image.into(), PolicyNoise { posterior, action: samples, exploration: &[] });
        put("mode_action", 1, &state.action);

        let networks = self.learner.networks();
        let mut workspace = Workspace::default();
        let mut tape = Tape::new(self.learner.parameters(), self.learner.no_parameters(), &mut workspace);
        let pixels = tape.constant(1, IMAGE_NUMBERS, |y| {
            y.iter_mut().zip(image).for_each(|(y, &x)| *y = f64::from(x) / 255.0 - 0.5);
        });
        let embed = networks.encoder.forward(&mut tape, ObservationVars { images: Some(pixels), vectors: None });
        let deter = tape.constant(1, config.deter, |y| y.copy_from_slice(&state.deter));
        let moments = networks.rssm.posterior(&mut tape, deter, embed);
        put("embed", 1, tape.value(embed));
        put("post_mean", 1, &tape.value(moments)[..stoch]);
        put("post_std", 1, &tape.value(moments)[stoch..]);
        Ok(())
    }
}

fn values<'a>(tensors: &'a Tensors, name: &str) -> Result<&'a [f64], String> {
    Ok(&tensors.get(name).ok_or_else(|| format!("the file lacks {name}"))?.1)
}

/// Row r of the result is row `from(r)` of `values`.
fn reorder(values: &[f64], size: usize, rows: usize, from: impl Fn(usize) -> usize) -> Vec<f64> {
    (0..rows).flat_map(|row| values[from(row) * size..(from(row) + 1) * size].to_vec()).collect()
}

#[allow(dead_code, reason = "the example has no use for it")]
/// The noise of sequences first..first + part out of a whole batch's.
fn part_of(
    noise: &Noise<f64>,
    sequences: usize,
    first: usize,
    part: usize,
    length: usize,
    horizon: usize,
) -> Noise<f64> {
    let cut = |values: &[f64], steps: usize| -> Vec<f64> {
        let size = values.len() / (steps * sequences);
        values
            .chunks_exact(sequences * size)
            .flat_map(|step| step[first * size..(first + part) * size].to_vec())
            .collect()
    };
    Noise {
        posterior: cut(&noise.posterior, length),
        action: cut(&noise.action, horizon * length),
        prior: cut(&noise.prior, horizon * length),
        start: Vec::new(),
    }
}

/// A parameter's name in the file.
pub fn theirs(path: &str) -> String {
    let path = path.strip_prefix("world_model.").unwrap_or(path);
    let (module, rest) = path.split_once('.').expect("module and layer");
    let module = match module {
        "encoder" => "encode",
        "decoder" => "decode",
        "rssm" => "dynamics",
        other => other,
    };
    format!("{module}/{}", rest.replace('.', "/"))
}
