//! `smoothtopk certify`

pub mod budget;
mod hopeless;
mod manifest;
mod record;

use std::collections::BTreeSet;
use std::path::PathBuf;

use smoothtopk::certificate::stop::Rule;
use smoothtopk::smoothed::{Bounding, Generator, Request, Task};
use smoothtopk::{Error, ErrorKind, Result};

use crate::interrupt;
use crate::progress::Progress;
use crate::run_dir::{LabelSource, MANIFEST, Manifest, RunDir};
use crate::sampling::{Sampling, SamplingArgs};

/// Certify every example of a data set: counts, radii and a manifest in a RUN folder.
///
/// An example with a label gets that label certified: it is fixed beforehand, as in the paper. One without gets the label
/// most frequent in n0 rows of its own certified from n fresh rows. With --guarantee it is the k labels of an answer about which
/// statements are made. The same command again goes on where it was stopped.
#[derive(clap::Args)]
pub struct Args {
    /// The RUN folder: made, or gone on with.
    #[arg(long, value_name = "RUN")]
    out: PathBuf,
    /// When the rows of an example are enough: fixed (all n); radius:R, as soon as the label is certified at R or cannot be;
    /// steps:E, as soon as the largest multiple of E that it is certified at is decided, for curves at such radii; tolerance:E or
    /// tolerance:Esigma, as soon as further rows are expected to add no more than E (times sigma). With --guarantee radius and
    /// tolerance are about the returned set.
    #[arg(long, default_value_t, help_heading = CERTIFICATES)]
    rule: Rule,
    /// How alpha is spent: ranked[:SHARE], simuem, binocp, pooled:SHARE[:RIVAL,..] (SHARE of it for the label), or auto: as n0
    /// pilot rows of each example advise [default: ranked].
    #[arg(long, help_heading = CERTIFICATES)]
    bound: Option<Bounding>,
    /// Randomize the exact bounds of a fixed n: a little larger radii on average at the same alpha, by a number for each example and
    /// k that comes from the noise's seed or key.
    #[arg(long, help_heading = CERTIFICATES)]
    randomized: bool,
    /// An alpha that all statements of the RUN, over its examples and k, share evenly: with probability 1 - A all are true.
    #[arg(long, value_name = "A", conflicts_with = "alpha", help_heading = CERTIFICATES)]
    alpha_total: Option<f64>,
    /// Rows that choose what the data does not give: labels, or with --bound auto how alpha is spent. With --guarantee 0 lets the
    /// labels be chosen by the n rows that certify them, at a price in alpha.
    #[arg(long, default_value_t = 100, help_heading = CERTIFICATES)]
    n0: u64,
    /// Choose every label from n0 rows, also where the data has labels; these then only say which are correct.
    #[arg(long, help_heading = CERTIFICATES)]
    select: bool,
    /// For every k, the guarantees for the k labels that would be returned, instead of one label: how far the set stays, at least
    /// e of it, every label, the first one, the whole ranking. Each is a statement of its own.
    #[arg(long, conflicts_with = "select", help_heading = CERTIFICATES)]
    guarantee: bool,
    // Last: its headings would go on.
    #[command(flatten)]
    sampling: SamplingArgs,
}

const CERTIFICATES: &str = "Certificate options";

/// What is certified about every example, and how.
struct Asked {
    request: Request,
    labels: LabelSource,
    guarantee: bool,
    /// What all statements share, and how many they are.
    shared: Option<(f64, u64)>,
}

pub fn run(args: Args) -> Result<()> {
    let sampling = Sampling::open(&args.sampling)?;
    let asked = asked(&args, &sampling)?;
    // All that can be refused is refused before a RUN is made, which would hold its maker to the mistake.
    check(&sampling, &asked)?;
    let manifest = manifest::manifest(&args, &sampling, &asked)?;
    hopeless::warn(&asked.request, &manifest, asked.guarantee);
    let key = match &asked.request.generator {
        Generator::ChaCha12 { key } => key.as_ref(),
        Generator::Philox { .. } => None,
    };
    let mut out = RunDir::open(&args.out, &manifest, key, |row| sampling.examples[row])?;
    let (total, done) = (sampling.examples.len(), out.done());
    let todo = &sampling.examples[done..];
    if todo.is_empty() {
        eprintln!("{}: all {total} examples are there already", args.out.display());
        return Ok(());
    }
    let run_plan = sampling.plan()?;
    interrupt::install()?;
    if !args.sampling.quiet {
        let resumed = if done > 0 { format!(", {done} there already") } else { String::new() };
        let rule =
            if asked.request.rule == Rule::Fixed { String::new() } else { format!(" at most, {}", manifest.rule) };
        eprintln!(
            "certifying {} of {total} examples{resumed}: n = {}{rule}, {} threads, batch {}, {}",
            todo.len(),
            args.sampling.n,
            run_plan.threads,
            run_plan.batch,
            manifest.provider,
        );
    }
    let progress = Progress::new(total, args.sampling.quiet).resumed(done);
    // How many rows a rule will take is not known.
    let fixed = asked.request.rule == Rule::Fixed;
    let progress = progress.rows_per_example(if fixed { manifest.n + manifest.n0 } else { 0 });
    let task = |index| task(&sampling, &asked, index);
    let drawn = sampling.draw(run_plan, &asked.request, todo, task, &progress, |index, outcome| {
        let record = record::record(&sampling, &manifest, index, outcome)?;
        out.append(&record)?;
        if !fixed {
            progress.example_stopped(record.rows, record.decided());
        }
        progress.example_done(Some(record.certified()));
        Ok(())
    });
    progress.finish();
    let kept = format!("{} of {total} examples are kept in {}", out.done(), out.path().display());
    let closed = out.close();
    drawn.map_err(|error| match error.kind() {
        ErrorKind::Cancelled => {
            Error::new(ErrorKind::Cancelled, format!("interrupted: {kept}, the same command goes on"))
        }
        _ => error,
    })?;
    closed
}

fn asked(args: &Args, sampling: &Sampling) -> Result<Asked> {
    let labels = match (args.guarantee, args.n0) {
        (true, 0) => LabelSource::Same,
        (true, _) => LabelSource::Selected,
        (false, _) if args.select || !sampling.data.has_labels() => LabelSource::Selected,
        (false, _) => LabelSource::Given,
    };
    if args.guarantee && args.bound.is_some() {
        let message = "the guarantees for an answer spend alpha in ways of their own: leave --bound out";
        return Err(Error::argument("bound", message));
    }
    if args.n0 == 0 && labels == LabelSource::Selected {
        return Err(Error::argument("n0", "must be at least 1 where labels are chosen from the rows"));
    }
    let mut request = sampling.request(generator(args)?)?;
    request.n0 = args.n0;
    request.rule = args.rule;
    request.randomized = args.randomized;
    request.bound = args.bound.clone().unwrap_or_default();
    let shared = match args.alpha_total {
        None => None,
        Some(total) => {
            let classes = sampling.model.signature().classes;
            let statements = budget::statements(sampling.examples.len(), &request.k, classes, args.guarantee);
            request.alpha = budget::share(total, statements)?;
            Some((total, statements))
        }
    };
    Ok(Asked { request, labels, guarantee: args.guarantee, shared })
}

/// The generator as given; a run that is gone on with keeps the seed or key that it was started with.
fn generator(args: &Args) -> Result<Generator> {
    let given = args.sampling.noise_args.generator()?;
    let started = args.out.join(MANIFEST);
    match given {
        Generator::Philox { seed: None } if started.exists() => {
            Ok(Generator::Philox { seed: Manifest::load(&started)?.seed })
        }
        Generator::ChaCha12 { key: None } if started.exists() => {
            Ok(Manifest::load(&started)?.key(&args.out)?.map_or(given, Generator::from))
        }
        given => Ok(given),
    }
}

fn task(sampling: &Sampling, asked: &Asked, index: usize) -> Task {
    match (asked.guarantee, asked.labels, sampling.data.label(index)) {
        (true, ..) => Task::CertifyAnswer,
        (false, LabelSource::Given, Some(label)) => Task::Certify(label),
        _ => Task::CertifySelected,
    }
}

/// Refuses what cannot be asked of some example.
fn check(sampling: &Sampling, asked: &Asked) -> Result<()> {
    let signature = sampling.model.signature();
    let tasks = sampling.examples.iter().map(|&index| task(sampling, asked, index));
    // A allocation may name rivals, which a label cannot be of itself.
    let labels: BTreeSet<Option<usize>> = tasks.clone().map(label_of).collect();
    let of_label = |&label: &Option<usize>| tasks.clone().find(|&task| label_of(task) == label);
    for task in labels.iter().filter_map(of_label) {
        asked.request.check_for(task, signature.classes, signature.elements)?;
    }
    sampling.check(&asked.request)
}

fn label_of(task: Task) -> Option<usize> {
    match task {
        Task::Certify(label) => Some(label),
        _ => None,
    }
}
