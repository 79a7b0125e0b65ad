//! Counts as they are written: what is read back, and what is refused.

use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use serde_json::{Value, json};
use smoothtopk::ErrorKind;
use smoothtopk::certificate::Query;
use smoothtopk::counts::{Assumed, Counts, Ending, Rule, Tolerance};
use smoothtopk::noise::ExactGrid;
use smoothtopk::perturbation::{Family, Gaussian, Uniform};
use smoothtopk::smoothed::{Generator, NoiseMode, Request};

use super::{X, drawn, noise, request, sample, smoothed};

fn form(counts: &Counts) -> Value {
    serde_json::from_str(&counts.to_json()).unwrap()
}

fn read(form: &Value) -> smoothtopk::Result<Counts> {
    Counts::from_json(&form.to_string())
}

/// That counts are read back from what they are written as.
fn round_trip(counts: &Counts) -> Counts {
    let whole = Counts::from_json(&counts.to_json_with_secret()).unwrap();
    assert_eq!((&whole, whole.is_seen()), (counts, counts.is_seen()));
    assert_eq!(whole.to_json_with_secret(), counts.to_json_with_secret());
    let again = Counts::from_json(&counts.to_json()).unwrap();
    assert_eq!((again.to_json(), again.is_seen()), (counts.to_json(), counts.is_seen()));
    again
}

fn endings() -> impl Strategy<Value = Ending> {
    let rule = prop_oneof![
        Just(None),
        (1e-9..10.0f64).prop_map(|radius| Some(Rule::Radius(radius))),
        (1e-3..10.0f64).prop_map(|step| Some(Rule::Steps(step))),
        (0.0..10.0f64).prop_map(|share| Some(Rule::Tolerance(Tolerance::Sigmas(share)))),
    ];
    let last = prop::option::of(900_000_000_000u64..1_000_000_000_000);
    prop_oneof![
        Just(Ending::Fixed),
        Just(Ending::CutShort),
        (rule, last).prop_map(|(rule, last)| Ending::Looks { rule, last }),
    ]
}

fn families() -> impl Strategy<Value = Family> {
    (1e-6..1e6f64, any::<bool>()).prop_map(|(scale, gaussian)| match gaussian {
        true => Gaussian::new(scale).unwrap().into(),
        false => Uniform::new(scale).unwrap().into(),
    })
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 500, rng_seed: RngSeed::Fixed(41), failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn bare_numbers_are_read_as_they_are_written(
        labels in prop::collection::vec(0u64..1 << 36, 2..12), invalid in 0u64..1000, noise in families(),
        ending in endings(),
        radius_cost in 0.0..1.0f64, look in any::<bool>(),
    ) {
        let n = labels.iter().sum::<u64>() + invalid;
        let counts = Counts::assuming(labels, Some(n), Assumed { noise, radius_cost, ending }).unwrap();
        if look && n > 0 {
            prop_assert_eq!(counts.certify(&Query::of_label(0)).is_ok(), ending != Ending::CutShort);
        }
        let again = round_trip(&counts);
        prop_assert_eq!(again.certify(&Query::of_label(1)), counts.certify(&Query::of_label(1)));
    }

    #[test]
    fn drawn_counts_are_read_as_they_are_written(
        cuts in prop::collection::btree_set(0u64..1 << 40, 2..12), labels in prop::collection::vec(0u64..1 << 30, 4),
        stream in any::<u64>(), ending in endings(), seen in any::<bool>(),
    ) {
        let ranges: Vec<[u64; 2]> =
            cuts.into_iter().collect::<Vec<_>>().chunks_exact(2).map(|cut| [cut[0], cut[1]]).collect();
        let n: u64 = ranges.iter().map(|[start, end]| end - start).sum();
        let mut labels = labels;
        let sum: u64 = labels.iter().sum();
        if sum > n {
            labels = vec![n, 0, 0, 0];
        }
        let mut form = form(&sample(&smoothed(), 0..1));
        form["draws"][0]["samples"] = json!(ranges);
        form["draws"][0]["stream"] = json!(stream);
        form["labels"] = json!(labels);
        form["n"] = json!(n);
        form["ending"] = json!(ending);
        form["seen"] = json!(seen);
        let counts = read(&form).unwrap();
        prop_assert_eq!((counts.n(), counts.ending(), counts.is_seen()), (n, ending, seen));
        round_trip(&counts);
    }
}

#[test]
fn counts_of_every_noise_and_generator_are_read_as_they_are_written() {
    let g = smoothed();
    for mode in [NoiseMode::Grid, NoiseMode::Exact(ExactGrid::new(10).unwrap())] {
        for generator in [Generator::Philox { seed: Some(u64::MAX) }, Generator::ChaCha12 { key: Some([0xA5; 32]) }] {
            let counts = drawn(&g, &X, 0..1000, &Request { mode, generator, ..request() }).counts;
            let again = round_trip(&counts);
            assert_eq!(again.certify(&Query::of_label(1)), counts.certify(&Query::of_label(1)));
            // Read back, they still refuse what they have, and take what they have not.
            assert!(again.clone().add(&counts).is_err());
            let next = drawn(&g, &X, 1000..2000, &Request { mode, generator, ..request() }).counts;
            assert_eq!(Counts::sum([&again, &next]).unwrap().n(), 2000);
        }
    }
}

#[test]
fn a_secret_is_written_where_it_is_asked_for_only() {
    let g = smoothed();
    let seed = 0x1234_5678_9ABC_DEF0;
    let (decimal, key) = (seed.to_string(), "a5".repeat(32));
    for (generator, secrets) in [
        (Generator::Philox { seed: Some(seed) }, [decimal.as_str(), "123456789abcdef0"]),
        (Generator::ChaCha12 { key: Some([0xA5; 32]) }, [key.as_str(), "165,165"]),
    ] {
        let counts = drawn(&g, &X, 0..10, &Request { generator, ..request() }).counts;
        let (shown, whole) = (counts.to_json(), counts.to_json_with_secret());
        assert!(secrets.iter().all(|secret| !shown.contains(secret)), "{shown}");
        assert!(!shown.contains("\"secret\"") && whole.contains("\"secret\""));
        assert!(secrets.iter().any(|secret| whole.contains(secret)), "{whole}");
        // What is read without it cannot tell it.
        assert_eq!(Counts::from_json(&shown).unwrap().to_json_with_secret(), shown);
        assert_eq!(Counts::from_json(&whole).unwrap().to_json_with_secret(), whole);
    }
}

/// The fields of all objects within, each with one that is unknown beside it.
fn with_an_unknown_field(form: &Value) -> Vec<Value> {
    fn objects(value: &Value, at: &str, found: &mut Vec<String>) {
        match value {
            Value::Object(fields) => {
                found.push(at.to_owned());
                fields.iter().for_each(|(name, value)| objects(value, &format!("{at}/{name}"), found));
            }
            Value::Array(items) => {
                items.iter().enumerate().for_each(|(i, value)| objects(value, &format!("{at}/{i}"), found));
            }
            _ => {}
        }
    }
    let mut found = Vec::new();
    objects(form, "", &mut found);
    let unknown = |at: String| {
        let mut form = form.clone();
        form.pointer_mut(&at).unwrap()["weight"] = json!(1);
        form
    };
    found.into_iter().map(unknown).collect()
}

#[test]
fn what_may_say_more_than_is_known_is_refused() {
    let counts = sample(&smoothed(), 0..100);
    let unknown = with_an_unknown_field(&form(&counts));
    assert!(unknown.len() >= 5, "the form, its noise, ending, draw and subject: {}", unknown.len());
    for form in unknown {
        let error = read(&form).unwrap_err();
        assert_eq!((error.kind(), error.field()), (ErrorKind::InvalidData, Some("counts")), "{form}");
        assert!(error.message().contains("unknown field `weight`"), "{error}");
    }
    for (version, is_read) in [("1.0", true), ("1.7", true), ("2.0", false), ("10.0", false), ("", false)] {
        let mut form = form(&counts);
        form["version"] = json!(version);
        assert_eq!(read(&form).is_ok(), is_read, "{version}");
    }
}

#[test]
fn what_contradicts_itself_is_refused() {
    let counts = sample(&smoothed(), 0..100);
    let bare = Counts::assuming(counts.labels().to_vec(), Some(100), Assumed::fixed(noise())).unwrap();
    let whole: Value = serde_json::from_str(&counts.to_json_with_secret()).unwrap();
    let (drawn, bare) = (form(&counts), form(&bare));
    assert!([&whole, &drawn, &bare].iter().all(|form| read(form).is_ok()));
    let draws = drawn["draws"].as_array().unwrap();
    let cost = drawn["perturbation"]["radius_cost"].as_f64().unwrap();
    assert!(cost > 0.0);
    for (form, at, damaged) in [
        (&drawn, "/format", json!("smoothtopk-record")),
        (&drawn, "/perturbation/radius_cost", json!(0.0)),
        (&drawn, "/perturbation/radius_cost", json!(cost.next_down())),
        (&drawn, "/perturbation/radius_cost", json!(-1.0)),
        (&drawn, "/perturbation/alpha_cost", json!(1e-30)),
        (&drawn, "/perturbation/elements", json!(1)),
        (&drawn, "/perturbation/step", json!(0.0)),
        (&drawn, "/perturbation/noise", json!("gaussian:0")),
        (&drawn, "/perturbation/method", json!("assumed")),
        (&drawn, "/perturbation/method", json!("box-muller")),
        (&drawn, "/draws", json!([])),
        (&drawn, "/draws", json!([draws[0], draws[0]])),
        (&drawn, "/draws/0/samples", json!([])),
        (&drawn, "/draws/0/samples", json!([[0, 50], [49, 99]])),
        (&drawn, "/draws/0/samples", json!([[0, 50], [0, 50]])),
        (&drawn, "/draws/0/samples", json!([[50, 50], [0, 100]])),
        (&drawn, "/draws/0/samples", json!([[0, 99]])),
        (&drawn, "/draws/0/samples", json!([[0, 101]])),
        (&drawn, "/n", json!(99)),
        (&drawn, "/n", json!(101)),
        (&drawn, "/n", json!(-1)),
        (&drawn, "/labels", json!([100, 1, 0, 0])),
        (&drawn, "/labels", json!([])),
        (&drawn, "/ending", json!({"kind": "perhaps"})),
        (&drawn, "/ending", json!({"kind": "fixed", "last": 1000})),
        (&whole, "/draws/0/secret", json!("8")),
        (&whole, "/draws/0/secret", json!("x")),
        (&whole, "/draws/0/secret_sha256", json!("00")),
        (&bare, "/draws", json!(draws)),
        (&bare, "/perturbation/alpha_cost", json!(0.1)),
        (&bare, "/perturbation/radius_cost", json!(-0.1)),
        (&bare, "/n", json!(1)),
    ] {
        let mut form = form.clone();
        *form.pointer_mut(at).unwrap() = damaged;
        let error = read(&form).err().unwrap_or_else(|| panic!("{at} is read: {form}"));
        assert!(matches!(error.kind(), ErrorKind::InvalidData | ErrorKind::InvalidArgument), "{at}: {error}");
    }
    for text in ["", "{}", "[]", "null"] {
        assert_eq!(Counts::from_json(text).unwrap_err().kind(), ErrorKind::InvalidData);
    }
    // Of samples that were cut short some are missing.
    let mut cut = drawn.clone();
    (cut["ending"], cut["draws"][0]["samples"]) = (json!({"kind": "cut_short"}), json!([[0, 101]]));
    assert_eq!(read(&cut).unwrap().ending(), Ending::CutShort);
}
