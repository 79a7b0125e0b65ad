//! `stk_counts`.

use std::ffi::{CString, c_char};
use std::sync::OnceLock;

use super::error::stk_error;
use super::ffi::{FfiResult, Handle, call, free, get, opaque};
use super::status::STK_NO_LABEL;
use super::status::stk_status;
use super::validity;
use crate::Error;
use crate::counts::{Assumed, Counts};

/// How many noisy samples of one input were given each label, with all that decides what they prove: the noise and what
/// its rounding costs, why the samples ended, which samples they are, and of which model and input. So what is asked of
/// counts takes the costs, and the bounds that are valid, by itself.
///
/// Counts remember that a statement was made from them: samples that are added after it may have been added for what
/// was seen, so the sum takes bounds that hold at all looks. Functions that take const counts are safe from any number
/// of threads.
pub struct stk_counts(Handle<Held>);
opaque!(stk_counts holds Held);

/// What a counts handle holds: the counts, and the texts that were asked of them.
pub(super) struct Held {
    pub counts: Counts,
    /// Without and with the secret; before and after a statement was made.
    pub texts: [OnceLock<CString>; 4],
    assumptions: OnceLock<CString>,
}

impl From<Counts> for Held {
    fn from(counts: Counts) -> Self {
        Self { counts, texts: Default::default(), assumptions: OnceLock::new() }
    }
}

/// Makes counts of bare numbers, such as those of a paper or of a loop of one's own, with what the caller states of
/// them. What is certified from them is as true as that, and says so (the summary's assumed). Beside it is assumed that
/// the samples are independent, and of one model and one input.
///
/// @param labels `classes` counts, by label. Not NULL. Copied.
/// @param classes How many labels there are, at least 1.
/// @param n Samples drawn, valid and invalid (without a label): at least the sum of the counts; 0 means that sum.
/// @param noise The noise as for stk_request_new, with what there is read off the input: "ablate:KEEP:pixels=D",
/// "band:SIZE:width=W", "block:SIZE:height=H:width=W". Of the last three and "split:SPLITS:levels=Q" n must be the
/// number of all rows. Not NULL.
/// @param radius_cost What rounding the noise takes off every radius, in the units of the input; finite, 0 or more.
/// @param validity Why the samples ended. "fixed": their number was fixed before they were drawn. "anytime": looks at
/// the counts may have ended them. "anytime:N": so too, after at most N samples, with N fixed beforehand. May be NULL:
/// "fixed".
/// @param out Not NULL. Gets the counts; free them with stk_counts_free.
/// @param err May be NULL.
/// @return STK_STATUS_OK; STK_STATUS_INVALID_ARGUMENT for NULL, and for an unknown noise, a bad cost or validity;
/// STK_STATUS_INVALID_DATA when there is no label or the counts add to more than n or than 64 bits hold.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_counts_assume(
    labels: *const u64,
    classes: usize,
    n: u64,
    noise: *const c_char,
    radius_cost: f64,
    validity: *const c_char,
    out: *mut *mut stk_counts,
    err: *mut *mut stk_error,
) -> stk_status {
    call!(err, |args| {
        let out = args.out(out, "out")?;
        let labels = args.array(labels, classes, "labels")?.to_vec();
        let noise = args.text(noise, "noise")?.parse()?;
        let ending = validity::ending(args.text_or_null(validity, "validity")?)?;
        let n = (n > 0).then_some(n);
        out.give(Counts::assuming(labels, n, Assumed { noise, radius_cost, ending })?.into());
        Ok(())
    })
}

/// Makes a copy, which remembers what the counts do. Safe from any thread.
///
/// @param counts Not NULL.
/// @param out Not NULL. Gets the copy; free it with stk_counts_free.
/// @param err May be NULL.
/// @return STK_STATUS_OK; STK_STATUS_INVALID_ARGUMENT for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_counts_clone(
    counts: *const stk_counts,
    out: *mut *mut stk_counts,
    err: *mut *mut stk_error,
) -> stk_status {
    call!(err, |args, counts| {
        let counts = counts.shared()?;
        args.out(out, "out")?.give(counts.counts.clone().into());
        Ok(())
    })
}

/// Adds the counts of other samples of the same model, input and noise. Exclusive use of `counts`.
///
/// The sum is of a number fixed beforehand where both are, and no statement was made from either; else it takes bounds
/// that hold at all looks.
///
/// @param counts Not NULL. Unchanged on failure.
/// @param other Not NULL, and not `counts` itself.
/// @param err May be NULL.
/// @return STK_STATUS_OK; STK_STATUS_INVALID_DATA when the samples are of another model, arithmetic, input or noise,
/// when some of them are counted already, when only one side is of bare numbers, when the numbers of labels differ, or
/// a sum overflows.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_counts_add(
    counts: *mut stk_counts,
    other: *const stk_counts,
    err: *mut *mut stk_error,
) -> stk_status {
    call!(err, |_, counts, other| {
        let held = counts.exclusive()?;
        held.counts.add(&other.shared()?.counts)?;
        (held.texts, held.assumptions) = Default::default();
        Ok(())
    })
}

/// Says, before the first look, that samples may be added after looks: every statement then takes bounds that hold at
/// all numbers of samples, so that all looks together are false with probability at most alpha. Counts that are only
/// added to make two statements at alpha: the first, and all later ones. Exclusive use of `counts`.
///
/// @param counts Not NULL.
/// @param last The most samples that there may come to be, at least as many as there are; exact noise needs it. 0: not
/// known.
/// @param err May be NULL.
/// @return STK_STATUS_OK; STK_STATUS_INVALID_ARGUMENT for NULL, and when there are more samples than `last`;
/// STK_STATUS_INVALID_DATA when a statement was made from the samples before, looks ended them, or they were cut short.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_counts_set_growing(
    counts: *mut stk_counts,
    last: u64,
    err: *mut *mut stk_error,
) -> stk_status {
    call!(err, |_, counts| {
        let held = counts.exclusive()?;
        held.counts = held.counts.clone().growing((last > 0).then_some(last))?;
        (held.texts, held.assumptions) = Default::default();
        Ok(())
    })
}

/// The counts, by label. Safe from any thread.
///
/// @param counts Not NULL.
/// @param labels Not NULL. Gets an array that lives until `counts` is added to or freed.
/// @param classes Not NULL. Gets its length, the number of labels.
/// @param err May be NULL.
/// @return STK_STATUS_OK; STK_STATUS_INVALID_ARGUMENT for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_counts_labels(
    counts: *const stk_counts,
    labels: *mut *const u64,
    classes: *mut usize,
    err: *mut *mut stk_error,
) -> stk_status {
    call!(err, |args, counts| {
        let counts = &counts.shared()?.counts;
        let (labels, classes) = (args.out(labels, "labels")?, args.out(classes, "classes")?);
        labels.set(counts.labels().as_ptr());
        classes.set(counts.classes());
        Ok(())
    })
}

/// The number of samples, valid and invalid. Safe from any thread.
///
/// @param counts May be NULL: 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_counts_n(counts: *const stk_counts) -> u64 {
    get!(counts, 0, |held| held.counts.n())
}

/// The number of invalid samples: their scores were not finite, so they have no label. In bounds they count as samples
/// of every rival. Safe from any thread.
///
/// @param counts May be NULL: 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_counts_invalid(counts: *const stk_counts) -> u64 {
    get!(counts, 0, |held| held.counts.invalid())
}

/// What is assumed of bare numbers, in words, one assumption a line. Safe from any thread.
///
/// @param counts Not NULL.
/// @param text Not NULL. Gets a UTF-8 string that lives until `counts` is added to or freed; "" for counts that this
/// library drew.
/// @param err May be NULL.
/// @return STK_STATUS_OK; STK_STATUS_INVALID_ARGUMENT for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_counts_assumptions(
    counts: *const stk_counts,
    text: *mut *const c_char,
    err: *mut *mut stk_error,
) -> stk_status {
    call!(err, |args, counts| {
        let held = counts.shared()?;
        let lines = || super::ffi::c_string(&held.counts.assumptions().join("\n"));
        args.out(text, "text")?.set(held.assumptions.get_or_init(lines).as_ptr());
        Ok(())
    })
}

/// Frees counts.
///
/// @param counts May be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_counts_free(counts: *mut stk_counts) {
    free!(counts);
}

pub(super) fn to_label(label: usize) -> i64 {
    i64::try_from(label).unwrap_or(STK_NO_LABEL)
}

pub(super) fn to_labels(labels: &[usize]) -> Vec<i64> {
    labels.iter().map(|&label| to_label(label)).collect()
}

/// The label that C gave: none for STK_NO_LABEL.
pub(super) fn from_label(label: i64, input: usize) -> FfiResult<Option<usize>> {
    if label == STK_NO_LABEL {
        return Ok(None);
    }
    let refuse = || Error::argument("label", format!("input {input}: {label} is neither a label nor STK_NO_LABEL"));
    Ok(Some(usize::try_from(label).map_err(|_| refuse())?))
}
