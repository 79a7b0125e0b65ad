//! A thousand truncated and bit-flipped models: each is opened and run, or refused. In a process of their own, so that
//! a crash or a hang inside ONNX Runtime would be seen.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use smoothtopk::capi::*;

use crate::abi::{Model, Options, Request};

const MODELS: [&str; 5] =
    ["linear.onnx", "exact_order.onnx", "binary_prob.onnx", "image_nchw.onnx", "sklearn_names_zipmap.onnx"];
const EACH: usize = 200;

/// A damaged copy: cut short, or with a few bits flipped.
fn damage(bytes: &[u8], random: &mut impl FnMut(usize) -> usize) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    if random(4) == 0 {
        bytes.truncate(random(bytes.len()));
        return bytes;
    }
    for _ in 0..1 + random(4) {
        let at = random(bytes.len());
        bytes[at] ^= 1 << random(8);
    }
    bytes
}

#[test]
#[ignore = "run by damaged_models_never_crash_or_hang in a process of its own"]
fn child() {
    let mut state = 2024u64;
    let mut random = |below: usize| {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 33) as usize % below.max(1)
    };
    let (plain, binary) = (Options::new(4, 1), Options::new(4, 1));
    crate::abi::call(|err| unsafe { stk_model_options_set_threshold(binary.0, 0.5, err) }).unwrap();
    let request = Request::of(0.5, 8, 1);
    crate::abi::call(|err| unsafe { stk_request_set_timeout_ms(request.0, 2000, err) }).unwrap();
    let (mut opened, mut refused) = (0, 0);
    for name in MODELS {
        let options = if name == "binary_prob.onnx" { &binary } else { &plain };
        let bytes = std::fs::read(crate::abi::test_model(name)).unwrap();
        for _ in 0..EACH {
            let damaged = damage(&bytes, &mut random);
            let model = Model::from(|out, err| unsafe {
                stk_model_open_memory(damaged.as_ptr().cast(), damaged.len(), options.0, out, err)
            });
            match model {
                Ok(model) => {
                    opened += 1;
                    let elements = model.elements();
                    if elements <= 1 << 20 {
                        let _ = model.predict(&request, &vec![0.5; elements]);
                    }
                }
                Err(failed) => {
                    refused += 1;
                    assert!(failed.status != STK_STATUS_PANIC && failed.status != STK_STATUS_INTERNAL, "{failed:?}");
                }
            }
        }
    }
    assert_eq!(opened + refused, MODELS.len() * EACH);
    assert!(opened > 50 && refused > 200, "{opened} opened, {refused} refused");
}

#[test]
fn damaged_models_never_crash_or_hang() {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "capi::damaged::child", "--ignored", "--nocapture", "--test-threads=1"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let start = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if start.elapsed() > Duration::from_secs(300) {
            child.kill().unwrap();
            panic!("a damaged model hangs: {:?}", child.wait_with_output());
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && said.contains("1 passed"),
        "{}: {said}{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
}
