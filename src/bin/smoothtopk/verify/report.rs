//! What verify writes: Markdown for people, JSON lines for programs.

use std::fmt::Write;
use std::path::Path;

use serde_json::{Value, json};
use smoothtopk::{Error, Result};

use super::statement::{About, Kind};
use super::verdict::{Levels, Tally};
use crate::run_dir::{Manifest, atomic};
use crate::stdout;

/// A report under construction: the verdict is known from the start, lines and sections follow.
pub struct Report {
    markdown: String,
    /// The first one is the summary.
    lines: Vec<Value>,
    sound: bool,
}

impl Report {
    /// `facts` are the mode's own settings, for the summary line.
    pub fn new(
        run: &Path,
        manifest: &Manifest,
        false_alarm: f64,
        levels: &Levels,
        tallies: &[Tally],
        facts: Value,
    ) -> Self {
        let beyond: Vec<&Tally> = tallies.iter().filter(|tally| tally.p_value <= levels.tally).collect();
        let sound = beyond.is_empty();
        let verdict = if sound { "within alpha" } else { "beyond alpha" };
        let mut summary = json!({
            "run": run.display().to_string(),
            "program_version": smoothtopk::VERSION,
            "run_version": manifest.program_version,
            "model_sha256": manifest.model_sha256,
            "data_sha256": manifest.data_sha256,
            "alpha": manifest.alpha,
            "false_alarm": false_alarm,
            "tally_level": levels.tally,
            "tallies": tallies.iter().map(|tally| json!({
                "k": tally.kind.k, "about": tally.kind.about.to_string(), "examples": tally.examples, "certificates": tally.certificates, "breaks": tally.breaks, "p_value": tally.p_value,
            })).collect::<Vec<_>>(),
            "verdict": verdict,
        });
        if let (Value::Object(summary), Value::Object(facts)) = (&mut summary, facts) {
            summary.extend(facts);
        }
        let mut markdown = format!("# Certificates under test: {}\n\n", run.display());
        // Writing to a string cannot fail.
        let _ = match beyond.as_slice() {
            [] => writeln!(markdown, "**No more breaks than alpha = {} allows.**\n", manifest.alpha),
            beyond => {
                let ks: Vec<String> = beyond.iter().map(|tally| named(tally)).collect();
                let (alpha, at) = (manifest.alpha, ks.join(", "));
                writeln!(
                    markdown,
                    "**MORE BREAKS THAN alpha = {alpha} ALLOWS, at {at}: these certificates are not sound.**\n"
                )
            }
        };
        if manifest.program_version != smoothtopk::VERSION {
            let _ = writeln!(
                markdown,
                "The RUN was made by version {}; this is {}.\n",
                manifest.program_version,
                smoothtopk::VERSION
            );
        }
        markdown += "| k | about | examples | certificates | breaks | alpha allows, on average | P(at least so many) at most | verdict |\n";
        markdown += "| ---: | --- | ---: | ---: | ---: | ---: | ---: | --- |\n";
        for tally in tallies {
            let verdict = if tally.p_value <= levels.tally { "beyond alpha" } else { "within alpha" };
            let (allowed, p) = (tally.allowed(manifest.alpha), probability(tally.p_value));
            let _ = writeln!(
                markdown,
                "| {} | {} | {} | {} | {} | {allowed:.3} | {p} | {verdict} |",
                tally.kind.k, tally.kind.about, tally.examples, tally.certificates, tally.breaks
            );
        }
        let _ = writeln!(
            markdown,
            "\nA break is a point inside the radius at which all the labels are out of the top k, found at p <= {}; breaks are too many \
             at P <= {}. A sound RUN is blamed with probability at most {false_alarm}.\n",
            probability(levels.test),
            probability(levels.tally),
        );
        Self { markdown, lines: vec![summary], sound }
    }

    /// Whether there are no more breaks than alpha allows.
    pub fn sound(&self) -> bool {
        self.sound
    }

    pub fn line(&mut self, line: Value) {
        self.lines.push(line);
    }

    pub fn section(&mut self, markdown: &str) {
        self.markdown += markdown;
    }

    /// To standard output, and to verify.md and verify.jsonl in a folder.
    pub fn write(&self, json: bool, out: Option<&Path>) -> Result<()> {
        let lines: String = self.lines.iter().map(|line| format!("{line}\n")).collect();
        if let Some(out) = out {
            std::fs::create_dir_all(out).map_err(|error| Error::io(out, &error))?;
            atomic::write(&out.join("verify.md"), self.markdown.as_bytes())?;
            atomic::write(&out.join("verify.jsonl"), lines.as_bytes())?;
        }
        stdout::print(if json { &lines } else { &self.markdown })
    }
}

/// The kind of a tally, in words.
fn named(tally: &Tally) -> String {
    match tally.kind {
        Kind { k, about: About::Label } => format!("k = {k}"),
        Kind { k, about } => format!("k = {k} ({about})"),
    }
}

/// A probability to three digits.
pub fn probability(p: f64) -> String {
    if p >= 0.001 { format!("{p:.3}") } else { format!("{p:.2e}") }
}
