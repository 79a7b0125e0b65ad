//! `smoothtopk certify`

use std::path::PathBuf;

use serde_json::{Map, Value, json};
use smoothtopk::certificate::plan;
use smoothtopk::model::{Runtime, Signature};
use smoothtopk::noise::NOISE;
use smoothtopk::smoothed::{Answer, Outcome, Request, Task};
use smoothtopk::stats::Bound;
use smoothtopk::{Error, ErrorKind, Result};

use crate::interrupt;
use crate::model_args::ModelArgs;
use crate::progress::Progress;
use crate::run_dir::{self, LabelSource, MANIFEST, Manifest, Record, RunDir};
use crate::sampling::{Sampling, SamplingArgs};

/// Certify every example of a data set: counts, radii and a manifest in a RUN folder.
///
/// An example with a label gets that label certified: it is fixed beforehand, as in the paper. One without gets the label
/// most frequent in n0 rows of its own certified from n fresh rows. The same command again goes on where it was stopped.
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    sampling: SamplingArgs,
    /// Rows that choose the label of an example without one.
    #[arg(long, default_value_t = 100)]
    n0: u64,
    /// Choose every label from n0 rows, also where the data has labels; these then only say which are correct.
    #[arg(long)]
    select: bool,
    /// How label probabilities are bounded: ranked, simuem or binocp.
    #[arg(long, default_value = "ranked")]
    bound: Bound,
    /// The RUN folder: made, or gone on with.
    #[arg(long, value_name = "RUN")]
    out: PathBuf,
}

pub fn run(args: Args) -> Result<()> {
    let sampling = Sampling::open(&args.sampling)?;
    let labels = if args.select || !sampling.data.has_labels() { LabelSource::Selected } else { LabelSource::Given };
    if args.n0 == 0 && labels == LabelSource::Selected {
        return Err(Error::argument("n0", "must be at least 1 where labels are chosen from the rows"));
    }
    let started = args.out.join(MANIFEST);
    let seed = match args.sampling.seed {
        // A run that is gone on with keeps the seed that it was started with.
        None if started.exists() => Some(Manifest::load(&started)?.seed),
        seed => seed,
    };
    let request = sampling.request(args.n0, args.bound, seed)?;
    // All that can be refused is refused before a RUN is made, which would hold its maker to the mistake.
    let any_task = if labels == LabelSource::Selected { Task::CertifySelected } else { Task::Certify(0) };
    let signature = sampling.model.signature();
    request.check_for(any_task, signature.classes, signature.elements)?;
    let manifest = manifest(&args, &sampling, &request, labels)?;
    warn_hopeless(&args, &manifest);
    let mut out = RunDir::open(&args.out, &manifest, |row| sampling.examples[row])?;
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
        eprintln!(
            "certifying {} of {total} examples{resumed}: n = {}, {} threads, batch {}, {}",
            todo.len(),
            args.sampling.n,
            run_plan.threads,
            run_plan.batch,
            manifest.provider,
        );
    }
    let task = |index| match (labels, sampling.data.label(index)) {
        (LabelSource::Given, Some(label)) => Task::Certify(label),
        _ => Task::CertifySelected,
    };
    let progress = Progress::new(total, args.sampling.quiet).resumed(done).rows_per_example(manifest.n + manifest.n0);
    let drawn = sampling.draw(run_plan, &request, todo, task, &progress, |index, outcome| {
        let record = record(&sampling, index, outcome)?;
        out.append(&record)?;
        progress.example_done(Some(record.outcomes.iter().any(|outcome| outcome.certified.is_some())));
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

/// What the RUN keeps of one example.
fn record(sampling: &Sampling, idx: usize, outcome: Outcome) -> Result<Record> {
    let Answer::Certificates(certificates) = outcome.answer? else {
        return Err(Error::new(ErrorKind::Internal, "a certificate was asked for and a prediction given"));
    };
    Ok(Record {
        idx,
        label: sampling.data.label(idx),
        counted: certificates.first().map(|certificate| certificate.label),
        counts: outcome.counts.labels().to_vec(),
        outcomes: certificates
            .iter()
            .map(|certificate| run_dir::Outcome {
                certified: certificate.certified().then_some((certificate.label, certificate.radius)),
            })
            .collect(),
        time: outcome.elapsed,
    })
}

fn manifest(args: &Args, sampling: &Sampling, request: &Request, labels: LabelSource) -> Result<Manifest> {
    let SamplingArgs { sigma, n, alpha, k, skip, max, input_scale, model_args, .. } = &args.sampling;
    let Sampling { model, data, grid, examples, .. } = sampling;
    let signature = model.signature();
    let widen = |values: &[f32]| values.iter().map(|&value| f64::from(value)).collect();
    Ok(Manifest {
        format: run_dir::FORMAT,
        program_version: smoothtopk::VERSION.to_owned(),
        model: args.sampling.model.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        model_sha256: model.sha256().to_owned(),
        data: data.file_name(),
        data_sha256: data.sha256()?.to_owned(),
        onnxruntime_version: Runtime::load(None)?.version().to_owned(),
        provider: model.provider().to_string(),
        precision: model.precision().to_string(),
        sigma: *sigma,
        k: k.clone(),
        n0: if labels == LabelSource::Selected { args.n0 } else { 0 },
        n: *n,
        alpha: *alpha,
        bound: args.bound.to_string(),
        seed: request.generator.seed().unwrap_or_default(),
        grid: f64::from(grid.step()),
        radius_slack: grid.radius_slack(signature.elements),
        elements: signature.elements,
        classes: signature.classes,
        labels,
        input_scale: *input_scale,
        mean: widen(&model_args.mean),
        std: widen(&model_args.std),
        resize: data.resize().map(|resize| resize.as_str().to_owned()),
        skip: *skip,
        max: *max,
        examples: examples.len(),
        more: how_read(model_args, signature, request),
    })
}

/// How the model is read: with its hash, all that makes it the classifier that was certified.
fn how_read(args: &ModelArgs, signature: &Signature, request: &Request) -> Map<String, Value> {
    // Every option is named here, so that a new one cannot be left out.
    let ModelArgs {
        constant,
        // In the signature, as the model settled them.
        input: _,
        input_shape: _,
        output: _,
        classes: _,
        threshold: _,
        // Fields of the manifest of their own.
        provider: _,
        onnxruntime: _,
        mean: _,
        std: _,
    } = args;
    let mut constants = constant.clone();
    constants.sort_unstable();
    let fields = json!({
        "noise": NOISE,
        "input_max": request.input_max,
        "input": signature.input,
        "element_shape": signature.element_shape,
        "constants": constants,
        "output": signature.output,
        "scores": signature.reading.to_string(),
    });
    match fields {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

/// Says so when no counts at all could give a certificate.
fn warn_hopeless(args: &Args, manifest: &Manifest) {
    let SamplingArgs { sigma, n, alpha, .. } = args.sampling;
    for &k in &manifest.k {
        let largest = plan::largest_radius(n, k, sigma, alpha, args.bound, manifest.classes);
        if largest.is_ok_and(|radius| radius > manifest.radius_slack) {
            continue;
        }
        let remedy =
            match plan::smallest_n(k, alpha, args.bound, manifest.classes, manifest.radius_slack.next_up() / sigma) {
                Ok(n) => format!("n must be at least {n}"),
                Err(error) => error.to_string(),
            };
        eprintln!(
            "warning: with n = {n}, alpha = {alpha} and bound {} every example will abstain at k = {k}: {remedy}",
            args.bound
        );
    }
}
