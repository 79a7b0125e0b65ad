//! Gaussian noise on one core: a worker of `make bench-peers` (benches/peers/worker.py has the protocol).
//!
//!     peers_noise GENERATOR ELEMENTS
//!
//! GENERATOR is `normals` (ours: standard normals), `noisy_row` (ours: drawn, scaled, rounded to the grid and added to
//! x), `rand_distr` (its `StandardNormal` in f32 on rand's `SmallRng`) or `copy` (ELEMENTS f32 from one buffer to
//! another).

use std::hint::black_box;
use std::io::{BufRead, Write};
use std::time::Instant;

use rand::SeedableRng;
use rand::rngs::SmallRng;
use rand_distr::{Distribution, StandardNormal};
use serde::Deserialize;
use serde_json::json;
use smoothtopk::noise::{Grid, NoiseStream, Purpose};

const SIGMA: f64 = 0.25;

#[derive(Deserialize)]
#[serde(tag = "do", rename_all = "lowercase", deny_unknown_fields)]
enum Request {
    /// Fill until `seconds` have passed: at least once.
    Slice { seconds: f64 },
}

type Fill = Box<dyn FnMut(&mut [f32])>;

/// What fills a buffer of `elements`, and what it is.
fn generator(name: &str, elements: usize) -> Result<(Fill, String), Box<dyn std::error::Error>> {
    let x: Vec<f32> = (0..elements).map(|i| (i % 256) as f32 / 256.0).collect();
    let stream = NoiseStream::new(1, 2, Purpose::Estimate);
    let ours = format!("smoothtopk {}, {:?}", env!("CARGO_PKG_VERSION"), stream.path());
    let mut samples = 0..;
    let mut next = move || samples.next().expect("as many samples as a u64 counts");
    Ok(match name {
        "normals" => (Box::new(move |out| stream.normals(next(), out).expect("a short row")), ours),
        "noisy_row" => {
            let grid = Grid::for_range(1.0, SIGMA)?;
            let fill = move |out: &mut [f32]| stream.noisy_row(next(), SIGMA, &grid, &x, out).expect("one length");
            (Box::new(fill), ours)
        }
        "rand_distr" => {
            let mut rng = SmallRng::seed_from_u64(1);
            let fill = move |out: &mut [f32]| out.fill_with(|| StandardNormal.sample(&mut rng));
            (Box::new(fill), "rand_distr 0.6, SmallRng".into())
        }
        "copy" => (Box::new(move |out| out.copy_from_slice(black_box(&x))), "memcpy".into()),
        _ => return Err(format!("{name} is no generator: normals, noisy_row, rand_distr or copy").into()),
    })
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [name, elements] = arguments.as_slice() else { return Err("usage: peers_noise GENERATOR ELEMENTS".into()) };
    let mut out = vec![0.0f32; elements.parse()?];
    let (mut fill, about) = generator(name, out.len())?;
    let mut answers = std::io::stdout().lock();
    writeln!(answers, "{}", json!({ "about": about }))?;
    answers.flush()?;
    for line in std::io::stdin().lock().lines() {
        let Request::Slice { seconds } = serde_json::from_str(&line?)?;
        let (start, mut fills) = (Instant::now(), 0);
        let elapsed = loop {
            fill(black_box(&mut out));
            fills += 1;
            let elapsed = start.elapsed().as_secs_f64();
            if elapsed >= seconds {
                break elapsed;
            }
        };
        writeln!(answers, "{}", json!({ "work": fills * out.len(), "seconds": elapsed, "outcome": null }))?;
        answers.flush()?;
    }
    Ok(())
}
