//! Under another program: writes the RUN of the records that it is given, by whoever drew them. Lines are `manifest`,
//! `record`, `part I/N` or `failed`, a tab, and what it is. What is written is told.

use std::collections::HashMap;
use std::io::BufRead;

use smoothtopk::noise::Source;
use smoothtopk::{Error, ErrorKind, Result};

use super::args::Args;
use super::host::{begin, tell, tell_failed};
use super::manifest::{model_file, options};
use crate::failed::Failed;
use crate::merge::Whole;
use crate::run_dir::{Entry, Manifest, Proof, RunDir, Shard, secret_sha256};

/// The first line is a manifest; those of others must be the same.
pub fn run(args: &Args) -> Result<()> {
    let mut lines = std::io::stdin().lock().lines();
    let io = |error: std::io::Error| Error::new(ErrorKind::Io, format!("standard input: {error}"));
    // It was ended before its first worker had begun.
    let Some(first) = lines.next().transpose().map_err(io)? else { return Ok(()) };
    let mut manifest = match split(&first)? {
        ("manifest", text) => read_manifest(text)?,
        (word, _) => return Err(unknown(word)),
    };
    // The files are named as they are where this was typed.
    (manifest.model_file, manifest.options) = (model_file(args), options(args));
    let data_file = || args.sampling.data.file_name().map(|name| name.to_string_lossy().into_owned());
    manifest.data_file = args.host.data_as.clone().or_else(data_file).unwrap_or_default();
    let source = match manifest.perturbation.noise.is_enumerated() {
        // Nothing is drawn.
        true => Source::from_secret(&manifest.generator, "0")?,
        false => args.sampling.noise_args.generator()?.source()?,
    };
    if secret_sha256(&source) != manifest.secret_sha256 {
        return Err(Error::argument("seed", "is not the one that the samples are drawn by"));
    }
    let mut out = RunDir::open(&args.out, &manifest, &source)?;
    begin(manifest.own_examples(), &args.out)?;
    let whole = Whole::of(&manifest, Some(source));
    let todo = (0..manifest.examples).map(|place| place * manifest.skip);
    let todo = todo.filter(|&index| manifest.has(index) && !out.done().contains(&index));
    tell("todo", &todo.map(|index| index.to_string()).collect::<Vec<_>>().join(" "))?;
    let (mut parts, mut failed) = (HashMap::new(), Failed::default());
    for line in lines {
        let line = line.map_err(io)?;
        let (word, what) = split(&line)?;
        if word == "manifest" {
            check_same(&manifest, read_manifest(what)?)?;
            continue;
        }
        if word == "failed" {
            let (index, name, error) = failure(what).ok_or_else(|| unknown(what))?;
            out.fail(index, name, &error)?;
            tell_failed(index, name, &error)?;
            failed.add(error);
            continue;
        }
        let mut entry = Entry::of_line(what.as_bytes(), 0, &manifest, Proof::Needed)?;
        if let Some(part) = word.strip_prefix("part ") {
            let whole = whole.as_ref().map_err(Clone::clone)?;
            let Some(complete) = add(&mut parts, part.parse()?, entry) else { continue };
            entry = whole.record(&complete)?;
        } else if word != "record" {
            return Err(unknown(word));
        }
        // Whoever else drew it drew the same.
        if entry.record.index.is_some_and(|index| !out.done().contains(&index)) {
            out.append(&entry.record)?;
            tell("record", &entry.record.to_json())?;
        }
    }
    let (done, path) = (out.done().len(), args.out.display());
    out.put_in_order()?;
    out.close()?;
    failed.into_error(&format!("{done} examples are kept in {path}; give the same again to try them again"))
}

/// The parts of an example, once all are there.
fn add(parts: &mut HashMap<usize, Vec<Option<Entry>>>, part: Shard, entry: Entry) -> Option<Vec<Entry>> {
    let index = entry.record.index?;
    let of_example = parts.entry(index).or_insert_with(|| (0..part.of()).map(|_| None).collect());
    *of_example.get_mut(part.place())? = Some(entry);
    if of_example.iter().any(Option::is_none) {
        return None;
    }
    parts.remove(&index).map(|parts| parts.into_iter().flatten().collect())
}

fn split(line: &str) -> Result<(&str, &str)> {
    line.split_once('\t').ok_or_else(|| unknown(line))
}

fn unknown(line: &str) -> Error {
    Error::new(ErrorKind::Internal, format!("\"{line:.60}\" is no line of this"))
}

fn read_manifest(text: &str) -> Result<Manifest> {
    serde_json::from_str(text).map_err(|error| Error::data("manifest", error.to_string()))
}

/// Refuses one who would draw something else.
fn check_same(manifest: &Manifest, other: Manifest) -> Result<()> {
    let Some((field, ours, theirs)) = manifest.difference(other)? else { return Ok(()) };
    let message = format!("is {theirs} on one machine, and {ours} on another: the same must be installed on all");
    Err(Error::argument(field, message))
}

fn failure(what: &str) -> Option<(usize, &str, Error)> {
    let (index, rest) = what.split_once('\t')?;
    let (name, error) = rest.split_once('\t')?;
    Some((index.parse().ok()?, name, Error::new(ErrorKind::Run, error)))
}
