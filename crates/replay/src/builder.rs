//! Collecting an episode, transition by transition.
//!
//! Here: the growing arrays and the check of each push. Not here: environments.

use crate::episode::{check_header, check_transition, check_vector};
use crate::error::EpisodeError;
use crate::{Arrays, Episode, Sizes};
use environment::Observation;

/// An episode while it is being collected.
///
/// A push that is refused leaves the builder as it was.
#[derive(Clone, Debug)]
pub struct EpisodeBuilder {
    episode: Episode,
}

impl EpisodeBuilder {
    /// Starts with the observation after the reset.
    ///
    /// # Errors
    /// If the task's name, a size of its transitions or the observation's size cannot be.
    pub fn new<'a>(
        task: &str,
        sizes: impl Into<Sizes>,
        observation: impl Into<Observation<'a>>,
    ) -> Result<Self, EpisodeError> {
        let (sizes, observation) = (sizes.into(), observation.into());
        check_header(task, &sizes)?;
        check_observation(0, observation, &sizes)?;
        let arrays = Arrays {
            image: observation.image.to_vec(),
            vector: observation.vector.to_vec(),
            action: vec![0.0; sizes.action],
            reward: vec![0.0],
            discount: vec![1.0],
        };
        Ok(Self { episode: Episode { task: task.to_owned(), sizes, arrays } })
    }

    /// Adds one agent step: the action, and the reward, discount and observation that it led to.
    ///
    /// # Errors
    /// If a size is wrong, a number is not finite, the discount is outside 0 to 1, or the last transition was terminal.
    pub fn push<'a>(
        &mut self,
        action: &[f32],
        reward: f32,
        discount: f32,
        observation: impl Into<Observation<'a>>,
    ) -> Result<(), EpisodeError> {
        let (observation, t) = (observation.into(), self.len());
        let Episode { sizes, arrays, .. } = &mut self.episode;
        check_size("action", t, sizes.action, action.len())?;
        check_observation(t, observation, sizes)?;
        check_transition(t, action, reward, discount)?;
        if arrays.discount[t - 1] == 0.0 {
            return Err(EpisodeError::AfterTheEnd { transition: t });
        }
        arrays.image.extend_from_slice(observation.image);
        arrays.vector.extend_from_slice(observation.vector);
        arrays.action.extend_from_slice(action);
        arrays.reward.push(reward);
        arrays.discount.push(discount);
        Ok(())
    }

    /// Transitions so far, the reset included.
    #[expect(clippy::len_without_is_empty, reason = "a builder holds at least the reset")]
    pub fn len(&self) -> usize {
        self.episode.len()
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
        let Arrays { image, vector, action, reward, discount } = &mut episode.arrays;
        image.shrink_to_fit();
        [vector, action, reward, discount].into_iter().for_each(Vec::shrink_to_fit);
        Ok(episode)
    }
}

fn check_observation(t: usize, observation: Observation<'_>, sizes: &Sizes) -> Result<(), EpisodeError> {
    check_size("image", t, sizes.image(), observation.image.len())?;
    check_size("vector", t, sizes.vector(), observation.vector.len())?;
    check_vector(t, observation.vector)
}

fn check_size(array: &'static str, transition: usize, expected: usize, found: usize) -> Result<(), EpisodeError> {
    if found == expected { Ok(()) } else { Err(EpisodeError::StepSize { array, transition, expected, found }) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::IMAGE_BYTES;
    use environment::ObservationSpace;

    const IMAGE: [u8; IMAGE_BYTES] = [7; IMAGE_BYTES];

    #[test]
    fn an_episode_is_built_step_by_step() {
        let mut builder = EpisodeBuilder::new("hopper", 2, &IMAGE).unwrap();
        builder.push(&[0.5, -1.0], 2.5, 1.0, &[8; IMAGE_BYTES]).unwrap();
        builder.push(&[0.25, 1.0], -1.0, 0.0, &[9; IMAGE_BYTES]).unwrap();
        let episode = builder.finish().unwrap();
        assert_eq!((episode.task(), episode.len(), episode.action_size()), ("hopper", 3, 2));
        assert_eq!(episode.action(), [0.0, 0.0, 0.5, -1.0, 0.25, 1.0]);
        assert_eq!(episode.reward(), [0.0, 2.5, -1.0]);
        assert_eq!(episode.discount(), [1.0, 1.0, 0.0]);
        assert_eq!([0, 1, 2].map(|t| episode.image()[t * IMAGE_BYTES]), [7, 8, 9]);
        assert_eq!(episode.score(), 1.5);
        assert_eq!(episode.bytes(), 3 * (12288 + 8 + 8));
        let Episode { task, sizes, arrays } = episode.clone();
        let Arrays { image, action, reward, discount, .. } = arrays;
        assert_eq!(Episode::new(&task, sizes.action, image, action, reward, discount).unwrap(), episode);
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

    #[test]
    fn an_episode_of_vectors_is_built_and_held_to_the_same_rules() {
        let sizes = Sizes { action: 1, observations: ObservationSpace { image: None, vector: 2 } };
        let seen = |vector| Observation { image: &[], vector };
        let mut builder = EpisodeBuilder::new("cart", sizes, seen(&[0.5, -7.0])).unwrap();
        for (vector, message) in
            [(&[1.0][..], "vector has 1 values instead of 2"), (&[1.0, f32::NAN], "vector at transition 1 is NaN")]
        {
            let error = builder.push(&[0.0], 0.0, 1.0, seen(vector)).unwrap_err().to_string();
            assert!(error.contains(message), "{error}");
        }
        let image = [0; IMAGE_BYTES];
        let error = builder.push(&[0.0], 0.0, 1.0, &image).unwrap_err().to_string();
        assert!(error.contains("image has 12288 values instead of 0"), "{error}");
        builder.push(&[1.0], 2.0, 0.0, seen(&[9.0, 1e6])).unwrap();
        let episode = builder.finish().unwrap();
        assert_eq!((episode.vector(), episode.image().len()), (&[0.5, -7.0, 9.0, 1e6][..], 0));
        assert_eq!(episode.bytes(), 2 * (2 + 1 + 2) * 4);
        let wider = episode.clone().with_vectors_padded(3);
        assert_eq!(wider.vector(), [0.5, -7.0, 0.0, 9.0, 1e6, 0.0]);
        assert_eq!(Episode::of_arrays("cart", wider.sizes(), wider.arrays.clone()).unwrap(), wider);
        let nothing = Sizes { action: 1, observations: ObservationSpace { image: None, vector: 0 } };
        let error = EpisodeBuilder::new("cart", nothing, seen(&[])).unwrap_err().to_string();
        assert!(error.contains("not of 0 bytes and 0 numbers"), "{error}");
    }
}
