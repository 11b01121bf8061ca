//! Small agents and plans for the tests. New test files go next to this folder, one for each action of a user.
#![allow(dead_code)]

use dreamer::{Agent, AgentConfig, Learner};
use random::Stream;
use replay::Batch;
use tape::Real;
use transfer::{Plan, Source, Sources};

/// A tiny agent whose sizes are all different.
pub fn config() -> AgentConfig {
    AgentConfig {
        depth: 2,
        stoch: 5,
        deter: 11,
        hidden: 13,
        units: 14,
        batch: 2,
        length: 4,
        horizon: 3,
        shard: 1,
        mode_samples: 4,
        ..AgentConfig::default()
    }
}

/// A new agent; biases get numbers too, so that no transfer of them can pass for another.
pub fn learner<F: Real>(config: &AgentConfig, action_size: usize, seed: u64) -> Learner<F> {
    let mut learner = Learner::new(config, action_size).unwrap();
    learner.initialise(&mut Stream::new(seed, "initialisation"));
    let parameters: Vec<_> = learner.parameters().iter().collect();
    for parameter in parameters {
        if learner.parameters().path(parameter).ends_with("bias") {
            let values = learner.parameters_mut().values_mut(parameter);
            let number = |index: usize| (seed as f64 + 1.0) * 0.01 + index as f64 * 1e-3;
            values.iter_mut().enumerate().for_each(|(index, x)| *x = F::of(number(index)));
        }
    }
    learner
}

/// Sources by name.
pub fn sources<F: Real>(named: &[(&str, &Learner<F>)]) -> Sources<F> {
    named.iter().map(|(name, learner)| ((*name).to_owned(), Source::of_learner(learner))).collect()
}

/// A preset with one source `a`.
pub fn preset(name: &str) -> Plan {
    let mut plan = Plan::find(name).unwrap();
    plan.add_source("a", "unread".as_ref()).unwrap();
    plan
}

/// A plan with these sources, and these rules below `format`.
pub fn plan(names: &[&str], rules: &str) -> Plan {
    Plan::parse(&document(names, rules), "test.toml").unwrap_or_else(|error| panic!("{error}"))
}

/// The text of [`plan`].
pub fn document(names: &[&str], rules: &str) -> String {
    let sources: String = names.iter().map(|name| format!("{name} = \"unread/{name}\"\n")).collect();
    format!("format = 1\n[sources]\n{sources}\n{rules}")
}

/// A parameter's numbers.
pub fn values<'a, F: Real>(learner: &'a Learner<F>, path: &str) -> &'a [F] {
    let parameter = learner.parameters().find(path).unwrap_or_else(|| panic!("no {path}"));
    learner.parameters().values(parameter)
}

/// Some transitions.
fn batch(action_size: usize) -> Batch {
    let (batch, length) = (config().batch, config().length);
    let mut random = Stream::new(5, "batch");
    let mut image = vec![0; batch * length * 64 * 64 * 3];
    image.iter_mut().for_each(|pixel| *pixel = (random.uniform() * 255.0) as u8);
    let action = (0..batch * length * action_size).map(|_| random.uniform() as f32).collect();
    Batch {
        batch,
        length,
        action_size,
        image,
        action,
        reward: vec![0.5; batch * length],
        discount: vec![1.0; batch * length],
        ..Batch::default()
    }
}

/// An agent after two gradient steps.
pub fn learned(mut agent: Agent) -> Agent {
    let batch = batch(agent.action_size());
    for _ in 0..2 {
        assert!(agent.learn(&batch).unwrap().not_finite().is_none());
    }
    agent
}
