//! Plans for a fixed number of rows, and for rows that a rule may stop.

use smoothtopk::certificate::plan::smallest_n_with;
use smoothtopk::stats::{Intervals, Spending};

use crate::common::smoothtopk;
use crate::{ok, refused};

fn plan(more: &[&str]) -> std::process::Output {
    smoothtopk([&["plan", "--sigma", "0.25", "--classes", "10", "--k", "1,3"], more].concat())
}

#[test]
fn a_plan_has_the_bounds_and_spendings_that_it_is_asked_for() {
    for rule in ["fixed", "tolerance:0.1", "steps:0.25", "radius:0.5"] {
        // A request for n rows has bounds for at most n.
        let intervals = |n| match rule {
            "fixed" => Intervals::Fixed,
            "steps:0.25" => Intervals::AnytimeTo(n),
            _ => Intervals::Anytime,
        };
        let more: &[&str] = if rule == "radius:0.5" { &[] } else { &["--radius", "0.5"] };
        let spendings = ["ranked:0.75", "pooled:0.5"];
        let table = ok(&plan(&[&["--rule", rule, "--bound", spendings[0], "--bound", spendings[1]], more].concat()));
        let mut lines = table.lines();
        assert_eq!(lines.next(), Some("k\tbound\tsmallest_n\tsmallest_n_for_radius_0.5"));
        for k in [1, 3] {
            for spending in spendings {
                let parsed: Spending = spending.parse().unwrap();
                let smallest = |share| smallest_n_with(k, 0.001, &parsed, intervals, 10, share).unwrap();
                let expected = format!("{k}\t{spending}\t{}\t{}", smallest(0.0), smallest(2.0));
                assert_eq!(lines.next(), Some(expected.as_str()), "{rule}");
            }
        }
    }
    // 13 rows of one label: the first names it, the others are the evidence.
    assert!(ok(&plan(&["--rule", "predict"])).contains("# predict at k = 1 abstains below n = 13\n"));
    let error = refused(&plan(&["--rule", "radius:0.5", "--radius", "0.25"]), 2);
    assert!(error.starts_with("smoothtopk: radius: "), "{error}");
    assert!(refused(&plan(&["--bound", "auto"]), 2).contains("--bound"));
}
