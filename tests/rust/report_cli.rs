//! `smoothtopk report`, end to end.
