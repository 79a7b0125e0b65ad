//! A data set, whatever it is stored as.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use smoothtopk::{Error, Result};

use super::array::Array;
use super::arrays::Arrays;
use super::folder::Folder;
use super::hash::hash;
use super::labels::Labels;
use super::options::{DataOptions, InputSpec, Layout, Resize};
use super::{file, fit, labels};
use crate::number::number;

/// A data set: examples, and labels where it has them. Values stay in their own type until asked for.
#[derive(Debug)]
pub struct Dataset {
    path: PathBuf,
    input_scale: f64,
    source: Source,
    labels: Option<Labels>,
    sha256: OnceLock<String>,
}

#[derive(Debug)]
enum Source {
    Array { images: Array, indices: Option<Array> },
    Folder(Folder),
}

impl Dataset {
    /// Opens a `.npz` with `images` and perhaps `labels`, a `.npy` of images, or a folder of PNG and JPEG images.
    ///
    /// # Errors
    /// `NotFound` or `Io` when it cannot be read, `InvalidData` when it is malformed, holds no example, or has labels
    /// that are not one whole number >= 0 per example; `InvalidArgument` for options that do not fit.
    pub fn open(path: &Path, options: &DataOptions) -> Result<Self> {
        if !(options.input_scale > 0.0 && options.input_scale.is_finite()) {
            return Err(Error::argument("input-scale", format!("must be > 0, not {}", number(options.input_scale))));
        }
        let metadata = std::fs::metadata(path).map_err(|error| Error::io(path, &error))?;
        let sha256 = OnceLock::new();
        let (source, labels) = if metadata.is_dir() {
            let (folder, labels) = Folder::open(path, options)?;
            (Source::Folder(folder), labels.map(Labels::One))
        } else {
            if options.classes_file.is_some() {
                return Err(Error::argument(
                    "classes-file",
                    "a classes file goes with a folder of images, not with an array",
                ));
            }
            // What is taken apart is what was hashed, whatever becomes of the file meanwhile.
            let bytes = std::fs::read(path).map_err(|error| Error::io(path, &error))?;
            sha256.get_or_init(|| hash(&bytes));
            let Arrays { images, labels, indices } = file::open(path, &bytes)?;
            (Source::Array { images, indices }, labels)
        };
        let dataset = Self { path: path.to_path_buf(), input_scale: options.input_scale, source, labels, sha256 };
        if dataset.len() > 0 {
            return Ok(dataset);
        }
        let left_out = if let Source::Folder(folder) = &dataset.source { folder.left_out() } else { None };
        let left_out = left_out.map_or_else(String::new, |files| format!("; left out: {files}"));
        Err(Error::data("data", format!("{} holds no example{left_out}", path.display())))
    }

    /// The number of examples, at least 1.
    pub fn len(&self) -> usize {
        match &self.source {
            Source::Array { images, .. } => images.examples(),
            Source::Folder(folder) => folder.len(),
        }
    }

    /// Whether the data has labels: all examples have one, or none has.
    pub fn has_labels(&self) -> bool {
        self.labels.is_some()
    }

    /// The label of example `i`; none when the data has no labels, sets of them, or no such example.
    pub fn label(&self, i: usize) -> Option<usize> {
        match self.labels.as_ref()? {
            Labels::One(labels) => labels.get(i).copied(),
            Labels::Sets(_) => None,
        }
    }

    /// Whether each example has a set of labels.
    pub fn has_label_sets(&self) -> bool {
        matches!(self.labels, Some(Labels::Sets(_)))
    }

    /// The labels of example `i`, ascending: one, or a set.
    pub fn labels(&self, i: usize) -> &[usize] {
        self.labels.as_ref().map_or(&[], |labels| labels.of(i))
    }

    /// What to call example `i` in a message: a file of the folder, or its index.
    pub fn name(&self, i: usize) -> String {
        self.file_of(i).unwrap_or_else(|| format!("example {i}"))
    }

    /// The name of the file or folder, without where it is.
    pub fn file_name(&self) -> String {
        file_name(&self.path)
    }

    /// How images are resized; none for arrays, which are never resized.
    pub fn resize(&self) -> Option<Resize> {
        match &self.source {
            Source::Array { .. } => None,
            Source::Folder(folder) => Some(folder.resize()),
        }
    }

    /// Example `i` in the model's order, each value divided by the input scale in f64 and rounded once to f32.
    ///
    /// An array's examples fit when their shape is the model's, up to axes of length 1; when they are NHWC and the
    /// model NCHW or the other way round (the model's own order wins where both fit, as with 3x3x3); or when either is
    /// flat and the number of elements is the same (row-major order).
    ///
    /// # Errors
    /// `InvalidData` when the shapes do not fit, a value is not finite, or an image cannot be decoded.
    pub fn example(&self, i: usize, spec: &InputSpec) -> Result<Vec<f32>> {
        if i >= self.len() {
            return Err(Error::argument("example", format!("{i} is past the last of {} examples", self.len())));
        }
        match &self.source {
            Source::Array { images, .. } => images.example(i, spec, self.input_scale),
            Source::Folder(folder) => folder.example(i, spec, self.input_scale),
        }
    }

    /// Checks that the examples fit the model, without reading a value.
    ///
    /// # Errors
    /// `InvalidData` with both shapes and the remedy.
    pub fn check_shape(&self, spec: &InputSpec) -> Result<()> {
        match &self.source {
            Source::Array { images, .. } => fit::fit(images.example_shape(), spec).map(|_| ()),
            Source::Folder(_) => fit::image_size(spec).map(|_| ()),
        }
    }

    /// Checks that every label is below `classes`.
    ///
    /// # Errors
    /// `InvalidData` naming the example and its label.
    pub fn check_labels(&self, classes: usize) -> Result<()> {
        let examples = self.labels.as_ref().map_or(0, Labels::len);
        let beyond = |i: &usize| self.labels(*i).last().is_some_and(|&label| label >= classes);
        match (0..examples).find(beyond) {
            None => Ok(()),
            Some(i) => Err(Error::data(
                "labels",
                format!(
                    "{} has label {}, but the model has {classes} labels, 0 to {}; are the labels this model's?",
                    self.name(i),
                    self.labels(i).last().copied().unwrap_or_default(),
                    classes.saturating_sub(1)
                ),
            )),
        }
    }

    /// A bound on the magnitude of every value after scaling: the largest one of an array, 255/scale for images.
    ///
    /// # Errors
    /// `InvalidData` naming the first example and element that is not finite.
    pub fn max_abs(&self) -> Result<f64> {
        match &self.source {
            Source::Array { images, .. } => images.max_abs(self.input_scale),
            Source::Folder(_) => Ok(255.0 / self.input_scale),
        }
    }

    /// The largest value, where the data are plainly 8-bit pixels that nothing has brought to [0, 1], for a model of
    /// this layout.
    pub fn largest_pixel(&self, layout: Layout) -> Option<f64> {
        match &self.source {
            Source::Array { images, .. } => {
                images.largest_pixel(layout != Layout::Flat).filter(|_| self.input_scale == 1.0)
            }
            Source::Folder(_) => Some(255.0).filter(|_| self.input_scale == 1.0),
        }
    }

    /// SHA-256 of the content, in hex. For a file: of its bytes, as they were read. For a folder: of the lines of its
    /// [`Dataset::listing`].
    pub fn sha256(&self) -> &str {
        self.sha256.get_or_init(|| self.listing().map(|lines| listing_sha256(&lines)).unwrap_or_default())
    }

    /// Of a folder: the text that `sha256sum` prints for its images, `<hash>  <CLASS/file>` a line, in the order of the
    /// examples; `-` for the hash of a file that cannot be read. With a classes file, a last line with the file's hash
    /// and the name `-classes`. None for an array.
    pub fn listing(&self) -> Option<Vec<String>> {
        match &self.source {
            Source::Array { .. } => None,
            Source::Folder(folder) => Some(folder.listing()),
        }
    }

    /// Has every image that is read from now on be what a RUN lists.
    pub fn expect(&self, listed: &[String]) {
        if let Source::Folder(folder) = &self.source {
            folder.expect(listed);
        }
    }

    /// Reads and hashes every file of a folder: those of `examples` that are damaged or cannot be read, with what is
    /// wrong. What is read later must be the same.
    ///
    /// # Errors
    /// `InvalidData` when the model takes no images.
    pub fn examine(&self, examples: &[usize], spec: &InputSpec) -> Result<Vec<(usize, Error)>> {
        match &self.source {
            Source::Array { .. } => Ok(Vec::new()),
            Source::Folder(folder) => folder.examine(examples, spec),
        }
    }

    /// What was found in a folder, for people, for a model of so many labels. Some lines are warnings, and say so.
    pub fn found(&self, classes: usize) -> Vec<String> {
        match &self.source {
            Source::Array { .. } => Vec::new(),
            Source::Folder(folder) => folder.found(classes),
        }
    }

    /// The file of example `i`, of a folder.
    pub fn file_of(&self, i: usize) -> Option<String> {
        match &self.source {
            Source::Folder(folder) if i < folder.len() => Some(folder.name(i)),
            _ => None,
        }
    }

    /// The array `indices` of a `.npz`, one for each example; none where there is none.
    ///
    /// # Errors
    /// `InvalidData` when it does not hold one whole number for each of its rows.
    pub fn indices(&self) -> Result<Option<Vec<usize>>> {
        let Source::Array { indices: Some(indices), .. } = &self.source else { return Ok(None) };
        let wrong = |_| {
            let path = self.path.display();
            Error::data("indices", format!("{path}: `indices` must hold one whole number >= 0 per image"))
        };
        labels::from_array(indices, indices.examples()).map_err(wrong).map(Some)
    }
}

/// SHA-256 of a listing's lines, in hex.
fn listing_sha256(lines: &[String]) -> String {
    hash(lines.iter().map(|line| format!("{line}\n")).collect::<String>().as_bytes())
}

/// The last part of a path.
fn file_name(path: &Path) -> String {
    let whole = path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
    let name = path.file_name().or_else(|| whole.file_name());
    name.map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned())
}
