//! `smoothtopk radius`: certificates from saved counts.

mod settings;

use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use smoothtopk::certificate::certify_with;
use smoothtopk::stats::check_k;
use smoothtopk::stats::randomized::Uniform;
use smoothtopk::stats::{Allocation, Counts, Validity};
use smoothtopk::{Error, ErrorKind, Result};

use crate::run_dir::Stop;
use crate::stdout;
use settings::Settings;

/// Certificates from saved counts, without a model
///
/// Prints a TSV with the header "idx k radius certified", a line per example and k. A RUN's own counts.tsv is read with the n,
/// sigma and rounding slack of the manifest beside it, with each example's own rows where a rule ended them, and with its alpha
/// and bound unless others are given; idx is then the example's index in the data, else the line's, from 0. Each table is a statement at its alpha: the best of several tables of the same counts is
/// not. How alpha is spent must not be chosen by a look at the counts.
#[derive(clap::Args)]
pub struct Args {
    /// A row per example: a count per label, then the label (the paper's format), or a RUN's counts.tsv
    #[arg(long, value_name = "FILE")]
    counts: PathBuf,

    /// Standard deviation of the noise, in the units of the input [a RUN: its own]
    #[arg(long)]
    sigma: Option<f64>,

    /// Failure probability of each certificate [a RUN: its own]
    #[arg(long)]
    alpha: Option<f64>,

    /// Sizes of the top set, comma separated
    #[arg(long, value_delimiter = ',', default_value = "1")]
    k: Vec<usize>,

    /// How alpha is spent: ranked[:SHARE], simuem, binocp or pooled:SHARE[:RIVAL,..] [default: ranked; a RUN: its own, also where
    /// pilot rows chose it]
    #[arg(long)]
    bound: Option<Allocation>,

    /// fixed: bounds for a number of rows that was fixed beforehand; anytime: for counts that were looked at while they grew;
    /// anytime:N: so too, for at most N rows, N fixed beforehand [default: fixed; a RUN: as its rule wants]
    #[arg(long, value_parser = validity)]
    validity: Option<Validity>,

    /// Rows drawn per example, when some gave no label [default: the sum of the row's counts]
    #[arg(long)]
    n: Option<u64>,

    /// What the rounding of the noise takes off every radius, which a RUN's manifest has as radius_slack [default: 0; a RUN: its
    /// own]
    #[arg(long, value_name = "X")]
    radius_slack: Option<f64>,
}

/// `--validity`. Not the randomized bounds: their uniform must be drawn beside the rows, as that of a RUN was.
fn validity(text: &str) -> Result<Validity, String> {
    match text.parse() {
        Ok(Validity::Randomized(_)) | Err(_) => {
            Err("must be fixed, anytime, or anytime:N with a whole number N of rows".into())
        }
        Ok(validity) => Ok(validity),
    }
}

pub fn run(args: Args) -> Result<()> {
    let settings = Settings::new(&args)?;
    // Nothing is printed before the last line has been read: a malformed file gives its error and no half table.
    let table = table(&args.counts, &args.k, &settings)?;
    settings.say_what_is_assumed(&args);
    stdout::print(&table)
}

/// The radius of one label, from the counts of its line and, where the RUN has them, of an earlier look.
fn radius(counts: &Counts, label: usize, k: usize, settings: &Settings, stop: Option<&Stop>) -> Result<f64> {
    let ks = settings.run.as_ref().map_or(&[][..], |run| &run.ks);
    let own = stop.and_then(|stop| ks.iter().position(|&own| own == k).map(|at| &stop.of_k[at]));
    if stop.is_some_and(Stop::late) {
        // Counted as they came: no bound, not even one for all numbers of rows, holds for rows that are not the first ones drawn.
        return Ok(0.0);
    }
    let Some(allocation) = settings.allocation.as_ref().or_else(|| own?.allocation.as_ref()) else {
        return Err(Error::argument("k", format!("the RUN does not say how alpha is spent for k = {k}: give --bound")));
    };
    let validity = match own.and_then(|own| own.uniform).filter(|_| settings.randomized) {
        Some(uniform) => Validity::Randomized(Uniform::new(uniform)?),
        None => settings.validity,
    };
    let certify = |counts: &Counts| {
        let &Settings { sigma, alpha, slack, .. } = settings;
        Ok(certify_with(counts, label, k, sigma, alpha, allocation, validity)?.shrunk_by(slack).radius)
    };
    // Bounds that hold at all looks are true at both.
    let earlier = own
        .and_then(|own| own.earlier.as_ref())
        .filter(|_| matches!(settings.validity, Validity::Anytime | Validity::AnytimeTo(_)));
    let last = certify(counts)?;
    earlier.map_or(Ok(last), |earlier| Ok(certify(earlier)?.max(last)))
}

/// The number of a last line that was not written to its end, as a kill leaves it: its label may lack digits.
fn torn_line(path: &Path) -> Result<Option<usize>> {
    let text = std::fs::read(path).map_err(|error| Error::io(path, &error))?;
    let lines = text.iter().filter(|&&byte| byte == b'\n').count();
    Ok(text.last().is_some_and(|&byte| byte != b'\n').then_some(lines + 1))
}

/// The whole output.
fn table(path: &Path, ks: &[usize], settings: &Settings) -> Result<String> {
    let file = File::open(path).map_err(|error| Error::io(path, &error))?;
    let mut out = String::from("idx\tk\tradius\tcertified\n");
    let torn = if settings.run.is_some() { torn_line(path)? } else { None };
    let stops = settings.run.as_ref().and_then(|run| run.stops.as_deref());
    let (mut examples, mut columns, mut blank) = (0, None, false);
    for (number, line) in (1..).zip(BufReader::new(file).lines()) {
        let wrong = |message: String| {
            Error::new(ErrorKind::InvalidData, format!("{}: line {number}: {message}", path.display()))
        };
        let line = line.map_err(|error| match error.kind() {
            std::io::ErrorKind::InvalidData => wrong("this is not text".into()),
            _ => Error::io(path, &error),
        })?;
        if torn == Some(number) {
            break;
        }
        if line.trim().is_empty() {
            blank = true;
            continue;
        }
        if blank {
            return Err(wrong("an example after a blank line".into()));
        }
        let (labels, label) = parse_row(&line, &mut columns, stops.is_some()).map_err(wrong)?;
        let idx = match &settings.run {
            Some(run) => run.index(examples).map_err(wrong)?,
            None => examples,
        };
        let stop = match stops {
            // Killed between the two files.
            Some(stops) if examples == stops.len() => break,
            Some(stops) => Some(&stops[examples]),
            None => None,
        };
        if let Some(stop) = stop.filter(|stop| stop.idx != idx) {
            return Err(wrong(format!("it is of example {idx}, and stops.tsv has example {} there", stop.idx)));
        }
        let classes = labels.len();
        if examples == 0 {
            ks.iter().try_for_each(|&k| check_k(k, classes))?;
        }
        let counts = match stop.map_or(settings.n, |stop| Some(stop.rows)) {
            Some(n) => Counts::new(labels, n),
            None => Counts::complete(labels),
        };
        let counts = counts.map_err(|error| wrong(error.to_string()))?;
        for &k in ks {
            let radius = match label {
                Some(label) => radius(&counts, label, k, settings, stop).map_err(|error| {
                    if matches!(error.field(), Some("n" | "allocation")) { wrong(error.to_string()) } else { error }
                })?,
                None => 0.0,
            };
            // Display gives the shortest digits that read back as the same number.
            let _ = writeln!(out, "{idx}\t{k}\t{radius}\t{}", u8::from(radius > 0.0));
        }
        examples += 1;
    }
    if examples == 0 {
        return Err(Error::new(ErrorKind::InvalidData, format!("{}: there is no example in it", path.display())));
    }
    Ok(out)
}

/// The counts and the label of a row with as many columns as the rows before; no label (-1) where one `may_lack` it.
fn parse_row(line: &str, columns: &mut Option<usize>, may_lack: bool) -> Result<(Vec<u64>, Option<usize>), String> {
    let fields: Vec<&str> = line.split_whitespace().collect();
    match *columns {
        Some(expected) if fields.len() != expected => {
            return Err(format!("{} columns, but the rows before have {expected}", fields.len()));
        }
        None if fields.len() < 3 => {
            return Err(format!("{} columns: at least two counts and the label are needed", fields.len()));
        }
        _ => *columns = Some(fields.len()),
    }
    let (label, counts) = fields.split_last().ok_or("an empty row")?;
    let classes = counts.len();
    let counts = (1..).zip(counts).map(|(column, field)| {
        field
            .parse::<u64>()
            .map_err(|_| format!("column {column}: \"{field:.40}\" is not a count (a whole number from 0 to 2^64 - 1)"))
    });
    let counts = counts.collect::<Result<Vec<u64>, String>>()?;
    if may_lack && *label == "-1" {
        return Ok((counts, None));
    }
    let label = label.parse::<usize>().ok().filter(|&label| label < classes).ok_or_else(|| {
        format!("column {}: \"{label:.40}\" is not one of the {classes} labels 0 to {}", classes + 1, classes - 1)
    })?;
    Ok((counts, Some(label)))
}
