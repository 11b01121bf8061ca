//! The loss that takes the place of decoders.

use super::case::{Case, Results, gradient, record};
use super::norms::put_weights;
use tape::{Activation, IdentityDistance, Tape, Var};

/// The sum of a distance of the products of columns from the identity.
fn distance(tape: &mut Tape<f64>, products: Var, distance: IdentityDistance) -> Var {
    let distances = tape.identity_distance(products, distance);
    let size = tape.shape(distances).0;
    let ones = tape.constant(size, 1, |y| y.fill(1.0));
    tape.weighted_sum(distances, ones)
}

/// Projections, correlations and losses.
pub fn loss(case: &Case) -> Result<Results, String> {
    case.fixed(&[("barlow_eps", 1e-8)])?;
    let mut results = Results::default();
    let weights = case.weights()?;
    let rows = case.rows("feat")?;
    let (factor, others, scale) = (1.0 / rows as f64, case.number("barlow_lambda")?, case.number("barlow_scale")?);
    let parts = [
        ("grad_redundancy", IdentityDistance { factor, diagonal: 0.0, others: 1.0 }, 1.0),
        ("grad", IdentityDistance { factor, diagonal: 1.0, others }, scale),
    ];
    for (name, whole, weight) in parts {
        record(&weights, |tape, gradients| {
            let kernel = weights.find("projector/kernel").ok_or("there is no projector")?;
            let (feature, embed) = (case.leaf(tape, "feat")?, case.leaf(tape, "embed")?);
            let projected = tape.dense_part(feature, kernel, 0, None, None, Activation::None);
            let standardised = tape.standardised_columns(projected);
            let constant = tape.standardised_columns(embed.detached());
            let products = tape.column_products(standardised, constant);
            results.put("projected", case.shape("embed")?, tape.value(projected));
            let size = tape.shape(products).0;
            let correlation: Vec<f64> = tape.value(products).iter().map(|sum| factor * sum).collect();
            results.put("correlation", &[size, size], correlation);
            let invariance = distance(tape, products, IdentityDistance { factor, diagonal: 1.0, others: 0.0 });
            results.scalar("invariance", tape.scalar(invariance));
            let loss = distance(tape, products, whole);
            if name == "grad" {
                results.scalar("loss", tape.scalar(loss));
                results.scalar("scaled_loss", weight * tape.scalar(loss));
            } else {
                results.scalar("redundancy", tape.scalar(loss));
            }
            tape.seed(loss, weight);
            tape.backward(gradients);
            let mut found = Results::default();
            put_weights(&mut found, &weights, gradients);
            found.put("grad/feat", case.shape("feat")?, gradient(tape, feature));
            found.put("grad/embed", case.shape("embed")?, gradient(tape, embed));
            let renamed = found.0.into_iter().map(|(path, tensor)| (path.replacen("grad", name, 1), tensor));
            results.0.extend(renamed);
            Ok(())
        })?;
    }
    Ok(results)
}
