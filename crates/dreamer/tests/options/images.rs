//! DreamerV3's encoder and decoder of images, of either kind.

use crate::v3::numbers;
use crate::{Case, golden};
use dreamer::networks::IMAGE_NUMBERS;
use dreamer::{AgentConfig, ImageNetwork, Latent, Learner};
use tape::{Gradients, Parameter, Tape, Workspace};

#[test]
fn images_of_either_kind() {
    let (tensors, all) = golden();
    let size = |key: &str| all["image"][key].as_u64().unwrap() as usize;
    for (name, image_network) in
        [("v3_image/pool", ImageNetwork::V3Pool), ("v3_image/strided", ImageNetwork::V3Strided)]
    {
        let case = Case { tensors: &tensors, name };
        let config = AgentConfig {
            image_network,
            depth: size("depth"),
            image_multipliers: std::array::from_fn(|layer| all["image"]["mults"][layer].as_u64().unwrap() as usize),
            image_blocks: size("bspace"),
            latent: Latent::Categorical,
            stoch: size("stoch"),
            classes: size("classes"),
            deter: size("deter"),
            units: size("units"),
            hidden: 1,
            ..AgentConfig::default()
        };
        let mut learner = Learner::<f64>::new(&config, 1).unwrap();
        let of_images =
            |path: &str| ["world_model.encoder.", "world_model.decoder."].iter().any(|one| path.starts_with(one));
        let parameters: Vec<Parameter> = learner.parameters().iter().collect();
        let parameters: Vec<Parameter> =
            parameters.into_iter().filter(|one| of_images(learner.parameters().path(*one))).collect();
        for &parameter in &parameters {
            let values = numbers(&case, &learner, parameter, "in/w");
            learner.parameters_mut().values_mut(parameter).copy_from_slice(&values);
        }
        let set = learner.parameters().set(of_images);
        let mut workspace = Workspace::default();
        let mut tape = Tape::new(learner.parameters(), &set, &mut workspace);
        let networks = learner.networks();
        let (encoder, decoder) = (networks.encoder.image.as_ref().unwrap(), networks.decoder.image.as_ref().unwrap());

        let rows = size("n");
        let images = tape.constant(rows, IMAGE_NUMBERS, |y| {
            y.iter_mut().zip(case.numbers("in/image_u8")).for_each(|(y, byte)| *y = byte / 255.0 - 0.5);
        });
        let tokens = encoder.forward(&mut tape, images);
        case.compare("tokens", tape.value(tokens));
        let [stoch, deter] = [("in/stoch", config.state_size()), ("in/deter", config.deter)]
            .map(|(name, cols)| tape.leaf(rows, cols, |y| y.copy_from_slice(case.numbers(name))));
        let feature = tape.concat(stoch, deter);
        let mean = decoder.forward(&mut tape, feature);
        // There, images are between 0 and 1.
        let theirs: Vec<f64> = tape.value(mean).iter().map(|x| x + 0.5).collect();
        let lines = theirs.chunks_exact(64 * 3).take(64).step_by(8);
        case.compare("image_mean_rows", &lines.flatten().copied().collect::<Vec<_>>());
        let sums = theirs
            .chunks_exact(IMAGE_NUMBERS)
            .flat_map(|image| (0..3).map(|channel| image[channel..].iter().step_by(3).sum::<f64>()));
        case.compare("image_mean_sums", &sums.collect::<Vec<_>>());
        let density = decoder.log_density(&mut tape, mean, images);
        case.compare("loss", &tape.value(density).iter().map(|density| -density).collect::<Vec<_>>());

        tape.seed_with(tokens, case.numbers("in/cot/tokens"));
        let of_loss: Vec<f64> = case.numbers("in/cot/loss").iter().map(|cotangent| -cotangent).collect();
        tape.seed_with(density, &of_loss);
        let mut gradients = Gradients::new(&set);
        tape.backward(&mut gradients);
        gradients.finish();
        let mut compared = 0;
        for &parameter in &parameters {
            let (path, found) = (learner.parameters().path(parameter), gradients.of(parameter).unwrap());
            let expected = numbers(&case, &learner, parameter, "out/grad");
            let largest = expected.iter().fold(1e-300_f64, |most, x| most.max(x.abs()));
            for (found, expected) in found.iter().zip(&expected) {
                let error = (found - expected).abs() / largest;
                assert!(error < 1e-12, "{name}: the gradient of {path} is off by {error:e}");
            }
            compared += found.len();
        }
        for (name, var) in [("stoch", stoch), ("deter", deter)] {
            case.compare(&format!("grad/{name}"), tape.gradient(var).unwrap());
            compared += tape.gradient(var).unwrap().len();
        }
        assert_eq!(compared, case.count("out/grad/"));
    }
}
