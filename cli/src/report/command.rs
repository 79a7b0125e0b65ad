//! The command: reads the runs, and writes all files of the report or none.

use std::path::Path;

use smoothtopk::{Error, Result};

use super::args::Args;
use super::curve::{Curve, Run};
use super::summary::Summary;
use super::{alpha, answers, examples, label_sets, page, plot, png, scale, stops, tables};
use crate::format::{Format, print_json};
use crate::run_dir::{Proof, ReadRun, atomic};
use crate::stdout;

pub fn run(args: Args) -> Result<()> {
    if let Some(radius) = args.radii.iter().find(|radius| !(radius.is_finite() && **radius >= 0.0)) {
        return Err(Error::argument("radii", format!("a radius must be a finite number >= 0, not {radius}")));
    }
    let read = args.runs.iter().map(|path| ReadRun::open(path, Proof::Needed)).collect::<Result<Vec<_>>>()?;
    let runs = Run::all(&read);
    if label_sets::are(&runs)? {
        return of_label_sets(&args, &runs);
    }
    let largest = runs.iter().flat_map(|run| &run.curves).map(Curve::largest).fold(0.0, f64::max);
    let radii = if args.radii.is_empty() { scale::table_radii(largest) } else { args.radii };

    // All of it before the first write, so that an error leaves an earlier report as it was.
    let tables =
        [tables::markdown(&runs, &radii), stops::markdown(&runs), answers::markdown(&runs), alpha::markdown(&runs)];
    let tables = tables.concat();
    let svg = plot::svg(&runs, largest);
    let alike = plot::alike(&runs);
    if alike > 0 {
        say!("warning: {alike} curves of the plot look as others do: report fewer runs at a time");
    }
    let png = png::render(&svg)?;
    let names = page::names(&runs, args.classes_file.as_deref())?;
    let pictures = match &args.data {
        Some(data) => page::pictures(&runs, data)?,
        None => runs.iter().map(|_| None).collect(),
    };
    let html = page::page(&page::content(&runs, &radii, &names, &pictures, args.data.is_some()));
    let grid = scale::multiples(largest, 250);
    let report =
        format!("# Certified top-k accuracy\n\n![Certified top-k accuracy](certified_accuracy.svg)\n\n{tables}");
    let mut files = vec![
        ("report.md", report.into_bytes()),
        ("report.html", html.into_bytes()),
        ("report.csv", tables::csv(&runs, &radii).into_bytes()),
        ("examples.csv", examples::csv(&runs).into_bytes()),
        ("curves.csv", tables::curves_csv(&runs, &grid).into_bytes()),
        ("certified_accuracy.svg", svg.into_bytes()),
        ("certified_accuracy.png", png),
    ];
    files.extend(stops::csv(&runs).map(|csv| ("stops.csv", csv.into_bytes())));
    files.extend(answers::csv(&runs).map(|csv| ("answers.csv", csv.into_bytes())));
    write_all(&args.out, &files)?;
    match args.format {
        Format::Json => print_json(&Summary::of(&runs, &radii)),
        Format::Text => stdout::print(&tables),
    }
}

/// The report of multi-label models.
fn of_label_sets(args: &Args, runs: &[Run]) -> Result<()> {
    let largest = label_sets::largest(runs);
    let radii = if args.radii.is_empty() { scale::table_radii(largest) } else { args.radii.clone() };
    let table = label_sets::markdown(runs, &radii);
    let report = format!("# Certified top-k precision, recall and F1\n\n{table}");
    let curves = label_sets::csv(runs, &scale::multiples(largest, 250));
    write_all(&args.out, &[("report.md", report.into_bytes()), ("curves.csv", curves.into_bytes())])?;
    match args.format {
        Format::Json => print_json(&label_sets::lines(runs, &radii)),
        Format::Text => stdout::print(&table),
    }
}

fn write_all(out: &Path, files: &[(&str, Vec<u8>)]) -> Result<()> {
    atomic::make_folder(out)?;
    files.iter().try_for_each(|(name, content)| atomic::write(&out.join(name), content))
}
