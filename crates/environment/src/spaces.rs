//! The spaces of observations and actions.

use crate::options::Observe;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Side of the images that agents of this version observe, in pixels.
pub const IMAGE_SIDE: usize = 64;

/// Bytes of such an image: `[64, 64, 3]`, RGB, rows from the top.
pub const IMAGE_BYTES: usize = ImageSpace::STANDARD.bytes();

/// The observations of an agent: an image, a vector, or both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ObservationSpace {
    /// The image; `None` if the environment shows none.
    pub image: Option<ImageSpace>,
    /// Numbers in the vector; 0 if there is none.
    pub vector: usize,
}

impl ObservationSpace {
    /// An image of the standard shape, and no vector.
    pub const IMAGE: Self = Self { image: Some(ImageSpace::STANDARD), vector: 0 };

    /// The part of this space that `observe` asks for.
    pub const fn observed(&self, observe: Observe) -> Self {
        match observe {
            Observe::Image => Self { image: self.image, vector: 0 },
            Observe::Vector => Self { image: None, vector: self.vector },
            Observe::Both => *self,
        }
    }

    /// Bytes of the image; 0 without one.
    pub const fn image_bytes(&self) -> usize {
        match &self.image {
            Some(image) => image.bytes(),
            None => 0,
        }
    }
}

impl fmt::Display for ObservationSpace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.image, self.vector) {
            (Some(_), 0) => f.write_str("images"),
            (None, size) => write!(f, "vectors of {size} numbers"),
            (Some(_), size) => write!(f, "images and vectors of {size} numbers"),
        }
    }
}

/// Observations that are images: `[height, width, channels]` bytes, rows from the top.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImageSpace {
    /// Rows.
    pub height: usize,
    /// Pixels in a row.
    pub width: usize,
    /// Bytes of a pixel.
    pub channels: usize,
}

impl ImageSpace {
    /// `[64, 64, 3]`, RGB: the only images that the networks and the replay memory of this version accept.
    pub const STANDARD: Self = Self { height: IMAGE_SIDE, width: IMAGE_SIDE, channels: 3 };

    /// Bytes of an image.
    pub const fn bytes(&self) -> usize {
        self.height * self.width * self.channels
    }
}

/// The actions of an agent: `[size]` numbers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ActionSpace {
    /// Elements of an action as an agent makes it.
    pub size: usize,
    /// The meaning of the elements.
    pub kind: ActionKind,
}

/// The meaning of the elements of an action.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum ActionKind {
    /// Each is a number from -1 to 1, which the environment stretches to its own units.
    Continuous {
        /// The value of -1 in the environment's own units, for each element.
        low: Vec<f64>,
        /// The value of 1.
        high: Vec<f64>,
    },
    /// Each stands for a choice: the largest element, the first of equal ones, is chosen.
    Discrete {
        /// The first choice in the environment's own units; the others follow it.
        first: i64,
    },
}

impl ActionSpace {
    /// `size` numbers from -1 to 1, which are the environment's own units too.
    pub fn continuous(size: usize) -> Self {
        Self { size, kind: ActionKind::Continuous { low: vec![-1.0; size], high: vec![1.0; size] } }
    }

    /// One of `size` choices, of which the first is `first` in the environment's own units.
    pub const fn discrete(size: usize, first: i64) -> Self {
        Self { size, kind: ActionKind::Discrete { first } }
    }

    /// Whether an action is one of several choices.
    pub const fn is_discrete(&self) -> bool {
        matches!(self.kind, ActionKind::Discrete { .. })
    }

    /// The same actions with more elements, whose values mean nothing.
    pub fn padded(&self, size: usize) -> Self {
        let mut padded = Self { size, ..self.clone() };
        if let ActionKind::Continuous { low, high } = &mut padded.kind {
            low.resize(size, -1.0);
            high.resize(size, 1.0);
        }
        padded
    }

    /// The choice that an action of a discrete space stands for: its largest element, the first of equal ones.
    pub fn choice(action: &[f32]) -> usize {
        (1..action.len()).fold(0, |best, index| if action[index] > action[best] { index } else { best })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_element_is_chosen_and_the_first_of_equal_ones() {
        for (action, choice) in
            [(&[0.0f32][..], 0), (&[0.0, 0.0], 0), (&[-1.0, 0.5, 0.2], 1), (&[0.0, 1.0, 1.0], 1), (&[0.0, 0.0, 1.0], 2)]
        {
            assert_eq!(ActionSpace::choice(action), choice, "{action:?}");
        }
    }

    #[test]
    fn a_padded_space_keeps_its_own_bounds() {
        let own = ActionSpace { size: 1, kind: ActionKind::Continuous { low: vec![-2.0], high: vec![3.0] } };
        let kind = ActionKind::Continuous { low: vec![-2.0, -1.0], high: vec![3.0, 1.0] };
        assert_eq!(own.padded(2), ActionSpace { size: 2, kind });
        assert_eq!(ActionSpace::discrete(2, 1).padded(4), ActionSpace::discrete(4, 1));
    }
}
