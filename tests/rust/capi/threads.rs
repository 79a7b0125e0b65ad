//! Many host threads share one model.

use crate::abi::{Model, Request, call};
use smoothtopk::capi::*;

#[test]
fn sixty_four_threads_sharing_a_model_get_the_counts_of_one_alone() {
    let inputs: Vec<Vec<f32>> =
        (0..64).map(|i| (0..24).map(|j| ((i * 7 + j * 5) % 33) as f32 / 64.0 + 0.25).collect()).collect();
    let request = |stream: usize| {
        let request = Request::of(0.25, 700 + stream as u64, 77);
        call(|err| unsafe { stk_request_set_stream(request.0, stream as u64, err) }).unwrap();
        call(|err| unsafe { stk_request_set_k(request.0, [1usize, 3].as_ptr(), 2, err) }).unwrap();
        request
    };
    let alone = Model::test("exact_order.onnx", 1, 1);
    let expected: Vec<_> = inputs
        .iter()
        .enumerate()
        .map(|(key, input)| {
            let (result, outcome) = alone.certify(&request(key), input, None);
            result.unwrap();
            (outcome.counts(0), outcome.selection(0), outcome.summary(0, 1).radius.to_bits())
        })
        .collect();
    drop(alone);
    let shared = Model::test("exact_order.onnx", 50, 2);
    std::thread::scope(|scope| {
        for (key, (input, expected)) in inputs.iter().zip(&expected).enumerate() {
            let (shared, request) = (&shared, &request);
            scope.spawn(move || {
                for _ in 0..3 {
                    let (result, outcome) = shared.certify(&request(key), input, None);
                    result.unwrap();
                    let found = (outcome.counts(0), outcome.selection(0), outcome.summary(0, 1).radius.to_bits());
                    assert_eq!(&found, expected, "thread {key}");
                }
            });
        }
    });
}
