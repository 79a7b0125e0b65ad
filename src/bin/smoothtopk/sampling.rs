//! What certify and predict share: the arguments that say which samples to draw, and drawing them in order.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use smoothtopk::model::{Layout, Model, Provider};
use smoothtopk::noise::Grid;
use smoothtopk::sampler::{BaseClassifier, Measured, Plan, Search};
use smoothtopk::smoothed::{Generator, Outcome, Pending, Request, SmoothedClassifier, Task};
use smoothtopk::stats::Bound;
use smoothtopk::{Error, Result};

use crate::data::{self, DataOptions, Dataset, InputSpec, Resize};
use crate::interrupt;
use crate::model_args::ModelArgs;
use crate::progress::Progress;

/// Between two looks at progress and Ctrl-C.
const POLL: Duration = Duration::from_millis(50);

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
    /// Noisy rows per example.
    #[arg(long, default_value_t = 100_000)]
    pub n: u64,
    /// Probability that a statement about an example is false.
    #[arg(long, default_value_t = 0.001)]
    pub alpha: f64,
    /// The k of top-k, one or several; each gets its own statement at alpha.
    #[arg(long, value_delimiter = ',', default_value = "1")]
    pub k: Vec<usize>,
    /// Seed of the noise [default: drawn from the operating system, and recorded].
    #[arg(long)]
    pub seed: Option<u64>,
    /// Take every S-th example.
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub skip: usize,
    /// Stop before example M (an index into the data, as in Cohen et al.'s scripts).
    #[arg(long, value_name = "M")]
    pub max: Option<usize>,
    /// Rows of one run [default: measured].
    #[arg(long, value_name = "B")]
    pub batch: Option<usize>,
    /// Threads that each run batches [default: one a usable core on the CPU, one on other devices].
    #[arg(long, value_name = "T")]
    pub threads: Option<usize>,
    /// Measure the batch size anew: neither look it up in the cache nor keep it there.
    #[arg(long)]
    pub no_plan_cache: bool,
    /// Largest |x| after scaling that the noise grid must carry [default: the data's own].
    #[arg(long, value_name = "X")]
    pub input_max: Option<f64>,
    /// No progress on stderr.
    #[arg(long)]
    pub quiet: bool,
    /// What the data's values are divided by: 255 for 8-bit pixels and a model of pixels in [0,1].
    #[arg(long, value_name = "X", default_value_t = 1.0)]
    pub input_scale: f64,
    /// Image folders: class names, one a line, in the order of the labels [default: sorted class folders].
    #[arg(long, value_name = "FILE")]
    pub classes_file: Option<PathBuf>,
    /// Image folders: how images are brought to the model's size.
    #[arg(long, value_enum, default_value_t)]
    pub resize: Resize,
    #[command(flatten)]
    pub model_args: ModelArgs,
}

/// Everything opened and checked, ready to draw.
pub struct Sampling {
    pub data: Dataset,
    pub model: Arc<Model>,
    pub grid: Grid,
    /// Indices of the examples chosen by --skip and --max, ascending.
    pub examples: Vec<usize>,
    input_max: f64,
    input: InputSpec,
    threads: usize,
    args: SamplingArgs,
}

impl SamplingArgs {
    fn data_options(&self) -> DataOptions {
        DataOptions { input_scale: self.input_scale, classes_file: self.classes_file.clone(), resize: self.resize }
    }
}

impl Sampling {
    pub fn open(args: &SamplingArgs) -> Result<Self> {
        check_probability("alpha", args.alpha)?;
        check_sigma(args.sigma)?;
        if args.n == 0 {
            return Err(Error::argument("n", "must be at least 1"));
        }
        if args.skip == 0 {
            return Err(Error::argument("skip", "must be at least 1: every S-th example is taken"));
        }
        let dataset = Dataset::open(&args.data, &args.data_options())?;
        let model = Arc::new(Model::open(&args.model, &args.model_args.options()?)?);
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
        let threads = args.threads.unwrap_or_else(|| default_threads(&model));
        // Told before a RUN is made, and before a plan is measured.
        Plan { batch: args.batch.or(model.fixed_batch()).unwrap_or(1), threads }.check(model.as_ref())?;
        let input = InputSpec { shape: signature.element_shape.clone(), layout };
        dataset.check_shape(&input)?;
        let input_max = args.input_max.map_or_else(|| dataset.max_abs(), Ok)?;
        let grid = Grid::for_range(input_max, args.sigma)?;
        let end = args.max.map_or(dataset.len(), |max| max.min(dataset.len()));
        let examples: Vec<usize> = (0..end).step_by(args.skip).collect();
        if examples.is_empty() {
            return Err(Error::data("data", "no example is left to do: the data is empty, or --max is 0"));
        }
        Ok(Self { data: dataset, model, grid, examples, input_max, input, threads, args: args.clone() })
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
        match (self.args.batch, self.model.fixed_batch()) {
            (Some(batch), _) | (None, Some(batch)) => Ok(Plan { batch, threads }),
            (None, None) => Ok(measure_plan(&self.model, self.args.threads, self.args.no_plan_cache)?.plan),
        }
    }

    /// What is asked about every example.
    pub fn request(&self, n0: u64, bound: Bound, seed: Option<u64>) -> Result<Request> {
        let SamplingArgs { sigma, ref k, n, alpha, .. } = self.args;
        let (bound, generator) = (bound.into(), Generator::Philox { seed });
        let request = Request { k: k.clone(), n, n0, alpha, bound, generator, ..Request::new(sigma) };
        Request { input_max: self.input_max, ..request }.with_seed()
    }

    /// Hands the outcome of every example of `examples` to `done`, in order. Examples behind the front one are drawn ahead
    /// where that fills batches. Stops at the first error, or at Ctrl-C; what was handed over stays done.
    pub fn draw(
        &self,
        plan: Plan,
        request: &Request,
        examples: &[usize],
        task: impl Fn(usize) -> Task,
        progress: &Progress,
        mut done: impl FnMut(usize, Outcome) -> Result<()>,
    ) -> Result<()> {
        let smoothed = SmoothedClassifier::new(self.model.clone(), plan)?;
        let ahead = 1 + (2 * plan.batch * plan.threads) as u64 / request.n.max(1);
        let mut waiting = examples.iter();
        let mut running: VecDeque<Running> = VecDeque::new();
        loop {
            while running.len() as u64 <= ahead
                && let Some(&index) = waiting.next()
            {
                let input = self.example(index)?;
                let submitted = smoothed.submit(&input, task(index), request, index as u64);
                let pending = submitted.map_err(|error| of_example(index, &error))?;
                running.push_back(Running { index, pending, reported: 0 });
            }
            let Some(front) = running.front() else { return Ok(()) };
            let finished = front.pending.wait_timeout(POLL);
            interrupt::check()?;
            running.iter_mut().for_each(|example| example.report(progress));
            if finished && let Some(Running { index, pending, .. }) = running.pop_front() {
                let outcome = pending.wait();
                if let Err(error) = &outcome.answer {
                    return Err(of_example(index, error));
                }
                done(index, outcome)?;
            }
        }
    }
}

struct Running {
    index: usize,
    pending: Pending,
    reported: u64,
}

impl Running {
    fn report(&mut self, progress: &Progress) {
        let rows = self.pending.rows_done();
        progress.rows(rows - std::mem::replace(&mut self.reported, rows));
    }
}

fn of_example(index: usize, error: &Error) -> Error {
    let located = Error::new(error.kind(), format!("example {index}: {}", error.message()));
    match error.field() {
        Some(field) => located.with_field(field),
        None => located,
    }
}

/// One thread a usable core where runs of the model go side by side, else one.
pub fn default_threads(model: &Model) -> usize {
    if *model.provider() == Provider::Cpu { Plan::usable_threads() } else { 1 }
}

/// The batch plan of a model: kept from an earlier run, or measured.
pub fn measure_plan(model: &Arc<Model>, threads: Option<usize>, no_cache: bool) -> Result<Measured> {
    // Runs on other devices take turns.
    let threads = threads.or((*model.provider() != Provider::Cpu).then_some(1));
    let classifier: Arc<dyn BaseClassifier> = model.clone();
    let mut search = Search { threads, ..Search::default() };
    if no_cache {
        search.cache = None;
    }
    search.run(&classifier)
}

pub fn check_probability(field: &str, value: f64) -> Result<()> {
    if value > 0.0 && value < 1.0 {
        return Ok(());
    }
    Err(Error::argument(field, format!("must be a probability above 0 and below 1, got {value}")))
}

pub fn check_sigma(sigma: f64) -> Result<()> {
    if sigma > 0.0 && sigma.is_finite() {
        return Ok(());
    }
    Err(Error::argument("sigma", format!("must be a finite number > 0, got {sigma}")))
}
