//! DreamerV3's encoder and decoder of images, of either kind.

use super::case::{Case, Results, gradient, negated};
use super::v3_names::tensors;
use super::whole::Whole;
use super::world_model::image_statistics;
use dreamer::networks::IMAGE_NUMBERS;
use dreamer::{AgentConfig, ImageNetwork, Latent, Learner};
use tape::{Gradients, Parameter, Tape, Workspace};

/// With max pooling and repeated pixels.
pub fn pool(case: &Case) -> Result<Results, String> {
    images(case, ImageNetwork::V3Pool)
}

/// With strides of two.
pub fn strided(case: &Case) -> Result<Results, String> {
    images(case, ImageNetwork::V3Strided)
}

fn images(case: &Case, image_network: ImageNetwork) -> Result<Results, String> {
    case.fixed(&[("rms_eps", 1e-4), ("image.kernel", 5.0)])?;
    let mut results = Results::default();
    let size = |key: &str| case.size(&format!("image.{key}"));
    let config = AgentConfig {
        image_network,
        depth: size("depth")?,
        image_multipliers: case.multipliers("image.mults")?,
        image_blocks: size("bspace")?,
        latent: Latent::Categorical,
        stoch: size("stoch")?,
        classes: size("classes")?,
        deter: size("deter")?,
        units: size("units")?,
        hidden: 1,
        ..AgentConfig::default()
    };
    let mut learner = Learner::<f64>::new(&config, 1).map_err(|error| error.to_string())?;
    let whole = Whole { case, tensors, moments: ["", ""] };
    let of_images =
        |path: &str| ["world_model.encoder.", "world_model.decoder."].iter().any(|one| path.starts_with(one));
    let parameters: Vec<Parameter> = learner.parameters().iter().collect();
    let parameters: Vec<Parameter> =
        parameters.into_iter().filter(|one| of_images(learner.parameters().path(*one))).collect();
    for &parameter in &parameters {
        let values = whole.numbers(&learner, parameter, "w")?;
        learner.parameters_mut().values_mut(parameter).copy_from_slice(&values);
    }
    let (set, mut workspace) = (learner.parameters().set(of_images), Workspace::default());
    let mut tape = Tape::new(learner.parameters(), &set, &mut workspace);
    let networks = learner.networks();
    let (Some(encoder), Some(decoder)) = (&networks.encoder.image, &networks.decoder.image) else {
        return Err("the agent does not observe images".to_owned());
    };
    let rows = size("n")?;
    let bytes = case.numbers("image_u8")?;
    let observed = tape.constant(rows, IMAGE_NUMBERS, |y| {
        y.iter_mut().zip(bytes).for_each(|(y, byte)| *y = byte / 255.0 - 0.5);
    });
    let tokens = encoder.forward(&mut tape, observed);
    results.put("tokens", &[rows, config.embed()], tape.value(tokens));
    let [stoch, deter] = [("stoch", config.state_size()), ("deter", config.deter)]
        .map(|(name, cols)| case.numbers(name).map(|numbers| tape.leaf(rows, cols, |y| y.copy_from_slice(numbers))));
    let (stoch, deter) = (stoch?, deter?);
    let feature = tape.concat(stoch, deter);
    let mean = decoder.forward(&mut tape, feature);
    // There, images are between 0 and 1.
    let theirs: Vec<f64> = tape.value(mean).iter().map(|x| x + 0.5).collect();
    let (lines, sums) = image_statistics(&theirs);
    results.put("image_mean_rows", &[8, 64, 3], lines);
    results.put("image_mean_sums", &[rows, 3], sums);
    let density = decoder.log_density(&mut tape, mean, observed);
    results.put("loss", &[rows], negated(tape.value(density)));
    tape.seed_with(tokens, case.numbers("cot/tokens")?);
    tape.seed_with(density, &negated(case.numbers("cot/loss")?));
    let mut gradients = Gradients::new(&set);
    tape.backward(&mut gradients);
    gradients.finish();
    for &parameter in &parameters {
        whole.put(&mut results, "grad", &learner, parameter, gradients.of(parameter).expect("of the set"))?;
    }
    results.put("grad/stoch", case.shape("stoch")?, gradient(&tape, stoch));
    results.put("grad/deter", case.shape("deter")?, gradient(&tape, deter));
    Ok(results)
}
