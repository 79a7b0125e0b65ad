//! Bare's best and ours, in slices that take turns.

use std::sync::Arc;
use std::time::{Duration, Instant};

use smoothtopk::model::{Model, ModelOptions};
use smoothtopk::sampler::{BaseClassifier, Plan, Search};

use crate::Effort;
use crate::models::Entry;
use crate::sides::{Ours, Rate, Shape, Side};
use crate::sweep::{self, Curve};

/// Bare's fastest points of the sweep that meet again before the best is named: the sweep's slices are too short to
/// tell them apart.
const FINALISTS: usize = 4;

pub struct Result {
    pub name: &'static str,
    pub target: f64,
    pub curves: Vec<Curve>,
    pub bare: Shape,
    pub plan: Plan,
    /// Quartiles: rows a second; and the quotients of neighbouring slices, by the clock and by processor time.
    pub bare_rate: [f64; 3],
    pub our_rate: [f64; 3],
    pub ratio: [f64; 3],
    pub processor_ratio: [f64; 3],
    /// What planning took.
    pub planned: Duration,
}

pub fn run(entry: &Entry, effort: &Effort) -> Result {
    eprintln!("{}: sweeping", entry.name);
    let curves = sweep::run(entry, effort);
    let best = final_round(entry, effort, &curves);
    let model = Arc::new(Model::open(&entry.path, &ModelOptions::default()).unwrap());
    let classifier: Arc<dyn BaseClassifier> = model.clone();
    let start = Instant::now();
    let plan = Search { cache: None, ..Search::default() }.run(&classifier).unwrap().plan;
    let planned = start.elapsed();
    eprintln!("{}: Bare {best}; ours {plan:?}, planned in {planned:.2?}", entry.name);

    let (mut bare, mut ours) = (sweep::bare(entry, best), Ours::new(&model, plan));
    let (mut bare_rate, mut our_rate) = (bare.warm_up(), ours.warm_up());
    let effort = &long_enough(effort, plan, our_rate);
    let mut pairs: Vec<(Rate, Rate)> = Vec::new();
    for pair in 0..effort.pairs {
        // Who goes first takes turns, too.
        if pair % 2 == 0 {
            bare_rate = bare.slice(effort.slice, bare_rate);
            our_rate = ours.slice(effort.slice, our_rate);
        } else {
            our_rate = ours.slice(effort.slice, our_rate);
            bare_rate = bare.slice(effort.slice, bare_rate);
        }
        pairs.push((bare_rate, our_rate));
    }
    let of = |value: fn(&(Rate, Rate)) -> f64| quartiles(pairs.iter().map(value).collect());
    Result {
        name: entry.name,
        target: entry.target,
        curves,
        bare: best,
        plan,
        bare_rate: of(|(bare, _)| bare.by_clock),
        our_rate: of(|(_, ours)| ours.by_clock),
        ratio: of(|(bare, ours)| ours.by_clock / bare.by_clock),
        processor_ratio: of(|(bare, ours)| ours.by_processor / bare.by_processor),
        planned,
    }
}

/// Batches of ours in a slice, at least, and how long a slice may become for it. At a job's end one thread waits while
/// another runs its last batch: nothing in a job of 100,000 rows, a tenth in a slice of six.
const BATCHES: f64 = 100.0;
const LONGEST: Duration = Duration::from_secs(4);

/// The effort with slices long enough for a plan, and fewer of them where that makes them long.
fn long_enough(effort: &Effort, plan: Plan, rate: Rate) -> Effort {
    let batches = Duration::from_secs_f64(BATCHES * plan.batch as f64 / rate.by_clock).min(LONGEST);
    let slice = effort.slice.max(batches);
    let pairs = (effort.pairs as f64 * effort.slice.as_secs_f64() / slice.as_secs_f64()).ceil() as usize;
    Effort { slice, pairs: pairs.max(15).min(effort.pairs), ..*effort }
}

/// Bare's best shape: the fastest points of the sweep take slices in turn, and the highest median wins.
fn final_round(entry: &Entry, effort: &Effort, curves: &[Curve]) -> Shape {
    let shapes: Vec<_> = sweep::fastest(curves).into_iter().take(FINALISTS).map(|point| point.shape).collect();
    let mut sides: Vec<_> = shapes.iter().map(|shape| sweep::bare(entry, *shape)).collect();
    let mut rates: Vec<Vec<Rate>> = sides.iter_mut().map(|side| vec![side.warm_up()]).collect();
    for _ in 0..3 * effort.sweeps {
        for (side, rates) in sides.iter_mut().zip(&mut rates) {
            let rate = side.slice(effort.slice, rates[rates.len() - 1]);
            rates.push(rate);
        }
    }
    let median = |rates: &[Rate]| quartiles(rates[1..].iter().map(|rate| rate.by_clock).collect())[1];
    let best = (0..shapes.len()).max_by(|a, b| median(&rates[*a]).total_cmp(&median(&rates[*b]))).expect("a finalist");
    shapes[best]
}

fn quartiles(mut values: Vec<f64>) -> [f64; 3] {
    values.sort_by(f64::total_cmp);
    [1, 2, 3].map(|quarter| values[(values.len() - 1) * quarter / 4])
}

/// Three significant digits, with thousands apart.
fn round(value: f64) -> String {
    let unit = 10f64.powf((value.log10().floor() - 2.0).max(0.0));
    let rounded = (value / unit).round() * unit;
    let digits = if value < 100.0 { format!("{value:.1}") } else { format!("{rounded:.0}") };
    let (whole, fraction) = digits.split_once('.').map_or((digits.as_str(), None), |(whole, rest)| (whole, Some(rest)));
    let mut text = String::new();
    for (place, digit) in whole.char_indices() {
        if place > 0 && (whole.len() - place) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    fraction.map_or(text.clone(), |fraction| format!("{text}.{fraction}"))
}

/// Median, and the quartiles about it.
fn spread([low, median, high]: [f64; 3]) -> String {
    format!("**{median:.3}** ({low:.3} to {high:.3})")
}

/// The table of docs/benchmarks.md.
pub fn print(results: &[Result]) {
    println!("| model | Bare's best | rows/s | our plan | rows/s | ours / Bare | of processor time | to reach |");
    println!("| --- | --- | --- | --- | --- | --- | --- | --- |");
    for result in results {
        let Plan { batch, threads } = result.plan;
        println!(
            "| {} | {} | {} | {threads} threads, batch {batch} | {} | {} | {} | {} |",
            result.name,
            result.bare,
            round(result.bare_rate[1]),
            round(result.our_rate[1]),
            spread(result.ratio),
            spread(result.processor_ratio),
            result.target,
        );
    }
    for Result { name, planned, .. } in results {
        println!("{name}: planned in {:.2} s", planned.as_secs_f64());
    }
}
