//! What is certified about every example, and how.

use std::collections::BTreeSet;

use smoothtopk::certificate::stop::Rule;
use smoothtopk::model::Reading;
use smoothtopk::record::LabelSource;
use smoothtopk::smoothed::{Generator, Request, Task};
use smoothtopk::{Error, Result};

use super::args::Args;
use super::budget::{self, Statements};
use super::label_sets;
use crate::run_dir::{Manifest, Shard};
use crate::sampling::Sampling;

/// What is certified about every example, and how.
pub struct Plan {
    pub request: Request,
    pub label_source: LabelSource,
    /// The examples that are certified, where not all are.
    pub shard: Option<Shard>,
    /// The samples that are drawn, where not all are.
    pub sample_shard: Option<Shard>,
    guarantee: bool,
    /// Whether sets of true labels are certified.
    gives_sets: bool,
}

impl Plan {
    pub fn of(args: &Args, sampling: &Sampling) -> Result<Self> {
        let given = !args.guarantee && !args.select && sampling.data.has_labels();
        // Of enumerated rows nothing is left to chance: all of them choose, and certify.
        let by_the_same = sampling.family.is_enumerated() || args.guarantee && args.n0 == 0;
        let label_source = match (given, by_the_same) {
            (true, _) => LabelSource::Given,
            (false, true) => LabelSource::SameCounts,
            (false, false) => LabelSource::Selected,
        };
        let gives_sets = matches!(sampling.model.signature().reading, Reading::Sets { .. });
        if gives_sets {
            label_sets::check(args, sampling)?;
        }
        if args.guarantee && args.allocation.is_some() {
            let message = "the guarantees for an answer split alpha in ways of their own: leave --allocation out";
            return Err(Error::argument("allocation", message));
        }
        if args.n0 == 0 && label_source == LabelSource::Selected {
            return Err(Error::argument("n0", "must be at least 1 where samples choose the labels"));
        }
        let [shard, sample_shard] =
            [(args.shard, "shard"), (args.sample_shard, "sample-shard")].map(|(name, field)| {
                let shard = name.map(|name| name.shard(|name| std::env::var(name).ok())).transpose();
                shard.map_err(|error| error.with_field(field))
            });
        let (shard, sample_shard) = (shard?, sample_shard?);
        let generator = generator(args, sampling.family.is_enumerated())?;
        let mut request = sampling.request(generator)?;
        request.n0 = args.n0;
        request.rule = args.rule;
        request.randomized = args.randomized;
        request.allocation = args.allocation.clone().unwrap_or_default();
        if let Some(total) = args.alpha_total {
            let classes = sampling.model.signature().classes;
            let of = Statements::of(sampling.examples.len(), &request.k, classes, args.guarantee, &args.rule);
            request.alpha = budget::share(total, of.all)?;
        }
        check_sample_shard(sample_shard, &request)?;
        if gives_sets {
            request.n0 = 0;
        }
        Ok(Self { request, label_source, shard, sample_shard, guarantee: args.guarantee, gives_sets })
    }

    /// The examples of this shard.
    pub fn examples(&self, sampling: &Sampling) -> Vec<usize> {
        let own = |place: usize| self.shard.is_none_or(|shard| shard.has(place));
        (0..).zip(&sampling.examples).filter(|(place, _)| own(*place)).map(|(_, index)| *index).collect()
    }

    pub fn task(&self, sampling: &Sampling, index: usize) -> Task {
        if self.gives_sets {
            return Task::Count;
        }
        match (self.guarantee, self.label_source, sampling.data.label(index)) {
            (true, ..) => Task::CertifyAnswer,
            (false, LabelSource::Given, Some(label)) => Task::Certify(label),
            _ => Task::CertifySelected,
        }
    }

    /// Refuses what cannot be asked of some example.
    pub fn check(&self, sampling: &Sampling) -> Result<()> {
        let signature = sampling.model.signature();
        let tasks = sampling.examples.iter().map(|&index| self.task(sampling, index));
        // An allocation may name rivals, and a label cannot be a rival of itself.
        let labels: BTreeSet<Option<usize>> = tasks.clone().map(label_of).collect();
        let of_label = |&label: &Option<usize>| tasks.clone().find(|&task| label_of(task) == label);
        for task in labels.iter().filter_map(of_label) {
            self.request.check_for(task, signature.classes, signature.elements)?;
        }
        if self.gives_sets {
            label_sets::check_all(&self.request, sampling)?;
        }
        sampling.check(&self.request)
    }
}

/// The generator as given; a RUN that is resumed keeps its seed or key. Shards have it given: each would draw its own.
fn generator(args: &Args, enumerated: bool) -> Result<Generator> {
    let given = args.sampling.noise_args.generator()?;
    let missing = match given {
        Generator::Philox { seed: None } => "seed",
        Generator::ChaCha12 { key: None } => "key",
        _ => return Ok(given),
    };
    if !enumerated && (args.shard.is_some() || args.sample_shard.is_some()) {
        let message = format!("all shards of a RUN share one: give each the same --{missing}");
        return Err(Error::argument(missing, message));
    }
    let Some(manifest) = Manifest::of_run(&args.out)? else { return Ok(given) };
    // Another generator is refused when the manifests are compared.
    if given.source()?.name() == manifest.generator { Ok(manifest.source(&args.out)?.into()) } else { Ok(given) }
}

/// Refuses samples that cannot be split.
pub fn check_sample_shard(shard: Option<Shard>, request: &Request) -> Result<()> {
    let Some(shard) = shard else { return Ok(()) };
    let refuse = |message: String| Err(Error::argument("sample-shard", message));
    if request.rule != Rule::Fixed {
        let rule = request.rule;
        return refuse(format!(
            "under the rule {rule} the counts of all samples so far decide when an example has enough, and no part of them has \
             these: leave --rule out, or split the examples by --shard"
        ));
    }
    if request.family.is_enumerated() {
        return refuse(format!("{} classifies all of its rows at once: split the examples by --shard", request.family));
    }
    if shard.of() as u64 > request.n {
        return refuse(format!("there are {} samples of an example, and {} parts", request.n, shard.of()));
    }
    Ok(())
}

fn label_of(task: Task) -> Option<usize> {
    match task {
        Task::Certify(label) => Some(label),
        _ => None,
    }
}
