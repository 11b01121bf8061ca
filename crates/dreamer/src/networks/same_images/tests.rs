//! Both kinds against numbers of an independent program in double precision, which has other sizes than agents have.

use super::*;
use crate::images::normalise;
use crate::networks::IMAGE_NUMBERS;
use tape::{Gradients, Parameters, Workspace};
use tensors::{Tensors, read};

#[path = "../../../tests/reference/tensors.rs"]
mod tensors;

/// The names of the layers there.
const NAMES: [(&str, &str, &str); 12] = [
    ("encoder.h1", "enc/cnn0", "enc/cnn0norm"),
    ("encoder.h2", "enc/cnn1", "enc/cnn1norm"),
    ("encoder.h3", "enc/cnn2", "enc/cnn2norm"),
    ("encoder.h4", "enc/cnn3", "enc/cnn3norm"),
    ("decoder.deter_in", "dec/sp0", ""),
    ("decoder.stoch_in", "dec/sp1", "dec/sp1norm"),
    ("decoder.stoch_out", "dec/sp2", ""),
    ("decoder.h1", "", "dec/spnorm"),
    ("decoder.h2", "dec/conv2", "dec/conv2norm"),
    ("decoder.h3", "dec/conv1", "dec/conv1norm"),
    ("decoder.h4", "dec/conv0", "dec/conv0norm"),
    ("decoder.h5", "dec/imgout", ""),
];

/// Each parameter's path here, and its name there.
fn names() -> Vec<(String, String)> {
    let layers = NAMES.iter().flat_map(|(ours, layer, norm)| {
        let parts =
            [(layer, "kernel"), (layer, "bias"), (norm, "scale")].into_iter().filter(|(name, _)| !name.is_empty());
        parts.map(move |(name, part)| (format!("world_model.{ours}.{part}"), format!("{name}/{part}")))
    });
    layers.collect()
}

/// Compares a result with the file's.
fn compare(tensors: &Tensors, name: &str, found: &[f64]) {
    let expected = &tensors[name].1;
    assert_eq!(found.len(), expected.len(), "{name}");
    let largest = expected.iter().fold(1e-300_f64, |most, x| most.max(x.abs()));
    for (found, expected) in found.iter().zip(expected) {
        let error = (found - expected).abs() / largest;
        assert!(error < 1e-12, "{name} is off by {error:e}");
    }
}

#[test]
fn images_of_either_kind() {
    let (tensors, config) = read(include_bytes!("../../../tests/golden/options.safetensors")).unwrap();
    let size = |key: &str| config["image"][key].as_u64().unwrap() as usize;
    let multiplier = |layer: usize| config["image"]["mults"][layer].as_u64().unwrap() as usize;
    let shape = SameShape {
        channels: std::array::from_fn(|layer| multiplier(layer) * size("depth")),
        stoch: size("stoch") * size("classes"),
        deter: size("deter"),
        blocks: size("bspace"),
        hidden: 2 * size("units"),
    };
    for (case, network) in [("pool", ImageNetwork::V3Pool), ("strided", ImageNetwork::V3Strided)] {
        let at = |name: &str| format!("v3_image/{case}/{name}");
        let numbers = |name: &str| &tensors[&at(name)].1[..];
        let resizing = Resizing::of(network).unwrap();
        let mut parameters = Parameters::<f64>::new();
        let mut declaration = Declaration::new(&mut parameters);
        let encoder = SameEncoder::declare(&mut declaration, shape, resizing);
        let decoder = SameDecoder::declare(&mut declaration, shape, resizing);
        declaration.finish();
        parameters.allocate();
        let names = names();
        assert_eq!(names.len(), parameters.len());
        for (ours, theirs) in &names {
            let parameter = parameters.find(ours).unwrap();
            assert_eq!(parameters.shape(parameter), tensors[&at(&format!("in/w/{theirs}"))].0, "{ours}");
            parameters.values_mut(parameter).copy_from_slice(numbers(&format!("in/w/{theirs}")));
        }
        let all = parameters.set(|_| true);
        let mut workspace = Workspace::default();
        let mut tape = Tape::new(&parameters, &all, &mut workspace);
        let rows = size("n");
        let bytes: Vec<u8> = numbers("in/image_u8").iter().map(|x| *x as u8).collect();
        let images = tape.constant(rows, IMAGE_NUMBERS, |y| normalise(&bytes, y));
        let between = encoder.first_layers(&mut tape, images);
        assert_eq!(tape.shape(between), (rows, encoder.between()));
        let tokens = encoder.last_layers(&mut tape, between);
        compare(&tensors, &at("out/tokens"), tape.value(tokens));

        let [stoch, deter] = [("in/stoch", shape.stoch), ("in/deter", shape.deter)]
            .map(|(name, cols)| tape.leaf(rows, cols, |y| y.copy_from_slice(numbers(name))));
        let feature = tape.concat(stoch, deter);
        let first = decoder.first_layers(&mut tape, feature);
        let mean = decoder.last_layers(&mut tape, first);
        // There, images are between 0 and 1.
        let theirs: Vec<f64> = tape.value(mean).iter().map(|x| x + 0.5).collect();
        let lines = theirs.chunks_exact(64 * 3).take(64).step_by(8);
        compare(&tensors, &at("out/image_mean_rows"), &lines.flatten().copied().collect::<Vec<_>>());
        let sums = theirs
            .chunks_exact(IMAGE_NUMBERS)
            .flat_map(|image| (0..3).map(|channel| image[channel..].iter().step_by(3).sum::<f64>()));
        compare(&tensors, &at("out/image_mean_sums"), &sums.collect::<Vec<_>>());
        let density = tape.negative_squared_error(mean, images);
        let loss: Vec<f64> = tape.value(density).iter().map(|density| -density).collect();
        compare(&tensors, &at("out/loss"), &loss);

        tape.seed_with(tokens, numbers("in/cot/tokens"));
        let of_loss: Vec<f64> = numbers("in/cot/loss").iter().map(|cotangent| -cotangent).collect();
        tape.seed_with(density, &of_loss);
        let mut gradients = Gradients::new(&all);
        tape.backward(&mut gradients);
        gradients.finish();
        for (ours, theirs) in &names {
            let gradient = gradients.of(parameters.find(ours).unwrap()).unwrap();
            compare(&tensors, &at(&format!("out/grad/{theirs}")), gradient);
        }
        compare(&tensors, &at("out/grad/stoch"), tape.gradient(stoch).unwrap());
        compare(&tensors, &at("out/grad/deter"), tape.gradient(deter).unwrap());
    }
}
