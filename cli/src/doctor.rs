//! `smoothtopk doctor`

use std::path::PathBuf;

use serde::Serialize;
use smoothtopk::Result;
use smoothtopk::model::{ProviderStatus, Runtime};

use crate::format::{Format, print_json};
use crate::stdout;

/// Show which ONNX Runtime is found, where it is looked for, and on which devices it runs
#[derive(clap::Args)]
pub struct Args {
    /// ONNX Runtime's library, or the folder that holds it
    #[arg(long, value_name = "PATH")]
    onnxruntime: Option<PathBuf>,

    /// How it is printed
    #[arg(long, short, value_enum, default_value_t)]
    format: Format,
}

/// What was found.
#[derive(Serialize)]
struct Found {
    version: &'static str,
    processor: &'static str,
    features: Vec<&'static str>,
    /// Null where the system does not say.
    threads: Option<usize>,
    search: Vec<Looked>,
    /// Null where none was found.
    onnxruntime: Option<Loaded>,
    providers: Vec<ProviderFound>,
}

/// A place where ONNX Runtime was looked for.
#[derive(Serialize)]
struct Looked {
    source: String,
    path: Option<PathBuf>,
    outcome: String,
}

#[derive(Serialize)]
struct Loaded {
    version: String,
    path: PathBuf,
    build: String,
}

#[derive(Serialize)]
struct ProviderFound {
    provider: String,
    works: bool,
    error: Option<String>,
    built_in: bool,
    /// Null where it needs none.
    library: Option<PathBuf>,
    library_is_there: Option<bool>,
}

pub fn run(args: Args) -> Result<()> {
    let given = args.onnxruntime.as_deref();
    let looked = Runtime::search(given).into_iter().map(|place| Looked {
        source: place.source.to_string(),
        path: place.path,
        outcome: place.outcome.to_string(),
    });
    let loaded = Runtime::load(given);
    let runtime = loaded.as_ref().ok();
    let found = Found {
        version: smoothtopk::VERSION,
        processor: std::env::consts::ARCH,
        features: features(),
        threads: std::thread::available_parallelism().ok().map(usize::from),
        search: looked.collect(),
        onnxruntime: runtime.map(|runtime| Loaded {
            version: runtime.version().to_owned(),
            path: runtime.path().to_owned(),
            build: runtime.build_info().to_owned(),
        }),
        providers: runtime.map_or_else(Vec::new, |runtime| runtime.providers().iter().map(provider).collect()),
    };
    match args.format {
        Format::Json => print_json(&found)?,
        Format::Text => stdout::print(&text(&found))?,
    }
    loaded.map(|_| ())
}

fn provider(status: &ProviderStatus) -> ProviderFound {
    let (library, there) = status.library.clone().unzip();
    ProviderFound {
        provider: status.provider.to_string(),
        works: status.error.is_none(),
        error: status.error.clone(),
        built_in: status.built_in,
        library,
        library_is_there: there,
    }
}

fn text(found: &Found) -> String {
    let threads = found.threads.map_or_else(|| "not known".to_owned(), |threads| threads.to_string());
    let mut lines = vec![format!("smoothtopk {}", found.version)];
    lines.push(format!("processor: {}, usable threads: {threads}", found.processor));
    lines.push(format!("  features: {}", found.features.join(" ")));
    lines.push("\nONNX Runtime, in the order of the search:".into());
    for Looked { source, path, outcome } in &found.search {
        let path = path.as_ref().map(|path| format!(" {}:", path.display())).unwrap_or_default();
        lines.push(format!("  {source}:{path} {outcome}"));
    }
    if let Some(Loaded { version, path, build }) = &found.onnxruntime {
        lines.push(format!("\nONNX Runtime {version} from {}", path.display()));
        lines.push(format!("  {build}"));
        lines.push("\nProviders:".into());
        lines.extend(found.providers.iter().flat_map(provider_lines));
    }
    lines.join("\n") + "\n"
}

fn provider_lines(found: &ProviderFound) -> Vec<String> {
    let mut lines = vec![match &found.error {
        None => format!("  {}: works", found.provider),
        Some(error) => format!("  {}: cannot be used: {error}", found.provider),
    }];
    let yes = |is: bool, yes: &'static str, no: &'static str| if is { yes } else { no };
    if let (Some(file), Some(there)) = (&found.library, found.library_is_there) {
        lines.push(format!("    built into this ONNX Runtime: {}", yes(found.built_in, "yes", "no")));
        lines.push(format!("    its library {}: {}", file.display(), yes(there, "there", "not there")));
    }
    lines
}

#[cfg(target_arch = "x86_64")]
fn features() -> Vec<&'static str> {
    macro_rules! found {
        ($($name:tt)*) => {
            [$(($name, std::arch::is_x86_feature_detected!($name))),*]
        };
    }
    let known = found!["sse4.2" "avx" "avx2" "fma" "f16c" "avx512f" "avx512bw" "avx512vnni" "avx512bf16" "avx512fp16"];
    known.into_iter().filter_map(|(name, there)| there.then_some(name)).collect()
}

#[cfg(target_arch = "aarch64")]
fn features() -> Vec<&'static str> {
    macro_rules! found {
        ($($name:tt)*) => {
            [$(($name, std::arch::is_aarch64_feature_detected!($name))),*]
        };
    }
    let known = found!["neon" "fp16" "dotprod" "bf16" "i8mm" "sve" "sve2"];
    known.into_iter().filter_map(|(name, there)| there.then_some(name)).collect()
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
fn features() -> Vec<&'static str> {
    Vec::new()
}
