//! Resolves a plan for a target and sources: computes the new value of every parameter before anything is changed.
//!
//! [`resolve`] is pure. Its result contains the new numbers themselves, so that the preview shows exactly what is
//! applied.

use crate::arithmetic::{fractional, interpolated, norm, weighted_mean};
use crate::document::{Misfit, Take};
use crate::error::{MisfitError, TransferError};
use crate::fit::{Fit, Unfit, fit};
use crate::fittable::check_fitted;
use crate::fraction::Fraction;
use crate::lineage::check_soups;
use crate::matching::{Claim, Effective, effective_rules, match_rules};
use crate::meta_model;
use crate::plan::Plan;
use crate::preset::Preset;
use crate::report::*;
use crate::source::{Source, Sources};
use dreamer::networks::Role;
use dreamer::{AgentConfig, ImageNetwork, Latent, Learner};
use std::collections::BTreeMap;
use std::ops::Range;
use tape::{Parameter, Real};

/// A transfer that can be done.
#[derive(Clone, Debug)]
pub struct Resolved<F> {
    changes: Vec<Change<F>>,
    report: Report,
}

/// New numbers for a parameter, or rows of it.
#[derive(Clone, Debug)]
struct Change<F> {
    parameter: Parameter,
    path: String,
    /// Their place among the parameter's numbers.
    numbers: Range<usize>,
    /// The norm of the values that they replace.
    before: f64,
    values: Vec<F>,
}

/// Computes the new value of every parameter of a target under a plan.
///
/// The target is a new agent of the configuration that [`crate::target_config`] gives. It is not changed.
///
/// # Errors
/// [`TransferError`] names parameter, shapes, rules and the next step, if not every parameter is under exactly one
/// rule, or a source does not fit, or a parameter is frozen that cannot be.
pub fn resolve<F: Real>(plan: &Plan, target: &Learner<F>, sources: &Sources<F>) -> Result<Resolved<F>, TransferError> {
    let rules = effective_rules(plan)?;
    meta_model::check_target(plan, target, sources)?;
    let claims = match_rules(&rules, target, plan.name())?;
    check_frozen(plan, &rules, &claims, target)?;
    check_fitted(&rules, &claims, target)?;
    let fits = fit_all(&rules, &claims, target, sources).map_err(|error| for_built_in(plan, error))?;
    check_soups(&rules, &claims, &fits, target, sources)?;
    let mut resolved = Resolved { changes: Vec::new(), report: begin_report(plan, &rules, target, sources) };
    for (claim, fits) in claims.iter().zip(fits) {
        resolved.add(claim, &rules[claim.rule], fits, target, sources)?;
    }
    resolved.check_every_source_gives(&rules)?;
    meta_model::check_encoders(plan, target, sources, |parameter| resolved.whole(parameter))?;
    Ok(resolved)
}

/// Checks that the layers of the sources that give a parameter compute what the target's layers do with the same parameters.
/// Frozen reward models compute what they did in their own agents.
fn check_layers<F: Real>(
    claim: &Claim,
    rule: &Effective,
    fits: &[FittedSource<'_>],
    target: &Learner<F>,
    sources: &Sources<F>,
) -> Result<(), TransferError> {
    if target.networks().role(claim.parameter) == Role::RewardSource {
        return Ok(());
    }
    let role = target.networks().role(claim.parameter);
    let path = target.parameters().path(claim.parameter);
    for name in fits.iter().map(|fit| fit.name) {
        let Some(source) = sources.get(name) else { continue };
        let [theirs, ours] = [source.config(), target.config()].map(|config| meaning(config, role, path));
        for ((key, theirs), (_, ours)) in theirs.into_iter().zip(ours) {
            if theirs != ours {
                let (place, name) = (rule.place.clone(), name.to_owned());
                return Err(TransferError::OtherLayers { place, name, key, theirs, ours });
            }
        }
    }
    Ok(())
}

/// The settings that decide what a layer computes with a parameter of this role and path, whatever its shape, with their values as
/// they are typed.
fn meaning(config: &AgentConfig, role: Role, path: &str) -> Vec<(&'static str, String)> {
    let quoted = |name: &str| format!("\"{name}\"");
    let mut settings = Vec::new();
    if role == Role::LossWeights {
        return settings;
    }
    // A projection is compared with embeddings.
    let of_images =
        matches!(role, Role::Encoder | Role::Decoder | Role::Projector) && path.split('.').nth(2) != Some("vector");
    if of_images {
        settings.push(("agent.image_network", quoted(config.image_network.name())));
    }
    // DreamerV3's networks of images have their own norms and activations.
    if !of_images || config.image_network == ImageNetwork::V1 {
        settings.extend([
            ("agent.norm", quoted(config.norm.name())),
            ("agent.activation", quoted(config.activation.name())),
        ]);
    }
    if role != Role::Encoder {
        let classes = if config.latent == Latent::Categorical { config.classes } else { 0 };
        settings.extend([("agent.latent", quoted(config.latent.name())), ("agent.classes", classes.to_string())]);
    }
    if role == Role::Actor && path.starts_with("actor.hout.") {
        settings.push(("agent.actor", quoted(config.actor.name())));
    }
    if role == Role::Value && path.starts_with("value.hout.") {
        settings.push(("agent.returns_from", quoted(config.returns_from.name())));
    }
    settings
}

impl<F: Real> Resolved<F> {
    /// The report of the transfer.
    pub fn report(&self) -> &Report {
        &self.report
    }

    /// Grafts: writes the new numbers into the target. Random parameters keep their initial values, and the optimisers
    /// are new.
    ///
    /// # Errors
    /// If the target has learned already, or is not the one that was resolved; it is then unchanged.
    pub fn apply(&self, target: &mut Learner<F>) -> Result<(), TransferError> {
        let optimisers = target.optimisers();
        let updates = [&optimisers.model, &optimisers.actor, &optimisers.value].map(|optimiser| optimiser.updates());
        if let Some(&updates) = updates.iter().max().filter(|&&updates| updates > 0) {
            return Err(TransferError::AlreadyLearned { updates });
        }
        for change in &self.changes {
            let parameters = target.parameters();
            let here = parameters.find(&change.path) == Some(change.parameter);
            let values = if here { parameters.values(change.parameter) } else { &[] };
            if values.get(change.numbers.clone()).map(norm) != Some(change.before) {
                return Err(TransferError::OtherTarget { parameter: change.path.clone() });
            }
        }
        for change in &self.changes {
            let values = target.parameters_mut().values_mut(change.parameter);
            values[change.numbers.clone()].copy_from_slice(&change.values);
        }
        Ok(())
    }

    /// The new numbers of a parameter that is changed as a whole.
    fn whole(&self, parameter: Parameter) -> Option<&[F]> {
        let change = self.changes.iter().find(|change| change.parameter == parameter && change.numbers.start == 0)?;
        Some(&change.values)
    }

    fn add(
        &mut self,
        claim: &Claim,
        rule: &Effective,
        fits: Fitted,
        target: &Learner<F>,
        sources: &Sources<F>,
    ) -> Result<(), TransferError> {
        let parameters = target.parameters();
        let path = parameters.path(claim.parameter);
        let numbers = claim.numbers(parameters);
        let before = &parameters.values(claim.parameter)[numbers.clone()];
        let frozen = target.networks().role(claim.parameter).is_frozen(target.config());
        let (fits, note) = match fits {
            Ok(fits) => (fits, None),
            Err(note) => (Vec::new(), Some(note)),
        };
        let take = if fits.is_empty() { Take::Random } else { rule.take };
        if frozen && take == Take::Random {
            return Err(TransferError::FrozenRandom {
                parameter: claim.name(parameters),
                place: rule.place.clone(),
                why: note.map(|note| format!(": {note}")).unwrap_or_default(),
            });
        }
        check_layers(claim, rule, &fits, target, sources)?;
        let values = new_values(take, before, &fits, sources);
        if let Some(values) = &values
            && values.iter().any(|x| !x.is_finite())
        {
            return Err(TransferError::NotFinite { parameter: claim.name(parameters), place: rule.place.clone() });
        }
        let norm_before = norm(before);
        self.count(claim.rule, take, frozen, numbers.len(), note.is_some());
        let total: f64 = fits.iter().map(|source| source.weight).sum();
        let given = |source: &FittedSource<'_>| GivenReport {
            source: source.name.to_owned(),
            path: rule.source_path(path),
            shape: source.fit.shape.clone(),
            share: source.weight / total,
        };
        self.report.parts.push(PartReport {
            path: path.to_owned(),
            rows: claim.reads.map(|reads| RowsReport { reads, first: claim.rows.start, end: claim.rows.end }),
            shape: claim.shape(parameters),
            rule: claim.rule,
            take,
            from: fits.iter().map(given).collect(),
            frozen,
            norm_before,
            norm_after: values.as_deref().map_or(norm_before, norm),
            note,
        });
        if let Some(values) = values {
            let (parameter, path) = (claim.parameter, path.to_owned());
            self.changes.push(Change { parameter, path, numbers, before: norm_before, values });
        }
        Ok(())
    }

    fn count(&mut self, rule: usize, take: Take, frozen: bool, numbers: usize, misfit: bool) {
        let totals = &mut self.report.totals;
        match take {
            Take::Random => totals.random.add(numbers),
            Take::Full => totals.full.add(numbers),
            Take::Soup => totals.soup.add(numbers),
            Take::Fraction(_) => totals.fraction.add(numbers),
            Take::Interpolate(_) => totals.interpolated.add(numbers),
        }
        if frozen {
            totals.frozen.add(numbers);
        }
        let rule = &mut self.report.rules[rule];
        rule.parts += 1;
        rule.numbers += numbers;
        rule.misfits += usize::from(misfit);
    }

    /// A source of which nothing matches is an error, even under rules that allow mismatches.
    fn check_every_source_gives(&self, rules: &[Effective]) -> Result<(), TransferError> {
        for source in &self.report.sources {
            let gives = |part: &&PartReport| part.from.iter().any(|given| given.source == source.name);
            if self.report.parts.iter().any(|part| gives(&part)) {
                continue;
            }
            let from_this_source =
                |part: &&PartReport| rules[part.rule].sources.iter().any(|(name, _)| *name == source.name);
            let example = self.report.parts.iter().filter(from_this_source).find_map(|part| {
                let note = part.note.as_ref()?;
                Some(format!("{} {:?} {note}", part.path, part.shape))
            });
            let example = example.unwrap_or_else(|| "its rules do not match any parameter of the target".to_owned());
            return Err(TransferError::NothingTransferred { name: source.name.clone(), example });
        }
        Ok(())
    }
}

/// The values of a claim from one source of its rule.
pub(crate) struct FittedSource<'r> {
    /// The source's name.
    pub name: &'r str,
    /// Its weight in the mean of the rule's sources.
    pub weight: f64,
    /// The place of the values in it.
    pub fit: Fit,
}

impl FittedSource<'_> {
    /// The values.
    pub fn values<'s, F: Real>(&self, sources: &'s Sources<F>) -> &'s [F] {
        let source = sources.get(self.name).expect("it was fitted");
        &source.parameters().values(self.fit.parameter)[self.fit.numbers.clone()]
    }
}

/// The values of a claim from each source of its rule; or why it stays random despite its rule.
pub(crate) type Fitted<'r> = Result<Vec<FittedSource<'r>>, String>;

/// The new numbers; `None` if the old ones stay.
fn new_values<F: Real>(take: Take, before: &[F], fits: &[FittedSource<'_>], sources: &Sources<F>) -> Option<Vec<F>> {
    let mean = || {
        let parts = fits.iter().map(|source| (source.weight, source.values(sources)));
        weighted_mean(&parts.collect::<Vec<_>>())
    };
    match take {
        Take::Random => None,
        Take::Full | Take::Soup => Some(mean().into_iter().map(F::of).collect()),
        Take::Fraction(Fraction::Of(omega)) => Some(fractional(before, omega, &mean())),
        // The target's first episodes decide (`fraction_fit`).
        Take::Fraction(Fraction::Fit) => None,
        Take::Interpolate(weight) => Some(interpolated(before, weight, &mean())),
    }
}

/// The layer of a parameter: its path without the last segment.
fn layer(path: &str) -> &str {
    path.rsplit_once('.').map_or(path, |(layer, _)| layer)
}

/// The values of each claim from every source of its rule, or why it stays random. The parameters of a layer under one
/// rule are transferred together or not at all.
pub(crate) fn fit_all<'r, F: Real>(
    rules: &'r [Effective],
    claims: &[Claim],
    target: &Learner<F>,
    sources: &Sources<F>,
) -> Result<Vec<Fitted<'r>>, TransferError> {
    let parameters = target.parameters();
    let mut fits = Vec::with_capacity(claims.len());
    let mut misfits: BTreeMap<(usize, &str), String> = BTreeMap::new();
    for claim in claims {
        let rule = &rules[claim.rule];
        let path = parameters.path(claim.parameter);
        let mut found = Vec::with_capacity(rule.sources.len());
        let mut failed = None;
        for (name, weight) in &rule.sources {
            match fit(claim, target, source_of(sources, name)?, &rule.source_path(path)) {
                Ok(fit) => found.push(FittedSource { name, weight: *weight, fit }),
                Err(unfit) if rule.misfit == Misfit::Error => return Err(misfit(claim, rule, name, unfit, target)),
                Err(unfit) => {
                    failed = Some(format!("does not match {} of {}: {}", unfit.given, name, unfit.why));
                    break;
                }
            }
        }
        if let Some(why) = &failed {
            let why = format!("{} {:?} {why}", claim.name(parameters), claim.shape(parameters));
            misfits.entry((claim.rule, layer(path))).or_insert(why);
        }
        fits.push(failed.map_or(Ok(found), Err));
    }
    let with_their_layer = claims.iter().zip(fits).map(|(claim, fits)| {
        let misfit = misfits.get(&(claim.rule, layer(parameters.path(claim.parameter))));
        match (fits, misfit) {
            (Ok(_), Some(why)) => Err(format!("stays random with its layer: {why}")),
            (fits, _) => fits,
        }
    });
    Ok(with_their_layer.collect())
}

fn source_of<'s, F: Real>(sources: &'s Sources<F>, name: &str) -> Result<&'s Source<F>, TransferError> {
    sources.get(name).ok_or_else(|| {
        let (name, path) = (name.to_owned(), std::path::PathBuf::new());
        crate::SourceError::NotFound { name, path, why: "it was not opened; open all sources of the plan".into() }
            .into()
    })
}

fn misfit<F: Real>(claim: &Claim, rule: &Effective, source: &str, unfit: Unfit, target: &Learner<F>) -> TransferError {
    TransferError::Misfit(Box::new(MisfitError {
        parameter: claim.name(target.parameters()),
        shape: format!("{:?}", claim.shape(target.parameters())),
        take: rule.take.to_string(),
        given: unfit.given,
        source_name: source.to_owned(),
        place: rule.place.clone(),
        why: unfit.why,
        advice: unfit.advice,
    }))
}

/// The error, which for a built-in plan also names the file to write the advised change to.
fn for_built_in(plan: &Plan, error: TransferError) -> TransferError {
    match (Preset::of(plan), error) {
        (Some(preset), TransferError::Misfit(mut misfit)) => {
            let name = preset.name();
            misfit.advice += &format!(
                " (in a copy of the plan: `dreamgraft transfer preset {name} > my-plan.toml`, add it to the rule, and use \
                 --plan my-plan.toml)"
            );
            TransferError::Misfit(misfit)
        }
        (_, error) => error,
    }
}

/// Checks that only parameters are frozen that can be, and that a frozen encoder is frozen as a whole.
fn check_frozen<F: Real>(
    plan: &Plan,
    rules: &[Effective],
    claims: &[Claim],
    target: &Learner<F>,
) -> Result<(), TransferError> {
    let role = |claim: &Claim| target.networks().role(claim.parameter);
    let mut freezes_encoder = None;
    for claim in claims.iter().filter(|claim| rules[claim.rule].frozen) {
        let place = rules[claim.rule].place.clone();
        match role(claim) {
            Role::Encoder => freezes_encoder = Some(place),
            // They are always frozen.
            Role::RewardSource => {}
            _ => {
                let parameter = claim.name(target.parameters());
                return Err(TransferError::CannotFreeze { place, parameter });
            }
        }
    }
    let Some(frozen) = freezes_encoder else { return Ok(()) };
    for claim in claims.iter().filter(|claim| role(claim) == Role::Encoder) {
        let rule = &rules[claim.rule];
        if !rule.frozen {
            let (parameter, place) = (claim.name(target.parameters()), rule.place.clone());
            return Err(TransferError::PartlyFrozen { frozen, parameter, place });
        }
    }
    if !target.config().frozen_encoder {
        let why = format!("agent.frozen_encoder is false, but {frozen} freezes the encoder");
        return Err(TransferError::Target { plan: plan.name().to_owned(), why });
    }
    Ok(())
}

/// A report without parts.
fn begin_report<F: Real>(plan: &Plan, rules: &[Effective], target: &Learner<F>, sources: &Sources<F>) -> Report {
    let rule = |rule: &Effective| RuleReport {
        place: rule.place.clone(),
        patterns: rule.patterns.iter().map(ToString::to_string).collect(),
        rows: rule.rows.clone(),
        take: rule.take,
        frozen: rule.frozen,
        parts: 0,
        numbers: 0,
        misfits: 0,
    };
    let source = |(name, source): (&str, &Source<F>)| SourceReport {
        name: name.to_owned(),
        action_size: source.action_size(),
        provenance: source.provenance().clone(),
    };
    Report {
        format: REPORT_FORMAT,
        dreamgraft: env!("CARGO_PKG_VERSION").to_owned(),
        plan: plan.name().to_owned(),
        description: plan.description().to_owned(),
        target: TargetReport {
            action_size: target.action_size(),
            parameters: target.parameters().len(),
            numbers: target.parameters().numbers(),
            frozen_encoder: target.config().frozen_encoder,
        },
        sources: sources.iter().filter(|(name, _)| plan.sources().contains_key(*name)).map(source).collect(),
        rules: rules.iter().map(rule).collect(),
        parts: Vec::new(),
        totals: Totals::default(),
        meta_model: plan.meta_model().map(|meta_model| MetaModelReport {
            sources: meta_model.sources.clone(),
            layers: meta_model.layers,
            any_encoder: meta_model.any_encoder,
            start: meta_model.start,
            predictions: meta_model.predictions,
            l1: meta_model.l1,
        }),
        fractions: Vec::new(),
        choice: None,
    }
}
