//! Under another program: draws the examples that it is given, `INDEX` or `INDEX I/N` a line, and gives their records.
//! It ends when there is nothing more to read, at once.

use std::io::BufRead;
use std::ops::Range;
use std::sync::mpsc::{self, RecvTimeoutError, TryRecvError};
use std::time::Duration;

use smoothtopk::smoothed::Outcome;
use smoothtopk::{Error, ErrorKind, Result};

use super::host::{tell, tell_failed};
use super::plan::{Plan, check_sample_shard};
use crate::interrupt;
use crate::progress::Progress;
use crate::run_dir::{Manifest, Shard};
use crate::sampling::{Sampling, Wanted};

/// Between two looks at signals, where there is nothing to do.
const POLL: Duration = Duration::from_millis(100);

/// Says its manifest first.
pub fn run(sampling: &Sampling, plan: &Plan, manifest: &Manifest) -> Result<()> {
    let run_plan = sampling.plan()?;
    interrupt::install()?;
    let text = serde_json::to_string(manifest)
        .map_err(|error| Error::new(ErrorKind::Internal, format!("the manifest: {error}")))?;
    tell("manifest", &text)?;
    let (sender, lines) = mpsc::channel();
    std::thread::spawn(move || {
        let all = std::io::stdin().lock().lines().map_while(std::io::Result::ok);
        all.take_while(|line| sender.send(line.clone()).is_ok()).for_each(drop);
        // Nobody waits for what is under way.
        interrupt::end();
    });
    let next = |idle: bool| loop {
        let line = match (idle, lines.try_recv()) {
            (_, Ok(line)) => line,
            (_, Err(TryRecvError::Disconnected)) | (false, Err(TryRecvError::Empty)) => return Ok(None),
            (true, Err(TryRecvError::Empty)) => match lines.recv_timeout(POLL) {
                Ok(line) => line,
                Err(RecvTimeoutError::Disconnected) => return Ok(None),
                Err(RecvTimeoutError::Timeout) => {
                    interrupt::check()?;
                    continue;
                }
            },
        };
        return wanted(&line, plan, manifest).map(Some);
    };
    let drawn = |index, outcome: Result<Outcome>| match outcome {
        Ok(outcome) => tell("record", &sampling.record(index, &outcome, &manifest.model).to_json()),
        Err(error) => tell_failed(index, &sampling.data.name(index), &error),
    };
    let progress = Progress::new(manifest.examples, true);
    let task = |index| plan.task(sampling, index);
    sampling.draw(run_plan, &plan.request, next, task, &progress, drawn)
}

fn wanted(line: &str, plan: &Plan, manifest: &Manifest) -> Result<Wanted> {
    let (index, part) = line.split_once(' ').map_or((line, None), |(index, part)| (index, Some(part)));
    let index = index.parse().ok().filter(|&index| manifest.has(index));
    let index = index.ok_or_else(|| Error::argument("index", format!("\"{line}\" is no example of the RUN")))?;
    let part = part.map(str::parse::<Shard>).transpose()?;
    check_sample_shard(part, &plan.request)?;
    let part: Option<Range<u64>> = part.map(|part| part.samples(plan.request.n));
    Ok((index, part))
}
