//! `smoothtopk plan`

use std::path::PathBuf;
use std::sync::Arc;

use smoothtopk::certificate::plan;
use smoothtopk::model::Model;
use smoothtopk::sampler::Measured;
use smoothtopk::stats::Bound;
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
    if let Some(radius) = args.radius
        && !(radius > 0.0 && radius.is_finite())
    {
        return Err(Error::argument("radius", format!("must be a finite number > 0, got {radius}")));
    }
    let measured = args.model.as_ref().map(|path| measure(&args, path)).transpose()?;
    let classes = args.model_args.classes.or(measured.as_ref().map(|(model, _)| model.signature().classes));
    let mut lines = Vec::new();
    let mut header = "k\tbound\tsmallest_n".to_owned();
    if let Some(n) = args.n {
        header += &format!("\tlargest_radius_at_n={n}");
    }
    if let Some(radius) = args.radius {
        header += &format!("\tsmallest_n_for_radius_{radius}");
    }
    lines.push(header);
    for &k in &args.k {
        for bound in [Bound::Ranked, Bound::BinoCp, Bound::SimuEm] {
            // Only simuem needs the number of labels; the others' limits are the same for every c > k.
            let of = match (classes, bound) {
                (Some(classes), _) => classes,
                (None, Bound::SimuEm) => continue,
                (None, _) => k.saturating_add(1),
            };
            let mut row = format!("{k}\t{bound}\t{}", plan::smallest_n(k, args.alpha, bound, of, 0.0)?);
            if let Some(n) = args.n {
                row += &format!("\t{}", plan::largest_radius(n, k, args.sigma, args.alpha, bound, of)?);
            }
            if let Some(radius) = args.radius {
                row += &format!("\t{}", plan::smallest_n(k, args.alpha, bound, of, radius / args.sigma)?);
            }
            lines.push(row);
        }
    }
    if classes.is_none() {
        lines.push("# simuem depends on the number of labels: pass --classes or --model".to_owned());
    }
    for &k in &args.k {
        let of = classes.unwrap_or(k.saturating_add(1));
        let n = plan::smallest_n_to_predict(k, args.alpha, of)?;
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

fn measure(args: &Args, path: &std::path::Path) -> Result<(Arc<Model>, Measured)> {
    let model = Arc::new(Model::open(path, &args.model_args.options()?)?);
    let measured = measure_plan(&model, args.threads, args.no_plan_cache)?;
    Ok((model, measured))
}
