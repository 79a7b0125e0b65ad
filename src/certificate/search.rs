//! The search for a radius: the largest r at which an inequality that holds up to some point still holds.

use crate::perturbation::{Meeting, Shift};

/// The largest r at which `lead` is still positive, as [`largest`] finds it, or [`largest_multiple`] of a noise whose
/// radii are multiples.
pub(super) fn search<F: Shift>(noise: &F, lead: impl Fn(f64) -> f64, start: f64, guess: Option<Meeting>) -> f64 {
    match noise.per_unit() {
        Some(per_unit) => largest_multiple(lead, start, per_unit),
        None => largest(lead, start, guess, noise.scale()),
    }
}

/// The largest multiple of 1 / `per_unit` at which `lead`, a falling function that is positive at `start` and not
/// everywhere, is positive. Rounded down.
fn largest_multiple(lead: impl Fn(f64) -> f64, start: f64, per_unit: u32) -> f64 {
    let unit = f64::from(per_unit);
    let at = |m: u64| {
        let quotient = m as f64 / unit;
        if quotient.mul_add(unit, -(m as f64)) > 0.0 { quotient.next_down() } else { quotient }
    };
    let holds = |m: u64| lead(at(m)) > 0.0;
    let (mut low, mut step) = ((start * unit).round() as u64, 1);
    while holds(low + step) {
        low += step;
        step *= 2;
    }
    let mut high = low + step;
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if holds(middle) {
            low = middle;
        } else {
            high = middle;
        }
    }
    at(low)
}

/// The largest r at which `lead`, a falling function that is positive at `start`, is still positive. Only an r at which
/// `lead` *was evaluated* and found positive is ever returned, so that an error of the search can make it smaller, not
/// larger; it is within 1e-9 of `unit`, the noise's scale, of the root. Infinity where the guess is.
fn largest(lead: impl Fn(f64) -> f64, start: f64, guess: Option<Meeting>, unit: f64) -> f64 {
    let (mut low, mut low_lead) = (start, lead(start));
    let mut step = 0.25 * unit;
    if let Some(Meeting { r, is_root }) = guess.filter(|guess| guess.r > start) {
        if r == f64::INFINITY {
            return r;
        }
        let lead = lead(r);
        if lead > 0.0 {
            (low, low_lead) = (r, lead);
            step = if is_root { TOLERANCE * unit } else { step };
        }
    }
    let (mut high, mut high_lead) = loop {
        if low == f64::INFINITY {
            return low;
        }
        let high = low + step;
        let lead = lead(high);
        if lead > 0.0 {
            (low, low_lead) = (high, lead);
            step *= 2.0;
        } else {
            break (high, lead);
        }
    };
    // Regula falsi with Anderson and Bjorck's weights; then halving, should that not have been enough. `low` always
    // holds, and a step of a quarter of the tolerance past the root closes the bracket.
    for round in 0..200 {
        let width = high - low;
        if width <= (TOLERANCE * unit).max(4.0 * f64::EPSILON * high) {
            break;
        }
        let part = low_lead / (low_lead - high_lead);
        let part = if part.is_finite() && round < 20 { part } else { 0.5 };
        let margin = (0.25 * TOLERANCE * unit / width).min(0.5);
        let middle = low + width * part.clamp(margin, 1.0 - margin);
        let lead = lead(middle);
        if lead > 0.0 {
            high_lead *= weight(lead, low_lead);
            (low, low_lead) = (middle, lead);
        } else {
            low_lead *= weight(lead, high_lead);
            (high, high_lead) = (middle, lead);
        }
    }
    low
}

/// How close to the root the search ends, in units of the noise's scale.
const TOLERANCE: f64 = 1e-11;

/// The factor for the end that stays, where the other end's value went from `before` to `now`.
fn weight(now: f64, before: f64) -> f64 {
    let rest = 1.0 - now / before;
    if rest > 0.0 { rest } else { 0.5 }
}

/// `radius` with `cost` taken off, rounded down; 0 when `cost` reaches it, and when it is not a number from 0 up: a
/// cost never enlarges a radius.
pub(super) fn less_cost(radius: f64, cost: f64) -> f64 {
    if cost == 0.0 {
        radius
    } else if cost > 0.0 && cost < radius {
        (radius - cost).next_down().max(0.0)
    } else {
        0.0
    }
}
