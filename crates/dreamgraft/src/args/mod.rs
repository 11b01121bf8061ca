//! The arguments of the program, as typed.
//!
//! Here: the arguments that several commands share, and those of the program itself; the other files hold those of one
//! group of commands. Not here: the meaning of arguments (`meaning`), and the commands themselves (`commands`).

pub mod bench;
pub mod device;
pub mod episodes;
mod number;
pub mod outside;
pub mod play;
pub mod rank;
pub mod study;
pub mod train;
pub mod transfer;

use crate::exit;
use ::transfer::Fraction;
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// The last lines of the program's help. Exit codes depend on the command, so the program's help does not list them.
const HELP: &str = "`dreamgraft COMMAND --help` explains a command and lists its exit codes.";

/// The long help of `dreamgraft completions`.
const COMPLETIONS: &str = "Print a completion script for a shell.\n\n\
    For bash:  dreamgraft completions bash > ~/.local/share/bash-completion/completions/dreamgraft\n\
    For zsh:   dreamgraft completions zsh > \"${fpath[1]}/_dreamgraft\"\n\
    For fish:  dreamgraft completions fish > ~/.config/fish/completions/dreamgraft.fish";

/// Trains agents that learn a world model from pixels and plan by imagining.
#[derive(Debug, Parser)]
#[command(name = "dreamgraft", version = env!("DREAMGRAFT_VERSION"), about, max_term_width = 100, arg_required_else_help = true, after_help = HELP)]
pub struct Typed {
    /// The command.
    #[command(subcommand)]
    pub command: Command,
}

/// The command.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Train an agent on one or several tasks, or resume a run
    #[command(long_about = train::TRAIN)]
    Train(train::Train),
    /// Evaluate a trained agent: play episodes of its tasks and print their returns
    Eval(play::Eval),
    /// Play a task with random actions, zero actions, or a trained agent
    #[command(mut_arg("video", |arg| arg.help("Write the last episode as a GIF")))]
    Play(play::Play),
    /// Preview transfers, rank source agents, and print plans
    #[command(subcommand)]
    Transfer(transfer::Transfer),
    /// Run and report many runs from one study file
    #[command(subcommand)]
    Study(study::StudyCommand),
    /// Show the runs in a folder as a live page in a browser
    #[command(long_about = study::WATCH)]
    Watch(study::Watch),
    /// Measure the speed of gradient and policy steps on this machine
    #[command(long_about = bench::BENCH)]
    Bench(bench::Bench),
    /// Add episodes of other programs to a run
    #[command(subcommand)]
    Episodes(episodes::EpisodesCommand),
    /// List the tasks with their action sizes
    #[command(after_long_help = exit::help(exit::PRINT))]
    Tasks,
    /// Describe a run, a checkpoint or an export, or list the runs in a folder
    Inspect(outside::Inspect),
    /// Export a trained agent to a folder that can be shared: others can play it, or transfer from it
    Export(outside::Export),
    /// Serve an agent to another program
    #[command(long_about = outside::ACT)]
    Act(outside::Act),
    /// Serve a task to another program
    #[command(long_about = outside::SERVE)]
    Serve(outside::Serve),
    /// Print a completion script for a shell
    #[command(long_about = COMPLETIONS)]
    Completions(Completions),
    /// Write man pages for the program and each of its commands
    Man(Manual),
}

/// Earlier agents, and the parameters that are transferred from them.
#[derive(Debug, Args)]
#[command(next_help_heading = "Transfer")]
pub struct OriginArguments {
    /// The agent to transfer parameters from: a run folder, one of its checkpoint folders, an agent.safetensors file,
    /// or an export. If this option is repeated, one of the agents is chosen when the run begins (--choose), or all are
    /// used (--plan soup)
    #[arg(long, value_name = "RUN")]
    pub from: Vec<PathBuf>,
    /// Accept an agent in --from, or agents in --reward-from, that have not been trained (0 gradient steps), as a control
    #[arg(long)]
    pub untrained_source: bool,
    /// How one of several agents of --from is chosen [default: rank; with --plan soup, all]
    #[arg(long, value_enum, value_name = "HOW")]
    pub choose: Option<Choose>,
    /// The parameters to transfer: the built-in plan paper (modular and fractional), full, encoder-only, fine-tune,
    /// universal, universal-dynamics or soup (the mean of descendants of one agent), or a plan file, which can name its
    /// own sources (`dreamgraft transfer preset paper` prints one) [default: paper]
    #[arg(long, value_name = "NAME|FILE")]
    pub plan: Option<PathBuf>,
    /// The fraction w in W = W_random + w * W_source, for every rule of the plan that has a fraction: a number from 0
    /// to 1, or fit for the fraction that predicts the random episodes best
    #[arg(long, value_name = "W|fit", allow_negative_numbers = true)]
    pub fraction: Option<Fraction>,
    /// Transfer the encoder and the decoder of this agent, and freeze the encoder, so that agents with this encoder can
    /// share reward models. --plan can name another plan for this agent: universal-dynamics, or a file without sources
    #[arg(long, value_name = "RUN")]
    pub universal: Option<PathBuf>,
    /// With --universal: learn a reward meta-model that reads the reward model of this agent, which has the same
    /// encoder; can be repeated
    #[arg(long, value_name = "RUN")]
    pub reward_from: Vec<PathBuf>,
    /// With --reward-from: also accept reward models of agents with another encoder
    #[arg(long)]
    pub any_encoder: bool,
}

/// How one of several agents is chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Choose {
    /// The best agent of a ranking like that of `dreamgraft transfer rank`, on the random episodes with which the run
    /// begins
    Rank,
    /// An agent drawn at random, by the seed of the run, as a control for a ranking
    Chance,
    /// No choice: the plan uses all of the agents, as soup does
    All,
}

/// Tasks and settings of a run.
#[derive(Debug, Args)]
pub struct Settings {
    /// One or several tasks to learn (`dreamgraft tasks` lists them), or external environments:
    /// gymnasium:ID (such as gymnasium:Pendulum-v1), python:MODULE:CALLABLE or program:FILE
    #[arg(value_name = "TASK", required = true)]
    pub tasks: Vec<String>,
    /// Named settings: paper (the published sizes, 1e6 frames), small (for a computer without a GPU, 1e5 frames), smoke
    /// (a tiny agent, to check that everything works), or v3 (DreamerV3; v3-1m, v3-12m, v3-25m, v3-50m, v3-100m and
    /// v3-200m are its published sizes)
    #[arg(long, default_value = "small", value_name = "NAME")]
    pub preset: String,
    /// The seed of all random numbers of the run [default: 0, or that of --config]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub seed: Option<String>,
    /// A TOML file with settings that replace those of the preset, such as the config.toml of a run
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// One setting, such as agent.horizon=10, which takes precedence over --preset and --config; can be repeated
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
}

/// `dreamgraft completions`.
#[derive(Debug, Args)]
#[command(after_long_help = exit::help(exit::PRINT))]
pub struct Completions {
    /// The shell
    pub shell: clap_complete::Shell,
}

/// `dreamgraft man`.
#[derive(Debug, Args)]
#[command(after_long_help = exit::help(exit::PRINT))]
pub struct Manual {
    /// The folder for the pages, such as ~/.local/share/man/man1; it is created if it does not exist
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    /// The long help of each command that does something, by its name.
    fn helps(command: &mut clap::Command, name: &str, all: &mut Vec<(String, String)>) {
        if !command.has_subcommands() {
            all.push((name.to_owned(), command.render_long_help().to_string()));
        }
        for inner in command.get_subcommands_mut().filter(|inner| inner.get_name() != "help") {
            let name = format!("{name} {}", inner.get_name());
            helps(inner, &name, all);
        }
    }

    #[test]
    fn no_long_help_is_hidden_by_a_short_one() {
        let mut all = Vec::new();
        helps(&mut Typed::command(), "dreamgraft", &mut all);
        let texts =
            all.iter().map(|(_, help)| help.split_whitespace().collect::<Vec<_>>().join(" ")).collect::<Vec<_>>();
        let sources =
            [include_str!("mod.rs"), include_str!("study.rs"), include_str!("episodes.rs")].into_iter().chain([
                include_str!("train.rs"),
                include_str!("bench.rs"),
                include_str!("transfer.rs"),
                include_str!("outside.rs"),
                include_str!("rank.rs"),
                include_str!("play.rs"),
            ]);
        let mut long_texts = 0;
        for source in sources.map(|source| source.split("#[cfg(test)]").next().unwrap()) {
            // A long text on the arguments is replaced by the short one of the command's variant.
            assert!(!source.contains("long_about = \""));
            long_texts += source.matches("long_about = ").count();
        }
        assert_eq!(long_texts, 11);
        for text in [
            "Finished runs stay finished, and stopped runs resume",
            "After exit code 75, start the same command again",
            "The report includes unfinished runs with the frames that they have so far",
            "It is served at 127.0.0.1, so only this machine can open it",
            "They are copied into RUN/episodes/added",
            "For zsh: dreamgraft completions zsh",
            "The same command resumes a stopped run",
            "so this measures the agent alone",
            "The scores measure how well",
            "use dreamgraft.load(RUN) instead",
            "it reads actions and writes observations and rewards",
        ] {
            assert_eq!(texts.iter().filter(|help| help.contains(text)).count(), 1, "{text}");
        }
    }

    #[test]
    fn each_command_lists_the_exit_codes_that_it_can_end_with() {
        let mut program = Typed::command();
        assert!(!program.render_long_help().to_string().contains("Exit codes:"));
        let mut all = Vec::new();
        helps(&mut program, "dreamgraft", &mut all);
        assert_eq!(all.len(), 21);
        for (name, help) in all {
            let codes = match &*name {
                "dreamgraft train" | "dreamgraft study run-one" => exit::RUN,
                "dreamgraft eval" | "dreamgraft play" | "dreamgraft inspect" | "dreamgraft export"
                | "dreamgraft act" => exit::PLAY,
                "dreamgraft transfer plan" | "dreamgraft transfer rank" => exit::TRANSFER_PLAN,
                "dreamgraft study run" => exit::STUDY_RUN,
                "dreamgraft study plan" | "dreamgraft study status" | "dreamgraft study report" => exit::STUDY,
                "dreamgraft episodes add" => exit::EPISODES,
                "dreamgraft watch" => exit::WATCH,
                _ => exit::PRINT,
            };
            assert!(help.trim_end().ends_with(&exit::help(codes)), "{name}: {help}");
        }
    }
}
