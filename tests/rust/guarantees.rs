//! Guarantees for a whole answer: against brute force, against a 30-digit table, by simulated coverage, at one look and at
//! the luckiest of many, at the edges, and against what is gained by them.

#[path = "guarantees/adversary.rs"]
mod adversary;
#[path = "guarantees/budget.rs"]
mod budget;
#[path = "guarantees/coverage.rs"]
mod coverage;
#[path = "guarantees/edges.rs"]
mod edges;
#[path = "guarantees/gain.rs"]
mod gain;
#[path = "guarantees/golden.rs"]
mod golden;
#[path = "guarantees/looks.rs"]
mod looks;
#[path = "guarantees/properties.rs"]
mod properties;
#[path = "common/statements.rs"]
mod statements;
#[path = "guarantees/truth.rs"]
mod truth;
