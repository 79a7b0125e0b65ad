//! The files that the field's scripts read, written from the records.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use smoothtopk::counts::Counts;
use smoothtopk::record::{GuaranteeRecord, Record};
use smoothtopk::{Error, Result};

use super::row::{self, format_time, or_minus_one};
use super::{Entry, Example, Manifest, Records, atomic};

/// The name of the view of counts, in the paper's format.
pub const COUNTS: &str = "counts.tsv";

/// The header of a file of guarantees, without its newline.
const ANSWER_HEADER: &str = "idx\tlabel\tlabels\tset\tkept\teach\tfirst\tranking\ttime";

/// The header of a file of sets of true labels, without its newline.
const LABELS_HEADER: &str = "idx\tlabels\tradii\ttime";

/// The names of a RUN's views and what they begin with, in the order of [`lines`]. A part of the samples has none.
fn files(manifest: &Manifest) -> Vec<(String, String)> {
    let of_k = |k: &usize| match manifest.guarantee {
        _ if manifest.reading.base_k.is_some() => (format!("labels_k{k}.tsv"), format!("{LABELS_HEADER}\n")),
        true => (format!("answer_k{k}.tsv"), format!("{ANSWER_HEADER}\n")),
        false => (format!("k{k}.tsv"), format!("{}\n", row::HEADER)),
    };
    if manifest.sample_shard.is_some() {
        return Vec::new();
    }
    std::iter::once((COUNTS.to_owned(), String::new())).chain(manifest.request.k.iter().map(of_k)).collect()
}

/// Whether all views of a RUN are there. They are removed before records are added, so that none is out of date.
pub fn are_there(run: &Path, manifest: &Manifest) -> bool {
    files(manifest).iter().all(|(name, _)| run.join(name).exists())
}

/// Removes the views.
pub fn remove(run: &Path, manifest: &Manifest) -> Result<()> {
    for (name, _) in files(manifest) {
        let path = run.join(name);
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(Error::io(&path, &error)),
            _ => {}
        }
    }
    Ok(())
}

/// Writes the views of the records so far. Each appears whole or not at all.
pub fn write(run: &Path, manifest: &Manifest) -> Result<()> {
    let mut views = Views::create(run, manifest)?;
    for entry in Records::open(run, manifest)? {
        views.add(entry?, manifest)?;
    }
    views.finish()
}

/// The views while they are written, each under a temporary name.
pub struct Views(Vec<(PathBuf, PathBuf, BufWriter<File>)>);

impl Views {
    /// Begins them in a folder.
    pub fn create(folder: &Path, manifest: &Manifest) -> Result<Self> {
        let start = |(name, header): (String, String)| -> Result<(PathBuf, PathBuf, BufWriter<File>)> {
            let temporary = folder.join(atomic::temporary_name(&name));
            let file = File::create(&temporary).map_err(|error| Error::io(&temporary, &error))?;
            let mut out = BufWriter::with_capacity(1 << 16, file);
            out.write_all(header.as_bytes()).map_err(|error| Error::io(&temporary, &error))?;
            Ok((temporary, folder.join(name), out))
        };
        files(manifest).into_iter().map(start).collect::<Result<_>>().map(Self)
    }

    /// Adds an example.
    pub fn add(&mut self, entry: Entry, manifest: &Manifest) -> Result<()> {
        for ((path, _, out), line) in self.0.iter_mut().zip(lines(entry, manifest)) {
            out.write_all(line.as_bytes()).map_err(|error| Error::io(path, &error))?;
        }
        Ok(())
    }

    /// Gives them their names.
    pub fn finish(self) -> Result<()> {
        for (temporary, path, mut out) in self.0 {
            out.flush().map_err(|error| Error::io(&temporary, &error))?;
            std::fs::rename(&temporary, &path).map_err(|error| Error::io(&path, &error))?;
        }
        Ok(())
    }
}

/// The lines for one record: of the counts, then for each k.
fn lines(Entry { record, counts, .. }: Entry, manifest: &Manifest) -> Vec<String> {
    let mut lines = vec![counts_line(&record, &counts)];
    let example = Example::new(record, &counts);
    for (i, &k) in manifest.request.k.iter().enumerate() {
        lines.push(match manifest.guarantee {
            _ if manifest.reading.base_k.is_some() => labels_line(&example, i),
            true => answer_line(&example, i, k),
            false => example.row(i).to_line(),
        });
    }
    lines
}

/// A count for each label, then the label that the samples were drawn for; -1 where no label was fixed before them, and
/// where they certify nothing.
fn counts_line(record: &Record, counts: &Counts) -> String {
    let label = record.label.filter(|_| record.status == "OK" && record.guarantees.is_empty());
    let mut line: String = counts.labels().iter().map(|count| format!("{count}\t")).collect();
    line += &or_minus_one(label);
    line + "\n"
}

/// The labels (`-` where the time was too short for a look) and the radii of what holds for them; `inf` where nothing
/// can break it.
fn answer_line(example: &Example, i: usize, k: usize) -> String {
    let zeros = || vec!["0"; k].join(",");
    let radii = match example.guarantees.get(i) {
        None => format!("-\t0\t{}\t{}\t0\t0", zeros(), zeros()),
        Some(GuaranteeRecord { labels, label_radii, set_radius, kept_radii, first_radius, ranking_radius, .. }) => {
            let kept: Vec<f64> = kept_radii.iter().map(|radius| radius.unwrap_or(f64::INFINITY)).collect();
            let (labels, kept, each) = (list(labels), list(&kept), list(label_radii));
            format!("{labels}\t{set_radius}\t{kept}\t{each}\t{first_radius}\t{ranking_radius}")
        }
    };
    let (idx, label, time) = (example.idx, or_minus_one(example.label), format_time(example.time));
    format!("{idx}\t{label}\t{radii}\t{time}\n")
}

/// The true labels, and for e = 1, 2, .. the radius within which at least e of them stay; `inf` where nothing can break
/// it.
fn labels_line(example: &Example, i: usize) -> String {
    let (labels, radii) = match example.label_sets.get(i) {
        None => ("-".to_owned(), "0".to_owned()),
        Some(found) => (list(&found.labels), list(&found.radii().collect::<Vec<f64>>())),
    };
    format!("{}\t{labels}\t{radii}\t{}\n", example.idx, format_time(example.time))
}

fn list<T: ToString>(values: &[T]) -> String {
    values.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}
