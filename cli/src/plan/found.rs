//! What a plan found, and how it is printed.

use std::path::PathBuf;

use serde::Serialize;
use smoothtopk::Result;

use crate::format::{Format, print_json};
use crate::number::{duration, number};
use crate::stdout;

/// What was found. What was not asked for is null.
#[derive(Default, Serialize)]
pub struct Found {
    pub noise: String,
    /// Null, as most else, where all rows are classified.
    pub alpha: Option<f64>,
    pub rule: Option<String>,
    pub n: Option<u64>,
    pub radius: Option<f64>,
    pub input_max: Option<f64>,
    /// Of an input; null where they are not known, and so what rounding costs.
    pub elements: Option<usize>,
    pub radius_cost: Option<f64>,
    pub limits: Vec<Limit>,
    /// Whether simuem was left out, which depends on the number of labels.
    pub simuem_needs_classes: bool,
    pub predict: Vec<ToPredict>,
    /// Of a model that was measured.
    pub speed: Option<Speed>,
}

/// The limits of one k, and of one allocation where samples are drawn.
#[derive(Default, Serialize)]
pub struct Limit {
    pub k: usize,
    pub allocation: Option<String>,
    pub smallest_n: Option<u64>,
    /// The rows of noise all of whose rows are classified.
    pub rows: Option<u64>,
    /// At n samples, or of all rows.
    pub largest_radius: Option<f64>,
    pub smallest_n_for_radius: Option<u64>,
}

/// The samples below which predict abstains.
#[derive(Serialize)]
pub struct ToPredict {
    pub k: usize,
    pub smallest_n: u64,
}

#[derive(Serialize)]
pub struct Speed {
    pub samples_per_second: f64,
    pub threads: usize,
    pub batch: usize,
    pub measured_earlier: bool,
    /// The samples of an example that the times are for.
    pub n: u64,
    pub seconds_per_example: f64,
    pub data: Option<PathBuf>,
    pub examples: Option<usize>,
    pub seconds: Option<f64>,
}

impl Found {
    pub fn print(&self, format: Format) -> Result<()> {
        match format {
            Format::Json => print_json(self),
            Format::Text => stdout::print(&(self.lines().join("\n") + "\n")),
        }
    }

    fn lines(&self) -> Vec<String> {
        if self.alpha.is_none() {
            return self.lines_of_rows();
        }
        let mut header = "k\tallocation\tsmallest_n".to_owned();
        header += &self.n.map(|n| format!("\tlargest_radius_at_n={n}")).unwrap_or_default();
        header += &self.radius.map(|r| format!("\tsmallest_n_for_radius_{}", number(r))).unwrap_or_default();
        let mut lines = vec![header];
        for Limit { k, allocation, smallest_n, largest_radius, smallest_n_for_radius, .. } in &self.limits {
            let cells = [
                Some(k.to_string()),
                allocation.clone(),
                smallest_n.map(|n| n.to_string()),
                largest_radius.map(|radius| radius.to_string()),
                smallest_n_for_radius.map(|n| n.to_string()),
            ];
            lines.push(cells.into_iter().flatten().collect::<Vec<_>>().join("\t"));
        }
        if self.simuem_needs_classes {
            lines.push("# simuem depends on the number of labels: give --classes or --model".to_owned());
        }
        lines.push(match (self.radius_cost, self.elements) {
            (Some(0.0), _) => "# nothing is rounded, and nothing taken off radii".to_owned(),
            (Some(cost), Some(elements)) => format!(
                "# radii are less {cost}: the cost of rounding the noise of {elements} elements to its grid, for |x| up to {} \
                 (--input-max); none with --noise-mode exact",
                self.input_max.unwrap_or_default()
            ),
            _ => "# not taken off: the cost of rounding the noise to its grid; give --model or --elements".to_owned(),
        });
        let of_k = |found: &ToPredict| format!("# predict at k = {} abstains below n = {}", found.k, found.smallest_n);
        lines.extend(self.predict.iter().map(of_k));
        lines.extend(self.speed.iter().flat_map(Speed::lines));
        lines
    }

    fn lines_of_rows(&self) -> Vec<String> {
        let line = |Limit { k, rows, largest_radius, .. }: &Limit| {
            format!("{k}\t{}\t{}", rows.unwrap_or_default(), largest_radius.unwrap_or_default())
        };
        std::iter::once("k\trows\tlargest_radius".to_owned()).chain(self.limits.iter().map(line)).collect()
    }
}

impl Speed {
    fn lines(&self) -> Vec<String> {
        let Self { samples_per_second, threads, batch, n, seconds_per_example, .. } = self;
        let when = if self.measured_earlier { ", measured earlier" } else { "" };
        let mut lines = vec![
            format!("# {samples_per_second:.1} samples/s with {threads} threads and batch {batch}{when}"),
            format!("# {} for an example at n = {n}", duration(*seconds_per_example)),
        ];
        if let (Some(seconds), Some(examples), Some(data)) = (self.seconds, self.examples, &self.data) {
            lines.push(format!("# {} for the {examples} examples of {}", duration(seconds), data.display()));
        }
        lines
    }
}
