//! `stk_query`.

use std::ffi::c_char;

use super::ffi::{Args, FfiResult};
use crate::Error;
use crate::certificate::{Query, Randomized};
use crate::stats::randomized::Uniform;

/// Whether the bounds of a certificate are randomized: one of the STK_RANDOMIZED_ constants.
pub type stk_randomized = i32;

/// Plain bounds.
pub const STK_RANDOMIZED_NO: stk_randomized = 0;
/// By the uniform that the seed or key of the samples gives for this k.
pub const STK_RANDOMIZED_FROM_SEED: stk_randomized = 1;
/// By the query's uniform, which must have been drawn independently of the samples, and once: one that is drawn until
/// it is small makes bounds that do not hold.
pub const STK_RANDOMIZED_BY: stk_randomized = 2;

/// The question whether a label stays in the top k. Everything in it must have been fixed before the samples were
/// drawn, or chosen by other samples. Set all to 0 and then the fields by name: stk_query query = {.struct_size =
/// sizeof query, .label = 3, .k = 1, .alpha = 0.001}. Its size may grow at its end within an ABI version; 0 in a new
/// field means what it meant before.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct stk_query {
    /// sizeof(stk_query).
    pub struct_size: u64,
    /// The label, below the number of labels.
    pub label: u64,
    /// The size of the top set, from 1 to the number of labels less 1.
    pub k: u64,
    /// Failure probability of the statement, from 1e-100 to 0.5.
    pub alpha: f64,
    /// How alpha is split between the bounds, as for stk_request_set_allocation, but not "auto". May be NULL: "ranked".
    pub allocation: *const c_char,
    /// With STK_RANDOMIZED_BY a number above 0 and at most 1. Otherwise 0.
    pub uniform: f64,
    /// stk_randomized. For counts of a number of samples that was fixed beforehand only.
    pub randomized: stk_randomized,
    /// 0.
    pub reserved: i32,
}

impl stk_query {
    const EMPTY: Self = Self {
        struct_size: 0,
        label: 0,
        k: 0,
        alpha: 0.0,
        allocation: std::ptr::null(),
        uniform: 0.0,
        randomized: 0,
        reserved: 0,
    };
    /// Its size in the first version.
    const FIRST_SIZE: usize = std::mem::offset_of!(Self, reserved) + size_of::<i32>();
}

/// What a caller asks.
pub(super) fn read(args: &Args, query: *const stk_query) -> FfiResult<Query> {
    let query = args.sized(query, stk_query::EMPTY, stk_query::FIRST_SIZE, "query")?;
    let randomized = match query.randomized {
        STK_RANDOMIZED_NO => Randomized::No,
        STK_RANDOMIZED_FROM_SEED => Randomized::FromSeed,
        STK_RANDOMIZED_BY => Randomized::By(Uniform::new(query.uniform)?),
        other => {
            let message = format!("{other} is none of the STK_RANDOMIZED_ constants");
            return Err(Error::argument("randomized", message).into());
        }
    };
    if query.randomized != STK_RANDOMIZED_BY && query.uniform != 0.0 {
        return Err(Error::argument("uniform", "is for STK_RANDOMIZED_BY alone: it must be 0").into());
    }
    if query.reserved != 0 {
        return Err(Error::argument("reserved", "must be 0").into());
    }
    let number = |value: u64, name| {
        usize::try_from(value).map_err(|_| Error::argument(name, format!("{value} is more than there can be")))
    };
    Ok(Query {
        label: number(query.label, "label")?,
        k: number(query.k, "k")?,
        alpha: query.alpha,
        allocation: args.text_or_null(query.allocation, "allocation")?.map_or(Ok(Default::default()), str::parse)?,
        randomized,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_pointer_width = "64")]
    fn the_first_version_has_no_padding() {
        assert_eq!(stk_query::FIRST_SIZE, 7 * 8);
    }
}
