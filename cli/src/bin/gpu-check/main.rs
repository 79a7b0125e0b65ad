//! Checks and measures the device path where there is a GPU, and the rest where there is none.
//!
//!     gpu-check [--models FOLDER] [--device N] [--quick]
//!
//! Exit status: 0 when every check passed, 1 when one failed, 2 when there is no GPU and those that need none passed.

mod benches;
mod checks;
mod report;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use smoothtopk::model::{CudaOptions, ModelOptions};
use smoothtopk::sampler::cuda::{CudaClassifier, KernelSource};

use report::{Outcome, Report};

struct Arguments {
    models: PathBuf,
    device: u32,
    quick: bool,
}

const USAGE: &str = "usage: gpu-check [--models FOLDER] [--device N] [--quick]";

fn arguments() -> Result<Arguments, String> {
    let mut found = Arguments { models: PathBuf::from("models"), device: 0, quick: false };
    let mut given = std::env::args().skip(1);
    while let Some(argument) = given.next() {
        let mut value = || given.next().ok_or_else(|| format!("{argument} takes a value; {USAGE}"));
        match argument.as_str() {
            "--models" => found.models = value()?.into(),
            "--device" => found.device = value()?.parse().map_err(|_| format!("--device takes a number; {USAGE}"))?,
            "--quick" => found.quick = true,
            _ => return Err(format!("{argument} is not known; {USAGE}")),
        }
    }
    Ok(found)
}

/// The folder's models, smallest first: the first is the one for checks that any model serves.
fn models(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let entries = folder.read_dir().map_err(|error| format!("{}: {error}", folder.display()))?;
    let is_model = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "onnx");
    let mut found = entries.flatten().map(|entry| entry.path()).filter(is_model).collect::<Vec<_>>();
    found.sort_by_key(|path| (path.metadata().map_or(u64::MAX, |metadata| metadata.len()), path.clone()));
    if found.is_empty() { Err(format!("{} holds no .onnx file", folder.display())) } else { Ok(found) }
}

fn main() -> ExitCode {
    let run = arguments().and_then(|arguments| Ok((models(&arguments.models)?, arguments)));
    let (models, arguments) = match run {
        Ok(run) => run,
        Err(message) => {
            eprintln!("gpu-check: {message}");
            return ExitCode::from(64);
        }
    };
    let mut report = Report::default();
    check_without_gpu(&mut report, &models[0]);
    let devices = CudaClassifier::device_count();
    let mut figures = Vec::new();
    if devices > 0 {
        check_on_gpu(&mut report, &models, &arguments, devices);
        // Also where a check failed: time on such a machine is short, and what is wrong need not be what is measured.
        figures = measure(&mut report, &models, &arguments);
    }
    println!("\n{}", report.table());
    if !figures.is_empty() {
        println!("{}\n{}", benches::head(), figures.join("\n"));
    }
    match (report.has_failed(), devices) {
        (true, _) => ExitCode::from(1),
        (false, 0) => {
            println!("There is no GPU here (or no driver: libcuda.so.1): what needs one was not checked.");
            ExitCode::from(2)
        }
        (false, _) => ExitCode::SUCCESS,
    }
}

fn check_without_gpu(report: &mut Report, model: &Path) {
    report.check("ONNX Runtime", checks::runtime);
    for provider in ["cuda:0", "tensorrt:0"] {
        report.check(format!("strict {provider}"), || checks::strict(model, provider));
        report.check(format!("fallback from {provider}"), || checks::falls_back_when_asked(model, provider));
    }
}

fn check_on_gpu(report: &mut Report, models: &[PathBuf], arguments: &Arguments, devices: usize) {
    let device = arguments.device;
    for model in models {
        let name = name(model);
        report.check(format!("bits of rows, {name}"), || checks::bits(model, device, KernelSource::Embedded));
        let rows = if arguments.quick { 1000 } else { 4000 };
        report.check(format!("counts, {name}"), || checks::same_counts(model, &checks::cuda(device), &[device], rows));
    }
    let model = &models[0];
    report.check("bits of rows, kernels by NVRTC", || checks::bits(model, device, KernelSource::Nvrtc));
    report.check("counts with a CUDA graph", || checks::same_counts(model, &checks::graph(device), &[device], 4000));
    report.check("counts in every batch", || checks::same_in_every_batch(model, device, 20_000));
    report.check("looks", || checks::looks(model, device));
    report.check("short memory", || checks::short_memory(models.get(1).unwrap_or(model), device));
    report.check("stopping", || checks::stops(model, device));
    report.check("several devices", || match devices {
        0 | 1 => Ok(Outcome::Skipped("there is one".into())),
        _ => {
            let all = (0..devices as u32).collect::<Vec<_>>();
            checks::same_counts(model, &checks::cuda(0), &all, 20_000)
        }
    });
}

fn measure(report: &mut Report, models: &[PathBuf], arguments: &Arguments) -> Vec<String> {
    let turn = if arguments.quick { Duration::from_millis(300) } else { Duration::from_secs(1) };
    let float32 = checks::cuda(arguments.device);
    let tf32 = ModelOptions { cuda: CudaOptions { tf32: true, ..CudaOptions::default() }, ..float32.clone() };
    let variants = [("", float32), (" tf32", tf32), (" graph", checks::graph(arguments.device))];
    let mut lines = Vec::new();
    for model in models {
        for (variant, options) in &variants {
            let name = format!("{}{variant}", name(model));
            report.check(format!("speed, {name}"), || {
                let figures = benches::measure(model, options, arguments.device, turn)?;
                lines.push(benches::line(&name, &figures));
                Ok(Outcome::Passed(format!("{:.3} of the model alone", figures.ratio[0])))
            });
        }
    }
    lines
}

fn name(model: &Path) -> String {
    model.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}
