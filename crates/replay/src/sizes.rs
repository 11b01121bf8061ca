//! [`Sizes`]: the parts of a transition.

use crate::{LARGEST_ACTION, LONGEST_VECTOR};
use environment::ObservationSpace;

/// The sizes of a transition's parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    /// Elements of an action, `A`.
    pub action: usize,
    /// The observations: an image, a vector `[V]`, or both.
    pub observations: ObservationSpace,
}

impl From<usize> for Sizes {
    /// An action of this size, and an image.
    fn from(action: usize) -> Self {
        Self { action, observations: ObservationSpace::IMAGE }
    }
}

impl Sizes {
    /// Bytes of one uncompressed transition, as in a batch, an [`Episode`](crate::Episode) or an uncompressed file: image, vector,
    /// action, reward and discount. In a [`Replay`](crate::Replay) images usually take much less.
    pub const fn bytes(&self) -> usize {
        self.image() + (self.vector() + self.action + 2) * size_of::<f32>()
    }

    /// Bytes of an image; 0 without images.
    pub const fn image(&self) -> usize {
        self.observations.image_bytes()
    }

    /// Numbers of a vector, `V`.
    pub const fn vector(&self) -> usize {
        self.observations.vector
    }

    /// The sizes of the largest transition that differs only in numbers.
    pub(crate) const fn largest(&self) -> Self {
        let observations = ObservationSpace { image: self.observations.image, vector: LONGEST_VECTOR };
        Self { action: LARGEST_ACTION, observations }
    }
}
