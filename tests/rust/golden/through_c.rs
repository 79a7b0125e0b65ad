//! A case through the C ABI.

use smoothtopk::capi::*;

use crate::abi::{Counts, Failed, Model, Options, Request, call, test_model};
use crate::file::{Answer, Case};

pub fn answer(case: &Case) -> Answer {
    let found = if case.task.starts_with("counts_") { from_counts(case) } else { from_model(case) };
    found.unwrap_or_else(|failed| Answer { status: failed.name(), field: failed.field, ..Answer::default() })
}

fn from_counts(case: &Case) -> Result<Answer, Failed> {
    let counts = Counts::new(&case.counts, case.n.unwrap_or(0))?;
    let mut answer = Answer { status: "OK".into(), ..Answer::default() };
    let alpha = case.alpha.unwrap_or(0.001);
    for k in case.k() {
        if case.task == "counts_predict" {
            let (labels, summary) = counts.predict(k, alpha)?;
            assert_eq!(summary.label, labels[0]);
            answer.labels.push(labels);
            answer.abstain.push(summary.abstain);
            answer.p_value.push(summary.p_value);
        } else {
            let label = case.label.unwrap() as usize;
            let slack = case.radius_slack.unwrap_or(0.0);
            let found = counts.certify(label, k, case.sigma.unwrap(), alpha, case.bound_constant(), slack)?;
            assert_eq!((found.label, found.k), (label as i64, k as u64));
            answer.label = Some(found.label);
            answer.radius.push(found.radius);
        }
    }
    Ok(answer)
}

fn request(case: &Case) -> Result<Request, Failed> {
    let request = Request::from(|out, err| unsafe { stk_request_new(case.sigma.unwrap(), out, err) })?;
    let r = request.0;
    if let Some(k) = &case.k {
        call(|err| unsafe { stk_request_set_k(r, k.as_ptr(), k.len(), err) })?;
    }
    if let Some(n) = case.n {
        call(|err| unsafe { stk_request_set_n(r, n, err) })?;
    }
    if let Some(n0) = case.n0 {
        call(|err| unsafe { stk_request_set_n0(r, n0, err) })?;
    }
    if let Some(alpha) = case.alpha {
        call(|err| unsafe { stk_request_set_alpha(r, alpha, err) })?;
    }
    if case.bound.is_some() {
        call(|err| unsafe { stk_request_set_bound(r, case.bound_constant(), err) })?;
    }
    if let Some(seed) = case.seed {
        call(|err| unsafe { stk_request_set_seed(r, seed, err) })?;
    }
    if let Some(key) = case.key {
        call(|err| unsafe { stk_request_set_key(r, key, err) })?;
    }
    if let Some(input_max) = case.input_max {
        call(|err| unsafe { stk_request_set_input_max(r, input_max, err) })?;
    }
    Ok(request)
}

fn from_model(case: &Case) -> Result<Answer, Failed> {
    let options = Options::new(0, 2);
    // Exact models have a fixed batch; others take any.
    let batch = if case.model.as_deref().is_some_and(|name| name.starts_with("fixed_batch")) { 0 } else { 96 };
    call(|err| unsafe { stk_model_options_set_batch(options.0, batch, err) })?;
    if let Some(threshold) = case.threshold {
        call(|err| unsafe { stk_model_options_set_threshold(options.0, threshold, err) })?;
    }
    if let Some(classes) = case.classes {
        call(|err| unsafe { stk_model_options_set_classes(options.0, classes, err) })?;
    }
    let model = Model::open(&test_model(case.model.as_deref().unwrap()), Some(&options))?;
    assert_eq!(model.elements(), case.input.len(), "{}", case.name);
    let request = request(case)?;
    let (result, outcome) = match case.task.as_str() {
        "predict" => model.predict(&request, &case.input),
        "certify" => match case.label {
            None => model.certify(&request, &case.input, None),
            Some(label) => model.certify(&request, &case.input, Some(&[label])),
        },
        other => panic!("{}: task {other}", case.name),
    };
    result?;
    let mut answer = Answer { status: "OK".into(), counts: outcome.counts(0), ..Answer::default() };
    answer.selection = outcome.selection(0);
    for k_index in 0..case.k().len() {
        let summary = outcome.summary(0, k_index);
        assert_eq!((summary.status, summary.k), (STK_STATUS_OK, case.k()[k_index] as u64));
        if case.task == "predict" {
            answer.labels.push(outcome.labels(0, k_index));
            answer.abstain.push(summary.abstain);
            answer.p_value.push(summary.p_value);
        } else {
            assert_eq!(outcome.labels(0, k_index), [summary.label]);
            assert_eq!((summary.certified == 1, summary.abstain == 0), (summary.radius > 0.0, summary.radius > 0.0));
            answer.label = Some(summary.label);
            answer.radius.push(summary.radius);
        }
    }
    Ok(answer)
}
