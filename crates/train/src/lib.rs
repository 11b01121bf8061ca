//! A run: collect, learn, evaluate, log, checkpoint and resume, in one run folder.
