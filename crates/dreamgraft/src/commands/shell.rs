//! Completion scripts and man pages, generated from the same definition as the help.

use crate::args::{Completions, Manual, Typed};
use crate::exit::{Exit, Failure};
use crate::print;
use clap::builder::PossibleValuesParser;
use clap::{Command, CommandFactory};
use environment::Catalogue;
use train::TrainError;

/// The program as shells complete it: the names of tasks are possible values.
fn completed(catalogue: &'static dyn Catalogue) -> Command {
    let tasks = || PossibleValuesParser::new(catalogue.names());
    Typed::command()
        .mut_subcommand("train", |train| train.mut_arg("tasks", |arg| arg.value_parser(tasks())))
        .mut_subcommand("transfer", |transfer| {
            transfer.mut_subcommand("plan", |plan| plan.mut_arg("tasks", |arg| arg.value_parser(tasks())))
        })
        .mut_subcommand("play", |play| play.mut_arg("task", |arg| arg.value_parser(tasks())))
        .mut_subcommand("eval", |eval| eval.mut_arg("task", |arg| arg.value_parser(tasks())))
}

/// Prints the completion script of a shell.
///
/// # Errors
/// If stdout cannot be written.
pub fn completions(catalogue: &'static dyn Catalogue, typed: &Completions) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(typed.shell, &mut completed(catalogue), "dreamgraft", &mut script);
    Ok(print::done(print::text(String::from_utf8_lossy(&script).trim_end()))?)
}

/// Writes a page of the manual for the program and for each of its commands.
///
/// # Errors
/// If a file cannot be written.
pub fn manual(typed: &Manual) -> Result<Exit, Failure> {
    let folder = &typed.folder;
    let failed = |source| TrainError::Io { path: folder.clone(), source };
    files::create_folders(folder).map_err(failed)?;
    clap_mangen::generate_to(Typed::command().disable_help_subcommand(true), folder).map_err(failed)?;
    Ok(print::done(print::line(&format!(
        "wrote the man pages; read them with: man -l {}",
        wording::shell_path(folder.join("dreamgraft.1"))
    )))?)
}
