//! The tables of scripts/make_golden_stats.py.

use smoothtopk::certificate::{Query, top_k_radius};
use smoothtopk::counts::{Assumed, Counts};
use smoothtopk::perturbation::{Gaussian, Shift};
use smoothtopk::stats::randomized::{self, Uniform};
use smoothtopk::stats::{Allocation, Prob, anytime, binomial, normal};

struct Table {
    name: &'static str,
    rows: Vec<Vec<String>>,
}

impl Table {
    fn read(name: &'static str, columns: usize) -> Self {
        let path = format!("{}/tests/golden/{name}.tsv", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{path}: {e}"));
        let rows: Vec<Vec<String>> =
            text.lines().skip(1).map(|line| line.split('\t').map(String::from).collect()).collect();
        assert!(!rows.is_empty() && rows.iter().all(|row| row.len() == columns), "{path}");
        Self { name, rows }
    }

    /// Runs `check` on every row and reports all that fail at once.
    fn check(&self, check: impl Fn(&[String]) -> Result<(), String>) {
        let failures: Vec<String> =
            self.rows.iter().filter_map(|row| check(row).err().map(|e| format!("{row:.60?}: {e}"))).collect();
        let shown = failures.iter().take(20).cloned().collect::<Vec<_>>().join("\n");
        assert!(failures.is_empty(), "{}: {} of {} rows\n{shown}", self.name, failures.len(), self.rows.len());
    }
}

fn float(text: &str) -> f64 {
    text.parse().unwrap_or_else(|e| panic!("{text}: {e}"))
}

fn ensure(condition: bool, message: impl Fn() -> String) -> Result<(), String> {
    if condition { Ok(()) } else { Err(message()) }
}

/// Strictly below the nearest float of the exact value, so not above the exact value itself.
fn surely_not_above(value: f64, exact: f64) -> bool {
    value < exact || value == 0.0
}

#[test]
fn clopper_pearson_is_outward_and_within_1e_12() {
    Table::read("clopper_pearson", 5).check(|row| {
        let (n, trials, alpha) = (row[0].parse().unwrap(), row[1].parse().unwrap(), float(&row[2]));
        let (p, q) = (float(&row[3]), float(&row[4]));
        let bound = binomial::lower(n, trials, alpha).map_err(|e| e.to_string())?;
        let mirrored = binomial::upper(trials - n, trials, alpha).map_err(|e| e.to_string())?;
        ensure(mirrored == bound.complement(), || format!("upper is {mirrored:?}"))?;
        ensure(surely_not_above(bound.p, p) && (bound.q > q || bound.q == 1.0), || {
            format!("{bound:?} is not outward")
        })?;
        // 1e-12 of the smaller; the larger of the two is rounded to its own last place as well.
        let allowed = |x: f64| 1e-12 * p.min(q) + x * f64::EPSILON;
        let error = ((p - bound.p) / allowed(p)).max((bound.q - q) / allowed(q));
        ensure(error <= 1.0, || format!("{bound:?} is off by {error} of what is allowed"))
    });
}

#[test]
fn clopper_pearson_error_is_well_inside_its_margin() {
    // The outward margin is 4e-13: the true error must stay ten times below it, or the error analysis in
    // docs/statistics.md is wrong.
    Table::read("clopper_pearson", 5).check(|row| {
        let (n, trials, alpha) = (row[0].parse().unwrap(), row[1].parse().unwrap(), float(&row[2]));
        let (p, q) = (float(&row[3]), float(&row[4]));
        let bound = binomial::lower(n, trials, alpha).map_err(|e| e.to_string())?;
        let taken = if p <= q { (p - bound.p) / p } else { (bound.q - q) / q };
        ensure((taken - 4e-13).abs() < 4e-14, || format!("{taken:e} was taken off"))
    });
}

/// Rounded outward, and by no more than `most` relative to the smaller of p and q beyond what rounding to a float
/// takes.
fn outward_within(bound: Prob, p: f64, q: f64, most: f64) -> Result<(), String> {
    ensure(surely_not_above(bound.p, p) && (bound.q > q || bound.q == 1.0), || format!("{bound:?} is not outward"))?;
    let allowed = |x: f64| most * p.min(q) + x * f64::EPSILON;
    let error = ((p - bound.p) / allowed(p)).max((bound.q - q) / allowed(q));
    ensure(error <= 1.0, || format!("{bound:?} is off by {error} of what is allowed"))
}

/// The error that is left when the outward margin of 1e-12 is added back: it must stay five times below the margin.
fn error_well_inside(bound: Prob, p: f64, q: f64) -> Result<(), String> {
    let taken = if p <= q { (p - bound.p) / p } else { (bound.q - q) / q };
    ensure((taken - 1e-12).abs() < 2e-13, || format!("{taken:e} was taken off"))
}

#[test]
fn bounds_at_all_looks_are_outward_and_within_2e_12() {
    Table::read("anytime", 5).check(|row| {
        let (n, trials, alpha) = (row[0].parse().unwrap(), row[1].parse().unwrap(), float(&row[2]));
        let (p, q) = (float(&row[3]), float(&row[4]));
        let bound = anytime::lower(n, trials, alpha).map_err(|e| e.to_string())?;
        let mirrored = anytime::upper(trials - n, trials, alpha).map_err(|e| e.to_string())?;
        ensure(mirrored == bound.complement(), || format!("upper is {mirrored:?}"))?;
        outward_within(bound, p, q, 2e-12)?;
        error_well_inside(bound, p, q)
    });
}

#[test]
fn randomized_bounds_are_outward_and_within_2e_12() {
    Table::read("randomized", 6).check(|row| {
        let (n, trials, alpha) = (row[0].parse().unwrap(), row[1].parse().unwrap(), float(&row[2]));
        let (u, p, q) = (float(&row[3]), float(&row[4]), float(&row[5]));
        let Ok(uniform) = Uniform::new(u) else {
            return if u == 0.0 { Ok(()) } else { Err(format!("{u} is refused")) };
        };
        let bound = randomized::lower(n, trials, alpha, uniform).map_err(|e| e.to_string())?;
        outward_within(bound, p, q, 2e-12)?;
        error_well_inside(bound, p, q)
    });
}

#[test]
fn normal_keeps_full_relative_precision() {
    Table::read("normal", 3).check(|row| {
        let (x, exact) = (float(&row[1]), float(&row[2]));
        let value = match row[0].as_str() {
            "sf" => normal::sf(x),
            "ln_cdf" => normal::ln_cdf(x),
            "quantile" => normal::quantile(x),
            other => return Err(format!("no function {other}")),
        };
        // Subnormal tails have no full precision to keep.
        let allowed = if exact.abs() < 1e-300 { 1e-6 } else { 2e-15 };
        let error = ((value - exact) / exact).abs();
        ensure(value == exact || error <= allowed, || format!("{value:e}, off by {error:e}"))?;
        if row[0] == "sf" {
            ensure(normal::cdf(-x) == value, || "cdf is not the mirror of sf".into())?;
        }
        if row[0] == "quantile" {
            ensure(normal::quantile_of(&Prob { p: 1.0 - x, q: x }) == -value, || "quantile_of loses the tail".into())?;
        }
        Ok(())
    });
}

fn never_above_and_close(radius: f64, exact: f64) -> Result<(), String> {
    if exact <= 0.0 {
        return ensure(radius == 0.0, || format!("{radius} where there is none"));
    }
    ensure(surely_not_above(radius, exact), || format!("{radius} is above {exact}"))?;
    ensure(exact - radius <= 1e-9, || format!("{radius} is {:e} below {exact}", exact - radius))
}

/// A family that offers no more than it must: the search has no formula to start from.
struct Bare(Gaussian);

impl Shift for Bare {
    fn level_below(&self, bound: &Prob) -> f64 {
        self.0.level_below(bound)
    }

    fn level_above(&self, bound: &Prob) -> f64 {
        self.0.level_above(bound)
    }

    fn ln_min_prob(&self, level: f64, r: f64) -> f64 {
        self.0.ln_min_prob(level, r)
    }

    fn ln_max_prob(&self, level: f64, r: f64) -> f64 {
        self.0.ln_max_prob(level, r)
    }

    fn scale(&self) -> f64 {
        self.0.scale()
    }
}

#[test]
fn radius_is_never_above_the_root_and_within_1e_9_sigma() {
    Table::read("radius", 4).check(|row| {
        let value = float(&row[1]);
        let label = match row[0].as_str() {
            "p" => Prob { p: value, q: 1.0 - value },
            _ => Prob { p: 1.0 - value, q: value },
        };
        let rivals: Vec<Prob> = row[2].split(',').map(|r| Prob { p: float(r), q: 1.0 - float(r) }).collect();
        for sigma in [1.0, 0.25, 3e-5, 1024.0] {
            let found = top_k_radius(&Gaussian::new(sigma).unwrap(), label, &rivals).map_err(|e| e.to_string())?;
            never_above_and_close(found.radius / sigma, float(&row[3])).map_err(|e| format!("sigma {sigma}: {e}"))?;
            let found =
                top_k_radius(&Bare(Gaussian::new(sigma).unwrap()), label, &rivals).map_err(|e| e.to_string())?;
            never_above_and_close(found.radius / sigma, float(&row[3])).map_err(|e| format!("by search alone: {e}"))?;
        }
        Ok(())
    });
}

#[test]
fn certificates_from_counts_are_never_above_the_exact_radius() {
    Table::read("certify", 6).check(|row| {
        let mut labels = Vec::new();
        for run in row[0].split(',') {
            let (count, times) = run.split_once('x').ok_or("not a run")?;
            labels.extend(vec![count.parse::<u64>().unwrap(); times.parse().unwrap()]);
        }
        let assumed = Assumed::fixed(Gaussian::new(0.5).unwrap());
        let counts = Counts::assuming(labels, row[1].parse().ok(), assumed).map_err(|e| e.to_string())?;
        let (k, alpha, allocation) = (row[2].parse().unwrap(), float(&row[3]), row[4].parse::<Allocation>().unwrap());
        let query = Query { k, alpha, allocation, ..Query::of_label(0) };
        let certificate = counts.certify(&query).map_err(|e| e.to_string())?;
        never_above_and_close(certificate.radius / 0.5, float(&row[5]))
    });
}

#[test]
fn boundary_test_p_values_are_rounded_up() {
    Table::read("predict", 3).check(|row| {
        let (a, b, exact) = (row[0].parse().unwrap(), row[1].parse().unwrap(), float(&row[2]));
        let p = binomial::two_sided_half(a, b).map_err(|e| e.to_string())?;
        ensure(binomial::two_sided_half(b, a) == Ok(p), || "not symmetric".into())?;
        ensure(p == 1.0 || p > exact, || format!("{p:e} is below"))?;
        let close = (p - exact) / exact <= 1e-10;
        ensure(close || p == f64::MIN_POSITIVE, || format!("{p:e} is off by {:e}", (p - exact) / exact))
    });
}
