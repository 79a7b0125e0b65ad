//! Calls on the model, its jobs and their results.

use super::*;

pub(super) unsafe fn of_models(c: &mut Choices<'_>, pools: &mut Pools) {
    let at = if pools.requests.is_empty() { 0 } else { c.below(pools.requests.len()) };
    let request = pools.requests.get(at).copied().unwrap_or(null_mut());
    let (n, n0) = pools.rows.get(at).copied().unwrap_or_default();
    let few = n <= 1000 && n0 <= 1000;
    let mut inputs = [0.25f32; 48];
    inputs[c.below(48)] = c.float() as f32;
    let inputs = if c.byte() < 250 { inputs.as_ptr() } else { null() };
    let count = c.below(4);
    let labels = [c.of(&[-1i64, 0, 1, 2, 3, -2, i64::MAX]), c.of(&[-1, 0, 1, 2]), 1];
    let labels = if c.byte() < 128 { labels.as_ptr() } else { null() };
    let model = if c.byte() < 250 { model() } else { null() };
    let callback: stk_done_callback = Some(done);
    let choice = c.below(8);
    if choice < 3 || choice == 6 {
        // Jobs are served in their order: a blocking call behind an endless one would wait for it.
        // SAFETY: live jobs.
        pools.jobs.iter().for_each(|&job| unsafe { stk_job_cancel(job) });
    }
    // SAFETY: by contract of the caller.
    unsafe {
        match choice {
            0 if few => {
                let status =
                    give(c, &mut pools.results, |out, err| stk_model_predict(model, request, inputs, count, out, err));
                ANSWERED.fetch_add(usize::from(status == STK_STATUS_OK), Ordering::SeqCst);
            }
            1 if few => {
                give(c, &mut pools.results, |out, err| {
                    stk_model_certify(model, request, inputs, count, labels, out, err)
                });
            }
            6 if few => {
                give(c, &mut pools.results, |out, err| {
                    stk_model_certify_answer(model, request, inputs, count, out, err)
                });
            }
            7 => {
                let status = give(c, &mut pools.jobs, |out, err| {
                    stk_model_submit_certify_answer(model, request, inputs, count, callback, null_mut(), out, err)
                });
                SUBMITTED.fetch_add(usize::from(status == STK_STATUS_OK), Ordering::SeqCst);
            }
            2 => {
                let (first, samples) = (c.integer(), c.of(&[1, 10, 300, 0]));
                give(c, &mut pools.counts, |out, err| {
                    stk_model_sample(model, request, inputs, first, samples, out, err)
                });
            }
            3 => {
                let status = give(c, &mut pools.jobs, |out, err| {
                    stk_model_submit_predict(model, request, inputs, count, callback, null_mut(), out, err)
                });
                SUBMITTED.fetch_add(usize::from(status == STK_STATUS_OK), Ordering::SeqCst);
            }
            4 => {
                let status = give(c, &mut pools.jobs, |out, err| {
                    stk_model_submit_certify(model, request, inputs, count, labels, callback, null_mut(), out, err)
                });
                SUBMITTED.fetch_add(usize::from(status == STK_STATUS_OK), Ordering::SeqCst);
            }
            _ => {
                let (mut dims, mut len) = (null(), 0);
                run(c, |err| stk_model_shape(model, &mut dims, &mut len, err));
                assert!(len == 0 || *dims == 16);
                assert!(stk_model_elements(model) <= 16 && stk_model_classes(model) <= 3);
                assert!(!stk_model_sha256(model).is_null() && !stk_model_signature_json(model).is_null());
            }
        }
    }
}

pub(super) unsafe fn of_jobs(c: &mut Choices<'_>, pools: &mut Pools) {
    let (job, input) = (c.handle(&pools.jobs), c.index());
    // SAFETY: by contract of the caller.
    unsafe {
        match c.below(8) {
            0 => {
                assert!(stk_job_samples_done(job) <= stk_job_samples_total(job));
                stk_job_is_done(job);
            }
            1 => stk_job_cancel(job),
            2 | 3 => {
                let mut ended = false;
                run(c, |err| stk_job_wait(job, 1, &mut ended, err));
                // The result is waited for only where that ends.
                if !ended {
                    stk_job_cancel(job);
                }
                give(c, &mut pools.results, |out, err| stk_job_result(job, out, err));
            }
            4 if stk_job_item_is_done(job, input) => {
                assert!(input < stk_job_len(job));
                give(c, &mut pools.results, |out, err| stk_job_item_result(job, input, out, err));
            }
            5 => {
                give(c, &mut pools.counts, |out, err| stk_job_item_counts(job, input, out, err));
                let (mut latest, mut look) = (null_mut(), 0);
                run(c, |err| stk_job_item_latest(job, input, 0, 1, &mut latest, &mut look, err));
                pools.results.extend((!latest.is_null()).then_some(latest));
            }
            _ => {
                if let Some(job) = pools.jobs.pop() {
                    stk_job_free(job);
                }
            }
        }
    }
}

pub(super) unsafe fn of_results(c: &mut Choices<'_>, pools: &mut Pools) {
    let result = c.handle(&pools.results);
    let (input, k_index) = (c.index(), c.index());
    let (mut labels, mut len, mut json) = (null(), 0, null());
    let mut summary = std::mem::MaybeUninit::<[u64; 32]>::uninit();
    let size = c.of(&[144, 192, 8, 100, 256, 0]);
    // SAFETY: by contract of the caller.
    unsafe {
        match c.below(8) {
            6 => {
                let out = summary.as_mut_ptr().cast();
                run(c, |err| stk_result_guarantee(result, input, k_index, out, size, err));
                let (mut radii, mut len) = (null(), 0);
                run(c, |err| stk_result_label_radii(result, input, k_index, &mut radii, &mut len, err));
                run(c, |err| stk_result_kept_radii(result, input, k_index, &mut radii, &mut len, err));
                assert!(len == 0 || *radii >= 0.0);
            }
            7 => {
                let mut allocation = null();
                run(c, |err| stk_result_allocation(result, input, k_index, &mut allocation, err));
            }
            0 => {
                let out = summary.as_mut_ptr().cast();
                run(c, |err| stk_result_summary(result, input, k_index, out, size, err));
            }
            1 => {
                run(c, |err| stk_result_labels(result, input, k_index, &mut labels, &mut len, err));
            }
            2 => {
                let of_k = c.byte() < 128;
                give(c, &mut pools.counts, |out, err| match of_k {
                    true => stk_result_counts_of_k(result, input, k_index, out, err),
                    false => stk_result_counts(result, input, out, err),
                });
            }
            3 => {
                let mut selection = null_mut();
                run(c, |err| stk_result_selection(result, input, &mut selection, err));
                if !selection.is_null() {
                    pools.counts.push(selection);
                }
            }
            4 => {
                let write = if c.byte() < 128 { stk_result_json } else { stk_result_json_with_secret };
                if run(c, |err| write(result, input, &mut json, err)) == STK_STATUS_OK {
                    assert_eq!(*json.cast::<u8>(), b'{');
                }
            }
            _ => {
                if let Some(result) = pools.results.pop() {
                    stk_result_free(result);
                }
            }
        }
    }
}
