//! Noise rows: ours by every path, against rand_distr's StandardNormal on rand's SmallRng; elements/s on one core.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use rand::SeedableRng;
use rand::rngs::SmallRng;
use rand_distr::{Distribution, StandardNormal};
use smoothtopk::noise::{Grid, NoiseStream, Path, Purpose};
use std::hint::black_box;

/// CIFAR-10 and ImageNet.
const ROWS: [usize; 2] = [3 * 32 * 32, 3 * 224 * 224];
const SIGMA: f64 = 0.25;

fn rows(c: &mut Criterion) {
    for elements in ROWS {
        let mut group = c.benchmark_group(format!("noisy_row/{elements}"));
        group.throughput(Throughput::Elements(elements as u64));
        let x: Vec<f32> = (0..elements).map(|i| (i % 256) as f32 / 256.0).collect();
        let mut out = vec![0.0f32; elements];
        let grid = Grid::for_range(1.0, SIGMA).expect("a grid for [0, 1]");
        for path in Path::ALL {
            let Ok(stream) = NoiseStream::new(1, 2, Purpose::Estimate).on(path) else { continue };
            let mut sample = 0;
            group.bench_function(format!("{path:?}"), |b| {
                b.iter(|| {
                    sample += 1;
                    stream.noisy_row(sample, SIGMA, &grid, &x, black_box(&mut out)).expect("a row");
                });
            });
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

criterion_group!(benches, rows);
criterion_main!(benches);
