//! Operations on images: convolutions of all kinds.

use crate::check;
use random::Stream;
use tape::{Activation, Doubling, Gradients, Halving, Parameter, Parameters, Tape, Var, Workspace};

#[test]
fn convolution() {
    check(&[("kernel", &[4, 4, 2, 3]), ("bias", &[3])], &[(2, 9 * 9 * 2)], |tape, p, x| {
        tape.convolution(x[0], 9, 2, p[0], p[1], Activation::Elu)
    });
}

#[test]
fn transposed_convolution() {
    check(&[("kernel", &[5, 5, 2, 3]), ("bias", &[2])], &[(2, 3 * 3 * 3)], |tape, p, x| {
        tape.transposed_convolution(x[0], 3, 2, p[0], p[1], Activation::Elu)
    });
}

#[test]
fn convolutions_that_halve_images() {
    for halving in [Halving::Stride, Halving::MaxPool] {
        let record = |tape: &mut Tape<f64>, p: &[Parameter], x: &[Var]| {
            let first = tape.halving_convolution(x[0], 8, p[0], p[1], halving);
            let second = tape.halving_convolution(first, 4, p[2], p[3], halving);
            // A gradient that is added to another one.
            let third = tape.halving_convolution(first, 4, p[2], p[3], halving);
            tape.concat(second, third)
        };
        let shapes: [(&str, &[usize]); 4] = [("k", &[5, 5, 2, 3]), ("b", &[3]), ("l", &[3, 3, 3, 2]), ("c", &[2])];
        check(&shapes, &[(2, 8 * 8 * 2)], record);
    }
}

#[test]
fn convolutions_that_double_images() {
    for doubling in [Doubling::Repeat, Doubling::Spread] {
        let record = |tape: &mut Tape<f64>, p: &[Parameter], x: &[Var]| {
            let first = tape.doubling_convolution(x[0], 2, p[0], p[1], doubling);
            tape.doubling_convolution(first, 4, p[2], p[3], doubling)
        };
        let shapes: [(&str, &[usize]); 4] = [("k", &[5, 5, 2, 3]), ("b", &[3]), ("l", &[7, 7, 3, 1]), ("c", &[1])];
        check(&shapes, &[(3, 2 * 2 * 2)], record);
    }
}

/// As where an image is padded, doubled or halved in pieces: with more images than are worked on at a time.
#[test]
fn many_images_are_each_image() {
    let mut model = Parameters::<f64>::new();
    let shapes: [(&str, &[usize]); 4] = [("k", &[5, 5, 2, 24]), ("b", &[24]), ("l", &[5, 5, 24, 2]), ("c", &[2])];
    let p = shapes.map(|(path, shape)| model.declare(path, shape));
    model.allocate();
    let mut random = Stream::new(6, "many");
    p.iter().for_each(|&p| model.values_mut(p).iter_mut().for_each(|x| *x = random.normal()));
    let set = model.set(|_| true);
    let (side, count) = (32, 7);
    let size = side * side * 2;
    let input: Vec<f64> = (0..count * size).map(|_| random.normal()).collect();
    let above: Vec<f64> = (0..count * size).map(|_| random.normal()).collect();
    let run = |images: std::ops::Range<usize>, halving, doubling| {
        let (mut workspace, mut gradients) = (Workspace::default(), Gradients::new(&set));
        let mut tape = Tape::new(&model, &set, &mut workspace);
        let x = tape.leaf(images.len(), size, |y| y.copy_from_slice(&input[images.start * size..images.end * size]));
        let half = tape.halving_convolution(x, side, p[0], p[1], halving);
        let y = tape.doubling_convolution(half, side / 2, p[2], p[3], doubling);
        tape.seed_with(y, &above[images.start * size..images.end * size]);
        tape.backward(&mut gradients);
        (tape.value(y).to_vec(), tape.gradient(x).unwrap().to_vec(), gradients.finish().to_vec())
    };
    let near = |one: &[f64], other: &[f64]| {
        assert_eq!(one.len(), other.len());
        let most = other.iter().fold(0.0f64, |most, x| most.max(x.abs()));
        one.iter().zip(other).for_each(|(x, y)| assert!((x - y).abs() < 1e-12 * most, "{x} {y}"));
    };
    for (halving, doubling) in [(Halving::Stride, Doubling::Spread), (Halving::MaxPool, Doubling::Repeat)] {
        let (value, gradient, of_parameters) = run(0..count, halving, doubling);
        let mut sums = vec![0.0; of_parameters.len()];
        for image in 0..count {
            let (one, own, parts) = run(image..image + 1, halving, doubling);
            near(&value[image * size..][..size], &one);
            near(&gradient[image * size..][..size], &own);
            sums.iter_mut().zip(parts).for_each(|(sum, part)| *sum += part);
        }
        near(&of_parameters, &sums);
    }
}

#[test]
fn convolutions_follow_their_definition() {
    let mut model = Parameters::<f64>::new();
    let p: Vec<Parameter> = [("k", vec![4, 4, 2, 3]), ("b", vec![3]), ("tk", vec![5, 5, 2, 3]), ("tb", vec![2])]
        .iter()
        .map(|(path, shape)| model.declare(path, shape))
        .collect();
    model.allocate();
    let mut random = Stream::new(5, "definition");
    p.iter().for_each(|&p| model.values_mut(p).iter_mut().for_each(|x| *x = random.normal()));
    let set = model.set(|_| false);
    let mut workspace = Workspace::default();
    let mut tape = Tape::new(&model, &set, &mut workspace);
    let input: Vec<f64> = (0..9 * 9 * 2).map(|_| random.normal()).collect();
    let x = tape.constant(1, input.len(), |y| y.copy_from_slice(&input));
    let y = tape.convolution(x, 9, 2, p[0], p[1], Activation::None);
    let (k, b) = (model.values(p[0]), model.values(p[1]));
    for (i, j, o) in [(0, 0, 0), (2, 1, 2), (1, 2, 1)] {
        let mut sum = b[o];
        for (a, c, d) in (0..4).flat_map(|a| (0..4).flat_map(move |c| (0..2).map(move |d| (a, c, d)))) {
            sum += input[((2 * i + a) * 9 + 2 * j + c) * 2 + d] * k[((a * 4 + c) * 2 + d) * 3 + o];
        }
        assert!((tape.value(y)[(i * 3 + j) * 3 + o] - sum).abs() < 1e-12);
    }
    let z = tape.transposed_convolution(y, 3, 2, p[2], p[3], Activation::None);
    assert_eq!(tape.shape(z), (1, 9 * 9 * 2));
    let (k, b) = (model.values(p[2]), model.values(p[3]));
    let y = tape.value(y);
    for (row, col, o) in [(0, 0, 0), (4, 4, 1), (8, 3, 0)] {
        let mut sum = b[o];
        for (i, j, c) in (0..3).flat_map(|i| (0..3).flat_map(move |j| (0..3).map(move |c| (i, j, c)))) {
            let (a, e) = (row as isize - 2 * i as isize, col as isize - 2 * j as isize);
            if (0..5).contains(&a) && (0..5).contains(&e) {
                sum += y[(i * 3 + j) * 3 + c] * k[((a as usize * 5 + e as usize) * 2 + o) * 3 + c];
            }
        }
        assert!((tape.value(z)[(row * 9 + col) * 2 + o] - sum).abs() < 1e-12);
    }
}
