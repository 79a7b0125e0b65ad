//! The table that is printed, and what its numbers assume.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Serialize;
use smoothtopk::Result;
use smoothtopk::counts::Counts;
use smoothtopk::perturbation::Norm;

use super::args::Args;
use crate::format::{Format, print_json};
use crate::stdout;

/// Lines that say what is assumed; a file whose lines differ in it could have one per example.
const MOST: usize = 8;

/// The output.
pub struct Table {
    rows: Vec<Row>,
    /// In the order in which it was met, each once.
    assumed: Vec<String>,
    /// The norms that radii are told in, beside their own.
    norms: &'static [Norm],
    /// The elements of inputs, of counts that do not say it.
    elements: usize,
}

/// The radius of one example and k.
#[derive(Serialize)]
struct Row {
    idx: usize,
    k: usize,
    radius: f64,
    certified: bool,
    assumed: bool,
    /// By `--norms`: the radius in each; null where it says nothing in that norm.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    norms: BTreeMap<String, Option<f64>>,
}

/// The output as JSON.
#[derive(Serialize)]
struct Document<'a> {
    rows: &'a [Row],
    assumed: &'a [String],
}

impl Table {
    pub fn new(args: &Args) -> Self {
        let norms: &[Norm] = if args.norms { &Norm::TOLD } else { &[] };
        Self { rows: Vec::new(), assumed: Vec::new(), norms, elements: args.elements.unwrap_or_default() }
    }

    /// Adds a line: the radius of one example and k, from these counts.
    pub fn add(&mut self, idx: usize, k: usize, radius: f64, counts: &Counts) {
        let perturbation = counts.perturbation();
        let elements = if perturbation.elements > 0 { perturbation.elements } else { self.elements };
        let within = |norm: &Norm| (norm.to_string(), perturbation.noise.norm().within(radius, *norm, elements));
        let norms = self.norms.iter().map(within).collect();
        self.rows.push(Row { idx, k, radius, certified: radius > 0.0, assumed: counts.is_assumed(), norms });
    }

    /// Notes what counts assume.
    pub fn assume(&mut self, counts: &Counts) {
        for assumption in counts.assumptions() {
            if self.assumed.len() <= MOST && !self.assumed.contains(&assumption) {
                self.assumed.push(assumption);
            }
        }
    }

    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Prints each assumption to stderr.
    pub fn say_what_is_assumed(&self) {
        self.assumed.iter().take(MOST).for_each(|assumption| say!("assumed: {assumption}"));
        if self.assumed.len() > MOST {
            say!("assumed: and so on, for other examples");
        }
    }

    pub fn print(&self, format: Format) -> Result<()> {
        match format {
            Format::Json => print_json(&Document { rows: &self.rows, assumed: &self.assumed }),
            Format::Text => stdout::print(&self.text()),
        }
    }

    fn text(&self) -> String {
        let norms: String = self.norms.iter().map(|norm| format!("\t{norm}")).collect();
        let mut text = format!("idx\tk\tradius\tcertified\tassumed{norms}\n");
        for Row { idx, k, radius, certified, assumed, norms } in &self.rows {
            // Display gives the fewest digits that read back as the same number; writing to a string cannot fail.
            let _ = write!(text, "{idx}\t{k}\t{radius}\t{}\t{}", u8::from(*certified), u8::from(*assumed));
            for norm in self.norms {
                let within = norms.get(&norm.to_string()).copied().flatten();
                text += &within.map_or_else(|| "\t-".to_owned(), |radius| format!("\t{radius}"));
            }
            text.push('\n');
        }
        text
    }
}
