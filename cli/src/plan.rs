//! `smoothtopk plan`

use std::path::PathBuf;
use std::sync::Arc;

use smoothtopk::certificate::plan::{self, Forecast};
use smoothtopk::certificate::stop::{PredictJudge, Rule, StopJudge, Terms};
use smoothtopk::counts::Perturbation;
use smoothtopk::model::Model;
use smoothtopk::perturbation::Family;
use smoothtopk::sampler::Measured;
use smoothtopk::smoothed::Request;
use smoothtopk::stats::{Allocation, MAX_TRIALS, check_alpha};
use smoothtopk::{Error, Result};

use crate::data::{DataOptions, Dataset};
use crate::model_args::ModelArgs;
use crate::noise_args::FamilyArgs;
use crate::number::{duration, number, whole};
use crate::sampling::measure_plan;
use crate::stdout;

/// The smallest n that can certify, the largest radius for an n, and how long that takes.
///
/// These are the limits of any counts: those where every sample gives the label. With --model or --elements, the cost
/// of rounding the noise to its grid is taken off the radii, as certify does.
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    family: FamilyArgs,
    /// Probability that a certificate is false.
    #[arg(long, default_value_t = 0.001)]
    alpha: f64,
    /// The k of top-k, one or several.
    #[arg(long, value_delimiter = ',', default_value = "1")]
    k: Vec<usize>,
    /// The rule that ends the samples: fixed, radius:R, steps:E, tolerance:E or predict. All but fixed use bounds that
    /// hold at any number of samples up to n; radius:R also asks for the samples that R takes.
    #[arg(long, default_value_t)]
    rule: Rule,
    /// How alpha is split, as for certify, but not auto, which depends on each example's samples; repeatable [default:
    /// ranked, simuem and binocp].
    #[arg(long)]
    allocation: Vec<Allocation>,
    /// Samples of an example: how large a radius do they allow?
    #[arg(long, value_parser = whole)]
    n: Option<u64>,
    /// A radius: how many samples does it take at least?
    #[arg(long)]
    radius: Option<f64>,
    /// Elements of one input, if there is no model: rounding costs more radius the more elements there are.
    #[arg(long, value_name = "D", conflicts_with = "model")]
    elements: Option<usize>,
    /// Largest |x| after scaling that the grid of the noise must hold.
    #[arg(long, value_name = "X", default_value_t = 1.0)]
    input_max: f64,
    /// Measure this model's samples per second.
    #[arg(long, value_name = "M.onnx")]
    model: Option<PathBuf>,
    /// The examples that would be certified: how long do all of them take?
    #[arg(long, value_name = "D", requires = "model")]
    data: Option<PathBuf>,
    /// Threads, each of which runs batches, if a model is measured.
    #[arg(long, value_name = "T")]
    threads: Option<usize>,
    /// Measure again, without reading or writing the cache.
    #[arg(long)]
    no_plan_cache: bool,
    #[command(flatten)]
    model_args: ModelArgs,
}

pub fn run(args: Args) -> Result<()> {
    check_alpha(args.alpha)?;
    let family = args.family.family()?;
    let radius = match (args.rule, args.radius) {
        (Rule::Radius(of_rule), Some(radius)) if of_rule != radius => {
            let message = format!("{radius} is not the {of_rule} of --rule {}: leave one out", args.rule);
            return Err(Error::argument("radius", message));
        }
        (Rule::Radius(radius), None) => Some(radius),
        (_, radius) => radius,
    };
    if let Some(radius) = radius
        && !(radius > 0.0 && radius.is_finite())
    {
        return Err(Error::argument("radius", format!("must be a finite number > 0, got {}", number(radius))));
    }
    let measured = args.model.as_ref().map(|path| measure(&args, path)).transpose()?;
    let family = match &measured {
        Some((model, _)) => family.settled(&model.signature().element_shape)?,
        None => family,
    };
    family.check_settled()?;
    let request = Request { input_max: args.input_max, ..Request::new(family) };
    let classes = args.model_args.classes.or(measured.as_ref().map(|(model, _)| model.signature().classes));
    if family.is_enumerated() {
        return all_rows(&args, family, classes);
    }
    let cost = cost(&args, &request, measured.as_ref().map(|(model, _)| model.signature().elements))?;
    let allocations = if args.allocation.is_empty() { Allocation::PLAIN.to_vec() } else { args.allocation.clone() };
    let mut lines = Vec::new();
    let mut header = "k\tallocation\tsmallest_n".to_owned();
    if let Some(n) = args.n {
        header += &format!("\tlargest_radius_at_n={n}");
    }
    if let Some(radius) = radius {
        header += &format!("\tsmallest_n_for_radius_{}", number(radius));
    }
    lines.push(header);
    for &k in &args.k {
        for allocation in &allocations {
            // Only simuem needs the number of labels; the others' limits are the same for every c > k.
            let of = match (classes, allocation) {
                (Some(classes), _) => classes,
                (None, Allocation::SimuEm) => continue,
                (None, _) => k.saturating_add(1),
            };
            let forecast = Forecast {
                radius_cost: cost.map_or(0.0, |(cost, _)| cost),
                rule: args.rule,
                k,
                alpha: args.alpha,
                allocation: allocation.clone(),
                ..Forecast::new(family, of)
            };
            let mut row = format!("{k}\t{allocation}\t{}", forecast.smallest_n(0.0)?);
            if let Some(n) = args.n {
                row += &format!("\t{}", forecast.largest_radius(n)?);
            }
            if let Some(radius) = radius {
                row += &format!("\t{}", forecast.smallest_n(radius)?);
            }
            lines.push(row);
        }
    }
    if classes.is_none() && allocations.contains(&Allocation::SimuEm) {
        lines.push("# simuem depends on the number of labels: give --classes or --model".to_owned());
    }
    lines.push(match cost {
        Some((0.0, _)) => "# nothing is rounded, and nothing taken off radii".to_owned(),
        Some((cost, elements)) => format!(
            "# radii are less {cost}: the cost of rounding the noise of {elements} elements to its grid, for |x| up to {} \
             (--input-max); none with --noise-mode exact",
            args.input_max
        ),
        None => "# not taken off: the cost of rounding the noise to its grid; give --model or --elements".to_owned(),
    });
    for &k in &args.k {
        let n = smallest_n_to_predict(args.rule, k, args.alpha, classes.unwrap_or(k.saturating_add(1)))?;
        lines.push(format!("# predict at k = {k} abstains below n = {n}"));
    }
    if let Some((_, Measured { plan, rows_per_second, cached })) = measured {
        let when = if cached { ", measured earlier" } else { "" };
        lines.push(format!(
            "# {rows_per_second:.1} samples/s with {} threads and batch {}{when}",
            plan.threads, plan.batch
        ));
        let n = args.n.unwrap_or(100_000);
        let each = n as f64 / rows_per_second;
        lines.push(format!("# {} for an example at n = {n}", duration(each)));
        if let Some(data) = &args.data {
            let examples = Dataset::open(data, &DataOptions::default())?.len();
            let (all, data) = (duration(each * examples as f64), data.display());
            lines.push(format!("# {all} for the {examples} examples of {data}"));
        }
    }
    lines.push(String::new());
    stdout::print(&lines.join("\n"))
}

/// The plan of a family all of whose rows are classified.
fn all_rows(args: &Args, family: Family, classes: Option<usize>) -> Result<()> {
    let usual = [
        ("alpha", args.alpha == 0.001),
        ("rule", args.rule == Rule::Fixed),
        ("allocation", args.allocation.is_empty()),
        ("n", args.n.is_none()),
    ];
    if let Some((field, _)) = usual.iter().find(|(_, usual)| !usual) {
        let message = format!("{family} classifies all of its rows, each once: leave --{field} out");
        return Err(Error::argument(*field, message));
    }
    let mut lines = "k\trows\tlargest_radius\n".to_owned();
    for &k in &args.k {
        let radius = plan::largest_radius_of_rows(family, k, classes.unwrap_or(k.saturating_add(1)))?;
        lines += &format!("{k}\t{}\t{radius}\n", family.rows().unwrap_or_default());
    }
    stdout::print(&lines)
}

/// What rounding takes off every radius, and the elements of an input; none where their number is not known.
fn cost(args: &Args, request: &Request, of_model: Option<usize>) -> Result<Option<(f64, usize)>> {
    let of_shape = || args.model_args.input_shape.as_ref().map(|shape| shape.iter().product());
    if args.elements == Some(0) {
        return Err(Error::argument("elements", "must be at least 1"));
    }
    if !(args.input_max >= 0.0 && args.input_max.is_finite()) {
        let message = format!("must be a finite number from 0 up, got {}", number(args.input_max));
        return Err(Error::argument("input-max", message));
    }
    // Nothing else is rounded.
    if !matches!(request.family, Family::Gaussian(_) | Family::Uniform(_)) {
        return Ok(Some((0.0, of_model.or(args.elements).unwrap_or_default())));
    }
    let Some(elements) = of_model.or(args.elements).or_else(of_shape) else { return Ok(None) };
    Ok(Some((Perturbation::of(&request.noise()?, elements).radius_cost, elements)))
}

/// The smallest number of samples with which predict can do anything but abstain.
pub fn smallest_n_to_predict(rule: Rule, k: usize, alpha: f64, classes: usize) -> Result<u64> {
    match rule {
        Rule::Fixed => plan::smallest_n_to_predict(k, alpha, classes),
        _ => first_settled(k, alpha, classes),
    }
}

/// The smallest number of samples at which a look can settle a top-k set.
fn first_settled(k: usize, alpha: f64, classes: usize) -> Result<u64> {
    let judge = PredictJudge::new(&Terms { rule: Rule::Predict, classes, alpha, n_max: MAX_TRIALS }, &[k])?;
    // The first look only names the set to bet on.
    Ok(judge.next_look(judge.next_look(0)))
}

fn measure(args: &Args, path: &std::path::Path) -> Result<(Arc<Model>, Measured)> {
    let opened = args.model_args.open(path, None)?;
    let measured = measure_plan(&opened, args.threads, args.no_plan_cache)?;
    Ok((opened.model, measured))
}
