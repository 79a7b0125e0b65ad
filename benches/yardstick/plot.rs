//! Rows a second against batch size, a panel for each model and a curve for each number of threads, as SVG.

use std::fmt::Write;

use crate::compare::Result;
use crate::sweep::Curve;

const PANEL: (f64, f64) = (560.0, 340.0);
/// Around a panel's plot: left, top, right, bottom.
const MARGIN: (f64, f64, f64, f64) = (78.0, 44.0, 16.0, 52.0);
const COLUMNS: usize = 2;
const HEAD: f64 = 66.0;

/// Okabe and Ito's colours, told apart with every kind of colour vision; ours are dashed besides.
const COLOURS: [&str; 7] = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#444444"];

pub fn svg(results: &[Result]) -> String {
    let rows = results.len().div_ceil(COLUMNS);
    let (width, height) = (PANEL.0 * COLUMNS as f64, HEAD + PANEL.1 * rows as f64);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" \
         role=\"img\" font-family=\"'Noto Sans', 'DejaVu Sans', Helvetica, Arial, sans-serif\" fill=\"#222222\">\n\
         <title>Rows a second against batch size and threads</title>\n<rect width=\"{width}\" height=\"{height}\" fill=\"#ffffff\"/>\n"
    );
    text(
        &mut svg,
        MARGIN.0,
        28.0,
        19.0,
        "start",
        "Rows a second against batch size, by runs at once x threads of each",
    );
    let mut x = MARGIN.0;
    for (index, curve) in results.first().iter().flat_map(|result| &result.curves).enumerate() {
        let _ = writeln!(svg, "<path d=\"M{x} 49h30\" {}/>", stroke(index, curve));
        text(&mut svg, x + 36.0, 54.0, 13.0, "start", &curve.name);
        x += 60.0 + 7.5 * curve.name.len() as f64;
    }
    for (index, result) in results.iter().enumerate() {
        let (column, row) = (index % COLUMNS, index / COLUMNS);
        panel(&mut svg, PANEL.0 * column as f64, HEAD + PANEL.1 * row as f64, result);
    }
    svg.push_str("</svg>\n");
    svg
}

/// One model: the batch on a logarithmic axis, rows a second from 0 on.
fn panel(svg: &mut String, left: f64, top: f64, result: &Result) {
    let (x0, x1) = (left + MARGIN.0, left + PANEL.0 - MARGIN.2);
    let (y0, y1) = (top + PANEL.1 - MARGIN.3, top + MARGIN.1);
    text(svg, x0, top + 28.0, 16.0, "start", result.name);
    let points = || result.curves.iter().flat_map(|curve| &curve.points);
    let largest = points().map(|point| point.rate).fold(0.0, f64::max);
    let most = points().map(|point| point.shape.batch).max().unwrap_or(1);
    let doublings = (most as f64).log2().max(1.0);
    let x = |batch: usize| x0 + (x1 - x0) * (batch as f64).log2() / doublings;
    let step = step(largest);
    let ticks = (largest / step).ceil();
    let y = |rate: f64| y0 - (y0 - y1) * rate / (ticks * step);
    for tick in 0..=ticks as u32 {
        let at = y(f64::from(tick) * step);
        let _ = writeln!(svg, "<path d=\"M{x0:.1} {at:.1}H{x1:.1}\" stroke=\"#e4e4e4\"/>");
        text(svg, x0 - 8.0, at + 4.0, 12.0, "end", &short(f64::from(tick) * step));
    }
    for power in 0..=doublings as u32 {
        let at = x(1 << power);
        let _ = writeln!(svg, "<path d=\"M{at:.1} {y0:.1}V{y1:.1}\" stroke=\"#f0f0f0\"/>");
        text(svg, at, y0 + 18.0, 12.0, "middle", &(1u64 << power).to_string());
    }
    text(svg, (x0 + x1) / 2.0, y0 + 38.0, 13.0, "middle", "rows of a batch");
    for (index, curve) in result.curves.iter().enumerate() {
        let path: Vec<_> =
            curve.points.iter().map(|point| format!("{:.1} {:.1}", x(point.shape.batch), y(point.rate))).collect();
        let _ = writeln!(svg, "<path d=\"M{}\" {}/>", path.join("L"), stroke(index, curve));
    }
}

fn stroke(index: usize, curve: &Curve) -> String {
    let dash = if curve.ours { " stroke-dasharray=\"7 4\"" } else { "" };
    format!(
        "fill=\"none\" stroke=\"{}\" stroke-width=\"2.2\" stroke-linejoin=\"round\"{dash}",
        COLOURS[index % COLOURS.len()]
    )
}

fn text(svg: &mut String, x: f64, y: f64, size: f64, anchor: &str, text: &str) {
    let _ =
        writeln!(svg, "<text x=\"{x:.1}\" y=\"{y:.1}\" font-size=\"{size}\" text-anchor=\"{anchor}\">{text}</text>");
}

/// 1, 2 or 5 times a power of ten, of which five or so make `largest`.
fn step(largest: f64) -> f64 {
    let wanted = largest / 5.0;
    let power = 10f64.powf(wanted.log10().floor());
    [1.0, 2.0, 5.0, 10.0].map(|digit| digit * power).into_iter().find(|step| *step >= wanted).unwrap_or(wanted)
}

fn short(value: f64) -> String {
    match value {
        value if value >= 1e6 => format!("{} M", value / 1e6),
        value if value >= 1e4 => format!("{} k", value / 1e3),
        value => format!("{value}"),
    }
}
