//! Every model of `tests/models/cases.json`: those to accept answer as their frameworks did, the others are refused.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;
use smoothtopk::ErrorKind;
use smoothtopk::model::{BatchDim, ElementType, Layout, ModelOptions, NO_LABEL, Reading};

use super::{constant, labels, models, open_with, refused};

#[derive(Deserialize)]
struct Case {
    accept: bool,
    reason: Option<String>,
    input: Option<String>,
    input_type: Option<String>,
    output: Option<String>,
    element_shape: Option<Vec<usize>>,
    batch: Option<Value>,
    layout: Option<String>,
    classes: Option<usize>,
    #[serde(default)]
    options: BTreeMap<String, Value>,
    #[serde(default)]
    rows: Vec<Vec<f32>>,
    #[serde(default)]
    labels: Vec<i64>,
    #[serde(default)]
    zipmap: bool,
    class_labels: Option<Vec<Value>>,
}

fn cases() -> BTreeMap<String, Case> {
    let text = std::fs::read_to_string(models().join("cases.json")).unwrap();
    let cases: BTreeMap<String, Case> = serde_json::from_str(&text).unwrap();
    assert!(cases.len() >= 50, "only {} cases", cases.len());
    cases
}

impl Case {
    fn options(&self) -> ModelOptions {
        let mut options = ModelOptions::default();
        for (name, value) in &self.options {
            match name.as_str() {
                "threshold" => options.threshold = value.as_f64(),
                "classes" => options.classes = value.as_u64().map(|classes| classes as usize),
                "element_shape" => options.input_shape = Some(serde_json::from_value(value.clone()).unwrap()),
                "constants" => {
                    for (name, value) in value.as_object().unwrap() {
                        let values: Vec<f64> = serde_json::from_value(value["values"].clone()).unwrap();
                        options.constants.push(constant(name, &values));
                    }
                }
                other => panic!("an option that the tests do not know: {other}"),
            }
        }
        options
    }
}

fn expected(labels: &[i64]) -> Vec<u32> {
    labels.iter().map(|&label| u32::try_from(label).unwrap_or(NO_LABEL)).collect()
}

#[test]
fn accepted_models_answer_as_their_frameworks_did() {
    let mut accepted = 0;
    for (name, case) in cases().iter().filter(|(_, case)| case.accept) {
        let model = open_with(name, case.options()).unwrap_or_else(|error| panic!("{name}: {error}"));
        let signature = model.signature();
        assert_eq!(Some(&signature.input), case.input.as_ref(), "{name}");
        assert_eq!(Some(&signature.output), case.output.as_ref(), "{name}");
        assert_eq!(signature.input_type.to_string(), case.input_type.as_deref().unwrap_or("float32"), "{name}");
        assert_eq!(Some(&signature.element_shape), case.element_shape.as_ref(), "{name}");
        assert_eq!(Some(signature.classes), case.classes, "{name}");
        let layout = match case.layout.as_deref() {
            Some("nchw") => Some(Layout::Nchw),
            Some("nhwc") => Some(Layout::Nhwc),
            _ if signature.element_shape.len() == 3 => None,
            _ => Some(Layout::Flat),
        };
        assert!(layout.is_none_or(|layout| layout == signature.layout), "{name}: {}", signature.layout);
        let batch = match case.batch.as_ref().and_then(Value::as_u64) {
            Some(rows) => BatchDim::Fixed(rows as usize),
            None => BatchDim::Dynamic,
        };
        assert_eq!(signature.batch, batch, "{name}");
        assert_eq!(signature.reading == Reading::ClassMaps, case.zipmap, "{name}");
        if case.zipmap {
            let text = |label: &Value| label.as_str().map_or_else(|| label.to_string(), str::to_owned);
            let names = case.class_labels.as_ref().map(|labels| labels.iter().map(text).collect::<Vec<_>>());
            assert_eq!(signature.class_names, names, "{name}");
        }
        assert!(!case.rows.is_empty() && case.rows.len() == case.labels.len(), "{name}");
        let batches = match batch {
            BatchDim::Fixed(rows) => vec![rows],
            // One row, uneven chunks, all at once, and a batch that is never full.
            BatchDim::Dynamic => vec![1, 3, case.rows.len(), 2 * case.rows.len()],
        };
        for batch in batches {
            assert_eq!(labels(&model, &case.rows, batch), expected(&case.labels), "{name} in batches of {batch}");
        }
        accepted += 1;
    }
    assert!(accepted >= 40, "only {accepted} models to accept");
}

#[test]
fn other_models_are_refused_with_their_signature_and_a_remedy() {
    let mut refusals = 0;
    for (name, case) in cases().iter().filter(|(_, case)| !case.accept) {
        let error = refused(name, case.options());
        assert_eq!(error.kind(), ErrorKind::Model, "{name}: {error}");
        assert!(error.message().contains(name.as_str()), "{name}: {error}");
        assert!(error.message().contains("inputs: "), "{name}: {error}");
        assert!(!error.message().contains('\n'), "{name}: {error}");
        let reason = case.reason.as_deref().unwrap();
        let says = match reason {
            "rows influence one another" => "influence one another",
            "ambiguous input" => "--input NAME",
            "ambiguous output" => "--output NAME",
            "input type" => "noise can be added to",
            "output type" => "the output",
            "output shape" => "batch",
            other => panic!("{name}: a reason that the tests do not know: {other}"),
        };
        println!("{name} ({reason}): {error}");
        assert!(error.message().contains(says), "{name}: {error}");
        refusals += 1;
    }
    assert!(refusals >= 10, "only {refusals} models to refuse");
}

#[test]
fn the_types_of_the_cases_cover_what_is_promised() {
    let seen = cases().into_values().filter(|case| case.accept).filter_map(|case| case.input_type);
    let seen = seen.collect::<std::collections::BTreeSet<_>>();
    for element in [ElementType::Float16, ElementType::BFloat16, ElementType::Float64, ElementType::UInt8] {
        assert!(seen.contains(&element.to_string()), "no model takes {element}");
    }
}
