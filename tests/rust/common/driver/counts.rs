//! Calls on counts and budgets.

use super::*;

pub(super) unsafe fn of_counts(c: &mut Choices<'_>, pools: &mut Pools) {
    let values = [c.integer(), c.integer(), c.integer()];
    let len = c.below(4);
    let counts = c.handle(&pools.counts);
    let mut summary = std::mem::MaybeUninit::<[u64; 32]>::uninit();
    let out = if c.byte() < 250 { summary.as_mut_ptr().cast() } else { null_mut() };
    let size = c.of(&[144, 184, 184, 8, 137, 256, 0, 7]);
    // SAFETY: by contract of the caller.
    unsafe {
        match c.below(9) {
            7 => {
                let (label, k, sigma, alpha, slack) = (c.index(), c.index(), c.float(), c.float(), c.float());
                let (allocation, validity) =
                    (allocation(c), c.of(&[c"fixed", c"anytime", c"randomized:0.5", c"", c"\xff"]));
                let validity = if c.byte() < 200 { validity.as_ptr() } else { null() };
                run(c, |err| {
                    stk_counts_certify_with(counts, label, k, sigma, alpha, allocation, validity, slack, out, size, err)
                });
            }
            8 => {
                let pilot = if c.byte() < 128 { c.handle(&pools.counts) } else { null_mut() };
                let (k, sigma, alpha, slack) = (c.index(), c.float(), c.float(), c.float());
                let (mut labels, mut radii) = ([0i64; 8], [[0.0; 8]; 2]);
                let [each, kept] = &mut radii;
                let room = k <= labels.len() && c.byte() < 200;
                let (labels, each, kept) = match room {
                    true => (labels.as_mut_ptr(), each.as_mut_ptr(), kept.as_mut_ptr()),
                    false => (null_mut(), null_mut(), null_mut()),
                };
                let out = out.cast();
                run(c, |err| {
                    stk_counts_guarantee(counts, pilot, k, sigma, alpha, slack, labels, each, kept, out, size, err)
                });
            }
            0 | 1 => {
                let n = c.integer();
                let data = if c.byte() < 250 { values.as_ptr() } else { null() };
                give(c, &mut pools.counts, |out, err| stk_counts_new(data, len, n, out, err));
            }
            2 => {
                let other = c.handle(&pools.counts);
                run(c, |err| stk_counts_add(counts, other, err));
            }
            3 => {
                let (label, k, sigma, alpha) = (c.index(), c.index(), c.float(), c.float());
                let (bound, slack) = (c.of(&[0, 1, 2, -1, 3, i32::MIN]), c.float());
                run(c, |err| stk_counts_certify(counts, label, k, sigma, alpha, bound, slack, out, size, err));
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
                    assert!(sum <= u128::from(stk_counts_n(counts)));
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
