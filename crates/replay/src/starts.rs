//! The beginnings of the windows of a batch: which episode, and which of its transitions.
//!
//! Here: the ways to draw them, and their probabilities. Not here: copying a window into a batch (`memory`).

use random::Stream;
use serde::{Deserialize, Serialize};

/// How windows of `L` transitions are drawn: in the first two ways from episodes of at least `L` transitions, which contain them
/// whole, in the third from all episodes.
///
/// The last two columns are the chance that a window drawn from an episode of `N` transitions contains a transition, in the first two
/// ways.
///
/// | way | episode | first and last transition | transition at least `L` from both ends |
/// | --- | --- | --- | --- |
/// | [`Inside`](Self::Inside) | uniform | `1 / (N - L + 1)` | `L / (N - L + 1)` |
/// | [`Edges`](Self::Edges) | proportional to `N + L - 1` | `L / (N + L - 1)` | `L / (N + L - 1)` |
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WindowStarts {
    /// As in the paper: an episode uniformly at random, then a start uniformly at random among the `N - L + 1` from which
    /// the window lies inside the episode. Transitions near an episode's edges are in few windows.
    #[default]
    Inside,
    /// Starts may lie before the episode: a start is drawn uniformly from `-(L - 1) ..= N - 1`, `N + L - 1` of them, and
    /// an episode with probability proportional to that number. Before anything else is done, every transition of every
    /// episode is then in the same number of windows, `L`. A window that reaches over an edge is moved inside: its start
    /// is clamped to `0 ..= N - L`.
    ///
    /// Clamping removes no window of any transition, and adds some near the edges. The starts 0 and `N - L` are each
    /// drawn for `L` of the `N + L - 1` values (for all of them if `N = L`), every other start for one. Transition `t`
    /// is therefore in the window for `min(t, N - L) - max(0, t - L + 1) + 1` values, plus `L - 1` if `t <= L - 1`,
    /// plus `L - 1` if `t >= N - L`. If `N >= 2 L`, that is `L` for the first transition, one more for each that
    /// follows, up to `2 L - 1` for `t = L - 1`; `L` for all transitions from `t = L` on; and towards the last one as
    /// from the first. In an episode with `N < 2 L`, the transitions from `N - L` to `L - 1` are in every window.
    Edges,
    /// As in DreamerV3: all episodes are one stream, in the order in which they were collected, and starts are drawn uniformly
    /// from all transitions that have `L - 1` others after them in the stream. A window may begin in one episode and end in
    /// another, so that short episodes are learned from too; [`crate::Batch::first`] tells where an episode begins. Every
    /// transition but the first and last `L - 1` of the whole stream is in as many windows as every other.
    Stream,
}

/// An episode that windows can begin in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Candidate {
    /// Its index among all episodes.
    pub index: usize,
    /// Its transitions, `N`.
    pub transitions: usize,
    /// Values that [`WindowStarts::Edges`] or [`WindowStarts::Stream`] draws starts from, of this candidate and all before it.
    pub values: usize,
}

impl WindowStarts {
    /// Replaces `candidates` with the episodes, of these many transitions, that windows of `length` can begin in.
    pub(crate) fn list(self, episodes: impl Iterator<Item = usize>, length: usize, candidates: &mut Vec<Candidate>) {
        candidates.clear();
        let mut values = 0;
        let is_stream = self == Self::Stream;
        for (index, transitions) in episodes.enumerate().filter(|&(_, transitions)| is_stream || transitions >= length)
        {
            values += if is_stream { transitions } else { transitions + length - 1 };
            candidates.push(Candidate { index, transitions, values });
        }
        if is_stream && values < length {
            candidates.clear();
        }
    }

    /// Draws the index of an episode, and the first transition of a window of `length` that begins in it. There must be candidates.
    pub(crate) fn draw(self, candidates: &[Candidate], length: usize, random: &mut Stream) -> (usize, usize) {
        match self {
            Self::Inside => {
                let Candidate { index, transitions, .. } = candidates[random.below(candidates.len())];
                (index, random.below(transitions - length + 1))
            }
            Self::Edges => {
                let values = candidates.last().map_or(0, |last| last.values);
                let value = random.below(values);
                let place = candidates.partition_point(|candidate| candidate.values <= value);
                let before = if place == 0 { 0 } else { candidates[place - 1].values };
                let Candidate { index, transitions, .. } = candidates[place];
                // The start plus L - 1, which is never negative.
                let shifted = value - before;
                (index, shifted.saturating_sub(length - 1).min(transitions - length))
            }
            Self::Stream => {
                let values = candidates.last().map_or(0, |last| last.values);
                let value = random.below(values - length + 1);
                let place = candidates.partition_point(|candidate| candidate.values <= value);
                let before = if place == 0 { 0 } else { candidates[place - 1].values };
                (candidates[place].index, value - before)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// For each transition of an episode of `transitions`, the values of the start for which a window contains it.
    fn counts(transitions: usize, length: usize) -> Vec<usize> {
        let mut counts = vec![0; transitions];
        for value in 1 - length as i64..transitions as i64 {
            let start = value.clamp(0, (transitions - length) as i64) as usize;
            counts[start..start + length].iter_mut().for_each(|count| *count += 1);
        }
        counts
    }

    #[test]
    fn the_edges_are_in_as_many_windows_as_the_inner_transitions_or_more() {
        let counts = counts(20, 4);
        assert_eq!(counts[..8], [4, 5, 6, 7, 4, 4, 4, 4]);
        assert!(counts.iter().eq(counts.iter().rev()));
    }

    proptest! {
        #[test]
        fn the_documented_count_is_exact(length in 1usize..12, more in 0usize..40) {
            let transitions = length + more;
            for (t, count) in counts(transitions, length).into_iter().enumerate() {
                let last = transitions - length;
                let moved = (length - 1) * (usize::from(t < length) + usize::from(t >= last));
                prop_assert_eq!(count, t.min(last) - (t + 1).saturating_sub(length) + 1 + moved);
                prop_assert!(count >= length);
                if t >= last && t < length {
                    prop_assert_eq!(count, transitions + length - 1);
                }
            }
        }

        /// Every drawn window lies inside an episode that is long enough.
        #[test]
        fn windows_lie_inside(
            episodes in prop::collection::vec(1usize..30, 1..8), length in 1usize..12, seed: u64, edges: bool,
        ) {
            let mut candidates = Vec::new();
            let starts = if edges { WindowStarts::Edges } else { WindowStarts::Inside };
            starts.list(episodes.iter().copied(), length, &mut candidates);
            prop_assume!(!candidates.is_empty());
            let mut random = Stream::new(seed, "replay");
            for _ in 0..50 {
                let (index, start) = starts.draw(&candidates, length, &mut random);
                prop_assert!(start + length <= episodes[index]);
            }
        }

        /// Every start of a stream lies in its episode, and the window ends before the stream does. All starts are drawn.
        #[test]
        fn windows_of_a_stream_lie_in_the_stream(
            episodes in prop::collection::vec(1usize..6, 1..6), length in 1usize..12, seed: u64,
        ) {
            let mut candidates = Vec::new();
            WindowStarts::Stream.list(episodes.iter().copied(), length, &mut candidates);
            let all: usize = episodes.iter().sum();
            prop_assert_eq!(candidates.is_empty(), all < length);
            prop_assume!(all >= length);
            let mut random = Stream::new(seed, "replay");
            let mut drawn = vec![0; all - length + 1];
            for _ in 0..40 * drawn.len() {
                let (index, start) = WindowStarts::Stream.draw(&candidates, length, &mut random);
                prop_assert!(start < episodes[index]);
                drawn[episodes[..index].iter().sum::<usize>() + start] += 1;
            }
            // Each of up to 25 starts is missed with a chance of about e^-40.
            prop_assert!(drawn.iter().all(|count| *count > 0), "{:?}", drawn);
        }
    }
}
