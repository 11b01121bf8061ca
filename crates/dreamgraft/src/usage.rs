//! Answers to arguments that the program does not know.
//!
//! Here: the tip for an option or a command that does not exist, the argument that is not text, and `help` with
//! options. Not here: settings that do not exist (`train`), and arguments that contradict each other (`meaning`,
//! `request`).

use crate::args::Typed;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Command, CommandFactory, Parser};
use std::ffi::OsString;
use train::config::settings_meant;

/// The arguments of the command line. If they ask for help, a repeated `--help` has no effect.
pub fn arguments() -> Vec<OsString> {
    without_repeated_help(std::env::args_os().collect())
}

fn without_repeated_help(mut arguments: Vec<OsString>) -> Vec<OsString> {
    if arguments.get(1).is_some_and(|argument| argument == "help")
        && arguments[2..].iter().any(|argument| argument == "--version" || argument == "-V")
    {
        arguments.truncate(1);
        arguments.push("--version".into());
    }
    if let Some(help) = arguments.iter().skip(1).take(2).position(|argument| argument == "help").map(|help| help + 1) {
        let is_of_commands = arguments[1..help]
            .iter()
            .all(|argument| ["transfer", "study", "episodes"].iter().any(|one| argument == one));
        if is_of_commands {
            let after = arguments.split_off(help + 1);
            arguments.extend(after.into_iter().filter(|argument| argument != "--help" && argument != "-h"));
        }
    }
    arguments
}

/// The error of the arguments on the command line, with a tip that can be followed, or none.
pub fn advised(mut error: clap::Error) -> clap::Error {
    if error.kind() == ErrorKind::InvalidUtf8 {
        return not_text(&arguments()).unwrap_or(error);
    }
    let arguments: Vec<String> =
        std::env::args_os().skip(1).map(|argument| argument.to_string_lossy().into_owned()).collect();
    let text = |kind: ContextKind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.clone()),
        _ => None,
    };
    let (option, command) = (text(ContextKind::InvalidArg), text(ContextKind::InvalidSubcommand));
    let tip = match (error.kind(), option, command) {
        (ErrorKind::UnknownArgument, Some(typed), _) => {
            let typed = typed.split([' ', '=']).next().unwrap_or_default().to_owned();
            let tip = of_option(&arguments, &typed);
            // "to pass it as a value": no value begins with a hyphen.
            error.remove(ContextKind::Suggested);
            if tip.is_some() {
                error.remove(ContextKind::SuggestedArg);
            }
            tip
        }
        (ErrorKind::InvalidSubcommand, _, Some(typed)) => {
            let known = tasks::catalogue();
            let is_task = environment::Catalogue::names(known).contains(&&*typed) || typed.contains(':');
            is_task.then(|| format!("to train an agent on {typed}: dreamgraft train {}", wording::shell_word(&typed)))
        }
        _ => None,
    };
    if let Some(tip) = tip {
        error.remove(ContextKind::SuggestedSubcommand);
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip.into()]));
    }
    error
}

/// The error of the first argument that is not UTF-8 where the program expects text: paths may have any bytes.
fn not_text(arguments: &[OsString]) -> Option<clap::Error> {
    let lossy = |argument: &OsString| OsString::from(&*argument.to_string_lossy());
    let is_refused = |index: usize| {
        let others = arguments
            .iter()
            .enumerate()
            .map(|(i, argument)| if i == index { argument.clone() } else { lossy(argument) });
        Typed::try_parse_from(others).is_err_and(|error| error.kind() == ErrorKind::InvalidUtf8)
    };
    let wrong = (1..arguments.len()).find(|&index| arguments[index].to_str().is_none() && is_refused(index))?;
    let text = format!(
        "{} is not UTF-8. Only paths may have other bytes, and `--help` shows which arguments are paths",
        shown(arguments, wrong)
    );
    Some(Typed::command().error(ErrorKind::InvalidUtf8, text))
}

/// The argument with this number for a message, with its option: its bytes are written as shells read them.
fn shown(arguments: &[OsString], index: usize) -> String {
    let bytes = arguments[index].as_encoded_bytes();
    if bytes.starts_with(b"-") {
        return wording::shell_word(&arguments[index]);
    }
    let mut command = &Typed::command();
    let mut option = None;
    for argument in arguments[1..index].iter().filter_map(|argument| argument.to_str()) {
        command = command.find_subcommand(argument).unwrap_or(command);
        option = takes_value(command, argument).then_some(argument);
    }
    let value = wording::shell_word(&arguments[index]);
    option.map_or_else(|| format!("the argument {value}"), |option| format!("{option} {value}"))
}

/// Whether `argument` is an option of `command` whose value is the next argument.
fn takes_value(command: &Command, argument: &str) -> bool {
    let name = argument.strip_prefix("--");
    let mut options = command.get_arguments().filter(|option| option.get_long() == name && name.is_some());
    options.any(|option| option.get_action().takes_values())
}

/// The suggestion in place of the option `typed`, such as `--lr`, that the command of `arguments` does not have.
fn of_option(arguments: &[String], typed: &str) -> Option<String> {
    let command =
        arguments.iter().take_while(|argument| !argument.starts_with('-')).map(String::as_str).collect::<Vec<_>>();
    let name = typed.trim_start_matches('-').to_ascii_lowercase();
    let given = arguments.iter().enumerate().find_map(|(i, argument)| match argument.split_once('=') {
        Some((option, value)) if option == typed => Some(value.to_owned()),
        _ if argument == typed => arguments.get(i + 1).filter(|next| !next.starts_with('-')).cloned(),
        _ => None,
    });
    let value = |name: &str| given.as_deref().map_or_else(|| name.to_owned(), wording::shell_word);
    match *command.first()? {
        "eval" if name == "set" => Some(
            "eval plays with the settings of the run; for others, use: dreamgraft play TASK --policy RUN --set KEY=VALUE"
                .to_owned(),
        ),
        "train" => match &*name {
            "resume" | "continue" | "checkpoint" => {
                Some("no option is needed: the same command resumes a run that was stopped".to_owned())
            }
            "output" | "out" | "o" | "output-dir" | "dir" | "log-dir" | "save-dir" => {
                Some(format!("the run folder is --logdir {}", value("DIR")))
            }
            "gpu" | "gpus" => Some("the device is --device cuda".to_owned()),
            "cpu" => Some("the CPU is used unless --device names a GPU".to_owned()),
            "env" | "env-id" | "task" | "tasks" | "environment" => {
                Some(format!("the task has no option: dreamgraft train {}", value("TASK")))
            }
            _ => of_setting(&name, &value("VALUE")),
        },
        "transfer" if ["plan", "rank"].contains(command.get(1)?) => of_setting(&name, &value("VALUE")),
        "bench" => of_setting(&name, &value("VALUE")),
        _ => None,
    }
}

fn of_setting(name: &str, value: &str) -> Option<String> {
    match &*settings_meant(name) {
        [] => None,
        [key] => Some(format!("the setting {key} exists: --set {key}={value}")),
        several => {
            let all: Vec<String> = several.iter().map(|key| format!("--set {key}={value}")).collect();
            Some(format!("these settings exist: {}", all.join(", ")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn help_that_is_asked_for_twice_is_asked_for_once() {
        for (typed, read) in [
            ("help --help", "help"),
            ("help -h", "help"),
            ("help train --help", "help train"),
            ("help --version", "--version"),
            ("transfer help --help", "transfer help"),
            ("study help plan -h", "study help plan"),
            ("train help --help", "train help --help"),
            ("train --help", "train --help"),
        ] {
            let arguments_of =
                |text: &str| ["dreamgraft"].into_iter().chain(text.split(' ')).map(OsString::from).collect();
            assert_eq!(without_repeated_help(arguments_of(typed)), arguments_of(read), "{typed}");
        }
    }
}
