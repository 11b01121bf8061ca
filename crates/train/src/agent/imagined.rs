//! The frames that an agent imagines while an episode is played, to be shown next to the real ones.
//!
//! Here: [`Imagined`]. Not here: how a world model predicts (`dreamer`), and the open-loop plot of evaluations (`run::images`).

use crate::agent::Actor;
use crate::streams;
use replay::{Episode, IMAGE_BYTES, IMAGE_SIDE};

/// Observations that the agent is shown before it imagines.
const SHOWN: usize = 5;

/// Steps after which it is shown observations again.
const PERIOD: usize = 50;

/// The frame of an image that the agent was shown, and of one that it imagined: red, green and blue.
const FRAMES: [[u8; 3]; 2] = [[60, 160, 60], [220, 60, 40]];

/// The width of this frame in pixels.
const FRAME: usize = 2;

/// White columns between the two images.
const GAP: usize = 4;

/// The images that an agent imagined in an episode. Every 50 steps it is shown five observations, without a memory of those
/// before; it imagines the following 45 images from the actions alone.
#[derive(Clone, Debug, PartialEq)]
pub struct Imagined {
    /// `[T, 64, 64, 3]`.
    images: Vec<u8>,
}

impl Imagined {
    /// The width of an image of [`Imagined::next_to`].
    pub(crate) const WIDTH: usize = 2 * IMAGE_SIDE + GAP;

    /// The images that `agent` imagines in an episode with images. `seed` is that of the imagined states.
    pub(crate) fn of(agent: &impl Actor, episode: &Episode, seed: u64) -> Self {
        let (observations, size) = (&episode.sizes().observations, episode.action_size());
        let mut images = Vec::with_capacity(episode.image().len());
        for from in (0..episode.len()).step_by(PERIOD) {
            let to = episode.len().min(from + PERIOD);
            let seen = episode.observations().part(observations, from..to);
            let actions = &episode.action()[from * size..to * size];
            let mut random = streams::imagined(seed, from as u64);
            images.extend(agent.open_loop(seen, actions, SHOWN.min(to - from), &mut random));
        }
        Self { images }
    }

    /// Images `[T, 64, WIDTH, 3]`: the real ones on the left, the imagined ones on the right. The right one has a green
    /// frame while the agent is shown observations, and a red one while it imagines.
    pub(crate) fn next_to(&self, episode: &Episode) -> Vec<u8> {
        let mut both = Vec::with_capacity(episode.len() * IMAGE_SIDE * Self::WIDTH * 3);
        let images = episode.image().chunks_exact(IMAGE_BYTES).zip(self.images.chunks_exact(IMAGE_BYTES));
        for (step, (real, imagined)) in images.enumerate() {
            let colour = FRAMES[usize::from(step % PERIOD >= SHOWN)];
            let rows = real.chunks_exact(IMAGE_SIDE * 3).zip(imagined.chunks_exact(IMAGE_SIDE * 3));
            for (y, (real, imagined)) in rows.enumerate() {
                both.extend_from_slice(real);
                both.extend_from_slice(&[255; GAP * 3]);
                for (x, pixel) in imagined.chunks_exact(3).enumerate() {
                    let on_frame = [x, y].iter().any(|place| (*place).min(IMAGE_SIDE - 1 - place) < FRAME);
                    both.extend_from_slice(if on_frame { &colour } else { pixel });
                }
            }
        }
        both
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_happened_is_on_the_left_and_what_was_imagined_on_the_right_in_a_frame() {
        let length = PERIOD + 1;
        let image = vec![10; length * IMAGE_BYTES];
        let numbers = vec![0.0; length];
        let episode = Episode::new("hopper", 1, image, numbers.clone(), numbers.clone(), vec![1.0; length]).unwrap();
        let both = Imagined { images: vec![20; length * IMAGE_BYTES] }.next_to(&episode);
        assert_eq!(both.len(), length * IMAGE_SIDE * Imagined::WIDTH * 3);
        let pixel = |step: usize, y: usize, x: usize| &both[((step * IMAGE_SIDE + y) * Imagined::WIDTH + x) * 3..][..3];
        let (left, right) = (IMAGE_SIDE - 1, IMAGE_SIDE + GAP);
        for (step, colour) in
            [(0, [60, 160, 60]), (4, [60, 160, 60]), (5, [220, 60, 40]), (49, [220, 60, 40]), (50, [60, 160, 60])]
        {
            assert_eq!(pixel(step, 30, left), [10; 3]);
            assert_eq!(pixel(step, 30, right - 1), [255; 3]);
            assert_eq!((pixel(step, 30, right), pixel(step, 0, right + 30)), (&colour[..], &colour[..]));
            assert_eq!(pixel(step, 30, right + FRAME), [20; 3]);
        }
    }
}
