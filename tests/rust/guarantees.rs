//! Guarantees for a whole answer: against brute force, against a 30-digit table, by simulated coverage, at one look and
//! at the luckiest of many, at the edges, and against what is gained by them.

mod adversary;
mod budget;
mod coverage;
mod edges;
mod gain;
mod golden;
mod looks;
mod properties;
mod truth;
