//! `smoothtopk predict`

use smoothtopk::certificate::Prediction;
use smoothtopk::certificate::stop::{Decision, Rule};
use smoothtopk::counts::Counts;
use smoothtopk::smoothed::{Answer, Outcome, Request, Task};

use smoothtopk::{Error, ErrorKind, Result};

use crate::failed::Failed;
use crate::format::Format;
use crate::interrupt;
use crate::number::number;
use crate::plan;
use crate::progress::Progress;
use crate::sampling::{Sampling, SamplingArgs};
use crate::stdout;

/// Predict the smoothed top-k set of every example, or abstain.
///
/// A set that is given is the smoothed classifier's own with probability at least 1 - alpha, with either rule and with
/// a time limit.
///
/// Trying again with another seed, because the first run abstained or was late, is not covered by alpha. Take the same
/// seed again, or give each run a part of alpha.
#[derive(clap::Args)]
pub struct Args {
    /// When an example has enough samples. fixed: after n. predict: once its set is settled.
    #[arg(long, default_value_t)]
    rule: Rule,
    /// text: a table; json: a record of each example, one a line, with all counts but without the seed or key.
    #[arg(long, short, value_enum, default_value_t)]
    format: Format,
    // Last: the options after it would get its headings.
    #[command(flatten)]
    sampling: SamplingArgs,
}

/// The answer for one k.
struct Row<'a> {
    k: usize,
    /// None where the time was too short for a look.
    prediction: Option<&'a Prediction>,
    decision: Decision,
    /// Those that the prediction rests on.
    counts: &'a Counts,
}

const HEADER: &str = "idx\tlabel\tk\tprediction\tp_value\tcounts\tsamples\tdecision";

pub fn run(args: Args) -> Result<()> {
    let sampling = Sampling::open(&args.sampling, None)?;
    let request = Request { rule: args.rule, ..sampling.request(args.sampling.noise_args.generator()?)? };
    let signature = sampling.model.signature();
    request.check_for(Task::Predict, signature.classes, signature.elements)?;
    sampling.check(&request)?;
    warn_if_hopeless(&request, signature.classes, signature.elements)?;
    let plan = sampling.plan()?;
    let model = sampling.identity()?;
    interrupt::install()?;
    let as_json = args.format == Format::Json;
    let fixed = request.rule == Rule::Fixed;
    let progress = Progress::new(sampling.examples.len(), args.sampling.quiet);
    let progress = progress.samples_per_example(if fixed { request.n } else { 0 });
    let of_folder = if sampling.data.file_of(0).is_some() { "\tfile" } else { "" };
    let mut read = as_json || stdout::print_while_read(&format!("{HEADER}{of_folder}\n"))?;
    let mut abstained = vec![0; request.k.len()];
    let mut examples = 0;
    let task = |_| Task::Predict;
    let mut failed = Failed::default();
    let predicted = |index, outcome: Result<Outcome>| {
        let outcome = match outcome {
            Ok(outcome) => outcome,
            Err(error) => {
                failed.add(error);
                return Ok(());
            }
        };
        let rows = rows(&request, &outcome)?;
        let mut lines = String::new();
        for (row, abstained) in rows.iter().zip(&mut abstained) {
            *abstained += u64::from(row.labels().is_none());
            if !as_json {
                lines += &row.as_text(index, sampling.data.label(index), sampling.data.file_of(index));
            }
        }
        if as_json {
            lines = sampling.record(index, &outcome, &model).to_json() + "\n";
        }
        if !fixed {
            let decided = rows.iter().all(|row| row.decision == Decision::Settled);
            progress.example_stopped(outcome.counts.n(), decided);
        }
        progress.example_done(&[]);
        examples += 1;
        read = stdout::print_while_read(&lines)?;
        // `predict ... | head` has what it wanted.
        if read { Ok(()) } else { Err(Error::new(ErrorKind::Cancelled, "standard output was closed")) }
    };
    let mut waiting = sampling.examples.iter();
    let next = |_| Ok(waiting.next().map(|&index| (index, None)));
    let drawn = sampling.draw(plan, &request, next, task, &progress, predicted);
    progress.finish();
    if !args.sampling.quiet {
        for (k, abstained) in request.k.iter().zip(&abstained) {
            say!("k = {k}: {abstained} of {examples} examples abstain");
        }
    }
    if !read {
        return Ok(());
    }
    drawn?;
    failed.into_error("the others are predicted")
}

/// Says so on stderr where no counts at all can give a set.
fn warn_if_hopeless(request: &Request, classes: usize, elements: usize) -> Result<()> {
    if request.family.is_enumerated() {
        return Ok(());
    }
    let alpha = request.alpha_left(elements)?;
    for &k in &request.k {
        let least = plan::smallest_n_to_predict(request.rule, k, alpha, classes)?;
        if request.n < least {
            let (n, alpha) = (request.n, number(request.alpha));
            say!(
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
    /// The predicted set; none where it abstains.
    fn labels(&self) -> Option<&[usize]> {
        self.prediction.and_then(Prediction::labels)
    }

    /// 1 where there was no look.
    fn p_value(&self) -> f64 {
        self.prediction.map_or(1.0, |prediction| prediction.p_value)
    }

    /// The labels with the k+1 largest counts, and how often each was given: `3:812 5:180 8:8`.
    fn as_text(&self, idx: usize, label: Option<usize>, file: Option<String>) -> String {
        let counts = self.counts.labels();
        let mut ranked: Vec<usize> = (0..counts.len()).collect();
        ranked.sort_by_key(|&label| std::cmp::Reverse(counts[label]));
        let shown = ranked.iter().take(self.k + 1).map(|&label| format!("{label}:{}", counts[label]));
        let labels = match self.labels() {
            Some(labels) => labels.iter().map(ToString::to_string).collect::<Vec<_>>().join(","),
            None => "abstain".to_owned(),
        };
        let truth = label.map_or_else(|| "-1".to_owned(), |label| label.to_string());
        let (k, p_value, n, decision) = (self.k, self.p_value(), self.counts.n(), self.decision);
        let shown = shown.collect::<Vec<_>>().join(" ");
        let file = file.map_or_else(String::new, |file| format!("\t{file}"));
        format!("{idx}\t{truth}\t{k}\t{labels}\t{p_value:.3e}\t{shown}\t{n}\t{decision}{file}\n")
    }
}
