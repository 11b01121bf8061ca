//! Before the first gradient step: the fractions of a transfer that the random episodes decide.

use super::Run;
use super::standardise::random_episodes;
use crate::TrainError;
use crate::agent::Trainable;
use crate::beginning::recorded_transfer;
use crate::events::Event;
use replay::CompressedEpisode;
use transfer::{Sources, write_report};

impl<L: Trainable> Run<'_, L> {
    /// Checks that the sources are there whose fractions are still to be fitted: not only when the random episodes were collected.
    ///
    /// # Errors
    /// [`TrainError::FitNeedsSources`] if one is not, or is another one by now.
    pub(super) fn check_sources_of_fit(&self) -> Result<(), TrainError> {
        if self.is_to_fit()
            && let Some((plan, _)) = recorded_transfer(self.folder.root())?
        {
            Sources::open(&plan).map_err(|error| TrainError::FitNeedsSources(Box::new(error)))?;
        }
        Ok(())
    }

    fn is_to_fit(&self) -> bool {
        self.fits && !self.position.fitted && self.position.updates == 0
    }

    /// Fits the fractions of the transfer with which the run began, unless that is done or none is to be fitted. The sources are those
    /// that the record in the run's folder names, so that a run which was stopped among its random episodes does the same.
    pub(super) fn fit_fractions(&mut self) -> Result<(), TrainError> {
        if !self.is_to_fit() {
            return Ok(());
        }
        let root = self.folder.root().to_owned();
        let Some((plan, mut report)) = recorded_transfer(&root)? else { return Ok(()) };
        let sources = Sources::open(&plan).map_err(|error| TrainError::FitNeedsSources(Box::new(error)))?;
        self.agent.sync_from_device()?;
        let random = random_episodes(&self.replay, &self.position);
        let mut episodes = random.into_iter().map(CompressedEpisode::decompress);
        self.agent.fit_fractions(&plan, &sources, &mut episodes, &mut report)?;
        if let Some(device) = self.device {
            self.agent.move_to(device)?;
        }
        // Before it is noted: a run that is stopped here fits once more, and writes the same.
        write_report(&root, &report)?;
        self.position.fitted = true;
        self.reporter.event(&Event::Fitted { report: &report });
        Ok(())
    }
}
