//! The states from which rollouts are imagined: all posterior states of a shard, or a part of them that is drawn anew in each
//! gradient step.
//!
//! A part is drawn in strata: the states, step by step, are divided into as many runs of neighbours as there are rollouts, and one
//! is drawn from each. No state is drawn twice, and all times of a sequence are among them.

use crate::AgentConfig;
use crate::sequence_range::SequenceRange;
use tape::Real;

impl AgentConfig {
    /// Rollouts from the states of a shard with as many transitions.
    pub(crate) fn rollouts_of(&self, transitions: usize) -> usize {
        ((self.imagine_from * transitions as f64).ceil() as usize).clamp(1, transitions)
    }

    /// Rollouts of every shard but the last, which may have fewer.
    pub(crate) fn rollouts_of_whole_shard(&self) -> usize {
        self.rollouts_of(SequenceRange::shard(self, 0).rows())
    }

    /// Rollouts of a gradient step, R.
    pub(crate) fn rollouts(&self) -> usize {
        let shards = self.batch.div_ceil(self.shard);
        (0..shards).map(|index| self.rollouts_of(SequenceRange::shard(self, index).rows())).sum()
    }

    /// Whether rollouts start from a part of the states only.
    pub(crate) fn draws_starts(&self) -> bool {
        self.imagine_from < 1.0
    }
}

/// The starting states of a shard's rollouts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Starts<'a, F> {
    pub config: &'a AgentConfig,
    /// A uniform draw in [0, 1) for each rollout, if they start from a part of the states.
    pub draws: &'a [F],
    pub transitions: usize,
}

impl<F: Real> Starts<'_, F> {
    /// The number of rollouts.
    pub fn count(&self) -> usize {
        self.config.rollouts_of(self.transitions)
    }

    /// The state from which a rollout starts.
    fn state(&self, rollout: usize) -> usize {
        let (count, all) = (self.count(), self.transitions);
        let [first, end] = [rollout, rollout + 1].map(|bound| bound * all / count);
        let within = self.draws[rollout] * F::of((end - first) as f64);
        // A draw just below 1 may be rounded to it.
        first + (within.to_f64() as usize).min(end - first - 1)
    }

    /// Copies the starting states' rows of x [transitions, C] to out [count, C].
    pub fn choose(&self, x: &[F], out: &mut [F]) {
        if !self.config.draws_starts() {
            out.copy_from_slice(x);
            return;
        }
        let cols = x.len() / self.transitions;
        for (rollout, out) in out.chunks_exact_mut(cols).enumerate() {
            let state = self.state(rollout);
            out.copy_from_slice(&x[state * cols..][..cols]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use random::Stream;

    proptest! {
        #[test]
        fn states_are_drawn_once_and_in_order(
            imagine_from in 1e-6f64..1.0, transitions in 1usize..300, seed: u64,
        ) {
            let config = AgentConfig { imagine_from, ..AgentConfig::default() };
            let count = config.rollouts_of(transitions);
            let mut random = Stream::new(seed, "starts");
            let draws: Vec<f32> = (0..count).map(|_| random.uniform() as f32).collect();
            let starts = Starts { config: &config, draws: &draws, transitions };
            let states: Vec<usize> = (0..count).map(|rollout| starts.state(rollout)).collect();
            prop_assert!(states.windows(2).all(|pair| pair[0] < pair[1]));
            prop_assert!(states.iter().all(|&state| state < transitions));
        }
    }

    #[test]
    fn all_states_are_drawn_equally_often() {
        let config = AgentConfig { imagine_from: 0.25, ..AgentConfig::default() };
        let (transitions, steps) = (40, 4000);
        let mut random = Stream::new(1, "starts");
        let mut counts = vec![0u32; transitions];
        for _ in 0..steps {
            let draws: Vec<f64> = (0..10).map(|_| random.uniform()).collect();
            let starts = Starts { config: &config, draws: &draws, transitions };
            (0..starts.count()).for_each(|rollout| counts[starts.state(rollout)] += 1);
        }
        // 1,000 expected, with a standard deviation of 27.
        assert!(counts.iter().all(|count| (850..1150).contains(count)), "{counts:?}");
    }

    #[test]
    fn rollouts_are_counted_shard_by_shard() {
        let config = AgentConfig { batch: 5, shard: 2, length: 3, imagine_from: 0.5, ..AgentConfig::default() };
        // Shards of 6, 6 and 3 transitions.
        assert_eq!(config.rollouts(), 3 + 3 + 2);
        assert_eq!(AgentConfig { imagine_from: 1.0, ..config }.rollouts(), 15);
    }
}
