//! What counts do not prove they do not certify: the ways that a C host cannot bring about at will. tests/c/misuse.c
//! has the rest.

use smoothtopk::capi::*;

use crate::abi::{Counts, Model, Query, Request, call};

#[test]
fn invalid_samples_are_kept_and_count_for_every_rival() {
    let counts = Counts::new(&[5, 90, 5], 110).unwrap();
    assert_eq!((counts.n(), unsafe { stk_counts_invalid(counts.0) }), (110, 10));
    let read = Counts::from_json(&counts.json()).unwrap();
    assert_eq!((read.n(), unsafe { stk_counts_invalid(read.0) }), (110, 10));
    counts.add(&read).unwrap();
    assert_eq!((counts.n(), unsafe { stk_counts_invalid(counts.0) }), (220, 20));
    let (with, without) = (Counts::new(&[500, 9000, 500], 10_500).unwrap(), Counts::new(&[500, 9000, 500], 0).unwrap());
    let radius = |counts: &Counts| counts.certify(&Query::of(1, 1)).unwrap().radius;
    assert!(radius(&with) < radius(&without) && radius(&with) > 0.0);
}

#[test]
fn a_look_is_remembered_by_texts_and_copies() {
    let model = Model::test("linear.onnx", 16, 2);
    let (request, x) = (Request::of(0.5, 1000, 3), crate::capi::linear_input());
    let sample = |first| Counts::sample(&model, &request, &x, first, 1000).unwrap();
    let validity = |counts: &Counts| counts.certify(&Query::of(1, 1)).unwrap().validity;
    // The text before the look is one, the text after it another, and neither is taken for the other.
    let counts = sample(0);
    assert!(counts.json().contains("\"seen\":false"));
    assert_eq!(validity(&counts), STK_VALIDITY_FIXED);
    assert!(counts.json().contains("\"seen\":true") && counts.json_with_secret().contains("\"seen\":true"));
    for seen in [counts.copy(), Counts::from_json(&counts.json()).unwrap(), counts] {
        assert_eq!(validity(&seen), STK_VALIDITY_FIXED, "the samples were fixed all the same");
        seen.add(&sample(1000)).unwrap();
        assert_eq!(seen.n(), 2000);
        assert_eq!(validity(&seen), STK_VALIDITY_ANYTIME);
        assert!(seen.json().contains("[[0,2000]]"), "the text of the sum: {}", seen.json());
    }
    // Nobody looked: a number fixed beforehand.
    let unseen = sample(0);
    unseen.add(&sample(1000)).unwrap();
    assert_eq!(validity(&unseen), STK_VALIDITY_FIXED);
}

#[test]
fn exact_noise_that_grew_without_a_last_number_certifies_nothing() {
    let model = Model::test("linear.onnx", 16, 2);
    let (request, x) = (Request::of(0.5, 1000, 3), crate::capi::linear_input());
    call(|err| unsafe { stk_request_set_noise_exact(request.0, 8, err) }).unwrap();
    let counts = Counts::sample(&model, &request, &x, 0, 1000).unwrap();
    counts.certify(&Query::of(1, 1)).unwrap();
    counts.add(&Counts::sample(&model, &request, &x, 1000, 1000).unwrap()).unwrap();
    let refused = counts.certify(&Query::of(1, 1)).unwrap_err();
    assert_eq!((refused.status, refused.field.as_str()), (STK_STATUS_INVALID_DATA, "counts"));
}

#[test]
fn randomized_bounds_take_the_uniform_of_the_seed() {
    let model = Model::test("linear.onnx", 16, 2);
    let (request, x) = (Request::of(0.5, 2000, 3), crate::capi::linear_input());
    call(|err| unsafe { stk_request_set_randomized(request.0, true, err) }).unwrap();
    let (result, outcome) = model.certify(&request, &x, Some(&[1]));
    result.unwrap();
    let summary = outcome.summary(0, 0);
    assert_eq!(summary.validity, STK_VALIDITY_RANDOMIZED);
    let counts = Counts::sample(&model, &request, &x, 0, 2000).unwrap();
    let own = Query { randomized: STK_RANDOMIZED_FROM_SEED, ..Query::of(1, 1) };
    let (by_seed, given) =
        (counts.certify(&own).unwrap(), counts.certify(&Query::of(1, 1).by(summary.uniform)).unwrap());
    assert_eq!(by_seed.radius.to_bits(), summary.radius.to_bits());
    assert_eq!((given.radius.to_bits(), given.uniform), (summary.radius.to_bits(), summary.uniform));
    // Without the secret there is none, and after looks it does not hold.
    let read = Counts::from_json(&counts.json()).unwrap();
    assert_eq!(read.certify(&own).unwrap_err().field, "randomized");
    counts.add(&Counts::sample(&model, &request, &x, 2000, 1).unwrap()).unwrap();
    assert_eq!(counts.certify(&own).unwrap_err().field, "randomized");
}
