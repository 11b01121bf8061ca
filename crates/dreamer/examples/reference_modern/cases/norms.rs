//! Norms and SiLU: alone, in a dense layer, and in a convolution.

use super::case::{Case, Results, gradient, record};
use tape::{Activation, Gradients, Parameter, Parameters, Tape, Var};

fn check(case: &Case) -> Result<(), String> {
    case.fixed(&[("rms_eps", 1e-4)])
}

/// A norm alone.
pub fn plain(case: &Case) -> Result<Results, String> {
    check(case)?;
    let mut results = Results::default();
    let weights = case.weights_named(&["scale"], "")?;
    record(&weights, |tape, gradients| {
        let scale = weights.find("scale").expect("it was declared");
        let x = case.leaf(tape, "x")?;
        let y = tape.rms_norm(x, scale);
        results.put("y", case.shape("x")?, tape.value(y));
        tape.seed_with(y, case.numbers("cot/y")?);
        tape.backward(gradients);
        results.put("grad/x", case.shape("x")?, gradient(tape, x));
        results.put("grad/scale", case.shape("scale")?, gradients.finish());
        Ok(results)
    })
}

/// SiLU alone.
pub fn silu(case: &Case) -> Result<Results, String> {
    let mut results = Results::default();
    record(&Parameters::new(), |tape, gradients| {
        let x = case.leaf(tape, "x")?;
        let y = tape.silu(x);
        results.put("y", case.shape("x")?, tape.value(y));
        tape.seed_with(y, case.numbers("cot/y")?);
        tape.backward(gradients);
        results.put("grad/x", case.shape("x")?, gradient(tape, x));
        Ok(results)
    })
}

/// The parameters of a layer `h`: kernel, bias and the norm's scale.
struct Layer {
    kernel: Parameter,
    bias: Parameter,
    scale: Parameter,
}

impl Layer {
    fn of(weights: &Parameters<f64>) -> Result<Self, String> {
        let find = |name: &str| weights.find(name).ok_or_else(|| format!("the layer has no {name}"));
        Ok(Self { kernel: find("h/kernel")?, bias: find("h/bias")?, scale: find("h/scale")? })
    }

    /// Norm and SiLU of the layer's sums.
    fn finish(&self, tape: &mut Tape<f64>, sums: Var) -> (Var, Var) {
        let normed = tape.rms_norm(sums, self.scale);
        (normed, tape.silu(normed))
    }
}

/// Adds the gradients of all weights.
pub fn put_weights(results: &mut Results, weights: &Parameters<f64>, gradients: &mut Gradients<f64>) {
    gradients.finish();
    for parameter in weights.iter() {
        let name = format!("grad/{}", weights.path(parameter));
        results.put(name, weights.shape(parameter), gradients.of(parameter).expect("all are trained"));
    }
}

/// A dense layer with norm and SiLU.
pub fn dense(case: &Case) -> Result<Results, String> {
    check(case)?;
    let mut results = Results::default();
    let weights = case.weights()?;
    record(&weights, |tape, gradients| {
        let layer = Layer::of(&weights)?;
        let x = case.leaf(tape, "x")?;
        let sums = tape.dense(x, layer.kernel, layer.bias, Activation::None);
        let (normed, y) = layer.finish(tape, sums);
        let shape = case.shape("cot/y")?;
        for (name, var) in [("pre", sums), ("normed", normed), ("y", y)] {
            results.put(name, shape, tape.value(var));
        }
        tape.seed_with(y, case.numbers("cot/y")?);
        tape.backward(gradients);
        results.put("grad/x", case.shape("x")?, gradient(tape, x));
        put_weights(&mut results, &weights, gradients);
        Ok(results)
    })
}

/// Copies the rectangle of `height` x `width` positions of `channels` numbers, which is the first of an image with rows
/// of `from` positions, to the same place of an image with rows of `to` positions.
fn rectangle(image: &[f64], [height, width, channels]: [usize; 3], from: usize, out: &mut [f64], to: usize) {
    for row in 0..height {
        let line = &image[row * from * channels..][..width * channels];
        out[row * to * channels..][..width * channels].copy_from_slice(line);
    }
}

/// A convolution with norm and SiLU. This agent's images are square: others are put into the corner of a square, and
/// the results whose windows reach beyond the image are left out.
pub fn convolution(case: &Case) -> Result<Results, String> {
    check(case)?;
    let mut results = Results::default();
    let weights = case.weights()?;
    let &[images, height, width, inputs] = case.shape("x")? else { return Err("x is not images".to_owned()) };
    let result @ &[_, across_height, across_width, outputs] = case.shape("cot/y")? else {
        return Err("cot/y is not images".to_owned());
    };
    let (side, stride) = (height.max(width), case.size("rms.stride")?);
    let across = (side - case.size("rms.k")?) / stride + 1;
    let small = [across_height, across_width, outputs];
    // Of each image, from a rectangle in a square or to it.
    let to_square = |numbers: &[f64], parts: [usize; 3], side: usize| -> Vec<f64> {
        let [height, width, channels] = parts;
        let mut squares = vec![0.0; images * side * side * channels];
        let pairs =
            numbers.chunks_exact(height * width * channels).zip(squares.chunks_exact_mut(side * side * channels));
        pairs.for_each(|(image, square)| rectangle(image, parts, width, square, side));
        squares
    };
    let from_square = |numbers: &[f64], parts: [usize; 3], side: usize| -> Vec<f64> {
        let [height, width, channels] = parts;
        let mut rectangles = vec![0.0; images * height * width * channels];
        let pairs =
            numbers.chunks_exact(side * side * channels).zip(rectangles.chunks_exact_mut(height * width * channels));
        pairs.for_each(|(square, image)| rectangle(square, parts, side, image, width));
        rectangles
    };
    record(&weights, |tape, gradients| {
        let layer = Layer::of(&weights)?;
        let squares = to_square(case.numbers("x")?, [height, width, inputs], side);
        let x = tape.leaf(images, side * side * inputs, |y| y.copy_from_slice(&squares));
        let sums = tape.convolution(x, side, stride, layer.kernel, layer.bias, Activation::None);
        let (_, y) = layer.finish(tape, sums);
        results.put("pre", result, from_square(tape.value(sums), small, across));
        results.put("y", result, from_square(tape.value(y), small, across));
        tape.seed_with(y, &to_square(case.numbers("cot/y")?, small, across));
        tape.backward(gradients);
        let to_x = from_square(&gradient(tape, x), [height, width, inputs], side);
        results.put("grad/x", case.shape("x")?, to_x);
        put_weights(&mut results, &weights, gradients);
        Ok(results)
    })
}
