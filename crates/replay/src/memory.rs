//! The replay memory: the newest episodes within a byte budget, and windows drawn from them.
//!
//! Here: adding, dropping, counting and sampling. Not here: files (`folder`, `file`), how an episode is compressed
//! (`compressed`), and where windows begin (`starts`).

use std::collections::VecDeque;
use std::path::Path;

use random::Stream;
use rayon::prelude::*;

use crate::error::ReplayError;
use crate::starts::Candidate;
use crate::{Batch, CompressedEpisode, Episode, IMAGE_BYTES, LARGEST_ACTION, Rehearsal, Sizes, Window, WindowStarts};

/// The largest uncompressed episode that a replay memory accepts with any budget, in bytes: 87 000 transitions. With a
/// larger budget, it accepts episodes up to that budget. Episode files are decompressed as a whole, so this limits the
/// memory that opening a folder needs.
pub const LARGEST_EPISODE: u64 = 1 << 30;

/// Episodes in the order in which they were collected, at most `budget` bytes of them.
///
/// Their images are compressed ([`CompressedEpisode`]); the budget counts the bytes that are really held. When an episode
/// is added, the oldest ones are dropped until all fit: from memory, never from disk.
#[derive(Clone, Debug)]
pub struct Replay {
    episodes: VecDeque<CompressedEpisode>,
    sizes: Sizes,
    budget: u64,
    bytes: u64,
    transitions: u64,
    /// How many were dropped: the number of the oldest.
    dropped: u64,
    /// Episodes long enough for the current window; kept to be reused.
    candidates: Vec<Candidate>,
}

/// Counts of a [`Replay`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReplayStats {
    /// Episodes in memory.
    pub episodes: usize,
    /// Their transitions.
    pub transitions: u64,
    /// The bytes that they occupy, compressed.
    pub bytes: u64,
    /// The most bytes that they may occupy.
    pub budget: u64,
    /// Episodes in memory that are too short for the requested window, which sampling skips.
    pub too_short: usize,
    /// Older episodes that are no longer in memory, or were never loaded, because the budget is full.
    pub dropped: u64,
}

impl Replay {
    /// An empty memory for episodes whose transitions have these sizes, of at most `budget` bytes.
    ///
    /// # Errors
    /// If no episode can have that action size.
    pub fn new(sizes: impl Into<Sizes>, budget: u64) -> Result<Self, ReplayError> {
        Self::after(sizes.into(), budget, 0)
    }

    /// As [`Replay::new`], for the episodes after the first `dropped` ones.
    pub(crate) fn after(sizes: Sizes, budget: u64, dropped: u64) -> Result<Self, ReplayError> {
        if sizes.action == 0 || sizes.action > LARGEST_ACTION {
            return Err(ReplayError::NoAction { action_size: sizes.action });
        }
        let (episodes, candidates) = (VecDeque::new(), Vec::new());
        Ok(Self { episodes, sizes, budget, bytes: 0, transitions: 0, dropped, candidates })
    }

    /// Compresses and adds the newest episode, and drops the oldest ones until all fit into the budget.
    ///
    /// # Errors
    /// If its transitions have other sizes, or it is larger than the whole budget; the memory is then as it was.
    pub fn add(&mut self, episode: Episode) -> Result<(), ReplayError> {
        check_sizes(&self.sizes, &episode, None)?;
        check_uncompressed(episode.bytes(), self.budget, None)?;
        self.push(CompressedEpisode::new(episode))
    }

    /// As [`Replay::add`], for an episode of the memory's sizes that is compressed already.
    pub(crate) fn push(&mut self, episode: CompressedEpisode) -> Result<(), ReplayError> {
        let bytes = episode.bytes();
        if bytes > self.budget {
            return Err(ReplayError::Budget { path: None, bytes, budget: self.budget });
        }
        while self.bytes > self.budget - bytes
            && let Some(oldest) = self.episodes.pop_front()
        {
            self.bytes -= oldest.bytes();
            self.transitions -= oldest.len() as u64;
            self.dropped += 1;
        }
        self.bytes += bytes;
        self.transitions += episode.len() as u64;
        self.episodes.push_back(episode);
        Ok(())
    }

    /// The episodes in memory, oldest first.
    pub fn episodes(&self) -> impl DoubleEndedIterator<Item = &CompressedEpisode> + ExactSizeIterator {
        self.episodes.iter()
    }

    /// The number of the oldest episode in memory. Episodes are numbered from 0 in the order in which they were added;
    /// those that [`Replay::open`] passed over because the budget was full count too.
    pub fn oldest(&self) -> u64 {
        self.dropped
    }

    /// The episode with this number, if it is in memory.
    pub fn episode(&self, number: u64) -> Option<&CompressedEpisode> {
        self.episodes.get(usize::try_from(number.checked_sub(self.dropped)?).ok()?)
    }

    /// The sizes of its episodes' transitions.
    pub fn sizes(&self) -> Sizes {
        self.sizes
    }

    /// Counts, with those too short for windows of `length` transitions.
    pub fn stats(&self, length: usize) -> ReplayStats {
        ReplayStats {
            episodes: self.episodes.len(),
            transitions: self.transitions,
            bytes: self.bytes,
            budget: self.budget,
            too_short: self.episodes.iter().filter(|episode| episode.len() < length).count(),
            dropped: self.dropped,
        }
    }

    /// Fills `batch` with `batch.batch` sequences of `batch.length` transitions, drawn by the rule `starts`.
    ///
    /// The sample depends only on `random` and the episodes, not on the number of threads. Images are decompressed on
    /// the current thread pool. Nothing is allocated unless the batch or the replay memory has grown since the last
    /// call.
    ///
    /// # Errors
    /// If the batch is empty or beyond any memory, or no episode is long enough; nothing is drawn then.
    pub fn sample(&mut self, random: &mut Stream, starts: WindowStarts, batch: &mut Batch) -> Result<(), ReplayError> {
        self.sample_mixed(random, starts, batch, None).map(|_| ())
    }

    /// As [`Replay::sample`], with a share of the sequences from the episodes of another run. Which sequences these
    /// are, and where they begin, is drawn from a stream of their own. Returns how many there are.
    ///
    /// # Errors
    /// As [`Replay::sample`], for either memory.
    pub fn sample_rehearsing(
        &mut self,
        random: &mut Stream,
        starts: WindowStarts,
        batch: &mut Batch,
        (rehearsal, of_rehearsal): (&mut Rehearsal, &mut Stream),
    ) -> Result<usize, ReplayError> {
        self.sample_mixed(random, starts, batch, Some((rehearsal, of_rehearsal)))
    }

    fn sample_mixed(
        &mut self,
        random: &mut Stream,
        starts: WindowStarts,
        batch: &mut Batch,
        mut rehearsal: Option<(&mut Rehearsal, &mut Stream)>,
    ) -> Result<usize, ReplayError> {
        let length = batch.length;
        if batch.batch == 0 || length == 0 {
            return Err(ReplayError::EmptyBatch { batch: batch.batch, length });
        }
        self.list_candidates(starts, length)?;
        if let Some((rehearsal, _)) = &mut rehearsal {
            rehearsal.memory.list_candidates(starts, length)?;
        }
        let transitions = batch.batch.checked_mul(length);
        let bytes = transitions.and_then(|transitions| transitions.checked_mul(self.sizes.bytes()));
        if bytes.is_none_or(|bytes| bytes > isize::MAX as usize) {
            return Err(ReplayError::HugeBatch { batch: batch.batch, length });
        }
        batch.fit(&self.sizes);
        if starts == WindowStarts::Stream {
            batch.first.resize(batch.batch * length, 0.0);
            batch.first.fill(0.0);
        }
        let mut count = 0;
        for sequence in 0..batch.batch {
            let rehearsed = match &mut rehearsal {
                Some((rehearsal, random)) => random.uniform() < rehearsal.share,
                None => false,
            };
            let (memory, random) = match &mut rehearsal {
                Some((rehearsal, random)) if rehearsed => (&rehearsal.memory, &mut **random),
                _ => (&*self, &mut *random),
            };
            let (index, start) = starts.draw(&memory.candidates, length, random);
            memory.copy_numbers(batch, sequence * length, (index, start), rehearsed);
            count += usize::from(rehearsed);
        }
        if self.sizes.image() == 0 {
            return Ok(count);
        }
        let others = rehearsal.as_ref().map_or(&*self, |(rehearsal, _)| &rehearsal.memory);
        let images = batch.image.par_chunks_exact_mut(length * IMAGE_BYTES);
        let windows = &batch.windows;
        images.enumerate().for_each(|(sequence, images)| {
            let (begin, end) = (sequence * length, (sequence + 1) * length);
            let first = windows.partition_point(|window| window.place < begin);
            for window in windows[first..].iter().take_while(|window| window.place < end) {
                let memory = if window.rehearsed { others } else { &*self };
                let episode = &memory.episodes[(window.episode - memory.dropped) as usize];
                let images = &mut images[(window.place - begin) * IMAGE_BYTES..][..window.length * IMAGE_BYTES];
                episode.copy_images(window.start..window.start + window.length, images);
            }
        });
        Ok(count)
    }

    /// Lists the episodes that windows of `length` transitions can begin in.
    fn list_candidates(&mut self, starts: WindowStarts, length: usize) -> Result<(), ReplayError> {
        starts.list(self.episodes.iter().map(CompressedEpisode::len), length, &mut self.candidates);
        if self.candidates.is_empty() {
            let longest = self.episodes.iter().map(CompressedEpisode::len).max().unwrap_or(0);
            return Err(ReplayError::NoneLongEnough { episodes: self.episodes.len(), length, longest });
        }
        Ok(())
    }

    /// Copies all but the images of a sequence to the transitions from `place` on of a batch. It begins at a transition of the
    /// episode with an index, and continues in those after it.
    fn copy_numbers(&self, batch: &mut Batch, place: usize, (mut index, mut start): (usize, usize), rehearsed: bool) {
        let mut copied = 0;
        while copied < batch.length {
            let episode = &self.episodes[index];
            let length = (batch.length - copied).min(episode.len() - start);
            let window =
                Window { episode: self.dropped + index as u64, start, length, place: place + copied, rehearsed };
            copy_window(&mut batch.vector, &window, episode.vector(), self.sizes.vector());
            copy_window(&mut batch.action, &window, episode.action(), self.sizes.action);
            copy_window(&mut batch.reward, &window, episode.reward(), 1);
            copy_window(&mut batch.discount, &window, episode.discount(), 1);
            if start == 0
                && let Some(first) = batch.first.get_mut(window.place)
            {
                *first = 1.0;
            }
            batch.windows.push(window);
            (index, start, copied) = (index + 1, 0, copied + length);
        }
    }
}

/// Refuses an episode, perhaps from the file at `path`, whose transitions have other sizes than `sizes`.
pub(crate) fn check_sizes(sizes: &Sizes, episode: &Episode, path: Option<&Path>) -> Result<(), ReplayError> {
    let (task, path) = (episode.task().to_owned(), path.map(Path::to_owned));
    let found = episode.sizes();
    if found.action != sizes.action {
        return Err(ReplayError::ActionSize { path, task, expected: sizes.action, found: found.action });
    }
    if found.observations != sizes.observations {
        let (expected, found) = (Box::new(sizes.observations), Box::new(found.observations));
        return Err(ReplayError::Observations { path, task, expected, found });
    }
    Ok(())
}

/// Refuses an episode, perhaps in the file at `path`, that is too large for a memory of this budget before it is even
/// compressed.
pub(crate) fn check_uncompressed(bytes: u64, budget: u64, path: Option<&Path>) -> Result<(), ReplayError> {
    let most = budget.max(LARGEST_EPISODE);
    if bytes > most {
        return Err(ReplayError::HugeEpisode { path: path.map(Path::to_owned), bytes, most });
    }
    Ok(())
}

/// Copies the transitions of a window, of `size` values each, from an episode to a batch.
fn copy_window<T: Copy>(to: &mut [T], window: &Window, from: &[T], size: usize) {
    let values = window.length * size;
    to[window.place * size..][..values].copy_from_slice(&from[window.start * size..][..values]);
}
