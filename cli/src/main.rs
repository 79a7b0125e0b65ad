//! The command line: certify, merge, predict, radius, report, verify, inspect, plan, doctor.

#[macro_use]
mod stderr;

mod certify;
mod data;
mod doctor;
mod failed;
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
mod report;
mod run_dir;
mod sampling;
mod stdout;
mod verify;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use smoothtopk::{ErrorKind, Result};

const AFTER_HELP: &str = "smoothtopk COMMAND --help says what a command does and takes.

Words:
  sample   one noisy copy of an input, and one run of the model on it
  n, n0    the samples that a statement rests on; separate samples that choose a label
  top k    the k labels that noisy copies of an input get most often
  radius   no change of the input that is smaller takes the label out of the top k
  alpha    the probability that a statement is false, by bad luck in the samples
  rule     when an example has enough samples
  RUN      the folder that certify writes: a record for each example

Exit codes:
  0    done
  1    an error, or examples that failed (named on stderr); what is finished is kept
  2    the command was called wrongly: to try it again does not help
  3    verify: more certificates are broken than alpha allows
  75   another process is writing the RUN: try again later
  129, 130, 143   ended by SIGHUP, Ctrl-C, SIGTERM; what is finished is kept, and the same command resumes";

/// Smoothed top-k prediction and certified radius of any ONNX classifier, by randomized smoothing.
#[derive(Parser)]
#[command(name = "smoothtopk", version = smoothtopk::VERSION, max_term_width = 120, arg_required_else_help = true)]
#[command(after_help = AFTER_HELP)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

// A negative number is a value out of range, to be told as such, and not an unknown option.
#[derive(Subcommand)]
enum Command {
    #[command(allow_negative_numbers = true)]
    Certify(certify::Args),
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
}

fn run(command: Command) -> Result<ExitCode> {
    match command {
        Command::Certify(args) => certify::run(args),
        Command::Merge(args) => merge::run(args),
        Command::Predict(args) => predict::run(args),
        Command::Radius(args) => radius::run(args),
        Command::Report(args) => report::run(args),
        // What it finds is its exit code.
        Command::Verify(args) => return verify::run(args),
        Command::Inspect(args) => inspect::run(args),
        Command::Plan(args) => plan::run(args),
        Command::Doctor(args) => doctor::run(args),
    }
    .map(|()| ExitCode::SUCCESS)
}

/// The command. What is wrong with it is said in one line, and below it how it is used; help and version are shown as
/// they are.
fn parse() -> Cli {
    Cli::try_parse().unwrap_or_else(|error| {
        if !error.use_stderr() || error.kind() == clap::error::ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
            error.exit();
        }
        let text = error.render().to_string();
        let usage =
            ["\nUsage:", "\nFor more"].into_iter().filter_map(|start| text.find(start)).min().unwrap_or(text.len());
        let lines = text[..usage].lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>();
        let line = lines.join(" ");
        say!("smoothtopk: {}\n{}", line.trim_start_matches("error: "), text[usage..].trim_end());
        std::process::exit(2);
    })
}

/// `EX_TEMPFAIL` of sysexits.h, on which cluster engines may try again.
const EX_TEMPFAIL: u8 = 75;

fn main() -> ExitCode {
    match run(parse().command) {
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
