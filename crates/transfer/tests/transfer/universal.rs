//! The universal feature space and the reward meta-model, from agents' files to an agent that learns.

use crate::common::{config, learned, values};
use dreamer::{Agent, AgentConfig, Learner, RewardSource, SourceStandard};
use std::path::{Path, PathBuf};
use tape::{Tape, Workspace};
use transfer::{Plan, Sources, Take, TransferError, graft, input_use, new_target, resolve, target_config};

/// Agents' files: one that saw two tasks, and two that were trained with its encoder.
struct Files {
    folder: tempfile::TempDir,
}

impl Files {
    fn new() -> Self {
        let files = Self { folder: tempfile::tempdir().unwrap() };
        let universal = learned(Agent::new(&config(), 4, 1).unwrap());
        universal.save(&files.path("uae")).unwrap();
        let plan = Plan::universal(&files.path("uae"), &[], 1).unwrap();
        for (name, seed, actions, layers) in [("hopper", 2, 3, 2), ("ant", 3, 5, 1)] {
            let base = AgentConfig { reward_layers: layers, ..config() };
            let grafted = graft(&plan, &base, actions, seed, &Sources::open(&plan).unwrap()).unwrap();
            assert!(grafted.agent.config().frozen_encoder);
            learned(grafted.agent).save(&files.path(name)).unwrap();
        }
        files
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(format!("{name}.safetensors"))
    }

    /// The plan of a target that reads these agents' reward models.
    fn plan(&self, rewards: &[&str], layers: usize) -> Plan {
        let rewards: Vec<(String, PathBuf)> =
            rewards.iter().map(|name| ((*name).to_owned(), self.path(name))).collect();
        Plan::universal(&self.path("uae"), &rewards, layers).unwrap()
    }
}

fn load(path: &Path) -> Agent {
    Agent::load(path).unwrap()
}

#[test]
fn a_frozen_encoder_stays_and_the_decoder_continues_to_learn() {
    let files = Files::new();
    let (universal, ant) = (load(&files.path("uae")), load(&files.path("ant")));
    let encoder = "world_model.encoder.h3.kernel";
    assert_eq!(values(universal.learner(), encoder), values(ant.learner(), encoder));
    let plan = files.plan(&[], 1);
    let grafted = graft(&plan, &config(), 6, 9, &Sources::open(&plan).unwrap()).unwrap();
    let decoder = "world_model.decoder.h2.kernel";
    assert_eq!(values(universal.learner(), decoder), values(grafted.agent.learner(), decoder));
    assert_ne!(values(universal.learner(), decoder), values(ant.learner(), decoder));
    let random = new_target(grafted.agent.config(), 6, 9, &Sources::open(&plan).unwrap()).unwrap();
    let dynamics = "world_model.rssm.gru.kernel";
    assert_eq!(values(random.learner(), dynamics), values(grafted.agent.learner(), dynamics));
    assert_eq!(grafted.report.totals.frozen.parts, 8);
}

/// The plan with these keys of its reward meta-model.
fn with_keys(plan: &Plan, keys: &str) -> Plan {
    Plan::parse(&plan.to_toml().replace("[meta_model]", &format!("[meta_model]\n{keys}")), "changed").unwrap()
}

/// Standards of two sources that change the predictions.
const STANDARDS: [SourceStandard; 2] = [
    SourceStandard { mean: 3.0, deviation: 0.1, varies: true },
    SourceStandard { mean: -0.5, deviation: 7.0, varies: true },
];

/// Rewards of `agent` for some features.
fn rewards(agent: &Agent) -> Vec<f32> {
    let learner = agent.learner();
    let (rows, width) = (5, learner.config().feature());
    let feature: Vec<f32> = (0..rows * width).map(|index| (index as f32 * 0.37).sin()).collect();
    let (set, mut workspace) = (learner.parameters().set(|_| false), Workspace::default());
    let mut tape = Tape::new(learner.parameters(), &set, &mut workspace);
    let feature = tape.constant(rows, width, |y| y.copy_from_slice(&feature));
    let reward = learner.networks().reward.forward(&mut tape, feature);
    tape.value(reward).to_vec()
}

#[test]
fn a_silent_meta_model_first_predicts_what_the_same_agent_without_sources_does() {
    let files = Files::new();
    let plan = files.plan(&["ant", "hopper"], 1);
    let sources = Sources::open(&plan).unwrap();
    let grafted = graft(&with_keys(&plan, "start = \"silent\""), &config(), 6, 9, &sources).unwrap();
    // The same random parameters, of an agent that has no reward sources.
    let alone = AgentConfig { reward_layers: 1, ..config() };
    let alone = graft(&files.plan(&[], 1), &alone, 6, 9, &sources).unwrap().agent;
    let same = |path: &str| values(grafted.agent.learner(), path) == values(alone.learner(), path);
    assert!(same("world_model.rssm.gru.kernel") && same("value.hout.kernel") && same("world_model.reward.hout.kernel"));
    assert_eq!(rewards(&grafted.agent), rewards(&alone));
    let loud = graft(&plan, &config(), 6, 9, &sources).unwrap().agent;
    assert_ne!(rewards(&loud), rewards(&alone));
    // Also if it reads standardised predictions, and with an L1 norm.
    let keys = "start = \"silent\"\npredictions = \"standardised\"\nl1 = 0.1";
    let mut standardised = graft(&with_keys(&plan, keys), &config(), 6, 9, &sources).unwrap().agent;
    assert_eq!(rewards(&standardised), rewards(&alone));
    standardised.learner_mut().set_source_standards(&STANDARDS);
    assert_eq!(rewards(&standardised), rewards(&alone));
    let keys = "predictions = \"standardised\"";
    let mut standardised = graft(&with_keys(&plan, keys), &config(), 6, 9, &sources).unwrap().agent;
    assert_eq!(rewards(&standardised), rewards(&loud));
    standardised.learner_mut().set_source_standards(&STANDARDS);
    assert_ne!(rewards(&standardised), rewards(&loud));
    // From the first gradient step on, it listens.
    let heard = |agent: &Agent| input_use(agent.learner()).unwrap().predictions;
    assert_eq!(heard(&grafted.agent), [0.0, 0.0]);
    assert!(grafted.report.to_string().contains("silent at first"));
    assert!(heard(&learned(grafted.agent)).iter().all(|&norm| norm > 0.0));
}

#[test]
fn a_meta_model_reads_the_sources_and_leaves_them_alone() {
    let files = Files::new();
    let plan = files.plan(&["ant", "hopper"], 1);
    let sources = Sources::open(&plan).unwrap();
    let grafted = graft(&plan, &config(), 6, 9, &sources).unwrap();
    let target = grafted.agent;
    let expected = [1, 2].map(|layers| RewardSource { layers, units: 14, ..RewardSource::default() });
    assert_eq!((target.config().reward_sources.as_slice(), target.config().reward_layers), (&expected[..], 1));
    let before: Vec<(String, Vec<f32>)> = ["ant", "hopper"]
        .iter()
        .enumerate()
        .flat_map(|(index, name)| {
            let source = load(&files.path(name));
            let parameters = source.learner().parameters();
            let reward = parameters.iter().filter(|&p| parameters.path(p).starts_with("world_model.reward."));
            let moved = reward.map(|parameter| {
                let path = parameters.path(parameter).replace("reward.", &format!("reward_sources.{index}."));
                (path, parameters.values(parameter).to_vec())
            });
            moved.collect::<Vec<_>>()
        })
        .collect();
    assert_eq!(before.len(), 4 + 6);
    let encoder = "world_model.encoder.h1.kernel";
    let kernel = values(target.learner(), "world_model.reward.h0.kernel").to_vec();
    let after = learned(target);
    for (path, expected) in &before {
        assert_eq!(values(after.learner(), path), expected, "{path}");
    }
    assert_eq!(values(after.learner(), encoder), values(load(&files.path("uae")).learner(), encoder));
    assert_ne!(values(after.learner(), "world_model.reward.h0.kernel"), kernel);
    // The report names every path and both agents.
    let part = grafted.report.parts.iter().find(|part| part.path == "world_model.reward_sources.1.h1.bias").unwrap();
    assert_eq!((part.take, part.frozen, part.from[0].source.as_str()), (Take::Full, true, "hopper"));
    assert_eq!(part.from[0].path, "world_model.reward.h1.bias");
    let table = grafted.report.to_string();
    assert!(
        table.contains("meta-model over ant, hopper") && table.contains("hopper:world_model.reward.h1.bias"),
        "{table}"
    );
    // It can be saved and read, and its use of sources can be measured.
    after.save(&files.path("target")).unwrap();
    assert_eq!(load(&files.path("target")).config(), after.config());
}

#[test]
fn use_is_the_norm_of_input_rows() {
    let files = Files::new();
    let plan = files.plan(&["ant", "hopper"], 2);
    let mut agent = graft(&plan, &config(), 6, 9, &Sources::open(&plan).unwrap()).unwrap().agent;
    assert_eq!(agent.config().reward_layers, 2);
    let learner = agent.learner_mut();
    let kernel = learner.parameters().find("world_model.reward.h0.kernel").unwrap();
    let units = config().units;
    for (row, values) in learner.parameters_mut().values_mut(kernel).chunks_exact_mut(units).enumerate() {
        // Rows of norm 1, 2, then 3 for the stochastic and 4 for the deterministic state.
        let norm = [1.0, 2.0, 3.0, 3.0, 3.0, 3.0, 3.0].get(row).copied().unwrap_or(4.0);
        values.fill(0.0);
        values[row % units] = norm;
    }
    let found = input_use(agent.learner()).unwrap();
    assert_eq!((found.predictions.as_slice(), found.stoch, found.deter), (&[1.0, 2.0][..], 3.0, 4.0));
    assert_eq!(input_use(load(&files.path("ant")).learner()), None);
}

#[test]
fn other_encoders_are_refused_unless_they_are_asked_for() {
    let files = Files::new();
    learned(Agent::new(&config(), 3, 8).unwrap()).save(&files.path("stranger")).unwrap();
    let plan = files.plan(&["ant", "stranger"], 1);
    let sources = Sources::open(&plan).unwrap();
    let message = graft(&plan, &config(), 6, 9, &sources).unwrap_err().to_string();
    for expected in
        ["\"stranger\" does not share the target's encoder", "world_model.encoder.h1.kernel", "any_encoder = true"]
    {
        assert!(message.contains(expected), "{expected}: {message}");
    }
    let asked =
        Plan::parse(&plan.to_toml().replace("[meta_model]", "[meta_model]\nany_encoder = true"), "asked").unwrap();
    let report = graft(&asked, &config(), 6, 9, &sources).unwrap().report;
    assert!(report.meta_model.unwrap().any_encoder);
}

#[test]
fn other_sizes_are_named() {
    let files = Files::new();
    for (name, other, expected) in [
        ("deep", AgentConfig { depth: 3, ..config() }, "[4, 4, 3, 3] in the source and [4, 4, 3, 2] in the target"),
        (
            "wide",
            AgentConfig { stoch: 4, deter: 12, ..config() },
            "stoch 4 and deter 12, but the target has stoch 5 and deter 11",
        ),
    ] {
        learned(Agent::new(&other, 3, 8).unwrap()).save(&files.path(name)).unwrap();
        let plan = files.plan(&["ant", name], 1);
        let message = graft(&plan, &config(), 6, 9, &Sources::open(&plan).unwrap()).unwrap_err().to_string();
        assert!(message.contains(expected) && message.contains(name), "{expected}: {message}");
    }
    let plan = files.plan(&[], 1);
    let base = AgentConfig { depth: 3, ..config() };
    let message = graft(&plan, &base, 6, 9, &Sources::open(&plan).unwrap()).unwrap_err().to_string();
    assert!(
        message.contains("world_model.encoder.h1.kernel [4, 4, 3, 3]") && message.contains("agent.depth (2 and 3)"),
        "{message}"
    );
}

#[test]
fn a_meta_model_can_be_a_source_of_a_meta_model() {
    let files = Files::new();
    let plan = files.plan(&["ant", "hopper"], 1);
    let agent = graft(&plan, &config(), 6, 9, &Sources::open(&plan).unwrap()).unwrap().agent;
    learned(agent).save(&files.path("meta")).unwrap();
    let plan = files.plan(&["ant", "meta"], 1);
    let grafted = graft(&plan, &config(), 6, 9, &Sources::open(&plan).unwrap()).unwrap();
    let (agent, meta) = (grafted.agent, load(&files.path("meta")));
    let before = agent.learner().parameters().clone();
    let moved = |path: &str| {
        let rest = path.strip_prefix("world_model.reward_sources.1.")?;
        let inner = rest.strip_prefix("sources.").map(|inner| format!("world_model.reward_sources.{inner}"));
        Some(inner.unwrap_or_else(|| format!("world_model.reward.{rest}")))
    };
    let mut compared = 0;
    for parameter in before.iter() {
        let path = before.path(parameter);
        let Some(theirs) = moved(path) else { continue };
        assert_eq!(values(agent.learner(), path), values(meta.learner(), &theirs), "{path}");
        compared += 1;
    }
    // One hidden layer, and two sources with one and two hidden layers.
    assert_eq!(compared, 4 + 4 + 6);
    // It predicts the same as the meta-model, does not change, and can be saved and read.
    let mut workspace = Workspace::default();
    let feature = |learner: &Learner<f32>, workspace: &mut Workspace<f32>, inner: bool| {
        let mut tape = Tape::new(learner.parameters(), learner.no_parameters(), workspace);
        let feature = tape.constant(3, config().feature(), |y| {
            y.iter_mut().enumerate().for_each(|(index, y)| *y = (index as f32 * 0.7).sin());
        });
        let head = &learner.networks().reward;
        let mean =
            if inner { head.source_predictions(&mut tape, feature)[1] } else { head.forward(&mut tape, feature) };
        tape.value(mean).to_vec()
    };
    let theirs = feature(meta.learner(), &mut workspace, false);
    assert_eq!(feature(agent.learner(), &mut workspace, true), theirs);
    let after = learned(agent);
    for parameter in before.iter().filter(|&one| moved(before.path(one)).is_some()) {
        assert_eq!(after.learner().parameters().values(parameter), before.values(parameter));
    }
    after.save(&files.path("again")).unwrap();
    assert_eq!(load(&files.path("again")).config(), after.config());
    assert_eq!(feature(load(&files.path("again")).learner(), &mut workspace, true), theirs);
}

#[test]
fn standards_go_with_the_agent_that_becomes_a_source() {
    let files = Files::new();
    let plan = with_keys(&files.plan(&["ant", "hopper"], 1), "predictions = \"standardised\"");
    let grafted = graft(&plan, &config(), 6, 9, &Sources::open(&plan).unwrap()).unwrap();
    // They are not a part of the transfer: no rule is about them, though one matches everything.
    assert!(grafted.report.parts.iter().all(|part| !part.path.contains(".standard.")));
    let mut agent = grafted.agent;
    agent.learner_mut().set_source_standards(&STANDARDS);
    let agent = learned(agent);
    let expected = [vec![3.0, -0.5], vec![0.1, 7.0]];
    let standards = |agent: &Agent, path: &str| {
        ["mean", "deviation"].map(|name| values(agent.learner(), &format!("{path}.standard.{name}")).to_vec())
    };
    assert_eq!(standards(&agent, "world_model.reward"), expected);
    agent.save(&files.path("meta")).unwrap();
    assert_eq!(standards(&load(&files.path("meta")), "world_model.reward"), expected);
    // Nested, one level below its own: the outer agent has standards of its own, or none.
    for (keys, own) in [("predictions = \"standardised\"", true), ("", false)] {
        let plan = with_keys(&files.plan(&["meta", "ant"], 1), keys);
        let grafted = graft(&plan, &config(), 6, 9, &Sources::open(&plan).unwrap()).unwrap();
        assert_eq!(standards(&grafted.agent, "world_model.reward_sources.0"), expected);
        assert_eq!(grafted.agent.learner().parameters().find("world_model.reward.standard.mean").is_some(), own);
        assert!(grafted.agent.config().reward_sources[0].standardised);
        let outer = learned(grafted.agent);
        assert_eq!(standards(&outer, "world_model.reward_sources.0"), expected);
        let feature: Vec<f32> = (0..config().feature()).map(|index| (index as f32 * 0.37).sin()).collect();
        let predicted = |agent: &Agent, inner: bool| {
            let (learner, mut workspace) = (agent.learner(), Workspace::default());
            let mut tape = Tape::new(learner.parameters(), learner.no_parameters(), &mut workspace);
            let feature = tape.constant(1, feature.len(), |y| y.copy_from_slice(&feature));
            let reward = &learner.networks().reward;
            let mean = if inner {
                reward.source_predictions(&mut tape, feature)[0]
            } else {
                reward.forward(&mut tape, feature)
            };
            tape.scalar(mean)
        };
        assert_eq!(predicted(&outer, true), predicted(&agent, false));
    }
}

#[test]
fn the_dynamics_of_the_universal_agent_can_be_a_start_for_sources_and_targets() {
    let files = Files::new();
    let (mut plan, universal) = (Plan::find("universal-dynamics").unwrap(), load(&files.path("uae")));
    plan.add_source("universal", &files.path("uae")).unwrap();
    let sources = Sources::open(&plan).unwrap();
    let agent = graft(&plan, &config(), 6, 9, &sources).unwrap().agent;
    let random = new_target(agent.config(), 6, 9, &sources).unwrap();
    let parameters = agent.learner().parameters();
    assert!(agent.config().frozen_encoder);
    for parameter in parameters.iter() {
        let path = parameters.path(parameter);
        let ours = parameters.values(parameter);
        if path == "world_model.rssm.img1.kernel" {
            let latent = config().stoch * config().hidden;
            assert_eq!(ours[..latent], values(universal.learner(), path)[..latent]);
            assert_eq!(ours[latent..], values(random.learner(), path)[latent..]);
        } else if ["world_model.encoder.", "world_model.decoder.", "world_model.rssm."]
            .iter()
            .any(|start| path.starts_with(start))
        {
            assert_eq!(ours, values(universal.learner(), path), "{path}");
        } else {
            assert_eq!(ours, values(random.learner(), path), "{path}");
        }
    }
    // They continue to learn.
    let dynamics = "world_model.rssm.gru.kernel";
    assert_ne!(values(learned(agent).learner(), dynamics), values(universal.learner(), dynamics));
}

#[test]
fn an_encoder_that_is_not_frozen_is_refused() {
    let files = Files::new();
    let plan = files.plan(&["ant"], 1);
    let sources = Sources::open(&plan).unwrap();
    let loose = Plan::parse(&plan.to_toml().replace("frozen = true", ""), "loose").unwrap();
    let message = graft(&loose, &config(), 6, 9, &sources).unwrap_err().to_string();
    assert!(message.contains("is not frozen") && message.contains("[meta_model] of loose"), "{message}");
}

#[test]
fn the_target_must_be_made_for_the_meta_model() {
    let files = Files::new();
    let plan = files.plan(&["ant"], 1);
    let sources = Sources::open(&plan).unwrap();
    let plain = Learner::new(&config(), 6).unwrap();
    let message = resolve(&plan, &plain, &sources).unwrap_err().to_string();
    assert!(message.contains("agent.reward_sources has 0 models, but the plan needs 1"), "{message}");
    let right = target_config(&plan, &config(), &sources).unwrap();
    assert_eq!(target_config(&plan, &right, &sources).unwrap(), right);
    let deeper = Learner::new(&AgentConfig { reward_layers: 3, ..right.clone() }, 6).unwrap();
    let message = resolve(&plan, &deeper, &sources).unwrap_err().to_string();
    assert!(message.contains("agent.reward_layers is 3"), "{message}");
    let weighted = Learner::new(&AgentConfig { reward_sources_l1: 0.5, ..right.clone() }, 6).unwrap();
    let message = resolve(&plan, &weighted, &sources).unwrap_err().to_string();
    assert!(message.contains("agent.reward_sources_l1 is 0.5, but the plan needs 0"), "{message}");
    let taken = AgentConfig {
        reward_sources: vec![RewardSource { layers: 3, units: 3, ..RewardSource::default() }],
        ..config()
    };
    assert!(matches!(target_config(&plan, &taken, &sources), Err(TransferError::DoubleMetaModel { .. })));
}

#[test]
fn rows_of_predictions_can_stay_random() {
    // A plain agent's reward model as the start of a meta-model: rows that read the latent state are transferred, rows
    // that read predictions are not.
    let files = Files::new();
    let base = files.plan(&["ant"], 2).to_toml();
    let rule =
        "[[rule]]\nmatch = \"world_model.reward.h0.kernel\"\nrows = \"latent\"\ntake = \"full\"\nsource = \"hopper\"\n";
    let (top, rules) = base.split_once("[[rule]]").unwrap();
    let source =
        format!("[sources.hopper]\npath = \"{}\"\nsha256 = \"{}\"\n", files.path("hopper").display(), "0".repeat(64));
    let text = format!("{top}{source}{rule}[[rule]]{rules}");
    let pinned = Plan::parse(&text, "pinned").unwrap();
    let message = Sources::open(&pinned).unwrap_err().to_string();
    assert!(message.contains("SHA-256") && message.contains(&"0".repeat(64)), "{message}");
    let mut at = pinned.sources().clone();
    at.get_mut("hopper").unwrap().sha256 = None;
    let plan = pinned.with_sources(at).unwrap();
    let grafted = graft(&plan, &config(), 6, 9, &Sources::open(&plan).unwrap()).unwrap();
    let kernel = values(grafted.agent.learner(), "world_model.reward.h0.kernel");
    let random = new_target(grafted.agent.config(), 6, 9, &Sources::open(&plan).unwrap()).unwrap();
    let units = config().units;
    assert_eq!(kernel[..units], values(random.learner(), "world_model.reward.h0.kernel")[..units]);
    assert_eq!(kernel[units..], *values(load(&files.path("hopper")).learner(), "world_model.reward.h0.kernel"));
}
