//! Plans with agents: the new value of every parameter, and every mismatch between a plan and agents.

use crate::common::{config, learner, plan, preset, sources, values};
use dreamer::{AgentConfig, Learner};
use proptest::prelude::*;
use transfer::{Fraction, Plan, Report, Sources, Take, TransferError, resolve, target_config};

/// Resolves and grafts onto a target of these sizes.
fn grafted(plan: &Plan, target: &Learner<f32>, from: &Sources<f32>) -> Result<(Learner<f32>, Report), TransferError> {
    let resolved = resolve(plan, target, from)?;
    let mut after = Learner::new(target.config(), target.action_size()).unwrap();
    for parameter in target.parameters().iter() {
        let values = target.parameters().values(parameter);
        after.parameters_mut().values_mut(parameter).copy_from_slice(values);
    }
    resolved.apply(&mut after)?;
    Ok((after, resolved.report().clone()))
}

fn error(rules: &str) -> String {
    let (source, target) = (learner(&config(), 4, 1), learner(&config(), 3, 2));
    grafted(&plan(&["a"], rules), &target, &sources(&[("a", &source)])).unwrap_err().to_string()
}

const REST: &str = "[[rule]]\nmatch = \"**\"\nrest = true\ntake = \"random\"\n";

/// A rule, and one for everything else.
fn with_rest(rule: &str) -> String {
    format!("[[rule]]\n{rule}\n{REST}")
}

#[test]
fn every_preset_follows_its_description() {
    let source = learner(&config(), 4, 1);
    let from = sources(&[("a", &source)]);
    let stoch = config().stoch;
    let hidden = config().hidden;
    for name in ["paper", "full", "encoder-only", "universal"] {
        let plan = preset(name);
        let frozen = target_config(&plan, &config(), &from).unwrap();
        let target = if frozen.frozen_encoder { learner(&frozen, 3, 2) } else { learner(&config(), 3, 2) };
        let (after, report) = grafted(&plan, &target, &from).unwrap();
        let whole = |path: &str| values(&after, path) == values(&source, path);
        let random = |path: &str| values(&after, path) == values(&target, path);
        let mixed = |path: &str| {
            let both = values(&target, path).iter().zip(values(&source, path));
            both.zip(values(&after, path)).all(|((t, s), x)| *x == (f64::from(*t) + 0.2 * f64::from(*s)) as f32)
        };
        assert!(whole("world_model.encoder.h4.bias") && whole("world_model.encoder.h1.kernel"), "{name}");
        assert!(random("actor.hout.kernel") && random("actor.hout.bias"), "{name}");
        let decoder = "world_model.decoder.h1.kernel";
        assert_eq!(whole(decoder), name != "encoder-only", "{name}");
        assert_eq!(random(decoder), name == "encoder-only", "{name}");
        let img1 = values(&after, "world_model.rssm.img1.kernel");
        let (latent, action) = img1.split_at(stoch * hidden);
        assert_eq!(action, &values(&target, "world_model.rssm.img1.kernel")[stoch * hidden..], "{name}");
        let dynamics = matches!(name, "paper" | "full");
        assert_eq!(latent == &values(&source, "world_model.rssm.img1.kernel")[..stoch * hidden], dynamics, "{name}");
        assert_eq!(whole("world_model.rssm.gru.bias"), dynamics, "{name}");
        assert_eq!(whole("actor.h3.kernel"), dynamics, "{name}");
        for path in ["world_model.reward.hout.kernel", "value.hout.bias"] {
            assert_eq!((mixed(path), whole(path)), (name == "paper", name == "full"), "{name} {path}");
        }
        assert_eq!(report.totals.frozen.parts, if name == "universal" { 8 } else { 0 });
        let parts: usize = report.parts.iter().map(|part| part.shape.iter().product::<usize>()).sum();
        assert_eq!(parts, target.parameters().numbers(), "{name}");
    }
}

#[test]
fn fine_tuning_is_the_same_agent() {
    let (source, target) = (learner(&config(), 3, 1), learner::<f32>(&config(), 3, 2));
    let (after, report) = grafted(&preset("fine-tune"), &target, &sources(&[("a", &source)])).unwrap();
    for parameter in source.parameters().iter() {
        assert_eq!(after.parameters().values(parameter), source.parameters().values(parameter));
    }
    assert_eq!(report.totals.full.numbers, source.parameters().numbers());
    assert_eq!(after.optimisers().model.updates(), 0);
}

#[test]
fn equal_actions_make_the_full_plan_whole() {
    let (source, target) = (learner(&config(), 3, 1), learner::<f32>(&config(), 3, 2));
    let (after, report) = grafted(&preset("full"), &target, &sources(&[("a", &source)])).unwrap();
    assert_eq!(values(&after, "actor.hout.kernel"), values(&source, "actor.hout.kernel"));
    assert_eq!(report.totals.random.parts, 0);
}

#[test]
fn a_discount_head_is_a_head() {
    let with = AgentConfig { discount_head: true, ..config() };
    let (source, target) = (learner(&with, 4, 1), learner::<f32>(&with, 3, 2));
    let (after, _) = grafted(&preset("paper"), &target, &sources(&[("a", &source)])).unwrap();
    assert_eq!(values(&after, "world_model.discount.h0.kernel"), values(&source, "world_model.discount.h0.kernel"));
    assert_ne!(values(&after, "world_model.discount.hout.kernel"), values(&source, "world_model.discount.hout.kernel"));
    // With a source that does not have it, it stays random, with a note.
    let without = learner(&config(), 4, 1);
    let (after, report) = grafted(&preset("paper"), &target, &sources(&[("a", &without)])).unwrap();
    assert_eq!(values(&after, "world_model.discount.h0.kernel"), values(&target, "world_model.discount.h0.kernel"));
    assert!(report.to_string().contains("the source does not have this parameter"), "{report}");
}

#[test]
fn rules_are_exclusive_unless_they_take_the_rest() {
    let both = "[[rule]]\nmatch = \"value.**\"\ntake = \"full\"\n[[rule]]\nmatch = \"*.hout.*\"\ntake = \"random\"\n";
    let message = error(&format!("{both}{REST}"));
    for expected in ["value.hout.kernel [14, 1]", "rule 1 (line 5)", "rule 2 (line 8)", "test.toml", "rest = true"] {
        assert!(message.contains(expected), "{expected}: {message}");
    }
    // The other way round, with the second rule matching the rest.
    let rest = "[[rule]]\nmatch = \"*.hout.*\"\ntake = \"random\"\n[[rule]]\nmatch = \"value.**\"\nrest = true\ntake = \"full\"\n";
    let (source, target) = (learner(&config(), 4, 1), learner::<f32>(&config(), 3, 2));
    let (after, _) = grafted(&plan(&["a"], &format!("{rest}{REST}")), &target, &sources(&[("a", &source)])).unwrap();
    assert_eq!(values(&after, "value.hout.kernel"), values(&target, "value.hout.kernel"));
    assert_eq!(values(&after, "value.h2.kernel"), values(&source, "value.h2.kernel"));
}

#[test]
fn every_parameter_needs_a_rule() {
    let message = error(
        "[[rule]]\nmatch = \"world_model.**\"\ntake = \"random\"\n[[rule]]\nmatch=\"actor.h*.*\"\ntake=\"full\"\nmisfit=\"random\"",
    );
    for expected in ["value.h0.kernel [16, 14]", "value.hout.bias [1]", "test.toml", "take = \"random\""] {
        assert!(message.contains(expected), "{expected}: {message}");
    }
    let message = error("[[rule]]\nmatch = \"value.**\"\ntake = \"full\"");
    assert!(message.contains("world_model.encoder.h1.kernel [4, 4, 3, 2]") && message.contains("more"), "{message}");
}

#[test]
fn unmatched_rows_are_named() {
    let rules = "[[rule]]\nmatch = \"world_model.rssm.img1.kernel\"\nrows = \"latent\"\ntake = \"full\"\n\
                 [[rule]]\nmatch = [\"world_model.encoder.**\", \"world_model.decoder.**\", \"world_model.re*.**\", \
                 \"world_model.rssm.*.bias\", \"world_model.rssm.img2.kernel\", \"world_model.rssm.img3.kernel\", \
                 \"world_model.rssm.obs*.kernel\", \"world_model.rssm.gru.*kernel\", \"actor.**\", \"value.**\"]\ntake = \"random\"\n";
    let message = error(rules);
    assert!(message.contains("matches world_model.rssm.img1.kernel (action rows) [3, 13];"), "{message}");
}

#[test]
fn a_pattern_that_matches_nothing_offers_the_nearest() {
    for (pattern, nearest) in [
        ("world_model.encoder", "\"world_model.encoder.**\""),
        ("world_model.encoder.*", "\"world_model.encoder.**\""),
        ("world_model.rsm.**", "world_model.rssm."),
        ("valeu.hout.kernel", "value.hout.kernel"),
    ] {
        let message = error(&with_rest(&format!("match = \"{pattern}\"\ntake = \"full\"")));
        assert!(message.contains("rule 1 (line 5)") && message.contains(nearest), "{pattern}: {message}");
    }
    // One pattern of several is enough of a mistake.
    let message = error(&with_rest("match = [\"value.**\", \"values.**\"]\ntake = \"full\""));
    assert!(message.contains("\"values.**\" does not match any parameter"), "{message}");
    // Unless it may.
    let rules = with_rest("match = [\"value.**\", \"values.**\"]\noptional = true\ntake = \"full\"");
    let (source, target) = (learner(&config(), 4, 1), learner(&config(), 3, 2));
    assert!(grafted(&plan(&["a"], &rules), &target, &sources(&[("a", &source)])).is_ok());
}

#[test]
fn a_rule_below_one_that_matched_everything_is_an_error() {
    let message = error(&format!(
        "[[rule]]\nmatch = \"**\"\ntake = \"full\"\nmisfit = \"random\"\n{}",
        REST.replace("**", "value.*.kernel")
    ));
    for expected in
        ["rule 2 (line 9)", "\"value.*.kernel\" has no parameters left", "value.h0.kernel", "rule 1 (line 5)"]
    {
        assert!(message.contains(expected), "{expected}: {message}");
    }
    // The same pattern twice, and one that an optional rule repeats.
    for second in ["rest = true", "rest = true\noptional = true"] {
        let message = error(&with_rest(&format!(
            "match = \"value.**\"\ntake = \"full\"\n[[rule]]\nmatch = \"value.**\"\n{second}\ntake = \"random\""
        )));
        assert!(message.contains("has no parameters left"), "{message}");
    }
}

#[test]
fn rows_overlap_like_parameters() {
    let rule = |rows: &str, take: &str| {
        format!("[[rule]]\nmatch = \"world_model.rssm.img1.kernel\"\nrows = {rows}\ntake = \"{take}\"\n")
    };
    let message = error(&format!("{}{}{REST}", rule("\"latent\"", "full"), rule("\"stoch\"", "full")));
    assert!(
        message.contains("match world_model.rssm.img1.kernel (stoch rows) [5, 13]; make the patterns"),
        "{message}"
    );
    let whole = "[[rule]]\nmatch = \"world_model.rssm.**\"\ntake = \"full\"\n";
    let message = error(&format!("{}{whole}{REST}", rule("\"action\"", "random")));
    assert!(
        message.contains("match world_model.rssm.img1.kernel (action rows) [3, 13]; make the patterns"),
        "{message}"
    );
    let message = error(&format!("{whole}{}{REST}", rule("\"action\"", "random")));
    assert!(
        message.contains("match world_model.rssm.img1.kernel (action rows) [3, 13]; make the patterns"),
        "{message}"
    );
    // Rows that do not overlap make up the whole.
    let rules = format!("{}{}{REST}", rule("[\"stoch\"]", "full"), rule("\"action\"", "random"));
    let (source, target) = (learner(&config(), 4, 1), learner(&config(), 3, 2));
    assert!(grafted(&plan(&["a"], &rules), &target, &sources(&[("a", &source)])).is_ok());
}

#[test]
fn rows_that_are_not_there_are_named() {
    let message = error(&with_rest("match = \"value.h0.kernel\"\nrows = \"action\"\ntake = \"full\""));
    assert!(
        message.contains("value.h0.kernel [16, 14] does not have rows \"action\"; its rows read stoch, deter"),
        "{message}"
    );
    let message = error(&with_rest("match = \"value.**\"\nrows = \"latent\"\ntake = \"full\""));
    assert!(
        message.contains("value.h0.bias [14] does not have rows \"latent\"; its rows do not have names"),
        "{message}"
    );
    let message =
        error(&with_rest("match = \"world_model.reward.h0.kernel\"\nrows = \"predictions\"\ntake = \"full\""));
    assert!(message.contains("does not have rows \"predictions\""), "{message}");
}

#[test]
fn mismatches_are_named_on_both_sides() {
    let message = error(&with_rest("match = [\"world_model.rssm.**\"]\ntake = \"full\""));
    for expected in [
        "world_model.rssm.img1.kernel [8, 13] (full), but it does not match world_model.rssm.img1.kernel [9, 13] of the source \"a\"",
        "rule 1 (line 5) of test.toml",
        "the source has 4 action rows, but the target has 3",
        "a separate rule (`rows`)",
        "action size (4 and 3)",
        "misfit = \"random\"",
    ] {
        assert!(message.contains(expected), "{expected}: {message}");
    }
    let message = error(&with_rest("match = \"actor.hout.*\"\ntake = { fraction = 0.5 }"));
    assert!(message.contains("but it does not match actor.hout.kernel [14, 8]"), "{message}");
    assert!(message.contains("fraction 0.5") && message.contains("the shapes differ"), "{message}");
}

#[test]
fn equal_shapes_of_other_meaning_do_not_fit() {
    // 5 states and 3 actions are as many inputs as 4 states and 4 actions.
    let other = AgentConfig { stoch: 4, deter: 12, ..config() };
    let (source, target) = (learner(&other, 4, 1), learner::<f32>(&config(), 3, 2));
    for (pattern, why) in [
        ("world_model.rssm.img1.kernel", "the source has 4 stoch rows, but the target has 5"),
        ("value.h0.kernel", "the source has 4 stoch rows, but the target has 5"),
    ] {
        let plan = plan(&["a"], &with_rest(&format!("match = \"{pattern}\"\ntake = \"full\"")));
        let message = grafted(&plan, &target, &sources(&[("a", &source)])).unwrap_err().to_string();
        assert!(message.contains(why) && message.contains("agent.stoch (4 and 5)"), "{message}");
    }
}

#[test]
fn a_layer_is_transferred_together_or_not_at_all() {
    // The kernels of both first layers differ, their biases do not.
    let other = AgentConfig { deter: 12, ..config() };
    let (source, target) = (learner(&other, 4, 1), learner::<f32>(&config(), 3, 2));
    let plan = plan(&["a"], &with_rest("match = \"value.**\"\ntake = \"full\"\nmisfit = \"random\""));
    let (after, report) = grafted(&plan, &target, &sources(&[("a", &source)])).unwrap();
    assert_eq!(values(&after, "value.h0.bias"), values(&target, "value.h0.bias"));
    assert_eq!(values(&after, "value.h1.bias"), values(&source, "value.h1.bias"));
    let bias = report.parts.iter().find(|part| part.path == "value.h0.bias").unwrap();
    assert_eq!((bias.take, bias.from.len()), (Take::Random, 0));
    let note = bias.note.as_ref().unwrap();
    assert!(note.contains("with its layer") && note.contains("value.h0.kernel [16, 14]"), "{note}");
    assert_eq!(report.rules[0].misfits, 2);
}

#[test]
fn a_source_of_which_nothing_fits_is_an_error() {
    let other = AgentConfig { depth: 3, ..config() };
    let (source, target) = (learner(&other, 3, 1), learner(&config(), 3, 2));
    let plan = plan(&["a"], &with_rest("match = \"world_model.encoder.**\"\ntake = \"full\"\nmisfit = \"random\""));
    let message = grafted(&plan, &target, &sources(&[("a", &source)])).unwrap_err().to_string();
    assert!(
        message.contains("nothing would be transferred from the source \"a\"") && message.contains("[4, 4, 3, 2]"),
        "{message}"
    );
}

#[test]
fn only_the_encoder_is_frozen_and_only_as_a_whole() {
    let message = error(&with_rest("match = \"world_model.decoder.**\"\ntake = \"full\"\nfrozen = true"));
    assert!(message.contains("rule 1 (line 5)") && message.contains("world_model.decoder.h1.kernel"), "{message}");
    assert!(message.contains("world_model.encoder.**"), "{message}");
    let message = error(&with_rest("match = \"world_model.encoder.h1.*\"\ntake = \"full\"\nfrozen = true"));
    assert!(
        message.contains("freezes part of the encoder") && message.contains("world_model.encoder.h2.kernel"),
        "{message}"
    );
    // The target must be made for it.
    let message = error(&with_rest("match = \"world_model.encoder.**\"\ntake = \"full\"\nfrozen = true"));
    assert!(message.contains("agent.frozen_encoder is false") && message.contains("target_config"), "{message}");
    // Parameters that the configuration freezes must not stay random.
    let frozen = AgentConfig { frozen_encoder: true, ..config() };
    let (source, target) = (learner(&config(), 3, 1), learner(&frozen, 3, 2));
    let plan = plan(&["a"], &with_rest("match = \"value.**\"\ntake = \"full\""));
    let message = grafted(&plan, &target, &sources(&[("a", &source)])).unwrap_err().to_string();
    assert!(
        message.contains("world_model.encoder.h1.kernel is frozen, so it would keep its random values"),
        "{message}"
    );
}

#[test]
fn several_sources_give_their_weighted_mean() {
    let (a, b) = (learner(&config(), 4, 1), learner::<f32>(&config(), 5, 7));
    let target = learner(&config(), 3, 2);
    let rule = "match = \"value.**\"\ntake = \"full\"\nsources = { a = 3, b = 1 }";
    let fraction = "[[rule]]\nmatch = \"world_model.reward.**\"\ntake = { fraction = 0.5 }\nsources = { a = 1, b = 1 }";
    let plan = plan(&["a", "b"], &with_rest(&format!("{rule}\n{fraction}")));
    let (after, report) = grafted(&plan, &target, &sources(&[("a", &a), ("b", &b)])).unwrap();
    let wide = |learner: &Learner<f32>, path: &str| -> Vec<f64> {
        values(learner, path).iter().map(|&x| f64::from(x)).collect()
    };
    for path in ["value.h1.kernel", "value.hout.bias"] {
        let both = wide(&a, path).into_iter().zip(wide(&b, path));
        let expected: Vec<f32> = both.map(|(a, b)| ((3.0 * a + b) / 4.0) as f32).collect();
        assert_eq!(values(&after, path), expected, "{path}");
    }
    let path = "world_model.reward.h0.kernel";
    let both = wide(&a, path).into_iter().zip(wide(&b, path)).zip(wide(&target, path));
    let expected: Vec<f32> = both.map(|((a, b), random)| (random + 0.5 * ((a + b) / 2.0)) as f32).collect();
    assert_eq!(values(&after, path), expected);
    let part = report.parts.iter().find(|part| part.path == "value.hout.bias").unwrap();
    let shares: Vec<(&str, f64)> = part.from.iter().map(|given| (given.source.as_str(), given.share)).collect();
    assert_eq!(shares, [("a", 0.75), ("b", 0.25)]);
    assert!(report.to_string().contains("0.750 a + 0.250 b"), "{report}");
}

#[test]
fn every_source_of_a_mean_must_fit() {
    let other = AgentConfig { units: 15, ..config() };
    let (a, b, target) = (learner(&config(), 4, 1), learner::<f32>(&other, 4, 7), learner(&config(), 3, 2));
    let plan = plan(&["a", "b"], &with_rest("match = \"value.**\"\ntake = \"full\"\nsources = { a = 1, b = 1 }"));
    let message = grafted(&plan, &target, &sources(&[("a", &a), ("b", &b)])).unwrap_err().to_string();
    assert!(
        message.contains("[16, 15] of the source \"b\"") && message.contains("agent.units (15 and 14)"),
        "{message}"
    );
}

#[test]
fn numbers_too_large_are_refused() {
    let mut source = learner::<f32>(&config(), 3, 1);
    let mut target = learner(&config(), 3, 2);
    for learner in [&mut source, &mut target] {
        let parameter = learner.parameters().find("value.hout.bias").unwrap();
        learner.parameters_mut().values_mut(parameter)[0] = 3e38;
    }
    let plan = plan(&["a"], &with_rest("match = \"value.hout.*\"\ntake = { fraction = 1 }"));
    let message = grafted(&plan, &target, &sources(&[("a", &source)])).unwrap_err().to_string();
    assert!(message.contains("value.hout.bias") && message.contains("infinite or NaN"), "{message}");
}

#[test]
fn only_the_resolved_new_agent_is_grafted_onto() {
    let (source, mut target) = (learner(&config(), 3, 1), learner::<f32>(&config(), 3, 2));
    let resolved = resolve(&preset("paper"), &target, &sources(&[("a", &source)])).unwrap();
    let mut other = learner(&config(), 3, 3);
    let message = resolved.apply(&mut other).unwrap_err().to_string();
    assert!(message.contains("changed after the transfer"), "{message}");
    assert_eq!(values(&other, "value.h0.kernel"), values(&learner::<f32>(&config(), 3, 3), "value.h0.kernel"));
    let mut smaller = learner(&AgentConfig { units: 9, ..config() }, 3, 2);
    assert!(matches!(resolved.apply(&mut smaller), Err(TransferError::OtherTarget { .. })));
    target.optimisers_mut().value.set_updates(4);
    let message = resolved.apply(&mut target).unwrap_err().to_string();
    assert!(message.contains("has taken 4 gradient steps"), "{message}");
    target.optimisers_mut().value.set_updates(0);
    resolved.apply(&mut target).unwrap();
    // A second time there is nothing random left to graft onto.
    assert!(matches!(resolved.apply(&mut target), Err(TransferError::OtherTarget { .. })));
}

#[test]
fn the_report_is_complete_and_is_read_back() {
    let (source, target) = (learner(&config(), 4, 1), learner(&config(), 3, 2));
    let (after, report) = grafted(&preset("paper"), &target, &sources(&[("a", &source)])).unwrap();
    let again: Report = serde_json::from_str(&report.to_json()).unwrap();
    assert_eq!(again, report);
    for part in &report.parts {
        let all = values(&after, &part.path);
        let row: usize = part.shape[1..].iter().product();
        let range = part.rows.map_or(0..all.len(), |rows| rows.first * row..rows.end * row);
        assert_eq!(part.norm_after, transfer::arithmetic::norm(&all[range]), "{}", part.path);
        assert_eq!(part.take == Take::Random, part.norm_before == part.norm_after, "{}", part.path);
    }
    let table = report.to_string();
    let line = |name: &str| table.lines().find(|line| line.starts_with(name)).unwrap_or_else(|| panic!("{table}"));
    assert!(line("world_model.rssm.img1.kernel (action rows)").contains("[3, 13]"));
    assert!(line("value.hout.kernel").contains("fraction 0.2"));
    assert!(table.contains("the built-in plan paper"));
}

/// Any sizes of a source and a target.
fn sizes() -> impl Strategy<Value = (AgentConfig, usize)> {
    (1..3_usize, 1..4_usize, 1..4_usize, 1..4_usize, 1..4_usize, 1..4_usize, any::<bool>()).prop_map(
        |(depth, stoch, deter, hidden, units, action_size, discount_head)| {
            let layers = (1, 1, 2);
            let config = AgentConfig {
                depth,
                stoch,
                deter,
                hidden,
                units,
                discount_head,
                reward_layers: layers.0,
                value_layers: layers.1,
                actor_layers: layers.2,
                ..config()
            };
            (config, action_size)
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// For any sizes, a transfer is refused, or every number is that of the source, the random one, or Eq. 3 or a mean of both.
    #[test]
    fn every_number_is_accounted_for((theirs, their_actions) in sizes(), (ours, our_actions) in sizes(), omega in 0.0..=1.0_f64) {
        let (source, target) = (learner(&theirs, their_actions, 1), learner::<f64>(&ours, our_actions, 2));
        let rules = format!(
            "[[rule]]\nmatch = \"world_model.rssm.img1.kernel\"\nrows = \"action\"\ntake = \"full\"\nmisfit = \"random\"\n\
             [[rule]]\nmatch = \"value.hout.*\"\ntake = {{ interpolate = {omega:?} }}\nmisfit = \"random\"\n\
             [[rule]]\nmatch = \"**.hout.*\"\nrest = true\ntake = {{ fraction = {omega:?} }}\nmisfit = \"random\"\n\
             [[rule]]\nmatch = \"**\"\nrest = true\ntake = \"full\"\nmisfit = \"random\"\n"
        );
        let plan = plan(&["a"], &rules);
        let resolved = match resolve(&plan, &target, &sources(&[("a", &source)])) {
            Err(TransferError::NothingTransferred { .. }) => return Ok(()),
            other => other.unwrap(),
        };
        let mut after = learner(&ours, our_actions, 2);
        resolved.apply(&mut after).unwrap();
        for part in &resolved.report().parts {
            let (now, random) = (values(&after, &part.path), values(&target, &part.path));
            let row: usize = part.shape[1..].iter().product();
            let range = part.rows.map_or(0..now.len(), |rows| rows.first * row..rows.end * row);
            let (now, random) = (&now[range.clone()], &random[range.clone()]);
            if part.take == Take::Random {
                prop_assert_eq!(now, random, "{}", &part.path);
                continue;
            }
            // Rows begin where the same reader's rows begin: only the action rows come after rows of the source's own size.
            let given = values(&source, &part.path);
            let given = if part.rows.is_some_and(|rows| rows.reads == transfer::RowInput::Action) {
                &given[theirs.stoch * row..]
            } else {
                &given[range]
            };
            prop_assert_eq!(matches!(part.take, Take::Interpolate(_)), part.path.starts_with("value.hout."));
            for ((now, random), given) in now.iter().zip(random).zip(given) {
                let expected = match part.take {
                    Take::Fraction(Fraction::Of(omega)) => random + omega * given,
                    Take::Fraction(Fraction::Fit) => unreachable!("the rules give numbers"),
                    Take::Interpolate(weight) => (1.0 - weight) * random + weight * given,
                    Take::Full | Take::Random => *given,
                    Take::Soup => unreachable!("no rule makes a soup"),
                };
                prop_assert_eq!(*now, expected, "{}", &part.path);
            }
        }
    }
}
