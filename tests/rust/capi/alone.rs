//! What needs a process of its own: this test program again, with the one test.

use std::ffi::{c_char, c_void};
use std::process::{Command, Stdio};
use std::ptr::{null, null_mut};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use smoothtopk::capi::*;

use crate::abi::{call, text};

const CHILD: &str = "SMOOTHTOPK_TEST_ALONE";

/// Whether this is the process of its own. Where it is not, the test is run in one, after `setup` of the shell.
fn is_alone(test: &str, setup: &str) -> bool {
    if std::env::var_os(CHILD).is_some() {
        return true;
    }
    let script = format!("{setup} exec \"$0\" --exact \"$1\" --nocapture");
    let program = std::env::current_exe().unwrap();
    let mut command = Command::new("sh");
    command.args(["-c", &script]).arg(program).arg(test).env(CHILD, "1").stdout(Stdio::null());
    let mut child = command.spawn().unwrap();
    let deadline = Instant::now() + Duration::from_secs(120);
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            assert!(status.success(), "{test}: {status}");
            return false;
        }
        if Instant::now() > deadline {
            child.kill().unwrap();
            child.wait().unwrap();
            panic!("{test} hangs");
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn version() -> String {
    let mut version = null();
    call(|err| unsafe { stk_runtime_version(&mut version, err) }).unwrap();
    text(version)
}

/// The lock of a host's own log.
static HOST_LOG: Mutex<Vec<String>> = Mutex::new(Vec::new());
static CALLED: AtomicBool = AtomicBool::new(false);

unsafe extern "C" fn log_under_a_lock(_: *mut c_void, _: stk_log_level, message: *const c_char) {
    CALLED.store(true, Ordering::SeqCst);
    let mut log = HOST_LOG.lock().unwrap();
    log.push(format!("{} ({})", text(message), version()));
}

#[test]
fn loading_says_nothing_while_it_holds_a_lock() {
    if !is_alone("capi::alone::loading_says_nothing_while_it_holds_a_lock", "") {
        return;
    }
    call(|err| unsafe { stk_log_set_callback(STK_LOG_LEVEL_INFO, Some(log_under_a_lock), null_mut(), err) }).unwrap();
    let log = HOST_LOG.lock().unwrap();
    // Loads, and logs: the callback waits for the log's lock, whose holder asks for the version.
    let loader = std::thread::spawn(|| call(|err| unsafe { stk_runtime_load(null(), err) }));
    while !CALLED.load(Ordering::SeqCst) {
        std::thread::sleep(Duration::from_millis(1));
    }
    let version = version();
    drop(log);
    loader.join().unwrap().unwrap();
    let log = HOST_LOG.lock().unwrap();
    assert!(log.len() == 1 && log[0].starts_with(&format!("ONNX Runtime {version} from /")), "{log:?}");
    assert!(log[0].ends_with(&format!("({version})")), "{log:?}");
}

#[cfg(target_os = "linux")]
#[test]
fn counts_that_memory_cannot_hold_are_refused() {
    use crate::abi::{Model, Options, Request, test_model};

    // 8 GiB of addresses, of which the counts of one input with 2^31 - 1 labels would take twice as much.
    if !is_alone("capi::alone::counts_that_memory_cannot_hold_are_refused", "ulimit -v 8388608 &&") {
        return;
    }
    let open = |batch, classes| {
        let options = Options::new(batch, 1);
        call(|err| unsafe { stk_model_options_set_classes(options.0, classes, err) }).unwrap();
        Model::open(&test_model("label_int64.onnx"), Some(&options))
    };
    // With a batch that is given, and one that is measured.
    for batch in [4, 0] {
        let failed = open(batch, i32::MAX as usize).err().unwrap();
        assert_eq!((failed.status, failed.field.as_str()), (STK_STATUS_INVALID_ARGUMENT, "classes"), "{failed:?}");
    }
    let request = Request::of(0.5, 20, 1);
    // What is too much for 200 inputs is fine for one.
    let model = open(4, 1_000_000).unwrap();
    let inputs = vec![0.5; 200 * model.elements()];
    for failed in [model.certify(&request, &inputs, None).0, model.predict(&request, &inputs).0] {
        let failed = failed.unwrap_err();
        assert_eq!((failed.status, failed.field.as_str()), (STK_STATUS_INVALID_ARGUMENT, "classes"), "{failed:?}");
    }
    model.certify(&request, &inputs[..model.elements()], None).0.unwrap();
}
