//! What certify and predict share: the arguments that say which samples to draw, and drawing them in order.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use smoothtopk::certificate::stop::Rule;
use smoothtopk::model::{Layout, Model};
use smoothtopk::noise::Grid;
use smoothtopk::sampler::{Measured, Opened, Plan};
use smoothtopk::smoothed::{Generator, NoiseMode, Outcome, Request, SmoothedClassifier, Task};
use smoothtopk::stats::check_alpha;
use smoothtopk::{Error, ErrorKind, Result};

use crate::data::{self, DataOptions, Dataset, InputSpec, Resize};
use crate::in_flight::{InFlight, Window};
use crate::interrupt;
use crate::model_args::ModelArgs;
use crate::noise_args::NoiseArgs;
use crate::number::number;
use crate::progress::Progress;

/// Between two looks at progress and Ctrl-C.
const POLL: Duration = Duration::from_millis(10);

/// Model, data, noise and how much of it.
#[derive(clap::Args, Clone, Debug)]
pub struct SamplingArgs {
    /// The ONNX model.
    #[arg(long, value_name = "M.onnx")]
    pub model: PathBuf,
    /// The examples: .npz (`images`, optional `labels`), .npy, or a folder of PNG/JPEG images.
    #[arg(long, value_name = "D")]
    pub data: PathBuf,
    /// Standard deviation of the noise, on the scale of the data divided by --input-scale.
    #[arg(long)]
    pub sigma: f64,
    /// Noisy rows per example; the most of them, where --rule may stop before.
    #[arg(long, default_value_t = 100_000)]
    pub n: u64,
    /// Probability that a statement about an example is false.
    #[arg(long, default_value_t = 0.001)]
    pub alpha: f64,
    /// The k of top-k, one or several; each gets its own statement at alpha.
    #[arg(long, value_delimiter = ',', default_value = "1")]
    pub k: Vec<usize>,
    /// Most seconds an example may take; then its last look is its answer, which is sound. Wants a --rule that looks.
    /// Examples are then drawn one at a time.
    #[arg(long, value_name = "S", value_parser = seconds)]
    pub timeout: Option<Duration>,
    /// What the data's values are divided by: 255 for 8-bit pixels and a model of pixels in [0,1] [default: 1].
    #[arg(long, value_name = "X", help_heading = "Data options")]
    pub input_scale: Option<f64>,
    /// Take every S-th example.
    #[arg(long, value_name = "S", default_value_t = 1, help_heading = "Data options")]
    pub skip: usize,
    /// Stop before example M (an index into the data, as in Cohen et al.'s scripts).
    #[arg(long, value_name = "M", help_heading = "Data options")]
    pub max: Option<usize>,
    /// Image folders: class names, one a line, in the order of the labels [default: sorted class folders].
    #[arg(long, value_name = "FILE", help_heading = "Data options")]
    pub classes_file: Option<PathBuf>,
    /// Image folders: how images are brought to the model's size.
    #[arg(long, value_enum, default_value_t, help_heading = "Data options")]
    pub resize: Resize,
    #[command(flatten)]
    pub noise_args: NoiseArgs,
    /// Largest |x| after scaling that the grid of --noise grid must carry [default: the data's own].
    #[arg(long, value_name = "X", help_heading = "Noise options")]
    pub input_max: Option<f64>,
    /// Rows of one run [default: measured].
    #[arg(long, value_name = "B", help_heading = "Running options")]
    pub batch: Option<usize>,
    /// Threads that each run batches [default: one a usable core on the CPU, one on other devices].
    #[arg(long, value_name = "T", help_heading = "Running options")]
    pub threads: Option<usize>,
    /// Measure the batch size anew: neither look it up in the cache nor keep it there.
    #[arg(long, help_heading = "Running options")]
    pub no_plan_cache: bool,
    /// No progress on stderr.
    #[arg(long, help_heading = "Running options")]
    pub quiet: bool,
    #[command(flatten)]
    pub model_args: ModelArgs,
}

/// Everything opened and checked, ready to draw.
pub struct Sampling {
    pub data: Dataset,
    pub model: Arc<Model>,
    /// The model with what runs its rows.
    pub opened: Opened,
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

    fn data_options(&self) -> DataOptions {
        DataOptions { input_scale: self.input_scale(), classes_file: self.classes_file.clone(), resize: self.resize }
    }
}

impl Sampling {
    pub fn open(args: &SamplingArgs) -> Result<Self> {
        check_alpha(args.alpha)?;
        check_sigma(args.sigma)?;
        if args.n == 0 {
            return Err(Error::argument("n", "must be at least 1"));
        }
        if args.skip == 0 {
            return Err(Error::argument("skip", "must be at least 1: every S-th example is taken"));
        }
        let dataset = Dataset::open(&args.data, &args.data_options())?;
        let opened = args.model_args.open(&args.model, args.batch)?;
        let model = opened.model.clone();
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
        dataset.check_labels(signature.classes)?;
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
            return Err(Error::data("data", "no example is left to do: the data is empty, or --max is 0"));
        }
        if args.input_scale.is_none()
            && let Some(largest) = dataset.largest_pixel(layout)
        {
            let sigma = number(args.sigma);
            eprintln!(
                "warning: the data look like pixels that nothing has scaled, up to {largest}, and sigma = {sigma} is in their units: a model \
                 of 8-bit pixels in [0,1] wants --input-scale 255 (--input-scale 1 says that this is meant)"
            );
        }
        Ok(Self { data: dataset, model, opened, examples, input_max, input, threads, args: args.clone() })
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

    /// A request for the rows that were asked for: every field but those of one command, with a seed or key.
    pub fn request(&self, generator: Generator) -> Result<Request> {
        let SamplingArgs { sigma, ref k, n, alpha, ref noise_args, .. } = self.args;
        let noise = noise_args.noise.mode(self.args.input_scale())?;
        let request = Request { k: k.clone(), n, alpha, generator, noise, ..Request::new(sigma) };
        Request { input_max: self.input_max, ..request }.with_seed()
    }

    /// The grid of `--noise grid`.
    pub fn grid(&self) -> Result<Grid> {
        Grid::for_range(self.input_max, self.args.sigma)
    }

    /// Refuses what cannot be drawn as asked, so that it is refused before the first row.
    pub fn check(&self, request: &Request) -> Result<()> {
        if self.args.timeout.is_some() && request.rule == Rule::Fixed {
            let message =
                "with a fixed n nothing can be said before all rows: give a --rule that looks at them meanwhile";
            return Err(Error::argument("timeout", message));
        }
        let NoiseMode::Exact(grid) = request.noise else { return Ok(()) };
        // Images are decoded one at a time, so of a folder the first one speaks for all; the others are checked when drawn.
        let looked_at = if self.data.resize().is_some() { 1 } else { self.examples.len() };
        for &index in &self.examples[..looked_at] {
            let example = self.example(index)?;
            if let Some(at) = example.iter().position(|&x| grid.point(x).is_none()) {
                let message = format!(
                    "{}: element {at} is {} after --input-scale, which is no multiple of 1/{}: give --noise exact:LEVELS that \
                     fits the data, or --noise grid",
                    self.data.name(index),
                    example[at],
                    grid.levels()
                );
                return Err(Error::data("data", message));
            }
        }
        Ok(())
    }

    /// Hands the outcome of every example of `examples` to `done`, in order. Examples behind the front one are drawn ahead
    /// where that fills batches. Stops at the first error, or at Ctrl-C; what was handed over stays done. An example whose time
    /// was up before its first look is handed over without an answer.
    pub fn draw(
        &self,
        plan: Plan,
        request: &Request,
        examples: &[usize],
        task: impl Fn(usize) -> Task,
        progress: &Progress,
        mut done: impl FnMut(usize, Outcome) -> Result<()>,
    ) -> Result<()> {
        let smoothed = SmoothedClassifier::new(self.opened.classifier.clone(), plan)?;
        let elements = self.model.signature().elements;
        let mut window = Window::new(&plan, request, elements, self.args.timeout);
        let mut waiting = examples.iter();
        let mut running: VecDeque<InFlight> = VecDeque::new();
        loop {
            while window.has_room(&running)
                && let Some(&index) = waiting.next()
            {
                let input = self.example(index)?;
                let started = InFlight::start(&smoothed, &input, index, task(index), request, self.args.timeout);
                running.push_back(started.map_err(|error| of_example(index, &error))?);
            }
            let Some(front) = running.front() else { return Ok(()) };
            front.wait_timeout(POLL);
            interrupt::check()?;
            running.iter_mut().for_each(|example| progress.rows(example.new_rows()));
            while running.front().is_some_and(InFlight::is_finished)
                && let Some(mut example) = running.pop_front()
            {
                let index = example.index;
                progress.rows(example.new_rows());
                let outcome = example.wait()?;
                window.finished(outcome.rows);
                progress.rows_without_label(outcome.counts.invalid());
                match &outcome.answer {
                    Err(error) if error.kind() != ErrorKind::DeadlineExceeded => return Err(of_example(index, error)),
                    _ => done(index, outcome)?,
                }
            }
        }
    }
}

fn of_example(index: usize, error: &Error) -> Error {
    let located = Error::new(error.kind(), format!("example {index}: {}", error.message()));
    match error.field() {
        Some(field) => located.with_field(field),
        None => located,
    }
}

/// The batch plan of a model: kept from an earlier run, or measured.
pub fn measure_plan(opened: &Opened, threads: Option<usize>, no_cache: bool) -> Result<Measured> {
    let mut search = opened.search(threads)?;
    if no_cache {
        search.cache = None;
    }
    search.run(&opened.classifier)
}

/// Thirty years: what is longer is no deadline, and overflows clocks.
const LONGEST: f64 = 1e9;

/// A number of seconds above 0.
fn seconds(text: &str) -> Result<Duration> {
    let refuse = || Error::argument("timeout", format!("\"{text}\" is not a number of seconds above 0"));
    let seconds = text.parse().map_err(|_| refuse())?;
    if seconds > LONGEST {
        let message = format!("\"{text}\" is more than {LONGEST:e} seconds: leave --timeout out for no deadline");
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

pub fn check_sigma(sigma: f64) -> Result<()> {
    if sigma > 0.0 && sigma.is_finite() {
        return Ok(());
    }
    Err(Error::argument("sigma", format!("must be a finite number > 0, got {}", number(sigma))))
}
