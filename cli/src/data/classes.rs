//! Which label each class folder gets.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::Value;
use smoothtopk::{Error, Result};

/// A file that says which label each class folder has.
#[derive(Debug)]
pub struct ClassesFile {
    labels: BTreeMap<String, usize>,
    /// Of its bytes.
    pub bytes: Vec<u8>,
}

impl ClassesFile {
    /// Reads names, one a line in the order of the labels from 0; or a JSON object of names with their labels, as
    /// torchvision's `class_to_idx` is.
    ///
    /// # Errors
    /// `NotFound` or `Io`; `InvalidData` for a name that is empty or there twice, and a label that is not a whole
    /// number >= 0.
    pub fn read(path: &Path) -> Result<Self> {
        let bytes = std::fs::read(path).map_err(|error| Error::io(path, &error))?;
        let wrong = |what: String| Error::data("classes-file", format!("{}: {what}", path.display()));
        let text = std::str::from_utf8(&bytes).map_err(|_| wrong("is not text".into()))?;
        let mut labels = BTreeMap::new();
        if text.trim_start().starts_with('{') {
            let object: BTreeMap<String, Value> =
                serde_json::from_str(text).map_err(|error| wrong(format!("is no JSON object: {error}")))?;
            for (name, label) in object {
                let label = label.as_u64().and_then(|label| usize::try_from(label).ok()).ok_or_else(|| {
                    wrong(format!("gives {name:?} the label {label}; a label is a whole number >= 0"))
                })?;
                labels.insert(name, label);
            }
        } else {
            for (label, name) in text.trim_end().lines().map(str::trim).enumerate() {
                let line = label + 1;
                if name.is_empty() {
                    return Err(wrong(format!("line {line} is empty")));
                }
                if labels.insert(name.to_owned(), label).is_some() {
                    return Err(wrong(format!("line {line} names {name:?} again")));
                }
            }
        }
        Ok(Self { labels, bytes })
    }

    fn label(&self, class: &str) -> Result<usize> {
        self.labels.get(class).copied().ok_or_else(|| {
            let message = format!("the class folder {class} is not named in the classes file");
            Error::data("classes-file", message)
        })
    }
}

/// The names that a file of classes gives to labels; of two names of one label the first.
///
/// # Errors
/// As [`ClassesFile::read`].
pub fn class_names(path: &Path) -> Result<BTreeMap<usize, String>> {
    let labels = ClassesFile::read(path)?.labels;
    Ok(labels.into_iter().rev().map(|(name, label)| (label, name)).collect())
}

/// The classes of a folder and the labels that they got, in the order of the names.
#[derive(Debug)]
pub struct Classes(BTreeMap<String, usize>);

impl Classes {
    /// Labels for these class folders: those of the classes file, else their places in the order of the bytes of their
    /// names, as torchvision's ImageFolder has it.
    pub fn of(folders: BTreeSet<String>, file: Option<&ClassesFile>) -> Result<Self> {
        let label = |(place, class): (usize, String)| match file {
            None => Ok((class, place)),
            Some(file) => file.label(&class).map(|label| (class, label)),
        };
        folders.into_iter().enumerate().map(label).collect::<Result<_>>().map(Self)
    }

    pub fn label(&self, class: &str) -> Option<usize> {
        self.0.get(class).copied()
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// `cat 0, dog 1`, of many the first and the last.
    pub fn shown(&self) -> String {
        const ENDS: usize = 10;
        let all: Vec<String> = self.0.iter().map(|(class, label)| format!("{class} {label}")).collect();
        match all.len() {
            many if many > 2 * ENDS + 1 => {
                format!(
                    "{}, ... ({} more) ..., {}",
                    all[..ENDS].join(", "),
                    many - 2 * ENDS,
                    all[many - ENDS..].join(", ")
                )
            }
            _ => all.join(", "),
        }
    }

    /// The first class whose name is a whole number other than its label, where all names are whole numbers.
    pub fn misnumbered(&self) -> Option<(&str, usize)> {
        let number = |class: &str| class.parse::<usize>().ok();
        let all_numbers = self.0.keys().all(|class| number(class).is_some());
        let differs = |(class, label): &(&String, &usize)| number(class) != Some(**label);
        self.0.iter().find(differs).filter(|_| all_numbers).map(|(class, label)| (class.as_str(), *label))
    }
}
