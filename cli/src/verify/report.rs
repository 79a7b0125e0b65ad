//! What verify writes: Markdown for people, JSON lines for programs.

use std::fmt::Write;
use std::path::Path;

use serde::Serialize;
use serde_json::{Value, json};
use smoothtopk::Result;

use super::power::Power;
use super::verdict::{Levels, Tally};
use crate::format::Format;
use crate::number::number;
use crate::run_dir::{Manifest, atomic};
use crate::stdout;

/// A report under construction: the verdict is known from the start, lines and sections follow.
pub struct Report {
    markdown: String,
    /// The first one is the summary.
    lines: Vec<Value>,
    sound: bool,
}

/// The first line of JSON.
#[derive(Serialize)]
struct Summary<'a> {
    run: String,
    program_version: &'static str,
    run_version: &'a str,
    model_sha256: Option<&'a str>,
    data_sha256: &'a str,
    alpha: f64,
    false_alarm: f64,
    /// The level at which breaks are too many.
    tally_level: f64,
    tallies: Vec<OfTally>,
    verdict: &'static str,
    #[serde(flatten)]
    facts: Value,
}

/// What was found of the statements of one kind.
#[derive(Serialize)]
struct OfTally {
    k: usize,
    about: String,
    examples: u64,
    certificates: u64,
    breaks: u64,
    p_value: f64,
    verdict: &'static str,
    /// Why nothing could be found, where that is so.
    obstacle: Option<String>,
}

impl Report {
    /// `facts` are the mode's own settings, for the summary line.
    pub fn new(
        run: &Path,
        manifest: &Manifest,
        false_alarm: f64,
        levels: &Levels,
        tallies: &[(Tally, Power)],
        facts: Value,
    ) -> Self {
        let verdicts: Vec<&str> = tallies.iter().map(|(tally, power)| verdict(tally, power, levels)).collect();
        let sound = !verdicts.contains(&"beyond alpha");
        let overall = ["beyond alpha", "within alpha"].into_iter().find(|overall| verdicts.contains(overall));
        let not_evaluated = verdicts.iter().all(|&verdict| verdict == "not evaluated");
        let overall = overall.unwrap_or(if not_evaluated { "not evaluated" } else { "inconclusive" });
        let of_tally = |((tally, power), verdict): (&(Tally, Power), &&'static str)| OfTally {
            k: tally.kind.k,
            about: tally.kind.about.to_string(),
            examples: tally.examples,
            certificates: tally.certificates,
            breaks: tally.breaks,
            p_value: tally.p_value,
            verdict,
            obstacle: power.obstacle(tally.kind, tally.examples),
        };
        let summary = Summary {
            run: run.display().to_string(),
            program_version: smoothtopk::VERSION,
            run_version: &manifest.program_version,
            model_sha256: manifest.model.model_sha256.as_deref(),
            data_sha256: &manifest.data_sha256,
            alpha: manifest.request.alpha,
            false_alarm,
            tally_level: levels.tally,
            tallies: tallies.iter().zip(&verdicts).map(of_tally).collect(),
            verdict: overall,
            facts,
        };
        let mut markdown = format!("# Certificates under test: {}\n\n", run.display());
        // Writing to a string cannot fail.
        let _ = writeln!(markdown, "{}\n", headline(tallies, levels, &number(manifest.request.alpha)));
        for obstacle in tallies.iter().filter_map(|(tally, power)| power.obstacle(tally.kind, tally.examples)) {
            let _ = writeln!(markdown, "- {obstacle}");
        }
        if tallies.iter().any(|(_, power)| *power != Power::Enough) {
            markdown.push('\n');
        }
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
        for ((tally, _), verdict) in tallies.iter().zip(&verdicts) {
            let (allowed, p) = (tally.allowed(manifest.request.alpha), probability(tally.p_value));
            let _ = writeln!(
                markdown,
                "| {} | {} | {} | {} | {} | {allowed:.3} | {p} | {verdict} |",
                tally.kind.k, tally.kind.about, tally.examples, tally.certificates, tally.breaks
            );
        }
        let _ = writeln!(
            markdown,
            "\nA break is a point inside the radius at which all the labels are out of the top k, found at p <= {}; breaks are too many \
             at P <= {}. A sound RUN is blamed with probability at most {}.\n",
            probability(levels.test),
            probability(levels.tally),
            number(false_alarm),
        );
        Self { markdown, lines: vec![json!(summary)], sound }
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
    pub fn write(&self, format: Format, out: Option<&Path>) -> Result<()> {
        let lines: String = self.lines.iter().map(|line| format!("{line}\n")).collect();
        if let Some(out) = out {
            atomic::make_folder(out)?;
            atomic::write(&out.join("verify.md"), self.markdown.as_bytes())?;
            atomic::write(&out.join("verify.jsonl"), lines.as_bytes())?;
        }
        stdout::print(if format == Format::Json { &lines } else { &self.markdown })
    }
}

/// What each tally says: that it is beyond alpha, or what its power lets it say.
fn verdict(tally: &Tally, power: &Power, levels: &Levels) -> &'static str {
    if tally.p_value <= levels.tally { "beyond alpha" } else { power.verdict() }
}

/// The first line: no more than was shown.
fn headline(tallies: &[(Tally, Power)], levels: &Levels, alpha: &str) -> String {
    let listed = |of: &dyn Fn(&Tally, &Power) -> bool| {
        let named = tallies.iter().filter(|(tally, power)| of(tally, power)).map(|(tally, _)| tally.kind.named());
        named.collect::<Vec<_>>().join(", ")
    };
    let beyond = listed(&|tally, _| tally.p_value <= levels.tally);
    let (able, unable) = (listed(&|_, power| *power == Power::Enough), listed(&|_, power| *power != Power::Enough));
    if !beyond.is_empty() {
        return format!("**MORE BREAKS THAN alpha = {alpha} ALLOWS, at {beyond}: these certificates are not sound.**");
    }
    let not_evaluated = |(_, power): &(Tally, Power)| matches!(power, Power::NotEvaluated { .. });
    match (able.is_empty(), unable.is_empty()) {
        (_, true) => format!("**No more breaks than alpha = {alpha} allows.**"),
        (false, false) => {
            format!("**No more breaks than alpha = {alpha} allows, at {able}; nothing could be found at {unable}.**")
        }
        (true, false) if tallies.iter().all(not_evaluated) => {
            "**Not evaluated: nothing is said of breaks.**".to_owned()
        }
        (true, false) => "**Inconclusive: more breaks than alpha allows could not have been found.**".to_owned(),
    }
}

/// A probability to three digits.
pub fn probability(p: f64) -> String {
    if p >= 0.001 { format!("{p:.3}") } else { format!("{p:.2e}") }
}
