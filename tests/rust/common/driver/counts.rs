//! Calls on counts and budgets.

use super::*;

pub(super) unsafe fn of_counts(c: &mut Choices<'_>, pools: &mut Pools) {
    let values = [c.integer(), c.integer(), c.integer()];
    let len = c.below(4);
    let counts = c.handle(&pools.counts);
    let mut summary = std::mem::MaybeUninit::<[u64; 32]>::uninit();
    let out: *mut stk_summary = if c.byte() < 250 { summary.as_mut_ptr().cast() } else { null_mut() };
    let size = c.of(&[144, 192, 192, 8, 185, 256, 0, 7]);
    // SAFETY: by contract of the caller.
    unsafe {
        match c.below(10) {
            7 => {
                give(c, &mut pools.counts, |out, err| stk_counts_clone(counts, out, err));
            }
            9 => {
                let mut json = null();
                let write = if c.byte() < 128 { stk_counts_json } else { stk_counts_json_with_secret };
                if run(c, |err| write(counts, &mut json, err)) == STK_STATUS_OK {
                    give(c, &mut pools.counts, |out, err| stk_counts_from_json(json, out, err));
                }
                run(c, |err| stk_counts_assumptions(counts, &mut json, err));
            }
            8 => {
                let pilot = if c.byte() < 128 { c.handle(&pools.counts) } else { null_mut() };
                let (k, alpha) = (c.index(), c.float());
                let (mut labels, mut radii) = ([0i64; 8], [[0.0; 8]; 2]);
                let [each, kept] = &mut radii;
                let room = k <= labels.len() && c.byte() < 200;
                let (labels, each, kept) = match room {
                    true => (labels.as_mut_ptr(), each.as_mut_ptr(), kept.as_mut_ptr()),
                    false => (null_mut(), null_mut(), null_mut()),
                };
                let out = out.cast();
                run(c, |err| stk_counts_guarantee(counts, pilot, k, alpha, labels, each, kept, out, size, err));
            }
            0 | 1 => {
                let n = c.integer();
                let data = if c.byte() < 250 { values.as_ptr() } else { null() };
                let noise = noise(c);
                let (noise, cost) =
                    (if c.byte() < 250 { noise.as_ptr() } else { null() }, c.of(&[0.0, 0.0, 1e-9, -1.0]));
                let validity = text(c, &[c"fixed", c"anytime", c"anytime:100", c"randomized:0.5", c"", c"\xff"]);
                give(c, &mut pools.counts, |out, err| stk_counts_assume(data, len, n, noise, cost, validity, out, err));
            }
            2 => {
                let other = c.handle(&pools.counts);
                run(c, |err| stk_counts_add(counts, other, err));
            }
            3 => {
                let query = stk_query {
                    struct_size: c.of(&[56, 56, 56, 56, 0, 8, 55, u64::MAX]),
                    label: c.index() as u64,
                    k: c.index() as u64,
                    alpha: c.float(),
                    allocation: allocation(c),
                    uniform: c.of(&[0.0, 0.0, 0.5, 2.0]),
                    randomized: c.of(&[0, 0, 1, 2, -1, 3]),
                    reserved: c.of(&[0, 0, 0, 0, 0, 0, 1]),
                };
                let query = if c.byte() < 250 { &raw const query } else { null() };
                run(c, |err| stk_counts_certify(counts, query, out, size, err));
            }
            4 => {
                let (k, alpha) = (c.index(), c.float());
                let mut labels = [0i64; 8];
                let labels = if k <= labels.len() && c.byte() < 200 { labels.as_mut_ptr() } else { null_mut() };
                run(c, |err| stk_counts_predict(counts, k, alpha, labels, out, size, err));
            }
            5 => {
                let (mut data, mut len) = (null(), 0);
                if run(c, |err| stk_counts_labels(counts, &mut data, &mut len, err)) == STK_STATUS_OK {
                    let sum =
                        std::slice::from_raw_parts(data, len).iter().map(|&count| u128::from(count)).sum::<u128>();
                    assert_eq!(sum + u128::from(stk_counts_invalid(counts)), u128::from(stk_counts_n(counts)));
                }
            }
            _ => {
                if let Some(counts) = pools.counts.pop() {
                    stk_counts_free(counts);
                }
            }
        }
    }
}

pub(super) unsafe fn of_budgets(c: &mut Choices<'_>, pools: &mut Pools) {
    let budget = c.handle(&pools.budgets);
    // SAFETY: by contract of the caller.
    unsafe {
        match c.below(6) {
            0 | 1 => {
                let (total, schedule) =
                    (c.float(), text(c, &[c"slow", c"even:3", c"asked", c"even:0", c"square", c""]));
                give(c, &mut pools.budgets, |out, err| stk_budget_new(total, schedule, out, err));
            }
            2 => {
                let (number, mut alphas, mut first) = (c.of(&[1, 2, 4, 0]), [0.0; 4], 0);
                let first = if c.byte() < 128 { &raw mut first } else { null_mut() };
                let alphas = if c.byte() < 250 { alphas.as_mut_ptr() } else { null_mut() };
                run(c, |err| stk_budget_draw(budget, number, alphas, first, err));
            }
            3 => {
                let alpha = c.float();
                run(c, |err| stk_budget_draw_of(budget, alpha, null_mut(), err));
                assert!(stk_budget_spent(budget) <= stk_budget_total(budget));
            }
            4 => {
                let (mut saved, size) = ([0; 512], c.of(&[512, 256, 255, 0]));
                if run(c, |err| stk_budget_save(budget, saved.as_mut_ptr(), size, err)) == STK_STATUS_OK {
                    give(c, &mut pools.budgets, |out, err| stk_budget_open(saved.as_ptr(), out, err));
                }
            }
            _ => {
                if let Some(budget) = pools.budgets.pop() {
                    stk_budget_free(budget);
                }
            }
        }
    }
}
