//! The table that is printed, and what its numbers assume.

use std::fmt::Write as _;

use smoothtopk::counts::Counts;

/// Lines that say what is assumed; a file whose lines differ in it could have one per example.
const MOST: usize = 8;

/// The output.
#[derive(Default)]
pub struct Table {
    rows: String,
    /// In the order in which it was met, each once.
    assumed: Vec<String>,
}

impl Table {
    /// Adds a line: the radius of one example and k, from these counts.
    pub fn add(&mut self, idx: usize, k: usize, radius: f64, counts: &Counts) {
        let (certified, assumed) = (u8::from(radius > 0.0), u8::from(counts.is_assumed()));
        // Display gives the fewest digits that read back as the same number; writing to a string cannot fail.
        let _ = writeln!(self.rows, "{idx}\t{k}\t{radius}\t{certified}\t{assumed}");
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
        format!("idx\tk\tradius\tcertified\tassumed\n{}", self.rows)
    }
}
