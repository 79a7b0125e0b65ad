//! The report's tables, as Markdown and as CSV.

use std::fmt::Write;

use smoothtopk::certificate::stop::Rule;
use smoothtopk::record::LabelSource;

use crate::number::rounded;
use crate::run_dir::Manifest;

use super::curve::{Curve, Run};
use super::units;

/// Examples that failed and are named.
const MOST_FAILED: usize = 20;

/// What each run is, and its certified accuracy at `radii`.
pub fn markdown(runs: &[Run], radii: &[f64]) -> String {
    let mut out = String::new();
    let mut line = |text: String| {
        out.push_str(&text);
        out.push('\n');
    };
    let radii_head: String = radii.iter().map(|radius| format!(" {radius} |")).collect();
    line(format!("| run | k | examples | abstain | ACR | median |{radii_head}"));
    line(format!("| --- | ---: | ---: | ---: | ---: | ---: |{}", " ---: |".repeat(radii.len())));
    for run in runs {
        for curve in &run.curves {
            let cells: String = accuracies(run, curve, radii).iter().map(|text| format!(" {text} |")).collect();
            line(format!("| {} |{cells}", cell(&run.name)));
        }
    }
    line(format!("\n{}", legend(runs)));
    for run in runs {
        for (head, text) in notes(run) {
            line(format!("\n**{}**: {text}", cell(&head)));
        }
        if !run.failed.is_empty() {
            let (name, failed) = (cell(&run.name), run.failed.len());
            line(format!("\n**{failed} examples of {name} could not be certified**:\n"));
            run.failed.iter().take(MOST_FAILED).for_each(|failed| line(format!("- {}", cell(failed))));
            if failed > MOST_FAILED {
                line(format!("- and {} more", failed - MOST_FAILED));
            }
        }
    }
    if runs.iter().any(|run| run.manifest.is_some()) {
        let (text, number) = (" --- |", " ---: |");
        line(format!("\n| run | {} |", FACTS.join(" | ")));
        line(format!("|{}{}{}", text.repeat(7), number.repeat(3), text.repeat(3)));
    }
    for run in runs {
        if let Some(manifest) = &run.manifest {
            let cells: String = facts(manifest, rounded).iter().map(|fact| format!(" {} |", cell(fact))).collect();
            line(format!("| {} |{cells}", cell(&run.name)));
        }
    }
    out
}

/// A curve's cells: k, examples, abstained, ACR, median, and the certified accuracy at each radius.
pub fn accuracies(run: &Run, curve: &Curve, radii: &[f64]) -> Vec<String> {
    let mut cells = vec![curve.k.map_or_else(|| "-".to_string(), |k| k.to_string()), examples(run, curve)];
    cells.extend([curve.abstention(), curve.average_radius(), curve.median_radius()].map(number));
    cells.extend(radii.iter().map(|&radius| number(curve.accuracy(radius))));
    cells
}

/// What the table's columns are, and what radii are measured in.
pub fn legend(runs: &[Run]) -> String {
    format!(
        "Numbered columns: the share of examples whose true label is certified in the smoothed top k with a radius of at \
         least r ({}). abstain: the share with no certificate. ACR and median: the average and the median certified radius, \
         with 0 where the true label is not certified.",
        units::measured(runs)
    )
}

/// What has to be known of a run's numbers, each with what it is about.
pub fn notes(run: &Run) -> Vec<(String, String)> {
    let name = &run.name;
    let mut notes = Vec::new();
    let done = run.curves.iter().map(|curve| curve.examples).min().unwrap_or(0);
    if let Some(total) = run.total().filter(|total| done < *total) {
        notes.push((format!("{name} is not finished"), format!("{done} of {total} examples so far.")));
    }
    if run.of_answers() {
        let text = "its numbers are the share of examples whose true label is in the returned set, and whose set does not \
                    change within r.";
        notes.push((format!("{name} holds guarantees for answers"), text.to_owned()));
    }
    if let Some(what) = run.manifest.as_ref().and_then(|manifest| decided(&manifest.request.rule)) {
        notes.push((format!("{name}'s samples ended when the rule was decided"), format!("{what}.")));
    }
    if !run.labelled {
        let text = "its numbers are the share certified, whether right or wrong.";
        notes.push((format!("{name} has no true labels"), text.to_owned()));
    }
    notes
}

/// What a curve is worth where a rule ended samples before more could be certified.
fn decided(rule: &str) -> Option<String> {
    match rule.parse() {
        Ok(Rule::Radius(radius)) => {
            Some(format!("its numbers are for the radius {radius}, and lower bounds at others"))
        }
        Ok(Rule::Steps(step)) => {
            Some(format!("its numbers are for multiples of {step}, and lower bounds between them"))
        }
        _ => None,
    }
}

/// One line per run, k and radius, every number with all its digits.
pub fn csv(runs: &[Run], radii: &[f64]) -> String {
    let mut out = String::from(
        "run,model,data,noise,rule,generator,labels,n0,n,alpha,allocation,provider,precision,k,examples,examples_total,labelled,abstain,acr,\
         median_radius,norm,radius,certified_accuracy\n",
    );
    for run in runs {
        let facts = run.manifest.as_ref().map(|manifest| facts(manifest, |alpha| alpha.to_string()));
        let facts = facts.unwrap_or_default();
        let total = run.total().map(|total| total.to_string()).unwrap_or_default();
        for curve in &run.curves {
            for &radius in radii {
                let numbers = [curve.abstention(), curve.average_radius(), curve.median_radius()].map(exact);
                let mut fields = vec![field(&run.name)];
                fields.extend(facts.iter().map(|fact| field(fact)));
                fields.extend([k(curve), curve.examples.to_string(), total.clone()]);
                fields.push(u8::from(run.labelled).to_string());
                fields.extend(numbers);
                fields.extend([run.norm_name(), radius.to_string(), exact(curve.accuracy(radius))]);
                out.push_str(&fields.join(","));
                out.push('\n');
            }
        }
    }
    out
}

/// The curves at the radii of a grid.
pub fn curves_csv(runs: &[Run], grid: &[f64]) -> String {
    let mut out = String::from("run,k,radius,certified_accuracy\n");
    for run in runs {
        for curve in &run.curves {
            for &radius in grid {
                // Writing to a string cannot fail.
                let _ = writeln!(out, "{},{},{radius},{}", field(&run.name), k(curve), exact(curve.accuracy(radius)));
            }
        }
    }
    out
}

/// The names of [`facts`].
pub const FACTS: [&str; 12] = [
    "model",
    "data",
    "noise",
    "rule",
    "generator",
    "labels",
    "n0",
    "n",
    "alpha",
    "allocation",
    "provider",
    "precision",
];

/// What made a run, in the order of the columns.
pub fn facts(manifest: &Manifest, alpha: impl Fn(f64) -> String) -> [String; 12] {
    let labels = match manifest.label_source {
        LabelSource::Given => "given by the data",
        LabelSource::Selected => "selected by n0 samples",
        LabelSource::SameCounts => "chosen by the n samples",
    };
    [
        manifest.model_file.clone(),
        manifest.data_file.clone(),
        manifest.request.noise.clone(),
        manifest.request.rule.clone(),
        manifest.generator.clone(),
        labels.to_owned(),
        manifest.request.n0.to_string(),
        manifest.request.n.to_string(),
        alpha(manifest.request.alpha),
        manifest.bounds(),
        manifest.model.provider.clone(),
        manifest.model.precision.clone(),
    ]
}

fn k(curve: &Curve) -> String {
    curve.k.map(|k| k.to_string()).unwrap_or_default()
}

fn examples(run: &Run, curve: &Curve) -> String {
    match run.total().filter(|total| curve.examples < *total) {
        Some(total) => format!("{} of {total}", curve.examples),
        None => curve.examples.to_string(),
    }
}

pub fn number(value: Option<f64>) -> String {
    value.map_or_else(|| "-".to_string(), |value| format!("{value:.3}"))
}

fn exact(value: Option<f64>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

/// A Markdown cell: no bar or line break ends it early.
pub fn cell(text: &str) -> String {
    text.replace('\\', "\\\\").replace('|', "\\|").replace(['\n', '\r'], " ")
}

/// A CSV field, quoted where it must be (RFC 4180).
pub fn field(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_break_a_table() {
        assert_eq!(cell("a|b\nc"), "a\\|b c");
        assert_eq!(field("a,\"b\""), "\"a,\"\"b\"\"\"");
        assert_eq!(field("plain"), "plain");
    }
}
