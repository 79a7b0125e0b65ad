//! Plans for a fixed number of samples, and for samples that a rule may end.

use smoothtopk::certificate::plan::Forecast;
use smoothtopk::certificate::{Basis, certify};
use smoothtopk::noise::Grid;
use smoothtopk::perturbation::Gaussian;
use smoothtopk::stats::{Allocation, Tally, Validity};

use crate::common::smoothtopk;
use crate::{model, ok, refused};

fn plan(more: &[&str]) -> std::process::Output {
    smoothtopk([&["plan", "--sigma", "0.25", "--classes", "10", "--k", "1,3"], more].concat())
}

/// What certify takes off for the rounding of the noise, with as many rows as the plan says and one fewer.
#[test]
fn the_n_of_a_plan_certifies_its_radius_and_one_row_less_does_not() {
    let n_of = |more: &[&str]| -> u64 {
        let base =
            ["plan", "--sigma", "0.25", "--classes", "10", "--k", "1", "--allocation", "binocp", "--radius", "0.5"];
        let table = ok(&smoothtopk([&base[..], more].concat()));
        assert_eq!(table.contains("# not taken off: "), more.is_empty(), "{table}");
        table.lines().nth(1).unwrap().split('\t').nth(3).unwrap().parse().unwrap()
    };
    // A coarse grid, of inputs to 2^18, whose slack moves n by more than one.
    let grid = Grid::for_range(262_144.0, 0.25).unwrap();
    let n = n_of(&["--elements", "64", "--input-max", "262144"]);
    assert!(n > n_of(&["--elements", "64"]) && n_of(&["--elements", "64"]) >= n_of(&[]));
    let certified = |n: u64| {
        let tally = Tally::new([vec![n], vec![0; 9]].concat(), n).unwrap();
        let mut basis = Basis::assuming(Gaussian::new(0.25).unwrap(), n, 0.001, Validity::Fixed);
        basis.radius_cost = grid.radius_cost(64);
        certify(&basis, &tally, 0, 1, &Allocation::BinoCp).unwrap().radius
    };
    assert!(certified(n) >= 0.5 && certified(n - 1) < 0.5, "{n}: {}, {}", certified(n), certified(n - 1));
    // The model says how many elements it takes.
    let model = ok(&smoothtopk(["plan", "--sigma", "0.25", "--n", "1000", "--model", &crate::model()]));
    assert!(
        model.contains(&format!("# radii are less {}: ", Grid::for_range(1.0, 0.25).unwrap().radius_cost(64))),
        "{model}"
    );
    let largest = |table: &str| table.lines().nth(1).unwrap().split('\t').nth(3).unwrap().parse::<f64>().unwrap();
    let without = ok(&smoothtopk(["plan", "--sigma", "0.25", "--n", "1000", "--classes", "10"]));
    assert!(largest(&model) < largest(&without));
    let of_data = ["plan", "--sigma", "0.25", "--n", "1e1", "--model", &crate::model(), "--data", &crate::data()];
    let table = ok(&smoothtopk(of_data));
    for part in [" for an example at n = 10\n", " for the 200 examples of "] {
        assert!(table.contains(part) && !table.contains("# 0 ") && !table.contains("# 0.00 "), "{table}");
    }
    assert!(refused(&smoothtopk(["plan", "--sigma", "0.25", "--data", &crate::data()]), 2).contains("--model"));
    let both = smoothtopk(["plan", "--sigma", "0.25", "--model", &crate::model(), "--elements", "3"]);
    assert_eq!(both.status.code(), Some(2));
    assert!(refused(&plan(&["--elements", "0"]), 2).contains("elements"));
    assert!(refused(&plan(&["--elements", "3", "--input-max", "-1"]), 2).contains("input-max"));
}

#[test]
fn a_plan_has_the_bounds_and_allocations_that_it_is_asked_for() {
    for rule in ["fixed", "tolerance:0.1", "steps:0.25", "radius:0.5"] {
        let more: &[&str] = if rule == "radius:0.5" { &[] } else { &["--radius", "0.5"] };
        let allocations = ["ranked:0.75", "pooled:0.5"];
        let table = ok(&plan(
            &[&["--rule", rule, "--allocation", allocations[0], "--allocation", allocations[1]], more].concat(),
        ));
        let mut lines = table.lines();
        assert_eq!(lines.next(), Some("k\tallocation\tsmallest_n\tsmallest_n_for_radius_0.5"));
        for k in [1, 3] {
            for allocation in allocations {
                let (rule, allocation): (_, Allocation) = (rule.parse().unwrap(), allocation.parse().unwrap());
                let forecast = Forecast::new(Gaussian::new(0.25).unwrap(), 10);
                let forecast = Forecast { rule, k, allocation: allocation.clone(), ..forecast };
                let smallest = |radius| forecast.smallest_n(radius).unwrap();
                let expected = format!("{k}\t{allocation}\t{}\t{}", smallest(0.0), smallest(0.5));
                assert_eq!(lines.next(), Some(expected.as_str()), "{rule}");
            }
        }
    }
    // The family by its name, and another one, whose radii are in another norm.
    let table = ok(&plan(&["--n", "1000"]));
    let by_name =
        |noise: &str| ok(&smoothtopk(["plan", "--noise", noise, "--classes", "10", "--k", "1,3", "--n", "1000"]));
    assert_eq!(by_name("gaussian:0.25"), table);
    let first = by_name("uniform:0.5").lines().nth(1).unwrap().split('\t').nth(3).unwrap().parse::<f64>().unwrap();
    assert!(first > 0.48 && first < 0.5, "{first} of at most lambda");
    // 13 samples of one label: the first names it, the others are the evidence.
    assert!(ok(&plan(&["--rule", "predict"])).contains("# predict at k = 1 abstains below n = 13\n"));
    let error = refused(&plan(&["--rule", "radius:0.5", "--radius", "0.25"]), 2);
    assert!(error.starts_with("smoothtopk: radius: "), "{error}");
    assert!(refused(&plan(&["--allocation", "auto"]), 2).contains("--allocation"));
}

#[cfg(target_os = "linux")]
#[test]
fn threads_follow_the_affinity_of_the_process() {
    use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
    use smoothtopk::sampler::Plan;

    let allowed = sched_getaffinity(None).unwrap();
    let first = (0..CpuSet::MAX_CPU).find(|cpu| allowed.is_set(*cpu)).unwrap();
    let mut one = CpuSet::new();
    one.set(first);
    // Of this thread, and so of the programs that it starts.
    sched_setaffinity(None, &one).unwrap();
    assert_eq!(Plan::usable_threads(), 1);
    let text = ok(&smoothtopk(["plan", "--sigma", "0.25", "--model", &model()]));
    assert!(text.contains("samples/s with 1 threads"), "{text}");
    sched_setaffinity(None, &allowed).unwrap();
}
