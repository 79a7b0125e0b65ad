//! Which part of a RUN this machine makes: as it is told, or as the engine that started it says.

use std::str::FromStr;

use smoothtopk::{Error, Result};

use crate::run_dir::Shard;

/// `I/N`, `auto` or `auto/N`, as it was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShardName {
    /// This one.
    Given(Shard),
    /// The engine's index, of this many where they were given.
    Auto(Option<usize>),
}

impl FromStr for ShardName {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let refuse = || Error::argument("shard", format!("\"{text}\" is none of I/N, auto, auto/N"));
        match text.strip_prefix("auto") {
            Some("") => Ok(Self::Auto(None)),
            Some(rest) => match rest.strip_prefix('/').and_then(|of| of.parse().ok()) {
                Some(of) if of > 0 => Ok(Self::Auto(Some(of))),
                _ => Err(refuse()),
            },
            None => text.parse().map(Self::Given),
        }
    }
}

/// Slurm's index of a task of an array, their number, and the first and last index.
const SLURM: [&str; 4] =
    ["SLURM_ARRAY_TASK_ID", "SLURM_ARRAY_TASK_COUNT", "SLURM_ARRAY_TASK_MIN", "SLURM_ARRAY_TASK_MAX"];
/// The index of a pod of an Indexed Job of Kubernetes, from 0.
const KUBERNETES: &str = "JOB_COMPLETION_INDEX";

impl ShardName {
    /// The shard; `variable` gives the variables of the environment.
    ///
    /// # Errors
    /// `InvalidArgument` where no engine, or more than one, tells an index, or what it tells does not fit.
    pub fn shard(self, variable: impl Fn(&str) -> Option<String>) -> Result<Shard> {
        let of = match self {
            Self::Given(shard) => return Ok(shard),
            Self::Auto(of) => of,
        };
        let refuse = |message: String| Error::argument("shard", format!("auto: {message}"));
        let number = |name: &str| match variable(name) {
            None => Ok(None),
            Some(text) => match text.parse::<usize>() {
                Ok(number) => Ok(Some(number)),
                Err(_) => Err(refuse(format!("{name} is \"{text}\", which is not a whole number"))),
            },
        };
        match (number(SLURM[0])?, number(KUBERNETES)?, of) {
            (Some(_), Some(_), _) => Err(refuse(format!("{} and {KUBERNETES} are both set: give I/N", SLURM[0]))),
            (None, None, _) => Err(refuse(format!("neither {} nor {KUBERNETES} is set: give I/N", SLURM[0]))),
            (None, Some(_), None) => {
                Err(refuse(format!("{KUBERNETES} does not say of how many: give auto/N, with the Job's completions")))
            }
            (None, Some(index), Some(of)) if index < of => Shard::new(index + 1, of),
            (None, Some(index), Some(of)) => {
                Err(refuse(format!("{KUBERNETES} is {index}, counted from 0, and there are {of} shards")))
            }
            // Some tasks of an array may be submitted again, so their number is not that of the shards.
            (Some(index), None, Some(of)) if (1..=of).contains(&index) => Shard::new(index, of),
            (Some(index), None, Some(of)) => {
                Err(refuse(format!("{} is {index}: number the array from 1 (--array=1-{of})", SLURM[0])))
            }
            (Some(index), None, None) => {
                let [count, first, last] = [number(SLURM[1])?, number(SLURM[2])?, number(SLURM[3])?];
                match (count, first, last) {
                    (Some(count), Some(1), Some(last)) if count == last && (1..=count).contains(&index) => {
                        Shard::new(index, count)
                    }
                    (Some(count), Some(first), Some(last)) => Err(refuse(format!(
                        "an array of {count} tasks from {first} to {last} is not 1-N with all its tasks: number it so, or give \
                         auto/N with the number of shards"
                    ))),
                    _ => Err(refuse(format!("{}, {} or {} is not set: give auto/N", SLURM[1], SLURM[2], SLURM[3]))),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(name: &str, variables: &str) -> Result<String> {
        let variable = |name: &str| {
            let mut pairs = variables.split_whitespace().filter_map(|pair| pair.split_once('='));
            pairs.find(|(key, _)| key.replace("S_", "SLURM_ARRAY_TASK_") == name).map(|(_, value)| value.to_owned())
        };
        name.parse::<ShardName>()?.shard(variable).map(|shard| shard.to_string())
    }

    #[test]
    fn the_engine_says_which_shard() {
        for (name, variables, shard) in [
            ("2/3", "", "2/3"),
            // What is given needs no engine.
            ("2/3", "S_ID=1 S_COUNT=9", "2/3"),
            ("auto", "S_ID=1 S_COUNT=4 S_MIN=1 S_MAX=4 S_STEP=1", "1/4"),
            ("auto", "S_ID=4 S_COUNT=4 S_MIN=1 S_MAX=4", "4/4"),
            // Two tasks of 64 again.
            ("auto/64", "S_ID=7 S_COUNT=2 S_MIN=3 S_MAX=7 S_STEP=4", "7/64"),
            ("auto/64", "JOB_COMPLETION_INDEX=0", "1/64"),
            ("auto/64", "JOB_COMPLETION_INDEX=63", "64/64"),
        ] {
            assert_eq!(found(name, variables).unwrap(), shard, "{name} {variables}");
        }
    }

    #[test]
    fn what_does_not_fit_is_refused_with_what_to_do() {
        for (name, variables, says) in [
            ("auto", "", "give I/N"),
            ("auto/4", "", "give I/N"),
            ("auto", "JOB_COMPLETION_INDEX=0", "give auto/N"),
            ("auto/4", "JOB_COMPLETION_INDEX=4", "there are 4 shards"),
            ("auto/4", "JOB_COMPLETION_INDEX=-1", "not a whole number"),
            ("auto/4", "JOB_COMPLETION_INDEX=1 S_ID=1", "both set"),
            ("auto", "S_ID=0 S_COUNT=4 S_MIN=0 S_MAX=3", "from 0 to 3 is not 1-N"),
            ("auto/4", "S_ID=0 S_COUNT=4 S_MIN=0 S_MAX=3", "--array=1-4"),
            ("auto/4", "S_ID=5", "--array=1-4"),
            ("auto", "S_ID=3 S_COUNT=2 S_MIN=3 S_MAX=7 S_STEP=4", "not 1-N"),
            ("auto", "S_ID=1 S_COUNT=4 S_MIN=1 S_MAX=7 S_STEP=2", "not 1-N"),
            ("auto", "S_ID=1 S_COUNT=4", "give auto/N"),
            ("auto", "S_ID=x S_COUNT=4", "not a whole number"),
            ("auto/0", "", "none of I/N"),
            ("auto4", "", "none of I/N"),
            ("0/4", "", "counted from 1"),
            ("5/4", "", "counted from 1"),
        ] {
            let error = found(name, variables).unwrap_err();
            assert!(error.field() == Some("shard") && error.message().contains(says), "{name} {variables}: {error}");
        }
    }
}
