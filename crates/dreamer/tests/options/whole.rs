//! What the golden cases of whole agents have in common: an agent with a case's weights, range of returns and moments,
//! a gradient step on its batch and noise, and the comparison of losses, gradients and the step with its results.

use crate::Case;
use dreamer::{AgentConfig, BatchView, Learner, Metric, Noise, Optimisers, StepMetrics};
use serde_json::Value;
use tape::Parameter;

/// A parameter's numbers in a case, below a name such as `in/w`, in the order that the agent has them.
type Numbers = fn(&Case, &Learner<f64>, Parameter, &str) -> Vec<f64>;

/// A case of a whole agent.
pub struct Whole<'a> {
    pub case: Case<'a>,
    pub numbers: Numbers,
    /// The case's names of the optimisers' first and second moments.
    pub moments: [&'a str; 2],
}

impl Whole<'_> {
    /// An agent as it is before the step.
    pub fn learner(&self, all: &Value, config: &AgentConfig) -> Learner<f64> {
        let Self { case, numbers, moments } = self;
        let sizes = &all[case.name];
        let mut learner = Learner::<f64>::new(config, sizes["action"].as_u64().unwrap() as usize).unwrap();
        for parameter in learner.parameters().iter() {
            let values = match learner.parameters().path(parameter) {
                "return_range.bounds" => vec![case.numbers("in/return_low")[0], case.numbers("in/return_high")[0]],
                _ => numbers(case, &learner, parameter, "in/w"),
            };
            learner.parameters_mut().values_mut(parameter).copy_from_slice(&values);
        }
        let Optimisers { model, actor, value } = learner.optimisers();
        let before = [model, actor, value].map(|optimiser| {
            moments.map(|kind| -> Vec<f64> {
                optimiser.set().iter().flat_map(|parameter| numbers(case, &learner, parameter, kind)).collect()
            })
        });
        let steps = sizes["opt_step"].as_u64().unwrap() - 1;
        let Optimisers { model, actor, value } = learner.optimisers_mut();
        for (optimiser, [first, second]) in [model, actor, value].into_iter().zip(&before) {
            let (ours, theirs) = optimiser.moments_mut();
            ours.copy_from_slice(first);
            theirs.copy_from_slice(second);
            optimiser.set_updates(steps);
        }
        learner
    }

    /// One gradient step on the case's batch and noise.
    pub fn step(&self, learner: &mut Learner<f64>) -> StepMetrics {
        let case = &self.case;
        let config = learner.config().clone();
        let image: Vec<u8> = case.numbers("in/image_u8").iter().map(|&x| x as u8).collect();
        // The case's agent divides actions beyond [-1, 1] by their absolute values.
        let action: Vec<f64> = case.numbers("in/action").iter().map(|x| x / x.abs().max(1.0)).collect();
        let discount: Vec<f64> = case.numbers("in/is_terminal").iter().map(|terminal| 1.0 - terminal).collect();
        let batch = BatchView {
            image: &image,
            vector: &[],
            action: &action,
            reward: case.numbers("in/reward"),
            discount: &discount,
            first: case.numbers("in/is_first"),
            start: &self.start(&config),
            embedding: &[],
        };
        // DreamerV3 draws an action after the last imagined state, too, and does not use it.
        let (actions, rollouts) = (learner.action_size(), config.batch * config.length);
        let drawn = &case.numbers("in/noise/act")[..config.horizon * rollouts * actions];
        let noise = Noise {
            posterior: case.numbers("in/noise/post").to_vec(),
            action: by_step(drawn, &config, actions),
            prior: by_step(case.numbers("in/noise/img"), &config, config.state_size()),
            start: Vec::new(),
        };
        learner.step(batch, &|_, out| out.clone_from(&noise)).unwrap()
    }

    /// The states that the sequences begin from, if the case has any.
    fn start(&self, config: &AgentConfig) -> Vec<f64> {
        let case = &self.case;
        if !case.has("in/carry/stoch") {
            return Vec::new();
        }
        let first = case.numbers("in/is_first").iter().step_by(config.length);
        assert!(first.copied().any(|first| first == 0.0), "a sequence that starts from its state");
        let states = case.numbers("in/carry/stoch").chunks_exact(config.state_size());
        let states = states.zip(case.numbers("in/carry/deter").chunks_exact(config.deter));
        states.flat_map(|(stoch, deter)| [stoch, deter].concat()).collect()
    }

    /// The mean of a result.
    pub fn mean(&self, name: &str) -> f64 {
        mean(self.case.numbers(&format!("out/{name}")))
    }

    /// The actor's loss as it is reported, without the entropy's part: the weights of all states but the last, times
    /// entropies.
    pub fn policy(&self, config: &AgentConfig, loss: &str) -> f64 {
        let (steps, entropy) = (config.horizon, self.case.numbers("out/imag/entropy"));
        let weights = self.case.numbers("out/imag/weight").chunks_exact(steps + 1).flat_map(|row| &row[..steps]);
        let weighted: Vec<f64> = weights.zip(entropy).map(|(weight, entropy)| weight * entropy).collect();
        self.mean(loss) + config.actor_entropy * mean(&weighted)
    }

    /// Compares metrics with these losses, and every gradient and the step with the case's.
    pub fn compare(&self, learner: &Learner<f64>, metrics: &StepMetrics, losses: &[(Metric, f64)]) {
        for &(metric, expected) in losses {
            let found = metrics[metric];
            assert!((found - expected).abs() < 1e-12 * expected.abs(), "{}: {found} {expected}", metric.name());
        }
        let (model, behaviour) = learner.last_gradients();
        let mut numbers = 0;
        for parameter in learner.parameters().iter() {
            let path = learner.parameters().path(parameter);
            if let Some(found) = model.of(parameter).or(behaviour.of(parameter)) {
                let expected = (self.numbers)(&self.case, learner, parameter, "out/grad");
                let largest = expected.iter().fold(1e-300_f64, |most, x| most.max(x.abs()));
                for (found, expected) in found.iter().zip(&expected) {
                    let error = (found - expected).abs() / largest;
                    assert!(error < 1e-12, "the gradient of {path} is off by {error:e}");
                }
                numbers += found.len();
            }
            self.compare_step(learner, parameter);
        }
        // None of the case's gradients is left out.
        assert_eq!(numbers, self.case.count("out/grad/"));
    }

    /// Compares the step of a parameter, not its value, which would hide the step.
    fn compare_step(&self, learner: &Learner<f64>, parameter: Parameter) {
        let (now, path) = (learner.parameters().values(parameter), learner.parameters().path(parameter));
        if path == "return_range.bounds" {
            self.case.compare("return_low", &now[..1]);
            self.case.compare("return_high", &now[1..]);
            return;
        }
        let [before, after] = ["in/w", "out/step"].map(|kind| (self.numbers)(&self.case, learner, parameter, kind));
        let largest = after.iter().zip(&before).map(|(after, before)| (after - before).abs()).fold(1e-300, f64::max);
        for ((now, after), before) in now.iter().zip(&after).zip(&before) {
            let error = ((now - before) - (after - before)).abs() / largest;
            assert!(error < 1e-9, "the step of {path} is off by {error:e}");
        }
    }
}

/// Numbers of rollouts [H, B L, size], numbered sequence by sequence, as ours, which are numbered step by step.
fn by_step(numbers: &[f64], config: &AgentConfig, size: usize) -> Vec<f64> {
    let (batch, length) = (config.batch, config.length);
    let rows = batch * length;
    let ours = (0..numbers.len() / size).flat_map(|row| {
        let (step, row) = (row / rows, row % rows);
        &numbers[(step * rows + (row % batch) * length + row / batch) * size..][..size]
    });
    ours.copied().collect()
}

fn mean(numbers: &[f64]) -> f64 {
    numbers.iter().sum::<f64>() / numbers.len() as f64
}
