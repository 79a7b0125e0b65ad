//! The samples that predict takes at least.

use smoothtopk::Result;
use smoothtopk::certificate::plan;
use smoothtopk::certificate::stop::{PredictJudge, Rule, StopJudge, Terms};
use smoothtopk::stats::MAX_TRIALS;

/// The smallest number of samples with which predict can do anything but abstain.
pub fn smallest_n_to_predict(rule: Rule, k: usize, alpha: f64, classes: usize) -> Result<u64> {
    match rule {
        Rule::Fixed => plan::smallest_n_to_predict(k, alpha, classes),
        _ => first_settled(k, alpha, classes),
    }
}

/// The smallest number of samples at which a look can settle a top-k set.
fn first_settled(k: usize, alpha: f64, classes: usize) -> Result<u64> {
    let judge = PredictJudge::new(&Terms { rule: Rule::Predict, classes, alpha, n_max: MAX_TRIALS }, &[k])?;
    // The first look only names the set to bet on.
    Ok(judge.next_look(judge.next_look(0)))
}
