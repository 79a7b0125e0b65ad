//! The table of scripts/make_golden_guarantees.py.

use smoothtopk::certificate::{AnswerLabels, BoundFunctions};
use smoothtopk::stats::Tally;

use crate::statements::{certify_each, certify_kept, certify_order};

#[test]
fn guarantees_are_never_above_the_exact_radius_and_within_1e_9_sigma() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/guarantees.tsv");
    let text = std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{path}: {e}"));
    let failures: Vec<String> =
        text.lines().skip(1).filter_map(|line| check(line).err().map(|e| format!("{line}: {e}"))).collect();
    assert!(text.lines().count() > 800 && failures.is_empty(), "{}\n{}", failures.len(), failures.join("\n"));
}

fn check(line: &str) -> Result<(), String> {
    let row: Vec<&str> = line.split('\t').collect();
    let mut labels = Vec::new();
    for run in row[0].split(',') {
        let (count, times) = run.split_once('x').ok_or("not a run")?;
        labels.extend(vec![count.parse::<u64>().unwrap(); times.parse().unwrap()]);
    }
    let counts = Tally::new(labels, row[1].parse().unwrap()).map_err(|e| e.to_string())?;
    let (k, alpha, which): (usize, f64, usize) =
        (row[2].parse().unwrap(), row[3].parse().unwrap(), row[6].parse().unwrap());
    let returned = match row[4] {
        "same" => AnswerLabels::same_counts(&counts, k),
        _ => AnswerLabels::independent((0..k).collect()),
    }
    .map_err(|e| e.to_string())?;
    let (sigma, inference) = (0.5, BoundFunctions::FIXED);
    let radius = match row[5] {
        "kept" => certify_kept(&counts, &returned, which, sigma, alpha, &inference).map(|kept| kept.radius),
        "order" => certify_order(&counts, &returned, which, sigma, alpha, &inference).map(|order| order.radius),
        "each" => certify_each(&counts, &returned, sigma, alpha, &inference).map(|each| each.labels[which - 1].radius),
        other => return Err(format!("no guarantee {other}")),
    };
    let (radius, exact) = (radius.map_err(|e| e.to_string())? / sigma, row[7].parse::<f64>().unwrap());
    match exact {
        none if none <= 0.0 && radius == 0.0 => Ok(()),
        _ if radius < exact && exact - radius <= 1e-9 => Ok(()),
        _ => Err(format!("{radius} is {:e} below", exact - radius)),
    }
}
