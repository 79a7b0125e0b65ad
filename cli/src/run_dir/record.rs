//! What a run holds of one example, and the lines for it.

use std::fmt::Write;
use std::time::Duration;

use super::answer::{Answer, AnswerRow};
use super::stop::{Stop, StopOfK};

/// The header of a file of rows, the field's own (Cohen et al. 2019).
pub const HEADER: &str = "idx\tlabel\tpredict\tradius\tcorrect\ttime";

/// One example: its counts, and what they certify for every k of the run.
#[derive(Clone, Debug)]
pub struct Record {
    /// Its index in the data.
    pub idx: usize,
    /// The true label, where it is known.
    pub label: Option<usize>,
    /// The label that the counts were drawn for: the true one, or the one selected. None where selection gave none, and in a
    /// run of guarantees.
    pub counted: Option<usize>,
    /// The count of every label.
    pub counts: Vec<u64>,
    /// The rows behind the counts, those without a label among them.
    pub rows: u64,
    /// One per k, in the order of the manifest; none in a run of guarantees.
    pub outcomes: Vec<Outcome>,
    /// One per k, where the run keeps how rows ended ([`Manifest::keeps_stops`](super::Manifest::keeps_stops)).
    pub stops: Vec<StopOfK>,
    /// One per k, in a run of guarantees.
    pub answers: Vec<Answer>,
    /// What the example took.
    pub time: Duration,
}

/// What an example's counts certify for one k.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Outcome {
    /// The certified label and its l2 radius, > 0; none when nothing is certified.
    pub certified: Option<(usize, f64)>,
}

/// A line of a file of rows.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// The example's index in the data.
    pub idx: usize,
    /// The true label; none (-1 in the file) where it is not known.
    pub label: Option<usize>,
    /// The certified label; none (-1 in the file) where nothing is certified.
    pub predict: Option<usize>,
    /// The certified l2 radius, >= 0; 0 where nothing is certified.
    pub radius: f64,
    /// The certified label is the true one.
    pub correct: bool,
    /// What the example took, as it stands in the file.
    pub time: String,
}

impl Record {
    /// The row for one of the outcomes.
    pub fn row(&self, outcome: &Outcome) -> Row {
        let predict = outcome.certified.map(|(label, _)| label);
        Row {
            idx: self.idx,
            label: self.label,
            predict,
            radius: outcome.certified.map_or(0.0, |(_, radius)| radius),
            correct: predict.is_some() && predict == self.label,
            time: format_time(self.time),
        }
    }

    /// The row for the guarantees of one k.
    pub fn answer_row(&self, answer: &Answer) -> AnswerRow {
        AnswerRow { idx: self.idx, label: self.label, answer: answer.clone(), time: format_time(self.time) }
    }

    /// How the rows ended.
    pub fn stop(&self) -> Stop {
        Stop { idx: self.idx, rows: self.rows, of_k: self.stops.clone() }
    }

    /// The line of `counts.tsv`: a count per label, then the label that they were drawn for, -1 for none.
    pub fn counts_line(&self) -> String {
        let mut line = String::new();
        for count in &self.counts {
            // Writing to a string cannot fail.
            let _ = write!(line, "{count}\t");
        }
        let _ = writeln!(line, "{}", or_minus_one(self.counted));
        line
    }
}

impl Row {
    /// The line, with its newline. The radius is in the fewest digits that round-trip.
    pub fn to_line(&self) -> String {
        format!(
            "{}\t{}\t{}\t{}\t{}\t{}\n",
            self.idx,
            or_minus_one(self.label),
            or_minus_one(self.predict),
            self.radius,
            u8::from(self.correct),
            self.time
        )
    }

    /// From a line of our own without its newline, its columns in the order of [`HEADER`].
    pub fn parse(line: &str) -> Result<Self, String> {
        let row = Self::parse_columns(line, [0, 1, 2, 3, 4, 5])?;
        if row.predict.is_some() != (row.radius > 0.0) {
            return Err("has a radius without a certified label, or a label without a radius".to_owned());
        }
        // For every k, as the label that is certified is the true one or is not.
        if row.correct != (row.predict.is_some() && row.predict == row.label) {
            return Err(format!("has {} for correct, which its labels deny", u8::from(row.correct)));
        }
        Ok(row)
    }

    /// From a line of any tool's whose columns stand where `columns` says, in the order of [`HEADER`]; a time column past the end
    /// is empty. Where the label is in the top k, other tools may give another one of those as predicted, and correct.
    pub fn parse_columns(line: &str, columns: [usize; 6]) -> Result<Self, String> {
        let fields: Vec<&str> = line.trim_end_matches('\r').split('\t').collect();
        let field = |column: usize| fields.get(columns[column]).map(|field| field.trim());
        let whole = |column: usize, name: &str| {
            let text = field(column).ok_or_else(|| format!("has no {name}"))?;
            text.parse::<i64>().map_err(|_| format!("has the {name} {text:?}, which is no whole number"))
        };
        let radius = field(3).ok_or("has no radius")?;
        let radius = radius.parse().ok().filter(|radius: &f64| radius.is_finite() && *radius >= 0.0);
        let row = Self {
            idx: usize::try_from(whole(0, "idx")?).map_err(|_| "has a negative idx")?,
            label: usize::try_from(whole(1, "label")?).ok(),
            predict: usize::try_from(whole(2, "predict")?).ok(),
            radius: radius
                .ok_or_else(|| format!("has the radius {:?}, which is no number >= 0", field(3).unwrap_or("")))?,
            correct: match whole(4, "correct")? {
                0 => false,
                1 => true,
                other => return Err(format!("has {other} for correct, which is 0 or 1")),
            },
            time: field(5).unwrap_or_default().to_string(),
        };
        if row.correct && row.predict.is_none() {
            return Err("has 1 for correct, and no predicted label".to_owned());
        }
        Ok(row)
    }
}

fn or_minus_one(label: Option<usize>) -> String {
    label.map_or_else(|| "-1".to_string(), |label| label.to_string())
}

/// `h:mm:ss.ffffff`, with as many hours as it takes.
fn format_time(time: Duration) -> String {
    let seconds = time.as_secs();
    format!("{}:{:02}:{:02}.{:06}", seconds / 3600, seconds / 60 % 60, seconds % 60, time.subsec_micros())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_all_their_digits() {
        for (micros, text) in
            [(0, "0:00:00.000000"), (1_234_567, "0:00:01.234567"), (360_061_000_001, "100:01:01.000001")]
        {
            assert_eq!(format_time(Duration::from_micros(micros)), text);
        }
    }

    #[test]
    fn rows_round_trip_to_the_last_bit() {
        for radius in [0.0, 0.1 + 0.2, f64::MIN_POSITIVE, 5e-324, 1.797e308, 0.742_181_234_567_890_1] {
            let predict = (radius > 0.0).then_some(5);
            let row = Row { idx: 7, label: Some(3), predict, radius, correct: false, time: "0:00:00.000001".into() };
            let line = row.to_line();
            let back = Row::parse(line.strip_suffix('\n').expect("whole line")).expect("parses");
            assert_eq!(back.radius.to_bits(), radius.to_bits());
            assert_eq!(back, row);
        }
    }

    #[test]
    fn correct_needs_the_true_label() {
        let mut record = Record {
            idx: 0,
            label: Some(2),
            counted: Some(2),
            counts: vec![1, 2, 97],
            rows: 100,
            outcomes: vec![],
            stops: vec![],
            answers: vec![],
            time: Duration::ZERO,
        };
        assert_eq!(record.counts_line(), "1\t2\t97\t2\n");
        assert!(record.row(&Outcome { certified: Some((2, 0.5)) }).correct);
        assert!(!record.row(&Outcome { certified: Some((1, 0.5)) }).correct);
        assert!(!record.row(&Outcome { certified: None }).correct);
        record.label = None;
        assert!(!record.row(&Outcome { certified: None }).correct);
    }

    #[test]
    fn malformed_rows_say_what_is_wrong() {
        for (line, part) in [
            ("", "has no radius"),
            ("x\t2\t3\t0.5\t1\t0", "idx"),
            ("1\t2\t3", "radius"),
            ("1\t2\t3\tnan\t1\t0", "NaN".to_lowercase().as_str()),
            ("1\t2\t3\t-1\t1\t0", "-1"),
            ("1\t2\t3\t1\t2\t0", "correct"),
            ("-1\t2\t3\t1\t1\t0", "negative"),
            ("1\t2\t-1\t0\t1\t0", "no predicted label"),
            ("1\t2\t-1\t0.5\t0\t0", "without a certified label"),
            ("1\t2\t2\t0\t1\t0", "without a radius"),
            ("1\t2\t3\t0.5\t1\t0", "1 for correct"),
            ("1\t2\t2\t0.5\t0\t0", "0 for correct"),
            ("1\t-1\t2\t0.5\t1\t0", "1 for correct"),
        ] {
            let error = Row::parse(line).expect_err(line);
            assert!(error.contains(part), "{error}");
        }
        // Another tool's, for k > 1.
        assert!(Row::parse_columns("1\t2\t3\t0.5\t1\t0", [0, 1, 2, 3, 4, 5]).is_ok());
    }
}
