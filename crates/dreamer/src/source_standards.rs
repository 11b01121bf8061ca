//! Measuring mean and deviation of the predictions of a reward meta-model's sources, by which they are standardised.
//!
//! Not here: when they are measured, and on which episodes (the run).

use crate::agent::Agent;
use crate::filtered::with_filtered;
use crate::learner::Learner;
use crate::{AgentConfig, DreamerError};
use environment::Observation;
use rayon::prelude::*;
use replay::CompressedEpisode;
use tape::Real;

/// Predictions vary if their deviation is more than this share of their mean's size: less is the rounding of single
/// precision.
const LEAST_SHARE: f64 = 1e-6;

/// The constants by which the predictions of a source are standardised.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SourceStandard {
    /// The mean of the predictions; 0 if it is not finite.
    pub mean: f64,
    /// Their standard deviation; 1 if they do not vary, or it is not finite.
    pub deviation: f64,
    /// Whether they vary, and are finite.
    pub varies: bool,
}

impl SourceStandard {
    /// Of these predictions.
    pub fn of(predictions: &[f64]) -> Self {
        let count = predictions.len() as f64;
        let mean = predictions.iter().sum::<f64>() / count;
        let deviation = (predictions.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / count).sqrt();
        let finite = mean.is_finite() && deviation.is_finite();
        let varies = finite && deviation > (LEAST_SHARE * mean.abs()).max(f64::from(f32::MIN_POSITIVE));
        Self { mean: if finite { mean } else { 0.0 }, deviation: if varies { deviation } else { 1.0 }, varies }
    }
}

impl<F: Real> Learner<F> {
    /// The predictions of each source of the reward meta-model in the states (means of the posterior) of one sequence:
    /// T observations and the actions that led to them [T, A]. Empty if the reward model has no sources.
    ///
    /// # Panics
    /// If observations and actions have different lengths, or there are none.
    pub fn source_predictions(&self, observations: Observation<'_>, actions: &[F]) -> Vec<Vec<f64>> {
        let reward = &self.networks().reward;
        with_filtered(self.constant_view(), observations, actions, |tape, observed| {
            let predictions = reward.source_predictions(tape, observed.feature);
            predictions.iter().map(|&one| tape.value(one).iter().map(|x| x.to_f64()).collect()).collect()
        })
    }

    /// Standardises the predictions of the sources by these from now on.
    ///
    /// # Panics
    /// If the configuration does not standardise them, or there are not as many as sources.
    pub fn set_source_standards(&mut self, standards: &[SourceStandard]) {
        let standard = self.networks().reward.standard().expect("a reward model that standardises its sources");
        let of: [fn(&SourceStandard) -> f64; 2] = [|one| one.mean, |one| one.deviation];
        for (parameter, of) in [standard.mean, standard.deviation].into_iter().zip(of) {
            let values = self.parameters_mut().values_mut(parameter);
            assert_eq!(values.len(), standards.len(), "a standard for every source");
            values.iter_mut().zip(standards).for_each(|(value, standard)| *value = F::of(of(standard)));
        }
    }
}

impl Agent {
    /// Measures mean and deviation of each source's predictions over all states of these episodes, and standardises by
    /// them from now on. Episodes are filtered on the threads of the current rayon pool; the result does not depend on
    /// how many there are. Nothing if the configuration does not standardise.
    ///
    /// # Errors
    /// [`DreamerError::Machine`] if the device that the agent learns on fails.
    ///
    /// # Panics
    /// If an episode does not fit the agent, or in debug builds if the device has unsynced steps.
    pub fn standardise_sources(
        &mut self,
        episodes: &[&CompressedEpisode],
    ) -> Result<Vec<SourceStandard>, DreamerError> {
        let AgentConfig { reward_sources_standardised: true, reward_sources, .. } = self.config() else {
            return Ok(Vec::new());
        };
        debug_assert!(!self.has_unsynced_steps(), "an agent is synced from its device before its sources are measured");
        let (sources, learner) = (reward_sources.len(), &self.learner);
        let of_episodes: Vec<Vec<Vec<f64>>> = episodes
            .par_iter()
            .map(|episode| {
                let episode = episode.decompress();
                learner.source_predictions(episode.observations(), episode.action())
            })
            .collect();
        let of_source = |source: usize| of_episodes.iter().flat_map(move |episode| &episode[source]).copied();
        let standards: Vec<SourceStandard> =
            (0..sources).map(|source| SourceStandard::of(&of_source(source).collect::<Vec<_>>())).collect();
        self.learner.set_source_standards(&standards);
        if let Some(device) = &mut self.device {
            device.write_parameters(&self.learner)?;
        }
        Ok(standards)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn predictions_that_do_not_vary_are_only_centred() {
        let standard = SourceStandard::of(&[1.0, 2.0, 3.0, 6.0]);
        assert_eq!(standard, SourceStandard { mean: 3.0, deviation: 3.5_f64.sqrt(), varies: true });
        assert_eq!(SourceStandard::of(&[4.0; 3]), SourceStandard { mean: 4.0, deviation: 1.0, varies: false });
        // The last digit of single precision.
        let rounding = SourceStandard::of(&[100.0, f64::from(100.0_f32.next_up())]);
        assert_eq!((rounding.deviation, rounding.varies), (1.0, false));
        assert!(SourceStandard::of(&[0.0, 1e-5]).varies);
        for none in [&[][..], &[1.0, f64::NAN], &[1.0, f64::INFINITY]] {
            assert_eq!(SourceStandard::of(none), SourceStandard { mean: 0.0, deviation: 1.0, varies: false });
        }
    }
}
