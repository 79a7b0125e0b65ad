//! What came of one input, as it is written: one form for the C ABI, a RUN, every binding and every report.
//!
//! docs/record.md has its schema.

mod answer;
mod form;
mod identity;
mod status;

pub use answer::{CertificateRecord, GuaranteeRecord, LabelSetRecord, PredictionRecord};
pub use form::{Asked, LabelSource, Record};
pub use identity::Identity;
pub use status::status_name;
