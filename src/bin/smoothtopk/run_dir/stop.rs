//! What a run keeps of how an example's rows ended: how many there were, how alpha was spent, what was decided.

use std::fmt::Write;

use smoothtopk::certificate::stop::Decision;
use smoothtopk::stats::{Counts, Spending};

/// The file's name in a RUN folder.
pub const STOPS: &str = "stops.tsv";

/// A line of `stops.tsv`.
#[derive(Clone, Debug, PartialEq)]
pub struct Stop {
    /// The example's index in the data.
    pub idx: usize,
    /// The rows of its line of `counts.tsv`, those without a label among them.
    pub rows: u64,
    /// One per k, in the order of the manifest.
    pub of_k: Vec<StopOfK>,
}

/// How it ended for one k.
#[derive(Clone, Debug, PartialEq)]
pub struct StopOfK {
    /// What was decided.
    pub decision: Decision,
    /// How alpha was spent; none (`-`) where the time was up before anything was looked at.
    pub spending: Option<Spending>,
    /// The counts of the earlier look that gave this k's radius; none (`-`) where those of `counts.tsv` did. In the file
    /// `rows:count,count,...`.
    pub earlier: Option<Counts>,
}

const DECISIONS: [Decision; 7] = [
    Decision::Open,
    Decision::Complete,
    Decision::Certified,
    Decision::Refuted,
    Decision::Reached,
    Decision::Settled,
    Decision::Undecided,
];

/// The header of a run's `stops.tsv`, without its newline.
pub fn header(ks: &[usize]) -> String {
    let columns = ks.iter().map(|k| format!("\tdecision_k{k}\tspending_k{k}\tearlier_k{k}"));
    std::iter::once("idx\trows".to_owned()).chain(columns).collect()
}

impl Stop {
    /// Whether the time was up before anything was looked at: the counts are then of whatever rows had come back, and certify
    /// nothing.
    pub fn late(&self) -> bool {
        self.of_k.iter().all(|of_k| of_k.spending.is_none())
    }

    /// The line, with its newline.
    pub fn to_line(&self) -> String {
        let mut line = format!("{}\t{}", self.idx, self.rows);
        for StopOfK { decision, spending, earlier } in &self.of_k {
            // Writing to a string cannot fail.
            let _ = write!(line, "\t{decision}\t");
            match spending {
                None => line.push('-'),
                Some(spending) => {
                    let _ = write!(line, "{spending}");
                }
            }
            match earlier {
                None => line.push_str("\t-"),
                Some(counts) => {
                    let list: Vec<String> = counts.labels().iter().map(ToString::to_string).collect();
                    let _ = write!(line, "\t{}:{}", counts.n(), list.join(","));
                }
            }
        }
        line.push('\n');
        line
    }

    /// From a line without its newline, of a run with `ks` k's and `classes` labels.
    pub fn parse(line: &str, ks: usize, classes: usize) -> Result<Self, String> {
        let fields: Vec<&str> = line.trim_end_matches('\r').split('\t').collect();
        let expected = 2 + 3 * ks;
        if fields.len() != expected {
            return Err(format!("has {} columns, where {expected} are to be", fields.len()));
        }
        let idx = fields[0].parse().map_err(|_| format!("has the idx {:?}, which is no whole number", fields[0]))?;
        let rows = fields[1].parse().map_err(|_| format!("has {:?} rows, which is no whole number", fields[1]))?;
        let of_k =
            fields[2..].chunks_exact(3).map(|fields| StopOfK::parse(fields, classes)).collect::<Result<_, _>>()?;
        Ok(Self { idx, rows, of_k })
    }
}

impl StopOfK {
    fn parse(fields: &[&str], classes: usize) -> Result<Self, String> {
        let decision = DECISIONS.into_iter().find(|decision| decision.to_string() == fields[0]);
        let decision = decision.ok_or_else(|| format!("has the decision {:?}, which is none", fields[0]))?;
        let spending = match fields[1] {
            "-" => None,
            text => Some(text.parse().map_err(|_| format!("has the spending {text:?}, which is none"))?),
        };
        let wrong = || format!("has the earlier counts {:.40?}, which are not `-` or rows:count,...", fields[2]);
        let earlier = match fields[2] {
            "-" => None,
            text => {
                let (rows, list) = text.split_once(':').ok_or_else(wrong)?;
                let labels: Option<Vec<u64>> = list.split(',').map(|count| count.parse().ok()).collect();
                let labels = labels.filter(|labels| labels.len() == classes).ok_or_else(wrong)?;
                Some(Counts::new(labels, rows.parse().map_err(|_| wrong())?).map_err(|_| wrong())?)
            }
        };
        Ok(Self { decision, spending, earlier })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stop() -> Stop {
        let of_k = vec![
            StopOfK { decision: Decision::Certified, spending: Some(Spending::default()), earlier: None },
            StopOfK {
                decision: Decision::Undecided,
                spending: Some(Spending::Pooled { label_share: 0.1 + 0.2, named: vec![1, 2] }),
                earlier: Some(Counts::new(vec![3, 4, 0], 9).unwrap()),
            },
            StopOfK { decision: Decision::Undecided, spending: None, earlier: None },
        ];
        Stop { idx: 7, rows: 12, of_k }
    }

    #[test]
    fn lines_round_trip() {
        let line = stop().to_line();
        assert_eq!(
            line,
            "7\t12\tcertified\tranked\t-\tundecided\tpooled:0.30000000000000004:1,2\t9:3,4,0\tundecided\t-\t-\n"
        );
        assert_eq!(Stop::parse(line.trim_end(), 3, 3), Ok(stop()));
        assert!(!stop().late() && Stop { of_k: stop().of_k[2..].to_vec(), ..stop() }.late());
        assert_eq!(header(&[1, 5]).split('\t').count(), 8);
        for decision in DECISIONS {
            let line = format!("0\t1\t{decision}\tbinocp\t-");
            assert_eq!(Stop::parse(&line, 1, 3).unwrap().of_k[0].decision, decision);
        }
    }

    #[test]
    fn malformed_lines_say_what_is_wrong() {
        for (line, part) in [
            ("7\t12", "columns"),
            ("x\t12\tcertified\tranked\t-", "idx"),
            ("7\t-1\tcertified\tranked\t-", "rows"),
            ("7\t12\tcertain\tranked\t-", "certain"),
            ("7\t12\tcertified\tbest\t-", "best"),
            ("7\t12\tcertified\tranked\t9", "earlier"),
            ("7\t12\tcertified\tranked\t9:3,4", "earlier"),
            ("7\t12\tcertified\tranked\t9:3,4,5", "earlier"),
        ] {
            let error = Stop::parse(line, 1, 3).unwrap_err();
            assert!(error.contains(part), "{line}: {error}");
        }
    }
}
