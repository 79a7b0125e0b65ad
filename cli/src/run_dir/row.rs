//! The field's format: a line for each example, `idx label predict radius correct time` (Cohen et al. 2019).

use std::time::Duration;

/// The header of a file of rows, without its newline.
pub const HEADER: &str = "idx\tlabel\tpredict\tradius\tcorrect\ttime";

/// A line of a file of rows.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// The example's index in the data.
    pub idx: usize,
    /// The true label; -1 in the file where it is not known.
    pub label: Option<usize>,
    /// The certified label; -1 in the file where nothing is certified.
    pub predict: Option<usize>,
    /// The certified radius; 0 where nothing is certified.
    pub radius: f64,
    /// Whether the certified label is the true one.
    pub correct: bool,
    /// How long the example took.
    pub time: Duration,
}

impl Row {
    /// The line, with its newline. The radius has the fewest digits that read back as the same number.
    pub fn to_line(&self) -> String {
        let Self { idx, label, predict, radius, correct, time } = self;
        let (label, predict) = (or_minus_one(*label), or_minus_one(*predict));
        format!("{idx}\t{label}\t{predict}\t{radius}\t{}\t{}\n", u8::from(*correct), format_time(*time))
    }

    /// From a line of any tool whose columns stand where `columns` says, in the order of [`HEADER`] without the time.
    /// Where a label stays in the top k, other tools may give another one as predicted, and correct.
    pub fn parse(line: &str, columns: [usize; 5]) -> Result<Self, String> {
        let fields: Vec<&str> = line.trim_end_matches('\r').split('\t').collect();
        let field = |column: usize| fields.get(columns[column]).map(|field| field.trim());
        let whole = |column: usize, name: &str| {
            let text = field(column).ok_or_else(|| format!("has no {name}"))?;
            text.parse::<i64>().map_err(|_| format!("has the {name} {text:?}, which is not a whole number"))
        };
        let text = field(3).ok_or("has no radius")?;
        let radius = text.parse().ok().filter(|radius: &f64| radius.is_finite() && *radius >= 0.0);
        let row = Self {
            idx: usize::try_from(whole(0, "idx")?).map_err(|_| "has a negative idx")?,
            label: usize::try_from(whole(1, "label")?).ok(),
            predict: usize::try_from(whole(2, "predict")?).ok(),
            radius: radius.ok_or_else(|| format!("has the radius {text:?}, which is not a number >= 0"))?,
            correct: match whole(4, "correct")? {
                0 => false,
                1 => true,
                other => return Err(format!("has {other} for correct, which is 0 or 1")),
            },
            time: Duration::ZERO,
        };
        if row.correct && row.predict.is_none() {
            return Err("has 1 for correct, and no predicted label".to_owned());
        }
        Ok(row)
    }
}

pub fn or_minus_one(label: Option<usize>) -> String {
    label.map_or_else(|| "-1".to_owned(), |label| label.to_string())
}

/// `h:mm:ss.ffffff`, with as many hours as it takes.
pub fn format_time(time: Duration) -> String {
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
            let row = Row { idx: 7, label: Some(3), predict, radius, correct: false, time: Duration::ZERO };
            let line = row.to_line();
            let back = Row::parse(line.strip_suffix('\n').expect("whole line"), [0, 1, 2, 3, 4]).expect("parses");
            assert_eq!((back.radius.to_bits(), &back), (radius.to_bits(), &row));
        }
    }

    #[test]
    fn malformed_rows_say_what_is_wrong() {
        for (line, part) in [
            ("", "has no radius"),
            ("x\t2\t3\t0.5\t1\t0", "idx"),
            ("1\t2\t3", "radius"),
            ("1\t2\t3\tnan\t1\t0", "nan"),
            ("1\t2\t3\t-1\t1\t0", "-1"),
            ("1\t2\t3\t1\t2\t0", "correct"),
            ("-1\t2\t3\t1\t1\t0", "negative"),
            ("1\t2\t-1\t0\t1\t0", "no predicted label"),
        ] {
            let error = Row::parse(line, [0, 1, 2, 3, 4]).expect_err(line);
            assert!(error.contains(part), "{error}");
        }
        // Another tool's, for k > 1.
        assert!(Row::parse("1\t2\t3\t0.5\t1\t0", [0, 1, 2, 3, 4]).is_ok());
    }
}
