//! `--dry-run`: what would be drawn and how long that takes, without a RUN.

use std::time::{Duration, Instant};

use smoothtopk::certificate::stop::Rule;
use smoothtopk::record::LabelSource;
use smoothtopk::sampler;
use smoothtopk::smoothed::{Request, SmoothedClassifier, Task};
use smoothtopk::{Error, Result};

use super::args::Args;
use super::plan::Plan;
use crate::number::{duration, number};
use crate::run_dir::{self, Manifest};
use crate::sampling::Sampling;
use crate::stdout;

/// How long the speed is measured, at least.
const MEASURED: Duration = Duration::from_millis(500);

pub fn run(args: &Args, sampling: &Sampling, plan: &Plan, examples: &[usize], manifest: &Manifest) -> Result<()> {
    let done = run_dir::done(&args.out, manifest)?;
    let todo: Vec<usize> = examples.iter().copied().filter(|index| !done.contains(index)).collect();
    let (request, out) = (&manifest.request, args.out.display());
    let resumed = if done.is_empty() { String::new() } else { format!(", {} are there already", done.len()) };
    let mut lines = vec![format!("would certify {} of {} examples into {out}{resumed}", todo.len(), examples.len())];
    let model = &manifest.model;
    let (file, classes) = (args.sampling.model.display(), manifest.reading.classes);
    lines.push(format!("model     {file}: {classes} labels, {}, {}", model.provider, model.arithmetic));
    let labels = match plan.label_source {
        LabelSource::Given => "its labels are certified",
        LabelSource::Selected => "separate samples choose the labels",
        LabelSource::SameCounts => "the same samples choose the labels",
    };
    lines.push(format!("data      {}: {labels}", args.sampling.data.display()));
    let each_alpha = number(request.alpha);
    lines.push(format!("noise     {}, k = {:?}, alpha = {each_alpha} for each statement", request.noise, request.k));
    let rows = plan.request.family.rows();
    // The part that has sample 0 draws the n0 samples, too.
    let of_part = |part: std::ops::Range<u64>| part.end - part.start + if part.start == 0 { request.n0 } else { 0 };
    let part = plan.sample_shard.map(|shard| of_part(shard.samples(request.n)));
    let each = rows.or(part).unwrap_or(request.n + request.n0);
    let at_most = if plan.request.rule == Rule::Fixed { "" } else { " at most" };
    let all = u128::from(each) * todo.len() as u128;
    lines.push(format!("samples   {each} of each example{at_most}, {all} of all of them; rule {}", request.rule));
    if let Some(&first) = todo.first() {
        let run_plan = sampling.plan()?;
        let speed = samples_per_second(sampling, plan, run_plan, first)?;
        let sampler::Plan { threads, batch } = run_plan;
        lines.push(format!("speed     {speed:.0} samples/s with {threads} threads and batch {batch}, measured now"));
        lines.push(format!("time      {}{at_most}", duration(all as f64 / speed)));
    }
    lines.push("nothing was written\n".to_owned());
    stdout::print(&lines.join("\n"))
}

/// From samples of the first example, which nothing else uses.
fn samples_per_second(sampling: &Sampling, plan: &Plan, run_plan: sampler::Plan, first: usize) -> Result<f64> {
    let readable = || sampling.examples.iter().filter(|&&index| index >= first).find_map(|&i| sampling.example(i).ok());
    let input = readable().ok_or_else(|| Error::data("data", "no example can be read"))?;
    let smoothed = SmoothedClassifier::new(sampling.opened.classifier.clone(), run_plan)?;
    let whole = plan.request.family.is_enumerated();
    let task = if whole { plan.task(sampling, first) } else { Task::Predict };
    let mut n = (run_plan.batch * run_plan.threads) as u64;
    loop {
        let request = match whole {
            true => plan.request.clone(),
            false => Request { rule: Rule::Fixed, n, k: vec![1], ..plan.request.clone() },
        };
        let started = Instant::now();
        let outcome = smoothed.submit(&input, task, &request, first as u64)?.wait();
        outcome.answer?;
        let took = started.elapsed();
        if took >= MEASURED || whole {
            return Ok(outcome.samples_drawn as f64 / took.as_secs_f64().max(1e-9));
        }
        n *= 4;
    }
}
