//! [`Terms`]: the losses and metrics of a recording.

use super::weighing::Learned;
use crate::metrics::{Counts, Metric, MetricValue, Per, Reduction, Sums};
use tape::{Real, Tape, Var};

/// A term of a loss.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Term {
    /// The recorded value [N, 1] whose sum counts.
    pub value: Var,
    /// The factor of the sum of the value over the batch in the loss: the weight divided by the count of the mean.
    pub scale: f64,
    /// The factor of its mean in the loss.
    pub weight: f64,
    /// The metric that its sum belongs to, unless it is not reported.
    pub metric: Option<Metric>,
    /// If present, the term counts only while this holds.
    pub gate: Option<Gate>,
    /// How its learned weight enters the reported loss, if it has one.
    pub learned: Option<Learned>,
}

/// The condition that the mean of a metric over the whole batch exceeds a number, or that it does not.
///
/// While it does not, the loss has that number in the mean's place, and so no gradient.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Gate {
    pub metric: Metric,
    /// The threshold that the mean must exceed.
    pub least: f64,
    /// The divisor of the sum.
    pub count: f64,
    /// Whether the mean must exceed the threshold; else it must not.
    pub beyond: bool,
}

impl Gate {
    /// Whether it holds, given the sums over the whole batch.
    pub fn is_open(&self, batch: &Sums) -> bool {
        (batch[self.metric] / self.count > self.least) == self.beyond
    }

    /// The threshold that the sum over the whole batch must exceed.
    pub fn least_sum(&self) -> f64 {
        self.least * self.count
    }
}

/// The losses and metrics of a recording. It is kept from one gradient step to the next, so that recording allocates nothing.
#[derive(Debug)]
pub(crate) struct Terms {
    counts: Counts,
    losses: Vec<Term>,
    /// Values that are summed for metrics, those of the losses among them.
    measured: Vec<(Metric, Var, Reduction)>,
}

impl Terms {
    /// No terms yet, of a gradient step with these counts.
    pub fn new(counts: Counts) -> Self {
        Self { counts, losses: Vec::new(), measured: Vec::new() }
    }

    /// Forgets everything: another recording begins.
    pub fn clear(&mut self) {
        self.losses.clear();
        self.measured.clear();
    }

    /// Adds `weight` times the mean of `value` [N, 1] to the loss, and reports the mean as `metric`.
    ///
    /// # Panics
    /// If the value is already a term, or the metric is not a mean. A device could not add two seeds to one gradient.
    pub fn add(&mut self, metric: Metric, value: Var, weight: f64) {
        let scale = weight / self.count(metric);
        self.push(Term { value, scale, weight, metric: Some(metric), gate: None, learned: None });
        self.measure(metric, value);
    }

    /// Adds the mean of `weighed` [N, 1], which is `value` with the weight `weight` and a learned factor, to the loss,
    /// and reports the mean of `value` as `metric`.
    pub fn add_learned(&mut self, metric: Metric, value: Var, weighed: Var, weight: f64, learned: Learned) {
        let scale = 1.0 / self.count(metric);
        let term = Term { value: weighed, scale, weight, metric: Some(metric), gate: None, learned: Some(learned) };
        self.push(term);
        self.measure(metric, value);
    }

    /// The mean of the term that was added last counts only where it exceeds `least`: the loss has `weight * max(mean, least)`.
    /// This is known only after the whole batch has been summed up, so the recording must be one whose walk back comes
    /// after that.
    pub fn count_above(&mut self, least: f64) {
        let metric = self.losses.last().and_then(|term| term.metric).expect("a term that is reported");
        let gate = Gate { metric, least, count: self.count(metric), beyond: true };
        self.losses.last_mut().expect("the term that was added").gate = Some(gate);
    }

    /// Adds the mean of `value` [N, 1] while the mean of `metric` does not exceed `least`: what takes the place of a term
    /// that [`Terms::count_above`] switches off, and is reported with it.
    pub fn add_below(&mut self, metric: Metric, value: Var, least: f64) {
        let count = self.count(metric);
        let gate = Some(Gate { metric, least, count, beyond: false });
        self.push(Term { value, scale: 1.0 / count, weight: 1.0, metric: Some(metric), gate, learned: None });
    }

    /// Adds `weight` times the mean of `value` [N, 1], as a mean over `per`, to a loss that is not reported as a whole.
    pub fn add_unreported(&mut self, per: Per, value: Var, weight: f64) {
        let scale = weight / self.counts.of(per);
        self.push(Term { value, scale, weight, metric: None, gate: None, learned: None });
    }

    /// Reports a value as a metric; it adds nothing to a loss. Once for each metric in a recording. The shape of the value is the one
    /// that the metric's `Reduction` reads.
    pub fn measure(&mut self, metric: Metric, value: Var) {
        self.measure_by(metric, value, metric.reduction().expect("a metric that is measured is a mean"));
    }

    /// As [`Terms::measure`], with a sum of another kind than the metric's own.
    pub fn measure_by(&mut self, metric: Metric, value: Var, reduction: Reduction) {
        self.measured.push((metric, value, reduction));
    }

    /// The divisor of the sum of a metric.
    fn count(&self, metric: Metric) -> f64 {
        match metric.row().value {
            MetricValue::Mean { per, .. } => self.counts.of(per),
            MetricValue::ModelLoss | MetricValue::GradientNorm => panic!("{} is not a mean", metric.name()),
        }
    }

    fn push(&mut self, term: Term) {
        assert!(self.losses.iter().all(|other| other.value != term.value), "a value is one term of a loss");
        self.losses.push(term);
    }

    /// The terms of the losses, in the order in which they were recorded.
    pub fn losses(&self) -> &[Term] {
        &self.losses
    }

    /// The values to be summed for metrics, and how.
    pub fn measured(&self) -> &[(Metric, Var, Reduction)] {
        &self.measured
    }

    /// Adds the sums over a shard's values, which `tape` has computed, to `sums`.
    pub fn sum_up<F: Real>(&self, tape: &Tape<F>, sums: &mut Sums) {
        for &(metric, value, reduction) in &self.measured {
            sums[metric] += reduction.of(tape.value(value), tape.shape(value).1);
        }
    }

    /// Seeds the walk back over `tape`: all terms count.
    ///
    /// # Panics
    /// If a term has a gate: only [`Terms::seed_after`] knows whether it is open.
    pub fn seed<F: Real>(&self, tape: &mut Tape<F>) {
        for term in &self.losses {
            assert!(term.gate.is_none(), "a gate depends on the whole batch, which is not summed up yet");
            tape.seed(term.value, F::of(term.scale));
        }
    }

    /// Seeds the walk back over `tape`, given the sums over the whole batch: terms whose gate is closed do not count.
    pub fn seed_after<F: Real>(&self, batch: &Sums, tape: &mut Tape<F>) {
        for term in self.losses.iter().filter(|term| term.gate.is_none_or(|gate| gate.is_open(batch))) {
            tape.seed(term.value, F::of(term.scale));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::AgentConfig;
    use crate::losses::LossFormula;
    use tape::{Parameters, Workspace};

    /// Records the numbers 1 and 5 as the divergence, which counts above `free_nats`, and returns the gradient that they are
    /// seeded with and the loss.
    fn divergence(free_nats: f64) -> (Option<Vec<f64>>, f64) {
        let config = AgentConfig { batch: 1, length: 2, ..AgentConfig::default() };
        let counts = Counts::new(&config, 1);
        let parameters = Parameters::<f64>::new();
        let (none, mut workspace) = (parameters.set(|_| false), Workspace::default());
        let mut tape = Tape::new(&parameters, &none, &mut workspace);
        let value = tape.leaf(2, 1, |y| y.copy_from_slice(&[1.0, 5.0]));
        let (mut terms, mut sums, mut loss) = (Terms::new(counts), Sums::default(), LossFormula::default());
        terms.add(Metric::Kl, value, 4.0);
        terms.count_above(free_nats);
        terms.sum_up(&tape, &mut sums);
        assert_eq!(sums[Metric::Kl], 6.0);
        terms.seed_after(&sums, &mut tape);
        loss.include(&terms);
        (tape.gradient(value).map(<[f64]>::to_vec), loss.value(&sums, &counts))
    }

    #[test]
    fn the_divergence_counts_only_if_its_mean_exceeds_the_free_nats() {
        assert_eq!(divergence(2.5), (Some(vec![2.0, 2.0]), 4.0 * 3.0));
        assert_eq!(divergence(3.0), (None, 4.0 * 3.0));
        assert_eq!(divergence(3.5), (None, 4.0 * 3.5));
    }

    #[test]
    #[should_panic(expected = "a gate depends on the whole batch")]
    fn a_gate_is_refused_before_the_batch_is_summed_up() {
        let parameters = Parameters::<f64>::new();
        let (none, mut workspace) = (parameters.set(|_| false), Workspace::default());
        let mut tape = Tape::new(&parameters, &none, &mut workspace);
        let value = tape.leaf(1, 1, |y| y[0] = 1.0);
        let mut terms = Terms::new(Counts::new(&AgentConfig::default(), 1));
        terms.add(Metric::Kl, value, 1.0);
        terms.count_above(3.0);
        terms.seed(&mut tape);
    }
}
