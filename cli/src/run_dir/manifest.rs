//! The manifest: what the results of a RUN depend on.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use smoothtopk::counts::Perturbation;
use smoothtopk::record::{Asked, Identity, LabelSource};
use smoothtopk::{Error, ErrorKind, Result};

use super::Shard;

/// The manifest's name in a RUN folder.
pub const MANIFEST: &str = "manifest.json";

/// The version of the RUN format. Other versions are refused.
pub const FORMAT: u32 = 4;

/// Options of a command by their long names: text, a list of texts, or true.
pub type Options = BTreeMap<String, Value>;

/// `manifest.json`. All fields are compared on resuming, in this order, so that the first difference is a cause rather
/// than a consequence; but the names of files, which their hashes stand for, the reason of a fallback, for which
/// the provider stands, and the options, of which the other fields are the outcome. Of a folder of images, only the
/// files of examples that have a record must be the same.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The version of the RUN format, [`FORMAT`].
    pub format: u32,
    /// The model's file name, without its folder.
    pub model_file: String,
    /// The name of the data's file or folder, without where it is.
    pub data_file: String,
    /// SHA-256 of the data, in hex.
    pub data_sha256: String,
    /// Of a folder of images: a line for each file, as `sha256sum` prints it, of which `data_sha256` is the hash; null
    /// for arrays. The place of a line is the index of the example.
    pub data_files: Option<Vec<String>>,
    /// Whether guarantees for the returned labels are certified, instead of one label.
    pub guarantee: bool,
    /// Where the certified labels come from.
    pub label_source: LabelSource,
    /// What all statements together share, where the alpha of the request is a share.
    pub alpha_total: Option<f64>,
    /// What is asked about every example.
    pub request: Asked,
    /// Seconds that an example may take.
    pub timeout: Option<f64>,
    /// The generator of the noise's bits.
    pub generator: String,
    /// SHA-256 of the seed or key, as records have it. The secret itself is in a file of its own.
    pub secret_sha256: String,
    /// What raw values were divided by.
    pub input_scale: f64,
    /// How images of a folder were resized; null for arrays.
    pub resize: Option<String>,
    /// Every skip-th example is taken.
    pub skip: usize,
    /// Examples from this index on are left out.
    pub max: Option<usize>,
    /// The part of the examples that this RUN is of; null where it is of all.
    pub shard: Option<Shard>,
    /// The part of the samples of each example that this RUN is of; null where it is of all.
    pub sample_shard: Option<Shard>,
    /// How the model is read.
    pub reading: Reading,
    /// The model, and what runs it.
    pub model: Identity,
    /// The noise, how it is made, and what that costs.
    pub perturbation: Perturbation,
    /// The examples of the whole RUN, of all its shards.
    pub examples: usize,
    /// This program's version.
    pub program_version: String,
    /// What certify was given, as it was typed, but for the seed or key, the RUN's folder, and how it is run.
    #[serde(default)]
    pub options: Options,
}

/// How the model is read: with its hash, all that makes it the base classifier.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reading {
    /// The name of the classified input.
    pub input: String,
    /// The shape of one input.
    pub element_shape: Vec<usize>,
    /// Further inputs, sorted.
    pub constants: Vec<String>,
    /// The name of the output with the scores.
    pub output: String,
    /// How a label is read from it.
    pub scores: String,
    /// The number of labels.
    pub classes: usize,
    /// The most labels of a sample, of a multi-label model: sets of true labels are certified.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_k: Option<usize>,
    /// Subtracted after the noise, per channel or one for all; empty for none.
    pub mean: Vec<f64>,
    /// Divided by after the noise, per channel or one for all; empty for none.
    pub std: Vec<f64>,
}

impl Manifest {
    /// Whether the example of this index in the data is one of the RUN's.
    pub fn has(&self, index: usize) -> bool {
        if self.skip == 0 || !index.is_multiple_of(self.skip) {
            return false;
        }
        let place = index / self.skip;
        place < self.examples && self.shard.is_none_or(|shard| shard.has(place))
    }

    /// The examples of this RUN: of a shard, its own.
    pub fn own_examples(&self) -> usize {
        self.shard.map_or(self.examples, |shard| shard.examples(self.examples))
    }

    /// How alpha is split, for people.
    pub fn bounds(&self) -> String {
        if self.perturbation.noise.is_enumerated() {
            return "exact".to_owned();
        }
        match (self.guarantee, self.request.randomized) {
            (true, _) => "guarantee".to_owned(),
            (false, true) => format!("{}, randomized", self.request.allocation),
            (false, false) => self.request.allocation.clone(),
        }
    }

    /// Pretty-printed, always the same for the same values; every f64 parses back to itself.
    ///
    /// # Errors
    /// `InvalidArgument` when a number is not finite, which JSON cannot hold.
    pub fn to_json(&self) -> Result<String> {
        let lists = [("mean", &self.reading.mean), ("std", &self.reading.std)];
        let lists = lists.into_iter().flat_map(|(field, list)| list.iter().map(move |&value| (field, value)));
        let single = [("alpha-total", self.alpha_total.unwrap_or_default()), ("input-scale", self.input_scale)];
        if let Some((field, value)) = single.into_iter().chain(lists).find(|(_, value)| !value.is_finite()) {
            return Err(Error::argument(field, format!("must be a finite number, not {value}")));
        }
        let text = serde_json::to_string_pretty(self)
            .map_err(|error| Error::new(ErrorKind::Internal, format!("the manifest: {error}")))?;
        Ok(text + "\n")
    }

    /// The manifest of the RUN that was started in a folder; none where there is none.
    ///
    /// # Errors
    /// As [`Manifest::load`].
    pub fn of_run(folder: &Path) -> Result<Option<Self>> {
        let path = folder.join(MANIFEST);
        if path.exists() { Self::load(&path).map(Some) } else { Ok(None) }
    }

    /// Reads a manifest.
    ///
    /// # Errors
    /// `NotFound`, `Io`, or `InvalidData` when it is malformed or of another format.
    pub fn load(path: &Path) -> Result<Self> {
        let bad = |reason: String| Error::data("manifest", format!("{}: {reason}", path.display()));
        let text = std::fs::read_to_string(path).map_err(|error| Error::io(path, &error))?;
        let value: Value = serde_json::from_str(&text).map_err(|error| bad(error.to_string()))?;
        match value.get("format").and_then(Value::as_u64) {
            Some(format) if format == u64::from(FORMAT) => {}
            Some(format) => {
                let writer = value.get("program_version").and_then(Value::as_str);
                let writer = writer.map_or_else(String::new, |version| format!(" ({version})"));
                return Err(bad(format!(
                    "is of format {format}, and this version reads format {FORMAT}: use the version of smoothtopk that wrote the \
                     RUN{writer}, or run again into a new folder"
                )));
            }
            None => return Err(bad("has no `format`, so it is not the manifest of a RUN".into())),
        }
        serde_json::from_value(value).map_err(|error| bad(error.to_string()))
    }

    /// Checks that resuming the RUN of `self`, in the folder `path`, with what is `wanted` gives the same results. The
    /// examples of the indices `done` have a record.
    ///
    /// # Errors
    /// `InvalidArgument` naming the first field that differs and both its values.
    pub fn check_same(&self, wanted: &Self, path: &Path, done: &BTreeSet<usize>) -> Result<()> {
        let mut wanted = wanted.clone();
        if let (Some(of_run), Some(now)) = (&self.data_files, &wanted.data_files)
            && names(of_run).eq(names(now))
        {
            check_files(of_run, now, done)?;
            wanted.data_sha256.clone_from(&self.data_sha256);
            wanted.data_files.clone_from(&self.data_files);
        }
        let Some((field, ours, theirs)) = self.difference(wanted)? else { return Ok(()) };
        let message = format!(
            "the RUN in {} was made with {ours}, and this command has {theirs}; give the same to resume it, or another --out",
            path.display()
        );
        Err(Error::argument(&field, message))
    }

    /// The first field in which another manifest differs, and both its values; none where both give the same results.
    ///
    /// # Errors
    /// As [`Manifest::to_json`].
    pub fn difference(&self, mut other: Self) -> Result<Option<(String, Value, Value)>> {
        other.model_file.clone_from(&self.model_file);
        other.data_file.clone_from(&self.data_file);
        other.model.fallback.clone_from(&self.model.fallback);
        other.options.clone_from(&self.options);
        if *self == other {
            return Ok(None);
        }
        // The lines of both are in the order of the fields.
        let (ours, theirs) = (self.to_json()?, other.to_json()?);
        let mut field = "";
        for (line, other) in ours.lines().zip(theirs.lines()) {
            field = line.split('"').nth(1).filter(|_| line.contains("\":")).unwrap_or(field);
            if line != other {
                return Ok(Some((field.to_owned(), value_of(&ours, field), value_of(&theirs, field))));
            }
        }
        Ok(None)
    }
}

fn names(files: &[String]) -> impl Iterator<Item = &str> {
    files.iter().map(|line| line.split_once("  ").map_or("", |(_, name)| name))
}

/// Refuses files that changed after their examples were certified, and another file of classes.
fn check_files(of_run: &[String], now: &[String], done: &BTreeSet<usize>) -> Result<()> {
    for (i, line) in of_run.iter().enumerate().filter(|(i, line)| now.get(*i) != Some(line)) {
        let name = line.split_once("  ").map_or("", |(_, name)| name);
        if name == "-classes" {
            let message = "the file of classes is another than the RUN was made with; give the same, or another --out";
            return Err(Error::argument("classes-file", message));
        }
        if done.contains(&i) {
            let message = format!(
                "{name} was certified as SHA-256 {}, and is another file now, or cannot be read; restore it, or give another --out",
                line.split(' ').next().unwrap_or_default()
            );
            return Err(Error::argument("data_sha256", message));
        }
    }
    Ok(())
}

/// The value of a field of a manifest, or of an object in it.
fn value_of(json: &str, field: &str) -> Value {
    let value: Value = serde_json::from_str(json).unwrap_or_default();
    // What was typed is not compared.
    let parts = value.as_object().into_iter().flatten().filter(|(name, _)| *name != "options");
    let inner = || parts.map(|(_, part)| part).find_map(|part| part.get(field));
    value.get(field).or_else(inner).cloned().unwrap_or_default()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub fn example() -> Manifest {
        let value = serde_json::json!({
            "format": FORMAT, "model_file": "m.onnx", "data_file": "d.npz", "data_sha256": "bb", "data_files": null,
            "guarantee": false, "label_source": "given", "alpha_total": null,
            "request": {
                "noise": "gaussian:0.30000000000000004", "k": [1, 3], "n": 1000, "n0": 0, "alpha": 0.001, "rule": "fixed",
                "norm": "l2", "allocation": "ranked", "randomized": false, "input_max": 1.0,
            },
            "timeout": null, "generator": "philox4x32-10", "secret_sha256": "cc", "input_scale": 255.0, "resize": null,
            "skip": 3, "max": null, "shard": null, "sample_shard": null,
            "reading": {
                "input": "x", "element_shape": [2, 2], "constants": [], "output": "y", "scores": "argmax", "classes": 4,
                "mean": [0.485, 0.456, 0.406], "std": [],
            },
            "model": {
                "model_sha256": "aa", "provider": "cpu", "precision": "float32", "arithmetic": "float32",
                "fallback": null,
                "onnxruntime_version": "1.24.0",
            },
            "perturbation": {
                "noise": "gaussian:0.30000000000000004", "method": "box-muller 2", "step": 2.384185791015625e-7,
                "elements": 4,
                "radius_cost": 1e-5, "alpha_cost": 0.0,
            },
            "examples": 10, "program_version": "0.1.0", "options": {},
        });
        serde_json::from_value(value).expect("a manifest")
    }

    #[test]
    fn a_manifest_round_trips_to_the_last_bit() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join(MANIFEST);
        let mut manifest = example();
        for scale in [0.1 + 0.2, 8.447_294_784_212_343e-5, 1.0 / 3.0, f64::MIN_POSITIVE] {
            manifest.input_scale = scale;
            let text = manifest.to_json().expect("text");
            std::fs::write(&path, &text).expect("write");
            let back = Manifest::load(&path).expect("load");
            assert_eq!((back.input_scale.to_bits(), back.to_json().expect("text")), (scale.to_bits(), text));
        }
    }

    /// Each leaf of `value`, changed: its name, and the manifest with it.
    fn changed(whole: &Value, at: &str, value: &Value, found: &mut Vec<(String, Value)>) {
        if let Value::Object(fields) = value {
            fields.iter().for_each(|(name, value)| changed(whole, &format!("{at}/{name}"), value, found));
            return;
        }
        let other: Value = match value {
            Value::String(text) if text == "given" => "selected".into(),
            Value::String(text) if text.starts_with("gaussian") => "gaussian:0.5".into(),
            Value::String(text) => format!("{text}x").into(),
            Value::Array(list) if at.ends_with("std") || list.iter().any(Value::is_f64) => vec![0.5].into(),
            Value::Array(_) if at.ends_with("constants") => vec!["a=1"].into(),
            Value::Array(list) => list.iter().skip(1).cloned().collect::<Vec<_>>().into(),
            Value::Bool(flag) => (!flag).into(),
            Value::Null if at.ends_with("shard") => "2/3".into(),
            Value::Null if at.ends_with("data_files") => vec!["cc  a.png"].into(),
            Value::Null if at.ends_with("resize") || at.ends_with("fallback") => "crop".into(),
            Value::Number(number) if number.is_f64() => 0.25.into(),
            _ => 77.into(),
        };
        let mut whole = whole.clone();
        *whole.pointer_mut(at).expect("a field") = other;
        found.push((at.rsplit('/').next().unwrap_or_default().to_owned(), whole));
    }

    #[test]
    fn every_field_but_the_names_is_compared() {
        let (whole, mut all) = (serde_json::to_value(example()).expect("value"), Vec::new());
        changed(&whole, "", &whole, &mut all);
        assert!(all.len() > 35, "{}", all.len());
        for (field, other) in all {
            let other: Manifest = serde_json::from_value(other).expect(&field);
            let same = example().check_same(&other, Path::new("RUN"), &BTreeSet::new());
            if ["model_file", "data_file", "fallback"].contains(&&*field) {
                same.expect("hashes stand for the names, the provider for a fallback");
                continue;
            }
            let error = same.expect_err(&field);
            assert_eq!((error.kind(), error.field()), (ErrorKind::InvalidArgument, Some(&*field)), "{error}");
        }
        let fewer = Manifest { request: Asked { k: vec![1], ..example().request }, ..example() };
        let typed = Options::from([("k".to_owned(), "1,3".into())]);
        let of_run = Manifest { options: typed, ..example() };
        let error = of_run.check_same(&fewer, Path::new("RUN"), &BTreeSet::new()).expect_err("k");
        assert!(error.message().contains("made with [1,3], and this command has [1]"), "{error}");
    }

    #[test]
    fn only_the_files_of_finished_examples_must_be_the_same() {
        let with = |files: &[&str]| Manifest {
            data_sha256: files.concat(),
            data_files: Some(files.iter().map(ToString::to_string).collect()),
            ..example()
        };
        let (of_run, mended) =
            (with(&["aa  a.png", "bb  b.png", "cc  -classes"]), with(&["aa  a.png", "b0  b.png", "cc  -classes"]));
        let same = |other: &Manifest, done: &[usize]| {
            of_run.check_same(other, Path::new("RUN"), &done.iter().copied().collect())
        };
        same(&mended, &[]).expect("nothing is certified");
        same(&mended, &[0]).expect("what is certified is the same");
        let error = same(&mended, &[0, 1]).expect_err("b.png was certified");
        assert!(
            error.field() == Some("data_sha256") && error.message().starts_with("b.png was certified as SHA-256 bb"),
            "{error}"
        );
        let classes = same(&with(&["aa  a.png", "bb  b.png", "c0  -classes"]), &[]).expect_err("classes");
        assert_eq!(classes.field(), Some("classes-file"));
        assert_eq!(same(&with(&["aa  a.png", "bb  c.png"]), &[]).expect_err("names").field(), Some("data_sha256"));
    }

    #[test]
    fn numbers_that_json_cannot_hold_are_refused() {
        let reading = Reading { mean: vec![0.5, f64::NAN], ..example().reading };
        let error = Manifest { reading, ..example() }.to_json().expect_err("NaN");
        assert_eq!(error.field(), Some("mean"));
    }

    #[test]
    fn another_format_is_refused_with_what_to_do() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join(MANIFEST);
        for format in [1, 2, 3, 5] {
            std::fs::write(&path, format!("{{\"format\": {format}, \"program_version\": \"0.0.9\"}}")).expect("write");
            let error = Manifest::load(&path).expect_err("another format");
            let says =
                [format!("format {format}"), "wrote the RUN (0.0.9)".into(), "run again into a new folder".into()];
            assert!(says.iter().all(|part| error.message().contains(part)), "{error}");
        }
        std::fs::write(&path, "{\"format\": 4").expect("write");
        assert_eq!(Manifest::load(&path).expect_err("half").kind(), ErrorKind::InvalidData);
        let text = example().to_json().expect("text").replace("\"skip\"", "\"later\": 1,\n  \"skip\"");
        std::fs::write(&path, text).expect("write");
        assert!(Manifest::load(&path).expect_err("a field of a later version").message().contains("later"));
    }
}
