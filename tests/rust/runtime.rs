//! What runs models. ONNX Runtime must be found: these tests fail without it (`make setup`).

mod capi;
mod closed_form;
mod common;
mod counts;
mod golden;
mod model;
#[path = "common/multinomial.rs"]
mod multinomial;
mod smoothed;

use common::{abi, driver};
