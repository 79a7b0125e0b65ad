//! What a run keeps of how an example's rows ended: how many there were, how alpha was spent, what was decided, by which uniform
//! bounds were randomized.

use std::fmt::Write;

use smoothtopk::certificate::stop::Decision;
use smoothtopk::stats::{Allocation, Counts};

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
    /// How alpha was spent; none (`-`) where the time was up before anything was looked at, and in a run of guarantees.
    pub allocation: Option<Allocation>,
    /// The counts of the earlier look that gave this k's radius; none (`-`) where those of `counts.tsv` did. In the file
    /// `rows:count,count,...`.
    pub earlier: Option<Counts>,
    /// Of randomized bounds; none where they are not, whose runs have no such column.
    pub uniform: Option<f64>,
}

/// What the columns of a run's `stops.tsv` are.
#[derive(Clone, Copy, Debug)]
pub struct Columns<'a> {
    pub ks: &'a [usize],
    pub classes: usize,
    pub randomized: bool,
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

impl Columns<'_> {
    /// The header, without its newline.
    pub fn header(&self) -> String {
        let uniform = |k: &usize| if self.randomized { format!("\tuniform_k{k}") } else { String::new() };
        let columns = self.ks.iter().map(|k| format!("\tdecision_k{k}\tallocation_k{k}\tearlier_k{k}{}", uniform(k)));
        std::iter::once("idx\trows".to_owned()).chain(columns).collect()
    }

    /// From a line without its newline.
    pub fn parse(&self, line: &str) -> Result<Stop, String> {
        let fields: Vec<&str> = line.trim_end_matches('\r').split('\t').collect();
        let each = if self.randomized { 4 } else { 3 };
        let expected = 2 + each * self.ks.len();
        if fields.len() != expected {
            return Err(format!("has {} columns, where {expected} are to be", fields.len()));
        }
        let idx = fields[0].parse().map_err(|_| format!("has the idx {:?}, which is no whole number", fields[0]))?;
        let rows = fields[1].parse().map_err(|_| format!("has {:?} rows, which is no whole number", fields[1]))?;
        let of_k = fields[2..].chunks_exact(each).map(|fields| StopOfK::parse(fields, self.classes));
        Ok(Stop { idx, rows, of_k: of_k.collect::<Result<_, _>>()? })
    }
}

impl Stop {
    /// Whether the time was up before anything was looked at: the counts are then of whatever rows had come back, and certify
    /// nothing.
    pub fn late(&self) -> bool {
        self.of_k.iter().all(|of_k| of_k.allocation.is_none())
    }

    /// The line, with its newline.
    pub fn to_line(&self) -> String {
        let mut line = format!("{}\t{}", self.idx, self.rows);
        for StopOfK { decision, allocation, earlier, uniform } in &self.of_k {
            // Writing to a string cannot fail.
            let _ = write!(line, "\t{decision}\t");
            match allocation {
                None => line.push('-'),
                Some(allocation) => {
                    let _ = write!(line, "{allocation}");
                }
            }
            match earlier {
                None => line.push_str("\t-"),
                Some(counts) => {
                    let list: Vec<String> = counts.labels().iter().map(ToString::to_string).collect();
                    let _ = write!(line, "\t{}:{}", counts.n(), list.join(","));
                }
            }
            if let Some(uniform) = uniform {
                let _ = write!(line, "\t{uniform}");
            }
        }
        line.push('\n');
        line
    }
}

impl StopOfK {
    fn parse(fields: &[&str], classes: usize) -> Result<Self, String> {
        let decision = DECISIONS.into_iter().find(|decision| decision.to_string() == fields[0]);
        let decision = decision.ok_or_else(|| format!("has the decision {:?}, which is none", fields[0]))?;
        let allocation = match fields[1] {
            "-" => None,
            text => Some(text.parse().map_err(|_| format!("has the allocation {text:?}, which is none"))?),
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
        let uniform = |text: &&str| {
            let uniform = text.parse().ok().filter(|&uniform| uniform > 0.0 && uniform <= 1.0);
            uniform.ok_or_else(|| format!("has the uniform {text:?}, which is none above 0 and at most 1"))
        };
        Ok(Self { decision, allocation, earlier, uniform: fields.get(3).map(uniform).transpose()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stop() -> Stop {
        let of_k = vec![
            StopOfK {
                decision: Decision::Certified,
                allocation: Some(Allocation::default()),
                earlier: None,
                uniform: None,
            },
            StopOfK {
                decision: Decision::Undecided,
                allocation: Some(Allocation::Pooled { label_share: 0.1 + 0.2, named: vec![1, 2] }),
                earlier: Some(Counts::new(vec![3, 4, 0], 9).unwrap()),
                uniform: None,
            },
            StopOfK { decision: Decision::Undecided, allocation: None, earlier: None, uniform: None },
        ];
        Stop { idx: 7, rows: 12, of_k }
    }

    fn columns(ks: &[usize]) -> Columns<'_> {
        Columns { ks, classes: 3, randomized: false }
    }

    #[test]
    fn lines_round_trip() {
        let line = stop().to_line();
        assert_eq!(
            line,
            "7\t12\tcertified\tranked\t-\tundecided\tpooled:0.30000000000000004:1,2\t9:3,4,0\tundecided\t-\t-\n"
        );
        assert_eq!(columns(&[1, 2, 5]).parse(line.trim_end()), Ok(stop()));
        assert!(!stop().late() && Stop { of_k: stop().of_k[2..].to_vec(), ..stop() }.late());
        assert_eq!(columns(&[1, 5]).header().split('\t').count(), 8);
        for decision in DECISIONS {
            let line = format!("0\t1\t{decision}\tbinocp\t-");
            assert_eq!(columns(&[1]).parse(&line).unwrap().of_k[0].decision, decision);
        }
        let randomized = Columns { randomized: true, ..columns(&[1, 5]) };
        assert_eq!(randomized.header().split('\t').count(), 10);
        let of_k = stop().of_k[..2].iter().map(|of_k| StopOfK { uniform: Some(1.0 / 3.0), ..of_k.clone() }).collect();
        let stop = Stop { of_k, ..stop() };
        assert_eq!(randomized.parse(stop.to_line().trim_end()), Ok(stop));
        assert!(randomized.parse("0\t1\tcomplete\tranked\t-\t0\tcomplete\tranked\t-\t0.5").is_err());
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
            let error = columns(&[1]).parse(line).unwrap_err();
            assert!(error.contains(part), "{line}: {error}");
        }
    }
}
