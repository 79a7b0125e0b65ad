//! What a call through the C ABI costs over the same call of the Rust API: a certificate from counts, a prediction of
//! few rows by a model that costs next to nothing, and a submission that is waited for.

use std::hint::black_box;
use std::path::Path;
use std::ptr::{null, null_mut};
use std::sync::Arc;

use criterion::{Criterion, criterion_group, criterion_main};
use smoothtopk::capi::*;
use smoothtopk::certificate::Query;
use smoothtopk::counts::{Assumed, Counts};
use smoothtopk::model::{Model, ModelOptions};
use smoothtopk::perturbation::Gaussian;
use smoothtopk::sampler::Plan;
use smoothtopk::smoothed::{Control, Request, SmoothedClassifier, Task};

const COUNTS: [u64; 10] = [2, 2, 334, 93642, 2, 5279, 737, 0, 2, 0];
const BATCH: usize = 16;

fn ok(status: stk_status) {
    assert_eq!(status, STK_STATUS_OK);
}

fn counts(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("counts_certify");
    let assumed = Assumed::fixed(Gaussian::new(0.25).expect("sigma"));
    let own = Counts::assuming(COUNTS.to_vec(), None, assumed).expect("counts");
    let query = Query { k: 3, ..Query::of_label(3) };
    group.bench_function("rust", |bencher| {
        bencher.iter(|| black_box(&own).certify(&query).expect("a certificate").radius);
    });
    let (mut counts, mut summary) = (null_mut(), std::mem::MaybeUninit::<stk_summary>::zeroed());
    // SAFETY: as the header says.
    unsafe {
        let noise = c"gaussian:0.25".as_ptr();
        ok(stk_counts_assume(COUNTS.as_ptr(), COUNTS.len(), 0, noise, 0.0, null(), &mut counts, null_mut()));
    }
    let query = stk_query {
        struct_size: size_of::<stk_query>() as u64,
        label: 3,
        k: 3,
        alpha: 0.001,
        allocation: null(),
        uniform: 0.0,
        randomized: 0,
        reserved: 0,
    };
    group.bench_function("c", |bencher| {
        bencher.iter(|| {
            let (out, size) = (summary.as_mut_ptr(), size_of::<stk_summary>());
            // SAFETY: as the header says.
            unsafe {
                ok(stk_counts_certify(black_box(counts), &query, out, size, null_mut()));
                (*out).radius
            }
        });
    });
    // The smallest call that does something: what every call pays.
    group.bench_function("c, an accessor", |bencher| {
        bencher.iter(|| {
            let (mut labels, mut classes) = (null(), 0);
            // SAFETY: as the header says.
            unsafe { ok(stk_counts_labels(black_box(counts), &mut labels, &mut classes, null_mut())) };
            classes
        });
    });
    // SAFETY: made above, freed once.
    unsafe { stk_counts_free(counts) };
    group.finish();
}

fn predict(criterion: &mut Criterion) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/models/linear.onnx");
    let input = [0.25f32; 16];
    let mut group = criterion.benchmark_group("predict, 16 rows of a trivial model");
    let own = Arc::new(Model::open(&path, &ModelOptions::default()).expect("a model"));
    let smoothed = SmoothedClassifier::new(own, Plan { batch: BATCH, threads: 1 }).expect("a plan that runs");
    let request = Request { n: BATCH as u64, ..Request::new(Gaussian::new(0.5).expect("sigma")).seeded(1) };
    group.bench_function("rust", |bencher| {
        bencher.iter(|| {
            let batch = smoothed.submit_batch(black_box(&input), &[Task::Predict], &request, 0, Control::default());
            batch.expect("a batch").wait()
        });
    });
    let (mut options, mut model, mut request) = (null_mut(), null_mut(), null_mut());
    let path = std::ffi::CString::new(path.to_str().expect("UTF-8")).expect("no NUL");
    // SAFETY: as the header says.
    unsafe {
        ok(stk_model_options_new(&mut options, null_mut()));
        ok(stk_model_options_set_batch(options, BATCH, null_mut()));
        ok(stk_model_options_set_threads(options, 1, null_mut()));
        ok(stk_model_open(path.as_ptr(), options, &mut model, null_mut()));
        ok(stk_request_new(c"gaussian:0.5".as_ptr(), &mut request, null_mut()));
        ok(stk_request_set_n(request, BATCH as u64, null_mut()));
        ok(stk_request_set_seed(request, 1, null_mut()));
    }
    group.bench_function("c", |bencher| {
        bencher.iter(|| {
            let mut result = null_mut();
            // SAFETY: as the header says.
            unsafe {
                ok(stk_model_predict(model, request, black_box(input.as_ptr()), 1, &mut result, null_mut()));
                stk_result_free(result);
            }
        });
    });
    group.bench_function("c, as a job", |bencher| {
        bencher.iter(|| {
            let (mut job, mut result) = (null_mut(), null_mut());
            // SAFETY: as the header says.
            unsafe {
                let (x, user) = (black_box(input.as_ptr()), null_mut());
                ok(stk_model_submit_predict(model, request, x, 1, None, user, &mut job, null_mut()));
                ok(stk_job_result(job, &mut result, null_mut()));
                stk_job_free(job);
                stk_result_free(result);
            }
        });
    });
    // SAFETY: made above, freed once.
    unsafe {
        stk_model_free(model);
        stk_request_free(request);
        stk_model_options_free(options);
    }
    group.finish();
}

criterion_group!(benches, counts, predict);
criterion_main!(benches);
