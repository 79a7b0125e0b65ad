//! `smoothtopk doctor`

use std::path::PathBuf;

use smoothtopk::Result;
use smoothtopk::model::{ProviderStatus, Runtime};

use crate::stdout;

/// Which ONNX Runtime was found, where it was looked for, and which providers load
#[derive(clap::Args)]
pub struct Args {
    /// ONNX Runtime's library, or the folder that holds it
    #[arg(long, value_name = "PATH")]
    onnxruntime: Option<PathBuf>,
}

pub fn run(args: Args) -> Result<()> {
    let given = args.onnxruntime.as_deref();
    let mut lines = vec![format!("smoothtopk {}", smoothtopk::VERSION)];
    let threads =
        std::thread::available_parallelism().map_or_else(|error| error.to_string(), |count| count.to_string());
    lines.push(format!("processor: {}, usable threads: {threads}", std::env::consts::ARCH));
    lines.push(format!("  features: {}", features().join(" ")));
    lines.push("\nONNX Runtime, in the order of the search:".into());
    for place in Runtime::search(given) {
        let path = place.path.map(|path| format!(" {}:", path.display())).unwrap_or_default();
        lines.push(format!("  {}:{path} {}", place.source, place.outcome));
    }
    let loaded = Runtime::load(given);
    if let Ok(runtime) = &loaded {
        lines.push(format!("\nONNX Runtime {} from {}", runtime.version(), runtime.path().display()));
        lines.push(format!("  {}", runtime.build_info()));
        lines.push("\nProviders:".into());
        lines.extend(runtime.providers().iter().flat_map(provider_lines));
    }
    stdout::print(&(lines.join("\n") + "\n"))?;
    loaded.map(|_| ())
}

fn provider_lines(status: &ProviderStatus) -> Vec<String> {
    let mut lines = vec![match &status.error {
        None => format!("  {}: works", status.provider),
        Some(error) => format!("  {}: cannot be used: {error}", status.provider),
    }];
    if let Some((file, is_there)) = &status.library {
        lines.push(format!("    built into this ONNX Runtime: {}", if status.built_in { "yes" } else { "no" }));
        lines.push(format!("    its library {}: {}", file.display(), if *is_there { "there" } else { "not there" }));
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
