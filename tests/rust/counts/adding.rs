//! What may be added, and what a sum is.

use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use serde_json::{Value, json};
use smoothtopk::certificate::Query;
use smoothtopk::counts::{Assumed, Counts, Ending, Subject};
use smoothtopk::noise::ExactGrid;
use smoothtopk::perturbation::Gaussian;
use smoothtopk::smoothed::{Generator, NoiseMode, Request};
use smoothtopk::stats::Validity;
use smoothtopk::{Error, ErrorKind};

use super::{Steps, X, drawn, model, noise, of, request, sample, smoothed, steps};

/// That `counts` refuse `other`, and stay what they were.
fn refuse(counts: &Counts, other: &Counts) -> Error {
    let mut sum = counts.clone();
    let error = sum.add(other).unwrap_err();
    assert_eq!((error.kind(), error.field()), (ErrorKind::InvalidData, Some("counts")), "{error}");
    assert_eq!((&sum, sum.is_seen()), (counts, counts.is_seen()), "{error}");
    assert_eq!(Counts::sum([counts, other]).unwrap_err().message(), error.message());
    error
}

#[test]
fn samples_are_added_once() {
    let g = smoothed();
    let counts = sample(&g, 0..1000);
    for samples in [0..1000, 0..1, 999..1000, 999..2000, 10..20] {
        let error = refuse(&counts, &sample(&g, samples));
        assert!(error.message().contains("share samples"), "{error}");
    }
    // Other samples: another range, seed or stream.
    let other_seed = drawn(&g, &X, 0..1000, &request().seeded(8)).counts;
    let keyed = Request { generator: Generator::ChaCha12 { key: Some([7; 32]) }, ..request() };
    let other_generator = drawn(&g, &X, 0..1000, &keyed).counts;
    let mut sum = counts.clone();
    for other in [&sample(&g, 1000..2000), &other_seed, &other_generator] {
        sum.add(other).unwrap();
        assert!(refuse(&sum, other).message().contains("share samples"));
    }
    assert_eq!((sum.n(), sum.draws().len(), sum.validity()), (4000, 4000, Ok(Validity::Fixed)));
}

#[test]
fn samples_of_something_else_are_refused_by_name() {
    let g = smoothed();
    let counts = sample(&g, 0..100);
    let named = |subject| sample(&of(Steps(subject)), 100..200);
    let some = |text: &str| Some(text.to_owned());
    for (what, subject) in [
        ("model", Subject { model_sha256: some("5e"), ..steps() }),
        ("reading of the model", Subject { reading: some("threshold"), ..steps() }),
        ("arithmetic", Subject { arithmetic: some("tf32"), ..steps() }),
        ("provider", Subject { provider: some("CUDA"), ..steps() }),
    ] {
        let error = refuse(&counts, &named(subject));
        assert!(error.message().contains(&format!("are of another {what}: ")), "{error}");
    }
    let error = refuse(&counts, &drawn(&g, &[0.8, 0.8], 100..200, &request()).counts);
    assert!(error.message().contains("are of another input: "), "{error}");
    for request in [
        Request { family: Gaussian::new(0.5).unwrap().into(), ..request() },
        Request { input_max: 1000.0, ..request() },
        Request { mode: NoiseMode::Exact(ExactGrid::new(10).unwrap()), ..request() },
    ] {
        let error = refuse(&counts, &drawn(&g, &X, 100..200, &request).counts);
        assert!(error.message().contains("are of other noise: "), "{error}");
    }
    let bare = Counts::assuming(vec![1, 2, 3, 4], None, Assumed::fixed(noise())).unwrap();
    assert!(refuse(&counts, &bare).message().contains("bare numbers"));
    assert!(refuse(&bare, &counts).message().contains("bare numbers"));
    let three = Counts::assuming(vec![1, 2, 3], None, Assumed::fixed(noise())).unwrap();
    assert!(refuse(&bare, &three).message().contains("3 labels, not 4"));
    let most = Counts::assuming(vec![u64::MAX, 0, 0, 0], None, Assumed::fixed(noise())).unwrap();
    assert!(refuse(&bare, &most).message().contains("overflow"));
}

#[test]
fn growing_counts_have_bounds_for_all_looks_from_the_first() {
    let g = smoothed();
    let mut total = sample(&g, 0..500).growing(None).unwrap();
    let first = total.certify(&Query::of_label(1)).unwrap();
    assert_eq!(first.basis.validity, Validity::Anytime);
    total.add(&sample(&g, 500..1000)).unwrap();
    assert_eq!((total.ending(), total.n()), (Ending::Looks { rule: None, last: None }, 1000));
    // A largest number stays one until there are more.
    let mut few = sample(&g, 0..500).growing(Some(1000)).unwrap();
    few.add(&sample(&g, 500..1000)).unwrap();
    assert_eq!(few.ending(), Ending::Looks { rule: None, last: Some(1000) });
    few.add(&sample(&g, 1000..1001)).unwrap();
    assert_eq!(few.ending(), Ending::Looks { rule: None, last: None });
    let error = sample(&g, 0..500).growing(Some(499)).unwrap_err();
    assert_eq!((error.kind(), error.field()), (ErrorKind::InvalidArgument, Some("last")));
    // Said after a look, it would be said because of it.
    let error = total.growing(Some(5000)).unwrap_err();
    assert!(error.message().contains("looked at already"), "{error}");
}

#[test]
fn samples_that_chose_a_label_do_not_certify_it() {
    let g = smoothed();
    let choose: [fn(&Counts); 3] = [
        |counts| drop(counts.predict(1, 0.001).unwrap()),
        |counts| drop(counts.guarantee(None, 1, 0.001).unwrap()),
        |counts| assert!(counts.top() < counts.classes()),
    ];
    for choose in choose {
        let (first, second) = (sample(&g, 0..500), sample(&g, 500..1000));
        choose(&first);
        for chose in [&first, &Counts::from_json(&first.to_json()).unwrap(), &Counts::sum([&first, &second]).unwrap()] {
            let error = chose.certify(&Query::of_label(1)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidData);
            assert!(error.message().contains("chose or predicted"), "{error}");
        }
    }
    // A pilot chose, and the others certify.
    let (pilot, counts) = (sample(&g, 0..500), sample(&g, 500..1000));
    let guarantee = counts.guarantee(Some(&pilot), 1, 0.001).unwrap();
    assert!(pilot.has_chosen() && !counts.has_chosen() && guarantee.labels().len() == 1);
    assert!(counts.certify(&Query::of_label(pilot.top())).is_ok());
}

#[test]
fn a_sum_after_a_look_takes_bounds_for_all_looks() {
    let g = smoothed();
    let (first, second) = (sample(&g, 0..500), sample(&g, 500..1000));
    let query = Query { k: 2, ..Query::of_label(1) };
    let looks: [fn(&Counts); 3] = [
        |counts| drop(counts.certify(&Query::of_label(1)).unwrap()),
        |counts| drop(counts.predict(1, 0.001).unwrap()),
        |counts| drop(counts.guarantee(None, 1, 0.001).unwrap()),
    ];
    let unseen = Counts::sum([&first, &second]).unwrap();
    assert_eq!((unseen.validity(), unseen.is_seen()), (Ok(Validity::Fixed), false));
    let fixed = unseen.certify(&query).unwrap();
    // The look comes before the sum, or after one that is then built again.
    for (look, before) in looks.into_iter().flat_map(|look| [(look, false), (look, true)]) {
        for side in 0..2 {
            // Not copies, which share what was seen.
            let parts = [sample(&g, 0..500), sample(&g, 500..1000)];
            if before {
                look(&Counts::sum(&parts).unwrap());
            } else {
                look(&parts[side]);
            }
            let sum = Counts::sum(&parts).unwrap();
            assert_eq!((sum.validity(), sum.is_seen()), (Ok(Validity::Anytime), true));
            assert_eq!(sum.predict(1, 0.001).unwrap_err().field(), Some("counts"));
            if sum.has_chosen() {
                let error = sum.certify(&query).unwrap_err();
                assert!(error.message().contains("chose or predicted labels already"), "{error}");
                assert_eq!(sum.guarantee(None, 1, 0.001).unwrap().basis().validity, Validity::Anytime);
                continue;
            }
            let certificate = sum.certify(&query).unwrap();
            assert!(certificate.basis.validity == Validity::Anytime && certificate.radius < fixed.radius);
        }
    }
    // Looking once more at the same samples adds none.
    assert_eq!(unseen.certify(&query).unwrap(), fixed);
}

/// The counts of shards in this order, and of all samples at once.
fn assert_shards_add(g: &smoothtopk::smoothed::SmoothedClassifier, input: &[f32], cuts: &[u64], order: &[usize]) {
    let draw = |samples| drawn(g, input, samples, &request()).counts;
    let whole = draw(0..600);
    let parts: Vec<Counts> = cuts.windows(2).filter(|cut| cut[0] < cut[1]).map(|cut| draw(cut[0]..cut[1])).collect();
    let mut shuffled: Vec<usize> = (0..parts.len()).collect();
    shuffled.sort_by_key(|&i| (order[i % order.len()], i));
    let sum = Counts::sum(shuffled.iter().map(|&i| &parts[i])).unwrap();
    assert_eq!(sum, whole);
    assert_eq!(sum.to_json(), whole.to_json(), "neighbouring ranges are one");
    assert_eq!(sum.certify(&Query::of_label(1)), whole.certify(&Query::of_label(1)));
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 60, rng_seed: RngSeed::Fixed(40), failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn shards_in_any_order_are_one_draw(
        cuts in prop::collection::vec(0u64..600, 0..8), order in prop::collection::vec(0usize..100, 9),
    ) {
        let mut cuts = cuts;
        cuts.extend([0, 600]);
        cuts.sort_unstable();
        assert_shards_add(&smoothed(), &X, &cuts, &order);
    }
}

#[test]
fn shards_of_a_model_in_any_order_are_one_draw() {
    let g = model();
    let input: Vec<f32> = (0..g.sampler().classifier().elements()).map(|i| (i % 7) as f32 / 8.0).collect();
    assert_shards_add(&g, &input, &[0, 1, 64, 65, 400, 600], &[3, 1, 4, 0, 2]);
    let counts = drawn(&g, &input, 0..10, &request()).counts;
    assert!(counts.subject().model_sha256.as_ref().is_some_and(|digest| digest.len() == 64));
    assert!(refuse(&counts, &sample(&smoothed(), 0..10)).message().contains("labels"));
}

#[test]
fn a_hundred_thousand_shards_add_quickly() {
    const SHARDS: u64 = 100_000;
    let template: Value = serde_json::from_str(&sample(&smoothed(), 0..100).to_json()).unwrap();
    let shard = |i: u64| {
        let mut form = template.clone();
        form["draws"][0]["samples"] = json!([[100 * i, 100 * i + 100]]);
        Counts::from_json(&form.to_string()).unwrap()
    };
    let start = std::time::Instant::now();
    let mut sum = shard(0);
    // A factor that shares no divisor with the number of shards visits every one once, in a scattered order.
    for i in 1..SHARDS {
        sum.add(&shard(i * 38_197 % SHARDS)).unwrap();
    }
    assert!(start.elapsed().as_secs() < 60, "{:?}", start.elapsed());
    assert_eq!((sum.n(), sum.draws().len()), (100 * SHARDS, 100 * SHARDS));
    assert_eq!(serde_json::to_value(&sum.draws().list(false)[0].samples).unwrap(), json!([[0, 100 * SHARDS]]));
    assert!(sum.add(&shard(38_197)).is_err());
}
