//! [`AgentView`]: an agent as a tape needs it.

use crate::AgentConfig;
use crate::images::normalise;
use crate::networks::{IMAGE_NUMBERS, Networks, ObservationVars, symlog};
use environment::Observation;
use tape::{ParameterSet, Parameters, Real, Tape};

/// An agent as a tape needs it.
#[derive(Clone, Copy, Debug)]
pub struct AgentView<'a, F> {
    /// Sizes and weights.
    pub config: &'a AgentConfig,
    /// Where the networks' parameters are.
    pub networks: &'a Networks,
    /// The parameters' numbers.
    pub parameters: &'a Parameters<F>,
    /// The set whose gradients are computed.
    pub trainable: &'a ParameterSet,
}

impl<F: Real> AgentView<'_, F> {
    /// How many observations these are. Images or vectors that the agent does not observe do not count.
    ///
    /// # Panics
    /// If images and vectors are not as many, or are not there.
    pub(crate) fn count_of(&self, observations: Observation<'_>) -> usize {
        let Observation { image, vector } = observations;
        let pixels = if self.config.images { IMAGE_NUMBERS } else { 0 };
        let size = self.config.vector;
        let count = image.len().checked_div(pixels).or(vector.len().checked_div(size)).unwrap_or(0);
        assert!(pixels == 0 || image.len() == count * pixels, "images of the agent's size");
        assert!(size == 0 || vector.len() == count * size, "as many vectors, of the agent's size");
        count
    }

    /// Observations as constants on a tape.
    ///
    /// # Panics
    /// As [`AgentView::count_of`].
    pub(crate) fn observation_constants(&self, tape: &mut Tape<F>, observations: Observation<'_>) -> ObservationVars {
        let (count, size) = (self.count_of(observations), self.config.vector);
        ObservationVars {
            images: self
                .config
                .images
                .then(|| tape.constant(count, IMAGE_NUMBERS, |y| normalise(observations.image, y))),
            vectors: (size > 0).then(|| {
                let numbers = observations.vector.iter().map(|x| f64::from(*x));
                tape.constant(count, size, |y| symlog(numbers, y))
            }),
        }
    }
}
