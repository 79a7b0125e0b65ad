//! What runs models. ONNX Runtime must be found: these tests fail without it (`make setup`).

mod capi;
mod closed_form;
mod common;
mod golden;
mod model;
mod smoothed;

use common::{abi, driver};
