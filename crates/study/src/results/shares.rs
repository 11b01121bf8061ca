//! How many of the episodes on a line of metrics are of each task.
//!
//! A line has the number of episodes of all tasks together, and for each task the mean length of an episode. After the
//! prefill a run plays the tasks in turn, so that each has equally many episodes. The prefill collects a number of frames
//! of each task: if episodes end early, a task with short episodes has more of them.

/// The most episodes of a line that are divided: a line of a run has some hundreds at most.
const MOST_EPISODES: u64 = 20_000;

/// The most combinations that are tried.
const MOST_TRIES: u32 = 200_000;

/// Divides `episodes` episodes of `frames` frames in all among tasks whose episodes have these mean lengths in frames.
/// `None` if no division, or more than one, fits these numbers.
pub fn shares(episodes: u64, frames: u64, lengths: &[f64]) -> Option<Vec<u64>> {
    let tasks = lengths.len() as u64;
    if tasks <= 1 || episodes > MOST_EPISODES {
        return (tasks == 1).then(|| vec![episodes]);
    }
    // A task's frames are a whole number, which leaves few counts for a mean length with a fraction.
    let possible = |length: &f64| -> Vec<(u64, u64)> {
        (1..=episodes).filter_map(|count| Some((count, whole(count as f64 * length)?))).collect()
    };
    let possible: Vec<Vec<(u64, u64)>> = lengths.iter().map(possible).collect();
    let equal = (episodes.is_multiple_of(tasks)).then_some(episodes / tasks);
    let frames_of_equal = |count: u64| -> Option<u64> {
        possible.iter().map(|of_task| of_task.iter().find(|(other, _)| *other == count).map(|(_, frames)| frames)).sum()
    };
    if let Some(count) = equal.filter(|count| frames_of_equal(*count) == Some(frames)) {
        return Some(vec![count; lengths.len()]);
    }
    let mut search = Search { possible: &possible, found: Vec::new(), tries: 0 };
    search.rest(episodes, frames, &mut Vec::new());
    let several = search.tries > MOST_TRIES || search.found.len() != 1;
    search.found.pop().filter(|_| !several)
}

/// `value` as a whole number, apart from rounding.
fn whole(value: f64) -> Option<u64> {
    let near = value.round();
    ((value - near).abs() < 1e-6 && (0.0..1e9).contains(&near)).then_some(near as u64)
}

/// A search for all divisions that fit; it ends at the second.
struct Search<'a> {
    /// For each task, the counts of episodes that it can have, and their frames.
    possible: &'a [Vec<(u64, u64)>],
    found: Vec<Vec<u64>>,
    tries: u32,
}

impl Search<'_> {
    fn rest(&mut self, episodes: u64, frames: u64, chosen: &mut Vec<u64>) {
        let Some(of_task) = self.possible.get(chosen.len()) else {
            if episodes == 0 && frames == 0 {
                self.found.push(chosen.clone());
            }
            return;
        };
        let last = chosen.len() + 1 == self.possible.len();
        for &(count, own) in
            of_task.iter().filter(|(count, _)| if last { *count == episodes } else { *count < episodes })
        {
            self.tries += 1;
            if self.found.len() > 1 || self.tries > MOST_TRIES {
                return;
            }
            let Some(left) = frames.checked_sub(own) else { return };
            chosen.push(count);
            self.rest(episodes - count, left, chosen);
            chosen.pop();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn tasks_with_short_episodes_have_more_of_them() {
        // 5000 frames of each: 5 episodes of 1000, and 57 of 88 frames in the mean (5016 in all).
        assert_eq!(shares(62, 10_016, &[1000.0, 88.0]), Some(vec![5, 57]));
        assert_eq!(shares(62, 10_016, &[88.0, 1000.0]), Some(vec![57, 5]));
        // A round of one episode each.
        assert_eq!(shares(2, 1088, &[1000.0, 88.0]), Some(vec![1, 1]));
        assert_eq!(shares(7, 99, &[1.0]), Some(vec![7]));
    }

    #[test]
    fn tasks_with_episodes_of_one_length_have_equally_many() {
        assert_eq!(shares(10, 10_000, &[1000.0, 1000.0]), Some(vec![5, 5]));
        assert_eq!(shares(9, 3000, &[333.333_333_333_333_3; 3]), Some(vec![3, 3, 3]));
    }

    #[test]
    fn ambiguous_and_impossible_counts_are_not_divided() {
        assert_eq!(shares(5, 5000, &[1000.0, 1000.0]), None, "1 and 4, or 2 and 3");
        assert_eq!(shares(62, 10_015, &[1000.0, 88.0]), None);
        assert_eq!(shares(1, 1000, &[1000.0, 1000.0]), None);
        assert_eq!(shares(0, 0, &[1.0, 2.0]), None);
        assert_eq!(shares(u64::MAX, 10, &[1.0, 2.0]), None);
        assert_eq!(shares(10, 10, &[f64::NAN, f64::INFINITY]), None);
        assert_eq!(shares(10, 10, &[-1.0, 2.0]), None);
        assert_eq!(shares(10, 10, &[]), None);
    }

    proptest! {
        #[test]
        fn a_division_that_is_found_is_the_true_one_or_equal(
            tasks in prop::collection::vec(prop::collection::vec(2u64..1000, 1..40), 2..5),
        ) {
            let counts: Vec<u64> = tasks.iter().map(|lengths| lengths.len() as u64).collect();
            let frames: Vec<u64> = tasks.iter().map(|lengths| lengths.iter().sum()).collect();
            let lengths: Vec<f64> = frames.iter().zip(&counts).map(|(all, count)| *all as f64 / *count as f64).collect();
            let found = shares(counts.iter().sum(), frames.iter().sum(), &lengths);
            if let Some(found) = found {
                prop_assert!(found == counts || found.iter().all(|count| *count == found[0]), "{:?} {:?}", found, counts);
            }
        }
    }
}
