//! The record of an example whose samples were drawn in parts.

use std::time::Duration;

use smoothtopk::counts::Counts;
use smoothtopk::noise::Source;
use smoothtopk::record::{LabelSource, Record};
use smoothtopk::smoothed::{Generator, NoiseMode, Request, Task, of_parts};
use smoothtopk::{Error, Result};

use crate::run_dir::{Entry, Manifest, Proof};

/// What makes the records of whole examples.
pub struct Whole<'a> {
    manifest: &'a Manifest,
    /// That all parts were drawn for.
    request: Request,
}

impl<'a> Whole<'a> {
    /// For the RUN of a manifest; `source` is its seed or key, where it is known.
    pub fn of(manifest: &'a Manifest, source: Option<Source>) -> Result<Self> {
        let asked = &manifest.request;
        let generator = source.map_or_else(Generator::default, Generator::from);
        if asked.randomized && source.is_none() {
            let message =
                "randomized bounds need the seed or key, and no shard holds it: restore the file in one of them";
            return Err(Error::argument("seed", message));
        }
        if manifest.program_version != smoothtopk::VERSION {
            let version = &manifest.program_version;
            let message = format!("{version} drew these samples: certify them by the same version of smoothtopk");
            return Err(Error::argument("program_version", message));
        }
        let request = Request {
            k: asked.k.clone(),
            n: asked.n,
            n0: asked.n0,
            alpha: asked.alpha,
            rule: asked.rule.parse()?,
            allocation: asked.allocation.parse()?,
            randomized: asked.randomized,
            generator,
            input_max: asked.input_max,
            // How the noise is made is known to the counts.
            mode: NoiseMode::Grid,
            ..Request::new(manifest.perturbation.noise)
        };
        Ok(Self { manifest, request })
    }

    /// The record of an example, from those of all parts.
    pub fn record(&self, parts: &[Entry]) -> Result<Entry> {
        let Self { manifest, request } = self;
        let mut first =
            parts.first().map(|part| part.record.clone()).ok_or_else(|| Error::data("parts", "are missing"))?;
        for part in parts {
            let (ours, theirs) = (&first, &part.record);
            let differs = [
                ("status", theirs.status != "PART"),
                ("true_label", ours.true_label != theirs.true_label),
                ("file", ours.file != theirs.file),
                ("task", ours.task != theirs.task),
                ("model", ours.model != theirs.model),
            ];
            if let Some((field, _)) = differs.into_iter().find(|(_, differs)| *differs) {
                return Err(Error::data(field, "is not the same in all parts, or of none: a record was altered"));
            }
        }
        let task = match (manifest.guarantee, manifest.label_source, first.true_label) {
            (true, ..) => Task::CertifyAnswer,
            (false, LabelSource::Given, Some(label)) => Task::Certify(label),
            _ => Task::CertifySelected,
        };
        let mut selections = parts.iter().filter_map(|part| part.record.selection.clone());
        let (selection, second) = (selections.next().map(Counts::try_from).transpose()?, selections.next());
        if second.is_some() {
            return Err(Error::data("selection", "is in two parts: only the one with sample 0 selects"));
        }
        let counts = Counts::sum(parts.iter().map(|part| &part.counts))?;
        let seconds = parts.iter().map(|part| part.record.seconds).sum();
        let elapsed = Duration::try_from_secs_f64(seconds).unwrap_or_default();
        let stream = first.index.unwrap_or_default() as u64;
        let outcome = of_parts(counts, selection, task, request, stream, elapsed)?;
        let mut record = Record::of(&outcome, first.model.as_ref(), false);
        (record.index, record.true_label, record.file) = (first.index, first.true_label, first.file.take());
        Entry::of(record, 0, manifest, Proof::Waived)
    }
}
