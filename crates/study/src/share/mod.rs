//! A store of finished runs, from which studies copy runs instead of training them again.
//!
//! A run is copied only if everything that its results depend on is the same ([`Identity`]): its settings, its seed,
//! the agents that it starts from, the program and the arithmetic. Runs are copied, so that a study and a store can
//! each be deleted. Here: [`Sharing`], what a launcher asks for. What a run is: `identity`; the folders of the store:
//! `store`; which program worked on a run: `ledger`.

mod identity;
mod ledger;
mod store;

pub use identity::Identity;
pub use store::Store;

use crate::StudyError;
use crate::copied::CopiedRun;
use crate::manifest::{Entry, Manifest};
use crate::status::is_finished;
use environment::Catalogue;
use identity::Identities;
use ledger::Ledger;
use std::path::Path;

/// The runs of a study and the store that they are shared in.
pub struct Sharing<'a> {
    /// The study's folder.
    folder: &'a Path,
    manifest: &'a Manifest,
    identities: Identities<'a>,
    ledger: Ledger,
    store: Option<Store>,
}

impl<'a> Sharing<'a> {
    /// The runs of a study in `folder`, which this `program` makes, on a GPU or not, and the store in `shared`. Without a store, it
    /// only records which program works on which run.
    ///
    /// # Errors
    /// If the program cannot be read, or the folder of the store cannot be made.
    pub fn new(
        catalogue: &'a dyn Catalogue,
        program: &Path,
        on_device: bool,
        folder: &'a Path,
        manifest: &'a Manifest,
        shared: Option<&Path>,
    ) -> Result<Self, StudyError> {
        let identities = Identities::new(catalogue, program, on_device, manifest)?;
        let store = shared.map(Store::open).transpose()?;
        Ok(Self { folder, manifest, identities, ledger: Ledger::of(folder), store })
    }

    /// Records that this program starts or resumes a run.
    ///
    /// # Errors
    /// If the record cannot be written.
    pub fn begin(&self, entry: &Entry) -> Result<(), StudyError> {
        self.ledger.begin(self.folder, entry, self.identities.of(entry.index).ok().as_ref())
    }

    /// How many of the runs that have not begun are in the store.
    pub fn found(&self) -> usize {
        self.manifest.entries.iter().filter(|entry| self.is_found(entry)).count()
    }

    /// Whether the store has a run that this study has not started yet.
    pub fn is_found(&self, entry: &Entry) -> bool {
        let Some((store, identity)) = self.place(entry) else { return false };
        !is_begun(self.folder, entry) && !self.gives_episodes(entry) && store.has(&identity)
    }

    /// Copies a run that this study has not started yet from the store; `None` if the store does not have it.
    ///
    /// # Errors
    /// If it is there, and damaged or cannot be copied. The run can then be trained.
    pub fn fetch(&self, entry: &Entry) -> Result<Option<CopiedRun>, StudyError> {
        let Some((store, identity)) = self.place(entry) else { return Ok(None) };
        if is_begun(self.folder, entry) || self.gives_episodes(entry) {
            return Ok(None);
        }
        let copied = store.fetch(&identity, &self.folder.join(&entry.folder), entry.steps)?;
        if copied.is_some() {
            self.ledger.set(entry, &identity)?;
        }
        Ok(copied)
    }

    /// Copies a finished run into the store, unless it is there already, or depends on more than its request.
    ///
    /// # Errors
    /// If it cannot be copied.
    pub fn put(&self, entry: &Entry) -> Result<bool, StudyError> {
        let Some((store, identity)) = self.place(entry) else { return Ok(false) };
        if store.has(&identity) || !is_finished(self.folder, entry) || !self.ledger.is_pure(entry, &identity)? {
            return Ok(false);
        }
        store.put(&identity, &self.manifest.header.study, self.folder, entry)
    }

    /// Copies all finished runs into the store; how many were not there, and the first reason why one could not be copied.
    pub fn put_all(&self) -> (usize, Option<StudyError>) {
        let (mut count, mut first) = (0, None);
        for entry in &self.manifest.entries {
            match self.put(entry) {
                Ok(new) => count += usize::from(new),
                Err(error) => first = first.or(Some(error)),
            }
        }
        (count, first)
    }

    /// Why runs of this study cannot be shared, each reason once.
    pub fn reasons(&self) -> Vec<String> {
        let mut reasons: Vec<String> = Vec::new();
        for why in self.manifest.entries.iter().filter_map(|entry| self.identities.of(entry.index).err()) {
            if !reasons.contains(&why) {
                reasons.push(why);
            }
        }
        reasons
    }

    /// Whether other runs rehearse the episodes of a run: the store has none.
    fn gives_episodes(&self, entry: &Entry) -> bool {
        let of_it = |other: &Entry| other.request.rehearse.as_ref().is_some_and(|one| one.from == entry.folder);
        self.manifest.entries.iter().any(of_it)
    }

    /// The store, and the identity of a run, if both are known.
    fn place(&self, entry: &Entry) -> Option<(&Store, Identity)> {
        let store = self.store.as_ref()?;
        Some((store, self.identities.of(entry.index).ok()?))
    }
}

/// Whether a run has a configuration.
fn is_begun(folder: &Path, entry: &Entry) -> bool {
    folder.join(&entry.folder).join(files::layout::CONFIG).exists()
}
