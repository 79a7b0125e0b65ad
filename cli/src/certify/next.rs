//! What can be done with a RUN that is finished.

use std::path::Path;

use clap::Args as _;
use smoothtopk::perturbation::Family;

use super::args::Args;
use crate::config;
use crate::run_dir::Manifest;
use crate::verify;

/// The next commands, as they are typed.
pub fn say(args: &Args, manifest: &Manifest) {
    let out = args.out.display().to_string();
    let beside = |what: &str| quoted(&format!("{}-{what}", out.trim_end_matches('/')));
    let run = quoted(&out);
    if let Some(shard) = manifest.shard.or(manifest.sample_shard) {
        say!("next: smoothtopk merge {run} OTHERS -o RUN    (with the RUNs of all {} shards)", shard.of());
        return;
    }
    say!("next: smoothtopk report {run} -o {}", beside("report"));
    if manifest.reading.base_k.is_some() {
        return;
    }
    if !matches!(manifest.perturbation.noise, Family::Gaussian(_)) {
        // What attacks l2 has nothing to say of other norms.
        say!("      smoothtopk radius --counts {run} --norms");
        return;
    }
    // What verify takes from the RUN itself, it need not be given.
    let mut options = args.given.options.clone();
    options.retain(|key, _| !OF_RUN.contains(&&**key));
    let (model, data) = (as_typed(&args.sampling.model), as_typed(&args.sampling.data));
    let known = verify::Args::augment_args(clap::Command::new("verify"));
    let more: String = config::typed_for(&known, &options).iter().map(|text| format!(" {}", quoted(text))).collect();
    say!("      smoothtopk verify -r {run} -m {model} -d {data}{more} --attacks 100 -o {}", beside("verify"));
}

/// Options of certify that verify has too: the RUN answers for them, they stand elsewhere, or mean something else.
const OF_RUN: [&str; 10] = ["model", "data", "n", "skip", "format", "input", "input-shape", "constant", "mean", "std"];

fn as_typed(path: &Path) -> String {
    quoted(&path.display().to_string())
}

/// As a shell reads it back.
fn quoted(text: &str) -> String {
    let plain = |letter: char| letter.is_alphanumeric() || "-_=/.,:@%+".contains(letter);
    if !text.is_empty() && text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', "'\\''"))
    }
}
