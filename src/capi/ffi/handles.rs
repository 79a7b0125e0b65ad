//! The handles that C passed to one call: each has a slot, so that a panic poisons it and a second use of it is seen.

use std::cell::Cell;
use std::ffi::c_void;
use std::sync::atomic::{AtomicBool, Ordering};

use super::check::check_pointer;
use super::failure::{Failure, FfiResult};
use super::opaque::Opaque;
use crate::capi::status::STK_STATUS_POISONED;

/// A handle as C passed it, with its parameter's name. It can only be given to the guard.
pub(in crate::capi) struct Passed<P>(pub P, pub &'static str);

/// What is noted of a handle once it is used.
pub(in crate::capi) type Slot = Cell<Option<Used>>;

#[derive(Clone, Copy)]
pub(in crate::capi) struct Used {
    handle: *const c_void,
    poisoned: *const AtomicBool,
    exclusive: bool,
}

/// A handle that has a slot of the call. Using it takes it, and nothing but a slot makes one: no handle is used unseen.
pub(in crate::capi) struct HandleArg<'a, P> {
    passed: Passed<P>,
    slot: &'a Slot,
    /// Those of all handles of the call.
    slots: &'a [Slot],
}

/// The handles that a call names: a tuple, with a slot for each. A call that names more than a tuple here has does not
/// compile.
pub(in crate::capi) trait Handles {
    /// An array, one for each handle.
    type Slots: Default + AsRef<[Slot]>;
    /// What the body gets in their place.
    type Args<'a>;
    fn args(self, slots: &Self::Slots) -> Self::Args<'_>;
}

macro_rules! handles {
    ($count:literal: $($pointer:ident $passed:ident $slot:ident)*) => {
        impl<$($pointer),*> Handles for ($(Passed<$pointer>,)*) {
            type Slots = [Slot; $count];
            type Args<'a> = ($(HandleArg<'a, $pointer>,)*);
            fn args(self, slots: &Self::Slots) -> Self::Args<'_> {
                let ($($passed,)*) = self;
                // Does not compile where the count is wrong.
                let [$($slot),*] = slots;
                ($(HandleArg { passed: $passed, slot: $slot, slots },)*)
            }
        }
    };
}
handles!(1: A a slot_a);
handles!(2: A a slot_a B b slot_b);

/// A call without handles.
impl Handles for () {
    type Slots = [Slot; 0];
    type Args<'a> = ();
    fn args(self, _: &Self::Slots) {}
}

impl<'a, C: Opaque> HandleArg<'a, *const C> {
    /// What a handle holds, shared with other threads. NULL is an error that names the parameter.
    pub(in crate::capi) fn shared(self) -> FfiResult<&'a C::Inner> {
        let inner = self.note(self.passed.0.cast_mut(), false)?;
        // SAFETY: live and not written to during the call, by the promise of whoever called the guard.
        Ok(unsafe { &*inner })
    }

    /// As `shared`; none for NULL.
    pub(in crate::capi) fn shared_or_null(self) -> FfiResult<Option<&'a C::Inner>> {
        if self.passed.0.is_null() { Ok(None) } else { self.shared().map(Some) }
    }
}

impl<'a, C: Opaque> HandleArg<'a, *mut C> {
    /// What a handle holds, for this call alone. A handle that was passed twice is an error.
    pub(in crate::capi) fn exclusive(self) -> FfiResult<&'a mut C::Inner> {
        let inner = self.note(self.passed.0, true)?;
        // SAFETY: live and not used by anyone else during the call, by the promise of whoever called the guard.
        Ok(unsafe { &mut *inner })
    }
}

impl<P> HandleArg<'_, P> {
    fn note<C: Opaque>(&self, handle: *mut C, exclusive: bool) -> FfiResult<*mut C::Inner> {
        let name = self.passed.1;
        check_pointer(handle, name)?;
        let address = handle.cast_const().cast::<c_void>();
        for used in self.slots.iter().filter_map(Cell::get) {
            if used.handle == address && (exclusive || used.exclusive) {
                return Err(Failure::argument(name, "is passed twice to a function that changes it"));
            }
        }
        // SAFETY: live, by the promise of whoever called the guard; only raw pointers to its fields are made.
        let (poisoned, value) = unsafe {
            let inner = C::handle(handle);
            (&raw const (*inner).poisoned, &raw mut (*inner).value)
        };
        // SAFETY: as above; the flag is only ever read and written atomically.
        if unsafe { &*poisoned }.load(Ordering::SeqCst) {
            let message = "a call that used this handle panicked: it can only be freed";
            return Err(Failure { status: STK_STATUS_POISONED, field: name.to_owned(), message: message.to_owned() });
        }
        self.slot.set(Some(Used { handle: address, poisoned, exclusive }));
        Ok(value)
    }
}

/// Poisons the handles that were used.
pub(super) fn poison(slots: &[Slot]) {
    for used in slots.iter().filter_map(Cell::get) {
        // SAFETY: the handle is live during the call.
        unsafe { &*used.poisoned }.store(true, Ordering::SeqCst);
    }
}
