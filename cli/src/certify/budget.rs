//! An alpha that all statements of a RUN share.

use smoothtopk::certificate::{AlphaBudget, Schedule};
use smoothtopk::{Error, Result};

/// The statements that a RUN makes about `examples` examples.
pub fn statements(examples: usize, ks: &[usize], classes: usize, guarantee: bool) -> u64 {
    let of_k = |&k: &usize| {
        if !guarantee {
            return 1;
        }
        // At least e of k labels stay, for each e where that is not so for want of labels outside.
        let kept = (1..=k).filter(|e| k - e < classes.saturating_sub(k)).count() as u64;
        // Every label, the set, the first, the ranking.
        4 + kept
    };
    ks.iter().map(of_k).sum::<u64>().saturating_mul(examples as u64)
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
        assert_eq!(statements(20, &[1, 3], 10, false), 40);
        // 4 and the e = 1 of k = 1; 4 and e = 1, 2, 3 of k = 3.
        assert_eq!(statements(20, &[1, 3], 10, true), 20 * (5 + 7));
        // Of 4 labels one is outside: at most one of 3 can leave, so only e = 3 says something.
        assert_eq!(statements(1, &[3], 4, true), 5);
        let alpha = share(0.01, 240).unwrap();
        assert!(alpha * 240.0 <= 0.01 && alpha > 0.999 * 0.01 / 240.0);
        for (total, number) in [(0.0, 2), (f64::NAN, 2), (1.0, 1), (1e-99, 100)] {
            assert_eq!(share(total, number).unwrap_err().field(), Some("alpha-total"), "{total}");
        }
    }
}
