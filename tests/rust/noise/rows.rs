//! Rows are pure functions of (seed, job, purpose, sample), whatever else is drawn and however long the row.

use super::{normals, stream};
use smoothtopk::ErrorKind;
use smoothtopk::noise::{Grid, NoiseStream, Path, Purpose};

#[test]
fn a_row_does_not_depend_on_what_else_is_drawn() {
    let alone = normals(&stream(), 77, 1000);
    let backwards: Vec<_> = (0..100).rev().map(|sample| normals(&stream(), sample, 1000)).collect();
    assert_eq!(backwards[99 - 77], alone);
    let on_threads: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (70..80).map(|sample| scope.spawn(move || normals(&stream(), sample, 1000))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(on_threads[7], alone);
}

#[test]
fn a_shorter_row_is_a_prefix_of_a_longer_one() {
    let long = normals(&stream(), 3, 1000);
    for elements in [0, 1, 15, 16, 17, 63, 64, 65, 127, 128, 640, 999] {
        assert_eq!(normals(&stream(), 3, elements), long[..elements]);
    }
}

#[test]
fn seed_job_purpose_and_sample_are_used_to_their_last_bit() {
    let mut rows = Vec::new();
    for bit in 0..64 {
        rows.push(normals(&NoiseStream::new(1 << bit, 0, Purpose::Select), 0, 64));
        rows.push(normals(&NoiseStream::new(0, 1 << bit, Purpose::Select), 0, 64));
        rows.push(normals(&NoiseStream::new(0, 0, Purpose::Select), 1 << bit, 64));
    }
    rows.push(normals(&NoiseStream::new(0, 0, Purpose::Select), 0, 64));
    rows.push(normals(&NoiseStream::new(0, 0, Purpose::Estimate), 0, 64));
    let mut bits: Vec<Vec<u32>> = rows.iter().map(|row| row.iter().map(|z| z.to_bits()).collect()).collect();
    bits.sort();
    bits.dedup();
    assert_eq!(bits.len(), rows.len());
}

/// Counts recorded by one version must be found again by the next, on any processor.
#[test]
fn the_noise_of_a_seed_is_fixed_for_ever() {
    let stream = NoiseStream::new(7, 11, Purpose::Estimate);
    assert_eq!(stream.key(), Some(KEY));
    let row = normals(&stream, 13, 64);
    let bits: Vec<u32> = row.iter().step_by(9).map(|z| z.to_bits()).collect();
    assert_eq!(bits, BITS, "{bits:#x?}");
}
const KEY: [u32; 2] = [0xcafd_59e7, 0xe596_724a];
const BITS: [u32; 8] =
    [0xc014_9440, 0xbf2c_f8ff, 0xbf49_0aec, 0x3e25_c35e, 0xbd84_5a01, 0x4015_49b9, 0xbe81_e178, 0xbfab_11be];

#[test]
fn bad_arguments_are_refused_and_leave_the_row_alone() {
    let grid = Grid::for_range(1.0, 0.25).unwrap();
    let mut out = [9.0; 4];
    let mut refused = |sigma: f64, x: &[f32], field: &str| {
        let error = stream().noisy_row(0, sigma, &grid, x, &mut out).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
        assert_eq!(error.field(), Some(field), "{error}");
        assert_eq!(out, [9.0; 4]);
    };
    refused(0.25, &[0.0; 3], "out");
    for sigma in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e300] {
        refused(sigma, &[0.0; 4], "sigma");
    }
    for path in Path::ALL {
        assert_eq!(stream().on(path).is_ok(), path.is_available());
    }
    assert!(Path::best().is_available());
}
