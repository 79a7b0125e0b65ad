//! Statistics and certificates against 40-digit tables, by properties, at the edges, and on the paper's own data.

#[path = "stats/adversary.rs"]
mod adversary;
#[path = "stats/edges.rs"]
mod edges;
#[path = "stats/golden.rs"]
mod golden;
#[path = "stats/l1_uniform.rs"]
mod l1_uniform;
#[path = "stats/paper.rs"]
mod paper;
#[path = "stats/properties.rs"]
mod properties;
#[path = "stats/sequential.rs"]
mod sequential;
#[path = "common/statements.rs"]
mod statements;
