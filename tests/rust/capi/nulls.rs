//! NULL: an error that names the parameter where a pointer is required, a stated answer where it is not.

use std::ptr::{null, null_mut};

use smoothtopk::capi::*;

use crate::abi::{self, Cancel, Counts, Model, Options, Request, call, empty_summary, text};

fn refused(parameter: &str, run: impl FnOnce(*mut *mut stk_error) -> stk_status) {
    let failed = call(run).expect_err(parameter);
    assert_eq!((failed.status, failed.field.as_str()), (STK_STATUS_INVALID_ARGUMENT, parameter), "{failed:?}");
    assert!(failed.message.contains("NULL"), "{failed:?}");
}

#[test]
fn required_pointers_are_named_when_they_are_null() {
    let counts = Counts::new(&[5, 90, 5], 0).unwrap();
    let (request, options) = (Request::new(0.5), Options::new(8, 1));
    let model = Model::test("linear.onnx", 8, 1);
    let token = Cancel::from(|out, err| unsafe { stk_cancel_new(out, err) }).unwrap();
    let input = crate::capi::linear_input();
    let (_, outcome) = model.predict(&Request::of(0.5, 10, 1), &input);
    let job = abi::Job::from(|out, err| unsafe {
        stk_model_submit_predict(model.0, Request::of(0.5, 10, 1).0, input.as_ptr(), 1, None, null_mut(), out, err)
    })
    .unwrap();
    let mut summary = empty_summary();
    let size = size_of::<stk_summary>();
    let (mut data, mut ints, mut dims, mut len, mut flag) = (null(), null(), null(), 0, false);
    let mut json = null();
    let (path, name) = (c"x", c"y");
    let (x, out_summary) = (input.as_ptr(), &raw mut summary);
    let (mut result, mut a_job, mut a_model, mut a_counts) = (null_mut(), null_mut(), null_mut(), null_mut());
    let (mut a_request, query) = (null_mut(), abi::Query::of(1, 1).raw());
    unsafe {
        let noise = c"gaussian:0.5".as_ptr();
        refused("out", |err| stk_counts_assume([1u64].as_ptr(), 1, 0, noise, 0.0, null(), null_mut(), err));
        refused("labels", |err| stk_counts_assume(null(), 1, 0, noise, 0.0, null(), &mut a_counts, err));
        refused("noise", |err| stk_counts_assume([1u64].as_ptr(), 1, 0, null(), 0.0, null(), &mut a_counts, err));
        refused("counts", |err| stk_counts_clone(null(), &mut a_counts, err));
        refused("out", |err| stk_counts_clone(counts.0, null_mut(), err));
        for get in [stk_counts_json, stk_counts_json_with_secret] {
            refused("counts", |err| get(null(), &mut json, err));
            refused("json", |err| get(counts.0, null_mut(), err));
        }
        refused("counts", |err| stk_counts_assumptions(null(), &mut json, err));
        refused("text", |err| stk_counts_assumptions(counts.0, null_mut(), err));
        refused("json", |err| stk_counts_from_json(null(), &mut a_counts, err));
        refused("out", |err| stk_counts_from_json(c"{}".as_ptr(), null_mut(), err));
        refused("counts", |err| stk_counts_add(null_mut(), counts.0, err));
        refused("other", |err| stk_counts_add(counts.0, null(), err));
        refused("counts", |err| stk_counts_labels(null(), &mut data, &mut len, err));
        refused("labels", |err| stk_counts_labels(counts.0, null_mut(), &mut len, err));
        refused("classes", |err| stk_counts_labels(counts.0, &mut data, null_mut(), err));
        refused("counts", |err| stk_counts_certify(null(), &query, out_summary, size, err));
        refused("query", |err| stk_counts_certify(counts.0, null(), out_summary, size, err));
        refused("out", |err| stk_counts_certify(counts.0, &query, null_mut(), size, err));
        let (set, mut radii) = ([0_i64], [0.0]);
        let of_set = |counts, set, radii, err| stk_counts_certify_labels(counts, set, 1, 1, 0.1, null(), radii, err);
        refused("counts", |err| of_set(null(), set.as_ptr(), radii.as_mut_ptr(), err));
        refused("labels", |err| of_set(counts.0, null(), radii.as_mut_ptr(), err));
        refused("radii", |err| of_set(counts.0, set.as_ptr(), null_mut(), err));
        refused("counts", |err| stk_counts_predict(null(), 1, 0.1, null_mut(), out_summary, size, err));
        refused("out", |err| stk_counts_predict(counts.0, 1, 0.1, null_mut(), null_mut(), size, err));

        let (mut guarantee, room) = (abi::empty_guarantee(), size_of::<stk_guarantee>());
        let (ints_out, radii_out) = (null_mut(), null_mut());
        refused("counts", |err| {
            let out = &raw mut guarantee;
            stk_counts_guarantee(null(), null(), 1, 0.1, ints_out, radii_out, radii_out, out, room, err)
        });
        refused("out", |err| {
            let out = null_mut();
            stk_counts_guarantee(counts.0, null(), 1, 0.1, ints_out, radii_out, radii_out, out, room, err)
        });
        refused("result", |err| stk_result_guarantee(null(), 0, 0, &mut guarantee, room, err));
        refused("out", |err| stk_result_guarantee(outcome.0, 0, 0, null_mut(), room, err));
        let (mut radii, mut allocation) = (null(), null());
        refused("result", |err| stk_result_label_radii(null(), 0, 0, &mut radii, &mut len, err));
        refused("radii", |err| stk_result_label_radii(outcome.0, 0, 0, null_mut(), &mut len, err));
        refused("len", |err| stk_result_label_radii(outcome.0, 0, 0, &mut radii, null_mut(), err));
        refused("result", |err| stk_result_kept_radii(null(), 0, 0, &mut radii, &mut len, err));
        refused("radii", |err| stk_result_kept_radii(outcome.0, 0, 0, null_mut(), &mut len, err));
        refused("len", |err| stk_result_kept_radii(outcome.0, 0, 0, &mut radii, null_mut(), err));
        refused("result", |err| stk_result_allocation(null(), 0, 0, &mut allocation, err));
        refused("allocation", |err| stk_result_allocation(outcome.0, 0, 0, null_mut(), err));

        let (mut budget, mut alpha, mut text) = (null_mut(), 0.0, [0; STK_BUDGET_TEXT_SIZE]);
        refused("schedule", |err| stk_budget_new(0.1, null(), &mut budget, err));
        refused("out", |err| stk_budget_new(0.1, c"slow".as_ptr(), null_mut(), err));
        refused("text", |err| stk_budget_open(null(), &mut budget, err));
        refused("out", |err| stk_budget_open(c"{}".as_ptr(), null_mut(), err));
        assert!(budget.is_null());
        let held = abi::Budget::from(|out, err| stk_budget_new(0.1, c"slow".as_ptr(), out, err)).unwrap();
        refused("budget", |err| stk_budget_save(null(), text.as_mut_ptr(), text.len(), err));
        refused("text", |err| stk_budget_save(held.0, null_mut(), STK_BUDGET_TEXT_SIZE, err));
        refused("budget", |err| stk_budget_draw(null(), 1, &mut alpha, null_mut(), err));
        refused("alphas", |err| stk_budget_draw(held.0, 1, null_mut(), null_mut(), err));
        refused("budget", |err| stk_budget_draw_of(null(), 0.1, null_mut(), err));
        assert_eq!(stk_budget_drawn(held.0), 0);

        refused("out", |err| stk_cancel_new(null_mut(), err));
        refused("noise", |err| stk_request_new(null(), &mut a_request, err));
        refused("out", |err| stk_request_new(noise, null_mut(), err));
        let mut a_request = null_mut();
        refused("request", |err| stk_request_clone(null(), &mut a_request, err));
        refused("out", |err| stk_request_clone(request.0, null_mut(), err));
        refused("request", |err| stk_request_set_noise(null_mut(), noise, err));
        refused("noise", |err| stk_request_set_noise(request.0, null(), err));
        refused("request", |err| stk_request_set_k(null_mut(), [1usize].as_ptr(), 1, err));
        refused("k", |err| stk_request_set_k(request.0, null(), 1, err));
        refused("request", |err| stk_request_set_n(null_mut(), 1, err));
        refused("request", |err| stk_request_set_n0(null_mut(), 1, err));
        refused("request", |err| stk_request_set_alpha(null_mut(), 0.1, err));
        refused("request", |err| stk_request_set_rule(null_mut(), c"fixed".as_ptr(), err));
        refused("rule", |err| stk_request_set_rule(request.0, null(), err));
        refused("request", |err| stk_request_set_allocation(null_mut(), c"auto".as_ptr(), err));
        refused("allocation", |err| stk_request_set_allocation(request.0, null(), err));
        refused("request", |err| stk_request_set_noise_exact(null_mut(), 255, err));
        refused("request", |err| stk_request_set_chacha12(null_mut(), null(), err));
        refused("request", |err| stk_request_set_seed(null_mut(), 0, err));
        refused("request", |err| stk_request_set_stream(null_mut(), 0, err));
        refused("request", |err| stk_request_set_input_max(null_mut(), 1.0, err));
        refused("request", |err| stk_request_set_timeout_ms(null_mut(), 1, err));
        refused("request", |err| stk_request_set_cancel(null_mut(), token.0, err));
        refused("request", |err| stk_request_set_progress(null_mut(), None, null_mut(), err));

        refused("out", |err| stk_model_options_new(null_mut(), err));
        refused("options", |err| stk_model_options_set_provider(null_mut(), c"cpu".as_ptr(), err));
        refused("provider", |err| stk_model_options_set_provider(options.0, null(), err));
        refused("options", |err| stk_model_options_set_provider_option(null_mut(), name.as_ptr(), name.as_ptr(), err));
        refused("key", |err| stk_model_options_set_provider_option(options.0, null(), name.as_ptr(), err));
        refused("value", |err| stk_model_options_set_provider_option(options.0, name.as_ptr(), null(), err));
        refused("path", |err| stk_model_options_set_provider_library(options.0, null(), err));
        refused("options", |err| stk_model_options_add_custom_ops(null_mut(), name.as_ptr(), err));
        refused("path", |err| stk_model_options_add_custom_ops(options.0, null(), err));
        refused("options", |err| stk_model_options_set_threads(null_mut(), 1, err));
        refused("options", |err| stk_model_options_set_batch(null_mut(), 1, err));
        refused("options", |err| stk_model_options_set_memory_limit(null_mut(), 1, err));
        refused("options", |err| stk_model_options_set_max_jobs(null_mut(), 1, err));
        refused("options", |err| stk_model_options_set_max_input_bytes(null_mut(), 1, err));
        refused("options", |err| stk_model_options_set_input(null_mut(), name.as_ptr(), err));
        refused("name", |err| stk_model_options_set_input(options.0, null(), err));
        refused("options", |err| stk_model_options_set_input_shape(null_mut(), [1usize].as_ptr(), 1, err));
        refused("dims", |err| stk_model_options_set_input_shape(options.0, null(), 1, err));
        refused("options", |err| stk_model_options_set_output(null_mut(), name.as_ptr(), err));
        refused("name", |err| stk_model_options_set_output(options.0, null(), err));
        refused("options", |err| stk_model_options_set_classes(null_mut(), 2, err));
        refused("options", |err| stk_model_options_set_threshold(null_mut(), 0.0, err));
        refused("options", |err| stk_model_options_set_base_k(null_mut(), 2, err));
        refused("options", |err| stk_model_options_set_normalization(null_mut(), null(), 0, null(), 0, err));
        refused("mean", |err| stk_model_options_set_normalization(options.0, null(), 1, null(), 0, err));
        refused("std_dev", |err| stk_model_options_set_normalization(options.0, null(), 0, null(), 1, err));
        refused("options", |err| stk_model_options_set_constant(null_mut(), name.as_ptr(), [1.0].as_ptr(), 1, err));
        refused("name", |err| stk_model_options_set_constant(options.0, null(), [1.0].as_ptr(), 1, err));
        refused("values", |err| stk_model_options_set_constant(options.0, name.as_ptr(), null(), 1, err));

        refused("path", |err| stk_model_open(null(), null(), &mut a_model, err));
        refused("out", |err| stk_model_open(path.as_ptr(), null(), null_mut(), err));
        refused("bytes", |err| stk_model_open_memory(null(), 0, null(), &mut a_model, err));
        refused("out", |err| stk_model_open_memory(c"x".as_ptr().cast(), 1, null(), null_mut(), err));
        let mut stats = stk_stats::default();
        refused("model", |err| stk_model_stats(null(), &mut stats, size_of::<stk_stats>(), err));
        refused("out", |err| stk_model_stats(model.0, null_mut(), size_of::<stk_stats>(), err));
        refused("model", |err| stk_model_shape(null(), &mut dims, &mut len, err));
        refused("dims", |err| stk_model_shape(model.0, null_mut(), &mut len, err));
        refused("len", |err| stk_model_shape(model.0, &mut dims, null_mut(), err));
        refused("model", |err| stk_model_predict(null(), request.0, x, 1, &mut result, err));
        refused("request", |err| stk_model_predict(model.0, null(), x, 1, &mut result, err));
        refused("inputs", |err| stk_model_predict(model.0, request.0, null(), 1, &mut result, err));
        refused("out", |err| stk_model_predict(model.0, request.0, x, 1, null_mut(), err));
        refused("model", |err| stk_model_certify(null(), request.0, x, 1, null(), &mut result, err));
        refused("request", |err| stk_model_certify(model.0, null(), x, 1, null(), &mut result, err));
        refused("inputs", |err| stk_model_certify(model.0, request.0, null(), 1, null(), &mut result, err));
        refused("out", |err| stk_model_certify(model.0, request.0, x, 1, null(), null_mut(), err));
        refused("model", |err| stk_model_certify_answer(null(), request.0, x, 1, &mut result, err));
        refused("request", |err| stk_model_certify_answer(model.0, null(), x, 1, &mut result, err));
        refused("inputs", |err| stk_model_certify_answer(model.0, request.0, null(), 1, &mut result, err));
        refused("out", |err| stk_model_certify_answer(model.0, request.0, x, 1, null_mut(), err));
        refused("model", |err| stk_model_sample(null(), request.0, x, 0, 1, &mut a_counts, err));
        refused("request", |err| stk_model_sample(model.0, null(), x, 0, 1, &mut a_counts, err));
        refused("input", |err| stk_model_sample(model.0, request.0, null(), 0, 1, &mut a_counts, err));
        refused("out", |err| stk_model_sample(model.0, request.0, x, 0, 1, null_mut(), err));
        let (none, user) = (None, null_mut());
        refused("model", |err| stk_model_submit_predict(null(), request.0, x, 1, none, user, &mut a_job, err));
        refused("request", |err| stk_model_submit_predict(model.0, null(), x, 1, none, user, &mut a_job, err));
        refused("inputs", |err| stk_model_submit_predict(model.0, request.0, null(), 1, none, user, &mut a_job, err));
        refused("out", |err| stk_model_submit_predict(model.0, request.0, x, 1, none, user, null_mut(), err));
        refused("model", |err| stk_model_submit_certify(null(), request.0, x, 1, null(), none, user, &mut a_job, err));
        refused("request", |err| stk_model_submit_certify(model.0, null(), x, 1, null(), none, user, &mut a_job, err));
        refused("inputs", |err| {
            stk_model_submit_certify(model.0, request.0, null(), 1, null(), none, user, &mut a_job, err)
        });
        refused("out", |err| stk_model_submit_certify(model.0, request.0, x, 1, null(), none, user, null_mut(), err));
        refused("model", |err| stk_model_submit_certify_answer(null(), request.0, x, 1, none, user, &mut a_job, err));
        refused("request", |err| stk_model_submit_certify_answer(model.0, null(), x, 1, none, user, &mut a_job, err));
        refused("inputs", |err| {
            stk_model_submit_certify_answer(model.0, request.0, null(), 1, none, user, &mut a_job, err)
        });
        refused("out", |err| stk_model_submit_certify_answer(model.0, request.0, x, 1, none, user, null_mut(), err));

        refused("job", |err| stk_job_wait(null(), 0, &mut flag, err));
        refused("done", |err| stk_job_wait(job.0, 0, null_mut(), err));
        refused("job", |err| stk_job_result(null_mut(), &mut result, err));
        refused("out", |err| stk_job_result(job.0, null_mut(), err));

        refused("result", |err| stk_result_summary(null(), 0, 0, out_summary, size, err));
        refused("out", |err| stk_result_summary(outcome.0, 0, 0, null_mut(), size, err));
        refused("result", |err| stk_result_labels(null(), 0, 0, &mut ints, &mut len, err));
        refused("labels", |err| stk_result_labels(outcome.0, 0, 0, null_mut(), &mut len, err));
        refused("len", |err| stk_result_labels(outcome.0, 0, 0, &mut ints, null_mut(), err));
        refused("result", |err| stk_result_counts(null(), 0, &mut a_counts, err));
        refused("out", |err| stk_result_counts(outcome.0, 0, null_mut(), err));
        refused("result", |err| stk_result_counts_of_k(null(), 0, 0, &mut a_counts, err));
        refused("out", |err| stk_result_counts_of_k(outcome.0, 0, 0, null_mut(), err));
        refused("result", |err| stk_result_selection(null(), 0, &mut a_counts, err));
        refused("out", |err| stk_result_selection(outcome.0, 0, null_mut(), err));
        for get in [stk_result_json, stk_result_json_with_secret] {
            refused("result", |err| get(null(), 0, &mut json, err));
            refused("json", |err| get(outcome.0, 0, null_mut(), err));
        }

        refused("ort_api_base", |err| stk_runtime_use_api_base(null(), err));
        refused("out", |err| stk_runtime_version(null_mut(), err));
        refused("out", |err| stk_runtime_path(null_mut(), err));
        refused("provider", |err| stk_runtime_check_provider(null(), err));
    }
    assert!(result.is_null() && a_job.is_null() && a_model.is_null() && a_counts.is_null() && a_request.is_null());
    // `out` was missing before the result was taken: it is still there.
    assert!(abi::Outcome::from(|out, err| unsafe { stk_job_result(job.0, out, err) }).is_ok());
}

#[test]
fn null_is_answered_where_it_may_be_given() {
    unsafe {
        stk_error_free(null_mut());
        stk_model_options_free(null_mut());
        stk_model_free(null_mut());
        stk_request_free(null_mut());
        stk_cancel_free(null_mut());
        stk_job_free(null_mut());
        stk_result_free(null_mut());
        stk_counts_free(null_mut());
        stk_budget_free(null_mut());
        assert_eq!((stk_budget_total(null()), stk_budget_spent(null()), stk_budget_left(null())), (0.0, 0.0, 0.0));
        assert_eq!(stk_budget_drawn(null()), 0);
        stk_cancel_set(null());
        stk_job_cancel(null());
        assert!(!stk_cancel_is_set(null()) && !stk_job_is_done(null()));
        assert_eq!((stk_job_samples_done(null()), stk_job_samples_total(null()), stk_counts_n(null())), (0, 0, 0));
        assert_eq!(stk_counts_invalid(null()), 0);
        assert_eq!((stk_model_elements(null()), stk_model_classes(null())), (0, 0));
        assert_eq!((stk_model_batch(null()), stk_model_threads(null())), (0, 0));
        assert_eq!((stk_result_len(null()), stk_result_k_len(null())), (0, 0));
        assert_eq!(stk_error_status(null()), STK_STATUS_OK);
        for empty in [
            stk_error_message(null()),
            stk_error_field(null()),
            stk_model_sha256(null()),
            stk_model_provider(null()),
            stk_model_signature_json(null()),
        ] {
            assert_eq!(text(empty), "");
        }
    }
}

#[test]
fn a_failure_needs_no_place_for_its_error() {
    let mut counts = null_mut();
    // SAFETY: NULL for `err` is allowed.
    unsafe {
        assert_eq!(stk_counts_from_json(null(), &mut counts, null_mut()), STK_STATUS_INVALID_ARGUMENT);
    }
    assert!(counts.is_null());
}
