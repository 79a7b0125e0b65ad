//! A budget is never overspent: whatever the schedule, over restarts, and drawn from by many threads at once.

use std::sync::Arc;

use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use smoothtopk::ErrorKind::{InvalidArgument, InvalidData};
use smoothtopk::certificate::{AlphaBudget, BudgetState, Schedule};

/// The sum of the shares in exact arithmetic: each is an integer number of 2^-1074, too wide for any integer type, so
/// carries are kept by Neumaier's compensation, ample for the few ulps that are at stake.
fn sum(shares: impl IntoIterator<Item = f64>) -> f64 {
    let (mut sum, mut rest) = (0.0f64, 0.0f64);
    for share in shares {
        let next = sum + share;
        rest += if sum >= share { (sum - next) + share } else { (share - next) + sum };
        sum = next;
    }
    sum + rest
}

fn schedules() -> impl Strategy<Value = Schedule> {
    prop_oneof![
        (1u64..3000).prop_map(|statements| Schedule::Even { statements }),
        Just(Schedule::Slow),
        Just(Schedule::Square)
    ]
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 300, rng_seed: RngSeed::Fixed(22), failure_persistence: None, ..ProptestConfig::default()
    })]

    #[test]
    fn shares_add_to_at_most_the_total_over_restarts(
        schedule in schedules(), exponent in -12.0..-0.31f64, restarts in prop::collection::vec(1usize..500, 1..8),
    ) {
        let total = 10f64.powf(exponent);
        let (mut budget, mut shares) = (AlphaBudget::new(total, schedule).unwrap(), Vec::new());
        for draws in restarts {
            let text = serde_json::to_string(&budget.state()).unwrap();
            budget = AlphaBudget::resume(serde_json::from_str(&text).unwrap()).unwrap();
            for _ in 0..draws {
                match budget.draw() {
                    Ok(share) => {
                        prop_assert_eq!(share.statement, shares.len() as u64 + 1);
                        shares.push(share.alpha);
                    }
                    Err(refused) => {
                        prop_assert_eq!((refused.kind(), refused.field()), (InvalidArgument, Some("budget")));
                        prop_assert_eq!(schedule, Schedule::Even { statements: shares.len() as u64 });
                    }
                }
            }
        }
        let spent = sum(shares.iter().copied());
        prop_assert!(spent <= total && spent <= budget.state().spent && budget.state().spent <= total);
        prop_assert_eq!(budget.state().drawn, shares.len() as u64);
        prop_assert!(budget.left() <= total - spent);
    }

    #[test]
    fn what_is_asked_for_is_given_while_there_is_enough(
        total in 1e-6..2.0f64, asked in prop::collection::vec(1e-9..0.5f64, 1..60),
    ) {
        let budget = AlphaBudget::new(total, Schedule::Asked).unwrap();
        let mut given = Vec::new();
        for alpha in asked {
            match budget.draw_of(alpha) {
                Ok(share) => given.push(share.alpha),
                Err(refused) => {
                    prop_assert_eq!(refused.field(), Some("budget"));
                    prop_assert!(sum(given.iter().copied()) + alpha > total * (1.0 - 1e-12));
                }
            }
            prop_assert!(sum(given.iter().copied()) <= total);
        }
    }
}

#[test]
fn an_amount_that_just_fits_is_given() {
    let budget = AlphaBudget::new(1.0, Schedule::Asked).unwrap();
    for _ in 0..4 {
        budget.draw_of(0.25).unwrap();
    }
    let before = budget.state();
    assert_eq!(budget.draw_of(1e-30).unwrap_err().field(), Some("budget"));
    assert_eq!((budget.state(), budget.left()), (before, 0.0));
}

#[test]
fn many_threads_draw_every_share_once() {
    let budget = Arc::new(AlphaBudget::new(0.01, Schedule::Even { statements: 4000 }).unwrap());
    let threads: Vec<_> = (0..8)
        .map(|i| {
            let budget = Arc::clone(&budget);
            // Half of them in blocks, which come whole or not at all.
            std::thread::spawn(move || {
                let mut mine = Vec::new();
                while let Ok(shares) = budget.draw_many(if i % 2 == 0 { 1 } else { 7 }) {
                    mine.extend(shares.into_iter().map(|share| share.statement));
                }
                mine
            })
        })
        .collect();
    let mut all: Vec<u64> = threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
    all.sort_unstable();
    assert_eq!(all, (1..=4000).collect::<Vec<u64>>());
    assert!(budget.draw().is_err() && budget.draw_many(0).unwrap().is_empty());
}

#[test]
fn what_cannot_be_shared_is_refused() {
    let kind = |total, schedule| AlphaBudget::new(total, schedule).map(|_| ()).map_err(|e| e.kind());
    for total in [0.0, -0.1, f64::NAN, f64::INFINITY, 1e13] {
        assert_eq!(kind(total, Schedule::Slow), Err(InvalidArgument), "{total}");
    }
    assert_eq!(kind(0.1, Schedule::Even { statements: 0 }), Err(InvalidArgument));
    assert_eq!(kind(1e-95, Schedule::Even { statements: 1_000_000 }), Err(InvalidArgument));
    assert_eq!(kind(10.0, Schedule::Even { statements: 1 }), Err(InvalidArgument));
    // Ten expected false statements among a million: a total above 1 is only an expected number.
    assert_eq!(kind(10.0, Schedule::Even { statements: 1_000_000 }), Ok(()));
    // A budget that the schedule cannot serve says which way to draw.
    let (asked, even) = (Schedule::Asked, Schedule::Even { statements: 3 });
    assert_eq!(AlphaBudget::new(0.1, asked).unwrap().draw().unwrap_err().field(), Some("schedule"));
    assert_eq!(AlphaBudget::new(0.1, even).unwrap().draw_of(0.01).unwrap_err().field(), Some("schedule"));
    // Shares below the smallest alpha are not given.
    let tiny = AlphaBudget::new(2e-100, Schedule::Square).unwrap();
    assert!(tiny.draw().is_ok() && tiny.draw().is_err() && tiny.state().drawn == 1);
    assert!(AlphaBudget::new(0.1, even).unwrap().draw_many(4).is_err());
}

#[test]
fn a_state_that_no_budget_has_is_refused() {
    let state = |text: &str| serde_json::from_str::<BudgetState>(text).map_err(|e| e.to_string());
    let resumed = |text: &str| AlphaBudget::resume(state(text).unwrap()).map(|_| ()).map_err(|e| e.kind());
    let even = |drawn: u64, spent: &str| {
        format!(r#"{{"total":0.1,"schedule":{{"even":{{"statements":10}}}},"drawn":{drawn},"spent":{spent}}}"#)
    };
    assert_eq!(resumed(&even(3, "0.03")), Ok(()));
    for text in [even(11, "0.1"), even(0, "0.01"), even(3, "0.0"), even(3, "0.2"), even(3, "-0.01")] {
        assert_eq!(resumed(&text), Err(InvalidData), "{text}");
    }
    assert!(state(r#"{"total":0.1,"schedule":"slow","drawn":0}"#).is_err());
    assert!(state(r#"{"total":0.1,"schedule":"slow","drawn":0,"spent":0.0,"more":1}"#).is_err());
    assert_eq!(resumed(r#"{"total":0.1,"schedule":"slow","drawn":0,"spent":0.0}"#), Ok(()));
}
