//! Certificates by randomized bounds: made again from their counts, and refused where n is not fixed.

use smoothtopk::ErrorKind;
use smoothtopk::certificate::stop::{Rule, Tolerance};
use smoothtopk::certificate::{Certificate, Query, Randomized};
use smoothtopk::counts::Counts;
use smoothtopk::noise::Source;
use smoothtopk::smoothed::{AllocationChoice, Answer, Generator, Request, Task};
use smoothtopk::stats::Validity;
use smoothtopk::stats::randomized::Uniform;

use super::{request, smoothed};

fn certificates(answer: &smoothtopk::Result<Answer>) -> &[Certificate] {
    match answer {
        Ok(Answer::Certificates(certificates)) => certificates,
        other => panic!("no certificates: {other:?}"),
    }
}

#[test]
fn a_certificate_is_made_again_from_its_counts() {
    let g = smoothed();
    let input: Vec<f32> = (0..g.sampler().classifier().elements()).map(|i| (i % 7) as f32 / 8.0).collect();
    let chacha = Generator::ChaCha12 { key: Some([9; 32]) };
    let mut uniforms = Vec::new();
    for (generator, allocation) in [
        (request().generator, AllocationChoice::default()),
        (chacha, AllocationChoice::default()),
        (Generator::default(), AllocationChoice::default()),
        (Generator::Philox { seed: Some(4) }, AllocationChoice::Auto),
    ] {
        for stream in [0, 1] {
            let plain = Request { k: vec![1, 2], generator, allocation: allocation.clone(), ..request() };
            let plain = plain.with_seed().unwrap();
            let asked = Request { randomized: true, ..plain.clone() };
            let outcome = g.submit(&input, Task::CertifySelected, &asked, stream).unwrap().wait();
            let beside = g.submit(&input, Task::CertifySelected, &plain, stream).unwrap().wait();
            assert_eq!(outcome.counts, beside.counts, "the uniform takes nothing from the samples");
            let plain = certificates(&beside.answer);
            for (i, found) in certificates(&outcome.answer).iter().enumerate() {
                let Validity::Randomized(uniform) = found.basis.validity else { panic!("{:?}", found.basis) };
                let source: Source = outcome.request.generator.source().unwrap();
                assert_eq!(uniform, Uniform::from_bits(source.bits_beside_rows(stream, found.k as u64)));
                let query = Query { k: found.k, allocation: found.allocation.clone(), ..Query::of_label(found.label) };
                let from = |counts: &Counts, randomized| counts.certify(&Query { randomized, ..query.clone() });
                assert_eq!(from(&outcome.counts, Randomized::FromSeed).as_ref(), Ok(found));
                // The counts as they are written with their secret give the same; without it, by the uniform alone.
                let whole = Counts::from_json(&outcome.counts.to_json_with_secret()).unwrap();
                assert_eq!(from(&whole, Randomized::FromSeed).as_ref(), Ok(found));
                let shown = Counts::from_json(&outcome.counts.to_json()).unwrap();
                assert_eq!(from(&shown, Randomized::FromSeed).unwrap_err().field(), Some("randomized"));
                assert_eq!(from(&shown, Randomized::By(uniform)).as_ref(), Ok(found));
                assert!(found.radius >= plain[i].radius * (1.0 - 1e-9), "{} {}", found.radius, plain[i].radius);
                uniforms.push(uniform.value());
            }
        }
    }
    uniforms.sort_by(f64::total_cmp);
    assert!(uniforms.windows(2).all(|pair| pair[0] < pair[1]), "one for each seed, stream and k: {uniforms:?}");
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
