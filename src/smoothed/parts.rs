//! The answer of samples that were drawn in parts.

use std::time::Duration;

use super::pending::fixed;
use super::watcher::Judged;
use super::{Outcome, Request, Task};
use crate::counts::Counts;
use crate::{Error, Result};

/// What a task with a fixed n answers, from `counts`, the sum of all its parts
/// ([`SmoothedClassifier::submit_part`](super::SmoothedClassifier::submit_part)), and the samples that select, where it
/// has some. It is the outcome that one machine would have, bit for bit. Without a seed or key in the request, bounds
/// are not randomized.
///
/// # Errors
/// `InvalidData` when samples are missing, too many, or of another stream or task, or were looked at; `InvalidArgument`
/// as [`SmoothedClassifier::submit`](super::SmoothedClassifier::submit).
pub fn of_parts(
    counts: Counts,
    selection: Option<Counts>,
    task: Task,
    request: &Request,
    stream: u64,
    elapsed: Duration,
) -> Result<Outcome> {
    let counts = counts.whole()?;
    request.check_for(task, counts.classes(), counts.perturbation().elements)?;
    let draws = counts.draws().list(false);
    if counts.n() != request.n || draws.iter().any(|draw| draw.purpose != task.purpose() || draw.stream != stream) {
        let (name, n) = (task.name(), request.n);
        return Err(Error::data("draws", format!("are not the {n} samples of the stream {stream} of a task {name}")));
    }
    let pilot = request.pilot_samples(task);
    if selection.as_ref().map_or(0, Counts::n) != pilot {
        return Err(Error::data("selection", format!("must have {pilot} samples")));
    }
    if let Some(selection) = &selection {
        counts.check_comparable(selection).map_err(|error| error.with_field("selection"))?;
        selection.validity()?;
        selection.choose();
    }
    let counts = match request.generator.given() {
        Some(source) => counts.with_source(source),
        None => counts,
    };
    let Judged { answer, decisions, earlier, counts } = fixed(counts, selection.as_ref(), task, request)?;
    let samples_drawn = counts.n();
    let (answer, request) = (Ok(answer), request.clone());
    Ok(Outcome {
        answer,
        decisions,
        early_stop: None,
        counts,
        earlier,
        samples_drawn,
        selection,
        elapsed,
        request,
        stream,
        task,
    })
}
