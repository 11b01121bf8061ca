//! Learning curves of single runs and of several runs.

use super::{deviation, mean};

/// Episodes of a run that are reported together.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// Environment frames of the run by the end of them; or the values of another axis.
    pub frames: f64,
    /// The mean of their returns.
    pub value: f64,
    /// How many there are.
    pub episodes: f64,
}

/// The returns of a run, in the order of its frames. All numbers are finite, and every point has episodes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Curve {
    points: Vec<Point>,
    /// Whether the first point is known to hold only episodes of random actions.
    random_first: bool,
}

impl Curve {
    /// A curve of these points. Points that are not finite or do not have episodes are left out, and the others are
    /// sorted. Whether the first point is of random actions is not known: see [`Curve::with_random_first`].
    pub fn new(points: impl IntoIterator<Item = Point>) -> Self {
        let usable = |point: &Point| point.frames.is_finite() && point.value.is_finite() && point.episodes.is_finite();
        let mut points: Vec<Point> = points.into_iter().filter(|point| usable(point) && point.episodes > 0.0).collect();
        points.sort_by(|a, b| a.frames.total_cmp(&b.frames));
        Self { points, random_first: false }
    }

    /// The same curve, if its first point is known to hold only episodes of random actions.
    #[must_use]
    pub fn with_random_first(self) -> Self {
        Self { random_first: true, ..self }
    }

    /// Its points.
    pub fn points(&self) -> &[Point] {
        &self.points
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.points.is_empty()
    }

    /// The random episodes with which a run begins: its first point. `None` if that point may also hold episodes of the
    /// learning agent.
    pub fn random(&self) -> Option<Point> {
        self.points.first().copied().filter(|_| self.random_first)
    }

    /// The episodes up to frame `to`: the state of a longer run when a shorter run ended. A point that reaches beyond
    /// `to` is left out.
    #[must_use]
    pub fn until(&self, to: f64) -> Self {
        let points: Vec<Point> = self.points.iter().take_while(|point| point.frames <= to).copied().collect();
        Self { points, random_first: self.random_first }
    }

    /// The mean return of all episodes that ended after frame `after`, and not after frame `to`.
    pub fn mean_between(&self, after: f64, to: f64) -> Option<f64> {
        let (mut sum, mut episodes) = (0.0, 0.0);
        // The points are sorted.
        let first = self.points.partition_point(|point| point.frames <= after);
        for point in self.points[first..].iter().take_while(|point| point.frames <= to) {
            sum += point.value * point.episodes;
            episodes += point.episodes;
        }
        (episodes > 0.0).then(|| sum / episodes)
    }

    /// The mean return of all episodes: "overall".
    pub fn overall(&self) -> Option<f64> {
        self.mean_between(f64::NEG_INFINITY, f64::INFINITY)
    }

    /// The mean of each of `bins` equal intervals of a run of `frames` frames. An interval in which no episode ended is
    /// interpolated between its neighbours; there are no values before the first and after the last episode. Episodes
    /// after `frames` belong to the last interval.
    pub fn binned(&self, frames: f64, bins: usize) -> Vec<Option<f64>> {
        let edge = |bin: usize| match bin {
            0 => f64::NEG_INFINITY,
            last if last == bins => f64::INFINITY,
            bin => frames * bin as f64 / bins as f64,
        };
        let mut means: Vec<Option<f64>> = (0..bins).map(|bin| self.mean_between(edge(bin), edge(bin + 1))).collect();
        let known: Vec<(usize, f64)> =
            means.iter().enumerate().filter_map(|(bin, value)| Some((bin, (*value)?))).collect();
        for pair in known.windows(2) {
            let ((from, a), (to, b)) = (pair[0], pair[1]);
            for bin in from + 1..to {
                means[bin] = Some(a + (b - a) * (bin - from) as f64 / (to - from) as f64);
            }
        }
        means
    }
}

/// Several runs at one place.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Band {
    /// Environment frames at the end of the piece; or the value of another axis.
    pub frames: f64,
    /// Mean over the runs that have come so far.
    pub mean: f64,
    /// Standard deviation over them; none of a single run.
    pub deviation: Option<f64>,
    /// How many they are.
    pub runs: usize,
}

/// Mean and deviation over runs, in each of `bins` equal pieces of `frames` frames that any run has reached.
pub fn band(curves: &[&Curve], frames: f64, bins: usize) -> Vec<Band> {
    let binned: Vec<Vec<Option<f64>>> = curves.iter().map(|curve| curve.binned(frames, bins)).collect();
    let piece = |bin: usize| {
        let values: Vec<f64> = binned.iter().filter_map(|run| run[bin]).collect();
        let end = frames * (bin + 1) as f64 / bins as f64;
        Some(Band { frames: end, mean: mean(&values)?, deviation: deviation(&values), runs: values.len() })
    };
    (0..bins).filter_map(piece).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn point(frames: f64, value: f64, episodes: f64) -> Point {
        Point { frames, value, episodes }
    }

    fn line(values: &[f64]) -> Curve {
        Curve::new(values.iter().enumerate().map(|(index, value)| point(1000.0 * (index + 1) as f64, *value, 1.0)))
    }

    #[test]
    fn overall_and_final_are_means_over_episodes() {
        let curve = Curve::new([point(5000.0, -10.0, 5.0), point(6000.0, 20.0, 1.0), point(8000.0, 50.0, 2.0)]);
        assert_eq!(curve.overall(), Some((-50.0 + 20.0 + 100.0) / 8.0));
        assert_eq!(curve.mean_between(5000.0, 6000.0), Some(20.0));
        assert_eq!(curve.mean_between(8000.0, 9000.0), None);
        assert_eq!((Curve::default().overall(), Curve::default().with_random_first().random()), (None, None));
    }

    #[test]
    fn only_a_first_point_known_to_be_random_is_random() {
        let curve = line(&[-10.0, 20.0]);
        assert_eq!(curve.random(), None);
        assert_eq!(curve.with_random_first().random(), Some(point(1000.0, -10.0, 1.0)));
    }

    #[test]
    fn a_long_run_is_cut_where_a_short_one_ended() {
        let curve = Curve::new([point(5000.0, -10.0, 5.0), point(6000.0, 20.0, 1.0), point(8000.0, 50.0, 2.0)]);
        let cut = curve.clone().with_random_first().until(7000.0);
        assert_eq!(cut.points(), &curve.points()[..2]);
        assert_eq!(cut.random(), Some(point(5000.0, -10.0, 5.0)));
        assert_eq!(curve.until(8000.0), curve);
        assert!(curve.until(4999.0).is_empty());
    }

    #[test]
    fn nan_values_are_left_out() {
        let curve = Curve::new([
            point(3.0, 1.0, 1.0),
            point(1.0, f64::NAN, 1.0),
            point(2.0, f64::INFINITY, 1.0),
            point(f64::NAN, 4.0, 1.0),
            point(2.5, 4.0, 0.0),
            point(2.0, 5.0, 1.0),
        ]);
        assert_eq!(curve.points(), [point(2.0, 5.0, 1.0), point(3.0, 1.0, 1.0)]);
    }

    #[test]
    fn pieces_without_episodes_lie_between_their_neighbours() {
        let curve = Curve::new([point(2000.0, 0.0, 1.0), point(8000.0, 30.0, 1.0)]);
        let expected =
            [None, Some(0.0), Some(5.0), Some(10.0), Some(15.0), Some(20.0), Some(25.0), Some(30.0), None, None];
        assert_eq!(curve.binned(10_000.0, 10), expected);
        // The last episode of a run ends a little late.
        assert_eq!(curve.binned(7500.0, 2), [Some(0.0), Some(30.0)]);
    }

    #[test]
    fn a_band_goes_as_far_as_any_run() {
        let (long, short) = (line(&[1.0, 2.0, 3.0, 4.0]), line(&[3.0, 4.0]));
        let bands = band(&[&long, &short], 4000.0, 2);
        assert_eq!(bands[0], Band { frames: 2000.0, mean: 2.5, deviation: Some(2.0_f64.sqrt()), runs: 2 });
        assert_eq!(bands[1], Band { frames: 4000.0, mean: 3.5, deviation: None, runs: 1 });
        assert!(band(&[], 4000.0, 2).is_empty());
    }

    proptest! {
        #[test]
        fn the_grouping_of_episodes_does_not_matter(values in prop::collection::vec(-1e3..1e3f64, 1..60), group in 1usize..7) {
            // One by one, or `group` at once: the same overall return.
            let grouped = values.chunks(group).enumerate().map(|(index, chunk)| {
                let frames = (index * group + chunk.len()) as f64 * 1000.0;
                point(frames, mean(chunk).unwrap(), chunk.len() as f64)
            });
            let (one, many) = (line(&values).overall().unwrap(), Curve::new(grouped).overall().unwrap());
            prop_assert!((one - many).abs() < 1e-9 * (1.0 + one.abs()), "{} {}", one, many);
        }

        #[test]
        fn pieces_of_equal_length_average_to_the_whole(values in prop::collection::vec(-1e3..1e3f64, 1..30), bins in 1usize..9) {
            // Each piece has as many episodes as the others.
            let curve = line(&values.iter().flat_map(|value| vec![*value; bins]).collect::<Vec<_>>());
            let frames = 1000.0 * (values.len() * bins) as f64;
            let pieces: Option<Vec<f64>> = curve.binned(frames, bins).into_iter().collect();
            prop_assert!((mean(&pieces.unwrap()).unwrap() - mean(&values).unwrap()).abs() < 1e-8);
        }

        #[test]
        fn pieces_stay_among_the_values(
            places in prop::collection::vec((0.0..2e4f64, -1e3..1e3f64, 0.5..9.0f64), 1..40), bins in 1usize..50,
        ) {
            let curve = Curve::new(places.iter().map(|(frames, value, episodes)| point(*frames, *value, *episodes)));
            let (low, high) = places.iter().fold((f64::MAX, f64::MIN), |(low, high), p| (low.min(p.1), high.max(p.1)));
            let pieces = curve.binned(1e4, bins);
            prop_assert_eq!(pieces.len(), bins);
            prop_assert!(pieces.iter().flatten().all(|value| low - 1e-9 <= *value && *value <= high + 1e-9));
            let runs = band(&[&curve, &curve], 1e4, bins);
            prop_assert!(runs.iter().all(|band| band.runs == 2 && band.deviation.unwrap() < 1e-9));
        }
    }
}
