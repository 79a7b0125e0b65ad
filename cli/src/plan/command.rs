//! The command: works out the limits.

use std::path::Path;
use std::sync::Arc;

use smoothtopk::certificate::plan::{self, Forecast};
use smoothtopk::certificate::stop::Rule;
use smoothtopk::counts::Perturbation;
use smoothtopk::model::Model;
use smoothtopk::perturbation::Family;
use smoothtopk::sampler::Measured;
use smoothtopk::smoothed::Request;
use smoothtopk::stats::{Allocation, check_alpha};
use smoothtopk::{Error, Result};

use super::args::Args;
use super::found::{Found, Limit, Speed, ToPredict};
use super::predict::smallest_n_to_predict;
use crate::data::{DataOptions, Dataset};
use crate::number::number;
use crate::sampling::measure_plan;

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
    let mut limits = Vec::new();
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
            limits.push(Limit {
                k,
                allocation: Some(allocation.to_string()),
                smallest_n: Some(forecast.smallest_n(0.0)?),
                rows: None,
                largest_radius: args.n.map(|n| forecast.largest_radius(n)).transpose()?,
                smallest_n_for_radius: radius.map(|radius| forecast.smallest_n(radius)).transpose()?,
            });
        }
    }
    let without_classes = classes.is_none() && allocations.contains(&Allocation::SimuEm);
    let to_predict = |&k: &usize| {
        let classes = classes.unwrap_or(k.saturating_add(1));
        Ok(ToPredict { k, smallest_n: smallest_n_to_predict(args.rule, k, args.alpha, classes)? })
    };
    let found = Found {
        noise: family.to_string(),
        alpha: Some(args.alpha),
        rule: Some(args.rule.to_string()),
        n: args.n,
        radius,
        input_max: Some(args.input_max),
        elements: cost.map(|(_, elements)| elements),
        radius_cost: cost.map(|(cost, _)| cost),
        limits,
        simuem_needs_classes: without_classes,
        predict: args.k.iter().map(to_predict).collect::<Result<_>>()?,
        speed: measured.map(|(_, measured)| speed(&args, &measured)).transpose()?,
    };
    found.print(args.format)
}

/// How long the examples take.
fn speed(args: &Args, Measured { plan, rows_per_second, cached }: &Measured) -> Result<Speed> {
    let n = args.n.unwrap_or(100_000);
    let each = n as f64 / rows_per_second;
    let examples = match &args.data {
        Some(data) => Some(Dataset::open(data, &DataOptions::default())?.len()),
        None => None,
    };
    Ok(Speed {
        samples_per_second: *rows_per_second,
        threads: plan.threads,
        batch: plan.batch,
        measured_earlier: *cached,
        n,
        seconds_per_example: each,
        data: args.data.clone(),
        examples,
        seconds: examples.map(|examples| each * examples as f64),
    })
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
    let limit = |&k: &usize| {
        let radius = plan::largest_radius_of_rows(family, k, classes.unwrap_or(k.saturating_add(1)))?;
        Ok(Limit { k, rows: family.rows(), largest_radius: Some(radius), ..Limit::default() })
    };
    let limits = args.k.iter().map(limit).collect::<Result<_>>()?;
    Found { noise: family.to_string(), limits, ..Found::default() }.print(args.format)
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

fn measure(args: &Args, path: &Path) -> Result<(Arc<Model>, Measured)> {
    let opened = args.model_args.open(path, None)?;
    let measured = measure_plan(&opened, args.threads, args.no_plan_cache)?;
    Ok((opened.model, measured))
}
