//! The whole way against the model alone on rows that lie ready, in one run and in turns; noise against writing; bytes
//! over PCIe.

use std::path::Path;
use std::time::{Duration, Instant};

use smoothtopk::Result;
use smoothtopk::model::ModelOptions;
use smoothtopk::sampler::{BaseClassifier, Sampler};

use crate::checks::{job, open};

/// A model's figures, rates in rows a second.
pub struct Figures {
    pub batch: usize,
    pub bare: f64,
    pub ours: f64,
    /// The whole way's rate over the bare one's: median, least and largest of the turns.
    pub ratio: [f64; 3],
    /// Time to make noisy rows over the time to write zeros to the same memory.
    pub noise_over_write: f64,
    /// Gigabytes of rows a second.
    pub noise_rate: f64,
    pub bytes_a_row: f64,
}

const BATCHES: [usize; 6] = [32, 64, 128, 256, 512, 1024];
const TURNS: usize = 5;
/// A larger batch must be faster by this much.
const WORTH: f64 = 1.02;

/// Repeats of `work` that take about `time`, and the seconds each took.
fn rate(time: Duration, mut work: impl FnMut(usize) -> Result<Duration>) -> Result<(usize, f64)> {
    work(2)?;
    let mut runs = 2;
    loop {
        let took = work(runs)?;
        if took >= time / 2 || runs >= 1 << 20 {
            return Ok((runs, took.as_secs_f64() / runs as f64));
        }
        let growth = time.as_secs_f64() / took.as_secs_f64().max(1e-6);
        runs = (runs as f64 * growth.clamp(2.0, 16.0)) as usize;
    }
}

pub fn measure(model: &Path, options: &ModelOptions, device: u32, turn: Duration) -> Result<Figures> {
    let classifier = open(model, options, &[device])?;
    let elements = classifier.elements();
    let mut best: Option<(usize, f64)> = None;
    for batch in classifier.fixed_batch().map_or(BATCHES.to_vec(), |fixed| vec![fixed]) {
        let Ok(mut yardstick) = classifier.yardstick(batch) else { break };
        let Ok((_, seconds)) = rate(turn / 2, |runs| yardstick.bare(runs)) else { break };
        let found = batch as f64 / seconds;
        if best.is_none_or(|(_, rate)| found > rate * WORTH) {
            best = Some((batch, found));
        }
    }
    let Some((batch, bare)) = best else {
        return Err(smoothtopk::Error::new(smoothtopk::ErrorKind::Run, "no batch of 32 rows or more runs"));
    };
    let mut yardstick = classifier.yardstick(batch)?;
    let runs = ((bare * turn.as_secs_f64()) as usize / batch).max(4);
    let rows = (runs * batch) as u64;
    let sampler = Sampler::new(classifier.clone(), classifier.plan(batch))?;
    // The first runs search for algorithms; they are not what is measured.
    sampler.submit(job(elements, 0, 4 * batch as u64)?)?.wait().complete()?;
    let before = classifier.traffic();
    let (mut ratios, mut ours, mut bares) = (Vec::new(), Vec::new(), Vec::new());
    for turn in 0..TURNS as u64 {
        let bare = rows as f64 / yardstick.bare(runs)?.as_secs_f64();
        let start = Instant::now();
        sampler.submit(job(elements, turn + 1, rows)?)?.wait().complete()?;
        let whole = rows as f64 / start.elapsed().as_secs_f64();
        ratios.push(whole / bare);
        ours.push(whole);
        bares.push(bare);
    }
    let after = classifier.traffic();
    let bytes = (after.0 - before.0 + after.1 - before.1) as f64;
    let (_, noise) = rate(turn / 4, |runs| yardstick.noise(runs))?;
    let (_, write) = rate(turn / 4, |runs| yardstick.write(runs))?;
    let sorted = |mut values: Vec<f64>| {
        values.sort_by(f64::total_cmp);
        values
    };
    let (ratios, ours, bares) = (sorted(ratios), sorted(ours), sorted(bares));
    Ok(Figures {
        batch,
        bare: bares[TURNS / 2],
        ours: ours[TURNS / 2],
        ratio: [ratios[TURNS / 2], ratios[0], ratios[TURNS - 1]],
        noise_over_write: noise / write,
        noise_rate: yardstick.input_bytes() as f64 / noise / 1e9,
        bytes_a_row: bytes / (rows * TURNS as u64) as f64,
    })
}

/// The heads of the columns that `line` fills.
pub fn head() -> String {
    format!(
        "{:42} {:>5}  {:>13}  {:>13}  {:>23}  {:>11}  {:>10}  {:>10}",
        "model",
        "batch",
        "bare rows/s",
        "ours rows/s",
        "ours/bare (least, most)",
        "noise/write",
        "noise GB/s",
        "PCIe B/row"
    )
}

pub fn line(name: &str, figures: &Figures) -> String {
    let [ratio, least, most] = figures.ratio;
    format!(
        "{name:42} {:5}  {:13.0}  {:13.0}  {ratio:7.3} ({least:.3}, {most:.3})  {:11.2}  {:10.0}  {:10.3}",
        figures.batch, figures.bare, figures.ours, figures.noise_over_write, figures.noise_rate, figures.bytes_a_row
    )
}
