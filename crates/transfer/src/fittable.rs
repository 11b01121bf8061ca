//! Which fractions can be fitted: those of whole output layers whose targets are known in episodes.
//!
//! Not here: the fit (`fraction_fit`).

use crate::document::Take;
use crate::error::TransferError;
use crate::fraction::Fraction;
use crate::matching::{Claim, Effective};
use dreamer::Learner;
use dreamer::networks::Role;
use tape::{Parameter, Real};

/// Whether a rule's fraction is fitted.
pub(crate) fn is_fitted(rule: &Effective) -> bool {
    rule.take == Take::Fraction(Fraction::Fit)
}

/// Checks that every fraction that is fitted is one of an output layer whose targets are known, and of the whole layer.
pub(crate) fn check_fitted<F: Real>(
    rules: &[Effective],
    claims: &[Claim],
    target: &Learner<F>,
) -> Result<(), TransferError> {
    let networks = target.networks();
    for claim in claims.iter().filter(|claim| is_fitted(&rules[claim.rule])) {
        let role = networks.role(claim.parameter);
        let cannot = |why: String| {
            let (parameter, place) = (claim.name(target.parameters()), rules[claim.rule].place.clone());
            Err(TransferError::CannotFit { parameter, place, why })
        };
        let Some((kernel, bias)) = networks.linear_output_layer(role) else {
            if matches!(role, Role::Reward | Role::Value) {
                return cannot(format!("the {} of a two-hot head is not linear in its output layer", role.name()));
            }
            return cannot(format!("random episodes do not show how good a fraction of the {} is", role.name()));
        };
        if ![kernel, bias].contains(&claim.parameter) {
            return cannot(format!("the {} is not linear in this layer", role.name()));
        }
        let is_of_rule = |other: &&Claim| other.rule == claim.rule && other.reads.is_none();
        let fitted: Vec<Parameter> = claims.iter().filter(is_of_rule).map(|claim| claim.parameter).collect();
        if !(fitted.contains(&kernel) && fitted.contains(&bias)) {
            return cannot(
                "kernel and bias of an output layer are fitted together: put them under one rule".to_owned(),
            );
        }
    }
    Ok(())
}
