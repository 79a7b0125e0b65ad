//! `smoothtopk predict`

use serde_json::json;
use smoothtopk::certificate::Prediction;
use smoothtopk::model::Runtime;
use smoothtopk::smoothed::{Answer, Request, Task};
use smoothtopk::stats::{Bound, Counts};
use smoothtopk::{Error, ErrorKind, Result};

use crate::interrupt;
use crate::progress::Progress;
use crate::sampling::{Sampling, SamplingArgs};
use crate::stdout;

/// The smoothed top-k set of every example, or abstain.
///
/// With probability at least 1 - alpha the set is the smoothed classifier's own; otherwise the answer is to abstain.
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    sampling: SamplingArgs,
    /// One JSON object a line, with all counts and what is needed to draw them again.
    #[arg(long)]
    json: bool,
}

pub fn run(args: Args) -> Result<()> {
    let sampling = Sampling::open(&args.sampling)?;
    let request = sampling.request(0, Bound::Ranked, args.sampling.seed)?;
    let signature = sampling.model.signature();
    request.check_for(Task::Predict, signature.classes, signature.elements)?;
    let plan = sampling.plan()?;
    interrupt::install()?;
    let progress = Progress::new(sampling.examples.len(), args.sampling.quiet).rows_per_example(args.sampling.n);
    let mut read = args.json || stdout::print_while_read("idx\tlabel\tk\tprediction\tp_value\tcounts\n")?;
    let drawn = sampling.draw(
        plan,
        &request,
        &sampling.examples,
        |_| Task::Predict,
        &progress,
        |index, outcome| {
            let Answer::Predictions(predictions) = outcome.answer? else {
                return Err(Error::new(ErrorKind::Internal, "a prediction was asked for and a certificate given"));
            };
            let mut lines = String::new();
            for (&k, prediction) in request.k.iter().zip(&predictions) {
                lines += &if args.json {
                    as_json(&sampling, &request, index, &outcome.counts, k, prediction)?.to_string()
                } else {
                    as_row(index, sampling.data.label(index), outcome.counts.labels(), k, prediction)
                };
                lines.push('\n');
            }
            progress.example_done(None);
            read = stdout::print_while_read(&lines)?;
            // `predict ... | head` has what it wanted.
            if read { Ok(()) } else { Err(Error::new(ErrorKind::Cancelled, "standard output was closed")) }
        },
    );
    progress.finish();
    if read { drawn } else { Ok(()) }
}

/// The labels with the k+1 largest counts, and how often each was given: `3:812 5:180 8:8`.
fn as_row(idx: usize, label: Option<usize>, counts: &[u64], k: usize, prediction: &Prediction) -> String {
    let mut ranked: Vec<usize> = (0..counts.len()).collect();
    ranked.sort_by_key(|&label| std::cmp::Reverse(counts[label]));
    let shown: Vec<String> = ranked.iter().take(k + 1).map(|&label| format!("{label}:{}", counts[label])).collect();
    let labels = match prediction.labels() {
        Some(labels) => labels.iter().map(ToString::to_string).collect::<Vec<_>>().join(","),
        None => "abstain".to_owned(),
    };
    let truth = label.map_or_else(|| "-1".to_owned(), |label| label.to_string());
    format!("{idx}\t{truth}\t{k}\t{labels}\t{:.3e}\t{}", prediction.p_value, shown.join(" "))
}

fn as_json(
    sampling: &Sampling,
    request: &Request,
    idx: usize,
    counts: &Counts,
    k: usize,
    prediction: &Prediction,
) -> Result<serde_json::Value> {
    Ok(json!({
        "idx": idx,
        "label": sampling.data.label(idx),
        "k": k,
        "abstain": prediction.abstain,
        "prediction": prediction.labels(),
        "p_value": prediction.p_value,
        "counts": counts.labels(),
        "n": counts.n(),
        "sigma": request.sigma,
        "alpha": request.alpha,
        "seed": request.generator.seed(),
        "grid": f64::from(sampling.grid.step()),
        "input_max": request.input_max,
        "scores": sampling.model.signature().reading.to_string(),
        "model_sha256": sampling.model.sha256(),
        "onnxruntime": Runtime::load(None)?.version(),
        "provider": sampling.model.provider().to_string(),
        "version": smoothtopk::VERSION,
    }))
}
