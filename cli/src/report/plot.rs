//! The plot: certified accuracy against radius, one step curve per run and k, as SVG.

use std::fmt::Write;

use super::curve::{Curve, Run};
use super::{scale, units};
use crate::number::rounded;

const WIDTH: f64 = 1200.0;
const HEIGHT: f64 = 800.0;
/// The plot's area; the legend stands to its right, where no curve can run below it.
const LEFT: f64 = 92.0;
const TOP: f64 = 76.0;
const RIGHT: f64 = 900.0;
const BOTTOM: f64 = 84.0;
const LEGEND: f64 = 928.0;
/// Letters of a run's name that fit the legend.
const NAME_LENGTH: usize = 28;

/// Okabe and Ito's colours, told apart with every kind of colour vision; the pale yellow is left out.
const COLOURS: [&str; 7] = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#444444"];
const DASHES: [&str; 5] = ["", "10 5", "3 4", "14 4 3 4", "6 3"];
const WIDTHS: [f64; 3] = [2.5, 1.2, 4.5];

const INK: &str = "#222222";
const FAINT: &str = "#666666";

/// The plot of all runs, whose largest radius is `largest`.
pub fn svg(runs: &[Run], largest: f64) -> String {
    let height = HEIGHT.max(TOP + legend_height(runs) + 24.0);
    let area = Area { right: scale::step(largest, 8), largest, bottom: height - BOTTOM }.rounded();
    let mut svg = Svg(String::new());
    svg.line(&format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{height}\" \
         viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" \
         font-family=\"'Noto Sans', 'DejaVu Sans', Helvetica, Arial, sans-serif\">"
    ));
    svg.line("<title>Certified top-k accuracy</title>");
    svg.line(&format!("<rect width=\"{WIDTH}\" height=\"{height}\" fill=\"#ffffff\"/>"));
    svg.text(LEFT, 44.0, &Text { size: 24.0, bold: true, ..Text::default() }, "Certified top-k accuracy");
    axes(&mut svg, &area, runs);
    let ks = distinct_ks(runs);
    let mut y = TOP + 16.0;
    for (r, run) in runs.iter().enumerate() {
        let heading = Text { size: 16.0, bold: true, ..Text::default() };
        svg.text(LEGEND, y, &heading, &shorten(&run.name, NAME_LENGTH));
        y += 4.0;
        for note in notes(run) {
            y += 17.0;
            svg.text(LEGEND, y, &Text { size: 13.0, colour: FAINT, ..Text::default() }, &shorten(&note, 36));
        }
        for (c, curve) in run.curves.iter().enumerate() {
            y += ENTRY;
            let stroke = stroke(runs, &ks, r, c);
            svg.path(&path(curve, &area), &stroke);
            svg.path(&format!("M{LEGEND} {}h44", coordinate(y - 5.0)), &stroke);
            let of = if run.of_answers() { ", whole set" } else { "" };
            let k = curve.k.map_or_else(|| "k not stated".to_string(), |k| format!("k = {k}{of}"));
            svg.text(LEGEND + 56.0, y, &Text { size: 15.0, ..Text::default() }, &k);
        }
        y += GAP;
    }
    svg.line("</svg>");
    svg.0
}

/// How the c-th curve of the r-th run is drawn: runs by colour and k by dashes; a single run's curves by colour. Where
/// colours run out the dashes go on, and then widths.
fn stroke(runs: &[Run], ks: &[Option<usize>], r: usize, c: usize) -> Stroke {
    let (colour, turn) = match runs {
        [_] => (c % COLOURS.len(), c / COLOURS.len()),
        _ => {
            let k = ks.iter().position(|k| *k == runs[r].curves[c].k).unwrap_or(0);
            (r % COLOURS.len(), k + ks.len() * (r / COLOURS.len()))
        }
    };
    let (dash, width) = (turn % DASHES.len(), turn / DASHES.len() % WIDTHS.len());
    Stroke { colour: COLOURS[colour], dash: DASHES[dash], width: WIDTHS[width] }
}

/// Curves that are drawn as another one is.
pub fn alike(runs: &[Run]) -> usize {
    let ks = distinct_ks(runs);
    let mut seen = Vec::new();
    let all = runs.iter().enumerate().flat_map(|(r, run)| (0..run.curves.len()).map(move |c| (r, c)));
    let repeated = all.map(|(r, c)| stroke(runs, &ks, r, c)).filter(|stroke| {
        let repeated = seen.contains(stroke);
        seen.push(*stroke);
        repeated
    });
    repeated.count()
}

const ENTRY: f64 = 25.0;
const GAP: f64 = 38.0;

fn legend_height(runs: &[Run]) -> f64 {
    runs.iter().map(|run| 4.0 + 17.0 * notes(run).len() as f64 + ENTRY * run.curves.len() as f64 + GAP).sum()
}

/// The radius of the axis, with its norm where all runs have the same.
fn radius_name(runs: &[Run]) -> &'static str {
    let mut norms: Vec<_> = runs.iter().map(|run| units::axis(run.norm())).collect();
    norms.dedup();
    if let [norm] = norms[..] { norm } else { "radius" }
}

/// What tells a run from the others, under its name.
fn notes(run: &Run) -> Vec<String> {
    let mut notes = Vec::new();
    if let Some(manifest) = &run.manifest {
        let request = &manifest.request;
        let ruled = request.rule != "fixed";
        let most = if ruled { " at most" } else { "" };
        notes.push(format!("{}, n {}{most}", request.noise, request.n));
        if ruled {
            notes.push(format!("rule {}", request.rule));
        }
        notes.push(format!("alpha {}, {}", rounded(request.alpha), manifest.bounds()));
    }
    let examples = run.curves.iter().map(|curve| curve.examples).min().unwrap_or(0);
    let mut note = format!("{examples} examples");
    if let Some(total) = run.total().filter(|total| examples < *total) {
        note = format!("{examples} of {total} examples, not finished");
    }
    if !run.labelled {
        note += ", no true labels";
    }
    notes.push(note);
    notes
}

fn distinct_ks(runs: &[Run]) -> Vec<Option<usize>> {
    let mut ks: Vec<_> = runs.iter().flat_map(|run| &run.curves).map(|curve| curve.k).collect();
    ks.sort_unstable();
    ks.dedup();
    ks
}

/// Where numbers lie on the page.
struct Area {
    /// The radius at the right edge.
    right: f64,
    largest: f64,
    bottom: f64,
}

impl Area {
    /// The right edge at a tick, and clear of the last drop.
    fn rounded(mut self) -> Self {
        let step = self.right;
        self.right = step * ((self.largest * 1.01 / step).floor() + 1.0).max(1.0);
        self
    }

    fn x(&self, radius: f64) -> f64 {
        LEFT + (RIGHT - LEFT) * radius / self.right
    }

    fn y(&self, share: f64) -> f64 {
        self.bottom - (self.bottom - TOP) * share
    }
}

fn axes(svg: &mut Svg, area: &Area, runs: &[Run]) {
    let step = scale::step(area.largest, 8);
    let digits = scale::decimals(step);
    let ticks = (area.right / step).round() as u32;
    let label = Text { size: 15.0, colour: FAINT, ..Text::default() };
    for tick in 0..=10 {
        let (share, y) = (f64::from(tick) / 10.0, area.y(f64::from(tick) / 10.0));
        svg.grid_line(LEFT, y, RIGHT, y);
        if tick % 2 == 0 {
            svg.text(LEFT - 12.0, y + 5.0, &Text { anchor: "end", ..label }, &format!("{share:.1}"));
        }
    }
    for tick in 0..=ticks {
        let x = area.x(f64::from(tick) * step);
        svg.grid_line(x, TOP, x, area.bottom);
        let text = format!("{:.digits$}", f64::from(tick) * step);
        svg.text(x, area.bottom + 24.0, &Text { anchor: "middle", ..label }, &text);
    }
    svg.line(&format!(
        "<path d=\"M{LEFT} {TOP}V{0}H{RIGHT}\" fill=\"none\" stroke=\"{FAINT}\" stroke-width=\"1.2\"/>",
        coordinate(area.bottom)
    ));
    let title = Text { size: 18.0, anchor: "middle", ..Text::default() };
    svg.text((LEFT + RIGHT) / 2.0, area.bottom + 60.0, &title, radius_name(runs));
    let what =
        if runs.iter().all(|run| run.labelled) { "certified top-k accuracy" } else { "share of examples certified" };
    let turned = Text { turned: true, ..title };
    svg.text(32.0, (TOP + area.bottom) / 2.0, &turned, what);
}

/// A step curve: level up to each radius, then down to the share that is left.
fn path(curve: &Curve, area: &Area) -> String {
    let Some(share) = curve.accuracy(0.0) else { return String::new() };
    let mut path = format!("M{LEFT} {}", coordinate(area.y(share)));
    for (radius, left) in curve.steps() {
        let _ = write!(path, "H{}V{}", coordinate(area.x(radius)), coordinate(area.y(left)));
    }
    if curve.largest() == 0.0 {
        let _ = write!(path, "H{RIGHT}");
    }
    path
}

/// A name cut in its middle, so that what it starts and ends with stays.
fn shorten(name: &str, length: usize) -> String {
    let letters: Vec<char> = name.chars().collect();
    if letters.len() <= length {
        return name.to_string();
    }
    let tail = (length - 1) / 2;
    let head = length - 1 - tail;
    letters[..head].iter().chain(&['…']).chain(&letters[letters.len() - tail..]).collect()
}

fn coordinate(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

#[derive(Clone, Copy)]
struct Text<'a> {
    size: f64,
    colour: &'a str,
    anchor: &'a str,
    bold: bool,
    turned: bool,
}

impl Default for Text<'_> {
    fn default() -> Self {
        Self { size: 15.0, colour: INK, anchor: "start", bold: false, turned: false }
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Stroke {
    colour: &'static str,
    dash: &'static str,
    width: f64,
}

/// SVG as it is written, an element a line.
struct Svg(String);

impl Svg {
    fn line(&mut self, text: &str) {
        self.0.push_str(text);
        self.0.push('\n');
    }

    fn text(&mut self, x: f64, y: f64, style: &Text, text: &str) {
        let (x, y) = (coordinate(x), coordinate(y));
        let weight = if style.bold { " font-weight=\"bold\"" } else { "" };
        let turn = if style.turned { format!(" transform=\"rotate(-90 {x} {y})\"") } else { String::new() };
        self.line(&format!(
            "<text x=\"{x}\" y=\"{y}\" font-size=\"{}\" fill=\"{}\" text-anchor=\"{}\"{weight}{turn}>{}</text>",
            style.size,
            style.colour,
            style.anchor,
            escape(text)
        ));
    }

    fn grid_line(&mut self, x1: f64, y1: f64, x2: f64, y2: f64) {
        let [x1, y1, x2, y2] = [x1, y1, x2, y2].map(coordinate);
        self.line(&format!("<path d=\"M{x1} {y1}L{x2} {y2}\" stroke=\"#e4e4e4\" stroke-width=\"1\"/>"));
    }

    fn path(&mut self, d: &str, stroke: &Stroke) {
        if d.is_empty() {
            return;
        }
        let dash = match stroke.dash {
            "" => String::new(),
            dash => format!(" stroke-dasharray=\"{dash}\""),
        };
        self.line(&format!(
            "<path d=\"{d}\" fill=\"none\" stroke=\"{}\" stroke-width=\"{}\" stroke-linejoin=\"round\"{dash}/>",
            stroke.colour, stroke.width
        ));
    }
}

/// Text that XML can hold.
fn escape(text: &str) -> String {
    text.chars().fold(String::new(), |mut out, letter| {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            letter if letter.is_control() || matches!(letter, '\u{fffe}' | '\u{ffff}') => out.push('\u{fffd}'),
            letter => out.push(letter),
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    #[test]
    fn names_are_cut_and_escaped() {
        assert_eq!(shorten("abcdefghij", 10), "abcdefghij");
        assert_eq!(shorten("abcdefghijk", 10), "abcde…hijk");
        assert_eq!(escape("a<b>&\u{1}"), "a&lt;b&gt;&amp;\u{fffd}");
    }

    #[test]
    fn no_two_curves_are_drawn_alike_while_there_are_styles() {
        let run = |ks: &[usize]| Run {
            name: "a".to_owned(),
            manifest: None,
            path: PathBuf::new(),
            labelled: true,
            curves: ks.iter().map(|&k| Curve::new(Some(k), &[], true)).collect(),
            examples: Vec::new(),
            rows: Vec::new(),
            failed: Vec::new(),
        };
        let runs = |count: usize, ks: &[usize]| (0..count).map(|_| run(ks)).collect::<Vec<_>>();
        assert_eq!(alike(&runs(1, &(1..=105).collect::<Vec<_>>())), 0);
        assert_eq!(alike(&runs(1, &(1..=106).collect::<Vec<_>>())), 1);
        assert_eq!((alike(&runs(8, &[1])), alike(&runs(105, &[1])), alike(&runs(106, &[1]))), (0, 0, 1));
        assert_eq!((alike(&runs(35, &[1, 2, 5])), alike(&runs(36, &[1, 2, 5]))), (0, 3));
        // As many as before look as before.
        let ks = [Some(1), Some(3)];
        let stroke = stroke(&runs(7, &[1, 3]), &ks, 6, 1);
        assert_eq!(stroke, Stroke { colour: COLOURS[6], dash: DASHES[1], width: 2.5 });
    }

    #[test]
    fn a_curve_goes_down_at_every_radius_and_ends_at_zero() {
        let row = |radius| crate::run_dir::Row {
            idx: 0,
            label: Some(0),
            predict: Some(0),
            radius,
            correct: true,
            time: std::time::Duration::ZERO,
        };
        let area = Area { right: 0.25, largest: 1.0, bottom: 716.0 }.rounded();
        let curve = Curve::new(Some(1), &[row(0.5), row(1.0)], true);
        assert_eq!(area.right, 1.25);
        assert_eq!(path(&curve, &area), "M92 76H415.2V396H738.4V716");
    }
}
