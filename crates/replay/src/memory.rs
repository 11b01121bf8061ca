//! The replay memory: the newest episodes within a byte budget, and windows drawn from them.
//!
//! Here: adding, dropping, counting and sampling. Not here: files (`folder`, `file`).

use std::collections::VecDeque;

use random::Stream;

use crate::error::ReplayError;
use crate::{Batch, Episode, IMAGE_BYTES, LARGEST_ACTION, Window, transition_bytes};

/// Episodes in the order in which they were collected, at most `budget` bytes of them.
///
/// When an episode is added, the oldest ones are dropped until all fit: from memory, never from disk.
#[derive(Clone, Debug)]
pub struct Replay {
    episodes: VecDeque<Episode>,
    action_size: usize,
    budget: u64,
    bytes: u64,
    /// How many were dropped: the number of the oldest.
    dropped: u64,
    /// Indices of the episodes long enough for the current window; kept to be reused.
    eligible: Vec<usize>,
}

/// Counts of a [`Replay`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReplayStats {
    /// Episodes in memory.
    pub episodes: usize,
    /// Their transitions.
    pub transitions: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Most bytes they may have.
    pub budget: u64,
    /// Those among them that are too short for the window asked about: sampling passes them over.
    pub too_short: usize,
}

impl Replay {
    /// An empty memory for episodes of `action_size`, of at most `budget` bytes.
    ///
    /// # Errors
    /// If no episode can have that action size.
    pub fn new(action_size: usize, budget: u64) -> Result<Self, ReplayError> {
        if action_size == 0 || action_size > LARGEST_ACTION {
            return Err(ReplayError::NoAction { action_size });
        }
        Ok(Self { episodes: VecDeque::new(), action_size, budget, bytes: 0, dropped: 0, eligible: Vec::new() })
    }

    /// Adds the newest episode and drops the oldest ones that there is no room for any more.
    ///
    /// # Errors
    /// If its action size is another, or it is larger than the whole budget; the memory is then as it was.
    pub fn add(&mut self, episode: Episode) -> Result<(), ReplayError> {
        if episode.action_size() != self.action_size {
            let (task, found) = (episode.task().to_owned(), episode.action_size());
            return Err(ReplayError::ActionSize { path: None, task, expected: self.action_size, found });
        }
        let bytes = episode.bytes();
        if bytes > self.budget {
            return Err(ReplayError::Budget { path: None, bytes, budget: self.budget });
        }
        while self.bytes > self.budget - bytes
            && let Some(oldest) = self.episodes.pop_front()
        {
            self.bytes -= oldest.bytes();
            self.dropped += 1;
        }
        self.bytes += bytes;
        self.episodes.push_back(episode);
        Ok(())
    }

    /// The episodes in memory, oldest first.
    pub fn episodes(&self) -> impl DoubleEndedIterator<Item = &Episode> + ExactSizeIterator {
        self.episodes.iter()
    }

    /// The number of the oldest episode in memory. Episodes are numbered from 0 in the order in which they were added.
    pub fn oldest(&self) -> u64 {
        self.dropped
    }

    /// The episode with this number, if it is in memory.
    pub fn episode(&self, number: u64) -> Option<&Episode> {
        self.episodes.get(usize::try_from(number.checked_sub(self.dropped)?).ok()?)
    }

    /// Action size of the episodes.
    pub fn action_size(&self) -> usize {
        self.action_size
    }

    /// Counts, with those too short for windows of `length` transitions.
    pub fn stats(&self, length: usize) -> ReplayStats {
        ReplayStats {
            episodes: self.episodes.len(),
            transitions: self.bytes / transition_bytes(self.action_size) as u64,
            bytes: self.bytes,
            budget: self.budget,
            too_short: self.episodes.iter().filter(|episode| episode.len() < length).count(),
        }
    }

    /// Fills `batch` with `batch.batch` windows of `batch.length` transitions.
    ///
    /// Each window is of an episode drawn uniformly among those with at least that many transitions, from a start drawn
    /// uniformly among all starts from which the window fits. What is drawn depends on `random` and the episodes alone.
    /// Nothing is allocated unless the batch, or the memory, has grown since the last call.
    ///
    /// # Errors
    /// If the batch is empty or beyond any memory, or no episode is long enough; nothing is drawn then.
    pub fn sample(&mut self, random: &mut Stream, batch: &mut Batch) -> Result<(), ReplayError> {
        let length = batch.length;
        if batch.batch == 0 || length == 0 {
            return Err(ReplayError::EmptyBatch { batch: batch.batch, length });
        }
        self.eligible.clear();
        let long_enough = self.episodes.iter().enumerate().filter(|(_, episode)| episode.len() >= length);
        self.eligible.extend(long_enough.map(|(index, _)| index));
        if self.eligible.is_empty() {
            let longest = self.episodes.iter().map(Episode::len).max().unwrap_or(0);
            return Err(ReplayError::NoneLongEnough { episodes: self.episodes.len(), length, longest });
        }
        let transitions = batch.batch.checked_mul(length);
        let bytes = transitions.and_then(|transitions| transitions.checked_mul(transition_bytes(self.action_size)));
        if bytes.is_none_or(|bytes| bytes > isize::MAX as usize) {
            return Err(ReplayError::HugeBatch { batch: batch.batch, length });
        }
        batch.fit(self.action_size);
        for window in 0..batch.batch {
            let index = self.eligible[random.below(self.eligible.len())];
            let episode = &self.episodes[index];
            let start = random.below(episode.len() - length + 1);
            batch.windows.push(Window { episode: self.dropped + index as u64, start });
            copy_window(&mut batch.image, window, episode.image(), start, length, IMAGE_BYTES);
            copy_window(&mut batch.action, window, episode.action(), start, length, self.action_size);
            copy_window(&mut batch.reward, window, episode.reward(), start, length, 1);
            copy_window(&mut batch.discount, window, episode.discount(), start, length, 1);
        }
        Ok(())
    }
}

/// Copies `length` transitions of `size` values each, from transition `start` on, to window `window` of a batch.
fn copy_window<T: Copy>(to: &mut [T], window: usize, from: &[T], start: usize, length: usize, size: usize) {
    let values = length * size;
    to[window * values..(window + 1) * values].copy_from_slice(&from[start * size..start * size + values]);
}
