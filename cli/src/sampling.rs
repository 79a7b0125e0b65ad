//! What certify and predict share: the arguments that say which samples to draw, and drawing them in order.

use std::collections::VecDeque;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use smoothtopk::certificate::stop::Rule;
use smoothtopk::model::{ElementType, Layout, Model, Reading, Runtime};
use smoothtopk::perturbation::Family;
use smoothtopk::record::{Identity, Record};
use smoothtopk::sampler::{Measured, Opened, Plan};
use smoothtopk::smoothed::{Generator, NoiseMode, Outcome, Request, SmoothedClassifier, Task};
use smoothtopk::stats::check_alpha;
use smoothtopk::{Error, ErrorKind, Result};

use crate::data::{self, DataOptions, Dataset, InputSpec, Resize};
use crate::in_flight::{InFlight, Window};
use crate::interrupt;
use crate::model_args::ModelArgs;
use crate::noise_args::{FamilyArgs, NoiseArgs};
use crate::number::{number, whole};
use crate::progress::Progress;

/// Between two looks at progress and Ctrl-C.
const POLL: Duration = Duration::from_millis(10);

/// Model, data, noise and how much of it.
#[derive(clap::Args, Clone, Debug)]
pub struct SamplingArgs {
    /// The ONNX model.
    #[arg(long, short, value_name = "M.onnx")]
    pub model: PathBuf,
    /// The examples: .npz (`images`, optional `labels`: one for each, or with --base-k rows of 0 and 1, or CSR arrays
    /// `labels_indptr` and `labels_indices`), .npy, or a folder of PNG and JPEG images, known by their
    /// content. A folder's images are taken in the order of their names, sorted as text, class folder by class folder.
    #[arg(long, short, value_name = "D")]
    pub data: PathBuf,
    #[command(flatten)]
    pub family: FamilyArgs,
    /// Samples (noisy copies) of each example; the most of them, where --rule may stop earlier.
    #[arg(long, short, default_value_t = 100_000, value_parser = whole)]
    pub n: u64,
    /// Probability that a statement about an example is false.
    #[arg(long, default_value_t = 0.001)]
    pub alpha: f64,
    /// The k of top-k, one or several; each gets its own statement at alpha.
    #[arg(long, short, value_delimiter = ',', default_value = "1")]
    pub k: Vec<usize>,
    /// Time limit of an example, in seconds. When it passes, the answer is that of the rule's last look, which is
    /// sound. Needs a --rule other than fixed; examples are then drawn one at a time.
    #[arg(long, value_name = "S", value_parser = seconds)]
    pub timeout: Option<Duration>,
    /// Divide the data's values by this: 255 for 8-bit pixels and a model of pixels in [0,1] [default: 1].
    #[arg(long, value_name = "X", help_heading = "Data options")]
    pub input_scale: Option<f64>,
    /// Take every S-th example.
    #[arg(long, value_name = "S", default_value_t = 1, help_heading = "Data options")]
    pub skip: usize,
    /// Leave out example M and all after it (M is an index into the data, as in Cohen et al.'s scripts).
    #[arg(long, value_name = "M", help_heading = "Data options")]
    pub max: Option<usize>,
    /// Image folders: a file that says which label each class folder has: names, one per line, in the order of the
    /// labels from 0, or a JSON object of names and labels [default: the folders' names sorted as text from 0, as
    /// torchvision's ImageFolder has it; a folder without an image is no class].
    #[arg(long, value_name = "FILE", help_heading = "Data options")]
    pub classes_file: Option<PathBuf>,
    /// Image folders: how images are resized for the model.
    #[arg(long, value_enum, default_value_t, help_heading = "Data options")]
    pub resize: Resize,
    #[command(flatten)]
    pub noise_args: NoiseArgs,
    /// Largest |x| after scaling that the grid of --noise-mode grid must hold [default: the data's own].
    #[arg(long, value_name = "X", help_heading = "Noise options")]
    pub input_max: Option<f64>,
    /// Samples in one run of the model [default: measured].
    #[arg(long, value_name = "B", help_heading = "Running options")]
    pub batch: Option<usize>,
    /// Threads, each of which runs batches [default: one per usable core on the CPU, one on other devices].
    #[arg(long, value_name = "T", help_heading = "Running options")]
    pub threads: Option<usize>,
    /// Measure the batch size again, without reading or writing the cache.
    #[arg(long, help_heading = "Running options")]
    pub no_plan_cache: bool,
    /// Show no progress.
    #[arg(long, short, help_heading = "Running options")]
    pub quiet: bool,
    #[command(flatten)]
    pub model_args: ModelArgs,
}

/// An example to draw, and which of its samples: none for all of them.
pub type Wanted = (usize, Option<Range<u64>>);

/// Everything opened and checked, ready to draw.
pub struct Sampling {
    pub data: Dataset,
    pub model: Arc<Model>,
    /// The model with what runs it.
    pub opened: Opened,
    pub family: Family,
    /// Indices of the examples chosen by --skip and --max, ascending.
    pub examples: Vec<usize>,
    input_max: f64,
    input: InputSpec,
    threads: usize,
    args: SamplingArgs,
}

impl SamplingArgs {
    pub fn input_scale(&self) -> f64 {
        self.input_scale.unwrap_or(1.0)
    }

    fn data_options(&self, listed: Option<Vec<String>>) -> DataOptions {
        let (input_scale, classes_file, resize) = (self.input_scale(), self.classes_file.clone(), self.resize);
        DataOptions { input_scale, classes_file, listed, resize }
    }
}

impl Sampling {
    /// Opens model and data; of a folder of images the files that a RUN has `listed`, where it has.
    pub fn open(args: &SamplingArgs, listed: Option<Vec<String>>) -> Result<Self> {
        check_alpha(args.alpha)?;
        let asked = args.family.family()?;
        if args.n == 0 {
            return Err(Error::argument("n", "must be at least 1"));
        }
        if args.skip == 0 {
            return Err(Error::argument("skip", "must be at least 1: every S-th example is taken"));
        }
        let dataset = Dataset::open(&args.data, &args.data_options(listed))?;
        let (model_args, opened) = open_model(args)?;
        let model = opened.model.clone();
        let family = asked.settled(&model.signature().element_shape)?;
        let signature = model.signature();
        for &k in &args.k {
            if k == 0 || k >= signature.classes {
                return Err(Error::argument(
                    "k",
                    format!(
                        "must be from 1 to {} (the model has {} labels), got {k}",
                        signature.classes - 1,
                        signature.classes
                    ),
                ));
            }
        }
        let found = dataset.found(signature.classes);
        found.iter().filter(|line| !args.quiet || line.starts_with("warning")).for_each(|line| say!("{line}"));
        dataset.check_labels(signature.classes)?;
        if dataset.has_label_sets() && !matches!(signature.reading, Reading::Sets { .. }) {
            let message =
                "are sets, and the model gives each sample one label: give --base-k where it is a multi-label model";
            return Err(Error::data("labels", message));
        }
        let layout = match signature.layout {
            Layout::Nchw => data::Layout::Nchw,
            Layout::Nhwc => data::Layout::Nhwc,
            Layout::Flat => data::Layout::Flat,
        };
        let threads = args.threads.unwrap_or(opened.threads);
        // Told before a RUN is made, and before a plan is measured.
        opened.check(Plan { batch: args.batch.or(opened.classifier.fixed_batch()).unwrap_or(1), threads })?;
        let input = InputSpec { shape: signature.element_shape.clone(), layout };
        dataset.check_shape(&input)?;
        let input_max = args.input_max.map_or_else(|| dataset.max_abs(), Ok)?;
        let end = args.max.map_or(dataset.len(), |max| max.min(dataset.len()));
        let examples: Vec<usize> = (0..end).step_by(args.skip).collect();
        if examples.is_empty() {
            return Err(Error::data("data", "there is no example: the data is empty, or --max is 0"));
        }
        if args.input_scale.is_none()
            && let Some(largest) = dataset.largest_pixel(layout)
        {
            warn_of_pixels(largest, &family, signature.input_type == ElementType::UInt8);
        }
        let args = SamplingArgs { model_args, ..args.clone() };
        Ok(Self { data: dataset, model, opened, family, examples, input_max, input, threads, args })
    }

    /// How the model was opened.
    pub fn model_args(&self) -> &ModelArgs {
        &self.args.model_args
    }

    /// The model's input, to which examples are matched.
    pub fn input_spec(&self) -> &InputSpec {
        &self.input
    }

    /// Example `index` of the data as the model takes it, on sigma's scale.
    pub fn example(&self, index: usize) -> Result<Vec<f32>> {
        self.data.example(index, &self.input)
    }

    /// The batch plan: as given, or measured.
    pub fn plan(&self) -> Result<Plan> {
        let threads = self.threads;
        match (self.args.batch, self.opened.classifier.fixed_batch()) {
            (Some(batch), _) | (None, Some(batch)) => Ok(Plan { batch, threads }),
            (None, None) => Ok(measure_plan(&self.opened, self.args.threads, self.args.no_plan_cache)?.plan),
        }
    }

    /// A request for the samples that were asked for: every field but those of one command, with a seed or key.
    pub fn request(&self, generator: Generator) -> Result<Request> {
        let SamplingArgs { ref k, n, alpha, ref noise_args, .. } = self.args;
        let mode = noise_args.noise_mode.mode(self.args.input_scale())?;
        let request = Request { k: k.clone(), n, alpha, generator, mode, ..Request::new(self.family) };
        Request { input_max: self.input_max, ..request }.settled(&self.input.shape)?.with_seed()
    }

    /// The model, and what runs it, for records.
    pub fn identity(&self) -> Result<Identity> {
        Ok(Identity {
            model_sha256: Some(self.model.sha256().to_owned()),
            stated: None,
            provider: self.opened.provider(),
            precision: self.model.precision().to_string(),
            arithmetic: self.model.arithmetic().to_owned(),
            fallback: self.model.fallback().map(str::to_owned),
            onnxruntime_version: Some(Runtime::load(None)?.version().to_owned()),
        })
    }

    /// The record of an example, without the seed or key.
    pub fn record(&self, index: usize, outcome: &Outcome, model: &Identity) -> Record {
        let mut record = Record::of(outcome, Some(model), false);
        (record.index, record.true_label) = (Some(index), self.data.label(index));
        record.file = self.data.file_of(index);
        record
    }

    fn of_example(&self, index: usize, error: &Error) -> Error {
        let located = Error::new(error.kind(), format!("{}: {}", self.data.name(index), error.message()));
        match error.field() {
            Some(field) => located.with_field(field),
            None => located,
        }
    }

    /// Refuses what cannot be drawn as asked, before the first sample.
    pub fn check(&self, request: &Request) -> Result<()> {
        if self.args.timeout.is_some() && request.rule == Rule::Fixed {
            let message = "with a fixed n there is no answer before the last sample: give a --rule";
            return Err(Error::argument("timeout", message));
        }
        let NoiseMode::Exact(grid) = request.mode else { return Ok(()) };
        // Images are decoded one at a time, so of a folder one that is whole speaks for all; the others are checked
        // when drawn.
        let of_folder = self.data.resize().is_some();
        for &index in &self.examples {
            let example = match self.example(index) {
                Err(error) if of_folder && is_of_example(&error) => continue,
                example => example?,
            };
            if let Some(at) = example.iter().position(|&x| grid.point(x).is_none()) {
                let message = format!(
                    "{}: element {at} is {} after --input-scale, which is not a multiple of 1/{}: give a --noise-mode exact:LEVELS that \
                     fits the data, or --noise-mode grid",
                    self.data.name(index),
                    example[at],
                    grid.levels()
                );
                return Err(Error::data("data", message));
            }
            if of_folder {
                break;
            }
        }
        Ok(())
    }

    /// Reads and hashes a folder of images, and says which of these examples are damaged: before the first sample, not
    /// in the middle of the night.
    pub fn examine(&self, examples: &[usize]) -> Result<()> {
        if self.data.resize().is_some() && !self.args.quiet {
            say!("reading and hashing {} images before the first sample", self.data.len());
        }
        let bad = self.data.examine(examples, &self.input)?;
        if !bad.is_empty() {
            let (bad, all) = (bad.len(), examples.len());
            say!("warning: {bad} of {all} examples cannot be used:");
        }
        bad.iter().take(MOST_NAMED).for_each(|(_, error)| say!("  {error}"));
        if bad.len() > MOST_NAMED {
            say!("  and {} more", bad.len() - MOST_NAMED);
        }
        Ok(())
    }

    /// Hands the outcome of every example that is wanted to `done`, in order, and at once the error of one that cannot
    /// be read or decoded. Examples behind the front one are drawn ahead where that fills batches. Stops at the first
    /// other error, or at a signal; what was handed over stays done. An example whose time was up before its first look
    /// is handed over without an answer; so is every one of which only a part of the samples is drawn. `next` gives
    /// examples until it gives none; it may wait for one only where it is told that nothing else is to do.
    pub fn draw(
        &self,
        plan: Plan,
        request: &Request,
        mut next: impl FnMut(bool) -> Result<Option<Wanted>>,
        task: impl Fn(usize) -> Task,
        progress: &Progress,
        mut done: impl FnMut(usize, Result<Outcome>) -> Result<()>,
    ) -> Result<()> {
        let smoothed = SmoothedClassifier::new(self.opened.classifier.clone(), plan)?;
        let elements = self.model.signature().elements;
        let mut window = Window::new(&plan, request, elements, self.args.timeout);
        let mut running: VecDeque<InFlight> = VecDeque::new();
        loop {
            while window.has_room(&running)
                && let Some((index, part)) = next(running.is_empty())?
            {
                let input = match self.example(index) {
                    Err(error) if is_of_example(&error) => {
                        progress.example_failed();
                        done(index, Err(error))?;
                        continue;
                    }
                    input => input?,
                };
                let started = InFlight::start(&smoothed, &input, index, task(index), request, part, self.args.timeout);
                running.push_back(started.map_err(|error| self.of_example(index, &error))?);
            }
            let Some(front) = running.front() else { return Ok(()) };
            front.wait_timeout(POLL);
            interrupt::check()?;
            running.iter_mut().for_each(|example| progress.samples(example.new_samples()));
            while running.front().is_some_and(InFlight::is_finished)
                && let Some(mut example) = running.pop_front()
            {
                let index = example.index;
                progress.samples(example.new_samples());
                let outcome = example.wait()?;
                window.finished(outcome.samples_drawn);
                progress.invalid(outcome.counts.invalid());
                match &outcome.answer {
                    Err(error) if error.kind() != ErrorKind::DeadlineExceeded && !outcome.is_part() => {
                        return Err(self.of_example(index, error));
                    }
                    _ => done(index, Ok(outcome))?,
                }
            }
        }
    }
}

/// Opens the model. One of bytes gets rows that --input-scale has divided multiplied again, after the noise.
fn open_model(args: &SamplingArgs) -> Result<(ModelArgs, Opened)> {
    let (mut model_args, scale) = (args.model_args.clone(), args.input_scale());
    let mut opened = model_args.open_silently(&args.model, args.batch)?;
    if opened.model.signature().input_type == ElementType::UInt8 && scale != 1.0 && model_args.std.is_empty() {
        model_args.std = vec![(1.0 / scale) as f32];
        opened = model_args.open_silently(&args.model, args.batch)?;
    }
    model_args.tell(&opened);
    Ok((model_args, opened))
}

/// Warns of data that look like pixels up to `largest`, where the noise is hardly meant to be in their units.
fn warn_of_pixels(largest: f64, family: &Family, takes_bytes: bool) {
    match takes_bytes {
        // Noise in bytes for a model of bytes.
        true if family.parameter() >= 1.0 => {}
        true => say!(
            "warning: the model takes bytes, and the noise, {family}, is less than one of their steps: for noise on a scale from 0 to 1 \
             give --input-scale 255 (--input-scale 1 says that this is meant)"
        ),
        false => say!(
            "warning: the data look like unscaled 8-bit pixels, up to {largest}, and the noise, {family}, is in their units: for a \
             model of pixels in [0,1] give --input-scale 255 (--input-scale 1 says that this is meant)"
        ),
    }
}

/// Damaged examples that are named before the first sample.
const MOST_NAMED: usize = 8;

/// Whether an error in reading an example is about that example alone.
fn is_of_example(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::InvalidData | ErrorKind::Io | ErrorKind::NotFound)
}

/// The batch plan of a model: kept from an earlier run, or measured.
pub fn measure_plan(opened: &Opened, threads: Option<usize>, no_cache: bool) -> Result<Measured> {
    let mut search = opened.search(threads)?;
    if no_cache {
        search.cache = None;
    }
    search.run(&opened.classifier)
}

/// Thirty years. A longer time is no limit, and overflows clocks.
const LONGEST: f64 = 1e9;

/// A number of seconds above 0.
fn seconds(text: &str) -> Result<Duration> {
    let refuse = || Error::argument("timeout", format!("\"{text}\" is not a number of seconds above 0"));
    let seconds = text.parse().map_err(|_| refuse())?;
    if seconds > LONGEST {
        let message = format!("\"{text}\" is more than {LONGEST:e} seconds: leave --timeout out for no time limit");
        return Err(Error::argument("timeout", message));
    }
    Duration::try_from_secs_f64(seconds).ok().filter(|time| !time.is_zero()).ok_or_else(refuse)
}

pub fn check_probability(field: &str, value: f64) -> Result<()> {
    if value > 0.0 && value < 1.0 {
        return Ok(());
    }
    Err(Error::argument(field, format!("must be a probability above 0 and below 1, got {}", number(value))))
}
