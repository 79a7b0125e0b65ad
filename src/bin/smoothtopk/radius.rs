//! `smoothtopk radius`: certificates from saved counts.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use smoothtopk::certificate::certify;
use smoothtopk::noise::family::Gaussian;
use smoothtopk::stats::bounds::check_k;
use smoothtopk::stats::{Bound, Counts, check_alpha};
use smoothtopk::{Error, ErrorKind, Result};

use crate::stdout;

/// Certificates from saved counts, without a model
///
/// Prints a TSV with the header "idx k radius certified", a line per example and k. A RUN's own counts.tsv is read with the n,
/// sigma and rounding slack of the manifest beside it, and with its alpha and bound unless others are given. Each table is a
/// statement at its alpha: the best of several tables of the same counts is not.
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

    /// How alpha is spent: ranked, simuem or binocp [default: ranked; a RUN: its own]
    #[arg(long)]
    bound: Option<Bound>,

    /// Rows drawn per example, when some gave no label [default: the sum of the row's counts]
    #[arg(long)]
    n: Option<u64>,
}

pub fn run(args: Args) -> Result<()> {
    let settings = Settings::new(&args)?;
    // Nothing is printed before the last line has been read: a malformed file gives its error and no half table.
    let table = table(&args.counts, &args.k, &settings)?;
    stdout::print(&table)
}

/// What all rows have in common, from the arguments and, for a RUN, its manifest.
struct Settings {
    sigma: f64,
    alpha: f64,
    bound: Bound,
    n: Option<u64>,
    slack: f64,
    /// Whether the counts are a RUN's own.
    of_run: bool,
}

impl Settings {
    fn new(args: &Args) -> Result<Self> {
        let settings = match Manifest::beside(&args.counts)? {
            Some(manifest) => Self::of_run(args, &manifest)?,
            None => Self {
                sigma: required(args.sigma, "sigma")?,
                alpha: required(args.alpha, "alpha")?,
                bound: args.bound.unwrap_or_default(),
                n: args.n,
                slack: 0.0,
                of_run: false,
            },
        };
        Gaussian::new(settings.sigma)?;
        check_alpha(settings.alpha)?;
        Ok(settings)
    }

    fn of_run(args: &Args, manifest: &Manifest) -> Result<Self> {
        let (sigma, n) = (manifest.float("sigma")?, manifest.integer("n")?);
        let slack = manifest.float("radius_slack")?;
        if slack.is_nan() || slack < 0.0 {
            return Err(manifest.wrong("radius_slack", "a number from 0 up"));
        }
        if let Some(other) = args.sigma.filter(|&other| other != sigma) {
            return Err(Error::argument(
                "sigma",
                format!("{other} given, but the RUN's noise had sigma {sigma}: leave it out"),
            ));
        }
        if let Some(other) = args.n.filter(|&other| other != n) {
            return Err(Error::argument("n", format!("{other} given, but the RUN drew n = {n} rows: leave it out")));
        }
        let alpha = args.alpha.map_or_else(|| manifest.float("alpha"), Ok)?;
        let bound = match args.bound {
            Some(bound) => bound,
            None => manifest.text("bound")?.parse().map_err(|_| manifest.wrong("bound", "ranked, simuem or binocp"))?,
        };
        Ok(Self { sigma, alpha, bound, n: Some(n), slack, of_run: true })
    }
}

fn required(value: Option<f64>, name: &str) -> Result<f64> {
    value.ok_or_else(|| Error::argument(name, format!("--{name} is required for counts that are not in a RUN folder")))
}

/// A RUN's manifest.json.
struct Manifest {
    path: PathBuf,
    json: serde_json::Value,
}

impl Manifest {
    /// The manifest of the RUN whose counts.tsv this is, if it is one.
    fn beside(counts: &Path) -> Result<Option<Self>> {
        let path = counts.with_file_name("manifest.json");
        if counts.file_name() != Some("counts.tsv".as_ref()) || !path.exists() {
            return Ok(None);
        }
        let text = std::fs::read_to_string(&path).map_err(|error| Error::io(&path, &error))?;
        let json = serde_json::from_str(&text)
            .map_err(|error| Error::new(ErrorKind::InvalidData, format!("{}: {error}", path.display())))?;
        Ok(Some(Self { path, json }))
    }

    fn wrong(&self, key: &str, expected: &str) -> Error {
        Error::new(ErrorKind::InvalidData, format!("{}: \"{key}\" must be {expected}", self.path.display()))
    }

    fn float(&self, key: &str) -> Result<f64> {
        self.json[key].as_f64().ok_or_else(|| self.wrong(key, "a number"))
    }

    fn integer(&self, key: &str) -> Result<u64> {
        self.json[key].as_u64().ok_or_else(|| self.wrong(key, "a whole number from 0 up"))
    }

    fn text(&self, key: &str) -> Result<&str> {
        self.json[key].as_str().ok_or_else(|| self.wrong(key, "a string"))
    }
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
    let torn = if settings.of_run { torn_line(path)? } else { None };
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
        let (labels, label) = parse_row(&line, &mut columns).map_err(wrong)?;
        let classes = labels.len();
        if examples == 0 {
            ks.iter().try_for_each(|&k| check_k(k, classes))?;
        }
        let counts = match settings.n {
            Some(n) => Counts::new(labels, n),
            None => Counts::complete(labels),
        };
        let counts = counts.map_err(|error| wrong(error.to_string()))?;
        for &k in ks {
            let certificate = certify(&counts, label, k, settings.sigma, settings.alpha, settings.bound)
                .map_err(|error| if error.field() == Some("n") { wrong(error.to_string()) } else { error })?
                .shrunk_by(settings.slack);
            let certified = u8::from(certificate.certified());
            // Display gives the shortest digits that read back as the same number.
            let _ = writeln!(out, "{examples}\t{k}\t{}\t{certified}", certificate.radius);
        }
        examples += 1;
    }
    if examples == 0 {
        return Err(Error::new(ErrorKind::InvalidData, format!("{}: there is no example in it", path.display())));
    }
    Ok(out)
}

/// The counts and the label of a row with as many columns as the rows before.
fn parse_row(line: &str, columns: &mut Option<usize>) -> Result<(Vec<u64>, usize), String> {
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
    let label = label.parse::<usize>().ok().filter(|&label| label < classes).ok_or_else(|| {
        format!("column {}: \"{label:.40}\" is not one of the {classes} labels 0 to {}", classes + 1, classes - 1)
    })?;
    Ok((counts, label))
}
