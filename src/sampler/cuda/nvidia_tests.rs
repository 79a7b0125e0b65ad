//! NVIDIA's driver as `nvidia.rs` calls it, by a driver of GPUs that are none (tests/kernels/driver.cpp).
//!
//! The loader must find that driver first, so each test is run in a process of its own.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use super::nvidia::{KernelSource, Nvidia};
use super::tests::{DIGITS, Recipe, cases, counts, job, model, on};
use super::{CudaClassifier, nvidia};
use crate::model::{ComputeStream, Model, ModelOptions};
use crate::noise::{Grid, NoiseStream, Purpose};
use crate::sampler::{JobHandle, Plan, Sampler};
use crate::{ErrorKind, Result};

const OUT_OF_MEMORY: i32 = 2;
const ILLEGAL_ADDRESS: i32 = 700;

/// Every name that cudarc looks up, as it stands in this program: it wants all of them to be there.
fn names_of_the_driver() -> Vec<String> {
    let program = fs::read(std::env::current_exe().unwrap()).unwrap();
    let of_a_name = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let mut names = program
        .split(|&byte| byte == 0)
        .filter_map(|bytes| {
            let start = bytes.iter().rposition(|byte| !of_a_name(byte)).map_or(0, |at| at + 1);
            let word = std::str::from_utf8(&bytes[start..]).ok()?;
            // What stands before it in the program may be of a name, too.
            let at = word.match_indices("cu").map(|(at, _)| &word[at..]);
            let is_name = |name: &&str| name.as_bytes().get(2).is_some_and(u8::is_ascii_uppercase);
            Some(at.filter(is_name).map(str::to_owned).collect::<Vec<_>>())
        })
        .flatten()
        .collect::<Vec<_>>();
    names.sort_unstable();
    names.dedup();
    names
}

/// Builds the driver in a folder; nothing where there is no C++ compiler, which is said.
fn build(folder: &Path) -> Option<()> {
    let compiler = std::env::var("CXX").unwrap_or_else(|_| "c++".to_owned());
    if Command::new(&compiler).arg("--version").output().is_err() {
        assert!(std::env::var_os("CI").is_none(), "no C++ compiler {compiler}");
        eprintln!("SKIPPED: no C++ compiler {compiler} to build a driver for the processor (set CXX)");
        return None;
    }
    let rest = names_of_the_driver()
        .iter()
        .map(|name| format!("extern \"C\" __attribute__((weak)) int {name}() {{ return 801; }}\n"))
        .collect::<String>();
    fs::write(folder.join("rest.cpp"), rest).unwrap();
    let arguments =
        ["-std=c++17", "-O2", "-ffp-contract=off", "-Wall", "-Werror", "-Wno-unknown-pragmas", "-fPIC", "-pthread"];
    let built = Command::new(&compiler)
        .args(arguments)
        .args(["-shared", "-Wl,-soname,libcuda.so.1", "-o"])
        .arg(folder.join("libcuda.so.1"))
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/kernels/driver.cpp"))
        .arg(folder.join("rest.cpp"))
        .output()
        .unwrap();
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    symlink("libcuda.so.1", folder.join("libcuda.so")).unwrap();
    Some(())
}

#[test]
fn the_driver_is_called_as_it_wants_to_be() {
    let folder = tempfile::tempdir().unwrap();
    let Some(()) = build(folder.path()) else { return };
    let tests = [
        "what_there_is_is_told",
        "counts_are_the_hosts",
        "a_yardstick_runs_each_part_alone",
        "an_open_that_fails_anywhere_gives_everything_back",
        "a_run_that_fails_anywhere_counts_nothing_wrong",
        "short_memory_makes_small_batches",
        "an_old_driver_is_refused",
    ];
    // Each waits for devices that work late: all of them together take no longer than the slowest.
    std::thread::scope(|scope| {
        for test in tests {
            scope.spawn(|| run(test, &[folder.path()]));
        }
    });
}

#[test]
fn nvrtc_compiles_the_kernels_for_the_device() {
    let Some(nvrtc) = std::env::var_os("SMOOTHTOPK_NVRTC") else {
        eprintln!("SKIPPED: SMOOTHTOPK_NVRTC names no folder with CUDA 13's NVRTC (make test-gpu-build)");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let Some(()) = build(folder.path()) else { return };
    run("nvrtc_compiles", &[folder.path(), Path::new(&nvrtc)]);
    run("nvrtc_is_missing", &[folder.path()]);
}

/// Runs one of the tests below where the loader looks into these folders first.
fn run(test: &str, libraries: &[&Path]) {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", &format!("sampler::cuda::nvidia_tests::by_it::{test}"), "--ignored", "--nocapture"])
        .env("LD_LIBRARY_PATH", std::env::join_paths(libraries).unwrap())
        .output()
        .unwrap();
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{test}\n{}\n{}", said(&output.stdout), said(&output.stderr));
    assert!(said(&output.stdout).contains("1 passed"), "{test} is no test");
}

/// What the driver of these tests is told, and tells.
struct Told(libloading::Library);

impl Told {
    fn new() -> Self {
        // SAFETY: a library whose loading does nothing.
        Self(unsafe { libloading::Library::new("libcuda.so.1") }.unwrap())
    }

    fn fail(&self, calls: i64, with: i32) {
        // SAFETY: as tests/kernels/driver.cpp declares it.
        unsafe { self.0.get::<unsafe extern "C" fn(i64, i32)>(b"none_fail\0").unwrap()(calls, with) }
    }

    fn may_fail(&self) -> bool {
        // SAFETY: as above.
        unsafe { self.0.get::<unsafe extern "C" fn() -> i32>(b"none_may_fail\0").unwrap()() != 0 }
    }

    fn set_memory(&self, bytes: u64) {
        // SAFETY: as above.
        unsafe { self.0.get::<unsafe extern "C" fn(u64)>(b"none_set_memory\0").unwrap()(bytes) }
    }

    fn set_version(&self, version: i32) {
        // SAFETY: as above.
        unsafe { self.0.get::<unsafe extern "C" fn(i32)>(b"none_set_version\0").unwrap()(version) }
    }

    fn held(&self) -> u64 {
        // SAFETY: as above.
        unsafe { self.0.get::<unsafe extern "C" fn() -> u64>(b"none_held\0").unwrap()() }
    }
}

fn open(device: u32) -> Arc<Nvidia> {
    Arc::new(Nvidia::open(device, KernelSource::Embedded).unwrap())
}

fn host(model: &Model, jobs: &[Recipe]) -> Vec<Vec<u64>> {
    counts(Arc::new(model.clone()), Plan { batch: 16, threads: 2 }, jobs)
}

/// Jobs on devices, whatever becomes of them: rows, counts, and what went wrong.
fn try_counts(device: Result<Sampler>, jobs: &[Recipe]) -> Result<Vec<(Vec<u64>, Option<crate::Error>)>> {
    let sampler = device?;
    let handles = jobs.iter().map(|job| sampler.submit(job.job())).collect::<Result<Vec<_>>>()?;
    let drawn = handles.into_iter().map(JobHandle::wait);
    let told = drawn.map(|drawn| {
        assert_eq!(drawn.tally.labels().iter().sum::<u64>(), drawn.tally.n(), "every row of these has a label");
        (drawn.tally.labels().to_vec(), drawn.stopped)
    });
    Ok(told.collect())
}

/// Run by `the_driver_is_called_as_it_wants_to_be`, each in a process of its own.
mod by_it {
    use super::*;

    #[test]
    #[ignore = "needs the driver of tests/kernels/driver.cpp"]
    fn what_there_is_is_told() {
        let told = Told::new();
        assert_eq!(nvidia::device_count(), 2);
        let driver = open(1);
        assert_eq!(driver.device_name().as_deref(), Some("no GPU, number 1"));
        assert_ne!(driver.handle(), 0);
        assert!(told.held() > 0);
        drop(driver);
        assert_eq!(told.held(), 0);
        let error = Nvidia::open(2, KernelSource::Embedded).err().unwrap();
        assert_eq!((error.kind(), error.field()), (ErrorKind::Provider, Some("provider")));
        assert!(error.message().contains("cuda:2") && error.message().contains("CUDA_ERROR_INVALID_DEVICE"), "{error}");
        // A device does not help where ONNX Runtime has no provider for it; and is given back.
        let options = ModelOptions { provider: "cuda".parse().unwrap(), ..ModelOptions::default() };
        let error = CudaClassifier::open(DIGITS, &options, &[0], KernelSource::Embedded).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Provider, "{error}");
        let options = ModelOptions { allow_fallback: true, ..options };
        let fallen = CudaClassifier::open(DIGITS, &options, &[0, 1], KernelSource::Embedded).unwrap();
        assert!(fallen.model().fallback().is_some() && !fallen.is_on_devices());
        drop(fallen);
        assert_eq!(told.held(), 0);
    }

    #[test]
    #[ignore = "needs the driver of tests/kernels/driver.cpp"]
    fn counts_are_the_hosts() {
        let told = Told::new();
        for (name, options) in cases() {
            let model = model(name, options);
            let elements = model.signature().elements;
            let batch = crate::sampler::BaseClassifier::fixed_batch(&model).unwrap_or(24);
            let jobs = (0..70).map(|key| job(elements, key, 0..[3, 40, 0, 211][key as usize % 4])).collect::<Vec<_>>();
            let expected = counts(Arc::new(model.clone()), Plan { batch, threads: 2 }, &jobs);
            let one = counts(on(&[open(0)], &model), Plan { batch, threads: 1 }, &jobs);
            assert_eq!(one, expected, "{name}");
            let two = counts(on(&[open(0), open(1)], &model), Plan { batch, threads: 2 }, &jobs);
            assert_eq!(two, expected, "{name}");
            assert_eq!(told.held(), 0, "{name}");
        }
    }

    #[test]
    #[ignore = "needs the driver of tests/kernels/driver.cpp and NVRTC"]
    fn nvrtc_compiles() {
        // The driver's devices have compute capability 9.0. It takes every kernel from the PTX by its name.
        drop(Nvidia::open(0, KernelSource::Nvrtc).unwrap());
        let ptx = nvidia::compile_for("compute_90").unwrap();
        assert!(ptx.contains(".target sm_90"), "{}", &ptx[..400]);
        let error = nvidia::compile_for("compute_10").unwrap_err();
        assert!(error.contains("compute_10") || error.contains("gpu-architecture"), "{error}");
    }

    #[test]
    #[ignore = "needs the driver of tests/kernels/driver.cpp, and no NVRTC"]
    fn nvrtc_is_missing() {
        let told = Told::new();
        let error = Nvidia::open(0, KernelSource::Nvrtc).err().unwrap();
        assert!(error.message().contains("libnvrtc"), "{error}");
        assert_eq!(told.held(), 0);
    }

    #[test]
    #[ignore = "needs the driver of tests/kernels/driver.cpp"]
    fn a_yardstick_runs_each_part_alone() {
        let told = Told::new();
        let model = model(DIGITS, ModelOptions::default());
        let mut yardstick = on(&[open(0)], &model).yardstick(20).unwrap();
        for took in [yardstick.noise(3), yardstick.bare(3), yardstick.write(3)] {
            assert!(took.unwrap() > std::time::Duration::ZERO);
        }
        let (noise, grid) = (NoiseStream::new(3, 4, Purpose::Predict), Grid::for_range(1.0, 0.25).unwrap());
        let x = [0.25; 64];
        let mut expected = vec![0.0; 5 * 64];
        for (sample, row) in (9..).zip(expected.chunks_exact_mut(64)) {
            noise.noisy_row(sample, 0.25, &grid, &x, row).unwrap();
        }
        let rows = yardstick.rows(&noise, 0.25, &grid, &x, 9, 5).unwrap();
        assert_eq!(rows, expected.iter().flat_map(|value| value.to_ne_bytes()).collect::<Vec<_>>());
        drop(yardstick);
        assert_eq!(told.held(), 0);
    }

    #[test]
    #[ignore = "needs the driver of tests/kernels/driver.cpp"]
    fn an_open_that_fails_anywhere_gives_everything_back() {
        let told = Told::new();
        let mut failed = 0;
        for calls in 0.. {
            told.fail(calls, OUT_OF_MEMORY);
            let opened = Nvidia::open(0, KernelSource::Embedded);
            let came = !told.may_fail();
            told.fail(-1, 0);
            if !came {
                break;
            }
            let error = opened.err().expect("a call of the driver's failed");
            assert_eq!(error.kind(), ErrorKind::Provider);
            assert!(error.message().contains("cuda:0") && error.message().contains("OUT_OF_MEMORY"), "{error}");
            assert_eq!(told.held(), 0, "call {calls}: {error}");
            failed += 1;
        }
        // Two streams and fifteen kernels, at least.
        assert!(failed > 20, "{failed}");
    }

    #[test]
    #[ignore = "needs the driver of tests/kernels/driver.cpp"]
    fn a_run_that_fails_anywhere_counts_nothing_wrong() {
        let told = Told::new();
        let model = model(DIGITS, ModelOptions::default());
        let jobs = [job(64, 0, 0..160), job(64, 1, 0..33)];
        let expected = host(&model, &jobs);
        for with in [OUT_OF_MEMORY, ILLEGAL_ADDRESS] {
            let mut outcomes = [0; 3];
            // Memory for 64 slots is asked for, and given back, by one call like the other: those are tried here and
            // there. The calls between, while rows are made, are all tried.
            let (mut calls, mut first_of_rows) = (0, None);
            loop {
                let device = on(&[open(0)], &model);
                told.fail(calls, with);
                let told_of = try_counts(Sampler::new(device, Plan { batch: 64, threads: 1 }), &jobs);
                let came = !told.may_fail();
                told.fail(-1, 0);
                assert_eq!(told.held(), 0, "status {with} of call {calls}: everything is given back");
                let Ok(told_of) = told_of else {
                    outcomes[0] += 1;
                    calls += 7;
                    continue;
                };
                if first_of_rows.is_none() {
                    first_of_rows = Some(calls);
                    calls -= 7;
                    continue;
                }
                calls += if first_of_rows.is_some_and(|first| calls < first + 200) { 1 } else { 7 };
                for ((counts, stopped), (job, expected)) in told_of.iter().zip(jobs.iter().zip(&expected)) {
                    match stopped {
                        None => assert_eq!(counts, expected, "status {with} of call {calls}"),
                        Some(error) => {
                            assert_eq!(error.kind(), ErrorKind::Run, "{error}");
                            assert!(counts.iter().sum::<u64>() <= job.rows());
                        }
                    }
                    outcomes[1 + usize::from(stopped.is_some())] += 1;
                }
                if !came {
                    break;
                }
            }
            // Refused before a row was asked for; all rows nevertheless, where memory ran short; an error.
            let [refused, complete, stopped] = outcomes;
            println!("status {with}: {refused} refused, {complete} jobs complete, {stopped} stopped");
            assert!(refused > 0 && complete > 2 && stopped > 0, "{outcomes:?}");
        }
    }

    #[test]
    #[ignore = "needs the driver of tests/kernels/driver.cpp"]
    fn short_memory_makes_small_batches() {
        let told = Told::new();
        let model = model(DIGITS, ModelOptions::default());
        let jobs = [job(64, 0, 0..1000), job(64, 1, 0..300)];
        let expected = host(&model, &jobs);
        told.set_memory(64 * 2 * (64 + 2 * 10) * 4 + 2 * 100 * 64 * 4 + 100 * 40 + 4096);
        assert_eq!(counts(on(&[open(0)], &model), Plan { batch: 4096, threads: 1 }, &jobs), expected);
        assert_eq!(told.held(), 0);
    }

    #[test]
    #[ignore = "needs the driver of tests/kernels/driver.cpp"]
    fn an_old_driver_is_refused() {
        let told = Told::new();
        told.set_version(12_090);
        assert_eq!(nvidia::device_count(), 0);
        let error = Nvidia::open(0, KernelSource::Embedded).err().unwrap();
        assert!(error.message().contains("CUDA 12.9") && error.message().contains("580"), "{error}");
        assert_eq!(told.held(), 0);
    }
}
