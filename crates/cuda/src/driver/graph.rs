//! A list of calls, recorded once and run as one.

use cudarc::driver::result::{graph, stream};
use cudarc::driver::sys;

use super::calls::Calls;
use super::context::failed_to;
use crate::error::CudaError;

/// A recorded list of calls.
pub(crate) struct Graph {
    graph: sys::CUgraph,
    /// The executable instance of the graph.
    executable: sys::CUgraphExec,
    /// Keeps the kernels and their memory alive.
    calls: Calls,
}

// SAFETY: a graph may be used from any thread, by one at a time: it is not `Sync`.
unsafe impl Send for Graph {}

impl Graph {
    /// Records calls, in order, without running them.
    pub(crate) fn record(calls: Calls) -> Result<Self, CudaError> {
        // From here on, an early return destroys the graph, which also enters the context.
        let mut recorded = Self { graph: std::ptr::null_mut(), executable: std::ptr::null_mut(), calls };
        recorded.capture()?;
        recorded.instantiate()?;
        Ok(recorded)
    }

    fn capture(&mut self) -> Result<(), CudaError> {
        let entered = self.calls.context().enter()?;
        // An earlier failure is reported here, and not as a failure to record.
        entered.synchronise().map_err(failed_to("finish earlier work"))?;
        // Only calls of this thread that a recording stream does not allow are errors meanwhile, and it makes none.
        let mode = sys::CUstreamCaptureMode::CU_STREAM_CAPTURE_MODE_THREAD_LOCAL;
        // SAFETY: the stream is the context's own, not the one that every context has and that cannot record.
        unsafe { stream::begin_capture(entered.stream(), mode) }.map_err(failed_to("start recording a graph"))?;
        let started = self.calls.start(&entered);
        // The stream must stop recording in any case. SAFETY: recording was begun on this stream.
        let ended = unsafe { stream::end_capture(entered.stream()) };
        if let Ok(graph) = ended {
            self.graph = graph;
        }
        started?;
        ended.map(|_| ()).map_err(failed_to("record a graph"))
    }

    fn instantiate(&mut self) -> Result<(), CudaError> {
        let _entered = self.calls.context().enter()?;
        // Called directly, since the type of the flags in the layer above cannot be none of them.
        // SAFETY: the graph was just recorded.
        let made = unsafe { sys::cuGraphInstantiateWithFlags(&mut self.executable, self.graph, 0) };
        made.result().map_err(failed_to("instantiate a graph"))
    }

    /// Runs it, after everything that was begun before; does not wait for it.
    pub(crate) fn run(&mut self) -> Result<(), CudaError> {
        let entered = self.calls.context().enter()?;
        // SAFETY: made in `record`; the data of the calls is kept alive.
        unsafe { graph::launch(self.executable, entered.stream()) }.map_err(failed_to("run a graph"))
    }
}

impl Drop for Graph {
    /// An error has nowhere to go: after a kernel failed, graphs go with their context.
    fn drop(&mut self) {
        let Ok(entered) = self.calls.context().enter() else { return };
        let _ = entered.synchronise();
        if !self.executable.is_null() {
            // SAFETY: made in `instantiate`, destroyed only here, and it is not running.
            let _ = unsafe { graph::exec_destroy(self.executable) };
        }
        if !self.graph.is_null() {
            // SAFETY: recorded in `capture`, destroyed only here.
            let _ = unsafe { graph::destroy(self.graph) };
        }
    }
}
