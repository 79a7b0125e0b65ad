//! `stk_budget`.

use std::ffi::c_char;

use super::error::stk_error;
use super::ffi::{Handle, call, free, get, opaque};
use super::status::stk_status;
use crate::certificate::{AlphaBudget, BudgetState};
use crate::{Error, ErrorKind};

/// An alpha that many statements share: those about a data set, or about a day's requests. With every statement made at
/// the alpha of a share of its own, drawn before the samples it rests on, the probability that any of them is wrong is
/// at most the total, and the expected number of wrong ones at most what was spent; neither needs the statements to be
/// independent.
///
/// A share is spent when it is drawn, whether or not a statement comes of it. Several inputs, several k, a guarantee's
/// parts, and under a stopping rule a certificate and its refutation are several statements. Functions that take a
/// const budget are safe from any number of threads.
pub struct stk_budget(Handle<AlphaBudget>);
opaque!(stk_budget holds AlphaBudget);

/// Bytes that the text of any budget has room in, with its NUL.
pub const STK_BUDGET_TEXT_SIZE: usize = 256;

/// Makes a budget of which nothing is spent.
///
/// @param total The alpha that all statements share: above 0, at most 1e12. From 1 up it bounds the expected number of
/// wrong statements, and says nothing of their being all right.
/// @param schedule How they share it. Not NULL. "even:M": a known number M of statements, total/M each. For any number
/// of statements: "slow", shares that fall little faster than 1/i; "square", 6/(pi^2 i^2) of the total for the i-th;
/// "asked", each what it asks for (stk_budget_draw_of), while there is enough.
/// @param out Not NULL. Gets the budget; free it with stk_budget_free.
/// @param err May be NULL.
/// @return STK_STATUS_OK; STK_STATUS_INVALID_ARGUMENT, also where the share of one of M statements is not from 1e-100
/// to 0.5.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_budget_new(
    total: f64,
    schedule: *const c_char,
    out: *mut *mut stk_budget,
    err: *mut *mut stk_error,
) -> stk_status {
    call!(err, |args| {
        let schedule = args.text(schedule, "schedule")?.parse()?;
        let out = args.out(out, "out")?;
        out.give(AlphaBudget::new(total, schedule)?);
        Ok(())
    })
}

/// Opens a budget as it stood when it was saved.
///
/// @param text What stk_budget_save gave. Not NULL.
/// @param out Not NULL. Gets the budget; free it with stk_budget_free.
/// @param err May be NULL.
/// @return STK_STATUS_OK; STK_STATUS_INVALID_DATA or STK_STATUS_INVALID_ARGUMENT when the text is not one of a budget.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_budget_open(
    text: *const c_char,
    out: *mut *mut stk_budget,
    err: *mut *mut stk_error,
) -> stk_status {
    call!(err, |args| {
        let text = args.text(text, "text")?;
        let out = args.out(out, "out")?;
        let state: BudgetState = serde_json::from_str(text).map_err(|error| {
            Error::data("text", format!("is not a budget as stk_budget_save gives it: {error}")).caused_by(error)
        })?;
        out.give(AlphaBudget::resume(state)?);
        Ok(())
    })
}

/// Gives the budget as it stands, as a JSON object on one line. A server that may stop at any moment draws a number of
/// shares ahead, saves the budget and only then uses them: what it had not used when it stopped is lost, never spent
/// twice.
///
/// @param budget Not NULL.
/// @param text Not NULL. Gets the text, with its NUL.
/// @param size Bytes there is room for, at least STK_BUDGET_TEXT_SIZE.
/// @param err May be NULL.
/// @return STK_STATUS_OK; STK_STATUS_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_budget_save(
    budget: *const stk_budget,
    text: *mut c_char,
    size: usize,
    err: *mut *mut stk_error,
) -> stk_status {
    call!(err, |args, budget| {
        let budget = budget.shared()?;
        let text = args.out(text, "text").and_then(|_| args.out_array(text, size, "text"))?;
        if size < STK_BUDGET_TEXT_SIZE {
            let message = format!("must be at least STK_BUDGET_TEXT_SIZE, {STK_BUDGET_TEXT_SIZE}; got {size}");
            return Err(Error::argument("size", message).into());
        }
        let json = to_json(&budget.state())?;
        if let Some(text) = text {
            text.set(&json);
        }
        Ok(())
    })
}

fn to_json(state: &BudgetState) -> Result<Vec<c_char>, Error> {
    let internal = |message: String| Error::new(ErrorKind::Internal, message);
    let json = serde_json::to_string(state).map_err(|error| internal(format!("no JSON of the budget: {error}")))?;
    if json.len() >= STK_BUDGET_TEXT_SIZE {
        return Err(internal(format!("the budget's text has {} bytes", json.len())));
    }
    Ok(json.bytes().chain([0]).map(|byte| byte as c_char).collect())
}

/// Draws the shares of the next statements, all or none. Not for an "asked" budget. Draw before the samples of the
/// statements.
///
/// @param budget Not NULL.
/// @param number How many, at least 1.
/// @param alphas Not NULL; room for `number`. Gets the failure probability that each may be made at
/// (stk_request_set_alpha).
/// @param first May be NULL. Gets which statement the first of them is, from 1.
/// @param err May be NULL.
/// @return STK_STATUS_OK; STK_STATUS_INVALID_ARGUMENT, also when the budget is exhausted: nothing is then spent.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_budget_draw(
    budget: *const stk_budget,
    number: usize,
    alphas: *mut f64,
    first: *mut u64,
    err: *mut *mut stk_error,
) -> stk_status {
    call!(err, |args, budget| {
        let budget = budget.shared()?;
        let out = args.out(alphas, "alphas").and_then(|_| args.out_array(alphas, number, "alphas"))?;
        let first = args.out_array(first, 1, "first")?;
        if number == 0 {
            return Err(Error::argument("number", "must be at least 1").into());
        }
        let shares = budget.draw_many(number)?;
        if let Some(out) = out {
            out.set(&shares.iter().map(|share| share.alpha).collect::<Vec<_>>());
        }
        if let (Some(first), [share, ..]) = (first, &shares[..]) {
            first.set(&[share.statement]);
        }
        Ok(())
    })
}

/// Draws alpha for one statement, from an "asked" budget. It must not depend on the samples of that statement.
///
/// @param budget Not NULL.
/// @param alpha From 1e-100 to 0.5.
/// @param statement May be NULL. Gets which statement it is, from 1.
/// @param err May be NULL.
/// @return STK_STATUS_OK; STK_STATUS_INVALID_ARGUMENT, also when less is left: nothing is then spent.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_budget_draw_of(
    budget: *const stk_budget,
    alpha: f64,
    statement: *mut u64,
    err: *mut *mut stk_error,
) -> stk_status {
    call!(err, |args, budget| {
        let budget = budget.shared()?;
        let statement = args.out_array(statement, 1, "statement")?;
        let share = budget.draw_of(alpha)?;
        if let Some(statement) = statement {
            statement.set(&[share.statement]);
        }
        Ok(())
    })
}

/// The alpha that all statements share.
///
/// @param budget May be NULL: 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_budget_total(budget: *const stk_budget) -> f64 {
    get!(budget, 0.0, |budget| budget.state().total)
}

/// What the shares that were drawn add to, rounded up.
///
/// @param budget May be NULL: 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_budget_spent(budget: *const stk_budget) -> f64 {
    get!(budget, 0.0, |budget| budget.state().spent)
}

/// What is not spent, rounded down.
///
/// @param budget May be NULL: 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_budget_left(budget: *const stk_budget) -> f64 {
    get!(budget, 0.0, AlphaBudget::left)
}

/// How many shares were drawn.
///
/// @param budget May be NULL: 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_budget_drawn(budget: *const stk_budget) -> u64 {
    get!(budget, 0, |budget| budget.state().drawn)
}

/// Frees a budget.
///
/// @param budget May be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_budget_free(budget: *mut stk_budget) {
    free!(budget);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::certificate::Schedule;

    #[test]
    fn the_longest_text_has_room() {
        let state = AlphaBudget::new(1.2345678901234567e11, Schedule::Even { statements: u64::MAX }).unwrap().state();
        let json = serde_json::to_string(&state).unwrap();
        // The two other numbers, at their longest.
        assert!(json.len() + 20 + 24 < STK_BUDGET_TEXT_SIZE, "{json}");
    }
}
