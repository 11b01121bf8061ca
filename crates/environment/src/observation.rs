//! [`Observation`]: one observation of an agent.

use crate::spaces::ObservationSpace;
use std::ops::Range;

/// An observation, or several one after the other.
///
/// A space without images has empty images, one without vectors empty vectors.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Observation<'a> {
    /// Bytes of images `[N, H, W, C]`.
    pub image: &'a [u8],
    /// Vectors `[N, V]`.
    pub vector: &'a [f32],
}

impl<'a> Observation<'a> {
    /// Some of several observations of `space`.
    ///
    /// # Panics
    /// If there are not as many.
    pub fn part(&self, space: &ObservationSpace, range: Range<usize>) -> Self {
        let (image, vector) = (space.image_bytes(), space.vector);
        Self {
            image: &self.image[range.start * image..range.end * image],
            vector: &self.vector[range.start * vector..range.end * vector],
        }
    }
}

impl<'a> From<&'a [u8]> for Observation<'a> {
    /// An image without a vector.
    fn from(image: &'a [u8]) -> Self {
        Self { image, vector: &[] }
    }
}

impl<'a> From<&'a Vec<u8>> for Observation<'a> {
    fn from(image: &'a Vec<u8>) -> Self {
        image.as_slice().into()
    }
}

impl<'a, const N: usize> From<&'a [u8; N]> for Observation<'a> {
    fn from(image: &'a [u8; N]) -> Self {
        image.as_slice().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_several_observations_has_their_images_and_vectors() {
        let space = ObservationSpace { vector: 2, ..ObservationSpace::IMAGE };
        let (image, vector) = (vec![7; 3 * space.image_bytes()], [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
        let part = Observation { image: &image, vector: &vector }.part(&space, 1..3);
        assert_eq!((part.image.len(), part.vector), (2 * space.image_bytes(), &vector[2..]));
        let vectors = ObservationSpace { image: None, vector: 2 };
        let part = Observation { image: &[], vector: &vector }.part(&vectors, 0..1);
        assert_eq!((part.image, part.vector), (&[][..], &vector[..2]));
    }
}
