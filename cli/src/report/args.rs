//! What `smoothtopk report` takes.

use std::path::PathBuf;

use crate::format::Format;

/// Certified top-k accuracy against radius, of one or several runs
///
/// Writes into DIR: report.html (one page with the curves, the tables, every example and run against run; it needs no
/// network), report.md and report.csv (tables), examples.csv (a line for each example and k, with its file where
/// the data are a folder of images), curves.csv (the curves on a fine grid), certified_accuracy.svg
/// and certified_accuracy.png (the plot); stops.csv for a RUN with a rule, and answers.csv for guarantees. The tables
/// also go to stdout. For guarantees, the curve is that of the returned set.
#[derive(clap::Args)]
pub struct Args {
    /// RUN folders of certify, finished or not; or files from any tool with the columns `idx label predict radius
    /// correct`, tab separated
    #[arg(required = true, value_name = "RUN")]
    pub(super) runs: Vec<PathBuf>,
    /// Where the report goes; created if it is missing
    #[arg(long, short, value_name = "DIR")]
    pub(super) out: PathBuf,
    /// How the summary on stdout is printed
    #[arg(long, short, value_enum, default_value_t)]
    pub(super) format: Format,
    /// The radii of the tables [default: every 0.25, or another round step, up to the largest certified radius]
    #[arg(long, value_name = "R,R,...", value_delimiter = ',', allow_negative_numbers = true)]
    pub(super) radii: Vec<f64>,
    /// The data that the RUNs were made from, for pictures in report.html of what the model sees. Data of another hash
    /// than the manifest's are refused
    #[arg(long, value_name = "D")]
    pub(super) data: Option<PathBuf>,
    /// The names of the labels, for report.html: one a line from label 0, or a JSON object of names and labels. Of a
    /// folder of images the classes' folders are the names
    #[arg(long, value_name = "FILE")]
    pub(super) classes_file: Option<PathBuf>,
}
