//! A case through the C ABI.

use smoothtopk::capi::*;

use super::file::{Answer, Case};
use crate::abi::{Counts, Failed, Guaranteed, Model, Options, Query, Request, c, call, test_model, text};

pub fn answer(case: &Case) -> Answer {
    let found = if case.task.starts_with("counts_") { from_counts(case) } else { from_model(case) };
    found.unwrap_or_else(|failed| Answer { status: failed.name(), field: failed.field, ..Answer::default() })
}

fn from_counts(case: &Case) -> Result<Answer, Failed> {
    let noise = case.noise_text();
    let cost = case.radius_cost.unwrap_or(0.0);
    let counts = Counts::assume(&case.counts, case.n.unwrap_or(0), &noise, cost, case.ending())?;
    // What a rule says of its last number no bare numbers can state, but their text.
    let counts = match case.ending() {
        Some(ending) if ending.contains(':') => {
            Counts::from_json(&counts.json().replace("\"rule\":null", "\"rule\":\"steps:1\""))?
        }
        _ => counts,
    };
    let pilot = match &case.pilot[..] {
        [] => None,
        pilot => Some(Counts::assume(pilot, 0, &noise, 0.0, None)?),
    };
    let mut answer = Answer { status: "OK".into(), ..Answer::default() };
    let alpha = case.alpha.unwrap_or(0.001);
    for k in case.k() {
        if case.task == "counts_predict" {
            let (labels, summary) = counts.predict(k, alpha)?;
            assert_eq!(summary.label, labels[0]);
            answer.labels.push(labels);
            answer.abstain.push(summary.abstain);
            answer.p_value.push(summary.p_value);
        } else if case.task == "counts_guarantee" {
            let found = counts.guarantee(pilot.as_ref(), k, alpha)?;
            assert_eq!((found.rest.k, found.rest.n0), (k as u64, case.pilot.iter().sum()));
            guaranteed(&mut answer, found);
        } else {
            let label = case.label.unwrap() as u64;
            let mut query = Query::of(label, k as u64).alpha(alpha);
            query.allocation = case.allocation_text().map(c);
            if let Some(uniform) = case.uniform() {
                query = query.by(uniform);
            }
            let found = counts.certify(&query)?;
            assert_eq!((found.label, found.k), (label as i64, k as u64));
            answer.label = Some(found.label);
            answer.radius.push(found.radius);
        }
    }
    Ok(answer)
}

/// What is guaranteed for one k.
fn guaranteed(answer: &mut Answer, found: Guaranteed) {
    answer.labels.push(found.labels);
    answer.label_radii.push(found.label_radii);
    answer.kept_radii.push(found.kept_radii);
    answer.radius.push(found.rest.set_radius);
    answer.first_radius.push(found.rest.first_radius);
    answer.ranking_radius.push(found.rest.ranking_radius);
}

fn request(case: &Case) -> Result<Request, Failed> {
    let noise = c(&case.noise_text());
    let request = Request::from(|out, err| unsafe { stk_request_new(noise.as_ptr(), out, err) })?;
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
    if let Some(rule) = &case.rule {
        call(|err| unsafe { stk_request_set_rule(r, c(rule).as_ptr(), err) })?;
    }
    if case.randomized {
        call(|err| unsafe { stk_request_set_randomized(r, true, err) })?;
    }
    if let Some(allocation) = case.allocation_text() {
        call(|err| unsafe { stk_request_set_allocation(r, c(allocation).as_ptr(), err) })?;
    }
    if let Some(levels) = case.levels {
        call(|err| unsafe { stk_request_set_noise_exact(r, levels, err) })?;
    }
    if let Some(key) = &case.chacha12 {
        call(|err| unsafe { stk_request_set_chacha12(r, key.as_ptr(), err) })?;
    }
    if let Some(seed) = case.seed {
        call(|err| unsafe { stk_request_set_seed(r, seed, err) })?;
    }
    if let Some(key) = case.key {
        call(|err| unsafe { stk_request_set_stream(r, key, err) })?;
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
        "certify_answer" => model.certify_answer(&request, &case.input),
        other => panic!("{}: task {other}", case.name),
    };
    result?;
    let mut answer = Answer { status: "OK".into(), counts: outcome.counts(0), ..Answer::default() };
    answer.selection = outcome.selection(0);
    for k_index in 0..case.k().len() {
        let summary = outcome.summary(0, k_index);
        assert_eq!((summary.status, summary.k), (STK_STATUS_OK, case.k()[k_index] as u64));
        assert_eq!((summary.early_stop, summary.levels), (STK_STATUS_OK, case.levels.unwrap_or(0)));
        assert_eq!(summary.uniform > 0.0, case.randomized, "{}", case.name);
        if case.decides() {
            answer.decision.push(text(stk_decision_name(summary.decision)));
            answer.rows.push(summary.n_certified);
        } else {
            assert_eq!((summary.decision, summary.n_certified), (STK_DECISION_COMPLETE, summary.n));
        }
        if case.spends() {
            answer.allocation.push(outcome.allocation(0, k_index));
        }
        if case.levels.is_some() {
            answer.alpha_left = Some(summary.alpha_left);
        } else {
            assert_eq!(summary.alpha_left, summary.alpha);
        }
        if case.task == "predict" {
            answer.labels.push(outcome.labels(0, k_index));
            answer.abstain.push(summary.abstain);
            answer.p_value.push(summary.p_value);
        } else if case.task == "certify_answer" {
            let found = outcome.guarantee(0, k_index).unwrap();
            assert_eq!((found.set_radius, found.n, found.n0), (summary.radius, summary.n, summary.n0));
            let (label_radii, kept_radii) = (outcome.label_radii(0, k_index), outcome.kept_radii(0, k_index));
            let labels = outcome.labels(0, k_index);
            guaranteed(&mut answer, Guaranteed { labels, label_radii, kept_radii, rest: found });
        } else {
            assert_eq!(outcome.labels(0, k_index), [summary.label]);
            assert_eq!((summary.certified == 1, summary.abstain == 0), (summary.radius > 0.0, summary.radius > 0.0));
            answer.label = Some(summary.label);
            answer.radius.push(summary.radius);
            // Every certificate follows from its counts alone, with what they know of themselves.
            let mut query = Query::of(summary.label as u64, summary.k).alpha(summary.alpha);
            query.allocation = Some(c(&outcome.allocation(0, k_index)));
            query.randomized = if case.randomized { STK_RANDOMIZED_FROM_SEED } else { STK_RANDOMIZED_NO };
            let again = outcome.drawn_of_k(0, k_index).certify(&query)?;
            assert_eq!(again.radius.to_bits(), summary.radius.to_bits(), "{}", case.name);
        }
    }
    Ok(answer)
}
