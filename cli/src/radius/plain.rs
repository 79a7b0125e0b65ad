//! Plain numbers: the paper's file, with what is assumed of it.

use smoothtopk::certificate::Query;
use smoothtopk::counts::{Assumed, Counts};
use smoothtopk::stats::{Validity, check_alpha, check_k};
use smoothtopk::{Error, ErrorKind, Result};

use super::args::{Args, required};
use super::table::Table;

/// What the options state of every line.
fn assumed(args: &Args) -> Result<Assumed> {
    let noise = args.noise()?;
    let assumed = match args.validity {
        None | Some(Validity::Fixed) => Assumed::fixed(noise),
        Some(Validity::AnytimeTo(last)) => Assumed::looks(noise, Some(last)),
        Some(_) => Assumed::looks(noise, None),
    };
    Ok(Assumed { radius_cost: args.radius_cost.unwrap_or(0.0), ..assumed })
}

/// The certificates of each line.
pub fn certify(args: &Args, bytes: &[u8], table: &mut Table) -> Result<()> {
    let assumed = assumed(args)?;
    let alpha = match (assumed.noise.is_enumerated(), args.alpha, &args.allocation) {
        (true, None, None) => 0.0,
        (true, alpha, _) => {
            let field = if alpha.is_some() { "alpha" } else { "allocation" };
            let message = format!("{} classifies all of its rows: leave --{field} out", assumed.noise);
            return Err(Error::argument(field, message));
        }
        (false, alpha, _) => required(alpha, "alpha", "plain numbers")?,
    };
    if !assumed.noise.is_enumerated() {
        check_alpha(alpha)?;
    }
    if args.label.is_some() {
        return Err(Error::argument("label", "the last column has the labels: leave --label out"));
    }
    let ks = if args.k.is_empty() { &[1][..] } else { &args.k };
    let (mut examples, mut columns, mut blank) = (0, None, false);
    for (number, line) in (1..).zip(bytes.split(|&byte| byte == b'\n')) {
        let wrong = |message: String| {
            Error::new(ErrorKind::InvalidData, format!("{}: line {number}: {message}", args.counts.display()))
        };
        let line = std::str::from_utf8(line).map_err(|_| wrong("this is not text".into()))?;
        if line.trim().is_empty() {
            blank = true;
            continue;
        }
        if blank {
            return Err(wrong("an example after a blank line".into()));
        }
        let (labels, label) = parse_row(line, &mut columns).map_err(wrong)?;
        if examples == 0 {
            ks.iter().try_for_each(|&k| check_k(k, labels.len()))?;
        }
        let of_line = |error: Error| match error.field() {
            Some("n" | "counts" | "allocation") => wrong(error.to_string()),
            _ => error,
        };
        let counts = Counts::assuming(labels, args.n, assumed).map_err(of_line)?;
        table.assume(&counts);
        for &k in ks {
            let allocation = args.allocation.clone().unwrap_or_default();
            let query = Query { k, alpha, allocation, ..Query::of_label(label) };
            table.add(examples, k, counts.certify(&query).map_err(of_line)?.radius, &counts);
        }
        examples += 1;
    }
    Ok(())
}

/// The counts and the label of a line with as many columns as the lines before.
fn parse_row(line: &str, columns: &mut Option<usize>) -> Result<(Vec<u64>, usize), String> {
    let fields: Vec<&str> = line.split_whitespace().collect();
    match *columns {
        Some(expected) if fields.len() != expected => {
            return Err(format!("{} columns, but the lines before have {expected}", fields.len()));
        }
        None if fields.len() < 3 => {
            return Err(format!("{} columns: at least two counts and the label are needed", fields.len()));
        }
        _ => *columns = Some(fields.len()),
    }
    let (label, counts) = fields.split_last().ok_or("an empty line")?;
    let classes = counts.len();
    let counts = (1..).zip(counts).map(|(column, field)| {
        field
            .parse::<u64>()
            .map_err(|_| format!("column {column}: \"{field:.40}\" is not a count (a whole number from 0 to 2^64 - 1)"))
    });
    let counts = counts.collect::<Result<Vec<u64>, String>>()?;
    let label = label.parse::<usize>().ok().filter(|&label| label < classes).ok_or_else(|| {
        format!("column {}: \"{label:.40}\" is not one of the {classes} labels 0 to {}", classes + 1, classes - 1)
    })?;
    Ok((counts, label))
}
