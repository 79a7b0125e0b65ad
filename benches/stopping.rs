//! How many rows it takes to decide whether a label is certified at a radius, and to draw a curve of certified
//! accuracy, on real images: tables in Markdown.
//!
//!     cargo bench --bench stopping -- --images 25
//!
//! The label of an image is the one most frequent among 100 rows of their own, which no procedure is charged for. All
//! procedures read the same rows of an image, drawn as far as any of them needs. Needs ResNet-20 and the 500 CIFAR-10
//! images among the shared inputs. Options: `--images N` (the first N; all 500 by default), `--skip S` (every S-th),
//! `--n-max N` (100,000), `--seed S`, `--curve`: beside the curve of a fixed n, for which all rows of every image are
//! drawn, and `--keep DIR`: leave each image's rows there, and take those that an earlier run with this seed left.

#[path = "stopping/curve.rs"]
mod curve;
#[path = "../tests/rust/common/npz.rs"]
mod npz;
#[path = "stopping/procedures.rs"]
mod procedures;
#[path = "stopping/stream.rs"]
mod stream;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use procedures::{Decided, Procedure, Question};
use smoothtopk::model::{Model, ModelOptions};
use smoothtopk::perturbation::Gaussian;
use smoothtopk::sampler::{BaseClassifier, Plan, Sampler};
use stream::Stream;

const SIGMA: f64 = 0.25;
const ALPHA: f64 = 0.001;
const N0: u64 = 100;

fn noise() -> Gaussian {
    Gaussian::new(SIGMA).expect("sigma")
}

fn main() {
    let shared = std::env::var_os("SMOOTHTOPK_SHARED")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"), PathBuf::from);
    let (model, data) =
        (shared.join("models/cifar10_resnet20_sigma0.25.onnx"), shared.join("data/cifar10_test500.npz"));
    if let Some(missing) = [&model, &data].into_iter().find(|path| !path.exists()) {
        eprintln!("SKIPPED: {} is missing", missing.display());
        return;
    }
    let images = images(&data);
    let (first, skip) = (option("--images").map_or(images.len(), |n| n as usize), option("--skip").unwrap_or(1));
    let images: Vec<_> = images.into_iter().enumerate().take(first).step_by(skip.max(1) as usize).collect();
    let seed = option("--seed").unwrap_or(20);
    let n_max = option("--n-max").unwrap_or(100_000);
    let keep = value("--keep").map(PathBuf::from);
    if let Some(keep) = &keep {
        std::fs::create_dir_all(keep).unwrap();
    }
    assert!(stream::is_a_place(n_max), "--n-max must be at most 4096, or 4096 and a multiple of 16");

    let classifier: Arc<dyn BaseClassifier> = Arc::new(Model::open(&model, &ModelOptions::default()).unwrap());
    let sampler = Sampler::new(classifier, Plan { batch: 8, threads: Plan::usable_threads() }).unwrap();

    let questions: Vec<Question> =
        [(0.25, 1), (0.5, 1), (0.25, 3), (0.5, 3)].map(|(radius, k)| Question { radius, k, n_max }).to_vec();
    let mut found: Vec<Vec<(Procedure, Vec<Decided>)>> = questions
        .iter()
        .map(|question| Procedure::all(question.k).into_iter().map(|procedure| (procedure, Vec::new())).collect())
        .collect();
    let mut curves = if std::env::args().any(|argument| argument == "--curve") { curve::all() } else { Vec::new() };
    for (i, (image, label)) in &images {
        let mut stream = Stream::new(&sampler, image, SIGMA, seed, *i as u64);
        let kept = keep.as_ref().map(|keep| keep.join(format!("seed-{seed}-image-{i}.npy")));
        kept.iter().for_each(|kept| stream.resume(kept));
        let known = stream.drawn();
        for curve in &mut curves {
            curve.add(*label, image.len(), n_max, &mut stream);
        }
        for (question, found) in questions.iter().zip(&mut found) {
            for (procedure, decided) in found {
                decided.push(procedure.decide(question, &mut stream));
            }
        }
        eprintln!("image {i}: {} rows drawn", stream.drawn());
        kept.iter().filter(|_| stream.drawn() > known).for_each(|kept| stream.keep(kept));
    }
    println!("{} images, sigma {SIGMA}, alpha {ALPHA}, at most {n_max} rows, seed {seed}\n", images.len());
    println!("| r | k | procedure | mean | median | 95 % | certified | refuted | undecided |");
    println!("| --- | --- | --- | --- | --- | --- | --- | --- | --- |");
    for (question, found) in questions.iter().zip(found) {
        println!("| {} | {} | fixed n | {n_max} | {n_max} | {n_max} | | | |", question.radius, question.k);
        for (procedure, decided) in found {
            let rows = cells(decided.iter().map(|decided| decided.rows).collect());
            let count = |outcome| decided.iter().filter(|decided| decided.certified == outcome).count();
            println!(
                "| {} | {} | {procedure} | {rows} | {} | {} | {} |",
                question.radius,
                question.k,
                count(Some(true)),
                count(Some(false)),
                count(None),
            );
        }
    }
    if !curves.is_empty() {
        curve::print(&curves, n_max);
    }
}

/// Mean, median and 95th percentile, as cells of a table.
fn cells(mut rows: Vec<u64>) -> String {
    rows.sort_unstable();
    let mean = rows.iter().sum::<u64>() as f64 / rows.len() as f64;
    let share = |part: f64| rows[((part * rows.len() as f64).ceil() as usize).clamp(1, rows.len()) - 1];
    format!("{mean:.0} | {} | {}", share(0.5), share(0.95))
}

/// The number after an option.
fn option(name: &str) -> Option<u64> {
    let value = value(name)?;
    Some(value.parse().unwrap_or_else(|_| panic!("{name} must be followed by a whole number, got {value}")))
}

fn value(name: &str) -> Option<String> {
    std::env::args().skip_while(|argument| argument != name).nth(1)
}

/// The images as the model takes them, pixels divided by 255, channels first; and their labels.
fn images(path: &Path) -> Vec<(Vec<f32>, usize)> {
    let file = || std::fs::File::open(path).unwrap();
    let (shape, pixels) = npz::array::<u8>(file(), "images");
    let elements = shape[1..].iter().product::<u64>() as usize;
    let (_, labels) = npz::array::<i64>(file(), "labels");
    let scaled = |image: &[u8]| image.iter().map(|&pixel| f32::from(pixel) / 255.0).collect();
    pixels.chunks_exact(elements).map(scaled).zip(labels.into_iter().map(|label| label as usize)).collect()
}
