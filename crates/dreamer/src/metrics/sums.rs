//! The sums over a batch from which metrics follow: how they are computed ([`Reduction`]), and their divisors
//! ([`Per`]).

use super::Metric;
use crate::{AgentConfig, ReturnsFrom};
use std::ops::{AddAssign, Index, IndexMut};
use tape::Real;

/// How the numbers of a recorded value [N, C] become one sum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reduction {
    /// The sum of all numbers.
    Numbers,
    /// The sum of their squares.
    Squares,
    /// The sum of the entropies, in nats, of normal distributions: a row holds their means, then as many standard deviations.
    NormalEntropies,
}

impl Reduction {
    /// The sum over a value's numbers, row-major with `cols` columns, in double precision.
    pub(crate) fn of<F: Real>(self, numbers: &[F], cols: usize) -> f64 {
        match self {
            Self::Numbers => numbers.iter().map(|x| x.to_f64()).sum(),
            Self::Squares => numbers.iter().map(|x| x.to_f64() * x.to_f64()).sum(),
            Self::NormalEntropies => {
                let constant = normal_entropy_constant();
                let rows = numbers.chunks_exact(cols);
                rows.map(|row| row[cols / 2..].iter().map(|std| std.ln().to_f64() + constant).sum::<f64>()).sum()
            }
        }
    }

    /// The constant that a device's sum over a value [rows, cols] does not include: its kernel sums only the logarithms
    /// of standard deviations.
    pub(crate) fn missing_on_device(self, rows: usize, cols: usize) -> f64 {
        match self {
            Self::Numbers | Self::Squares => 0.0,
            Self::NormalEntropies => normal_entropy_constant() * (rows * (cols / 2)) as f64,
        }
    }
}

/// A normal distribution's entropy minus the logarithm of its standard deviation.
fn normal_entropy_constant() -> f64 {
    0.5 * (std::f64::consts::TAU.ln() + 1.0)
}

/// The items over which a metric is a mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Per {
    /// The transitions of the batch: B L.
    Transition,
    /// The imagined steps: R H, with R rollouts, which are B L unless `agent.imagine_from` is less than 1.
    ImaginedStep,
    /// The steps of rollouts that have a lambda-return: R (H - 1), or R H if returns begin at the starting states.
    Return,
    /// The transitions of the batch but the last of each sequence: B (L - 1).
    Replayed,
    /// The elements of imagined actions: R H A.
    ActionElement,
    /// The batch as a whole: 1.
    Batch,
}

/// How many of each [`Per`] a gradient step has.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Counts {
    transitions: usize,
    replayed: usize,
    rollouts: usize,
    horizon: usize,
    /// The steps of a rollout that have a return.
    returns: usize,
    action_size: usize,
}

impl Counts {
    pub fn new(config: &AgentConfig, action_size: usize) -> Self {
        let (transitions, rollouts) = (config.batch * config.length, config.rollouts());
        let (replayed, horizon) = (transitions - config.batch, config.horizon);
        let returns = match config.returns_from {
            ReturnsFrom::Imagined => horizon - 1,
            ReturnsFrom::Start => horizon,
        };
        Self { transitions, replayed, rollouts, horizon, returns, action_size }
    }

    pub fn of(&self, per: Per) -> f64 {
        let count = match per {
            Per::Transition => self.transitions,
            Per::ImaginedStep => self.rollouts * self.horizon,
            Per::Return => self.rollouts * self.returns,
            Per::Replayed => self.replayed,
            Per::ActionElement => self.rollouts * self.horizon * self.action_size,
            Per::Batch => 1,
        };
        count as f64
    }
}

/// A sum for every metric; zero for those that do not follow from a sum.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Sums([f64; Metric::COUNT]);

impl From<[f64; Metric::COUNT]> for Sums {
    fn from(sums: [f64; Metric::COUNT]) -> Self {
        Self(sums)
    }
}

impl Index<Metric> for Sums {
    type Output = f64;

    fn index(&self, metric: Metric) -> &f64 {
        &self.0[metric as usize]
    }
}

impl IndexMut<Metric> for Sums {
    fn index_mut(&mut self, metric: Metric) -> &mut f64 {
        &mut self.0[metric as usize]
    }
}

impl AddAssign<&Self> for Sums {
    fn add_assign(&mut self, other: &Self) {
        self.0.iter_mut().zip(&other.0).for_each(|(sum, part)| *sum += part);
    }
}
