//! `stk_decision`.

use std::ffi::{CStr, c_char};

use crate::certificate::stop::Decision;

/// What a rule decided for one k: one of the STK_DECISION_ constants. Later versions may add values.
pub type stk_decision = i32;

/// Nothing: there is no answer, or no rule was involved (counts alone).
pub const STK_DECISION_NONE: stk_decision = 0;
/// fixed: the n samples were drawn.
pub const STK_DECISION_COMPLETE: stk_decision = 1;
/// radius: the label is certified at the radius asked for.
pub const STK_DECISION_CERTIFIED: stk_decision = 2;
/// radius: no number of samples could certify that radius. tolerance, steps: none could certify any. Wrong with
/// probability at most alpha.
pub const STK_DECISION_REFUTED: stk_decision = 3;
/// tolerance: more samples are expected to add no more than the tolerance. steps: no number of samples, or none up to
/// n, could bring the radius to the next step.
pub const STK_DECISION_REACHED: stk_decision = 4;
/// predict: the top-k set is settled.
pub const STK_DECISION_SETTLED: stk_decision = 5;
/// The samples ended without a decision: at n, at the deadline, or as soon as what was left of n could decide nothing.
/// The answer that is given with it is sound all the same.
pub const STK_DECISION_UNDECIDED: stk_decision = 6;
/// An interim answer: nothing is decided yet, and more samples are drawn. What is given with it is sound all the same.
pub const STK_DECISION_OPEN: stk_decision = 7;

/// The name of a decision without its prefix, in lower case as records have it, such as "certified"; "unknown" for
/// any other value.
///
/// @return A static string, never NULL. Safe from any thread.
#[unsafe(no_mangle)]
pub extern "C" fn stk_decision_name(decision: stk_decision) -> *const c_char {
    name(decision).as_ptr()
}

fn name(decision: stk_decision) -> &'static CStr {
    match decision {
        STK_DECISION_NONE => c"none",
        STK_DECISION_COMPLETE => c"complete",
        STK_DECISION_CERTIFIED => c"certified",
        STK_DECISION_REFUTED => c"refuted",
        STK_DECISION_REACHED => c"reached",
        STK_DECISION_SETTLED => c"settled",
        STK_DECISION_UNDECIDED => c"undecided",
        STK_DECISION_OPEN => c"open",
        _ => c"unknown",
    }
}

pub(super) fn of(decision: Option<&Decision>) -> stk_decision {
    match decision {
        None => STK_DECISION_NONE,
        Some(Decision::Open) => STK_DECISION_OPEN,
        Some(Decision::Complete) => STK_DECISION_COMPLETE,
        Some(Decision::Certified) => STK_DECISION_CERTIFIED,
        Some(Decision::Refuted) => STK_DECISION_REFUTED,
        Some(Decision::Reached) => STK_DECISION_REACHED,
        Some(Decision::Settled) => STK_DECISION_SETTLED,
        Some(Decision::Undecided) => STK_DECISION_UNDECIDED,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decisions_are_called_as_in_records() {
        for decision in [
            Decision::Complete,
            Decision::Certified,
            Decision::Refuted,
            Decision::Reached,
            Decision::Settled,
            Decision::Undecided,
            Decision::Open,
        ] {
            assert_eq!(name(of(Some(&decision))).to_str().unwrap(), decision.to_string());
        }
        assert_eq!((name(of(None)), name(8), name(-1)), (c"none", c"unknown", c"unknown"));
    }
}
