//! Collecting an episode, transition by transition.
//!
//! Here: the growing arrays and the check of each push. Not here: environments.

use crate::episode::{check_header, check_transition};
use crate::error::EpisodeError;
use crate::{Episode, IMAGE_BYTES};

/// An episode while it is being collected.
///
/// A push that is refused leaves the builder as it was.
#[derive(Clone, Debug)]
pub struct EpisodeBuilder {
    episode: Episode,
}

impl EpisodeBuilder {
    /// Starts with the image after the reset, `[64, 64, 3]`.
    ///
    /// # Errors
    /// If the task's name, the action size or the image's size cannot be.
    pub fn new(task: &str, action_size: usize, image: &[u8]) -> Result<Self, EpisodeError> {
        check_header(task, action_size)?;
        check_image(0, image)?;
        Ok(Self {
            episode: Episode {
                task: task.to_owned(),
                action_size,
                image: image.to_vec(),
                action: vec![0.0; action_size],
                reward: vec![0.0],
                discount: vec![1.0],
            },
        })
    }

    /// Adds one agent step: the action, and the reward, discount and image that it led to.
    ///
    /// # Errors
    /// If a size is wrong, a number is not finite, the discount is outside 0 to 1, or the last transition was terminal.
    pub fn push(&mut self, action: &[f32], reward: f32, discount: f32, image: &[u8]) -> Result<(), EpisodeError> {
        let episode = &mut self.episode;
        let t = episode.len();
        if action.len() != episode.action_size {
            let (expected, found) = (episode.action_size, action.len());
            return Err(EpisodeError::StepSize { array: "action", transition: t, expected, found });
        }
        check_image(t, image)?;
        check_transition(t, action, reward, discount)?;
        if episode.discount[t - 1] == 0.0 {
            return Err(EpisodeError::AfterTheEnd { transition: t });
        }
        episode.image.extend_from_slice(image);
        episode.action.extend_from_slice(action);
        episode.reward.push(reward);
        episode.discount.push(discount);
        Ok(())
    }

    /// Transitions so far, the reset included.
    #[expect(clippy::len_without_is_empty, reason = "a builder holds at least the reset")]
    pub fn len(&self) -> usize {
        self.episode.len()
    }

    /// The last image, `[64, 64, 3]`.
    pub fn last_image(&self) -> &[u8] {
        &self.episode.image[self.episode.image.len() - IMAGE_BYTES..]
    }

    /// The finished episode, its memory cut to size.
    ///
    /// # Errors
    /// If no step was pushed after the reset.
    pub fn finish(self) -> Result<Episode, EpisodeError> {
        let mut episode = self.episode;
        if episode.len() < 2 {
            return Err(EpisodeError::TooShort { transitions: episode.len() });
        }
        episode.image.shrink_to_fit();
        episode.action.shrink_to_fit();
        episode.reward.shrink_to_fit();
        episode.discount.shrink_to_fit();
        Ok(episode)
    }
}

fn check_image(t: usize, image: &[u8]) -> Result<(), EpisodeError> {
    if image.len() == IMAGE_BYTES {
        return Ok(());
    }
    Err(EpisodeError::StepSize { array: "image", transition: t, expected: IMAGE_BYTES, found: image.len() })
}

#[cfg(test)]
mod tests {
    use super::*;

    const IMAGE: [u8; IMAGE_BYTES] = [7; IMAGE_BYTES];

    #[test]
    fn an_episode_is_built_step_by_step() {
        let mut builder = EpisodeBuilder::new("hopper", 2, &IMAGE).unwrap();
        builder.push(&[0.5, -1.0], 2.5, 1.0, &[8; IMAGE_BYTES]).unwrap();
        builder.push(&[0.25, 1.0], -1.0, 0.0, &[9; IMAGE_BYTES]).unwrap();
        assert_eq!(builder.last_image(), [9; IMAGE_BYTES]);
        let episode = builder.finish().unwrap();
        assert_eq!((episode.task(), episode.len(), episode.action_size()), ("hopper", 3, 2));
        assert_eq!(episode.action(), [0.0, 0.0, 0.5, -1.0, 0.25, 1.0]);
        assert_eq!(episode.reward(), [0.0, 2.5, -1.0]);
        assert_eq!(episode.discount(), [1.0, 1.0, 0.0]);
        assert_eq!([0, 1, 2].map(|t| episode.image()[t * IMAGE_BYTES]), [7, 8, 9]);
        assert_eq!(episode.score(), 1.5);
        assert_eq!(episode.bytes(), 3 * (12288 + 8 + 8));
        let Episode { task, action_size, image, action, reward, discount } = episode.clone();
        assert_eq!(Episode::new(&task, action_size, image, action, reward, discount).unwrap(), episode);
    }

    #[test]
    fn a_refused_push_gives_the_reason_and_changes_nothing() {
        let mut builder = EpisodeBuilder::new("ant", 1, &IMAGE).unwrap();
        type Push<'a> = (&'a [f32], f32, f32, &'a [u8], &'a str);
        let wrong: [Push; 7] = [
            (&[0.0, 0.0], 0.0, 1.0, &IMAGE, "action has 2 values instead of 1"),
            (&[0.0], 0.0, 1.0, &IMAGE[1..], "image has 12287 values instead of 12288"),
            (&[f32::NAN], 0.0, 1.0, &IMAGE, "action at transition 1 is NaN"),
            (&[0.0], f32::INFINITY, 1.0, &IMAGE, "reward at transition 1 is inf"),
            (&[0.0], 0.0, 1.5, &IMAGE, "discount at transition 1 is 1.5"),
            (&[0.0], 0.0, -0.5, &IMAGE, "discount at transition 1 is -0.5"),
            (&[0.0], 0.0, f32::NAN, &IMAGE, "discount at transition 1 is NaN"),
        ];
        for (action, reward, discount, image, message) in wrong {
            let error = builder.push(action, reward, discount, image).unwrap_err().to_string();
            assert!(error.contains(message), "{error:?} does not contain {message:?}");
            assert_eq!(builder.len(), 1);
        }
        assert_eq!(builder.clone().finish().unwrap_err(), EpisodeError::TooShort { transitions: 1 });
        builder.push(&[0.0], 0.0, 0.0, &IMAGE).unwrap();
        let after = builder.push(&[0.0], 0.0, 1.0, &IMAGE).unwrap_err();
        assert_eq!(after, EpisodeError::AfterTheEnd { transition: 2 });
    }

    #[test]
    fn names_and_action_sizes_that_cannot_be_are_refused() {
        for (task, action_size) in [("", 1), ("a\nb", 1), (&*"x".repeat(129), 1), ("ant", 0), ("ant", 1025)] {
            assert!(EpisodeBuilder::new(task, action_size, &IMAGE).is_err(), "{task:?} {action_size}");
        }
    }

    #[test]
    fn whole_arrays_are_held_to_the_same_rules() {
        let image = || vec![0; 2 * IMAGE_BYTES];
        let new = |action, reward, discount| Episode::new("ant", 1, image(), action, reward, discount).unwrap_err();
        let (zeros, ones) = (|| vec![0.0; 2], || vec![1.0; 2]);
        assert_eq!(new(ones(), zeros(), ones()), EpisodeError::Reset);
        assert_eq!(new(zeros(), ones(), ones()), EpisodeError::Reset);
        assert_eq!(new(zeros(), zeros(), vec![0.5, 1.0]), EpisodeError::Reset);
        assert!(matches!(new(zeros(), zeros(), vec![1.0]), EpisodeError::Size { array: "discount", .. }));
        assert!(matches!(new(zeros(), vec![0.0; 3], ones()), EpisodeError::Size { array: "image", .. }));
        let early = Episode::new("a", 1, vec![0; 3 * IMAGE_BYTES], vec![0.0; 3], vec![0.0; 3], vec![1.0, 0.0, 1.0]);
        assert_eq!(early.unwrap_err(), EpisodeError::AfterTheEnd { transition: 2 });
    }
}
