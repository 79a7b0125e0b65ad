//! Statistics and certificates against 40-digit tables, by properties, at the edges, and on the paper's own data.

mod adversary;
mod edges;
mod families;
mod families_exhausted;
mod golden;
mod l1_uniform;
mod multilabel;
mod paper;
mod properties;
mod sequential;
