//! The log: off until asked for, filtered by level, never two messages at a time. Other tests of this process log too.

use std::cell::Cell;
use std::ffi::{c_char, c_void};
use std::ptr::null_mut;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use smoothtopk::capi::*;

use crate::abi::{Cancel, Model, Request, call, test_model, text};

#[derive(Default)]
struct Log {
    inside: AtomicBool,
    overlaps: AtomicUsize,
    refusals: AtomicUsize,
    messages: Mutex<Vec<(stk_log_level, String, bool)>>,
}

thread_local! {
    static MINE: Cell<bool> = const { Cell::new(false) };
}

unsafe extern "C" fn log(user: *mut c_void, level: stk_log_level, message: *const c_char) {
    // SAFETY: outlives the callback, which is taken off before it is dropped.
    let log = unsafe { &*user.cast::<Log>() };
    if log.inside.swap(true, Ordering::SeqCst) {
        log.overlaps.fetch_add(1, Ordering::SeqCst);
    }
    if MINE.get() {
        // Logs an error of its own, which must be dropped, and tries to set the callback, which is refused.
        let _ = Model::open(&test_model("batch_leak.onnx"), None);
        // SAFETY: no callback.
        let status = unsafe { stk_log_set_callback(STK_LOG_LEVEL_OFF, None, null_mut(), null_mut()) };
        log.refusals.fetch_add(usize::from(status == STK_STATUS_INVALID_ARGUMENT), Ordering::SeqCst);
    }
    log.messages.lock().unwrap().push((level, text(message), MINE.get()));
    log.inside.store(false, Ordering::SeqCst);
}

fn set(level: stk_log_level, log_to: Option<&Log>) {
    let callback: stk_log_callback = log_to.map(|_| log as _);
    let user = log_to.map_or(null_mut(), |log| std::ptr::from_ref(log).cast_mut().cast());
    call(|err| unsafe { stk_log_set_callback(level, callback, user, err) }).unwrap();
}

/// The messages of this thread that `run` causes. Those that fell to another test's message are tried for again.
fn mine(log: &Log, level: stk_log_level, run: impl Fn()) -> Vec<(stk_log_level, String)> {
    set(level, Some(log));
    for _ in 0..50 {
        MINE.set(true);
        run();
        MINE.set(false);
        if log.messages.lock().unwrap().iter().any(|(.., mine)| *mine) {
            break;
        }
    }
    set(STK_LOG_LEVEL_OFF, None);
    let messages = std::mem::take(&mut *log.messages.lock().unwrap());
    messages.into_iter().filter(|(.., mine)| *mine).map(|(level, text, _)| (level, text)).collect()
}

#[test]
fn messages_are_filtered_and_never_re_entrant() {
    let log = Log::default();
    for level in [-1, 5, i32::MAX] {
        let failed = call(|err| unsafe { stk_log_set_callback(level, None, null_mut(), err) }).unwrap_err();
        assert_eq!(failed.field, "level");
    }
    let open_good = || drop(Model::test("linear.onnx", 8, 1));
    let open_bad = || drop(Model::open(&test_model("regression.onnx"), None));
    let messages = mine(&log, STK_LOG_LEVEL_ERROR, open_bad);
    assert!(!messages.is_empty() && messages.iter().all(|(level, _)| *level == STK_LOG_LEVEL_ERROR), "{messages:?}");
    assert!(messages.iter().all(|(_, text)| !text.contains('\n') && !text.contains("influence")), "{messages:?}");
    let messages = mine(&log, STK_LOG_LEVEL_INFO, open_good);
    assert!(messages.iter().any(|(_, text)| text.contains("3 labels from")), "{messages:?}");
    assert_eq!(log.overlaps.load(Ordering::SeqCst), 0);
    assert!(log.refusals.load(Ordering::SeqCst) >= 2);
    // What a path holds forges no line, nor steers a terminal.
    let forged = || drop(Model::open("no/such\n[error] \u{1b}[2J\u{2028}model\r.onnx", None));
    let messages = mine(&log, STK_LOG_LEVEL_ERROR, forged);
    let wanted = r"no/such\n[error] \u{1b}[2J\u{2028}model\r.onnx";
    assert!(messages.iter().any(|(_, text)| text.contains(wanted)), "{messages:?}");
    // What the caller asked for is no error; whose work it was is said.
    let model = Model::test("linear.onnx", 8, 1);
    let request = Request::of(0.5, 1_000_000_000_000, 1);
    call(|err| unsafe { stk_request_set_timeout_ms(request.0, 1, err) }).unwrap();
    call(|err| unsafe { stk_request_set_stream(request.0, 77, err) }).unwrap();
    let late = || assert_eq!(model.predict(&request, &[0.0; 16]).0.unwrap_err().status, STK_STATUS_DEADLINE_EXCEEDED);
    let token = Cancel::from(|out, err| unsafe { stk_cancel_new(out, err) }).unwrap();
    unsafe { stk_cancel_set(token.0) };
    let cancelled_request = Request::of(0.5, 1_000_000_000_000, 1);
    call(|err| unsafe { stk_request_set_cancel(cancelled_request.0, token.0, err) }).unwrap();
    let cancelled = || {
        let status = model.predict(&cancelled_request, &[0.0; 16]).0.unwrap_err().status;
        assert_eq!(status, STK_STATUS_CANCELLED);
    };
    let sha = text(unsafe { stk_model_sha256(model.0) });
    for (run, stream) in [(&late as &dyn Fn(), 77), (&cancelled, 0)] {
        assert!(mine(&log, STK_LOG_LEVEL_INFO, run).is_empty());
        let messages = mine(&log, STK_LOG_LEVEL_DEBUG, run);
        let (level, said) = messages.iter().find(|(_, text)| text.starts_with("job ")).expect("a message");
        assert_eq!(*level, STK_LOG_LEVEL_DEBUG);
        assert!(said.contains(&format!(", model {}, stream {stream}: ", &sha[..12])), "{said}");
    }
    // What the callback's own calls logged was dropped, and is counted.
    let messages = mine(&log, STK_LOG_LEVEL_ERROR, open_bad);
    assert!(messages.iter().all(|(_, text)| !text.contains("dropped")), "no warnings: {messages:?}");
    let messages = mine(&log, STK_LOG_LEVEL_WARN, open_bad);
    let dropped = |text: &str| text.starts_with("log: ") && text.ends_with(" dropped while the log callback ran");
    assert!(messages.iter().any(|(level, text)| *level == STK_LOG_LEVEL_WARN && dropped(text)), "{messages:?}");
    // Off again.
    open_good();
    assert!(log.messages.lock().unwrap().is_empty());
}
