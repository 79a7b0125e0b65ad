//! Alpha budgets: shares that add to no more than the total, from many threads, and over a restart.

use std::collections::HashSet;
use std::ptr::null_mut;

use smoothtopk::capi::*;

use crate::abi::{Budget, Failed, c, call, text};

fn new(total: f64, schedule: &str) -> Result<Budget, Failed> {
    Budget::from(|out, err| unsafe { stk_budget_new(total, c(schedule).as_ptr(), out, err) })
}

fn draw(budget: &Budget, number: usize) -> Result<(u64, Vec<f64>), Failed> {
    let (mut alphas, mut first) = (vec![f64::NAN; number.max(1)], 0);
    call(|err| unsafe { stk_budget_draw(budget.0, number, alphas.as_mut_ptr(), &mut first, err) })?;
    Ok((first, alphas))
}

fn save(budget: &Budget) -> String {
    let mut bytes = [1; STK_BUDGET_TEXT_SIZE];
    call(|err| unsafe { stk_budget_save(budget.0, bytes.as_mut_ptr(), bytes.len(), err) }).unwrap();
    text(bytes.as_ptr())
}

fn open(text: &str) -> Result<Budget, Failed> {
    Budget::from(|out, err| unsafe { stk_budget_open(c(text).as_ptr(), out, err) })
}

#[test]
fn shares_add_to_the_total_and_no_more_are_drawn() {
    let budget = new(0.01, "even:4").unwrap();
    let (first, alphas) = draw(&budget, 3).unwrap();
    assert!(first == 1 && alphas.iter().all(|&alpha| alpha <= 0.0025 && alpha > 0.00249));
    // All or none.
    assert_eq!(draw(&budget, 2).unwrap_err().field, "budget");
    assert_eq!(draw(&budget, 0).unwrap_err().field, "number");
    unsafe {
        assert_eq!((stk_budget_drawn(budget.0), stk_budget_total(budget.0)), (3, 0.01));
        assert!(stk_budget_spent(budget.0) <= 0.0075 && stk_budget_left(budget.0) >= 0.0025 - 1e-17);
        assert!(stk_budget_left(budget.0) + stk_budget_spent(budget.0) <= 0.01);
    }
    assert_eq!(draw(&budget, 1).unwrap().0, 4);
    assert_eq!(draw(&budget, 1).unwrap_err().status, STK_STATUS_INVALID_ARGUMENT);
    for schedule in ["slow", "square"] {
        let budget = new(0.5, schedule).unwrap();
        let (_, alphas) = draw(&budget, 1000).unwrap();
        assert!(alphas.is_sorted_by(|a, b| a > b) && alphas.iter().sum::<f64>() < 0.5);
        let of = call(|err| unsafe { stk_budget_draw_of(budget.0, 0.001, null_mut(), err) });
        assert_eq!(of.unwrap_err().field, "schedule");
    }
}

#[test]
fn an_asked_budget_gives_while_there_is_enough() {
    let budget = new(0.01, "asked").unwrap();
    let draw_of = |alpha| {
        let mut statement = 0;
        call(|err| unsafe { stk_budget_draw_of(budget.0, alpha, &mut statement, err) })?;
        Ok::<_, Failed>(statement)
    };
    assert_eq!((draw_of(0.004), draw_of(0.004)), (Ok(1), Ok(2)));
    assert_eq!(draw_of(0.004).unwrap_err().field, "budget");
    assert_eq!(draw_of(0.0).unwrap_err().field, "alpha");
    assert_eq!(draw(&budget, 1).unwrap_err().field, "schedule");
    assert_eq!((draw_of(0.001), unsafe { stk_budget_drawn(budget.0) }), (Ok(3), 3));
}

#[test]
fn a_budget_goes_on_where_it_was_saved() {
    let budget = new(0.1, "slow").unwrap();
    draw(&budget, 7).unwrap();
    let text = save(&budget);
    assert!(!text.contains('\n') && text.starts_with('{'));
    let resumed = open(&text).unwrap();
    let spent = |budget: &Budget| unsafe { stk_budget_spent(budget.0) }.to_bits();
    assert_eq!((save(&resumed), spent(&resumed)), (text.clone(), spent(&budget)));
    let (first, alphas) = draw(&resumed, 1).unwrap();
    assert_eq!((first, alphas), draw(&budget, 1).unwrap());
    // Texts of no budget, and of one that spent more than it had.
    let total = text.replacen("\"total\":0.1", "\"total\":0.01", 1);
    assert_ne!(total, text);
    for (bad, field) in [("", "text"), ("{}", "text"), ("[1]", "text"), (total.as_str(), "spent")] {
        let failed = open(bad).err().unwrap();
        assert_eq!((failed.status, failed.field.as_str()), (STK_STATUS_INVALID_DATA, field), "{bad}");
    }
    let mut small = [0; STK_BUDGET_TEXT_SIZE];
    let failed = call(|err| unsafe { stk_budget_save(budget.0, small.as_mut_ptr(), STK_BUDGET_TEXT_SIZE - 1, err) });
    assert_eq!((failed.unwrap_err().field.as_str(), small), ("size", [0; STK_BUDGET_TEXT_SIZE]));
}

#[test]
fn budgets_that_cannot_be_are_refused() {
    for (total, schedule, field) in [
        (0.0, "slow", "total"),
        (f64::NAN, "slow", "total"),
        (-0.1, "even:3", "total"),
        (0.1, "even:0", "statements"),
        (0.1, "even", "schedule"),
        (0.1, "even:-1", "schedule"),
        (0.1, "", "schedule"),
        (10.0, "even:2", "alpha"),
    ] {
        let failed = new(total, schedule).err().unwrap();
        assert_eq!((failed.status, failed.field.as_str()), (STK_STATUS_INVALID_ARGUMENT, field), "{total} {schedule}");
    }
}

#[test]
fn threads_draw_each_share_once() {
    let budget = new(0.1, "even:4000").unwrap();
    let drawn: Vec<u64> = std::thread::scope(|scope| {
        let draws: Vec<_> =
            (0..4).map(|_| scope.spawn(|| (0..200).map(|_| draw(&budget, 5).unwrap().0).collect::<Vec<_>>())).collect();
        draws.into_iter().flat_map(|draws| draws.join().unwrap()).collect()
    });
    assert_eq!(drawn.iter().collect::<HashSet<_>>().len(), 800);
    assert!(drawn.iter().all(|first| (first - 1) % 5 == 0));
    assert!(unsafe { stk_budget_drawn(budget.0) } == 4000 && unsafe { stk_budget_spent(budget.0) } <= 0.1);
}
