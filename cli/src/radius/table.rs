//! The table that is printed, and what its numbers assume.

use std::fmt::Write as _;

use smoothtopk::counts::Counts;
use smoothtopk::perturbation::Norm;

use super::args::Args;

/// Lines that say what is assumed; a file whose lines differ in it could have one per example.
const MOST: usize = 8;

/// The output.
pub struct Table {
    rows: String,
    /// In the order in which it was met, each once.
    assumed: Vec<String>,
    /// The norms that radii are told in, beside their own.
    norms: &'static [Norm],
    /// The elements of inputs, of counts that do not say it.
    elements: usize,
}

impl Table {
    pub fn new(args: &Args) -> Self {
        let norms: &[Norm] = if args.norms { &Norm::TOLD } else { &[] };
        Self { rows: String::new(), assumed: Vec::new(), norms, elements: args.elements.unwrap_or_default() }
    }

    /// Adds a line: the radius of one example and k, from these counts.
    pub fn add(&mut self, idx: usize, k: usize, radius: f64, counts: &Counts) {
        let (certified, assumed) = (u8::from(radius > 0.0), u8::from(counts.is_assumed()));
        // Display gives the fewest digits that read back as the same number; writing to a string cannot fail.
        let _ = write!(self.rows, "{idx}\t{k}\t{radius}\t{certified}\t{assumed}");
        let perturbation = counts.perturbation();
        let elements = if perturbation.elements > 0 { perturbation.elements } else { self.elements };
        for &norm in self.norms {
            let _ = match perturbation.noise.norm().within(radius, norm, elements) {
                Some(radius) => write!(self.rows, "\t{radius}"),
                None => write!(self.rows, "\t-"),
            };
        }
        self.rows.push('\n');
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

    pub fn text(&self) -> String {
        let norms: String = self.norms.iter().map(|norm| format!("\t{norm}")).collect();
        format!("idx\tk\tradius\tcertified\tassumed{norms}\n{}", self.rows)
    }
}
