//! Guarantees for the answer that is returned: from a model and from its counts the same.

use std::ptr::{null, null_mut};

use smoothtopk::capi::*;

use crate::abi::{Counts, Job, Model, Outcome, Request, call, empty_guarantee, give};

fn request(n0: u64) -> Request {
    let request = Request::of(0.5, 3000, 5);
    call(|err| unsafe { stk_request_set_n0(request.0, n0, err) }).unwrap();
    call(|err| unsafe { stk_request_set_k(request.0, [2usize, 1].as_ptr(), 2, err) }).unwrap();
    request
}

fn bits(radii: &[f64]) -> Vec<u64> {
    radii.iter().map(|radius| radius.to_bits()).collect()
}

#[test]
fn a_models_guarantees_are_those_of_its_counts() {
    let model = Model::test("linear.onnx", 16, 2);
    for n0 in [0, 200] {
        let request = request(n0);
        let (result, outcome) = model.certify_answer(&request, &crate::capi::linear_input());
        result.unwrap();
        let counts = Counts::new(&outcome.counts(0), 3000).unwrap();
        let selection = outcome.selection(0);
        assert_eq!(selection.iter().sum::<u64>(), n0);
        let pilot = (n0 > 0).then(|| Counts::new(&selection, 0).unwrap());
        for (k_index, k) in [2usize, 1].into_iter().enumerate() {
            let (summary, found) = (outcome.summary(0, k_index), outcome.guarantee(0, k_index).unwrap());
            let again = counts.guarantee(pilot.as_ref(), k, 0.5, 0.001, summary.radius_slack).unwrap();
            let (labels, kept) = (again.labels, again.kept_radii);
            assert_eq!(found, again.rest);
            assert_eq!((found.struct_size, found.k, found.n, found.n0), (80, k as u64, 3000, n0));
            assert_eq!(outcome.labels(0, k_index), labels);
            assert_eq!(bits(&outcome.label_radii(0, k_index)), bits(&again.label_radii));
            assert_eq!(bits(&outcome.kept_radii(0, k_index)), bits(&kept));
            assert_eq!((summary.label, summary.k, summary.n0), (labels[0], k as u64, n0));
            assert_eq!(summary.radius.to_bits(), found.set_radius.to_bits());
            assert_eq!((summary.decision, summary.n_certified), (STK_DECISION_COMPLETE, 3000));
            assert_eq!(outcome.validity(0, k_index), "fixed");
            let json = &outcome.json(0);
            assert_eq!(json["task"], "certify_answer");
            assert_eq!(json["label_source"], if n0 > 0 { "selected" } else { "same counts" });
            let guarantee = &json["guarantees"][k_index];
            assert_eq!(guarantee["first_radius"].as_f64().unwrap().to_bits(), found.first_radius.to_bits());
            assert_eq!(guarantee["ranking_radius"].as_f64().unwrap().to_bits(), found.ranking_radius.to_bits());
            // With three labels one of two always stays.
            assert_eq!(kept[0].is_infinite(), k == 2);
            assert_eq!(guarantee["kept_radii"][0].is_null(), k == 2);
        }
        assert!(outcome.guarantee(0, 1).unwrap().set_radius > 0.0);
        let failed = outcome.guarantee(0, 2).unwrap_err();
        assert_eq!((failed.status, failed.field.as_str()), (STK_STATUS_INVALID_ARGUMENT, "k_index"));
        let (_, mut job) = give(|out, err| unsafe {
            let x = crate::capi::linear_input();
            stk_model_submit_certify_answer(model.0, request.0, x.as_ptr(), 1, None, null_mut(), out, err)
        });
        let job = Job(std::mem::replace(&mut job, null_mut()));
        let (result, submitted) = give(|out, err| unsafe { stk_job_result(job.0, out, err) });
        result.unwrap();
        assert_eq!(Outcome(submitted).guarantee(0, 0), outcome.guarantee(0, 0));
    }
}

#[test]
fn a_rule_ends_the_rows_of_an_answer() {
    let model = Model::test("linear.onnx", 16, 2);
    let mut earlier = 0;
    for (seed, rule) in (0..10).flat_map(|seed| ["radius:0.2", "tolerance:0.1sigma"].map(|rule| (seed, rule))) {
        let request = Request::of(0.5, 100_000, seed);
        call(|err| unsafe { stk_request_set_k(request.0, [2usize, 1].as_ptr(), 2, err) }).unwrap();
        call(|err| unsafe { stk_request_set_rule(request.0, crate::abi::c(rule).as_ptr(), err) }).unwrap();
        let (result, outcome) = model.certify_answer(&request, &crate::capi::linear_input());
        result.unwrap();
        let json = outcome.json(0);
        let pilot = Counts::new(&outcome.selection(0), 0).unwrap();
        for (k_index, k) in [2usize, 1].into_iter().enumerate() {
            let (summary, found) = (outcome.summary(0, k_index), outcome.guarantee(0, k_index).unwrap());
            assert!(summary.n_certified <= summary.n && summary.n <= summary.samples_drawn && summary.n <= 100_000);
            assert!(
                [STK_DECISION_CERTIFIED, STK_DECISION_REFUTED, STK_DECISION_REACHED, STK_DECISION_UNDECIDED]
                    .contains(&summary.decision)
            );
            assert_eq!(summary.decision == STK_DECISION_CERTIFIED, rule == "radius:0.2" && found.set_radius >= 0.2);
            assert_eq!((outcome.validity(0, k_index).as_str(), &json["validity"]), ("anytime", &"anytime".into()));
            let entry = &json["guarantees"][k_index];
            assert_eq!(entry["decision"], crate::abi::text(stk_decision_name(summary.decision)));
            assert_eq!(entry["rows"].as_u64(), Some(summary.n_certified));
            let (rows, labels) = match entry["earlier"].as_array() {
                None => (summary.n, outcome.counts(0)),
                Some(look) => {
                    earlier += 1;
                    let labels = look[1].as_array().unwrap().iter().map(|count| count.as_u64().unwrap()).collect();
                    (look[0].as_u64().unwrap(), labels)
                }
            };
            assert_eq!(found.n, rows);
            let counts = Counts::new(&labels, rows).unwrap();
            let at = |kind| {
                counts
                    .guarantee_with(Some(&pilot), k, 0.5, summary.alpha_left, Some(kind), summary.radius_slack)
                    .unwrap()
            };
            assert_eq!(at("anytime").rest, stk_guarantee { alpha: summary.alpha_left, ..found });
            assert_eq!(bits(&at("anytime").kept_radii), bits(&outcome.kept_radii(0, k_index)));
            assert!(at("fixed").rest.set_radius >= found.set_radius);
        }
    }
    assert!(earlier > 0, "no k was decided before the other");
    let counts = Counts::new(&[50, 9000, 950], 0).unwrap();
    for (kind, field) in [("anytime:10000", "validity"), ("randomized:0.5", "validity"), ("often", "validity")] {
        assert_eq!(counts.guarantee_with(None, 1, 0.5, 0.001, Some(kind), 0.0).err().unwrap().field, field);
    }
    // Labels that the same counts chose are never shown to be the likeliest at all looks.
    assert_eq!(counts.guarantee_with(None, 1, 0.5, 0.001, Some("anytime"), 0.0).unwrap().rest.set_radius, 0.0);
}

#[test]
fn other_tasks_and_inputs_without_an_answer_guarantee_nothing() {
    let model = Model::test("linear.onnx", 16, 2);
    let (_, outcome) = model.certify(&request(10), &crate::capi::linear_input(), None);
    assert_eq!(outcome.guarantee(0, 0).unwrap_err().field, "result");
    assert!(outcome.label_radii(0, 0).is_empty() && outcome.kept_radii(0, 0).is_empty());
    let late = Request::of(0.5, 1_000_000_000_000, 5);
    call(|err| unsafe { stk_request_set_timeout_ms(late.0, 50, err) }).unwrap();
    let (result, outcome) = model.certify_answer(&late, &crate::capi::linear_input());
    assert_eq!(result.unwrap_err().status, STK_STATUS_DEADLINE_EXCEEDED);
    let found = outcome.guarantee(0, 0).unwrap();
    assert_eq!((found.set_radius, found.first_radius, found.ranking_radius), (0.0, 0.0, 0.0));
    assert_eq!((found.k, found.alpha), (1, 0.001));
    assert!(outcome.labels(0, 0).is_empty() && outcome.label_radii(0, 0).is_empty());
    assert_eq!(outcome.summary(0, 0).status, STK_STATUS_DEADLINE_EXCEEDED);
}

#[test]
fn counts_are_no_pilot_of_themselves() {
    let counts = Counts::new(&[50, 9000, 950], 0).unwrap();
    let failed = counts.guarantee(Some(&counts), 1, 0.5, 0.001, 0.0).err().unwrap();
    assert_eq!((failed.status, failed.field.as_str()), (STK_STATUS_INVALID_ARGUMENT, "pilot"));
    let none = Counts::new(&[0, 0, 0], 0).unwrap();
    assert_eq!(counts.guarantee(Some(&none), 1, 0.5, 0.001, 0.0).err().unwrap().field, "pilot");
    for slack in [-0.1, f64::NAN, f64::INFINITY] {
        assert_eq!(counts.guarantee(None, 1, 0.5, 0.001, slack).err().unwrap().field, "radius_slack");
    }
    // Places for arrays may be left out, and a struct may be of another size.
    let whole = counts.guarantee(None, 2, 0.5, 0.001, 0.0).unwrap().rest;
    for out_size in 8..=96 {
        let mut words = [0xAAAA_AAAA_AAAA_AAAAu64; 12];
        let (none_out, out) = (null_mut::<f64>(), words.as_mut_ptr().cast());
        call(|err| unsafe {
            let ints = null_mut();
            stk_counts_guarantee(counts.0, null(), 2, 0.5, 0.001, 0.0, ints, none_out, none_out, out, out_size, err)
        })
        .unwrap();
        let filled = out_size.min(80) / 8;
        assert_eq!(words[0], 8 * filled as u64);
        let mut expected = empty_guarantee();
        expected.clone_from(&whole);
        // SAFETY: a guarantee is ten words.
        let expected = unsafe { std::slice::from_raw_parts((&raw const expected).cast::<u64>(), 10) };
        assert_eq!(words[1..filled], expected[1..filled], "of {out_size}");
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_ne_bytes()).collect();
        assert!(
            bytes[8 * filled..out_size].iter().all(|&byte| byte == 0) && bytes[out_size..].iter().all(|&b| b == 0xAA)
        );
    }
}
