//! Random call sequences with random arguments: the driver of the fuzz target (`fuzz/`), run by proptest.

use std::sync::atomic::Ordering::SeqCst;

use proptest::prelude::*;

use crate::driver;

#[test]
fn random_call_sequences_neither_crash_nor_hang_nor_lose_a_callback() {
    driver::open(&crate::abi::test_model("linear.onnx"));
    let mut runner = proptest::test_runner::TestRunner::new_with_rng(
        ProptestConfig { cases: 3000, failure_persistence: None, ..ProptestConfig::default() },
        // A fixed seed: what `make test` says does not depend on luck. The fuzz target looks further.
        proptest::test_runner::TestRng::deterministic_rng(proptest::test_runner::RngAlgorithm::ChaCha),
    );
    let bytes = proptest::collection::vec(any::<u8>(), 0..1500);
    runner
        .run(&bytes, |bytes| {
            driver::drive(&bytes);
            prop_assert!(driver::all_called_back());
            Ok(())
        })
        .unwrap();
    let (answered, submitted) = (driver::ANSWERED.load(SeqCst), driver::SUBMITTED.load(SeqCst));
    assert!(answered > 1000 && submitted > 1000, "{answered} calls were answered, {submitted} jobs submitted");
}
