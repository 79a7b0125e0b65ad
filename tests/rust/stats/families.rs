//! Ablation, windows, splitting noise and norms against tables by exact rationals, from a reference that is not this
//! project's.

use smoothtopk::certificate::{AnswerLabels, Basis, Guarantee, Query, certify};
use smoothtopk::counts::{Assumed, Counts};
use smoothtopk::perturbation::{Ablation, Family, Norm};
use smoothtopk::stats::{Allocation, Tally, Validity};

use super::l1_uniform::{number, rivals};

/// The rows of a table, by the names of its columns.
fn rows(table: &str) -> impl Iterator<Item = impl Fn(&str) -> String> {
    let mut lines = table.lines();
    let names: Vec<String> = lines.next().unwrap().split('\t').map(str::to_owned).collect();
    lines.map(move |line| {
        let (names, fields): (_, Vec<String>) = (names.clone(), line.split('\t').map(str::to_owned).collect());
        move |name: &str| fields[names.iter().position(|other| other == name).unwrap()].clone()
    })
}

/// The counts of a row: label 0 is certified.
fn counts(field: &impl Fn(&str) -> String, noise: impl Into<Family>) -> Counts {
    let labels: Vec<u64> = [field("label").parse().unwrap()].into_iter().chain(rivals(&field("rivals"))).collect();
    let n = labels.iter().sum::<u64>() + field("none").parse::<u64>().unwrap();
    Counts::assuming(labels, Some(n), Assumed::fixed(noise)).unwrap()
}

fn radius(counts: &Counts, k: &str, alpha: f64, allocation: Allocation) -> f64 {
    let query = Query { k: k.parse().unwrap(), alpha, allocation, ..Query::of_label(0) };
    counts.certify(&query).unwrap().radius
}

/// What is not certified at size 0 has the radius 0 here, and -1 there.
fn size(text: &str) -> f64 {
    text.parse::<f64>().unwrap().max(0.0)
}

#[test]
fn ablation_certifies_the_same_numbers_of_pixels() {
    let (mut all, mut certified) = (0, 0);
    for field in rows(include_str!("../../golden/l0.tsv")) {
        let noise = Ablation::new(number(&field("e")) as u32).unwrap().of(number(&field("d")) as u32).unwrap();
        let found =
            radius(&counts(&field, noise), &field("k"), number(&field("alpha")), field("bound").parse().unwrap());
        assert_eq!(found, size(&field("radius")), "d = {}, e = {}, {}", field("d"), field("e"), field("label"));
        (all, certified) = (all + 1, certified + u32::from(found > 0.0));
    }
    assert!(all == 210 && certified > 80, "{certified} of {all}");
}

#[test]
fn windows_certify_the_same_patches_by_counts() {
    let (mut all, mut certified) = (0, 0);
    // Several votes a position are another base classifier than the product's.
    for field in rows(include_str!("../../golden/patches.tsv")).filter(|field| field("votes") == "1") {
        let wrap = if field("wrap") == "1" { "yes" } else { "no" };
        let (kind, size_of, height, width) = (field("kind"), field("size"), field("height"), field("width"));
        let text = format!("{kind}:{size_of}:height={height}:width={width}:wrap={wrap}");
        let noise: Family = text.parse().unwrap();
        assert_eq!(noise.rows(), Some(field("positions").parse().unwrap()), "{text}");
        let found = radius(&counts(&field, noise), &field("k"), 0.001, Allocation::default());
        assert_eq!(found, size(&field("patch_unknown")), "{text}: {} {}", field("label"), field("rivals"));
        if field("none") == "0" {
            assert_eq!(field("patch_unknown"), field("patch"));
        }
        (all, certified) = (all + 1, certified + u32::from(found > 0.0));
    }
    assert!(all > 100 && certified > 40, "{certified} of {all}");
}

/// Counts of windows whose places are known, as a file has them.
pub fn of_votes(noise: &str, classes: usize, votes: &[Option<usize>]) -> Counts {
    let mut labels = vec![0; classes];
    votes.iter().flatten().for_each(|&vote| labels[vote] += 1);
    let fixed = Counts::assuming(labels, Some(votes.len() as u64), Assumed::fixed(noise.parse::<Family>().unwrap()));
    let mut form: serde_json::Value = serde_json::from_str(&fixed.unwrap().to_json()).unwrap();
    let elements = noise.split(':').filter_map(|part| part.split_once('=')).filter(|(key, _)| *key != "channels");
    let elements: usize = elements.filter_map(|(_, value)| value.parse::<usize>().ok()).product();
    (form["votes"], form["perturbation"]["method"]) = (serde_json::to_value(votes).unwrap(), "window 1".into());
    form["perturbation"]["elements"] = elements.into();
    Counts::from_json(&form.to_string()).unwrap()
}

#[test]
fn known_places_certify_the_same_patches() {
    let (mut all, mut more) = (0, 0);
    for field in rows(include_str!("../../golden/patches_positions.tsv")) {
        let wrap = if field("wrap") == "1" { "yes" } else { "no" };
        let noise = format!("band:{}:height=1:width={}:channels=none:wrap={wrap}", field("size"), field("width"));
        let votes: Vec<Option<usize>> = field("votes_by_position").split(',').map(|vote| vote.parse().ok()).collect();
        let counts = of_votes(&noise, field("classes").parse().unwrap(), &votes);
        let found = radius(&counts, &field("k"), 0.001, Allocation::default());
        let (exact, by_counts) = (size(&field("patch")), size(&field("patch_by_counts")));
        if votes.iter().all(Option::is_some) {
            assert_eq!(found, exact, "{noise}: {}", field("votes_by_position"));
        } else {
            // There a place without a label decides for none; here it may have been any rival's.
            assert!(found <= exact, "{noise}: {}", field("votes_by_position"));
        }
        (all, more) = (all + 1, more + u32::from(found > by_counts));
    }
    assert!(all == 200 && more > 10, "{more} of {all}");
}

#[test]
fn splits_certify_the_same_multiples() {
    let (mut all, mut certified) = (0, 0);
    for field in rows(include_str!("../../golden/l1_dssn.tsv")) {
        let (q, splits) = (field("q"), field("splits"));
        let noise: Family = format!("split:{splits}:levels={q}").parse().unwrap();
        let found = radius(&counts(&field, noise), &field("k"), 0.001, Allocation::default());
        let steps = size(&field("steps_unknown"));
        assert!((found * number(&q) - steps).abs() < 1e-9, "{found}, {steps}/{q} of {splits} splits");
        // Never above m/q, not even by a rounding.
        assert!(found.mul_add(number(&q), -steps) <= 0.0, "{found} is above {steps}/{q}");
        (all, certified) = (all + 1, certified + u32::from(found > 0.0));
    }
    assert!(all == 200 && certified > 80, "{certified} of {all}");
}

#[test]
fn radii_in_other_norms_are_rounded_down() {
    let norm = |text: &str| match text {
        "1" => Norm::L1,
        "2" => Norm::L2,
        _ => Norm::Linf,
    };
    for field in rows(include_str!("../../golden/norms.tsv")) {
        let (from, to) = (norm(&field("norm_from")), norm(&field("norm_to")));
        let elements = field("d").parse().unwrap();
        let found = from.within(number(&field("radius")), to, elements).unwrap();
        // The text has 30 digits, and f64 rounds it to the nearest: the next one may be the exact one's floor.
        let exact = number(&field("radius_to"));
        assert!(found <= exact && exact - found <= 4.0 * f64::EPSILON * exact, "{found}, {exact}");
        assert_eq!((from.within(1.0, Norm::L0, elements), Norm::L0.within(1.0, to, elements)), (None, None));
    }
}

#[test]
fn costs_are_taken_off_radii_of_all_rows_and_parts_of_rows_certify_nothing() {
    let split: Family = "split:10:levels=4".parse().unwrap();
    let query = Query { alpha: 0.0, ..Query::of_label(0) };
    let radius = |radius_cost| {
        let assumed = Assumed { radius_cost, ..Assumed::fixed(split) };
        Counts::assuming(vec![10, 0, 0], None, assumed).unwrap().certify(&query).unwrap().radius
    };
    let found = [radius(0.0), radius(0.5), radius(2.0)];
    assert!(found[0] == 1.0 && found[1] <= 0.5 && found[1] > 0.4999 && found[2] == 0.0, "{found:?}");
    // Numbers alone: of 10 rows 4 do not say what the others are.
    let basis = Basis::assuming(split, 10, 0.0, Validity::Exact);
    let part = Tally::complete(vec![4, 0, 0]).unwrap();
    let labels = AnswerLabels::same_counts(&part, 1).unwrap();
    assert_eq!(Guarantee::new(&basis, &part, &labels).unwrap_err().field(), Some("n"));
    assert_eq!(certify(&basis, &part, 0, 1, &Allocation::default()).unwrap_err().field(), Some("n"));
}

#[test]
fn equal_texts_hide_pixels_by_the_same_bits() {
    let hidden = |text: &str| match text.parse::<Family>().unwrap() {
        Family::Ablation(noise) => noise.value(),
        _ => unreachable!(),
    };
    assert_eq!(hidden("ablate:4:value=-0").to_bits(), hidden("ablate:4").to_bits());
}
