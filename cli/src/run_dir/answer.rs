//! What a run keeps of the guarantees for an answer: one file per k.

use smoothtopk::smoothed::Guarantee;

/// The header of a file of answers, without its newline.
pub const HEADER: &str = "idx\tlabel\tlabels\tset\tkept\teach\tfirst\tranking\ttime";

/// The guarantees for the k labels returned for one example: l2 radii, 0 where nothing is certified.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The labels, the likeliest first; none (`-` in the file) where the time was up before anything was looked at.
    pub labels: Vec<usize>,
    /// The set does not change.
    pub set: f64,
    /// For e = 1, 2, .. k: at least e of the labels stay; infinite where that is so for any perturbation.
    pub kept: Vec<f64>,
    /// Each label stays, all at once; in the order of the labels.
    pub each: Vec<f64>,
    /// The first label stays the first.
    pub first: f64,
    /// The whole ranking stays.
    pub ranking: f64,
}

/// A line of a file of answers.
#[derive(Clone, Debug, PartialEq)]
pub struct AnswerRow {
    /// The example's index in the data.
    pub idx: usize,
    /// The true label; none (-1 in the file) where it is not known.
    pub label: Option<usize>,
    pub answer: Answer,
    /// What the example took, as it stands in the file.
    pub time: String,
}

impl From<&Guarantee> for Answer {
    fn from(guarantee: &Guarantee) -> Self {
        let kept = guarantee.kept.iter().map(|kept| kept.as_ref().map_or(f64::INFINITY, |kept| kept.radius));
        Self {
            labels: guarantee.labels().to_vec(),
            set: guarantee.set.radius,
            kept: kept.collect(),
            each: guarantee.each.labels.iter().map(|label| label.radius).collect(),
            first: guarantee.first.radius,
            ranking: guarantee.ranking.radius,
        }
    }
}

impl Answer {
    /// Of k labels that no row was looked at for in time.
    pub fn none(k: usize) -> Self {
        Self { labels: Vec::new(), set: 0.0, kept: vec![0.0; k], each: vec![0.0; k], first: 0.0, ranking: 0.0 }
    }

    /// The radius within which every label stays.
    pub fn all(&self) -> f64 {
        self.each.iter().copied().fold(f64::INFINITY, f64::min)
    }
}

fn list<T: ToString>(values: &[T]) -> String {
    values.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}

impl AnswerRow {
    /// The line, with its newline. Radii are in the fewest digits that round-trip, `inf` where nothing can break the statement.
    pub fn to_line(&self) -> String {
        let Answer { labels, set, kept, each, first, ranking } = &self.answer;
        let (label, time) = (self.label.map_or_else(|| "-1".to_owned(), |label| label.to_string()), &self.time);
        let labels = if labels.is_empty() { "-".to_owned() } else { list(labels) };
        let (idx, kept, each) = (self.idx, list(kept), list(each));
        format!("{idx}\t{label}\t{labels}\t{set}\t{kept}\t{each}\t{first}\t{ranking}\t{time}\n")
    }

    /// From a line without its newline, of answers of `k` labels.
    pub fn parse(line: &str, k: usize) -> Result<Self, String> {
        let fields: Vec<&str> = line.trim_end_matches('\r').split('\t').collect();
        let [idx, label, labels, set, kept, each, first, ranking, time] = fields[..] else {
            return Err(format!("has {} columns, where 9 are to be", fields.len()));
        };
        let whole = |text: &str, name: &str| {
            text.parse::<i64>().map_err(|_| format!("has the {name} {text:?}, which is no whole number"))
        };
        let radius = |text: &str, name: &str| {
            let radius = text.parse().ok().filter(|radius: &f64| *radius >= 0.0);
            radius.ok_or_else(|| format!("has the {name} radius {text:?}, which is no number >= 0"))
        };
        let radii = |text: &str, name: &str| {
            let radii = text.split(',').map(|text| radius(text, name)).collect::<Result<Vec<_>, _>>()?;
            if radii.len() == k { Ok(radii) } else { Err(format!("has {} {name} radii for k = {k}", radii.len())) }
        };
        let indices: Option<Vec<usize>> = match labels {
            "-" => Some(Vec::new()),
            _ => labels.split(',').map(|label| label.parse().ok()).collect(),
        };
        let indices = indices.filter(|indices| indices.len() == k || indices.is_empty());
        let answer = Answer {
            labels: indices.ok_or_else(|| format!("has the labels {labels:?}, which are not {k} labels"))?,
            set: radius(set, "set")?,
            kept: radii(kept, "kept")?,
            each: radii(each, "each")?,
            first: radius(first, "first")?,
            ranking: radius(ranking, "ranking")?,
        };
        if answer.labels.is_empty() && answer != Answer::none(k) {
            return Err("has radii and no labels".to_owned());
        }
        let idx = usize::try_from(whole(idx, "idx")?).map_err(|_| "has a negative idx")?;
        Ok(Self { idx, label: usize::try_from(whole(label, "label")?).ok(), answer, time: time.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_round_trip_to_the_last_bit() {
        let answer = Answer {
            labels: vec![5, 0],
            set: 0.1 + 0.2,
            kept: vec![f64::INFINITY, 5e-324],
            each: vec![0.25, 0.0],
            first: 1.0 / 3.0,
            ranking: 0.0,
        };
        assert_eq!(answer.all(), 0.0);
        let row = AnswerRow { idx: 3, label: None, answer, time: "0:00:00.000001".into() };
        let line = row.to_line();
        assert!(line.starts_with("3\t-1\t5,0\t0.30000000000000004\tinf,"), "{line}");
        assert_eq!(HEADER.split('\t').count(), line.split('\t').count());
        assert_eq!(AnswerRow::parse(line.trim_end_matches('\n'), 2).as_ref(), Ok(&row));
        let late = AnswerRow { answer: Answer::none(2), ..row };
        assert_eq!(AnswerRow::parse(late.to_line().trim_end_matches('\n'), 2), Ok(late));
    }

    #[test]
    fn malformed_lines_say_what_is_wrong() {
        for (line, part) in [
            ("3\t-1\t5", "columns"),
            ("x\t-1\t5\t0\t0\t0\t0\t0\tt", "idx"),
            ("-3\t-1\t5\t0\t0\t0\t0\t0\tt", "negative"),
            ("3\t-1\t5,6\t0\t0\t0\t0\t0\tt", "labels"),
            ("3\t-1\t-\t0\t0\t1\t0\t0\tt", "no labels"),
            ("3\t-1\t5\t-1\t0\t0\t0\t0\tt", "set"),
            ("3\t-1\t5\t0\t0,1\t0\t0\t0\tt", "kept"),
            ("3\t-1\t5\t0\t0\tnan\t0\t0\tt", "each"),
            ("3\t-1\t5\t0\t0\t0\tx\t0\tt", "first"),
        ] {
            let error = AnswerRow::parse(line, 1).unwrap_err();
            assert!(error.contains(part), "{line}: {error}");
        }
    }
}
