//! A RUN with the model and the data that it was made from, checked to be the same.

use std::collections::HashMap;
use std::path::PathBuf;

use serde_json::{Value, json};
use smoothtopk::noise::Noise;
use smoothtopk::perturbation::Family;
use smoothtopk::{Error, ErrorKind, Result};

use super::evaluate::Distribution;
use super::statement::{Certified, Statements, of_answers, of_labels};
use crate::data::Resize;
use crate::model_args::ModelArgs;
use crate::noise_args::{FamilyArgs, NoiseArgs};
use crate::run_dir::{Example, Manifest, Proof, ReadRun};
use crate::sampling::{Sampling, SamplingArgs};

/// A RUN, and what opens its model and data again. What is not given follows from the RUN's manifest.
#[derive(clap::Args, Clone, Debug)]
pub struct RunArgs {
    /// The RUN folder whose certificates are checked.
    #[arg(long, short, value_name = "RUN")]
    pub run: PathBuf,
    /// Take the radii as the records have them, even where their counts do not prove them: to see how well attacks find
    /// out radii that were made larger.
    #[arg(long)]
    pub unproven: bool,
    /// The RUN's model.
    #[arg(long, short, value_name = "M.onnx")]
    pub model: PathBuf,
    /// The RUN's data.
    #[arg(long, short, value_name = "D")]
    pub data: PathBuf,
    /// Samples in one run of the model [default: measured].
    #[arg(long, value_name = "B", help_heading = "Running options")]
    pub batch: Option<usize>,
    /// Threads, each of which runs batches [default: one per usable core on the CPU, one on other devices].
    #[arg(long, value_name = "T", help_heading = "Running options")]
    pub threads: Option<usize>,
    /// Show no progress.
    #[arg(long, short, help_heading = "Running options")]
    pub quiet: bool,
    /// Image folders: the file of class names that the RUN was made with.
    #[arg(long, value_name = "FILE")]
    pub classes_file: Option<PathBuf>,
}

/// A RUN, open again.
pub struct Reopened {
    pub manifest: Manifest,
    pub sampling: Sampling,
    /// The distribution of the RUN's noise.
    pub noise: Distribution,
    /// All that the RUN certifies of its labels, in the order of the manifest's k and then of the examples.
    pub certified: Vec<Certified>,
    /// The statements that they are parts of.
    pub stated: Vec<Statements>,
}

impl Reopened {
    /// # Errors
    /// `NotFound`, `Io` or `InvalidData` where RUN, model or data cannot be read; `InvalidArgument` with the field that
    /// is not what the RUN was made with.
    pub fn open(args: &RunArgs, model_args: &ModelArgs) -> Result<Self> {
        let run = ReadRun::open(&args.run, if args.unproven { Proof::Waived } else { Proof::Needed })?;
        let Some(manifest) = &run.manifest else {
            let message = format!("{} is a file; give the RUN folder that certify made", args.run.display());
            return Err(Error::argument("run", message));
        };
        if manifest.reading.base_k.is_some() {
            return Err(Error::argument("run", "is of a multi-label model, which verify does not attack"));
        }
        let noise = distribution(manifest)?;
        let sampling_args = sampling_args(args, model_args, manifest)?;
        let sampling =
            Sampling::open(&sampling_args, manifest.data_files.clone()).map_err(|error| match error.kind() {
                ErrorKind::NotFound | ErrorKind::Io | ErrorKind::Runtime | ErrorKind::Provider => error,
                // The wrong model or data may fail to open before their hashes can be told.
                _ => is_it_the_runs(&error, manifest),
            })?;
        if let Some(files) = &manifest.data_files {
            sampling.data.expect(files);
        }
        check_same(args, model_args, manifest, &sampling)?;
        check_examples(&run.examples, manifest, &sampling)?;
        let (mut certified, mut stated) = (Vec::new(), Vec::new());
        for (i, &k) in manifest.request.k.iter().enumerate() {
            if manifest.guarantee {
                certified.extend(of_answers(&run.examples, i));
                stated.extend(Statements::of_answers(&run.examples, k));
            } else {
                certified.extend(of_labels(&run.examples, i));
                stated.extend(Statements::of_labels(&run.examples, k));
            }
        }
        Ok(Self { manifest: manifest.clone(), sampling, noise, certified, stated })
    }

    /// The label of an example: the data's, or the certified one.
    pub fn labels(&self) -> HashMap<usize, usize> {
        let certified = self.certified.iter().rev().map(|certified| (certified.idx, certified.labels[0]));
        let given = (0..self.sampling.data.len()).filter_map(|idx| Some((idx, self.sampling.data.label(idx)?)));
        certified.chain(given).collect()
    }
}

/// The distribution of a RUN's noise, for perturbations in l2.
fn distribution(manifest: &Manifest) -> Result<Distribution> {
    let perturbation = &manifest.perturbation;
    let mode = Noise::remade(perturbation.noise, &perturbation.method, perturbation.step)?.mode();
    match perturbation.noise {
        Family::Gaussian(noise) => Ok(Distribution { noise, mode }),
        other => Err(Error::argument(
            "run",
            format!("its noise is {other}: verify attacks l2 radii of Gaussian noise alone"),
        )),
    }
}

/// What certify was called with, as far as the manifest says, and the paths that it does not know.
fn sampling_args(args: &RunArgs, given: &ModelArgs, manifest: &Manifest) -> Result<SamplingArgs> {
    let resize = match manifest.resize.as_deref() {
        None => Resize::default(),
        Some(name) => Resize::named(name).ok_or_else(|| unknown(manifest, "resize"))?,
    };
    Ok(SamplingArgs {
        model: args.model.clone(),
        data: args.data.clone(),
        family: FamilyArgs { sigma: None, noise: Some(manifest.perturbation.noise) },
        n: manifest.request.n,
        alpha: manifest.request.alpha,
        k: manifest.request.k.clone(),
        timeout: None,
        skip: manifest.skip,
        max: manifest.max,
        noise_args: NoiseArgs::default(),
        batch: args.batch,
        threads: args.threads,
        no_plan_cache: false,
        input_max: Some(manifest.request.input_max),
        quiet: args.quiet,
        input_scale: Some(manifest.input_scale),
        classes_file: args.classes_file.clone(),
        resize,
        model_args: model_args(given, manifest),
    })
}

/// How the model was read: as given, else as the manifest says.
fn model_args(given: &ModelArgs, manifest: &Manifest) -> ModelArgs {
    let of_run = &manifest.reading;
    let narrow = |values: &[f64]| values.iter().map(|&value| value as f32).collect();
    ModelArgs {
        input: given.input.clone().or_else(|| Some(of_run.input.clone())),
        input_shape: given.input_shape.clone().or_else(|| Some(of_run.element_shape.clone())),
        constant: if given.constant.is_empty() { of_run.constants.clone() } else { given.constant.clone() },
        output: given.output.clone().or_else(|| Some(of_run.output.clone())),
        mean: if given.mean.is_empty() { narrow(&of_run.mean) } else { given.mean.clone() },
        std: if given.std.is_empty() { narrow(&of_run.std) } else { given.std.clone() },
        ..given.clone()
    }
}

fn is_it_the_runs(error: &Error, manifest: &Manifest) -> Error {
    let (model, model_sha256) = (&manifest.model_file, manifest.model.model_sha256.as_deref().unwrap_or("unknown"));
    let (data, data_sha256) = (&manifest.data_file, &manifest.data_sha256);
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

/// Everything that makes the smoothed classifier and its inputs. Versions may differ: they are reported, not refused.
fn check_same(args: &RunArgs, given: &ModelArgs, manifest: &Manifest, sampling: &Sampling) -> Result<()> {
    let (model, data, signature) = (&sampling.model, &sampling.data, sampling.model.signature());
    let (of_run, ran) = (&manifest.reading, &manifest.model);
    let ModelArgs { mut constant, mean, std, .. } = model_args(given, manifest);
    constant.sort_unstable();
    let widen = |values: &[f32]| values.iter().map(|&value| f64::from(value)).collect::<Vec<_>>();
    let checks: [(&str, Value, Value, &str); 13] = [
        ("model_sha256", json!(ran.model_sha256), json!(model.sha256()), "give the very model that was certified"),
        ("data_sha256", json!(manifest.data_sha256), json!(data.sha256()), "give the very data that were certified"),
        ("provider", json!(ran.provider), json!(sampling.opened.provider()), "give the RUN's --provider and --device"),
        (
            "arithmetic",
            json!(ran.arithmetic),
            json!(model.arithmetic()),
            "give the RUN's --tf32, --trt-fp16, --trt-bf16 and --provider-option",
        ),
        ("precision", json!(ran.precision), json!(model.precision().to_string()), "open the model as the RUN did"),
        ("input", json!(of_run.input), json!(signature.input), "leave --input out"),
        ("element_shape", json!(of_run.element_shape), json!(signature.element_shape), "leave --input-shape out"),
        ("constants", json!(of_run.constants), json!(constant), "leave --constant out"),
        ("output", json!(of_run.output), json!(signature.output), "leave --output out"),
        ("scores", json!(of_run.scores), json!(signature.reading.to_string()), "give the RUN's --threshold"),
        ("classes", json!(of_run.classes), json!(signature.classes), "give the RUN's --classes"),
        ("mean", json!(of_run.mean), json!(widen(&mean)), "leave --mean out"),
        ("std", json!(of_run.std), json!(widen(&std)), "leave --std out"),
    ];
    match checks.into_iter().find(|(_, of_run, found, _)| of_run != found) {
        None => Ok(()),
        Some((field, of_run, found, remedy)) => Err(Error::argument(
            field,
            format!("the RUN {} was made with {of_run}, and this command has {found}; {remedy}", args.run.display()),
        )),
    }
}

/// Refuses examples and labels that the data and the model do not have.
fn check_examples(examples: &[Example], manifest: &Manifest, sampling: &Sampling) -> Result<()> {
    let (classes, of_data) = (manifest.reading.classes, sampling.data.len());
    for example in examples {
        let idx = example.idx;
        let wrong = |what: String| Err(Error::data("run", format!("example {idx} {what}: the records were altered")));
        if idx >= of_data {
            return wrong(format!("is past the {of_data} of the data"));
        }
        let labels = example.certificates.iter().map(|found| found.label);
        let mut labels = labels.chain(example.guarantees.iter().flat_map(|found| found.labels.iter().copied()));
        if let Some(label) = labels.find(|&label| label >= classes) {
            return wrong(format!("has the label {label}, past the {classes} labels of the model"));
        }
        if example.label != sampling.data.label(idx) {
            return wrong("has another true label than the data".into());
        }
    }
    Ok(())
}
