//! Plan files: reading, refusing, and malicious files.

use crate::common::{document, plan};
use proptest::prelude::*;
use std::path::{Path, PathBuf};
use transfer::{Fraction, MetaModelPredictions, MetaModelStart, Misfit, Plan, PlanError, Preset, RuleSources, Take};

fn parse(text: &str) -> Result<Plan, PlanError> {
    Plan::parse(text, "test.toml")
}

fn error(text: &str) -> String {
    parse(text).unwrap_err().to_string()
}

/// A plan with one source `a` and one rule of these lines, from line 5 on.
fn rule_error(rule: &str) -> String {
    error(&document(&["a"], &format!("[[rule]]\n{rule}\n")))
}

#[test]
fn a_plan_is_read_as_written() {
    let text = r#"
format = 1
description = "words"
[sources]
a = "runs/a"
b = { path = "b.safetensors", sha256 = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef" }
[meta_model]
sources = ["b", "a"]
any_encoder = true
start = "silent"
predictions = "standardised"
l1 = 1e-3
[[rule]]
match = ["world_model.encoder.**", "world_model.decoder.**"]
take = "full"
source = "a"
frozen = true
[[rule]]
match = "world_model.rssm.img1.kernel"
rows = ["stoch", "action"]
take = { fraction = 1 }
sources = { a = 2, b = 0.5 }
misfit = "random"
optional = true
[[rule]]
match = "**"
rest = true
take = "random"
"#;
    let plan = parse(text).unwrap();
    let [first, second, third] = plan.rules() else { panic!("three rules") };
    assert_eq!((first.patterns.len(), first.take, first.frozen, first.rest), (2, Take::Full, true, false));
    assert_eq!(second.take, Take::Fraction(Fraction::Of(1.0)));
    assert_eq!((second.misfit, second.optional), (Misfit::Random, true));
    assert_eq!(second.sources, RuleSources::Mean([("a".into(), 2.0), ("b".into(), 0.5)].into()));
    assert_eq!((third.take, third.rest, &third.sources), (Take::Random, true, &RuleSources::Only));
    let meta_model = plan.meta_model().unwrap();
    assert_eq!((meta_model.sources.as_slice(), meta_model.layers), (&["b".to_owned(), "a".to_owned()][..], 1));
    assert!(meta_model.any_encoder && plan.sources()["b"].sha256.is_some());
    let how = (meta_model.start, meta_model.predictions, meta_model.l1);
    assert_eq!(how, (MetaModelStart::Silent, MetaModelPredictions::Standardised, 1e-3));
    assert_eq!(plan.place(2), "rule 3 (line 25) of test.toml");
    // A written plan is read as the same plan.
    let again = parse(&plan.to_toml()).unwrap();
    assert_eq!(again.to_toml(), plan.to_toml());
    assert_eq!((again.sources(), again.meta_model()), (plan.sources(), plan.meta_model()));
}

#[test]
fn unknown_and_missing_keys_are_named_with_path_and_line() {
    for (text, expected) in [
        ("", &["format", "starts with `format = 1`"][..]),
        ("format = 2\nfuture = true", &["format = 2", "format = 1"]),
        ("format = \"1\"", &["format = \"1\""]),
        ("format = 1\nrules = []", &["rules", "line 2", "unknown key `rules`", "`rule`"]),
        ("format = 1\n[sources]\na = 3", &["sources.a", "line 3", "it must be a path"]),
        ("format = 1\n[sources]\na = { path = \"x\" }", &["sources.a", "sha256"]),
        ("format = 1\n[meta_model]\nsource = [\"a\"]", &["meta_model", "line 3", "unknown key `source`"]),
        ("format = 1\n[[rule]]\nmatch = \"**\"", &["rule 1 in", "line 2", "the key `take` is missing"]),
        ("format = 1\n[[rule]]\ntake = \"full\"", &["rule 1 in", "the key `match` is missing"]),
        ("format = 1\nrule = 7", &["rule", "line 2"]),
    ] {
        let message = error(text);
        for expected in expected {
            assert!(message.contains(expected), "{text:?} should say {expected:?}: {message}");
        }
    }
}

#[test]
fn wrong_values_are_named_with_path_and_line() {
    for (rule, expected) in [
        (
            "match = \"**\"\ntake = \"ful\"",
            &[
                "rule 1, take",
                "line 7",
                "\"ful\"",
                "\"full\", \"soup\", { fraction = 0.2 }, { fraction = \"fit\" } or { interpolate = 0.2 }",
            ][..],
        ),
        ("match = \"**\"\ntake = { fraction = \"x\" }", &["rule 1, take", "line 7"]),
        (
            "match = \"**\"\ntake = { fracton = 0.2 }",
            &["rule 1, take", "unknown key `fracton`; write { fraction = 0.2 }"],
        ),
        (
            "match = \"**\"\ntake = 0.2",
            &["rule 1, take", "line 7", "it is 0.2 instead of \"random\", \"full\", \"soup\", {"],
        ),
        (
            "match = \"**\"\ntake = \"fraction\"",
            &["rule 1, take", "line 7", "write fraction with its number: { fraction = 0.2 }"],
        ),
        ("match = \"**\"\ntake = { fraction = 0.2, interpolate = 0.1 }", &["rule 1, take", "only one can be used"]),
        ("match = []\ntake = \"full\"", &["rule 1, match", "the list is empty"]),
        ("match = [\"**\", 3]\ntake = \"full\"", &["rule 1, match 2", "line 6"]),
        ("match = \"value/**\"\ntake = \"full\"", &["rule 1, match", "line 6", "'/'"]),
        ("match = \"**\"\nrows = \"actions\"\ntake = \"full\"", &["rule 1, rows", "line 7", "`action`"]),
        ("match = \"**\"\ntake = \"full\"\nfrozen = \"yes\"", &["rule 1, frozen", "line 8", "true or false"]),
        (
            "match = \"**\"\ntake = \"full\"\nmisfit = \"skip\"",
            &["rule 1, misfit", "\"skip\" instead of \"random\"; otherwise leave misfit out"],
        ),
        (
            "match = \"**\"\ntake = \"full\"\nmisfit = true",
            &["rule 1, misfit", "it is true instead of \"random\"; otherwise leave misfit out"],
        ),
        ("match = \"**\"\ntake = \"full\"\nfrozzen = true", &["rule 1", "line 8", "frozzen"]),
        ("match = \"**\"\nmatch = \"**\"\ntake = \"full\"", &["line 7", "duplicate key"]),
        ("match = \"**\ntake = \"full\"", &["line 6", "not valid TOML"]),
    ] {
        let message = rule_error(rule);
        for expected in expected.iter().chain(&["test.toml"]) {
            assert!(message.contains(expected), "{rule:?} should say {expected:?}: {message}");
        }
    }
}

#[test]
fn numbers_out_of_range_are_refused() {
    for fraction in ["nan", "inf", "-inf", "-0.1", "1.0000001", "1e300", "2"] {
        let message = rule_error(&format!("match = \"**\"\ntake = {{ fraction = {fraction} }}"));
        assert!(message.contains("rule 1 (line 5)") && message.contains("from 0 to 1"), "{fraction}: {message}");
    }
    for weight in ["nan", "inf", "-inf", "-1", "0", "-0.0", "1e-300", "1e300"] {
        let message = rule_error(&format!("match = \"**\"\ntake = \"full\"\nsources = {{ a = {weight} }}"));
        assert!(message.contains("sources.a = ") && message.contains("1e-6 to 1e6"), "{weight}: {message}");
    }
    for fraction in ["0", "0.0", "-0.0", "1", "1.0", "5e-324"] {
        let rule = format!("[[rule]]\nmatch = \"**\"\ntake = {{ fraction = {fraction} }}\n");
        assert!(parse(&document(&["a"], &rule)).is_ok(), "{fraction}");
    }
    for layers in ["0", "65", "9223372036854775807"] {
        let message = error(&document(&["a"], &format!("[meta_model]\nsources = [\"a\"]\nlayers = {layers}\n")));
        assert!(message.contains("from 1 to 64"), "{layers}: {message}");
    }
    for l1 in ["-1e-3", "nan", "inf", "1e7"] {
        let message = error(&document(&["a"], &format!("[meta_model]\nsources = [\"a\"]\nl1 = {l1}\n")));
        assert!(message.contains("l1 = ") && message.contains("from 0 to 1000000"), "{l1}: {message}");
    }
    let message = error(&document(&["a"], "[meta_model]\nsources = [\"a\"]\npredictions = \"standard\"\n"));
    assert!(message.contains("meta_model.predictions") && message.contains("`standardised`"), "{message}");
}

#[test]
fn contradictions_are_refused() {
    for (rule, expected) in [
        ("take = \"random\"\nsource = \"a\"", "names a source"),
        ("take = \"random\"\nsources = { a = 1 }", "names a source"),
        ("take = \"random\"\nmisfit = \"random\"", "`misfit` has no effect"),
        ("take = \"random\"\nfrozen = true", "would be frozen at random values"),
        ("take = \"full\"\nsource = \"a\"\nsources = { a = 1 }", "`source` and `sources`"),
        ("take = \"full\"\nsources = {}", "`sources` is empty"),
    ] {
        let message = rule_error(&format!("match = \"**\"\n{rule}"));
        assert!(message.contains(expected) && message.contains("rule 1 (line 5)"), "{rule}: {message}");
    }
    let message = error(&document(&["a"], "[meta_model]\nsources = [\"a\", \"a\"]\n"));
    assert!(message.contains("\"a\" is listed twice"), "{message}");
    let message = error(&document(&["a"], "[meta_model]\nsources = []\n"));
    assert!(message.contains("no sources"), "{message}");
}

#[test]
fn sources_and_rules_go_together() {
    let full = "[[rule]]\nmatch = \"**\"\ntake = \"full\"\n";
    let message = |names: &[&str], rules: &str| plan(names, rules).check_sources().unwrap_err().to_string();
    let expected = message(&[], full);
    assert!(
        expected.contains("rule 1 (line 4) of test.toml does not name a source") && expected.contains("has no source"),
        "{expected}"
    );
    let expected = message(&["a", "b"], full);
    assert!(expected.contains("does not name a source") && expected.contains("the sources \"a\", \"b\""), "{expected}");
    let expected = message(&["a"], &format!("{full}source = \"b\""));
    assert!(expected.contains("names the source \"b\", but the plan has the source \"a\""), "{expected}");
    let expected = message(&["a", "b"], &format!("{full}source = \"b\""));
    assert!(expected.contains("no rule of test.toml uses the source \"a\""), "{expected}");
    let expected = message(&["a"], &format!("{full}source = \"a\"\n[meta_model]\nsources = [\"b\"]"));
    assert!(expected.contains("[meta_model] of test.toml names the source \"b\""), "{expected}");
    let expected = message(&[], &full.replace("full", "random"));
    assert!(expected.contains("nothing is transferred"), "{expected}");
    assert!(plan(&["a"], full).check_sources().is_ok());
}

#[test]
fn names_and_checksums_have_rules() {
    for name in ["\"\"", "\"a b\"", "\"a/b\"", "\"\\n\"", &format!("\"{}\"", "a".repeat(65))] {
        let message = error(&format!("format = 1\n[sources]\n{name} = \"x\""));
        assert!(message.contains("1 to 64 letters"), "{name}: {message}");
    }
    let message = error("format = 1\n[sources]\na = { path = \"x\", sha256 = \"ABC\" }");
    assert!(message.contains("sources.a.sha256") && message.contains("64 digits"), "{message}");
    let many: String = (0..65).map(|index| format!("s{index} = \"x\"\n")).collect();
    assert!(error(&format!("format = 1\n[sources]\n{many}")).contains("at most 64"));
    let many: Vec<_> = (0..64).map(|index| (format!("s{index}"), "x".into())).collect();
    let over = |rewards| Preset::Universal.plan().over_universal(Path::new("u"), rewards, 1);
    assert!(over(&many[..63]).is_ok());
    let message = over(&many).unwrap_err().to_string();
    assert!(message.contains("sources = 65 (64 of rewards, and that with the encoder)"), "{message}");
    let mut plan = Preset::Paper.plan();
    plan.add_source("a", Path::new("x")).unwrap();
    assert!(plan.add_source("a", Path::new("y")).unwrap_err().to_string().contains("already has a source \"a\""));
}

#[test]
fn the_fraction_of_a_plan_can_be_changed() {
    let mut plan = Preset::Paper.plan();
    plan.set_fraction(0.45).unwrap();
    let fractions: Vec<Take> =
        plan.rules().iter().map(|rule| rule.take).filter(|take| matches!(take, Take::Fraction(_))).collect();
    assert_eq!(fractions, [Take::Fraction(Fraction::Of(0.45)); 2]);
    for omega in [f64::NAN, f64::INFINITY, -0.1, 1.1] {
        let message = plan.set_fraction(omega).unwrap_err().to_string();
        assert!(message.contains("fraction") && message.contains("from 0 to 1"), "{message}");
    }
    let message = Preset::Full.plan().set_fraction(0.2).unwrap_err().to_string();
    assert!(message.contains("the built-in plan full does not have a rule with a fraction"), "{message}");
}

#[test]
fn plans_are_found_by_preset_or_file() {
    assert_eq!(Plan::find("paper").unwrap(), Preset::Paper.plan());
    let message = Plan::find("papr").unwrap_err().to_string();
    assert!(
        message.contains("\"papr\" is neither a built-in plan nor an existing file") && message.contains("\"paper\""),
        "{message}"
    );
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mine.toml");
    std::fs::write(&path, document(&["a"], "[[rule]]\nmatch = \"**\"\ntake = \"full\"\n")).unwrap();
    let plan = Plan::find(path.to_str().unwrap()).unwrap();
    assert_eq!(plan.sources()["a"].path, folder.path().join("unread/a"));
    assert!(plan.place(0).contains("mine.toml"), "{}", plan.place(0));
    // Absolute paths stay.
    std::fs::write(&path, "format = 1\n[sources]\na = \"/somewhere/a\"").unwrap();
    assert_eq!(Plan::read(&path).unwrap().sources()["a"].path, PathBuf::from("/somewhere/a"));
    let message = Plan::read(folder.path()).unwrap_err().to_string();
    assert!(message.contains("cannot read the plan"), "{message}");
}

#[test]
fn hostile_files_are_refused_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("plan.toml");
    let refused = |bytes: &[u8]| {
        std::fs::write(&path, bytes).unwrap();
        Plan::read(&path).unwrap_err().to_string()
    };
    assert!(refused(&vec![b'#'; 2 << 20]).contains("larger than 1048576 bytes"));
    assert!(refused(b"format = 1\n\xff\xfe").contains("UTF-8"));
    assert!(refused(b"\0").contains("not valid TOML"));
    let deep = format!("format = 1\nrule = {}", "[".repeat(100_000));
    assert!(refused(deep.as_bytes()).contains("not valid TOML"));
    let deep = format!("format = 1\nx = {}1{}", "{a=".repeat(10_000), "}".repeat(10_000));
    assert!(refused(deep.as_bytes()).contains("not valid TOML"));
    let deep = format!("format = 1\n{} = 1", vec!["a"; 100_000].join("."));
    assert!(refused(deep.as_bytes()).contains("not valid TOML"));
    assert!(refused(b"format = 1\nformat = 1").contains("duplicate key"));
    assert!(refused(b"format = 1\n[sources]\na = \"x\"\na = \"y\"").contains("duplicate key"));
    // Messages stay readable, however long the wrong value is.
    let long = format!("format = 1\n[[rule]]\nmatch = \"{}\"\ntake = \"full\"", "a".repeat(100_000));
    assert!(refused(long.as_bytes()).len() < 1000);
    let long = format!("format = 1\n[[rule]]\nmatch = \"**\"\ntake = \"{}\"", "a".repeat(100_000));
    assert!(refused(long.as_bytes()).len() < 1000);
    let long = format!("format = 1\n{} = 1", "a".repeat(100_000));
    assert!(refused(long.as_bytes()).len() < 1000);
}

proptest! {
    /// Any change of a plan's text gives a plan or an error, and every plan can be written and read again.
    #[test]
    fn no_text_is_a_panic(cut in 0..1500_usize, insert in "[a-z0-9_=\\[\\]{}\"'.,*# \n-]{0,12}", skip in 0..20_usize) {
        let text = format!("{}\n[sources]\na = \"x\"\n", Preset::Paper.text());
        let cut = cut.min(text.len());
        let end = (cut + skip).min(text.len());
        let changed = format!("{}{insert}{}", &text[..cut], &text[end..]);
        if let Ok(plan) = parse(&changed) {
            prop_assert_eq!(parse(&plan.to_toml()).unwrap().to_toml(), plan.to_toml());
        }
    }
}

#[test]
fn a_soup_is_of_all_sources_of_the_plan_or_of_several_that_are_named() {
    let checked = |sources: &str, rule: &str| {
        let text = format!("format = 1\n{sources}\n[[rule]]\nmatch = \"**\"\ntake = \"soup\"\n{rule}\n");
        let plan = Plan::parse(&text, "mine").unwrap();
        assert_eq!(Plan::parse(&plan.to_toml(), "mine").unwrap().to_toml(), plan.to_toml());
        plan.check_sources().map_err(|error| error.to_string())
    };
    let three = "[sources]\na = \"x\"\nb = \"y\"\nc = \"z\"";
    assert_eq!(checked(three, ""), Ok(()));
    assert_eq!(checked(three, "sources = { a = 1, b = 2, c = 3 }"), Ok(()));
    let message = checked(three, "sources = { a = 1, b = 2 }").unwrap_err();
    assert!(message.contains("\"c\""), "no rule uses it: {message}");
    for (sources, rule, part) in [
        (three, "source = \"a\"", "rule 1 (line 6) of mine"),
        (three, "source = \"a\"", "a soup is the mean of several agents, and it has only \"a\"; name at least two"),
        ("[sources]\na = \"x\"", "", "it has only \"a\""),
        ("", "", "it has none"),
    ] {
        let message = checked(sources, rule).unwrap_err();
        assert!(message.contains(part), "{part}: {message}");
    }
    let message =
        Plan::parse("format = 1\n[[rule]]\nmatch = \"**\"\ntake = \"stew\"\n", "mine").unwrap_err().to_string();
    assert!(message.contains("\"random\", \"full\", \"soup\", { fraction = 0.2 }"), "{message}");
}
