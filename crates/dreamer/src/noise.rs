//! The standard normal draws of one shard's training step.

use random::Stream;
use tape::Real;

/// Noise of one shard: n sequences, N = L * n imagined rollouts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Noise<F> {
    /// Of the posterior's samples [L * n, S], step by step.
    pub posterior: Vec<F>,
    /// Of the imagined actions [H, N, A]; rollout t * n + b starts from step t of sequence b.
    pub action: Vec<F>,
    /// Of the imagined states [H, N, S].
    pub prior: Vec<F>,
}

impl<F: Real> Noise<F> {
    /// Draws everything anew.
    pub fn draw(&mut self, random: &mut Stream) {
        for values in [&mut self.posterior, &mut self.action, &mut self.prior] {
            fill_normal(values, random);
        }
    }
}

/// Fills a slice with standard normal draws.
pub(crate) fn fill_normal<F: Real>(values: &mut [F], random: &mut Stream) {
    let (pairs, rest) = values.as_chunks_mut::<2>();
    for pair in pairs {
        let (first, second) = random.normal_pair();
        *pair = [F::of(first), F::of(second)];
    }
    if let [last] = rest {
        *last = F::of(random.normal());
    }
}
