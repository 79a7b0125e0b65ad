//! An alpha that all statements of a RUN share.

use smoothtopk::certificate::stop::Rule;
use smoothtopk::certificate::{AlphaBudget, Schedule};
use smoothtopk::{Error, Result};

/// The statements that a RUN makes, each at its alpha.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Statements {
    /// All of them.
    pub all: u64,
    /// How many of them may refute: under a rule, whether a radius can be reached is a statement beside the
    /// certificate.
    pub refuting: u64,
}

impl Statements {
    /// Of a RUN of so many examples.
    pub fn of(examples: usize, ks: &[usize], classes: usize, guarantee: bool, rule: &Rule) -> Self {
        let of_k = |&k: &usize| {
            if !guarantee {
                return 1;
            }
            // At least e of k labels stay, for each e for which enough labels are outside to push the others out.
            let kept = (1..=k).filter(|e| k - e < classes.saturating_sub(k)).count() as u64;
            // Every label, the set, the first, the ranking.
            4 + kept
        };
        let refuting = if *rule == Rule::Fixed { 0 } else { (ks.len() as u64).saturating_mul(examples as u64) };
        let certifying = ks.iter().map(of_k).sum::<u64>().saturating_mul(examples as u64);
        Self { all: certifying.saturating_add(refuting), refuting }
    }
}

/// The alpha of each.
pub fn share(total: f64, statements: u64) -> Result<f64> {
    let share = AlphaBudget::new(total, Schedule::Even { statements }).and_then(|budget| budget.draw());
    let wrong = |error: Error| {
        Error::argument("alpha-total", format!("{} ({total} among {statements} statements)", error.message()))
    };
    Ok(share.map_err(wrong)?.alpha)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_statement_is_counted_and_shares_add_to_no_more_than_the_total() {
        let of = |examples, ks: &[usize], classes, guarantee, rule: Rule| {
            let Statements { all, refuting } = Statements::of(examples, ks, classes, guarantee, &rule);
            (all, refuting)
        };
        assert_eq!(of(20, &[1, 3], 10, false, Rule::Fixed), (40, 0));
        // A rule certifies or refutes; each of both may be wrong.
        assert_eq!(of(20, &[1, 3], 10, false, Rule::Radius(0.5)), (80, 40));
        // 4 and the e = 1 of k = 1; 4 and e = 1, 2, 3 of k = 3.
        assert_eq!(of(20, &[1, 3], 10, true, Rule::Fixed), (20 * (5 + 7), 0));
        assert_eq!(of(20, &[1, 3], 10, true, Rule::Radius(0.5)), (20 * (6 + 8), 40));
        // Of 4 labels one is outside: at most one of 3 can leave, so only e = 3 says something.
        assert_eq!(of(1, &[3], 4, true, Rule::Fixed), (5, 0));
        let alpha = share(0.01, 240).unwrap();
        assert!(alpha * 240.0 <= 0.01 && alpha > 0.999 * 0.01 / 240.0);
        for (total, number) in [(0.0, 2), (f64::NAN, 2), (1.0, 1), (1e-99, 100)] {
            assert_eq!(share(total, number).unwrap_err().field(), Some("alpha-total"), "{total}");
        }
    }
}
