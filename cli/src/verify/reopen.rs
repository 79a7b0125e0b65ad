//! A RUN with the model and the data that it was made from, checked to be the same.

use std::collections::HashMap;
use std::path::PathBuf;

use serde_json::{Value, json};
use smoothtopk::noise::{ExactGrid, Mode, Noise, Source};
use smoothtopk::{Error, ErrorKind, Result};

use super::statement::{Certified, Statements, of_answers, of_series};
use crate::data::Resize;
use crate::model_args::ModelArgs;
use crate::noise_args::NoiseArgs;
use crate::run_dir::{Answer, AnswerRow, Manifest, ReadRun, RunDir};
use crate::sampling::{Sampling, SamplingArgs};

/// A RUN, and what opens its model and data again. What is not given follows from the RUN's manifest.
#[derive(clap::Args, Clone, Debug)]
pub struct RunArgs {
    /// The RUN folder whose certificates are to be checked.
    #[arg(long, value_name = "RUN")]
    pub run: PathBuf,
    /// The RUN's model.
    #[arg(long, value_name = "M.onnx")]
    pub model: PathBuf,
    /// The RUN's data.
    #[arg(long, value_name = "D")]
    pub data: PathBuf,
    /// Rows of one run of the model [default: measured].
    #[arg(long, value_name = "B")]
    pub batch: Option<usize>,
    /// Threads that each run batches [default: one a usable core on the CPU, one on other devices].
    #[arg(long, value_name = "T")]
    pub threads: Option<usize>,
    /// No progress on stderr.
    #[arg(long)]
    pub quiet: bool,
    /// Image folders: the class names that the RUN was made with, one a line.
    #[arg(long, value_name = "FILE")]
    pub classes_file: Option<PathBuf>,
    #[command(flatten)]
    pub model_args: ModelArgs,
}

/// A RUN, open again.
pub struct Reopened {
    pub manifest: Manifest,
    pub sampling: Sampling,
    /// How the RUN's noise was made.
    pub mode: Mode,
    /// All that the RUN certifies of its labels, in the order of the manifest's k and then of the examples.
    pub certified: Vec<Certified>,
    /// The statements that they are parts of.
    pub stated: Vec<Statements>,
}

impl Reopened {
    /// # Errors
    /// `NotFound`, `Io` or `InvalidData` where RUN, model or data cannot be read; `InvalidArgument` with the field that is not
    /// what the RUN was made with.
    pub fn open(args: &RunArgs) -> Result<Self> {
        let run = RunDir::read(&args.run)?;
        let Some(manifest) = &run.manifest else {
            let message = format!("{} is a file; give the RUN folder that certify made", args.run.display());
            return Err(Error::argument("run", message));
        };
        let sampling = Sampling::open(&sampling_args(args, manifest)?).map_err(|error| match error.kind() {
            ErrorKind::NotFound | ErrorKind::Io | ErrorKind::Runtime | ErrorKind::Provider => error,
            // The wrong model or data may fail to open before their hashes can be told.
            _ => is_it_the_runs(&error, manifest),
        })?;
        let mode = match manifest.levels {
            Some(levels) => Mode::Exact(ExactGrid::new(levels)?),
            None => Mode::Grid(sampling.grid()?),
        };
        check_same(args, manifest, &sampling, mode)?;
        let certified = certified(&run, &sampling)?;
        let series = run.series.iter().filter_map(|series| Some(Statements::of_series(series.k?, &series.rows)));
        let answers = run.answers.iter().map(|answers| Statements::of_answers(answers.k, &answers.rows));
        let stated = series.chain(answers).flatten().collect();
        Ok(Self { manifest: manifest.clone(), sampling, mode, certified, stated })
    }

    /// The label of an example: the data's, or the certified one.
    pub fn labels(&self) -> HashMap<usize, usize> {
        let certified = self.certified.iter().rev().map(|certified| (certified.idx, certified.labels[0]));
        let given = (0..self.sampling.data.len()).filter_map(|idx| Some((idx, self.sampling.data.label(idx)?)));
        certified.chain(given).collect()
    }
}

/// What certify was called with, as far as the manifest says, and the paths that it does not know.
fn sampling_args(args: &RunArgs, manifest: &Manifest) -> Result<SamplingArgs> {
    let resize = match manifest.resize.as_deref() {
        None => Resize::default(),
        Some(name) => [Resize::Crop, Resize::Imagenet, Resize::Exact]
            .into_iter()
            .find(|resize| resize.as_str() == name)
            .ok_or_else(|| unknown(manifest, "resize"))?,
    };
    Ok(SamplingArgs {
        model: args.model.clone(),
        data: args.data.clone(),
        sigma: manifest.sigma,
        n: manifest.n,
        alpha: manifest.alpha,
        k: manifest.k.clone(),
        timeout: None,
        skip: manifest.skip,
        max: manifest.max,
        noise_args: NoiseArgs::default(),
        batch: args.batch,
        threads: args.threads,
        no_plan_cache: false,
        input_max: Some(
            manifest.more.get("input_max").and_then(Value::as_f64).ok_or_else(|| unknown(manifest, "input_max"))?,
        ),
        quiet: args.quiet,
        input_scale: Some(manifest.input_scale),
        classes_file: args.classes_file.clone(),
        resize,
        model_args: model_args(&args.model_args, manifest),
    })
}

/// How the model was read: as given, else as the manifest says.
fn model_args(given: &ModelArgs, manifest: &Manifest) -> ModelArgs {
    let text = |field: &str| manifest.more.get(field).and_then(Value::as_str).map(str::to_owned);
    let narrow = |values: &[f64]| values.iter().map(|&value| value as f32).collect();
    let list = |field: &str| manifest.more.get(field).and_then(Value::as_array).cloned().unwrap_or_default();
    let shape = || list("element_shape").iter().map(|length| usize::try_from(length.as_u64()?).ok()).collect();
    let constants = || list("constants").iter().filter_map(Value::as_str).map(str::to_owned).collect();
    ModelArgs {
        input: given.input.clone().or_else(|| text("input")),
        input_shape: given.input_shape.clone().or_else(shape),
        constant: if given.constant.is_empty() { constants() } else { given.constant.clone() },
        output: given.output.clone().or_else(|| text("output")),
        mean: if given.mean.is_empty() { narrow(&manifest.mean) } else { given.mean.clone() },
        std: if given.std.is_empty() { narrow(&manifest.std) } else { given.std.clone() },
        ..given.clone()
    }
}

fn is_it_the_runs(error: &Error, manifest: &Manifest) -> Error {
    let Manifest { model, model_sha256, data, data_sha256, .. } = manifest;
    let asked =
        format!("is it the RUN's model {model} (SHA-256 {model_sha256}) and data {data} (SHA-256 {data_sha256})?");
    let asked = Error::new(error.kind(), format!("{}; {asked}", error.message()));
    match error.field() {
        Some(field) => asked.with_field(field),
        None => asked,
    }
}

fn unknown(manifest: &Manifest, field: &str) -> Error {
    let version = &manifest.program_version;
    Error::data(
        "manifest",
        format!("its {field} is not one that this program knows; use version {version}, which wrote it"),
    )
}

/// The name of noise without its generator's: fresh noise of another generator has the same distribution.
fn law(noise: &Value) -> Value {
    noise.as_str().and_then(|name| name.split_once(' ')).map_or(Value::Null, |(_, law)| json!(law))
}

/// Everything that makes the smoothed classifier and its inputs. Versions may differ: they are told, not refused.
fn check_same(args: &RunArgs, manifest: &Manifest, sampling: &Sampling, mode: Mode) -> Result<()> {
    let noise = Noise::new(manifest.sigma, mode, Source::Philox { seed: 0 })?;
    let (model, data, signature) = (&sampling.model, &sampling.data, sampling.model.signature());
    let ModelArgs { mut constant, mean, std, .. } = model_args(&args.model_args, manifest);
    constant.sort_unstable();
    let widen = |values: &[f32]| values.iter().map(|&value| f64::from(value)).collect::<Vec<_>>();
    let more = |field: &str| manifest.more.get(field).cloned().unwrap_or_default();
    let checks: [(&str, Value, Value, &str); 15] = [
        ("model_sha256", json!(manifest.model_sha256), json!(model.sha256()), "give the very model that was certified"),
        ("data_sha256", json!(manifest.data_sha256), json!(data.sha256()?), "give the very data that were certified"),
        (
            "provider",
            json!(manifest.provider),
            json!(sampling.opened.provider()),
            "give the RUN's --provider and --device",
        ),
        (
            "arithmetic",
            json!(manifest.arithmetic),
            json!(model.arithmetic()),
            "give the RUN's --tf32, --trt-fp16, --trt-bf16 and --provider-option",
        ),
        ("precision", json!(manifest.precision), json!(model.precision().to_string()), "open the model as the RUN did"),
        ("noise", law(&more("noise")), law(&json!(noise.name())), "use the version that wrote the RUN"),
        ("input", more("input"), json!(signature.input), "leave --input out"),
        ("element_shape", more("element_shape"), json!(signature.element_shape), "leave --input-shape out"),
        ("constants", more("constants"), json!(constant), "leave --constant out"),
        ("output", more("output"), json!(signature.output), "leave --output out"),
        ("scores", more("scores"), json!(signature.reading.to_string()), "give the RUN's --threshold"),
        ("classes", json!(manifest.classes), json!(signature.classes), "give the RUN's --classes"),
        ("mean", json!(manifest.mean), json!(widen(&mean)), "leave --mean out"),
        ("std", json!(manifest.std), json!(widen(&std)), "leave --std out"),
        ("grid", json!(manifest.grid), json!(mode.step()), "use the version that wrote the RUN"),
    ];
    match checks.into_iter().find(|(_, of_run, found, _)| of_run != found) {
        None => Ok(()),
        Some((field, of_run, found, remedy)) => Err(Error::argument(
            field,
            format!("the RUN {} was made with {of_run}, and this command has {found}; {remedy}", args.run.display()),
        )),
    }
}

/// What a RUN certifies, checked against its model and data.
fn certified(run: &ReadRun, sampling: &Sampling) -> Result<Vec<Certified>> {
    let (classes, examples) = (sampling.model.signature().classes, sampling.data.len());
    for answers in &run.answers {
        answers.rows.iter().try_for_each(|row| check_answer(row, answers.k, classes))?;
    }
    if let Some(row) = run.series.iter().flat_map(|series| &series.rows).find(|row| !row.radius.is_finite()) {
        return Err(Error::data("run", format!("example {} has a radius without end", row.idx)));
    }
    let series = run.series.iter().filter_map(|series| Some(of_series(series.k?, &series.rows)));
    let answers = run.answers.iter().map(|answers| of_answers(answers.k, &answers.rows));
    let certified: Vec<Certified> = series.chain(answers).flatten().collect();
    for Certified { idx, labels, of, .. } in &certified {
        if *idx >= examples {
            let message = format!("for k = {} it holds example {idx}, past the {examples} of the data", of.k);
            return Err(Error::data("run", message));
        }
        if let Some(label) = labels.iter().find(|&&label| label >= classes) {
            let message =
                format!("for k = {} it certifies label {label}, past the {classes} labels of the model", of.k);
            return Err(Error::data("run", message));
        }
    }
    Ok(certified)
}

/// Refuses guarantees that are no such: a radius without end where labels are left over to push others out, and a statement that
/// stands twice with two radii.
fn check_answer(row: &AnswerRow, k: usize, classes: usize) -> Result<()> {
    let AnswerRow { idx, answer: Answer { labels, set, kept, each, first, ranking }, .. } = row;
    let wrong = |what: &str| Error::data("run", format!("for k = {k} example {idx} {what}: the file was altered"));
    let outside = classes.saturating_sub(k);
    // At least e labels stay whatever happens where fewer than k - e + 1 are outside.
    let endless = |(least, radius): (usize, &f64)| radius.is_infinite() && k - least < outside;
    let single = [set, first, ranking].into_iter().chain(each);
    if single.into_iter().any(|radius| radius.is_infinite()) || (1..=k).zip(kept).any(endless) {
        return Err(wrong("has a radius without end"));
    }
    if !labels.is_empty() && kept.last() != Some(set) {
        return Err(wrong("has two radii for its set"));
    }
    if k == 1 && first != ranking {
        return Err(wrong("has two radii for its first label"));
    }
    Ok(())
}
