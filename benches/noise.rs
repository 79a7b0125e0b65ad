//! Noise rows: ours by every law, from every source, by every path, against rand_distr's StandardNormal on rand's
//! SmallRng; elements/s on one core.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use rand::SeedableRng;
use rand::rngs::SmallRng;
use rand_distr::{Distribution, StandardNormal};
use smoothtopk::noise::{DiscreteGaussian, ExactGrid, Grid, Mode, Noise, Path, Purpose, Source};
use std::hint::black_box;

/// CIFAR-10 and ImageNet.
const ROWS: [usize; 2] = [3 * 32 * 32, 3 * 224 * 224];
const SIGMA: f64 = 0.25;

fn rows(c: &mut Criterion) {
    for elements in ROWS {
        let mut group = c.benchmark_group(format!("noisy_row/{elements}"));
        group.throughput(Throughput::Elements(elements as u64));
        let x: Vec<f32> = (0..elements).map(|i| (i % 256) as f32 / 255.0).collect();
        let mut out = vec![0.0f32; elements];
        let grid = Grid::for_range(1.0, SIGMA).expect("a grid for [0, 1]");
        let gaussian = |mode, source| Noise::new(SIGMA, mode, source).expect("noise for [0, 1]");
        let laws = |source| {
            [
                ("grid", gaussian(Mode::Grid(grid), source)),
                ("exact", gaussian(Mode::Exact(ExactGrid::pixels()), source)),
                ("uniform", Noise::uniform(SIGMA * 3f64.sqrt(), source).expect("noise as wide")),
            ]
        };
        let sources = [Source::Philox { seed: 1 }, Source::ChaCha12 { key: [1; 32] }];
        for (source, (law, noise)) in sources.into_iter().flat_map(|source| laws(source).map(|law| (source, law))) {
            let centre = noise.centre(&x).expect("pixels");
            for path in Path::ALL {
                let Ok(stream) = noise.stream(2, Purpose::Estimate).on(path) else { continue };
                let mut sample = 0;
                group.bench_function(format!("{law} {} {path:?}", source.name()), |b| {
                    b.iter(|| {
                        sample += 1;
                        stream.noisy_row(sample, &centre, black_box(&mut out)).expect("a row");
                    });
                });
            }
        }
        // What a user would write: no grid, so one multiplication and one addition an element.
        let mut rng = SmallRng::seed_from_u64(1);
        group.bench_function("rand_distr", |b| {
            b.iter(|| {
                for (out, x) in black_box(&mut out).iter_mut().zip(&x) {
                    let z: f32 = StandardNormal.sample(&mut rng);
                    *out = x + SIGMA as f32 * z;
                }
            });
        });
        group.finish();
    }
}

/// What a request pays for the table of exact noise, where it is not the last one made.
fn table(c: &mut Criterion) {
    for sigma in [SIGMA, 1.0] {
        c.bench_function(&format!("discrete_gaussian/{}", sigma * 255.0), |b| {
            b.iter(|| DiscreteGaussian::new(black_box(sigma), 255).expect("a table"));
        });
    }
}

criterion_group!(benches, rows, table);
criterion_main!(benches);
