//! A panic inside is a status, and poisons the handles of the call.

use std::ptr::{null, null_mut};

use smoothtopk::capi::*;

use crate::abi::{Counts, Query, call, empty_summary};

#[test]
fn a_panic_is_a_status_and_the_process_goes_on() {
    for _ in 0..3 {
        let failed = call(|err| unsafe { stk_test_panic(null(), err) }).unwrap_err();
        assert_eq!((failed.status, failed.field.as_str()), (STK_STATUS_PANIC, ""));
        assert!(failed.message.contains("this is a test"), "{failed:?}");
    }
    assert_eq!(unsafe { stk_test_panic(null(), null_mut()) }, STK_STATUS_PANIC, "no place for the error is needed");
    assert!(Counts::new(&[1, 2], 0).is_ok());
}

#[test]
fn a_poisoned_handle_says_so_and_can_be_freed() {
    let (counts, other) = (Counts::new(&[5, 90, 5], 0).unwrap(), Counts::new(&[1, 1, 1], 0).unwrap());
    let poisoned = |field: &str, result: Result<(), crate::abi::Failed>| {
        let failed = result.unwrap_err();
        assert_eq!((failed.status, failed.field.as_str()), (STK_STATUS_POISONED, field), "{failed:?}");
    };
    let (mut summary, query) = (empty_summary(), Query::of(1, 1).raw());
    let (size, mut data, mut len) = (size_of::<stk_summary>(), null(), 0);
    unsafe {
        assert_eq!(call(|err| stk_test_panic(counts.0, err)).unwrap_err().status, STK_STATUS_PANIC);
        poisoned("counts", call(|err| stk_test_panic(counts.0, err)));
        poisoned("counts", call(|err| stk_counts_labels(counts.0, &mut data, &mut len, err)));
        poisoned("counts", call(|err| stk_counts_add(counts.0, other.0, err)));
        poisoned("other", call(|err| stk_counts_add(other.0, counts.0, err)));
        let out = &raw mut summary;
        poisoned("counts", call(|err| stk_counts_certify(counts.0, &query, out, size, err)));
        poisoned("counts", call(|err| stk_counts_predict(counts.0, 1, 0.1, null_mut(), out, size, err)));
        assert_eq!(stk_counts_n(counts.0), 0, "as for NULL");
        assert_eq!(stk_counts_n(other.0), 3, "the other handle of a refused call is whole");
    }
    assert_eq!((len, summary.n), (0, 0), "outputs are untouched");
    assert!(other.certify(&Query::of(1, 1).alpha(0.1)).is_ok());
}
