//! Where everything lies in the device's memory that is copied to it or from it.

use tape::plan::Place;

/// An optimiser on the device.
#[derive(Clone, Copy, Debug)]
pub(super) struct OptimiserPlaces {
    pub first: Place,
    pub second: Place,
    /// Its number of steps, and the values over all gradients that a step needs.
    pub state: Place,
    pub gradient: Place,
}

/// Where everything is that is copied to the device or from it.
#[derive(Clone, Debug)]
pub(super) struct Places {
    pub weights: Place,
    /// Bytes of images, sequence by sequence.
    pub bytes: Place,
    /// The symmetric logarithms of vectors.
    pub vector: Place,
    pub embedding: Place,
    pub action: Place,
    pub reward: Place,
    /// Times the configuration's discount.
    pub discount: Place,
    /// 0 where an episode begins, else 1; empty unless sequences may cross from one episode into the next.
    pub kept: Place,
    /// The key of the stream of noise, then the number of updates.
    pub random: Place,
    /// A sum, or a gradient's norm, for every [`Metric`](crate::Metric).
    pub metrics: Place,
    /// Of the model, the actor, the value head.
    pub optimisers: [OptimiserPlaces; 3],
}
