//! The manifest: all that a run's results depend on, and what they were made with.

use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use smoothtopk::certificate::stop::Rule;
use smoothtopk::noise::Source;
use smoothtopk::smoothed::Bounding;
use smoothtopk::{Error, ErrorKind, Result};

use super::stop::Columns;

/// The version of the RUN format that this program writes. It also reads format 1, which knew neither rules, nor guarantees, nor
/// budgets, nor other noise: the fields that it lacks have the values that it stood for.
pub const FORMAT: u32 = 2;

/// Where the certified labels come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LabelSource {
    /// The data's own, fixed beforehand.
    Given,
    /// By n0 rows of its own: the top label, or the k labels of an answer.
    Selected,
    /// By the very rows that certify them: the k labels of an answer.
    Same,
}

/// `manifest.json`. Everything is compared on resuming but the two file names, which are bound by their hashes, the format,
/// whose differences are fields, and why a provider was not used.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// The version of the RUN format, [`FORMAT`].
    pub format: u32,
    /// This program's version.
    pub program_version: String,
    /// The model's file name, without where it is.
    pub model: String,
    /// In hex.
    pub model_sha256: String,
    /// The data's file or folder name, without where it is.
    pub data: String,
    /// In hex.
    pub data_sha256: String,
    /// Of the library that ran the model.
    pub onnxruntime_version: String,
    /// The execution provider, with its device.
    pub provider: String,
    /// The type in which the model takes its rows.
    pub precision: String,
    /// In what float32 is computed: float32 or tf32, with +float16 or +bfloat16 where TensorRT may choose these.
    #[serde(default = "float32")]
    pub arithmetic: String,
    /// Why the model ran on the processor and not by the provider asked for; null where that ran it. Not compared: the provider
    /// is, and reasons name what a machine lacks.
    #[serde(default)]
    pub fallback: Option<String>,
    /// Standard deviation of the noise, in the units of the scaled input.
    pub sigma: f64,
    /// The k of every certificate, one file each.
    pub k: Vec<usize>,
    /// Rows that select a label, or how alpha is spent; 0 where nothing is selected.
    pub n0: u64,
    /// Rows that estimate; the most of them, where the rule may stop before.
    pub n: u64,
    /// When rows are enough: fixed, radius:R, steps:E, tolerance:E or tolerance:Esigma.
    #[serde(default = "fixed")]
    pub rule: String,
    /// Seconds after which an example's last look is its answer; null for none.
    #[serde(default)]
    pub timeout: Option<f64>,
    /// The guarantees for the returned answer are certified, instead of one label.
    #[serde(default)]
    pub guarantee: bool,
    /// Failure probability of every statement.
    pub alpha: f64,
    /// What all statements together share, where `alpha` is a share; null where it is not.
    #[serde(default)]
    pub alpha_total: Option<f64>,
    /// How many share it.
    #[serde(default)]
    pub statements: Option<u64>,
    /// What of `alpha` pays for the noise's distance from an exact Gaussian; the bounds have the rest.
    #[serde(default)]
    pub alpha_noise: f64,
    /// Exact bounds are randomized, with the uniforms that the seed or key gives.
    #[serde(default)]
    pub randomized: bool,
    /// How alpha is spent: ranked, ranked:SHARE, simuem, binocp, pooled:SHARE[:LABEL,..] or auto; for guarantees a way of their own.
    pub bound: String,
    /// Where the noise's bits come from.
    #[serde(default = "philox")]
    pub generator: String,
    /// The seed of all noise, where the generator has one.
    pub seed: Option<u64>,
    /// The SHA-256 of the key, where the generator has one. The key itself is in a file of its own.
    #[serde(default)]
    pub key_sha256: Option<String>,
    /// The points a unit that the inputs of exact noise lie on; null for other noise.
    #[serde(default)]
    pub levels: Option<u32>,
    /// The step of the grid that inputs and noise are rounded to.
    pub grid: f64,
    /// What the rounding takes from every radius.
    pub radius_slack: f64,
    /// Elements of one input.
    pub elements: usize,
    /// Labels of the model.
    pub classes: usize,
    /// Where the certified labels come from.
    pub labels: LabelSource,
    /// What raw values were divided by.
    pub input_scale: f64,
    /// Subtracted after the noise, per channel or one for all; empty for none.
    pub mean: Vec<f64>,
    /// Divided by after the noise, per channel or one for all; empty for none.
    pub std: Vec<f64>,
    /// How images of a folder were resized; null for arrays.
    pub resize: Option<String>,
    /// Every skip-th example is taken.
    pub skip: usize,
    /// Examples from this index on were left out; null for none.
    pub max: Option<usize>,
    /// The examples of the whole run.
    pub examples: usize,
    /// Whatever else binds the results. Kept when read, compared like the rest.
    #[serde(flatten)]
    pub more: Map<String, Value>,
}

/// What is not compared: file names, which hashes bind, the format, and the reason of a fallback, which the provider shows.
const NOT_COMPARED: [&str; 4] = ["format", "model", "data", "fallback"];

/// The order in which fields are compared, so that the first difference named is a cause rather than a consequence.
const ORDER: [&str; 36] = [
    "model_sha256",
    "data_sha256",
    "sigma",
    "k",
    "n0",
    "n",
    "rule",
    "timeout",
    "guarantee",
    "alpha_total",
    "alpha",
    "bound",
    "randomized",
    "generator",
    "seed",
    "key_sha256",
    "levels",
    "labels",
    "input_scale",
    "mean",
    "std",
    "resize",
    "skip",
    "max",
    "provider",
    "precision",
    "arithmetic",
    "program_version",
    "onnxruntime_version",
    "grid",
    "radius_slack",
    "elements",
    "classes",
    "examples",
    "statements",
    "alpha_noise",
];

fn fixed() -> String {
    Rule::Fixed.to_string()
}

/// What runs computed in before there was a choice.
fn float32() -> String {
    "float32".to_owned()
}

fn philox() -> String {
    Source::Philox { seed: 0 }.name().to_owned()
}

impl Manifest {
    /// The index in the data of the run's i-th example; none past its last.
    pub fn index(&self, i: usize) -> Option<usize> {
        (i < self.examples).then(|| i.saturating_mul(self.skip))
    }

    /// Whether `stops.tsv` is kept: where examples differ in their rows, in how alpha is spent, or in what bounds are randomized by.
    pub fn keeps_stops(&self) -> bool {
        self.rule != fixed() || self.bound == Bounding::Auto.to_string() || self.randomized
    }

    /// What the columns of `stops.tsv` are.
    pub fn stop_columns(&self) -> Columns<'_> {
        Columns { ks: &self.k, classes: self.classes, randomized: self.randomized }
    }

    /// How alpha is spent, and whether bounds are randomized, for people.
    pub fn bounds(&self) -> String {
        if self.randomized { format!("{}, randomized", self.bound) } else { self.bound.clone() }
    }

    /// Pretty-printed, always the same for the same values; every f64 parses back to itself.
    ///
    /// # Errors
    /// `InvalidArgument` naming a number that is not finite, which JSON cannot hold.
    pub fn to_json(&self) -> Result<String> {
        let internal = |error: serde_json::Error| Error::new(ErrorKind::Internal, format!("the manifest: {error}"));
        let numbers = [
            ("sigma", self.sigma),
            ("alpha", self.alpha),
            ("alpha-total", self.alpha_total.unwrap_or_default()),
            ("alpha_noise", self.alpha_noise),
            ("grid", self.grid),
            ("radius_slack", self.radius_slack),
            ("input-scale", self.input_scale),
        ];
        let lists = [("mean", &self.mean), ("std", &self.std)].into_iter();
        let lists = lists.flat_map(|(field, list)| list.iter().map(move |&value| (field, value)));
        if let Some((field, value)) = numbers.into_iter().chain(lists).find(|(_, value)| !value.is_finite()) {
            return Err(Error::argument(field, format!("must be a finite number, not {value}")));
        }
        let mut text = serde_json::to_string_pretty(self).map_err(internal)?;
        text.push('\n');
        Ok(text)
    }

    /// Reads a manifest; fields that this version does not know are kept in `more`.
    ///
    /// # Errors
    /// `NotFound`, `Io`, or `InvalidData` when it is malformed or of another format.
    pub fn load(path: &Path) -> Result<Self> {
        let bad = |reason: String| Error::data("manifest", format!("{}: {reason}", path.display()));
        let text = std::fs::read_to_string(path).map_err(|error| Error::io(path, &error))?;
        let value: Value = serde_json::from_str(&text).map_err(|error| bad(error.to_string()))?;
        match value.get("format").and_then(Value::as_u64) {
            Some(format) if (1..=u64::from(FORMAT)).contains(&format) => {}
            Some(format) => {
                return Err(bad(format!(
                    "format {format}, but this program reads formats 1 to {FORMAT}; use the program that wrote it"
                )));
            }
            None => return Err(bad("no `format`, so it is no manifest of a run".into())),
        }
        serde_json::from_value(value).map_err(|error| bad(error.to_string()))
    }

    /// Checks that resuming the run of `self`, in the folder `path`, with what is `wanted` gives the same results.
    ///
    /// # Errors
    /// `InvalidArgument` naming the first field that differs and both its values.
    pub fn check_same(&self, wanted: &Self, path: &Path) -> Result<()> {
        let internal = |error: serde_json::Error| Error::new(ErrorKind::Internal, format!("the manifest: {error}"));
        let stored = serde_json::to_value(self).map_err(internal)?;
        let wanted = serde_json::to_value(wanted).map_err(internal)?;
        let names = [&stored, &wanted].into_iter().filter_map(Value::as_object).flat_map(Map::keys);
        let names = names.map(String::as_str).filter(|name| !NOT_COMPARED.contains(name));
        let differing = ORDER.into_iter().chain(names).find(|name| stored.get(name) != wanted.get(name));
        let Some(field) = differing else { return Ok(()) };
        let show = |value: &Value| value.get(field).map_or_else(|| "nothing".to_string(), Value::to_string);
        Err(Error::argument(
            field,
            format!(
                "the run in {} was made with {}, and this command has {}; give the same values to resume it, or \
                 another --out",
                path.display(),
                show(&stored),
                show(&wanted)
            ),
        ))
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub fn example() -> Manifest {
        Manifest {
            format: FORMAT,
            program_version: "0.1.0".into(),
            model: "m.onnx".into(),
            model_sha256: "aa".into(),
            data: "d.npz".into(),
            data_sha256: "bb".into(),
            onnxruntime_version: "1.24.0".into(),
            provider: "cpu".into(),
            precision: "float32".into(),
            arithmetic: "float32".into(),
            fallback: None,
            sigma: 0.1 + 0.2,
            k: vec![1, 3],
            n0: 100,
            n: 1000,
            rule: fixed(),
            timeout: None,
            guarantee: false,
            alpha: 0.001,
            alpha_total: None,
            statements: None,
            alpha_noise: 0.0,
            randomized: false,
            bound: "ranked".into(),
            generator: philox(),
            seed: Some(u64::MAX),
            key_sha256: None,
            levels: None,
            grid: 2f64.powi(-22),
            radius_slack: 1.321_234_567_890_123_4e-5,
            elements: 3072,
            classes: 4,
            labels: LabelSource::Given,
            input_scale: 255.0,
            mean: vec![0.485, 0.456, 0.406],
            std: vec![],
            resize: None,
            skip: 3,
            max: None,
            examples: 10,
            more: Map::new(),
        }
    }

    #[test]
    fn a_manifest_round_trips_to_the_last_bit() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("manifest.json");
        let mut manifest = example();
        manifest.more.insert("later".into(), Value::from(0.1 + 0.7));
        for sigma in [0.1 + 0.2, 8.447_294_784_212_343e-5, 0.25, 1.0 / 3.0, f64::MIN_POSITIVE] {
            manifest.sigma = sigma;
            let text = manifest.to_json().expect("text");
            std::fs::write(&path, &text).expect("write");
            let back = Manifest::load(&path).expect("load");
            assert_eq!(back, manifest);
            assert_eq!(back.sigma.to_bits(), sigma.to_bits());
            assert_eq!(back.to_json().expect("text"), text);
        }
    }

    #[test]
    fn every_field_but_the_names_is_compared() {
        let value = serde_json::to_value(example()).expect("value");
        let fields: Vec<&String> = value.as_object().expect("object").keys().collect();
        for field in ORDER {
            assert!(fields.iter().any(|name| *name == field), "{field} is no field");
        }
        for field in &fields {
            let ordered = ORDER.contains(&field.as_str()) || NOT_COMPARED.contains(&field.as_str());
            assert!(ordered, "{field} has no place in the order");
        }
        for field in ORDER {
            let mut other = value.clone();
            other[field] = match &value[field] {
                Value::String(_) if field == "labels" => "selected".into(),
                Value::String(text) => format!("{text}x").into(),
                Value::Array(_) => vec![7].into(),
                Value::Null if ["resize", "key_sha256"].contains(&field) => "crop".into(),
                Value::Bool(flag) => (!flag).into(),
                Value::Number(number) if number.is_u64() && number.as_u64() != Some(u64::MAX) => 77.into(),
                Value::Number(number) if number.is_f64() => 0.5.into(),
                _ => 5.into(),
            };
            let other: Manifest = serde_json::from_value(other).expect(field);
            let error = example().check_same(&other, Path::new("RUN")).expect_err(field);
            assert_eq!(error.kind(), ErrorKind::InvalidArgument);
            assert_eq!(error.field(), Some(field));
        }
        let fallback = Some("another reason".into());
        let renamed = Manifest { model: "other.onnx".into(), data: "other.npz".into(), fallback, ..example() };
        example().check_same(&renamed, Path::new("RUN")).expect("hashes bind the names, the provider a fallback");
    }

    #[test]
    fn numbers_that_json_cannot_hold_are_refused() {
        let error = Manifest { mean: vec![0.5, f64::NAN], ..example() }.to_json().expect_err("NaN");
        assert_eq!(error.field(), Some("mean"));
    }

    #[test]
    fn a_run_of_format_1_is_read_and_resumed() {
        let mut value = serde_json::to_value(example()).expect("value");
        let fields = value.as_object_mut().expect("object");
        for later in [
            "rule",
            "timeout",
            "guarantee",
            "alpha_total",
            "statements",
            "alpha_noise",
            "randomized",
            "generator",
            "key_sha256",
            "levels",
            "arithmetic",
            "fallback",
        ] {
            fields.remove(later).expect(later);
        }
        fields["format"] = 1.into();
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("manifest.json");
        std::fs::write(&path, value.to_string()).expect("write");
        let old = Manifest::load(&path).expect("format 1");
        assert_eq!(old, Manifest { format: 1, ..example() });
        old.check_same(&example(), Path::new("RUN")).expect("the same run");
        let stopped = Manifest { rule: "radius:0.5".into(), ..example() };
        assert_eq!(old.check_same(&stopped, Path::new("RUN")).expect_err("a rule").field(), Some("rule"));
        assert!(stopped.keeps_stops() && !old.keeps_stops());
    }

    #[test]
    fn another_format_is_refused() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("manifest.json");
        std::fs::write(&path, "{\"format\": 3}").expect("write");
        assert!(Manifest::load(&path).expect_err("format 3").message().contains("format 3"));
        std::fs::write(&path, "{\"format\": 1").expect("write");
        assert_eq!(Manifest::load(&path).expect_err("cut").kind(), ErrorKind::InvalidData);
    }
}
