//! All unsafe code of the C ABI: pointers from C to Rust and back, and the guard that every export runs under.
//!
//! An export is `call!(err, |args| ...)` or, where it returns a value, `get!(handle, otherwise, |inner| ...)`. The two
//! macros hold the promise that the C caller keeps to the header, so what is inside of them is safe Rust.

use std::cell::Cell;
use std::ffi::{CStr, CString, c_char, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::sync::atomic::{AtomicBool, Ordering};

use super::error::stk_error;
use super::status::{STK_STATUS_INVALID_ARGUMENT, STK_STATUS_OK, STK_STATUS_PANIC, STK_STATUS_POISONED, stk_status};
use crate::Error;
use crate::model::HostApi;

/// Why a call failed: a status of the ABI's own, or an error of the library.
#[derive(Debug)]
pub(super) struct Failure {
    pub status: stk_status,
    pub field: String,
    pub message: String,
}

/// What an export's body gives.
pub(super) type Answer<T = ()> = Result<T, Failure>;

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self {
            status: super::status::of(error.kind()),
            field: error.field().unwrap_or_default().to_owned(),
            message: error.message().to_owned(),
        }
    }
}

impl Failure {
    fn argument(field: &str, message: impl Into<String>) -> Self {
        Self { status: STK_STATUS_INVALID_ARGUMENT, field: field.to_owned(), message: message.into() }
    }
}

/// What an opaque C type holds, and whether a call that used it panicked.
pub(super) struct Handle<T> {
    poisoned: AtomicBool,
    value: T,
}

/// An opaque C type: a struct whose only field is a [`Handle`]. Implemented by [`opaque!`].
///
/// # Safety
/// `handle` gives a pointer to that field.
pub(super) unsafe trait Opaque: Sized {
    /// What it holds.
    type Inner;
    fn wrap(handle: Handle<Self::Inner>) -> Self;
    fn unwrap(self) -> Handle<Self::Inner>;
    /// # Safety
    /// `this` points to a live `Self`.
    unsafe fn handle(this: *mut Self) -> *mut Handle<Self::Inner>;
}

/// Makes a struct with one field, a [`Handle`], an opaque C type.
macro_rules! opaque {
    ($name:ident holds $inner:ty) => {
        // SAFETY: the pointer is that of the only field.
        unsafe impl $crate::capi::ffi::Opaque for $name {
            type Inner = $inner;
            fn wrap(handle: $crate::capi::ffi::Handle<$inner>) -> Self {
                Self(handle)
            }
            fn unwrap(self) -> $crate::capi::ffi::Handle<$inner> {
                self.0
            }
            unsafe fn handle(this: *mut Self) -> *mut $crate::capi::ffi::Handle<$inner> {
                // SAFETY: `this` is live by contract.
                unsafe { &raw mut (*this).0 }
            }
        }
    };
}
pub(super) use opaque;

/// The pointers that C passed to one call, and the handles among them that were used: those are poisoned by a panic.
///
/// Making one with `trust` is the promise that every pointer handed to its methods keeps to the header.
pub(super) struct Args {
    used: [Cell<Option<Used>>; 2],
}

#[derive(Clone, Copy)]
struct Used {
    handle: *const c_void,
    poisoned: *const AtomicBool,
    exclusive: bool,
}

/// Runs the body of an export that returns a status.
macro_rules! call {
    ($err:expr, $body:expr) => {{
        // SAFETY: the caller of the export keeps to the header, see the head of `capi`.
        unsafe { $crate::capi::ffi::run($err, $body) }
    }};
}
pub(super) use call;

/// Runs the body of an export that returns a value; `otherwise` where the handle is NULL or poisoned, or the body panics.
macro_rules! get {
    ($handle:expr, $otherwise:expr, $body:expr) => {{
        // SAFETY: the caller of the export keeps to the header, see the head of `capi`.
        unsafe { $crate::capi::ffi::read($handle, $otherwise, $body) }
    }};
}
pub(super) use get;

/// Frees a handle, poisoned or not. `last` gets what it holds.
macro_rules! free {
    ($handle:expr) => {
        $crate::capi::ffi::free!($handle, drop)
    };
    ($handle:expr, $last:expr) => {{
        // SAFETY: the caller of the export keeps to the header, see the head of `capi`.
        unsafe { $crate::capi::ffi::release($handle, $last) }
    }};
}
pub(super) use free;

/// # Safety
/// `err` is NULL or can be written; every pointer that `body` hands to `Args` keeps to the header.
pub(super) unsafe fn run(err: *mut *mut stk_error, body: impl FnOnce(&Args) -> Answer) -> stk_status {
    let args = Args { used: [Cell::new(None), Cell::new(None)] };
    let failure = match catch_unwind(AssertUnwindSafe(|| body(&args))) {
        Ok(Ok(())) => return STK_STATUS_OK,
        Ok(Err(failure)) => failure,
        Err(panic) => {
            args.poison();
            let message = format!("a defect of smoothtopk: it panicked: {}", panic_message(panic.as_ref()));
            Failure { status: STK_STATUS_PANIC, field: String::new(), message }
        }
    };
    let status = failure.status;
    if !err.is_null() && err.is_aligned() {
        let error = Box::new(stk_error::new(status, &failure.field, &failure.message));
        // SAFETY: `err` can be written, by contract.
        unsafe { err.write(Box::into_raw(error)) };
    }
    status
}

/// # Safety
/// `handle` is NULL or a live handle that nobody writes to.
pub(super) unsafe fn read<C: Opaque, R>(handle: *const C, otherwise: R, body: impl FnOnce(&C::Inner) -> R) -> R {
    let args = Args { used: [Cell::new(None), Cell::new(None)] };
    match catch_unwind(AssertUnwindSafe(|| args.shared(handle, "").ok().map(body))) {
        Ok(Some(value)) => value,
        Ok(None) => otherwise,
        Err(_) => {
            args.poison();
            otherwise
        }
    }
}

/// # Safety
/// `handle` is NULL or a live handle that nobody else uses, now or later.
pub(super) unsafe fn release<C: Opaque>(handle: *mut C, last: impl FnOnce(C::Inner)) {
    if handle.is_null() || !handle.is_aligned() {
        return;
    }
    // A panic while something is torn down leaks the rest of it and harms nobody.
    let _ = catch_unwind(AssertUnwindSafe(|| {
        // SAFETY: every handle comes from `Box::into_raw`, and is freed once by contract.
        let handle = unsafe { Box::from_raw(handle) };
        last(handle.unwrap().value);
    }));
}

impl Args {
    /// What a handle holds, shared with other threads. NULL is an error that names the parameter.
    pub(super) fn shared<'a, C: Opaque>(&'a self, handle: *const C, name: &str) -> Answer<&'a C::Inner> {
        let inner = self.note(handle.cast_mut(), name, false)?;
        // SAFETY: live and not written to during the call, by the promise of whoever made `self`.
        Ok(unsafe { &*inner })
    }

    /// As `shared`; none for NULL.
    pub(super) fn shared_or_null<'a, C: Opaque>(
        &'a self,
        handle: *const C,
        name: &str,
    ) -> Answer<Option<&'a C::Inner>> {
        if handle.is_null() { Ok(None) } else { self.shared(handle, name).map(Some) }
    }

    /// What a handle holds, for this call alone.
    // The promise that nobody else uses it is the C caller's; `note` refuses a handle that was passed twice.
    #[allow(clippy::mut_from_ref)]
    pub(super) fn exclusive<'a, C: Opaque>(&'a self, handle: *mut C, name: &str) -> Answer<&'a mut C::Inner> {
        let inner = self.note(handle, name, true)?;
        // SAFETY: live and not used by anyone else during the call, by the promise of whoever made `self`.
        Ok(unsafe { &mut *inner })
    }

    fn note<C: Opaque>(&self, handle: *mut C, name: &str, exclusive: bool) -> Answer<*mut C::Inner> {
        check_pointer(handle, name)?;
        let address = handle.cast_const().cast::<c_void>();
        for used in self.used.iter().filter_map(Cell::get) {
            if used.handle == address && (exclusive || used.exclusive) {
                return Err(Failure::argument(name, "is passed twice to a function that changes it"));
            }
        }
        // SAFETY: live, by the promise of whoever made `self`; only raw pointers to its fields are made.
        let (poisoned, value) = unsafe {
            let inner = C::handle(handle);
            (&raw const (*inner).poisoned, &raw mut (*inner).value)
        };
        // SAFETY: as above; the flag is only ever read and written atomically.
        if unsafe { &*poisoned }.load(Ordering::SeqCst) {
            let message = "a call that used this handle panicked: it can only be freed";
            return Err(Failure { status: STK_STATUS_POISONED, field: name.to_owned(), message: message.to_owned() });
        }
        if let Some(slot) = self.used.iter().find(|slot| slot.get().is_none()) {
            slot.set(Some(Used { handle: address, poisoned, exclusive }));
        }
        Ok(value)
    }

    fn poison(&self) {
        for used in self.used.iter().filter_map(Cell::get) {
            // SAFETY: the handle is live during the call.
            unsafe { &*used.poisoned }.store(true, Ordering::SeqCst);
        }
    }

    /// A string. NULL and invalid UTF-8 are errors that name the parameter.
    pub(super) fn text<'a>(&'a self, text: *const c_char, name: &str) -> Answer<&'a str> {
        check_pointer(text, name)?;
        // SAFETY: a NUL-terminated string that lives during the call, by the promise of whoever made `self`.
        let text = unsafe { CStr::from_ptr(text) };
        text.to_str().map_err(|error| Failure::argument(name, format!("is not valid UTF-8: {error}")))
    }

    /// A string; none for NULL.
    pub(super) fn text_or_null<'a>(&'a self, text: *const c_char, name: &str) -> Answer<Option<&'a str>> {
        if text.is_null() { Ok(None) } else { self.text(text, name).map(Some) }
    }

    /// An array. NULL is one of length 0 and an error otherwise.
    pub(super) fn array<'a, T>(&'a self, data: *const T, len: usize, name: &str) -> Answer<&'a [T]> {
        if len == 0 {
            return Ok(&[]);
        }
        check_array(data, len, name)?;
        // SAFETY: checked, and `len` elements that nobody writes to during the call, by the promise of whoever made `self`.
        Ok(unsafe { std::slice::from_raw_parts(data, len) })
    }

    /// As `array`; none for NULL.
    pub(super) fn array_or_null<'a, T>(&'a self, data: *const T, len: usize, name: &str) -> Answer<Option<&'a [T]>> {
        if data.is_null() { Ok(None) } else { self.array(data, len, name).map(Some) }
    }

    /// The host's own ONNX Runtime.
    pub(super) fn api_base(&self, base: *const c_void, name: &str) -> Answer<HostApi> {
        let refuse = || Failure::argument(name, "must not be NULL");
        if !base.cast::<u64>().is_aligned() {
            return Err(Failure::argument(name, "is not aligned as an OrtApiBase is"));
        }
        // SAFETY: an OrtApiBase for the life of the process, by the promise of whoever made `self`.
        unsafe { HostApi::new(base) }.ok_or_else(refuse)
    }

    /// Where a result goes.
    pub(super) fn out<T>(&self, out: *mut T, name: &str) -> Answer<Out<T>> {
        check_pointer(out, name)?;
        Ok(Out(out))
    }

    /// Where `len` results go; none for NULL.
    pub(super) fn out_array<T: Copy>(&self, out: *mut T, len: usize, name: &str) -> Answer<Option<OutArray<T>>> {
        if out.is_null() {
            return Ok(None);
        }
        check_array(out, len, name)?;
        Ok(Some(OutArray(out, len)))
    }

    /// A struct that begins with its size, as the caller's header has it: `default` for what an older header does not
    /// know. `first` is the size that it had at first. `T` must hold numbers and pointers alone, which any bytes are.
    pub(super) fn sized<T: Copy>(&self, value: *const T, default: T, first: usize, name: &str) -> Answer<T> {
        check_pointer(value, name)?;
        // SAFETY: whatever its size, it begins with these 8 bytes, by the promise of whoever made `self`.
        let size = unsafe { value.cast::<u64>().read() };
        let size =
            usize::try_from(size).ok().filter(|size| (first..=LARGEST_INPUT).contains(size)).ok_or_else(|| {
                let message = format!(
                    "begins with the size {size}, which is none of its sizes: set struct_size to sizeof *{name}"
                );
                Failure::argument("struct_size", message)
            })?;
        let known = size.min(size_of::<T>());
        // SAFETY: `size` bytes that nobody writes to during the call, by the same promise.
        let bytes = unsafe { std::slice::from_raw_parts(value.cast::<u8>(), size) };
        if bytes[known..].iter().any(|&byte| byte != 0) {
            let message =
                format!("has fields that are set and newer than this library, which knows {known} bytes of {size}");
            return Err(Failure::argument(name, message));
        }
        let mut read = default;
        // SAFETY: `known` is at most the size of both, and any bytes are a `T`.
        unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), (&raw mut read).cast::<u8>(), known) };
        Ok(read)
    }

    /// Where the first `size` bytes of a `T` go, and zeros if `size` is larger.
    pub(super) fn out_sized<T>(&self, out: *mut T, size: usize, name: &str) -> Answer<OutSized<T>> {
        check_pointer(out, name)?;
        if size < size_of::<u64>() || isize::try_from(size).is_err() {
            let message =
                format!("{size} bytes are no size of a struct that begins with its size: pass sizeof *{name}");
            return Err(Failure::argument("out_size", message));
        }
        Ok(OutSized(out, size))
    }
}

/// Bytes that no struct of any version has, so that a size that was never set is refused and not read.
const LARGEST_INPUT: usize = 4096;

fn check_pointer<T>(pointer: *const T, name: &str) -> Answer {
    if pointer.is_null() {
        return Err(Failure::argument(name, "must not be NULL"));
    }
    if !pointer.is_aligned() {
        return Err(Failure::argument(name, format!("must be aligned to {} bytes", align_of::<T>())));
    }
    Ok(())
}

fn check_array<T>(data: *const T, len: usize, name: &str) -> Answer {
    check_pointer(data, name)?;
    match len.checked_mul(size_of::<T>()) {
        Some(bytes) if isize::try_from(bytes).is_ok() => Ok(()),
        _ => Err(Failure::argument(name, format!("{len} elements are more than memory can hold"))),
    }
}

/// Where a result goes, on success.
pub(super) struct Out<T>(*mut T);

impl<T> Out<T> {
    pub(super) fn set(self, value: T) {
        // SAFETY: not NULL, aligned, and can be written during the call; no old value is dropped.
        unsafe { self.0.write(value) };
    }
}

impl<C: Opaque> Out<*mut C> {
    /// Hands no handle to the caller.
    pub(super) fn give_none(self) {
        self.set(ptr::null_mut());
    }

    /// Hands a new handle to the caller.
    pub(super) fn give(self, value: C::Inner) {
        let handle = C::wrap(Handle { poisoned: AtomicBool::new(false), value });
        self.set(Box::into_raw(Box::new(handle)));
    }
}

/// Where an array of results goes.
pub(super) struct OutArray<T>(*mut T, usize);

impl<T: Copy> OutArray<T> {
    /// Writes as many values as there is room for.
    pub(super) fn set(self, values: &[T]) {
        // SAFETY: there is room for that many, and Rust's own values do not overlap with the caller's memory.
        unsafe { ptr::copy_nonoverlapping(values.as_ptr(), self.0, values.len().min(self.1)) };
    }
}

/// Where a struct goes whose size may differ from this library's.
pub(super) struct OutSized<T>(*mut T, usize);

impl<T: Copy> OutSized<T> {
    /// The bytes there is room for.
    pub(super) fn size(&self) -> usize {
        self.1
    }

    /// Writes the first `filled` bytes of `value`, and zeros behind them.
    pub(super) fn set(self, value: &T, filled: usize) {
        let filled = filled.min(self.1).min(size_of::<T>());
        // SAFETY: `size` bytes can be written; `filled` is no more than that, nor than `value` has; `T` has no padding, which
        // a test of each such struct checks.
        unsafe {
            ptr::copy_nonoverlapping(ptr::from_ref(value).cast::<u8>(), self.0.cast::<u8>(), filled);
            ptr::write_bytes(self.0.cast::<u8>().add(filled), 0, self.1 - filled);
        }
    }
}

/// A callback's user pointer.
#[derive(Clone, Copy)]
pub(super) struct User(*mut c_void);

// SAFETY: it is never followed, only given back to the host, which is told from which threads.
unsafe impl Send for User {}
// SAFETY: as above.
unsafe impl Sync for User {}

impl User {
    pub(super) fn new(user: *mut c_void) -> Self {
        Self(user)
    }

    pub(super) fn call_done(self, callback: unsafe extern "C" fn(*mut c_void)) {
        // SAFETY: the host's function, with the pointer that it wants.
        unsafe { callback(self.0) };
    }

    pub(super) fn call_progress(self, callback: unsafe extern "C" fn(*mut c_void, u64, u64), done: u64, total: u64) {
        // SAFETY: as above.
        unsafe { callback(self.0, done, total) };
    }

    pub(super) fn call_log(
        self,
        callback: unsafe extern "C" fn(*mut c_void, i32, *const c_char),
        level: i32,
        message: &CStr,
    ) {
        // SAFETY: as above; the message lives during the call.
        unsafe { callback(self.0, level, message.as_ptr()) };
    }
}

/// A C string of `text`, in which a NUL becomes the replacement character.
pub(super) fn c_string(text: &str) -> CString {
    CString::new(text).unwrap_or_else(|_| CString::new(text.replace('\0', "\u{FFFD}")).unwrap_or_default())
}

/// An error that C owns, or NULL.
pub(super) fn with_error<R>(error: *const stk_error, otherwise: R, body: impl FnOnce(&stk_error) -> R) -> R {
    if error.is_null() || !error.is_aligned() {
        return otherwise;
    }
    // SAFETY: a live error, by the header; only called by the accessors of errors.
    body(unsafe { &*error })
}

pub(super) fn free_error(error: *mut stk_error) {
    if !error.is_null() && error.is_aligned() {
        // SAFETY: every error comes from `Box::into_raw`, and is freed once, by the header.
        drop(unsafe { Box::from_raw(error) });
    }
}

fn panic_message(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message")
}
