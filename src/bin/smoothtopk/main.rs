//! The command line: certify, predict, radius, report, verify, inspect, plan, doctor.

mod certify;
mod data;
mod doctor;
mod in_flight;
mod inspect;
mod interrupt;
mod model_args;
mod noise_args;
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
use smoothtopk::{Error, ErrorKind, Result};

/// Smoothed top-k prediction and certified l2 radius of any ONNX classifier, by randomized smoothing.
#[derive(Parser)]
#[command(name = "smoothtopk", version = smoothtopk::VERSION, max_term_width = 120)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

// A negative number is a value out of range, to be told as such, and not an unknown option.
#[derive(Subcommand)]
enum Command {
    #[command(allow_negative_numbers = true)]
    Certify(certify::Args),
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

/// The command, or what is wrong with it in one line; help and version are shown as they are.
fn parse() -> Result<Cli> {
    Cli::try_parse().map_err(|error| {
        if !error.use_stderr() {
            error.exit();
        }
        let text = error.render().to_string();
        let lines =
            text.lines().map(str::trim).take_while(|line| !line.starts_with("Usage:") && !line.starts_with("For more"));
        let line = lines.filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ");
        Error::new(ErrorKind::InvalidArgument, line.trim_start_matches("error: "))
    })
}

fn main() -> ExitCode {
    if smoothtopk::UNSOUND {
        eprintln!(
            "smoothtopk: this build is UNSOUND on purpose: it makes false certificates, for `make test-verify` alone"
        );
    }
    match parse().and_then(|cli| run(cli.command)) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("smoothtopk: {error}");
            match error.kind() {
                ErrorKind::InvalidArgument => ExitCode::from(2),
                ErrorKind::Cancelled => ExitCode::from(130),
                _ => ExitCode::FAILURE,
            }
        }
    }
}
