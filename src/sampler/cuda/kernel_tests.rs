//! The kernels' bits, by their source run on the processor.

use std::sync::Arc;

use half::{bf16, f16};
use rand::rngs::SmallRng;
use rand::{Rng, RngExt, SeedableRng};

use super::driver::{Driver, Memory, Stream};
use super::host_driver::HostDriver;
use super::kernels::{BLOCK, FEW_CLASSES, Kernel, KernelBatch, KernelSegment, MAX_SEGMENTS, Shape};
use crate::model::{ElementType, NO_LABEL};
use crate::noise::{Grid, NoiseStream, Purpose};

fn argument<T>(value: &T) -> *mut std::ffi::c_void {
    std::ptr::from_ref(value).cast_mut().cast()
}

/// Memory of the test's device that holds these.
fn holding<T: Copy>(driver: &Arc<dyn Driver>, values: &[T]) -> Memory {
    let memory = Memory::new(driver, size_of_val(values)).unwrap();
    // SAFETY: just as long, and the host's own.
    unsafe { std::ptr::copy_nonoverlapping(values.as_ptr(), memory.address as *mut T, values.len()) };
    memory
}

fn read<T: Copy>(memory: &Memory) -> Vec<T> {
    // SAFETY: the host's own, zeroed or written as `T`.
    unsafe { std::slice::from_raw_parts(memory.address as *const T, memory.bytes / size_of::<T>()) }.to_vec()
}

fn empty(elements: usize, run: usize, mean: &Memory, std: &Memory, channels: usize) -> KernelBatch {
    KernelBatch {
        segments: [KernelSegment::default(); MAX_SEGMENTS],
        used: 0,
        rows: 0,
        elements: elements as u32,
        channels: channels as u32,
        run: run as u32,
        mean: mean.address,
        std: std.address,
    }
}

/// Rows of two jobs by the kernel of an element type, and the same rows by src/noise before the cast.
fn rows<T: Copy>(
    driver: &Arc<dyn Driver>,
    element: ElementType,
    elements: usize,
    scale: Option<f32>,
    x: &[Vec<f32>; 2],
) -> (Vec<T>, Vec<f32>) {
    let sigma = 0.37;
    let grid = Grid::for_range(1.0, sigma).unwrap();
    // Over the 32-bit boundary, and from 0.
    let jobs = [
        (NoiseStream::new(7, 3, Purpose::Estimate), u64::from(u32::MAX) - 1, 5),
        (NoiseStream::new(u64::MAX, 1 << 40, Purpose::Select), 0, 4),
    ];
    let means = [0.25, 0.5, 0.125];
    let stds = [0.3, 1.7, 0.9];
    let scaled = scale.is_none() && elements.is_multiple_of(3);
    let (run, channels) = if scaled { (elements / 3, 3) } else { (elements, 0) };
    let (mean, std) = (holding(driver, &means), holding(driver, &stds));
    let mut batch = empty(elements, run, &mean, &std, channels);
    let mut held = Vec::new();
    let mut expected = Vec::new();
    for ((noise, first, count), x) in jobs.iter().zip(x) {
        let on_grid = noise.on_grid(sigma, &grid).unwrap();
        held.push(holding(driver, x));
        batch.segments[batch.used as usize] = KernelSegment {
            x: held.last().unwrap().address,
            counts: 0,
            sample: *first,
            key: on_grid.key,
            purpose: on_grid.purpose,
            first_row: batch.rows,
            scale: scale.unwrap_or(on_grid.scale),
            step: on_grid.step,
        };
        batch.used += 1;
        batch.rows += count;
        for sample in *first..*first + u64::from(*count) {
            let mut row = vec![0.0; elements];
            match scale {
                // So little noise that it rounds to nothing: the kernel's casts of x itself are seen.
                Some(_) => row.copy_from_slice(x),
                None => noise.noisy_row(sample, sigma, &grid, x, &mut row).unwrap(),
            }
            if scaled {
                for (i, value) in row.iter_mut().enumerate() {
                    *value = (*value - means[i / run]) / stds[i / run];
                }
            }
            expected.extend(row);
        }
    }
    let out = Memory::new(driver, batch.rows as usize * elements * size_of::<T>()).unwrap();
    let fill = Kernel::of("fill", element).unwrap();
    let shape = Shape::fill(elements as u32, batch.rows);
    // SAFETY: the kernel's parameters, over memory that is held.
    unsafe { driver.launch(Stream::Fill, fill, shape, &mut [argument(&batch), argument(&out.address)]) }.unwrap();
    (read(&out), expected)
}

#[test]
fn rows_have_the_bits_of_the_hosts_noise_in_every_type() {
    let Some(driver) = HostDriver::new() else { return };
    let driver: Arc<dyn Driver> = driver;
    let mut random = SmallRng::seed_from_u64(1);
    // Around the groups' sizes; 12,288 elements draw refined words (one pair in 4,096).
    for elements in [1, 3, 15, 17, 63, 64, 65, 130, 784, 3072, 12_288] {
        let grid = Grid::for_range(1.0, 0.37).unwrap();
        let x = [(); 2].map(|()| {
            let mut x = (0..elements).map(|_| random.random_range(0.0..1.0f32)).collect::<Vec<_>>();
            grid.round(&mut x);
            x
        });
        let bits = |values: &[f32]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
        let (got, expected) = rows::<f32>(&driver, ElementType::Float32, elements, None, &x);
        assert!(bits(&got) == bits(&expected), "{elements} elements");
        if elements > 784 {
            continue;
        }
        let (got, expected) = rows::<f64>(&driver, ElementType::Float64, elements, None, &x);
        assert_eq!(got, expected.iter().map(|&value| f64::from(value)).collect::<Vec<_>>());
        let (got, expected) = rows::<u16>(&driver, ElementType::Float16, elements, None, &x);
        assert_eq!(got, expected.iter().map(|&value| f16::from_f32(value).to_bits()).collect::<Vec<_>>());
        let (got, expected) = rows::<u16>(&driver, ElementType::BFloat16, elements, None, &x);
        assert_eq!(got, expected.iter().map(|&value| bf16::from_f32(value).to_bits()).collect::<Vec<_>>());
    }
}

#[test]
fn casts_round_as_the_hosts_do() {
    let Some(driver) = HostDriver::new() else { return };
    let driver: Arc<dyn Driver> = driver;
    let mut random = SmallRng::seed_from_u64(2);
    // Every kind of value: any bits, halves and their neighbours, ties, subnormal halves, the edge to infinity, bytes.
    let mut x = (0..4000).map(|_| f32::from_bits(random.next_u32())).filter(|x| x.is_finite()).collect::<Vec<_>>();
    for bits in (0..u32::from(u16::MAX)).step_by(7) {
        let half = f16::from_bits(bits as u16).to_f32();
        x.extend(
            [half, half.next_up(), half.next_down(), half * (1.0 + 0.5f32.powi(11))]
                .into_iter()
                .filter(|x| x.is_finite()),
        );
    }
    x.extend([
        65_519.996,
        65_520.0,
        -65_520.0,
        f32::MAX,
        f32::MIN,
        0.0,
        -0.0,
        0.5f32.powi(25),
        0.5f32.powi(25).next_up(),
        1e-45,
    ]);
    x.extend((-10..600).map(|i| i as f32 / 2.0));
    // The noise's own zero, of either sign, is added.
    x.iter_mut().for_each(|x| *x += 0.0);
    let elements = x.len();
    let x = [x.clone(), x.iter().rev().copied().collect()];
    let check = |element, cast: fn(f32) -> u16| {
        let (got, expected) = rows::<u16>(&driver, element, elements, Some(1e-9), &x);
        for (got, value) in got.into_iter().zip(expected) {
            assert_eq!(got, cast(value), "{value:e} as {element}");
        }
    };
    check(ElementType::Float16, |value| f16::from_f32(value).to_bits());
    check(ElementType::BFloat16, |value| bf16::from_f32(value).to_bits());
    let (got, expected) = rows::<u8>(&driver, ElementType::UInt8, elements, Some(1e-9), &x);
    for (got, value) in got.into_iter().zip(expected) {
        assert_eq!(got, value.round_ties_even() as u8, "{value:e}");
    }
}

/// Counts of two jobs, the first of `first` rows, by the kernel that reads scores.
fn counts<T: Copy>(
    driver: &Arc<dyn Driver>,
    element: ElementType,
    scores: &[T],
    classes: usize,
    first: u32,
) -> [Vec<u32>; 2] {
    let tables = holding(driver, &[0.0f32]);
    let mut batch = empty(1, 1, &tables, &tables, 0);
    let held = [(); 2].map(|()| Memory::new(driver, classes * 4).unwrap());
    for (i, counts) in held.iter().enumerate() {
        batch.segments[i] =
            KernelSegment { counts: counts.address, first_row: i as u32 * first, ..KernelSegment::default() };
    }
    (batch.used, batch.rows) = (2, (scores.len() / classes) as u32);
    let scores = holding(driver, scores);
    let classes = classes as u32;
    let (shape, each) = Shape::labels(batch.rows, if classes > FEW_CLASSES { 1 } else { 8 });
    let top = Kernel::of("top", element).unwrap();
    let mut arguments = [argument(&batch), argument(&scores.address), argument(&classes), argument(&each)];
    // SAFETY: the kernel's parameters, over memory that is held.
    unsafe { driver.launch(Stream::Run, top, shape, &mut arguments) }.unwrap();
    held.map(|counts| read(&counts))
}

/// The highest score, the lowest index among equals; none where any is NaN, or the highest is infinite.
fn top(row: &[f64]) -> u32 {
    let highest = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    match highest.is_finite() && !row.iter().any(|score| score.is_nan()) {
        true => row.iter().position(|&score| score == highest).unwrap() as u32,
        false => NO_LABEL,
    }
}

#[test]
fn labels_are_counted_as_the_host_counts_them() {
    let Some(driver) = HostDriver::new() else { return };
    let driver: Arc<dyn Driver> = driver;
    let mut random = SmallRng::seed_from_u64(3);
    // Few classes (a warp takes a row, the first job's counts are gathered) and many (the whole block takes a row).
    for (classes, rows, first) in
        [(2, 600, 599), (10, 700, 3), (33, 40, 20), (1000, 24, 9), (2048, 9, 1), (2049, 9, 4), (100_003, 3, 2)]
    {
        // Few values, so that ties are everywhere; values of every type.
        let mut scores = (0..rows * classes)
            .map(|_| match random.random_range(0..40 * classes) {
                0 => f32::NAN,
                1 => f32::INFINITY,
                2 => f32::NEG_INFINITY,
                3 => -0.0,
                _ => random.random_range(-4..=4) as f32 * 0.25,
            })
            .collect::<Vec<_>>();
        // Masks: of every second class, and of all.
        for (i, row) in scores.chunks_exact_mut(classes).enumerate() {
            match i % 8 {
                1 | 6 => row.iter_mut().skip(i % 4 / 2).step_by(2).for_each(|score| *score = f32::NEG_INFINITY),
                3 => row.fill(f32::NEG_INFINITY),
                _ => {}
            }
        }
        let mut expected = [vec![0; classes], vec![0; classes]];
        let mut invalid = 0;
        for (i, row) in scores.chunks_exact(classes).enumerate() {
            match top(&row.iter().map(|&score| f64::from(score)).collect::<Vec<_>>()) {
                NO_LABEL => invalid += 1,
                label => expected[usize::from(i >= first)][label as usize] += 1,
            }
        }
        assert!(classes > 1000 || invalid > 0, "the draw must hold what it tests");
        let first = first as u32;
        assert_eq!(counts(&driver, ElementType::Float32, &scores, classes, first), expected, "{classes} classes");
        let wide = scores.iter().map(|&score| f64::from(score)).collect::<Vec<_>>();
        assert_eq!(counts(&driver, ElementType::Float64, &wide, classes, first), expected);
        let half = scores.iter().map(|&score| f16::from_f32(score).to_bits()).collect::<Vec<_>>();
        assert_eq!(counts(&driver, ElementType::Float16, &half, classes, first), expected);
        let brain = scores.iter().map(|&score| bf16::from_f32(score).to_bits()).collect::<Vec<_>>();
        assert_eq!(counts(&driver, ElementType::BFloat16, &brain, classes, first), expected);
    }
}

#[test]
fn scores_of_every_size_are_ordered() {
    let Some(driver) = HostDriver::new() else { return };
    let driver: Arc<dyn Driver> = driver;
    // Ascending: every finite half, in f16; and f64 that f32 cannot tell apart.
    let mut halves = (0..=u16::MAX).filter(|&bits| f16::from_bits(bits).is_finite()).collect::<Vec<_>>();
    halves.sort_by(|&a, &b| f16::from_bits(a).total_cmp(&f16::from_bits(b)));
    halves.retain(|&bits| bits != 0x8000);
    let pairs = halves.windows(2).step_by(17).flat_map(|pair| [pair[0], pair[1]]).collect::<Vec<_>>();
    let rows = (pairs.len() / 2) as u32;
    let [below, above] = counts(&driver, ElementType::Float16, &pairs, 2, rows / 2);
    assert_eq!((below, above), (vec![0, rows / 2], vec![0, rows - rows / 2]));
    let close = [1.0f64, 1.0f64.next_up(), 1.0f64.next_up(), 1.0, 5e-324, 0.0, -5e-324, 0.0];
    let [first, second] = counts(&driver, ElementType::Float64, &close, 2, 2);
    assert_eq!((first, second), (vec![1, 1], vec![1, 1]));
}

#[test]
fn thresholds_and_given_labels_are_read_as_the_host_reads_them() {
    let Some(driver) = HostDriver::new() else { return };
    let driver: Arc<dyn Driver> = driver;
    let tables = holding(&driver, &[0.0f32]);
    let run = |kernel: Kernel, input: &Memory, rows: u32, classes: u32, threshold: Option<f64>| {
        let counts = Memory::new(&driver, classes as usize * 4).unwrap();
        let mut batch = empty(1, 1, &tables, &tables, 0);
        batch.segments[0] = KernelSegment { counts: counts.address, ..KernelSegment::default() };
        (batch.used, batch.rows) = (1, rows);
        let (shape, each) = Shape::labels(rows, BLOCK);
        let threshold_of = threshold.unwrap_or(0.0);
        let mut arguments = vec![argument(&batch), argument(&input.address)];
        arguments.extend(threshold.map(|_| argument(&threshold_of)));
        arguments.extend([argument(&classes), argument(&each)]);
        // SAFETY: the kernel's parameters, over memory that is held.
        unsafe { driver.launch(Stream::Run, kernel, shape, &mut arguments) }.unwrap();
        read::<u32>(&counts)
    };
    let scores = [0.5f32, 0.500_001, -1.0, f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 0.75, 0.5];
    let above = |element| Kernel::of("above", element).unwrap();
    assert_eq!(run(above(ElementType::Float32), &holding(&driver, &scores), 8, 2, Some(0.5)), [3, 2]);
    // 0.1f32 is above 0.1 in f64: the comparison must not round the threshold.
    assert_eq!(run(above(ElementType::Float32), &holding(&driver, &[0.1f32]), 1, 2, Some(0.1)), [0, 1]);
    assert_eq!(run(above(ElementType::Float64), &holding(&driver, &[0.1f64]), 1, 2, Some(0.1)), [1, 0]);
    let half = scores.map(|score| f16::from_f32(score).to_bits());
    assert_eq!(run(above(ElementType::Float16), &holding(&driver, &half), 8, 2, Some(0.5)), [4, 1]);
    let given = |element| Kernel::of("given", element).unwrap();
    let labels = [0i64, 2, 3, -1, i64::MAX, 2, 1 << 32];
    assert_eq!(run(given(ElementType::Int64), &holding(&driver, &labels), 7, 3, None), [1, 0, 2]);
    assert_eq!(run(given(ElementType::Int32), &holding(&driver, &[0i32, 2, 3, -1, i32::MIN]), 5, 3, None), [1, 0, 1]);
}
