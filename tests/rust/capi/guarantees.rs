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
        let (counts, pilot) = (outcome.drawn(0), outcome.pilot(0));
        assert_eq!(pilot.as_ref().map_or(0, Counts::n), n0);
        for (k_index, k) in [2usize, 1].into_iter().enumerate() {
            let (summary, found) = (outcome.summary(0, k_index), outcome.guarantee(0, k_index).unwrap());
            let again = counts.guarantee(pilot.as_ref(), k, 0.001).unwrap();
            let (labels, kept) = (again.labels, again.kept_radii);
            assert_eq!(found, again.rest);
            assert_eq!((found.struct_size, found.k, found.n, found.n0), (104, k as u64, 3000, n0));
            assert_eq!(outcome.labels(0, k_index), labels);
            assert_eq!(bits(&outcome.label_radii(0, k_index)), bits(&again.label_radii));
            assert_eq!(bits(&outcome.kept_radii(0, k_index)), bits(&kept));
            assert_eq!((summary.label, summary.k, summary.n0), (labels[0], k as u64, n0));
            assert_eq!(summary.radius.to_bits(), found.set_radius.to_bits());
            assert_eq!((summary.decision, summary.n_certified), (STK_DECISION_COMPLETE, 3000));
            assert_eq!((found.validity, found.assumed), (STK_VALIDITY_FIXED, 0));
            // With three labels one of two always stays.
            assert_eq!(kept[0].is_infinite(), k == 2);
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
fn a_rule_ends_the_samples_of_an_answer() {
    let model = Model::test("linear.onnx", 16, 2);
    let mut earlier = 0;
    for (seed, rule) in (0..10).flat_map(|seed| ["radius:0.2", "tolerance:0.1sigma"].map(|rule| (seed, rule))) {
        let request = Request::of(0.5, 100_000, seed);
        call(|err| unsafe { stk_request_set_k(request.0, [2usize, 1].as_ptr(), 2, err) }).unwrap();
        call(|err| unsafe { stk_request_set_rule(request.0, crate::abi::c(rule).as_ptr(), err) }).unwrap();
        let (result, outcome) = model.certify_answer(&request, &crate::capi::linear_input());
        result.unwrap();
        let pilot = outcome.pilot(0).unwrap();
        for (k_index, k) in [2usize, 1].into_iter().enumerate() {
            let (summary, found) = (outcome.summary(0, k_index), outcome.guarantee(0, k_index).unwrap());
            assert!(summary.n_certified <= summary.n && summary.n <= summary.samples_drawn && summary.n <= 100_000);
            assert!(
                [STK_DECISION_CERTIFIED, STK_DECISION_REFUTED, STK_DECISION_REACHED, STK_DECISION_UNDECIDED]
                    .contains(&summary.decision)
            );
            assert_eq!(summary.decision == STK_DECISION_CERTIFIED, rule == "radius:0.2" && found.set_radius >= 0.2);
            let counts = outcome.drawn_of_k(0, k_index);
            assert_eq!((found.n, found.validity), (counts.n(), STK_VALIDITY_ANYTIME));
            earlier += u64::from(counts.n() < summary.n);
            let again = counts.guarantee(Some(&pilot), k, 0.001).unwrap();
            assert_eq!(again.rest, found);
            assert_eq!(bits(&again.kept_radii), bits(&outcome.kept_radii(0, k_index)));
        }
    }
    assert!(earlier > 0, "no k was decided before the other");
    let looked = Counts::assume(&[50, 9000, 950], 0, "gaussian:0.5", 0.0, Some("anytime:20000")).unwrap();
    // Labels that the same counts chose are never shown to be the likeliest at all looks.
    assert_eq!(looked.guarantee(None, 1, 0.001).unwrap().rest.set_radius, 0.0);
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
    let failed = counts.guarantee(Some(&counts), 1, 0.001).err().unwrap();
    assert_eq!((failed.status, failed.field.as_str()), (STK_STATUS_INVALID_ARGUMENT, "pilot"));
    let none = Counts::new(&[0, 0, 0], 0).unwrap();
    assert_eq!(counts.guarantee(Some(&none), 1, 0.001).err().unwrap().field, "pilot");
    // Places for arrays may be left out, and a struct may be of another size.
    let whole = counts.guarantee(None, 2, 0.001).unwrap().rest;
    for out_size in 8..=120 {
        let mut words = [0xAAAA_AAAA_AAAA_AAAAu64; 15];
        let (none_out, out) = (null_mut::<f64>(), words.as_mut_ptr().cast());
        call(|err| unsafe {
            let ints = null_mut();
            stk_counts_guarantee(counts.0, null(), 2, 0.001, ints, none_out, none_out, out, out_size, err)
        })
        .unwrap();
        let filled = out_size.min(104) / 8;
        assert_eq!(words[0], 8 * filled as u64);
        let mut expected = empty_guarantee();
        expected.clone_from(&whole);
        // SAFETY: a guarantee is 13 words.
        let expected = unsafe { std::slice::from_raw_parts((&raw const expected).cast::<u64>(), 13) };
        assert_eq!(words[1..filled], expected[1..filled], "of {out_size}");
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_ne_bytes()).collect();
        assert!(
            bytes[8 * filled..out_size].iter().all(|&byte| byte == 0) && bytes[out_size..].iter().all(|&b| b == 0xAA)
        );
    }
}
