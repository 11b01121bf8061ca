//! Transfer between whole agents. `plans` reads plans, `resolution`, `sources`, `universal`, `vectors` and `options` apply
//! them to agents of different kinds, `fractions` fits fractions, `ranking` ranks sources, `choosing` trains meta-models,
//! `golden` and `meta_model` compare with the numbers of independent programs, and `book` tries the plans of the documents.

mod book;
mod choosing;
mod common;
mod fractions;
mod golden;
mod meta_model;
mod options;
mod plans;
mod ranking;
mod resolution;
mod sources;
mod universal;
mod vectors;
