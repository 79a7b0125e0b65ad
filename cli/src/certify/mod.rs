//! `smoothtopk certify`

pub mod budget;
mod hopeless;
mod manifest;

use std::collections::BTreeSet;
use std::path::PathBuf;

use smoothtopk::certificate::stop::Rule;
use smoothtopk::record::LabelSource;
use smoothtopk::smoothed::{AllocationChoice, Generator, Request, Task};
use smoothtopk::{Error, ErrorKind, Result};

use crate::interrupt;
use crate::progress::Progress;
use crate::run_dir::{Example, MANIFEST, Manifest, RunDir};
use crate::sampling::{Sampling, SamplingArgs};
use budget::Statements;

/// Certify every example of a data set: a RUN folder with a manifest and a record per example.
///
/// If the data has labels, those are certified. Otherwise, or with --select, the label is chosen from n0 separate
/// samples and certified from n fresh ones. With --guarantee, the k returned labels are certified instead of a single
/// label. Give the same command again to resume an interrupted run.
///
/// Trying again with another seed because the first run abstained is not covered by alpha: take a larger n of the same
/// seed under a
/// --rule, or share an --alpha-total.
#[derive(clap::Args)]
pub struct Args {
    /// The RUN folder: created, or resumed if it exists.
    #[arg(long, value_name = "RUN")]
    out: PathBuf,
    /// When an example has enough samples. fixed: after n. radius:R: once the label is certified at R, or cannot be.
    /// steps:E: once the largest multiple of E at which it is certified is known (for curves at such radii).
    /// tolerance:E or tolerance:Esigma: once more samples are expected to add no more than E (times sigma). With
    /// --guarantee, radius and tolerance are about the returned set.
    #[arg(long, default_value_t, help_heading = CERTIFICATES)]
    rule: Rule,
    /// How alpha is split between the bounds: ranked[:SHARE], simuem, binocp, pooled:SHARE[:RIVAL,..] (SHARE of it for
    /// the label), or auto, which lets n0 pilot samples of each example choose [default: ranked].
    #[arg(long, help_heading = CERTIFICATES)]
    allocation: Option<AllocationChoice>,
    /// Randomize the exact bounds of a fixed n: slightly larger radii on average at the same alpha. The seed or key
    /// gives the random number of each example and k.
    #[arg(long, help_heading = CERTIFICATES)]
    randomized: bool,
    /// An alpha that all statements of the RUN share evenly: with probability 1 - A all of them are true, refutations
    /// included.
    #[arg(long, value_name = "A", conflicts_with = "alpha", help_heading = CERTIFICATES)]
    alpha_total: Option<f64>,
    /// Samples that choose what the data does not give: the label, or with --allocation auto how alpha is split. With
    /// --guarantee, 0 lets the n samples choose the labels that they certify, at a price in alpha.
    #[arg(long, default_value_t = 100, help_heading = CERTIFICATES)]
    n0: u64,
    /// Choose every label from n0 samples, even if the data has labels; these then only say which are correct.
    #[arg(long, help_heading = CERTIFICATES)]
    select: bool,
    /// Certify the k returned labels instead of a single label: the radius within which the set stays, at least e of
    /// its labels, every label, the first one, and the ranking. Each is a statement of its own.
    #[arg(long, conflicts_with = "select", help_heading = CERTIFICATES)]
    guarantee: bool,
    // Last: the options after it would get its headings.
    #[command(flatten)]
    sampling: SamplingArgs,
}

const CERTIFICATES: &str = "Certificate options";

/// What is certified about every example, and how.
struct Plan {
    request: Request,
    label_source: LabelSource,
    guarantee: bool,
}

pub fn run(args: Args) -> Result<()> {
    let sampling = Sampling::open(&args.sampling)?;
    let plan = plan(&args, &sampling)?;
    // All that can be refused is refused before a RUN is made.
    check(&sampling, &plan)?;
    let noise = plan.request.noise()?;
    let manifest = manifest::manifest(&args, &sampling, &plan, &noise)?;
    hopeless::warn(&plan.request, &manifest)?;
    let mut out = RunDir::open(&args.out, &manifest, noise.source())?;
    let (total, done) = (sampling.examples.len(), out.done());
    let todo = &sampling.examples[done..];
    if todo.is_empty() {
        eprintln!("{}: all {total} examples are there already", args.out.display());
        return out.close();
    }
    let run_plan = sampling.plan()?;
    interrupt::install()?;
    let fixed = plan.request.rule == Rule::Fixed;
    if !args.sampling.quiet {
        let resumed = if done > 0 { format!(", {done} there already") } else { String::new() };
        let rule = if fixed { String::new() } else { format!(" at most, {}", plan.request.rule) };
        eprintln!(
            "certifying {} of {total} examples{resumed}: n = {}{rule}, {} threads, batch {}, {}",
            todo.len(),
            args.sampling.n,
            run_plan.threads,
            run_plan.batch,
            manifest.model.provider,
        );
    }
    let progress = Progress::new(total, args.sampling.quiet).resumed(done);
    // How many samples a rule takes is not known.
    let samples = if fixed { manifest.request.n + manifest.request.n0 } else { 0 };
    let progress = progress.samples_per_example(samples);
    let task = |index| plan.task(&sampling, index);
    let drawn = sampling.draw(run_plan, &plan.request, todo, task, &progress, |index, outcome| {
        let record = sampling.record(index, &outcome, &manifest.model);
        out.append(&record)?;
        let example = Example::new(record, outcome.counts.n());
        if !fixed {
            let undecided = (0..plan.request.k.len()).any(|i| example.decision(i) == "undecided");
            progress.example_stopped(example.samples, !undecided);
        }
        progress.example_done(Some(example.certified()));
        Ok(())
    });
    progress.finish();
    let kept = format!("{} of {total} examples are kept in {}", out.done(), out.path().display());
    let closed = out.close();
    drawn.map_err(|error| match error.kind() {
        ErrorKind::Cancelled => {
            Error::new(ErrorKind::Cancelled, format!("interrupted: {kept}; give the same command to resume"))
        }
        _ => error,
    })?;
    closed
}

fn plan(args: &Args, sampling: &Sampling) -> Result<Plan> {
    let label_source = match (args.guarantee, args.n0) {
        (true, 0) => LabelSource::SameCounts,
        (true, _) => LabelSource::Selected,
        (false, _) if args.select || !sampling.data.has_labels() => LabelSource::Selected,
        (false, _) => LabelSource::Given,
    };
    if args.guarantee && args.allocation.is_some() {
        let message = "the guarantees for an answer split alpha in ways of their own: leave --allocation out";
        return Err(Error::argument("allocation", message));
    }
    if args.n0 == 0 && label_source == LabelSource::Selected {
        return Err(Error::argument("n0", "must be at least 1 where samples choose the labels"));
    }
    let mut request = sampling.request(generator(args)?)?;
    request.n0 = args.n0;
    request.rule = args.rule;
    request.randomized = args.randomized;
    request.allocation = args.allocation.clone().unwrap_or_default();
    if let Some(total) = args.alpha_total {
        let classes = sampling.model.signature().classes;
        let of = Statements::of(sampling.examples.len(), &request.k, classes, args.guarantee, &args.rule);
        request.alpha = budget::share(total, of.all)?;
    }
    Ok(Plan { request, label_source, guarantee: args.guarantee })
}

/// The generator as given; a RUN that is resumed keeps its seed or key.
fn generator(args: &Args) -> Result<Generator> {
    let given = args.sampling.noise_args.generator()?;
    let started = args.out.join(MANIFEST);
    let without_secret = matches!(given, Generator::Philox { seed: None } | Generator::ChaCha12 { key: None });
    if !without_secret || !started.exists() {
        return Ok(given);
    }
    let manifest = Manifest::load(&started)?;
    // Another generator is refused when the manifests are compared.
    if given.source()?.name() == manifest.generator { Ok(manifest.source(&args.out)?.into()) } else { Ok(given) }
}

impl Plan {
    fn task(&self, sampling: &Sampling, index: usize) -> Task {
        match (self.guarantee, self.label_source, sampling.data.label(index)) {
            (true, ..) => Task::CertifyAnswer,
            (false, LabelSource::Given, Some(label)) => Task::Certify(label),
            _ => Task::CertifySelected,
        }
    }
}

/// Refuses what cannot be asked of some example.
fn check(sampling: &Sampling, plan: &Plan) -> Result<()> {
    let signature = sampling.model.signature();
    let tasks = sampling.examples.iter().map(|&index| plan.task(sampling, index));
    // An allocation may name rivals, and a label cannot be a rival of itself.
    let labels: BTreeSet<Option<usize>> = tasks.clone().map(label_of).collect();
    let of_label = |&label: &Option<usize>| tasks.clone().find(|&task| label_of(task) == label);
    for task in labels.iter().filter_map(of_label) {
        plan.request.check_for(task, signature.classes, signature.elements)?;
    }
    sampling.check(&plan.request)
}

fn label_of(task: Task) -> Option<usize> {
    match task {
        Task::Certify(label) => Some(label),
        _ => None,
    }
}
