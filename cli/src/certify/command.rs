//! The command: draws the samples of every example and keeps its records in the RUN.

use smoothtopk::certificate::stop::Rule;
use smoothtopk::smoothed::Outcome;
use smoothtopk::{Error, ErrorKind, Result};

use super::args::Args;
use super::host::Role;
use super::plan::Plan;
use super::{again, dry_run, hopeless, host, label_sets, manifest, next, work, write};
use crate::failed::Failed;
use crate::interrupt;
use crate::progress::Progress;
use crate::run_dir::{Example, Manifest, RunDir};
use crate::sampling::Sampling;

pub fn run(args: Args) -> Result<()> {
    if args.host.host == Some(Role::Write) {
        return write::run(&args);
    }
    let started = Manifest::of_run(&args.out)?;
    let sampling = Sampling::open(&args.sampling, started.and_then(|manifest| manifest.data_files))?;
    let plan = Plan::of(&args, &sampling)?;
    // All that can be refused is refused before a RUN is made.
    plan.check(&sampling)?;
    let examples = plan.examples(&sampling);
    sampling.examine(&examples)?;
    let noise = plan.request.noise()?;
    let manifest = manifest::manifest(&args, &sampling, &plan, &noise)?;
    if let Some(first) = &args.given.manifest {
        again::check(first, &manifest)?;
    }
    hopeless::warn(&plan.request, &manifest)?;
    if args.dry_run {
        return dry_run::run(&args, &sampling, &plan, &examples, &manifest);
    }
    if args.host.host == Some(Role::Work) {
        return work::run(&sampling, &plan, &manifest);
    }
    let mut out = RunDir::open(&args.out, &manifest, noise.source())?;
    let (total, done) = (examples.len(), out.done().len());
    let todo: Vec<usize> = examples.into_iter().filter(|index| !out.done().contains(index)).collect();
    let host = args.host.host.is_some();
    if host {
        host::begin(total, &args.out)?;
    }
    if todo.is_empty() {
        say!("{}: all {total} examples are there already", args.out.display());
        return out.close();
    }
    let run_plan = sampling.plan()?;
    interrupt::install()?;
    if host {
        host::end_with_stdin();
    }
    let mut failed = Failed::default();
    let fixed = plan.request.rule == Rule::Fixed;
    let part = plan.sample_shard.map(|shard| shard.samples(plan.request.n));
    if !args.sampling.quiet {
        let resumed = if done > 0 { format!(", {done} there already") } else { String::new() };
        let of_shard = match (plan.shard, plan.sample_shard) {
            (Some(shard), _) => format!(", shard {shard}"),
            (None, Some(shard)) => format!(", sample shard {shard}"),
            (None, None) => String::new(),
        };
        let rule = if fixed { String::new() } else { format!(" at most, {}", plan.request.rule) };
        say!(
            "certifying {} of {total} examples{of_shard}{resumed}: n = {}{rule}, {} threads, batch {}, {}",
            todo.len(),
            plan.request.n,
            run_plan.threads,
            run_plan.batch,
            manifest.model.provider,
        );
    }
    let what = if args.guarantee { "set certified" } else { "certified" };
    let progress = Progress::new(total, args.sampling.quiet).resumed(done).counting(what, &plan.request.k);
    // How many samples a rule takes is not known.
    let samples = match &part {
        Some(part) => part.end - part.start,
        None if fixed => manifest.request.n + manifest.request.n0,
        None => 0,
    };
    let progress = progress.samples_per_example(samples);
    let task = |index| plan.task(&sampling, index);
    let certified = |index, outcome: Result<Outcome>| {
        let outcome = match outcome {
            Ok(outcome) => outcome,
            Err(error) => {
                out.fail(index, &sampling.data.name(index), &error)?;
                if host {
                    host::tell_failed(index, &sampling.data.name(index), &error)?;
                }
                failed.add(error);
                return Ok(());
            }
        };
        let of_labels = match manifest.reading.base_k {
            Some(_) => label_sets::certify(&outcome, sampling.data.labels(index))?,
            None => Vec::new(),
        };
        let mut record = sampling.record(index, &outcome, &manifest.model);
        of_labels.iter().for_each(|found| record.add_label_set(found));
        out.append(&record)?;
        if host {
            host::tell("record", &record.to_json())?;
        }
        let example = Example::new(record, &outcome.counts);
        if !fixed {
            let undecided = (0..plan.request.k.len()).any(|i| example.decision(i) == "undecided");
            progress.example_stopped(example.samples, !undecided);
        }
        progress.example_done(&example.certified());
        Ok(())
    };
    let mut waiting = todo.iter();
    let wanted = |_| Ok(waiting.next().map(|&index| (index, part.clone())));
    let drawn = sampling.draw(run_plan, &plan.request, wanted, task, &progress, certified);
    progress.finish();
    let kept = format!("{} of {total} examples are kept in {}", out.done().len(), out.path().display());
    let closed = out.close();
    drawn.map_err(|error| match error.kind() {
        ErrorKind::Cancelled => {
            Error::new(ErrorKind::Cancelled, format!("interrupted: {kept}; give the same command to resume"))
        }
        _ => error,
    })?;
    closed?;
    failed.into_error(&format!("{kept}; mend the files and give the same command to try them again"))?;
    if !args.sampling.quiet {
        next::say(&args, &manifest);
    }
    Ok(())
}
