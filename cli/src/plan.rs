//! `smoothtopk plan`

use std::path::PathBuf;
use std::sync::Arc;

use smoothtopk::certificate::plan;
use smoothtopk::certificate::stop::{PredictJudge, Rule, Terms};
use smoothtopk::model::Model;
use smoothtopk::noise::Grid;
use smoothtopk::sampler::Measured;
use smoothtopk::stats::{Allocation, Bound, MAX_TRIALS, check_alpha};
use smoothtopk::{Error, Result};

use crate::model_args::ModelArgs;
use crate::number::number;
use crate::sampling::{check_sigma, measure_plan};
use crate::stdout;

/// The smallest n that can avoid abstaining, the largest radius n allows, and how long that takes.
///
/// These are the limits of what any counts could give: those where every row gives the label. With --model or --elements radii
/// are less what the rounding of the noise to its grid costs, as certify's are.
#[derive(clap::Args)]
pub struct Args {
    /// Standard deviation of the noise.
    #[arg(long)]
    sigma: f64,
    /// Failure probability of a certificate.
    #[arg(long, default_value_t = 0.001)]
    alpha: f64,
    /// The k of top-k, one or several.
    #[arg(long, value_delimiter = ',', default_value = "1")]
    k: Vec<usize>,
    /// Plan for rows that a rule may stop: fixed, radius:R, steps:E, tolerance:E or predict. All but fixed have bounds that hold at any
    /// number of rows up to n; radius:R also asks for the rows that R takes.
    #[arg(long, default_value_t)]
    rule: Rule,
    /// How alpha is spent, as certify has it, but not auto, which is chosen by each example's rows; repeatable [default: ranked,
    /// binocp and simuem].
    #[arg(long)]
    bound: Vec<Allocation>,
    /// Rows per example: how large a radius do they allow?
    #[arg(long)]
    n: Option<u64>,
    /// A radius: how many rows does it take at least?
    #[arg(long)]
    radius: Option<f64>,
    /// Elements of one input, where no model says: the grid of the noise costs a radius with every element.
    #[arg(long, value_name = "D", conflicts_with = "model")]
    elements: Option<usize>,
    /// Largest |x| after scaling that the grid of the noise must carry.
    #[arg(long, value_name = "X", default_value_t = 1.0)]
    input_max: f64,
    /// Measure this model's rows per second.
    #[arg(long, value_name = "M.onnx")]
    model: Option<PathBuf>,
    /// Threads that each run batches, where a model is measured.
    #[arg(long, value_name = "T")]
    threads: Option<usize>,
    /// Measure anew: neither look the plan up in the cache nor keep it there.
    #[arg(long)]
    no_plan_cache: bool,
    #[command(flatten)]
    model_args: ModelArgs,
}

pub fn run(args: Args) -> Result<()> {
    check_alpha(args.alpha)?;
    check_sigma(args.sigma)?;
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
    let classes = args.model_args.classes.or(measured.as_ref().map(|(model, _)| model.signature().classes));
    let slack = Slack::of(&args, measured.as_ref().map(|(model, _)| model.signature().elements))?;
    // Rows that a request for n of them takes, or for as many as it takes.
    let validity = |rows| args.rule.validity(args.n.filter(|&n| rows <= n).unwrap_or(rows));
    let mut bounds = args.bound.clone();
    if bounds.is_empty() {
        bounds = [Bound::Ranked, Bound::BinoCp, Bound::SimuEm].map(Allocation::from).to_vec();
    }
    let mut lines = Vec::new();
    let mut header = "k\tbound\tsmallest_n".to_owned();
    if let Some(n) = args.n {
        header += &format!("\tlargest_radius_at_n={n}");
    }
    if let Some(radius) = radius {
        header += &format!("\tsmallest_n_for_radius_{}", number(radius));
    }
    lines.push(header);
    for &k in &args.k {
        for bound in &bounds {
            // Only simuem needs the number of labels; the others' limits are the same for every c > k.
            let of = match (classes, bound) {
                (Some(classes), _) => classes,
                (None, Allocation::SimuEm) => continue,
                (None, _) => k.saturating_add(1),
            };
            let smallest = |share| plan::smallest_n_with(k, args.alpha, bound, validity, of, share);
            let mut row = format!("{k}\t{bound}\t{}", smallest(slack.share(0.0, args.sigma))?);
            if let Some(n) = args.n {
                let largest = plan::largest_radius_with(n, k, args.sigma, args.alpha, bound, validity(n), of)?;
                row += &format!("\t{}", slack.off(largest));
            }
            if let Some(radius) = radius {
                row += &format!("\t{}", smallest(slack.share(radius, args.sigma))?);
            }
            lines.push(row);
        }
    }
    if classes.is_none() && bounds.contains(&Allocation::SimuEm) {
        lines.push("# simuem depends on the number of labels: pass --classes or --model".to_owned());
    }
    lines.push(slack.remark(args.input_max));
    for &k in &args.k {
        let n = smallest_n_to_predict(args.rule, k, args.alpha, classes.unwrap_or(k.saturating_add(1)))?;
        lines.push(format!("# predict at k = {k} abstains below n = {n}"));
    }
    if let Some((_, Measured { plan, rows_per_second, cached })) = measured {
        let when = if cached { ", measured earlier" } else { "" };
        lines.push(format!(
            "# {rows_per_second:.1} rows/s with {} threads and batch {}{when}",
            plan.threads, plan.batch
        ));
        let n = args.n.unwrap_or(100_000);
        lines.push(format!("# {:.2} s per example at n = {n}", n as f64 / rows_per_second));
    }
    lines.push(String::new());
    stdout::print(&lines.join("\n"))
}

/// What the rounding of the noise to its grid takes off every radius, for inputs of so many elements; none where that is not known.
struct Slack(Option<(f64, usize)>);

impl Slack {
    fn of(args: &Args, of_model: Option<usize>) -> Result<Self> {
        let of_shape = || args.model_args.input_shape.as_ref().map(|shape| shape.iter().product());
        let elements = of_model.or(args.elements).or_else(of_shape);
        if args.elements == Some(0) {
            return Err(Error::argument("elements", "must be at least 1"));
        }
        if !(args.input_max >= 0.0 && args.input_max.is_finite()) {
            return Err(Error::argument(
                "input-max",
                format!("must be a finite number from 0 up, got {}", number(args.input_max)),
            ));
        }
        let slack = |elements| Ok((Grid::for_range(args.input_max, args.sigma)?.radius_slack(elements), elements));
        elements.map(slack).transpose().map(Self)
    }

    /// The radius over sigma that bounds must reach for more than 0, or for `radius`, to be left.
    fn share(&self, radius: f64, sigma: f64) -> f64 {
        match self.0 {
            // Above the roundings of the sum, of the quotient and of what is then taken off.
            Some((slack, _)) => (radius + slack) * (1.0 + 8.0 * f64::EPSILON) / sigma,
            None => radius / sigma,
        }
    }

    fn off(&self, radius: f64) -> f64 {
        match self.0 {
            Some((slack, _)) if slack < radius => (radius - slack).next_down(),
            Some(_) => 0.0,
            None => radius,
        }
    }

    fn remark(&self, input_max: f64) -> String {
        match self.0 {
            Some((slack, elements)) => format!(
                "# radii are less {slack}, the cost of rounding noise of {elements} elements to its grid for |x| up to {input_max} \
                 (--input-max; none with --noise exact)"
            ),
            None => "# not taken off: what the rounding of the noise to its grid costs; pass --model or --elements"
                .to_owned(),
        }
    }
}

/// The smallest number of rows with which predict can do anything but abstain.
pub fn smallest_n_to_predict(rule: Rule, k: usize, alpha: f64, classes: usize) -> Result<u64> {
    match rule {
        Rule::Fixed => plan::smallest_n_to_predict(k, alpha, classes),
        _ => first_settled(k, alpha, classes),
    }
}

/// The smallest number of rows at which a look can settle a top-k set.
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
