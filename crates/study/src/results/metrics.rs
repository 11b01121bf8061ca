//! `metrics.jsonl` for comparisons: returns, how much a meta-model reads from its sources, and time.
//!
//! An incomplete last line belongs to a running run and is ignored. Other invalid lines are counted and reported.

use super::line::{LATENT_USE, Line, SOURCE_USE};
use super::opening::FirstLine;
use super::shares::shares;
use super::{Clock, Series, SourceUse};
use crate::statistics::{Curve, Point};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

/// The most bytes of a line that are read; a run's lines have some thousands.
const LONGEST_LINE: u64 = 1 << 20;

/// The most bytes of a file that are read: millions of lines.
const LONGEST_FILE: u64 = 1 << 30;

/// The metrics of a run.
#[derive(Debug, Default)]
pub struct Metrics {
    /// The returns of each requested task.
    pub series: Vec<Series>,
    /// The inputs of a meta-model.
    pub source_use: Vec<SourceUse>,
    /// Frames of the last line; none of a file without lines.
    pub frames: Option<u64>,
    /// The first line with training returns.
    pub first: Option<FirstLine>,
    /// Seconds worked.
    pub seconds: Option<f64>,
    /// Gradient steps and seconds at each line.
    pub clock: Clock,
    /// Problems with reading.
    pub problems: Vec<String>,
}

/// Reads the metrics of a run of `tasks`; empty if there is no file yet.
pub fn read_metrics(path: &Path, tasks: &[String]) -> Option<Metrics> {
    let file = match files::open_file(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return None,
        Err(error) => {
            return Some(Metrics { problems: vec![format!("{}: {error}", path.display())], ..Metrics::default() });
        }
    };
    let mut metrics = decode_metrics(BufReader::new(file), tasks);
    metrics.problems.iter_mut().for_each(|problem| problem.insert_str(0, &format!("{}: ", path.display())));
    Some(metrics)
}

/// Reads the content of a metrics file of a run of `tasks`.
pub fn decode_metrics(file: impl BufRead, tasks: &[String]) -> Metrics {
    let mut reading = Reading::new(tasks);
    let mut file = file.take(LONGEST_FILE);
    let end = reading.all(&mut file);
    let mut metrics = reading.done();
    metrics.problems.extend(end.err().map(|error| error.to_string()));
    // Lines beyond the limit are reported as left out.
    file.set_limit(1);
    if file.fill_buf().is_ok_and(|rest| !rest.is_empty()) {
        let most = wording::bytes(LONGEST_FILE);
        metrics.problems.push(format!("it is larger than {most}, and only its first {most} are read"));
    }
    metrics
}

/// A file that is being read.
struct Reading<'a> {
    tasks: &'a [String],
    training: Vec<Vec<Point>>,
    evaluation: Vec<Vec<Point>>,
    source_use: BTreeMap<(bool, String), Vec<(f64, f64)>>,
    /// Training episodes so far, of all tasks.
    episodes: f64,
    /// Frames at the last line with training returns.
    trained: u64,
    first: Option<FirstLine>,
    /// The first line whose episodes could not be divided among the tasks, and how many such lines there are.
    undivided: Option<(u64, u64)>,
    frames: Option<u64>,
    seconds: Option<f64>,
    clock: Clock,
    /// The first line that is none, and how many are.
    broken: Option<(u64, u64)>,
}

impl<'a> Reading<'a> {
    fn new(tasks: &'a [String]) -> Self {
        Self {
            tasks,
            training: vec![Vec::new(); tasks.len()],
            evaluation: vec![Vec::new(); tasks.len()],
            source_use: BTreeMap::new(),
            episodes: 0.0,
            trained: 0,
            first: None,
            undivided: None,
            frames: None,
            seconds: None,
            clock: Clock::default(),
            broken: None,
        }
    }

    fn all(&mut self, mut file: impl BufRead) -> std::io::Result<()> {
        let mut text = Vec::new();
        for number in 1.. {
            text.clear();
            (&mut file).take(LONGEST_LINE).read_until(b'\n', &mut text)?;
            if text.last() != Some(&b'\n') {
                if text.len() as u64 == LONGEST_LINE {
                    return Err(std::io::Error::other(format!("line {number} is longer than {LONGEST_LINE} bytes")));
                }
                return Ok(());
            }
            let line: Option<Line<'_>> = serde_json::from_slice(&text).ok();
            match line.as_ref().and_then(|line| Some((line, line.step?))) {
                Some((line, step)) => self.line(number, step, line),
                None => count(&mut self.broken, number),
            }
        }
        Ok(())
    }

    fn line(&mut self, place: u64, step: u64, line: &Line<'_>) {
        self.frames = self.frames.max(Some(step));
        let (frames, number) = (step as f64, |name: &str| line.number(name));
        self.seconds = number("seconds").or(self.seconds);
        self.clock.add(frames, number("updates"), number("seconds"), number("cpu_seconds"));
        let (mut trained, mut evaluated) = (Vec::new(), Vec::new());
        for (index, task) in self.tasks.iter().enumerate() {
            // Metrics of a run of one task are without its name.
            let of_task = |name: &str| number(&format!("{name}/{task}")).or_else(|| number(name));
            trained.extend(of_task("train_return").map(|value| (index, value, of_task("train_length"))));
            evaluated.extend(of_task("eval_return").map(|value| (index, value)));
        }
        if !trained.is_empty() {
            let lengths: Option<Vec<f64>> = trained.iter().map(|(_, _, length)| *length).collect();
            let round = lengths.as_ref().map(|lengths| lengths.iter().sum());
            self.first = self.first.or(Some(FirstLine { frames, updates: number("updates"), round }));
            // The episodes since the line before. Without that number, each mean counts as one.
            let so_far = number("episodes").filter(|count| *count > self.episodes);
            let since = so_far.map(|count| count - self.episodes);
            let divided = since.map(|since| self.divided(place, step, since, trained.len(), lengths.as_deref()));
            self.episodes = so_far.unwrap_or(self.episodes);
            self.trained = step;
            for (at, (index, value, _)) in trained.into_iter().enumerate() {
                let episodes = divided.as_ref().map_or(1.0, |divided| divided[at]);
                self.training[index].push(Point { frames, value, episodes });
            }
        }
        for (index, value) in evaluated {
            self.evaluation[index].push(Point { frames, value, episodes: 1.0 });
        }
        for (name, value) in line.numbers() {
            let latent = name.strip_prefix(LATENT_USE).map(|name| (true, name));
            if let Some((latent, name)) = latent.or_else(|| Some((false, name.strip_prefix(SOURCE_USE)?))) {
                self.source_use.entry((latent, name.to_owned())).or_default().push((frames, value));
            }
        }
    }

    /// The number of episodes of each of `tasks` tasks among the `episodes` episodes since the last line. If the line
    /// does not record it, equally many, and a problem.
    fn divided(&mut self, place: u64, step: u64, episodes: f64, tasks: usize, lengths: Option<&[f64]>) -> Vec<f64> {
        if tasks == 1 {
            return vec![episodes];
        }
        let frames = step.saturating_sub(self.trained);
        let whole = lengths.filter(|_| episodes.fract() == 0.0);
        if let Some(counts) = whole.and_then(|lengths| shares(episodes as u64, frames, lengths)) {
            return counts.into_iter().map(|count| count as f64).collect();
        }
        count(&mut self.undivided, place);
        vec![episodes / tasks as f64; tasks]
    }

    fn done(self) -> Metrics {
        let curves = self.tasks.iter().zip(self.training).zip(self.evaluation);
        let series = curves.map(|((task, training), evaluation)| Series {
            task: task.clone(),
            training: Curve::new(training),
            evaluation: Curve::new(evaluation),
        });
        let uses = self.source_use.into_iter();
        let source_use = uses.map(|((latent, name), points)| SourceUse { name, latent, points }).collect();
        let lines = |(first, count): (u64, u64)| match count {
            1 => format!("line {first}"),
            2 => format!("line {first} and 1 other"),
            count => format!("line {first} and {} others", count - 1),
        };
        let broken = self.broken.map(|it| format!("{}: not metrics, ignored", lines(it)));
        let undivided = self.undivided.map(|it| {
            format!(
                "{}: the number of episodes of each task is not recorded, so the report assumes the same number for \
                 every task",
                lines(it)
            )
        });
        Metrics {
            series: series.collect(),
            source_use,
            frames: self.frames,
            first: self.first,
            seconds: self.seconds,
            clock: self.clock,
            problems: broken.into_iter().chain(undivided).collect(),
        }
    }
}

/// Counts one more line, and keeps the number of the first.
fn count(lines: &mut Option<(u64, u64)>, number: u64) {
    *lines = lines.map_or(Some((number, 1)), |(first, count)| Some((first, count + 1)));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &[u8], tasks: &[&str]) -> Metrics {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metrics.jsonl");
        std::fs::write(&path, text).unwrap();
        read_metrics(&path, &tasks.iter().map(|task| (*task).to_owned()).collect::<Vec<_>>()).unwrap()
    }

    fn values(curve: &Curve) -> Vec<(f64, f64, f64)> {
        curve.points().iter().map(|point| (point.frames, point.value, point.episodes)).collect()
    }

    #[test]
    fn returns_weigh_as_many_episodes_as_they_are_of() {
        let metrics = read(
            b"{\"step\":5000,\"train_return\":-9.5,\"episodes\":5.0,\"seconds\":3.5}\n\
              {\"step\":5000,\"eval_return\":1.0}\n{\"step\":6000,\"kl\":3.0}\n\
              {\"step\":8000,\"train_return\":2.0,\"episodes\":8.0,\"seconds\":null}\n",
            &["ant"],
        );
        assert_eq!(values(&metrics.series[0].training), [(5000.0, -9.5, 5.0), (8000.0, 2.0, 3.0)]);
        assert_eq!(values(&metrics.series[0].evaluation), [(5000.0, 1.0, 1.0)]);
        assert_eq!((metrics.frames, metrics.seconds), (Some(8000), Some(3.5)));
        assert!(metrics.problems.is_empty(), "{:?}", metrics.problems);
    }

    #[test]
    fn each_of_several_tasks_has_its_own_returns() {
        let metrics = read(
            b"{\"step\":4000,\"train_return/ant\":1.0,\"train_return/hopper\":2.0,\"episodes\":4}\n\
              {\"step\":5000,\"train_return/ant\":3.0,\"episodes\":5,\"eval_return/hopper\":7}\n",
            &["hopper", "ant"],
        );
        assert_eq!(values(&metrics.series[0].training), [(4000.0, 2.0, 2.0)]);
        assert_eq!(values(&metrics.series[1].training), [(4000.0, 1.0, 2.0), (5000.0, 3.0, 1.0)]);
        assert_eq!(values(&metrics.series[0].evaluation), [(5000.0, 7.0, 1.0)]);
    }

    #[test]
    fn tasks_whose_episodes_end_early_are_counted_with_as_many_as_they_had() {
        // The prefill collects 5000 frames of each task: 5 episodes of 1000, and 57 of 88 in the mean. Then they take turns.
        let metrics = read(
            b"{\"step\":10016,\"train_return/ant\":1.0,\"train_length/ant\":1000,\"train_return/hopper\":2.0,\
              \"train_length/hopper\":88,\"episodes\":62}\n\
              {\"step\":12116,\"train_return/ant\":3.0,\"train_length/ant\":1000,\"train_return/hopper\":9.0,\
              \"train_length/hopper\":50,\"episodes\":66}\n",
            &["ant", "hopper"],
        );
        assert_eq!(values(&metrics.series[0].training), [(10016.0, 1.0, 5.0), (12116.0, 3.0, 2.0)]);
        assert_eq!(values(&metrics.series[1].training), [(10016.0, 2.0, 57.0), (12116.0, 9.0, 2.0)]);
        assert!(metrics.problems.is_empty(), "{:?}", metrics.problems);
    }

    #[test]
    fn episodes_of_unknown_tasks_are_counted_equally_with_a_note() {
        let metrics = read(
            b"{\"step\":4000,\"train_return/ant\":1.0,\"train_return/hopper\":2.0,\"episodes\":4}\n",
            &["ant", "hopper"],
        );
        assert_eq!(values(&metrics.series[0].training), [(4000.0, 1.0, 2.0)]);
        let [problem] = metrics.problems.as_slice() else { panic!("{:?}", metrics.problems) };
        assert!(problem.contains("line 1: the number of episodes of each task"), "{problem}");
    }

    #[test]
    fn the_inputs_of_a_meta_model_are_stored_by_source() {
        let metrics = read(
            b"{\"step\":1,\"reward_source_use/a\":0.5,\"reward_latent_use/stoch\":0.25}\n\
              {\"step\":2,\"reward_source_use/a\":0.75,\"reward_source_use/b\":null}\n",
            &["ant"],
        );
        let expected = [("a", false, vec![(1.0, 0.5), (2.0, 0.75)]), ("stoch", true, vec![(1.0, 0.25)])];
        let read: Vec<_> =
            metrics.source_use.iter().map(|used| (used.name.as_str(), used.latent, used.points.clone())).collect();
        assert_eq!(read, expected);
    }

    #[test]
    fn a_file_cut_off_anywhere_is_read_as_far_as_it_is_whole() {
        let text = b"{\"step\":1000,\"train_return\":1.5}\n{\"step\":2000,\"train_return\":2.5}\n";
        for length in 0..=text.len() {
            let metrics = read(&text[..length], &["ant"]);
            let whole = text[..length].iter().filter(|byte| **byte == b'\n').count();
            assert_eq!(metrics.series[0].training.points().len(), whole);
            assert!(metrics.problems.is_empty(), "{:?}", metrics.problems);
        }
    }

    #[test]
    fn invalid_lines_are_reported_and_the_others_read() {
        let text = b"{\"step\":1000,\"train_return\":1.0}\nNaN\n\xff\xfe\n[]\n{\"step\":-1}\n\
            {\"step\":2000,\"train_return\":null}\n{\"step\":3000,\"train_return\":\"x\"}\n{\"step\":4000,\"train_return\":4}\n";
        let metrics = read(text, &["ant"]);
        assert_eq!(values(&metrics.series[0].training), [(1000.0, 1.0, 1.0), (4000.0, 4.0, 1.0)]);
        let [problem] = metrics.problems.as_slice() else { panic!("{:?}", metrics.problems) };
        assert!(problem.contains("metrics.jsonl: line 2 and 3 others"), "{problem}");
        let long = [b"{\"step\":1,\"train_return\":1}\n".as_slice(), &vec![b'x'; 2 << 20]].concat();
        let metrics = read(&long, &["ant"]);
        assert!(metrics.problems[0].contains("line 2 is longer") && metrics.series[0].training.points().len() == 1);
    }

    #[test]
    fn without_a_file_there_are_no_metrics() {
        let folder = tempfile::tempdir().unwrap();
        assert!(read_metrics(&folder.path().join("metrics.jsonl"), &[]).is_none());
        let metrics = read_metrics(folder.path(), &[]).unwrap();
        assert_eq!(metrics.problems.len(), 1, "a folder is no file: {:?}", metrics.problems);
    }
}
