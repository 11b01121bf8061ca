//! Sequences that cross from one episode into the next.

use super::agent::Named;
use super::case::{Case, Results, columns, gradient, swapped};
use super::cell::{divisors, names};
use dreamer::networks::Seen;
use dreamer::{AgentConfig, Cell, Latent, LayerActivation, Norm};
use tape::{Classes, Gradients, Tape, Var, Workspace, sampled_class};

/// The names of the parameters of Dreamer V1's cell and distributions in an agent, with those in a case; with norms
/// after all hidden layers but the GRU's, or without any.
fn dreamer_v1(norm: Norm) -> Vec<(String, String)> {
    let own = |name: String| format!("world_model.rssm.{name}");
    let layers = ["img1", "img2", "img3", "obs1", "obs2"].into_iter();
    let parts = |layer| ["kernel", "bias"].map(|part| (own(format!("{layer}.{part}")), format!("{layer}/{part}")));
    let mut names: Vec<_> = layers.flat_map(parts).collect();
    names
        .extend(["kernel", "recurrent_kernel", "bias"].map(|part| (own(format!("gru.{part}")), format!("gru/{part}"))));
    if norm == Norm::Rms {
        names.extend(["img1", "img2", "obs1"].map(|layer| (own(format!("{layer}.scale")), format!("{layer}/scale"))));
    }
    names
}

/// The layers of DreamerV3's cell and distributions in an agent and in a case, and whether a norm follows.
pub const DREAMER_V3: [(&str, &str, bool); 10] = [
    ("deter_in", "dynin0", true),
    ("stoch_in", "dynin1", true),
    ("action_in", "dynin2", true),
    ("block_hidden", "dynhid0", true),
    ("block_gates", "dyngru", false),
    ("img2", "prior0", true),
    ("img2_2", "prior1", true),
    ("img3", "priorlogit", false),
    ("obs1", "obs0", true),
    ("obs2", "obslogit", false),
];

/// Normal states, without norms.
pub fn gaussian(case: &Case) -> Result<Results, String> {
    normal_states(case, Norm::None, LayerActivation::Elu)
}

/// Normal states, with norms and SiLU.
pub fn gaussian_norm(case: &Case) -> Result<Results, String> {
    normal_states(case, Norm::Rms, LayerActivation::Silu)
}

fn normal_states(case: &Case, norm: Norm, activation: LayerActivation) -> Result<Results, String> {
    let size = |key: &str| case.size(&format!("resets.{key}"));
    let config = AgentConfig {
        images: false,
        vector: 1,
        vector_units: size("embed")?,
        stoch: size("stoch")?,
        deter: size("deter")?,
        hidden: size("hidden")?,
        units: 2,
        norm,
        activation,
        min_std: case.number("gaussian_min_std")?,
        ..AgentConfig::default()
    };
    let stoch = config.stoch;
    let filter = Filter {
        config,
        names: dreamer_v1(norm),
        embed: "embed",
        noise: "noise/post",
        parts: vec![("mean", 0, stoch), ("std", stoch, 2 * stoch)],
    };
    filter.results(case)
}

/// Categorical states.
pub fn categorical(case: &Case) -> Result<Results, String> {
    case.fixed(&[("update_bias", -1.0)])?;
    let size = |key: &str| case.size(&format!("resets.{key}"));
    let config = AgentConfig {
        images: false,
        vector: 1,
        vector_units: size("tokens")?,
        norm: Norm::Rms,
        activation: LayerActivation::Silu,
        latent: Latent::Categorical,
        stoch: size("c_stoch")?,
        classes: size("c_classes")?,
        latent_unimix: case.number("unimix")?,
        cell: Cell::BlockGru,
        deter: size("c_deter")?,
        blocks: size("c_blocks")?,
        hidden: size("c_hidden")?,
        prior_layers: 2,
        units: 2,
        ..AgentConfig::default()
    };
    let state = config.state_size();
    let filter = Filter {
        config,
        names: names(&DREAMER_V3),
        embed: "tokens",
        noise: "noise/gumbel",
        parts: vec![("logit", 0, state)],
    };
    filter.results(case)
}

/// The parts of a distribution's value by their names in a case: the first column, and the one after the last.
type Parts<'a> = &'a [(&'a str, usize, usize)];

/// A filter from a given state, with episodes that begin on the way.
struct Filter {
    config: AgentConfig,
    names: Vec<(String, String)>,
    /// The names of embeddings and noise.
    embed: &'static str,
    noise: &'static str,
    parts: Vec<(&'static str, usize, usize)>,
}

impl Filter {
    fn results(self, case: &Case) -> Result<Results, String> {
        case.fixed(&[("rms_eps", 1e-4)])?;
        let Self { config, names, embed: embed_name, noise, parts } = self;
        let mut results = Results::default();
        let size = |key: &str| case.size(&format!("resets.{key}"));
        let (batch, length, actions) = (size("batch")?, size("time")?, size("action")?);
        let agent = Named::new(case, &config, actions, names)?;
        let parameters = agent.learner.parameters();
        let (all, mut workspace) = (parameters.set(|_| true), Workspace::default());
        let mut tape = Tape::new(parameters, &all, &mut workspace);
        let (state, rssm) = (config.state_size(), &agent.learner.networks().rssm);
        let leaf = |tape: &mut Tape<f64>, numbers: &[f64], size: usize| {
            tape.leaf(numbers.len() / size, size, |y| y.copy_from_slice(numbers))
        };
        let stoch = leaf(&mut tape, case.numbers("carry/stoch")?, state);
        let deter = leaf(&mut tape, case.numbers("carry/deter")?, config.deter);
        let given = swapped(case.numbers("action")?, batch, length);
        let divisors = if config.cell == Cell::BlockGru { divisors(&given) } else { vec![1.0; given.len()] };
        let within: Vec<f64> = given.iter().zip(&divisors).map(|(action, divisor)| action / divisor).collect();
        let action = leaf(&mut tape, &within, actions);
        let embed = leaf(&mut tape, &swapped(case.numbers(embed_name)?, batch, length), config.embed());
        let noise = leaf(&mut tape, case.numbers(noise)?, state).detached();
        let first = swapped(case.numbers("is_first")?, batch, length);
        let kept: Vec<f64> = first.iter().map(|first| 1.0 - first).collect();
        let kept = Some(leaf(&mut tape, &kept, 1).detached());
        let observed = rssm.observe(&mut tape, (stoch, deter), Seen { embed, action, noise, kept });
        let prior = rssm.prior(&mut tape, observed.deter);

        // Adds a value's columns, and seeds its gradient with the case's cotangents.
        let mut put = |tape: &mut Tape<f64>, var: Var, of: &str, parts: Parts| -> Result<(), String> {
            let (rows, cols) = tape.shape(var);
            let mut cotangent = vec![0.0; rows * cols];
            for &(part, from, to) in parts {
                let own = columns(tape.value(var), cols, from..to);
                let mut shape = vec![batch, length, to - from];
                if config.latent == Latent::Categorical && part != "deter" {
                    shape = vec![batch, length, config.stoch, config.classes];
                }
                results.put(format!("{of}/{part}"), &shape, swapped(&own, length, batch));
                let name = format!("cot/{of}_{part}");
                if case.has(&name) {
                    let numbers = swapped(case.numbers(&name)?, batch, length);
                    let rows = cotangent.chunks_exact_mut(cols).zip(numbers.chunks_exact(to - from));
                    rows.for_each(|(row, numbers)| row[from..to].copy_from_slice(numbers));
                }
            }
            tape.seed_with(var, &cotangent);
            Ok(())
        };
        put(&mut tape, observed.posterior, "post", &parts)?;
        put(&mut tape, observed.stoch, "post", &[("stoch", 0, state)])?;
        put(&mut tape, observed.deter, "post", &[("deter", 0, config.deter)])?;
        put(&mut tape, prior, "prior", &parts)?;
        if case.has("noise/prior") {
            let noise = leaf(&mut tape, case.numbers("noise/prior")?, state).detached();
            let sample = tape.sample(prior.detached(), noise);
            put(&mut tape, sample, "prior", &[("stoch", 0, state)])?;
        } else {
            let classes = Classes { count: config.classes, unimix: config.latent_unimix };
            let index = swapped(&indices(&tape, observed.posterior, noise, classes), length, batch);
            results.put("post/index", &[batch, length, config.stoch], index);
        }
        let mut gradients = Gradients::new(&all);
        tape.backward(&mut gradients);
        agent.put_gradients(&mut results, &mut gradients);
        results.put("grad/carry/stoch", case.shape("carry/stoch")?, gradient(&tape, stoch));
        results.put("grad/carry/deter", case.shape("carry/deter")?, gradient(&tape, deter));
        let to_action = gradient(&tape, action);
        let to_action: Vec<f64> = to_action.iter().zip(&divisors).map(|(g, divisor)| g / divisor).collect();
        results.put("grad/action", case.shape("action")?, swapped(&to_action, length, batch));
        let to_embed = swapped(&gradient(&tape, embed), length, batch);
        results.put(format!("grad/{embed_name}"), case.shape(embed_name)?, to_embed);
        Ok(results)
    }
}

/// The classes that draws sample from the distributions with these logits.
pub fn indices(tape: &Tape<f64>, logits: Var, gumbel: Var, classes: Classes) -> Vec<f64> {
    let pairs = tape.value(logits).chunks_exact(classes.count).zip(tape.value(gumbel).chunks_exact(classes.count));
    pairs.map(|(logits, gumbel)| sampled_class(logits, classes.unimix, Some(gumbel)) as f64).collect()
}
