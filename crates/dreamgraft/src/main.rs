//! The dreamgraft program: arguments in, meaning out, exit codes.

mod args;
mod card;
mod commands;
mod console;
mod device;
mod exit;
mod meaning;
mod origin;
mod plays;
mod print;
mod request;
mod signals;
mod usage;
mod waiting;

use args::transfer::Transfer;
use args::{Command, Typed};
use clap::Parser;
use dreamer::footprint::{Available, Limit, available};
use exit::{Exit, Failure};
use external::ExternalCatalogue;
use std::borrow::Cow;
use std::io::{ErrorKind, Write};
use std::process::ExitCode;
use std::sync::LazyLock;
use train::SimdInstructionSet;
use wording::{printable, printable_lines};

fn main() -> ExitCode {
    /// Bytes of a stack, as many as the first thread usually has.
    const STACK: usize = 8 << 20;
    // The first thread's stack has the size of `ulimit -s`, which may be too little to read the arguments.
    let own = std::thread::Builder::new().name("main".to_owned()).stack_size(STACK).spawn(work);
    match own {
        Ok(thread) => thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
        // A process that may not have another thread may still have a stack of the usual size.
        Err(_) => work(),
    }
}

/// The work of the program: arguments in, an exit code out.
fn work() -> ExitCode {
    signals::outlive_file_limit();
    ask_for_reports();
    if let Some(commit) = option_env!("DREAMGRAFT_COMMIT") {
        train::record_commit(commit);
    }
    let typed = match Typed::try_parse_from(usage::arguments()) {
        Ok(typed) => typed,
        Err(error) => {
            let error = usage::advised(error);
            // Help and version are printed to stdout; a closed one is not an error.
            let plain = error.render().to_string();
            let printed = match printable_lines(&plain) {
                Cow::Borrowed(_) => error.print(),
                Cow::Owned(clean) => write!(std::io::stderr(), "{clean}"),
            };
            if let Err(source) = printed.and_then(|()| std::io::stdout().flush())
                && !error.use_stderr()
                && source.kind() != ErrorKind::BrokenPipe
            {
                return ended(Err(Failure::Output { source }));
            }
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(Exit::Usage as u8));
        }
    };
    let end = run(typed.command);
    ended(match (end, print::unsaid()) {
        (Ok(Exit::Done), Some(source)) => Err(Failure::Unsaid { source }),
        // A scheduler is to start the command again, whoever may read it.
        (end, _) => end,
    })
}

/// The exit code of a command, after the message of an error.
fn ended(end: Result<Exit, Failure>) -> ExitCode {
    let end = end.unwrap_or_else(|error| {
        let text = wording::with_causes(&error);
        // Names in it may be anything. Only compilers of kernels report on several lines.
        let text = if error.is_of_a_device() { printable_lines(&text) } else { printable(&text) };
        let _ = writeln!(std::io::stderr(), "error: {text}");
        if let Some(details) = error.details() {
            let _ = writeln!(std::io::stderr(), "\n{}", printable_lines(details));
        }
        Exit::from(&error)
    });
    ExitCode::from(end as u8)
}

/// Has a panic, which is a bug, end with the request to report it.
fn ask_for_reports() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        usual(panic);
        let text = "This is a bug in dreamgraft. Please report it, with the command and this message.";
        let _ = writeln!(std::io::stderr(), "{text}");
    }));
}

/// Refuses limits of this process's memory under which the program, or the simulator in it, could end at once without a message.
fn check_limits(command: &Command) -> Result<(), Failure> {
    /// Bytes of address space that every command may need.
    const LEAST: u64 = 160_000_000;
    let Some(Available { bytes, limit }) = available() else { return Ok(()) };
    let (who, least) = match (&limit, command) {
        (Limit::Machine, _) => return Ok(()),
        (Limit::Process(_), _) => ("every command", LEAST),
        // A cgroup kills without a message. The smallest runs need this, and the longest episodes.
        (Limit::Cgroup(_), Command::Train(_)) => ("this command", 95_000_000),
        (Limit::Cgroup(_), Command::Eval(_) | Command::Play(_) | Command::Export(_) | Command::Serve(_)) => {
            ("this command", 50_000_000)
        }
        (Limit::Cgroup(_), _) => return Ok(()),
    };
    if bytes >= least {
        return Ok(());
    }
    Err(Failure::Arguments(format!(
        "{} MB of memory are available within {limit}, and {who} may need {} MB: raise the limit",
        bytes / 1_000_000,
        least / 1_000_000
    )))
}

fn run(command: Command) -> Result<Exit, Failure> {
    SimdInstructionSet::from_environment()?;
    check_limits(&command)?;
    static CATALOGUE: LazyLock<ExternalCatalogue<'static>> =
        LazyLock::new(|| ExternalCatalogue::and(tasks::catalogue()));
    let catalogue = &*CATALOGUE;
    match command {
        Command::Train(typed) => commands::train(catalogue, &typed),
        Command::Eval(typed) => commands::eval(catalogue, &typed),
        Command::Play(typed) => commands::play(catalogue, &typed),
        Command::Transfer(Transfer::Plan(typed)) => commands::transfer_plan(catalogue, &typed),
        Command::Transfer(Transfer::Rank(typed)) => commands::transfer_rank(catalogue, &typed),
        Command::Transfer(Transfer::Preset(typed)) => commands::transfer_preset(&typed),
        Command::Study(typed) => commands::study(catalogue, &typed),
        Command::Watch(typed) => commands::watch(&typed),
        Command::Bench(typed) => commands::bench(&typed),
        Command::Episodes(typed) => commands::episodes(catalogue, &typed),
        Command::Tasks => commands::tasks(catalogue),
        Command::Inspect(typed) => commands::inspect(&typed),
        Command::Export(typed) => commands::export(catalogue, &typed),
        Command::Act(typed) => commands::act(catalogue, &typed),
        Command::Serve(typed) => commands::serve(catalogue, &typed),
        Command::Completions(typed) => commands::completions(catalogue, &typed),
        Command::Man(typed) => commands::manual(&typed),
    }
}
