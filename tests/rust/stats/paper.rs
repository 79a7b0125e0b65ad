//! The counts and radii that the paper's authors published: 500 CIFAR-10 images, sigma 0.25, n = 100,000.

use std::path::PathBuf;

use smoothtopk::certificate::Query;
use smoothtopk::counts::{Assumed, Counts};
use smoothtopk::perturbation::Gaussian;
use smoothtopk::stats::Allocation;

fn shared(file: &str) -> Option<String> {
    let root = std::env::var_os("SMOOTHTOPK_SHARED")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared"), PathBuf::from);
    let path = root.join("data").join(file);
    let text = std::fs::read_to_string(&path);
    if text.is_err() {
        eprintln!("SKIPPED: the paper's data were not checked, there is no {}", path.display());
    }
    text.ok()
}

#[test]
fn radii_agree_with_the_published_ones_in_all_rows() {
    let (Some(counts), Some(radii)) =
        (shared("cifar10_sigma0.25_counts.txt"), shared("cifar10_sigma0.25_k3_radii.txt"))
    else {
        return;
    };
    let published: Vec<(usize, f64)> = radii
        .lines()
        .skip(1)
        .map(|line| {
            let (idx, radius) = line.split_once('\t').expect("idx, tab, radius");
            (idx.parse().expect("an index"), radius.parse().expect("a radius"))
        })
        .collect();
    assert_eq!((counts.lines().count(), published.len()), (500, 500));
    let (mut certified, mut same_digits) = (0, 0);
    for (row, (line, (idx, radius))) in counts.lines().zip(published).enumerate() {
        assert_eq!(idx, row + 1, "the published table counts from 1");
        let mut numbers: Vec<u64> = line.split_whitespace().map(|x| x.parse().expect("a count")).collect();
        let label = numbers.pop().expect("a label") as usize;
        let assumed = Assumed::fixed(Gaussian::new(0.25).expect("sigma"));
        let counts = Counts::assuming(numbers, None, assumed).expect("counts");
        let query = Query { k: 3, ..Query::of_label(label) };
        let ours = counts.certify(&Query { allocation: Allocation::SimuEm, ..query.clone() }).expect("a certificate");
        // Printed to three significant digits, 0.0 where there is none. The authors halve [0, 10] until it is shorter
        // than 1e-5 and take the lower end: the multiple of 10/2^20 below the root.
        let step = 10.0 / f64::from(1 << 20);
        assert_eq!(three_digits((ours.radius / step).floor() * step), radius, "row {row}: {}", ours.radius);
        same_digits += usize::from(three_digits(ours.radius) == radius);
        let ranked = counts.certify(&query).expect("a certificate");
        assert!(ranked.radius >= ours.radius, "row {row}: {} < {}", ranked.radius, ours.radius);
        certified += usize::from(ours.certified());
    }
    assert_eq!(certified, 471);
    // In the other five the root lies less than one of the authors' steps above the middle between two printed values.
    assert_eq!(same_digits, 495);
}

fn three_digits(x: f64) -> f64 {
    format!("{x:.2e}").parse().expect("a float")
}
