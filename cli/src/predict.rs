//! `smoothtopk predict`

use serde_json::json;
use smoothtopk::certificate::Prediction;
use smoothtopk::certificate::stop::{Decision, Rule};
use smoothtopk::model::Runtime;
use smoothtopk::smoothed::{Answer, Outcome, Request, Task};
use smoothtopk::stats::Counts;
use smoothtopk::{Error, ErrorKind, Result};

use crate::interrupt;
use crate::noise_args::fingerprint;
use crate::number::number;
use crate::plan;
use crate::progress::Progress;
use crate::sampling::{Sampling, SamplingArgs};
use crate::stdout;

/// The smoothed top-k set of every example, or abstain.
///
/// With probability at least 1 - alpha the set is the smoothed classifier's own; otherwise the answer is to abstain. That holds
/// with either rule, and with a timeout.
#[derive(clap::Args)]
pub struct Args {
    /// When the rows of an example are enough: fixed (all n), or predict, as soon as its set is settled.
    #[arg(long, default_value_t)]
    rule: Rule,
    /// One JSON object a line, with all counts and what is needed to draw them again (but for a key: give one to keep it).
    #[arg(long)]
    json: bool,
    // Last: its headings would go on.
    #[command(flatten)]
    sampling: SamplingArgs,
}

/// The answer for one k.
struct Row<'a> {
    k: usize,
    /// None where the time was up before anything was looked at.
    prediction: Option<&'a Prediction>,
    decision: Decision,
    /// Those that the prediction rests on.
    counts: &'a Counts,
}

const HEADER: &str = "idx\tlabel\tk\tprediction\tp_value\tcounts\trows\tdecision\n";

pub fn run(args: Args) -> Result<()> {
    let sampling = Sampling::open(&args.sampling)?;
    let request = Request { rule: args.rule, ..sampling.request(args.sampling.noise_args.generator()?)? };
    let signature = sampling.model.signature();
    request.check_for(Task::Predict, signature.classes, signature.elements)?;
    sampling.check(&request)?;
    warn_if_hopeless(&request, signature.classes, signature.elements)?;
    let plan = sampling.plan()?;
    interrupt::install()?;
    let fixed = request.rule == Rule::Fixed;
    let progress = Progress::new(sampling.examples.len(), args.sampling.quiet);
    let progress = progress.rows_per_example(if fixed { request.n } else { 0 });
    let mut read = args.json || stdout::print_while_read(HEADER)?;
    let mut abstained = vec![0; request.k.len()];
    let mut examples = 0;
    let task = |_| Task::Predict;
    let drawn = sampling.draw(plan, &request, &sampling.examples, task, &progress, |index, outcome| {
        let rows = rows(&request, &outcome)?;
        let mut lines = String::new();
        for (row, abstained) in rows.iter().zip(&mut abstained) {
            *abstained += u64::from(row.labels().is_none());
            lines += &match args.json {
                true => row.as_json(&sampling, &request, index)?.to_string(),
                false => row.as_text(index, sampling.data.label(index)),
            };
            lines.push('\n');
        }
        if !fixed {
            let decided = rows.iter().all(|row| row.decision == Decision::Settled);
            progress.example_stopped(outcome.counts.n(), decided);
        }
        progress.example_done(None);
        examples += 1;
        read = stdout::print_while_read(&lines)?;
        // `predict ... | head` has what it wanted.
        if read { Ok(()) } else { Err(Error::new(ErrorKind::Cancelled, "standard output was closed")) }
    });
    progress.finish();
    if !args.sampling.quiet {
        for (k, abstained) in request.k.iter().zip(&abstained) {
            eprintln!("k = {k}: {abstained} of {examples} examples abstain");
        }
    }
    if read { drawn } else { Ok(()) }
}

/// Says so on stderr where no counts at all could give a set.
fn warn_if_hopeless(request: &Request, classes: usize, elements: usize) -> Result<()> {
    let alpha = request.alpha_left(Task::Predict, elements)?;
    for &k in &request.k {
        let least = plan::smallest_n_to_predict(request.rule, k, alpha, classes)?;
        if request.n < least {
            let (n, alpha) = (request.n, number(request.alpha));
            eprintln!(
                "warning: with n = {n} and alpha = {alpha} every example abstains at k = {k}: n must be at least {least}"
            );
        }
    }
    Ok(())
}

/// One for each k.
fn rows<'a>(request: &'a Request, outcome: &'a Outcome) -> Result<Vec<Row<'a>>> {
    let late = |&k: &usize| Row { k, prediction: None, decision: Decision::Undecided, counts: &outcome.counts };
    match &outcome.answer {
        Ok(Answer::Predictions(predictions)) => {
            let decided = predictions.iter().zip(&outcome.decisions).zip(&outcome.earlier);
            let row = |(&k, ((prediction, &decision), earlier)): (&usize, ((_, _), &'a Option<Counts>))| Row {
                k,
                prediction: Some(prediction),
                decision,
                counts: earlier.as_ref().unwrap_or(&outcome.counts),
            };
            Ok(request.k.iter().zip(decided).map(row).collect())
        }
        Ok(_) => Err(Error::new(ErrorKind::Internal, "a prediction was asked for and a certificate given")),
        Err(error) if error.kind() == ErrorKind::DeadlineExceeded => Ok(request.k.iter().map(late).collect()),
        Err(error) => Err(error.clone()),
    }
}

impl Row<'_> {
    /// The predicted set; none where it is to abstain.
    fn labels(&self) -> Option<&[usize]> {
        self.prediction.and_then(Prediction::labels)
    }

    /// 1 where nothing was looked at.
    fn p_value(&self) -> f64 {
        self.prediction.map_or(1.0, |prediction| prediction.p_value)
    }

    /// The labels with the k+1 largest counts, and how often each was given: `3:812 5:180 8:8`.
    fn as_text(&self, idx: usize, label: Option<usize>) -> String {
        let counts = self.counts.labels();
        let mut ranked: Vec<usize> = (0..counts.len()).collect();
        ranked.sort_by_key(|&label| std::cmp::Reverse(counts[label]));
        let shown = ranked.iter().take(self.k + 1).map(|&label| format!("{label}:{}", counts[label]));
        let labels = match self.labels() {
            Some(labels) => labels.iter().map(ToString::to_string).collect::<Vec<_>>().join(","),
            None => "abstain".to_owned(),
        };
        let truth = label.map_or_else(|| "-1".to_owned(), |label| label.to_string());
        let (k, p_value, rows, decision) = (self.k, self.p_value(), self.counts.n(), self.decision);
        let shown = shown.collect::<Vec<_>>().join(" ");
        format!("{idx}\t{truth}\t{k}\t{labels}\t{p_value:.3e}\t{shown}\t{rows}\t{decision}")
    }

    fn as_json(&self, sampling: &Sampling, request: &Request, idx: usize) -> Result<serde_json::Value> {
        let noise = request.noise()?;
        let key = match noise.source() {
            smoothtopk::noise::Source::ChaCha12 { key } => Some(fingerprint(key)),
            _ => None,
        };
        Ok(json!({
            "idx": idx,
            "label": sampling.data.label(idx),
            "k": self.k,
            "abstain": self.labels().is_none(),
            "prediction": self.labels(),
            "decision": self.decision.to_string(),
            "p_value": self.p_value(),
            "counts": self.counts.labels(),
            "rows": self.counts.n(),
            "n": request.n,
            "rule": request.rule.to_string(),
            "sigma": request.sigma,
            "alpha": request.alpha,
            "noise": noise.name(),
            "seed": request.generator.seed(),
            "key_sha256": key,
            "grid": noise.mode().step(),
            "input_max": request.input_max,
            "scores": sampling.model.signature().reading.to_string(),
            "model_sha256": sampling.model.sha256(),
            "onnxruntime": Runtime::load(None)?.version(),
            "provider": sampling.opened.provider(),
            "arithmetic": sampling.model.arithmetic(),
            "fallback": sampling.model.fallback(),
            "version": smoothtopk::VERSION,
        }))
    }
}
