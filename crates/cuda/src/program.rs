//! Compiled kernels, run launch by launch or as one recording.

use std::sync::Arc;

use tape::plan::Launch;

use crate::driver::{Calls, Graph, Module};
use crate::error::CudaError;
use crate::slab::Slab;
use crate::target::{Capability, Target};

/// The first generation whose blocks can work in teams: they are its clusters, of which eight blocks always fit.
const TEAMS: Capability = Capability { major: 9, minor: 0 };

/// Kernels on a device, from [`Device::compile`](crate::Device::compile). A clone is the same kernels.
#[derive(Clone)]
pub struct Program {
    pub(crate) module: Arc<Module>,
    pub(crate) target: Target,
    pub(crate) warnings: String,
    pub(crate) checked: bool,
    pub(crate) chains: bool,
}

impl Program {
    /// Their target.
    pub fn target(&self) -> Target {
        self.target
    }

    /// Whether small launches are joined to chains ([`Plan::chained`](tape::plan::Plan::chained)): blocks can work in
    /// teams, and chains are not turned off. A compiler that knows older generations alone makes kernels for these.
    pub fn runs_chains(&self) -> bool {
        self.chains && self.target.capability() >= TEAMS
    }

    /// Whether the two are the same kernels, compiled once.
    pub fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.module, &other.module)
    }

    /// The output of the compiler, if any.
    pub fn warnings(&self) -> &str {
        &self.warnings
    }

    /// Runs launches in order, and waits for them. Launches that do not match their kernel or the memory are errors
    /// before anything runs. If launches are checked, the error of a failed launch names it.
    ///
    /// # Panics
    /// If the memory is not that of the same [`Device`](crate::Device) or a clone of it.
    pub fn run_once(&self, slab: &mut Slab, launches: &[Launch]) -> Result<(), CudaError> {
        Calls::prepare(&self.module, slab.buffer(), launches)?.run(self.checked)
    }

    /// Records launches, to run them many times at little cost. Those that do not fit are found before anything runs.
    ///
    /// If launches are checked, nothing is recorded: each run is launch by launch.
    ///
    /// # Panics
    /// If the memory is not that of the same [`Device`](crate::Device) or a clone of it.
    pub fn record(&self, slab: &Slab, launches: &[Launch]) -> Result<Recording, CudaError> {
        let calls = Calls::prepare(&self.module, slab.buffer(), launches)?;
        Ok(Recording(if self.checked { How::Checked(calls) } else { How::Graph(Graph::record(calls)?) }))
    }
}

/// Recorded launches. It holds the kernels and the memory that they use.
pub struct Recording(How);

enum How {
    Graph(Graph),
    Checked(Calls),
}

impl Recording {
    /// Runs the launches after all earlier work, without waiting for them. A failure is reported by the next read,
    /// write or [`Device::synchronise`](crate::Device::synchronise), or at once if launches are checked.
    pub fn run(&mut self) -> Result<(), CudaError> {
        match &mut self.0 {
            How::Graph(graph) => graph.run(),
            How::Checked(calls) => calls.run(true),
        }
    }
}
