//! What the sampler takes of the machine: memory, and processor time while idle.
//!
//! Each is measured in a process of its own, which is this test program again: `SMOOTHTOPK_TEST_CHILD` says as what.
#![cfg(target_os = "linux")]

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};
use smoothtopk::model::{Model, ModelOptions};
use smoothtopk::noise::{Grid, Purpose};
use smoothtopk::sampler::{Job, Plan, Sampler};

const CHILD: &str = "SMOOTHTOPK_TEST_CHILD";
const PLAN: Plan = Plan { batch: 2048, threads: 2 };
const SIGMA: f64 = 0.25;

fn model() -> Arc<Model> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("demo/digits_mlp_sigma0.25.onnx");
    Arc::new(Model::open(path, &ModelOptions::default()).unwrap())
}

fn draw(sampler: &Sampler, rows: u64) {
    let input = vec![0.5; sampler.classifier().elements()];
    let job = Job::on_grid(&input, SIGMA, Grid::for_range(1.0, SIGMA).unwrap(), 1, Purpose::Estimate).unwrap();
    let counts = sampler.submit(job.samples(0..rows)).unwrap().wait().complete().unwrap();
    assert_eq!(counts.n(), rows);
}

/// Most bytes of memory that this process has had so far.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().strip_suffix(" kB").unwrap().parse::<u64>().unwrap() * 1024
}

fn processor_time() -> Duration {
    let now = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(now.tv_sec as u64, now.tv_nsec as u32)
}

/// What a child does and prints. Not a test by itself: it does nothing when it is run as one.
#[test]
fn child() {
    let Some(role) = std::env::var_os(CHILD) else { return };
    let role = role.into_string().unwrap();
    let (what, number) = role.split_once(' ').unwrap();
    let number: u64 = number.parse().unwrap();
    let result = match what {
        "sampler" => {
            draw(&Sampler::new(model(), PLAN).unwrap(), number);
            peak()
        }
        "bare" => {
            let model = model();
            std::thread::scope(|scope| {
                for _ in 0..PLAN.threads {
                    let mut runner = model.runner(PLAN.batch).unwrap();
                    runner.rows_mut(PLAN.batch).fill(0.5);
                    let batches = number / (PLAN.batch * PLAN.threads) as u64;
                    scope.spawn(move || (0..batches).for_each(|_| runner.run_bare().unwrap()));
                }
            });
            peak()
        }
        "idle" => {
            let sampler = Sampler::new(model(), PLAN).unwrap();
            draw(&sampler, 10_000);
            let (start, before) = (Instant::now(), processor_time());
            std::thread::sleep(Duration::from_millis(number));
            assert!(start.elapsed() >= Duration::from_millis(number));
            (processor_time() - before).as_micros() as u64
        }
        _ => panic!("no such role: {role}"),
    };
    println!("RESULT {result}");
}

fn run_child(role: &str) -> u64 {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child", "--nocapture", "--test-threads", "1"])
        .env(CHILD, role)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    let result = text.split("RESULT ").nth(1).and_then(|rest| rest.split_whitespace().next()?.parse().ok());
    result.unwrap_or_else(|| panic!("{role}: {text}{errors}"))
}

/// Between two runs of one program, a few pages of the allocator, of stacks and of code differ.
const NOISE_BYTES: u64 = 1 << 20;

#[test]
fn memory_does_not_grow_with_n_and_is_that_of_bare_runs_and_two_batches() {
    let [few, many] = [1_000, 1_000_000].map(|n| run_child(&format!("sampler {n}")));
    // 1,000 rows are less than a batch: the rest of the buffers was never touched, and neither was the runs' own
    // memory. So the job of a million is held against one of twenty batches on each thread; the most of a few, for on a
    // busy machine one thread may have made nearly all of them.
    let some = (0..3).map(|_| run_child(&format!("sampler {}", 40 * PLAN.batch))).max().unwrap();
    assert!(many <= some + NOISE_BYTES, "{some} bytes at 40 batches, {many} at 1,000,000 rows");
    let row = (64 + 10) * size_of::<f32>();
    let batches = 2 * (PLAN.batch * row) as u64;
    let bare = run_child("bare 1000000");
    assert!(many <= bare + batches + NOISE_BYTES, "{many} bytes, {bare} of bare runs, {batches} in two batches");
    assert!(few <= many + NOISE_BYTES, "{few} bytes at 1,000 rows, {many} at 1,000,000");
}

#[test]
fn an_idle_sampler_takes_no_processor_time() {
    let micros = run_child("idle 1000");
    assert!(micros < 20_000, "{micros} us of processor time in an idle second");
}
