//! Calls on requests, model options and cancel tokens.

use super::*;

pub(super) unsafe fn of_requests(c: &mut Choices<'_>, pools: &mut Pools) {
    let at = if pools.requests.is_empty() { 0 } else { c.below(pools.requests.len()) };
    let request = pools.requests.get(at).copied().unwrap_or(null_mut());
    // SAFETY: by contract of the caller.
    unsafe {
        match c.below(18) {
            7 => {
                let on = c.byte() < 128;
                run(c, |err| stk_request_set_randomized(request, on, err));
            }
            14 => {
                let rule = text(
                    c,
                    &[c"fixed", c"radius:0.25", c"steps:0.1", c"tolerance:0.1sigma", c"predict", c"radius:-1", c"x"],
                );
                run(c, |err| stk_request_set_rule(request, rule, err));
            }
            15 => {
                let allocation = allocation(c);
                run(c, |err| stk_request_set_allocation(request, allocation, err));
            }
            16 => {
                let levels = c.of(&[0, 0, 8, 255, 1, 1 << 20, u32::MAX]);
                run(c, |err| stk_request_set_noise_exact(request, levels, err));
            }
            17 => {
                let key = [c.byte(); STK_CHACHA12_KEY_SIZE];
                let key = if c.byte() < 128 { key.as_ptr() } else { null() };
                run(c, |err| stk_request_set_chacha12(request, key, err));
            }
            0 | 1 => {
                let noise = noise(c);
                give(c, &mut pools.requests, |out, err| stk_request_new(noise.as_ptr(), out, err));
                pools.rows.resize(pools.requests.len(), (100_000, 100));
                // Few samples to begin with, or hardly any call would be made.
                if let Some(&request) = pools.requests.last() {
                    stk_request_set_n(request, 50, null_mut());
                    pools.rows.last_mut().unwrap().0 = 50;
                }
            }
            2 => {
                let noise = noise(c);
                run(c, |err| stk_request_set_noise(request, noise.as_ptr(), err));
            }
            3 => {
                let k = [c.index(), c.index(), c.index()];
                let len = c.below(4);
                run(c, |err| stk_request_set_k(request, k.as_ptr(), len, err));
            }
            4 => {
                let n = c.integer();
                if run(c, |err| stk_request_set_n(request, n, err)) == STK_STATUS_OK {
                    pools.rows[at].0 = n;
                }
            }
            5 => {
                let n0 = c.integer();
                if run(c, |err| stk_request_set_n0(request, n0, err)) == STK_STATUS_OK {
                    pools.rows[at].1 = n0;
                }
            }
            6 => {
                let alpha = c.float();
                run(c, |err| stk_request_set_alpha(request, alpha, err));
            }
            8 => {
                let seed = c.integer();
                run(c, |err| stk_request_set_seed(request, seed, err));
            }
            9 => {
                let stream = c.integer();
                run(c, |err| stk_request_set_stream(request, stream, err));
            }
            10 => {
                let input_max = c.float();
                run(c, |err| stk_request_set_input_max(request, input_max, err));
            }
            11 => {
                let timeout = c.of(&[0, 1, 5, 1000, u64::MAX]);
                run(c, |err| stk_request_set_timeout_ms(request, timeout, err));
            }
            12 => {
                let token = c.handle(&pools.tokens);
                run(c, |err| stk_request_set_cancel(request, token, err));
            }
            _ => {
                let callback: stk_progress_callback = if c.byte() < 128 { Some(progress) } else { None };
                run(c, |err| stk_request_set_progress(request, callback, null_mut(), err));
            }
        }
    }
}

pub(super) unsafe fn of_options(c: &mut Choices<'_>, pools: &mut Pools) {
    let options = c.handle(&pools.options);
    let text = c.of(&[c"cpu", c"cuda:0", c"cpu:0", c"", c"x", c"\xff", c"NoSuchExecutionProvider"]).as_ptr();
    let text = if c.byte() < 250 { text } else { null() };
    let size = c.of(&[0, 1, 2, 8, 1000, usize::MAX]);
    // SAFETY: by contract of the caller.
    unsafe {
        match c.below(13) {
            0 => {
                give(c, &mut pools.options, |out, err| stk_model_options_new(out, err));
            }
            1 => {
                run(c, |err| stk_model_options_set_provider(options, text, err));
            }
            2 => {
                run(c, |err| stk_model_options_set_provider_option(options, text, text, err));
            }
            3 => {
                run(c, |err| stk_model_options_set_provider_library(options, text, err));
            }
            4 => {
                run(c, |err| stk_model_options_set_threads(options, size, err));
            }
            5 => {
                run(c, |err| stk_model_options_set_batch(options, size, err));
            }
            6 => {
                run(c, |err| stk_model_options_set_memory_limit(options, size as u64, err));
            }
            7 => {
                run(c, |err| stk_model_options_set_input(options, text, err));
            }
            8 => {
                let dims = [size, c.index()];
                let len = c.below(3);
                run(c, |err| stk_model_options_set_input_shape(options, dims.as_ptr(), len, err));
            }
            9 => {
                run(c, |err| stk_model_options_set_classes(options, size, err));
            }
            10 => {
                let threshold = c.float();
                run(c, |err| stk_model_options_set_threshold(options, threshold, err));
            }
            11 => {
                let values = [c.float() as f32, c.float() as f32];
                let (mean, std) = (c.below(3), c.below(3));
                let data = values.as_ptr();
                run(c, |err| stk_model_options_set_normalization(options, data, mean, data, std, err));
            }
            _ => {
                let values = [c.float(), c.float()];
                let len = c.below(3);
                run(c, |err| stk_model_options_set_constant(options, text, values.as_ptr(), len, err));
            }
        }
    }
}

pub(super) unsafe fn of_tokens(c: &mut Choices<'_>, pools: &mut Pools) {
    let token = c.handle(&pools.tokens);
    // SAFETY: by contract of the caller.
    unsafe {
        match c.below(6) {
            0..3 => {
                give(c, &mut pools.tokens, |out, err| stk_cancel_new(out, err));
            }
            3 => {
                stk_cancel_set(token);
                assert!(token.is_null() || stk_cancel_is_set(token));
            }
            4 => {
                stk_cancel_is_set(token);
            }
            _ => {
                if let Some(token) = pools.tokens.pop() {
                    stk_cancel_free(token);
                }
            }
        }
    }
}
