//! Certificates by randomized bounds: made again from what the record says, and refused where n is not fixed.

use smoothtopk::certificate::certify_with;
use smoothtopk::certificate::stop::{Rule, Tolerance};
use smoothtopk::noise::Source;
use smoothtopk::smoothed::{Answer, Bounding, Generator, Identity, Request, Task};
use smoothtopk::stats::Validity;
use smoothtopk::stats::randomized::Uniform;
use smoothtopk::{ErrorKind, certificate::Certificate};

use super::{request, smoothed};

fn identity() -> Identity {
    Identity {
        model_sha256: String::new(),
        provider: "CPU".into(),
        precision: "float32".into(),
        onnxruntime_version: String::new(),
        arithmetic: "float32".into(),
        fallback: None,
    }
}

fn certificates(answer: &smoothtopk::Result<Answer>) -> &[Certificate] {
    match answer {
        Ok(Answer::Certificates(certificates)) => certificates,
        other => panic!("no certificates: {other:?}"),
    }
}

#[test]
fn a_uniform_is_not_drawn_again() {
    for generator in [Generator::default(), Generator::ChaCha12 { key: None }] {
        let asked = Request { randomized: true, generator, ..request() };
        assert_eq!(asked.validity_of(1, 0).unwrap_err().field(), Some("generator"));
        let once = asked.with_seed().unwrap();
        assert_eq!(once.validity_of(1, 0), once.validity_of(1, 0));
    }
}

#[test]
fn a_certificate_is_made_again_from_its_record() {
    let g = smoothed();
    let input: Vec<f32> = (0..g.sampler().classifier().elements()).map(|i| (i % 7) as f32 / 8.0).collect();
    let chacha = Generator::ChaCha12 { key: Some([9; 32]) };
    let mut uniforms = Vec::new();
    for (generator, bound) in [
        (request().generator, Bounding::default()),
        (chacha, Bounding::default()),
        (Generator::default(), Bounding::default()),
        (Generator::Philox { seed: Some(4) }, Bounding::Auto),
    ] {
        for key in [0, 1] {
            let plain = Request { k: vec![1, 2], generator, bound: bound.clone(), ..request() }.with_seed().unwrap();
            let asked = Request { randomized: true, ..plain.clone() };
            let outcome = g.submit(&input, Task::CertifySelected, &asked, key).unwrap().wait();
            let beside = g.submit(&input, Task::CertifySelected, &plain, key).unwrap().wait();
            assert_eq!(outcome.counts, beside.counts, "the uniform takes nothing from the rows");
            let record = outcome.to_json(&identity());
            assert_eq!(record["validity"], "randomized");
            let slack = record["radius_slack"].as_f64().unwrap();
            let plain = certificates(&beside.answer);
            assert!(beside.to_json(&identity())["certificates"][0]["uniform"].is_null());
            for (i, found) in certificates(&outcome.answer).iter().enumerate() {
                let uniform = Uniform::new(record["certificates"][i]["uniform"].as_f64().unwrap()).unwrap();
                let kind = record["certificates"][i]["validity"].as_str().unwrap().parse();
                assert_eq!(kind, Ok(Validity::Randomized(uniform)));
                let source: Source = outcome.request.generator.source().unwrap();
                assert_eq!(uniform, Uniform::from_bits(source.bits_beside_rows(key, found.k as u64)));
                let again = certify_with(
                    &outcome.counts,
                    found.label,
                    found.k,
                    0.25,
                    record["alpha_left"].as_f64().unwrap(),
                    &found.allocation,
                    Validity::Randomized(uniform),
                );
                assert_eq!(*found, again.unwrap().shrunk_by(slack));
                assert!(found.radius >= plain[i].radius * (1.0 - 1e-9), "{} {}", found.radius, plain[i].radius);
                uniforms.push(uniform.value());
            }
        }
    }
    uniforms.sort_by(f64::total_cmp);
    assert!(uniforms.windows(2).all(|pair| pair[0] < pair[1]), "one for each seed, job key and k: {uniforms:?}");
}

#[test]
fn what_no_uniform_serves_is_refused() {
    let g = smoothed();
    let input = vec![0.0; g.sampler().classifier().elements()];
    let randomized = |rule| Request { randomized: true, rule, ..request() };
    for (task, rule) in [
        (Task::Certify(0), Rule::Radius(0.1)),
        (Task::CertifySelected, Rule::Tolerance(Tolerance::Sigmas(0.1))),
        (Task::Predict, Rule::Predict),
        (Task::Predict, Rule::Fixed),
        (Task::CertifyAnswer, Rule::Fixed),
    ] {
        let error = g.submit(&input, task, &randomized(rule), 0).unwrap_err();
        assert_eq!(
            (error.kind(), error.field()),
            (ErrorKind::InvalidArgument, Some("randomized")),
            "{task:?} {rule}: {error}"
        );
    }
}
