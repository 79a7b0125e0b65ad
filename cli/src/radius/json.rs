//! Counts and records as JSON, of any language.

use serde_json::Value;
use smoothtopk::certificate::Query;
use smoothtopk::counts::Counts;
use smoothtopk::record::Record;
use smoothtopk::{Error, ErrorKind, Result};

use super::args::{Args, refuse_plain_options, required};
use super::kept;
use super::table::Table;

/// The objects in a file of JSON: one, or one per line; none where it is not JSON.
pub fn pieces(bytes: &[u8]) -> Result<Option<Vec<&str>>> {
    if bytes.trim_ascii_start().first() != Some(&b'{') {
        return Ok(None);
    }
    let text = std::str::from_utf8(bytes).map_err(|_| Error::data("counts", "the file is not text"))?;
    let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    // The first line of an object over several lines is none by itself.
    if serde_json::from_str::<Value>(first).is_err() {
        return Ok(Some(vec![text]));
    }
    Ok(Some(text.lines().filter(|line| !line.trim().is_empty()).collect()))
}

/// The certificates of each object.
pub fn certify(args: &Args, pieces: &[&str], table: &mut Table) -> Result<()> {
    for (i, piece) in pieces.iter().enumerate() {
        one(args, piece, i, table).map_err(|error| match error.kind() {
            ErrorKind::InvalidData => {
                let place = if pieces.len() > 1 { format!(", line {}", i + 1) } else { String::new() };
                error.prefixed(&format!("{}{place}: ", args.counts.display()))
            }
            _ => error,
        })?;
    }
    Ok(())
}

fn one(args: &Args, piece: &str, i: usize, table: &mut Table) -> Result<()> {
    let value: Value = serde_json::from_str(piece).map_err(|error| Error::data("counts", error.to_string()))?;
    if value["format"] == "smoothtopk-record" {
        let record = Record::from_json(piece)?;
        let counts = Counts::try_from(record.counts.clone())?;
        return kept::of_record(args, &record, &counts, record.index.unwrap_or(i), table);
    }
    let counts = Counts::from_json(piece)?;
    refuse_plain_options(args)?;
    let label = required(args.label, "label", "counts, which do not say it")?;
    let alpha = match counts.perturbation().noise.is_enumerated() {
        true => 0.0,
        false => required(args.alpha, "alpha", "counts, which do not say it")?,
    };
    table.assume(&counts);
    for &k in if args.k.is_empty() { &[1][..] } else { &args.k } {
        let allocation = args.allocation.clone().unwrap_or_default();
        let query = Query { k, alpha, allocation, ..Query::of_label(label) };
        table.add(i, k, counts.certify(&query)?.radius, &counts);
    }
    Ok(())
}
