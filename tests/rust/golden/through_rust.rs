//! A case through the Rust API.

use std::sync::Arc;

use smoothtopk::certificate::{Guarantee, Query, Randomized};
use smoothtopk::counts::{Assumed, Counts, Ending, Rule};
use smoothtopk::model::{Model, ModelOptions};
use smoothtopk::noise::ExactGrid;
use smoothtopk::perturbation::IntoFamily;
use smoothtopk::sampler::{BaseClassifier, Plan};
use smoothtopk::smoothed::{
    AllocationChoice, Answer as Found, Control, Generator, NoiseMode, Request, SmoothedClassifier, Task,
};
use smoothtopk::stats::{Allocation, Validity};
use smoothtopk::{ErrorKind, Result};

use super::file::{Answer, Case};

pub fn answer(case: &Case) -> Answer {
    let found = if case.task.starts_with("counts_") { from_counts(case) } else { from_model(case) };
    found.unwrap_or_else(|error| Answer {
        status: match error.kind() {
            ErrorKind::InvalidArgument => "INVALID_ARGUMENT",
            ErrorKind::InvalidData => "INVALID_DATA",
            ErrorKind::NotFound => "NOT_FOUND",
            ErrorKind::Model => "MODEL",
            other => panic!("{}: {other:?} {error}", case.name),
        }
        .to_owned(),
        field: error.field().unwrap_or_default().to_owned(),
        ..Answer::default()
    })
}

/// How alpha is split: `bound` is the name of an older kind of case.
fn split(case: &Case) -> &str {
    case.allocation.as_deref().or(case.bound.as_deref()).unwrap_or("ranked")
}

/// How alpha is split by a case that leaves nothing to pilot samples.
pub fn allocation(case: &Case) -> Result<Allocation> {
    split(case).parse()
}

fn to_labels(labels: &[usize]) -> Vec<i64> {
    labels.iter().map(|&label| label as i64).collect()
}

/// What a case says of bare numbers.
fn assumed(case: &Case, validity: Validity) -> Result<Assumed> {
    let ending = match validity {
        Validity::Fixed | Validity::Randomized(_) => Ending::Fixed,
        Validity::Exact => Ending::Enumerated,
        Validity::Anytime => Ending::Looks { rule: None, last: None },
        // The bounds of steps, however wide.
        Validity::AnytimeTo(last) => Ending::Looks { rule: Some(Rule::Steps(1.0)), last: Some(last) },
    };
    let noise = case.noise_text().as_str().into_family()?;
    Ok(Assumed { noise, radius_cost: case.radius_cost.unwrap_or(0.0), ending })
}

fn from_counts(case: &Case) -> Result<Answer> {
    let validity: Validity = case.validity.as_deref().unwrap_or("fixed").parse()?;
    let assumed = assumed(case, validity)?;
    let counts = Counts::assuming(case.counts.clone(), case.n, assumed)?;
    let pilot = || Counts::assuming(case.pilot.clone(), None, assumed);
    let pilot = if case.pilot.is_empty() { None } else { Some(pilot()?) };
    let mut answer = Answer { status: "OK".into(), ..Answer::default() };
    let alpha = case.alpha.unwrap_or(0.001);
    for k in case.k() {
        if case.task == "counts_predict" {
            let found = counts.predict(k, alpha)?;
            answer.labels.push(to_labels(&found.top));
            answer.abstain.push(found.abstain.into());
            answer.p_value.push(found.p_value);
        } else if case.task == "counts_guarantee" {
            guaranteed(&mut answer, &counts.guarantee(pilot.as_ref(), k, alpha)?);
        } else {
            let label = usize::try_from(case.label.expect("a label")).expect("a label");
            let randomized = match validity {
                Validity::Randomized(uniform) => Randomized::By(uniform),
                _ => Randomized::No,
            };
            let found = counts.certify(&Query { label, k, alpha, allocation: allocation(case)?, randomized })?;
            answer.radius.push(found.radius);
            answer.label = case.label;
        }
    }
    Ok(answer)
}

/// What is guaranteed for one k.
fn guaranteed(answer: &mut Answer, found: &Guarantee) {
    answer.labels.push(to_labels(found.labels()));
    answer.label_radii.push(found.each.labels.iter().map(|label| label.radius).collect());
    let kept = found.kept.iter().map(|kept| kept.as_ref().map_or(f64::INFINITY, |kept| kept.radius));
    answer.kept_radii.push(kept.collect());
    answer.radius.push(found.set.radius);
    answer.first_radius.push(found.first.radius);
    answer.ranking_radius.push(found.ranking.radius);
}

pub fn request(case: &Case) -> Result<Request> {
    let default = Request::new(case.noise_text().as_str().into_family()?);
    Ok(Request {
        k: case.k(),
        n: case.n.unwrap_or(default.n),
        n0: case.n0.unwrap_or(default.n0),
        alpha: case.alpha.unwrap_or(default.alpha),
        rule: case.rule.as_deref().unwrap_or("fixed").parse()?,
        allocation: split(case).parse::<AllocationChoice>()?,
        randomized: case.randomized,
        generator: match case.chacha12 {
            Some(key) => Generator::ChaCha12 { key: Some(key) },
            None => Generator::Philox { seed: case.seed },
        },
        mode: match case.levels {
            Some(levels) => NoiseMode::Exact(ExactGrid::new(levels)?),
            None => NoiseMode::Grid,
        },
        input_max: case.input_max.unwrap_or(default.input_max),
        ..default
    })
}

fn from_model(case: &Case) -> Result<Answer> {
    let options = ModelOptions { threshold: case.threshold, classes: case.classes, ..ModelOptions::default() };
    let path = crate::abi::test_model(case.model.as_deref().expect("a model"));
    let model = Arc::new(Model::open(path, &options)?);
    let plan = Plan { batch: model.fixed_batch().unwrap_or(96), threads: 2 };
    let smoothed = SmoothedClassifier::new(model, plan)?;
    let task = match (case.task.as_str(), case.label) {
        ("predict", _) => Task::Predict,
        ("certify_answer", _) => Task::CertifyAnswer,
        (_, Some(label)) if label >= 0 => Task::Certify(label as usize),
        (_, None | Some(-1)) => Task::CertifySelected,
        // No usize says this; the C ABI's own answer is the only one.
        (_, Some(_)) => return Err(smoothtopk::Error::argument("label", "neither a label nor -1")),
    };
    let key = case.key.unwrap_or(0);
    let request = request(case)?;
    let batch = smoothed.submit_batch(&case.input, &[task], &request, key, Control::default())?;
    let outcome = batch.wait().remove(0);
    let mut answer = Answer { status: "OK".into(), counts: outcome.counts.labels().to_vec(), ..Answer::default() };
    answer.selection = outcome.selection.map_or_else(Vec::new, |counts| counts.labels().to_vec());
    if case.decides() {
        answer.decision = outcome.decisions.iter().map(ToString::to_string).collect();
        // Of a prediction, and of a guarantee, it is all rows that were looked at.
        answer.rows = vec![outcome.counts.n(); case.k().len()];
    }
    if case.levels.is_some() {
        answer.alpha_left = Some(request.alpha_left(case.input.len())?);
    }
    match outcome.answer? {
        Found::Predictions(list) => {
            for found in list {
                answer.labels.push(to_labels(&found.top));
                answer.abstain.push(found.abstain.into());
                answer.p_value.push(found.p_value);
            }
        }
        Found::Counted => {}
        Found::Certificates(list) => {
            answer.label = list.first().map(|found| found.label as i64);
            answer.radius = list.iter().map(|found| found.radius).collect();
            if case.decides() {
                answer.rows = list.iter().map(|found| found.basis.n).collect();
            }
            if case.spends() {
                answer.allocation = list.iter().map(|found| found.allocation.to_string()).collect();
            }
        }
        Found::Guarantees(list) => list.iter().for_each(|found| guaranteed(&mut answer, found)),
    }
    Ok(answer)
}
