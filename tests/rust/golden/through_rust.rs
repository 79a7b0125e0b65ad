//! A case through the Rust API.

use std::sync::Arc;

use smoothtopk::certificate::{certify, predict};
use smoothtopk::model::{Model, ModelOptions};
use smoothtopk::sampler::{BaseClassifier, Plan};
use smoothtopk::smoothed::{Answer as Found, Control, Generator, Request, SmoothedClassifier, Task};
use smoothtopk::stats::{Bound, Counts};
use smoothtopk::{ErrorKind, Result};

use crate::file::{Answer, Case};

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

fn bound(case: &Case) -> Result<Bound> {
    case.bound.as_deref().unwrap_or("ranked").parse()
}

fn to_labels(labels: &[usize]) -> Vec<i64> {
    labels.iter().map(|&label| label as i64).collect()
}

fn from_counts(case: &Case) -> Result<Answer> {
    let labels = case.counts.clone();
    let counts = match case.n {
        None => Counts::complete(labels)?,
        Some(n) => Counts::new(labels, n)?,
    };
    let mut answer = Answer { status: "OK".into(), ..Answer::default() };
    let alpha = case.alpha.unwrap_or(0.001);
    for k in case.k() {
        if case.task == "counts_predict" {
            let found = predict(&counts, k, alpha)?;
            answer.labels.push(to_labels(&found.top));
            answer.abstain.push(found.abstain.into());
            answer.p_value.push(found.p_value);
        } else {
            let label = usize::try_from(case.label.expect("a label")).expect("a label");
            let found = certify(&counts, label, k, case.sigma.expect("sigma"), alpha, bound(case)?)?;
            answer.radius.push(found.shrunk_by(case.radius_slack.unwrap_or(0.0)).radius);
            answer.label = case.label;
        }
    }
    Ok(answer)
}

fn request(case: &Case) -> Result<Request> {
    let sigma = case.sigma.expect("sigma");
    let default = Request::new(sigma);
    Ok(Request {
        k: case.k(),
        n: case.n.unwrap_or(default.n),
        n0: case.n0.unwrap_or(default.n0),
        alpha: case.alpha.unwrap_or(default.alpha),
        bound: bound(case)?.into(),
        generator: Generator::Philox { seed: case.seed },
        input_max: case.input_max.unwrap_or(default.input_max),
        ..default
    })
}

/// What the grid takes off the radii of a case.
pub fn radius_slack(case: &Case) -> f64 {
    request(case).unwrap().noise().unwrap().radius_slack(case.input.len())
}

fn from_model(case: &Case) -> Result<Answer> {
    let options = ModelOptions { threshold: case.threshold, classes: case.classes, ..ModelOptions::default() };
    let path = crate::abi::test_model(case.model.as_deref().expect("a model"));
    let model = Arc::new(Model::open(path, &options)?);
    let plan = Plan { batch: model.fixed_batch().unwrap_or(96), threads: 2 };
    let smoothed = SmoothedClassifier::new(model, plan)?;
    let task = match (case.task.as_str(), case.label) {
        ("predict", _) => Task::Predict,
        (_, Some(label)) if label >= 0 => Task::Certify(label as usize),
        (_, None | Some(-1)) => Task::CertifySelected,
        // No usize says this; the C ABI's own answer is the only one.
        (_, Some(_)) => return Err(smoothtopk::Error::argument("label", "neither a label nor -1")),
    };
    let key = case.key.unwrap_or(0);
    let batch = smoothed.submit_batch(&case.input, &[task], &request(case)?, key, Control::default())?;
    let outcome = batch.wait().remove(0);
    let mut answer = Answer { status: "OK".into(), counts: outcome.counts.labels().to_vec(), ..Answer::default() };
    answer.selection = outcome.selection.map_or_else(Vec::new, |counts| counts.labels().to_vec());
    match outcome.answer? {
        Found::Predictions(list) => {
            for found in list {
                answer.labels.push(to_labels(&found.top));
                answer.abstain.push(found.abstain.into());
                answer.p_value.push(found.p_value);
            }
        }
        Found::Certificates(list) => {
            answer.label = list.first().map(|found| found.label as i64);
            answer.radius = list.iter().map(|found| found.radius).collect();
        }
        Found::Guarantees(_) => unreachable!("no case asks for it"),
    }
    Ok(answer)
}
