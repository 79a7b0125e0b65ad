"""Gaussian noise on one core. Ours and rand_distr's are in Rust (main.rs), the others here."""
