//! The command line: its commands, and what they are called with.

#[macro_use]
mod stderr;

mod certify;
mod config;
mod data;
mod doctor;
mod failed;
mod format;
mod help;
mod in_flight;
mod inspect;
mod interrupt;
mod merge;
mod model_args;
mod noise_args;
mod number;
mod plan;
mod predict;
mod progress;
mod radius;
#[cfg(test)]
mod reference;
mod report;
mod run_dir;
mod sampling;
mod shell;
mod stdout;
mod terms;
mod verify;

use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use smoothtopk::{ErrorKind, Result};

/// Smoothed top-k prediction and certified radius of any ONNX classifier, by randomized smoothing.
#[derive(Parser)]
#[command(name = "smoothtopk", version = smoothtopk::VERSION, max_term_width = 120, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

// A negative number is a value out of range, to be told as such, and not an unknown option.
#[derive(Subcommand)]
enum Command {
    #[command(allow_negative_numbers = true)]
    Certify(Box<certify::Args>),
    Merge(merge::Args),
    #[command(allow_negative_numbers = true)]
    Predict(predict::Args),
    #[command(allow_negative_numbers = true)]
    Radius(radius::Args),
    #[command(allow_negative_numbers = true)]
    Report(report::Args),
    #[command(allow_negative_numbers = true)]
    Verify(verify::Args),
    Inspect(inspect::Args),
    #[command(allow_negative_numbers = true)]
    Plan(plan::Args),
    Doctor(doctor::Args),
    Completions(shell::CompletionsArgs),
    Man(shell::ManArgs),
    /// Explain the words of this program
    #[command(long_about = terms::text(), help_template = "{about}", disable_help_flag = true)]
    Terms,
}

fn run(asked: Command) -> Result<ExitCode> {
    match asked {
        Command::Certify(args) => certify::run(*args),
        Command::Merge(args) => merge::run(args),
        Command::Predict(args) => predict::run(args),
        Command::Radius(args) => radius::run(args),
        Command::Report(args) => report::run(args),
        // What it finds is its exit code.
        Command::Verify(args) => return verify::run(args),
        Command::Inspect(args) => inspect::run(args),
        Command::Plan(args) => plan::run(args),
        Command::Doctor(args) => doctor::run(args),
        Command::Completions(args) => shell::completions(args, command()),
        Command::Man(args) => shell::man(args, command()),
        Command::Terms => stdout::print(&terms::text()),
    }
    .map(|()| ExitCode::SUCCESS)
}

/// All that can be typed.
fn command() -> clap::Command {
    help::with_below(config::with_config(Cli::command()))
}

/// What was typed, with what a file adds to it.
fn parse() -> Result<Command> {
    let mut known = command();
    known.build();
    let arguments = config::expand(&known, std::env::args_os().collect())?;
    let matches = known.try_get_matches_from_mut(arguments);
    let matches = matches.unwrap_or_else(|error| refuse(&error));
    let mut cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| refuse(&error));
    if let (Command::Certify(args), Some((name, matches))) = (&mut cli.command, matches.subcommand())
        && let Some(certify) = known.find_subcommand(name)
    {
        args.given = config::given(certify, matches);
    }
    Ok(cli.command)
}

/// Says what is wrong with a command in one line, and below it how it is used; help and version are shown as they are.
fn refuse(error: &clap::Error) -> ! {
    if !error.use_stderr() || error.kind() == clap::error::ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        error.exit();
    }
    let text = error.render().to_string();
    let usage = ["\nUsage:", "\nFor more"].into_iter().filter_map(|start| text.find(start)).min().unwrap_or(text.len());
    let lines = text[..usage].lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>();
    let line = lines.join(" ");
    say!("smoothtopk: {}\n{}", line.trim_start_matches("error: "), text[usage..].trim_end());
    std::process::exit(2);
}

/// `EX_TEMPFAIL` of sysexits.h, on which cluster engines may try again.
const EX_TEMPFAIL: u8 = 75;

fn main() -> ExitCode {
    match parse().and_then(run) {
        Ok(code) => code,
        Err(error) => {
            say!("smoothtopk: {error}");
            match error.kind() {
                ErrorKind::InvalidArgument => ExitCode::from(2),
                ErrorKind::Cancelled => ExitCode::from(interrupt::exit_code()),
                _ if error.field() == Some(run_dir::LOCKED) => ExitCode::from(EX_TEMPFAIL),
                _ => ExitCode::FAILURE,
            }
        }
    }
}
