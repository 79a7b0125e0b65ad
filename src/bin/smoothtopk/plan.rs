//! `smoothtopk plan`

use std::path::PathBuf;
use std::sync::Arc;

use smoothtopk::certificate::plan;
use smoothtopk::certificate::stop::{PredictJudge, Rule, Terms};
use smoothtopk::model::Model;
use smoothtopk::sampler::Measured;
use smoothtopk::stats::{Bound, MAX_TRIALS, Spending};
use smoothtopk::{Error, Result};

use crate::model_args::ModelArgs;
use crate::sampling::{check_probability, check_sigma, measure_plan};
use crate::stdout;

/// The smallest n that can avoid abstaining, the largest radius n allows, and how long that takes.
///
/// These are the limits of what any counts could give: those where every row gives the label.
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
    /// How alpha is spent, as certify has it; repeatable [default: ranked, binocp and simuem].
    #[arg(long)]
    bound: Vec<Spending>,
    /// Rows per example: how large a radius do they allow?
    #[arg(long)]
    n: Option<u64>,
    /// A radius: how many rows does it take at least?
    #[arg(long)]
    radius: Option<f64>,
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
    check_probability("alpha", args.alpha)?;
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
        return Err(Error::argument("radius", format!("must be a finite number > 0, got {radius}")));
    }
    let measured = args.model.as_ref().map(|path| measure(&args, path)).transpose()?;
    let classes = args.model_args.classes.or(measured.as_ref().map(|(model, _)| model.signature().classes));
    // Rows that a request for n of them takes, or for as many as it takes.
    let intervals = |rows| args.rule.intervals(args.n.filter(|&n| rows <= n).unwrap_or(rows));
    let mut bounds = args.bound.clone();
    if bounds.is_empty() {
        bounds = [Bound::Ranked, Bound::BinoCp, Bound::SimuEm].map(Spending::from).to_vec();
    }
    let mut lines = Vec::new();
    let mut header = "k\tbound\tsmallest_n".to_owned();
    if let Some(n) = args.n {
        header += &format!("\tlargest_radius_at_n={n}");
    }
    if let Some(radius) = radius {
        header += &format!("\tsmallest_n_for_radius_{radius}");
    }
    lines.push(header);
    for &k in &args.k {
        for bound in &bounds {
            // Only simuem needs the number of labels; the others' limits are the same for every c > k.
            let of = match (classes, bound) {
                (Some(classes), _) => classes,
                (None, Spending::SimuEm) => continue,
                (None, _) => k.saturating_add(1),
            };
            let smallest = |share| plan::smallest_n_with(k, args.alpha, bound, intervals, of, share);
            let mut row = format!("{k}\t{bound}\t{}", smallest(0.0)?);
            if let Some(n) = args.n {
                let largest = plan::largest_radius_with(n, k, args.sigma, args.alpha, bound, intervals(n), of)?;
                row += &format!("\t{largest}");
            }
            if let Some(radius) = radius {
                row += &format!("\t{}", smallest(radius / args.sigma)?);
            }
            lines.push(row);
        }
    }
    if classes.is_none() && bounds.contains(&Spending::SimuEm) {
        lines.push("# simuem depends on the number of labels: pass --classes or --model".to_owned());
    }
    for &k in &args.k {
        let of = classes.unwrap_or(k.saturating_add(1));
        let n = match args.rule {
            Rule::Fixed => plan::smallest_n_to_predict(k, args.alpha, of)?,
            _ => first_settled(k, args.alpha, of)?,
        };
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
