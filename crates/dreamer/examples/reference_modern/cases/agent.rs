//! Agents with the weights of a case, for networks that are computed as an agent has them.

use super::case::{Case, Results};
use dreamer::{AgentConfig, Learner};
use tape::{Gradients, Parameter};

/// An agent, and the names of those of its parameters that a case has.
pub struct Named {
    pub learner: Learner<f64>,
    pub names: Vec<(Parameter, String)>,
}

impl Named {
    /// An agent with the case's weights: pairs of a path in the agent, and the name in the case.
    pub fn new(
        case: &Case,
        config: &AgentConfig,
        action_size: usize,
        names: Vec<(String, String)>,
    ) -> Result<Self, String> {
        let mut learner = Learner::<f64>::new(config, action_size).map_err(|error| error.to_string())?;
        let names = names
            .into_iter()
            .map(|(own, theirs)| {
                let parameter = learner.parameters().find(&own).ok_or_else(|| format!("the agent has no {own}"))?;
                let (shape, ours) = (case.shape(&format!("w/{theirs}"))?, learner.parameters().shape(parameter));
                if shape != ours {
                    return Err(format!("{theirs} is {shape:?}, and this agent's is {ours:?}"));
                }
                let numbers = case.numbers(&format!("w/{theirs}"))?;
                learner.parameters_mut().values_mut(parameter).copy_from_slice(numbers);
                Ok((parameter, theirs))
            })
            .collect::<Result<Vec<_>, String>>()?;
        Ok(Self { learner, names })
    }

    /// Adds the gradients of the named parameters that are in the set, as `grad/NAME`.
    pub fn put_gradients(&self, results: &mut Results, gradients: &mut Gradients<f64>) {
        gradients.finish();
        for (parameter, name) in &self.names {
            if let Some(gradient) = gradients.of(*parameter) {
                results.put(format!("grad/{name}"), self.learner.parameters().shape(*parameter), gradient);
            }
        }
    }
}
