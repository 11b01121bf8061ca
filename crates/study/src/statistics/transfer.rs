//! Measures of transfer (Taylor and Stone, "Transfer Learning for Reinforcement Learning Domains", 2009): jumpstart, area
//! ratio, time to threshold. The frames that sources trained for are left out once and counted once.

use super::bootstrap::remembered;
use super::curve::{Curve, band};
use super::resamples::Ordered;
use super::{Estimate, mean};

/// The share of a run, without its random episodes, that its jumpstart is measured on.
pub const EARLY: f64 = 0.1;

/// The share of a run that is its end.
pub const LAST: f64 = 0.1;

/// The threshold: this share of the way from random actions to the baseline's end.
pub const THRESHOLD: f64 = 0.75;

/// The number of intervals of a run; the first interval that reaches the threshold gives the time.
const PIECES: usize = 50;

/// Finished runs of one task.
#[derive(Clone, Copy, Debug)]
pub struct TransferInput<'a> {
    /// The runs with transfer.
    pub method: &'a [&'a Curve],
    /// Those that began from scratch.
    pub baseline: &'a [&'a Curve],
    /// The return of random actions; `None` if it is not known.
    pub random: Option<f64>,
    /// Environment frames of a run.
    pub frames: f64,
    /// Environment frames that all sources of a run of `method` trained for.
    pub source_frames: f64,
}

/// The measures of transfer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Transfer {
    /// The mean return in the first [`EARLY`] of a run after its random episodes, minus that of the baseline. `None` if
    /// a run does not have an episode there, or if the end of its random episodes is not known ([`Curve::random`]).
    pub jumpstart: Option<Estimate>,
    /// By which share the area between the curve and random actions is larger than the baseline's. `None` if the baseline
    /// is not better than random actions, or the return of random actions is not known.
    pub area_ratio: Option<Estimate>,
    /// The same where the method's curve begins when its sources are done, and ends when the baseline's does.
    pub area_ratio_with_sources: Option<Estimate>,
    /// The return that counts as learned. `None` if the baseline's end is not better than random actions, or the return of
    /// random actions is not known.
    pub threshold: Option<f64>,
    /// Frames after which the baseline's mean reaches it.
    pub baseline_time: Option<f64>,
    /// Frames after which the method's mean reaches it; `None` if it never does.
    pub time: Option<f64>,
    /// The same, the sources' frames added.
    pub time_with_sources: Option<f64>,
}

/// Measures transfer. `None` if either has no run with a return.
pub fn transfer(input: &TransferInput<'_>) -> Option<Transfer> {
    let TransferInput { method, baseline, random, frames, source_frames } = *input;
    let of = |curves: &[&Curve], statistic: &dyn Fn(&Curve) -> Option<f64>| -> Vec<f64> {
        curves.iter().filter_map(|curve| statistic(curve)).collect()
    };

    // The jumpstart needs all runs, because the set without one of them would be a different set.
    let early = |curves: &[&Curve]| -> Option<Vec<f64>> {
        let of_run = |curve: &Curve| {
            let start = curve.random()?.frames;
            curve.mean_between(start, start + EARLY * (frames - start))
        };
        curves.iter().map(|curve| of_run(curve)).collect()
    };
    let jumpstart = early(method)
        .zip(early(baseline))
        .and_then(|(ours, theirs)| compared("jumpstart", &ours, &theirs, |ours, theirs| Some(ours - theirs)));

    let (ours, theirs) = (of(method, &Curve::overall), of(baseline, &Curve::overall));
    if ours.is_empty() || theirs.is_empty() {
        return None;
    }
    let left = frames - source_frames;
    let areas = |random: f64| {
        let above = |returns: &[f64]| -> Vec<f64> { returns.iter().map(|value| value - random).collect() };
        let late = |curve: &Curve| {
            curve.overall()?;
            let above = curve.mean_between(f64::NEG_INFINITY, left).map_or(0.0, |value| value - random);
            Some(above * (left / frames).max(0.0))
        };
        let ratio = |ours: f64, theirs: f64| (theirs > 0.0).then(|| (ours - theirs) / theirs);
        let (area, late) = (above(&ours), of(method, &late));
        [&area, &late].map(|ours| compared("area ratio", ours, &above(&theirs), ratio))
    };
    let [area_ratio, area_ratio_with_sources] = random.map_or([None, None], areas);

    let last = |curve: &Curve| curve.mean_between((1.0 - LAST) * frames, f64::INFINITY);
    let threshold = random.and_then(|random| {
        let learned = mean(&of(baseline, &last)).filter(|last| *last > random)?;
        Some(random + THRESHOLD * (learned - random))
    });
    let time_of = |curves: &[&Curve]| {
        let pieces = band(curves, frames, PIECES);
        pieces.into_iter().find(|piece| piece.mean >= threshold.unwrap_or(f64::INFINITY)).map(|piece| piece.frames)
    };
    let time = time_of(method);

    Some(Transfer {
        jumpstart,
        area_ratio,
        area_ratio_with_sources,
        threshold,
        baseline_time: time_of(baseline),
        time,
        time_with_sources: time.map(|time| time + source_frames),
    })
}

/// `statistic` of two means, with its interval. `name` is that of the statistic, which depends on nothing else.
fn compared(
    name: &'static str,
    ours: &[f64],
    theirs: &[f64],
    statistic: impl Fn(f64, f64) -> Option<f64>,
) -> Option<Estimate> {
    let value = statistic(mean(ours)?, mean(theirs)?)?;
    let interval = remembered(name, &[ours, theirs], || {
        let (mut first, mut second) = (Ordered::new(ours, 0), Ordered::new(theirs, ours.len()));
        move |counts: &[u8]| statistic(mean(first.drawn(counts))?, mean(second.drawn(counts))?)
    });
    Some(Estimate { value, interval })
}

#[cfg(test)]
mod tests {
    use super::super::Point;
    use super::*;
    use proptest::prelude::*;

    /// An episode every 1000 frames, the first of random actions.
    fn curve(random: f64, value: impl Fn(f64) -> f64) -> Curve {
        let first = Point { frames: 1000.0, value: random, episodes: 1.0 };
        let later = (2..=100).map(|index| {
            let frames = 1000.0 * f64::from(index);
            Point { frames, value: value(frames), episodes: 1.0 }
        });
        Curve::new([first].into_iter().chain(later)).with_random_first()
    }

    fn measured(method: &Curve, baseline: &Curve, source_frames: f64) -> Transfer {
        let random = baseline.random().map(|point| point.value);
        let (method, baseline) = ([method, method], [baseline, baseline]);
        transfer(&TransferInput { method: &method, baseline: &baseline, random, frames: 1e5, source_frames }).unwrap()
    }

    #[test]
    fn by_hand() {
        // The baseline rises from -100 to 900 over the run, the method is 200 ahead.
        let baseline = curve(-100.0, |frames| -100.0 + frames / 100.0);
        let method = curve(-100.0, |frames| 100.0 + frames / 100.0);
        let statistics = measured(&method, &baseline, 20_000.0);
        assert!((statistics.jumpstart.unwrap().value - 200.0).abs() < 1e-9);
        // Areas above random actions: 99 episodes of 20 to 1000 make 50 490 (a hundredth of it each), 99 times 200 more.
        let ratio = statistics.area_ratio.unwrap();
        assert!((ratio.value - 19_800.0 / 50_490.0).abs() < 1e-9, "{ratio:?}");
        assert!(ratio.interval.is_some_and(|interval| (interval.low - ratio.value).abs() < 1e-9));
        // The baseline's last tenth: 855 on average. 75 % of 955 above -100: 616.25, in the piece to 72 000.
        assert!((statistics.threshold.unwrap() - 616.25).abs() < 1e-9, "{statistics:?}");
        assert_eq!(statistics.baseline_time, Some(74_000.0));
        assert_eq!(statistics.time, Some(54_000.0));
        assert_eq!(statistics.time_with_sources, Some(74_000.0));
        // The first 80 episodes: 79 * 200 and 20 to 800.
        let late = statistics.area_ratio_with_sources.unwrap();
        assert!((late.value - (15_800.0 + 32_390.0 - 50_490.0) / 50_490.0).abs() < 1e-9, "{late:?}");
    }

    #[test]
    fn a_baseline_that_learns_nothing_has_no_threshold_and_no_ratio() {
        let flat = curve(0.0, |_| 0.0);
        let statistics = measured(&curve(0.0, |_| 5.0), &flat, 0.0);
        assert_eq!(
            (statistics.area_ratio, statistics.threshold, statistics.time, statistics.baseline_time),
            (None, None, None, None)
        );
        assert_eq!(statistics.jumpstart.unwrap().value, 5.0);
        let none = Curve::default();
        let input =
            TransferInput { method: &[&none], baseline: &[&flat], random: Some(0.0), frames: 1e5, source_frames: 0.0 };
        assert_eq!(transfer(&input), None);
    }

    #[test]
    fn without_the_return_of_random_actions_nothing_is_measured_from_it() {
        let baseline = curve(-100.0, |frames| -100.0 + frames / 100.0);
        // The first point may hold episodes of the learning agent.
        let mixed = Curve::new(baseline.points().iter().copied());
        let measured = |method: &[&Curve], random| {
            transfer(&TransferInput { method, baseline: &[&baseline], random, frames: 1e5, source_frames: 0.0 })
                .unwrap()
        };
        let measures = measured(&[&baseline, &mixed], Some(-100.0));
        assert_eq!(measures.jumpstart, None, "it is not known where the random episodes of a run end");
        assert!(measures.area_ratio.is_some() && measures.time.is_some());
        let measures = measured(&[&baseline], None);
        assert_eq!(measures.jumpstart.unwrap().value, 0.0);
        assert_eq!((measures.area_ratio, measures.threshold, measures.time), (None, None, None));
    }

    #[test]
    fn sources_that_trained_longer_than_the_run_leave_nothing() {
        let rising = curve(0.0, |frames| frames);
        let statistics = measured(&rising, &rising, 1e6);
        assert_eq!(statistics.area_ratio.unwrap().value, 0.0);
        assert_eq!(statistics.area_ratio_with_sources.unwrap().value, -1.0);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20))]
        #[test]
        fn counting_sources_never_helps_and_scales_do_not_matter(
            lead in 0.0..500.0f64, scale in 0.1..10.0f64, shift in -1e3..1e3f64, source_frames in 0.0..2e5f64,
        ) {
            let make = |lead: f64, scale: f64, shift: f64| {
                curve(shift, move |frames| shift + scale * (lead + frames / 100.0))
            };
            let plain = measured(&make(lead, 1.0, 0.0), &make(0.0, 1.0, 0.0), source_frames);
            let other = measured(&make(lead, scale, shift), &make(0.0, scale, shift), source_frames);
            let ratio = plain.area_ratio.unwrap().value;
            prop_assert!((ratio - other.area_ratio.unwrap().value).abs() < 1e-6 * (1.0 + ratio));
            prop_assert!(plain.area_ratio_with_sources.unwrap().value <= ratio + 1e-12);
            prop_assert!((other.jumpstart.unwrap().value - scale * lead).abs() < 1e-6 * (1.0 + scale * lead));
            prop_assert!(plain.time.unwrap() <= plain.baseline_time.unwrap());
        }
    }
}
