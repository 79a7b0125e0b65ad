//! TensorRT's engine for one model: the shapes it is built for, and where it is kept. Sessions with one, and without.

use super::file::ModelFile;
use super::options::{ModelOptions, Provider};
use super::resolve::{self, IoMapping};
use super::runtime::Runtime;
use super::session::{self, Opened};
use super::signature::BatchDim;
use crate::{Error, Result};

/// A session, and the rows to which TensorRT's engine fixes its batch.
pub(super) fn open(file: &ModelFile, options: &ModelOptions) -> Result<(Opened, Option<usize>)> {
    let runtime = Runtime::load(options.runtime.as_deref())?;
    if !matches!(options.provider, Provider::TensorRt { .. }) {
        return Ok((session::open(runtime, file, options, &[])?, None));
    }
    let profile = match options.tensorrt.batch {
        None => None,
        // The shapes that the engine is built for must be told before the session is there to be asked.
        Some(rows) => {
            let mapping = resolve::resolve(&session::open(runtime, file, &options.on_cpu(), &[])?.interface, options)?;
            Some(profile(&mapping, rows)?)
        }
    };
    let settings = settings(options, &file.sha256, runtime.version(), profile.as_deref())?;
    Ok((session::open(runtime, file, options, &settings)?, options.tensorrt.batch))
}

/// The shapes of all inputs that leave the batch open, as TensorRT's provider reads them: `x:64x3x32x32,y:64x1`.
fn profile(mapping: &IoMapping, rows: usize) -> Result<String> {
    if let BatchDim::Fixed(fixed) = mapping.batch
        && fixed != rows
    {
        return Err(Error::argument("tensorrt.batch", format!("the model's batch is fixed at {fixed}, not {rows}")));
    }
    let shape = |name: &str, dims: &[usize]| {
        let dims = dims.iter().map(ToString::to_string).collect::<Vec<_>>();
        format!("{name}:{}", dims.join("x"))
    };
    let mut shapes = vec![shape(&mapping.input, &[&[rows], &mapping.element_shape[..]].concat())];
    let per_row = mapping.constants.iter().filter(|constant| constant.batch_axis.is_some());
    shapes.extend(per_row.map(|constant| shape(&constant.name, &constant.shape_for(rows))));
    Ok(shapes.join(","))
}

/// What TensorRT's provider is told of this model. The folder of the caches names all that an engine depends on and the
/// provider does not check itself.
fn settings(
    options: &ModelOptions,
    sha256: &str,
    version: &str,
    profile: Option<&str>,
) -> Result<Vec<(String, String)>> {
    let mut settings = Vec::new();
    let mut set = |key: &str, value: &str| settings.push((key.to_owned(), value.to_owned()));
    if let Some(profile) = profile {
        for key in ["trt_profile_min_shapes", "trt_profile_opt_shapes", "trt_profile_max_shapes"] {
            set(key, profile);
        }
    }
    if options.cuda.graph {
        set("trt_cuda_graph_enable", "1");
    }
    if let Some(cache) = &options.tensorrt.cache {
        let device = options.stream.as_ref().and_then(|stream| stream.0.device_name());
        let device = device.unwrap_or_else(|| options.provider.to_string());
        let device = device.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect::<String>();
        let rows = options.tensorrt.batch.map_or_else(|| "any".to_owned(), |rows| rows.to_string());
        let mut built = format!("onnxruntime-{version}_{device}_batch-{rows}");
        for (used, name) in [(options.tensorrt.fp16, "_fp16"), (options.tensorrt.bf16, "_bf16")] {
            built.push_str(if used { name } else { "" });
        }
        let folder = cache.join(sha256).join(built);
        std::fs::create_dir_all(&folder).map_err(|error| Error::io(&folder, &error))?;
        let text =
            folder.to_str().ok_or_else(|| Error::argument("tensorrt.cache", "the folder's path is not UTF-8"))?;
        for (enable, path) in
            [("trt_engine_cache_enable", "trt_engine_cache_path"), ("trt_timing_cache_enable", "trt_timing_cache_path")]
        {
            set(enable, "1");
            set(path, text);
        }
    }
    Ok(settings)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Constant, Dim, ElementType, Interface, TensorRtOptions, ValueInfo, ValueKind};

    #[test]
    fn the_profile_names_every_input_that_leaves_the_batch_open() {
        let tensor = |name: &str, element, dims: &[Option<usize>]| {
            let dim = |size: &Option<usize>| size.map_or(Dim::Dynamic("N".into()), Dim::Fixed);
            let kind = ValueKind::Tensor { element, shape: dims.iter().map(dim).collect() };
            ValueInfo { name: name.into(), kind }
        };
        let interface = |batch| Interface {
            inputs: vec![
                tensor("x", ElementType::Float32, &[batch, Some(3), Some(8), Some(8)]),
                tensor("offsets", ElementType::Float32, &[batch, Some(2)]),
                tensor("scale", ElementType::Float32, &[Some(1)]),
            ],
            outputs: vec![tensor("y", ElementType::Float32, &[batch, Some(10)])],
        };
        let constant = |name: &str| Constant { name: name.into(), values: vec![0.5] };
        let options = ModelOptions {
            input: Some("x".into()),
            constants: vec![constant("offsets"), constant("scale")],
            ..ModelOptions::default()
        };
        let mapping = |batch| resolve::resolve(&interface(batch), &options).unwrap();
        assert_eq!(profile(&mapping(None), 64).unwrap(), "x:64x3x8x8,offsets:64x2");
        assert_eq!(profile(&mapping(Some(4)), 64).unwrap_err().field(), Some("tensorrt.batch"));
    }

    #[test]
    fn an_engine_lies_where_nothing_else_is_taken_for_it() {
        let folder = tempfile::tempdir().unwrap();
        let options = |fp16, batch| ModelOptions {
            provider: Provider::TensorRt { device: 1 },
            tensorrt: TensorRtOptions { fp16, batch, cache: Some(folder.path().into()), ..TensorRtOptions::default() },
            ..ModelOptions::default()
        };
        let path = |options: &ModelOptions, sha256| {
            let settings = settings(options, sha256, "1.31.1", None).unwrap();
            settings.into_iter().find(|(key, _)| key == "trt_engine_cache_path").unwrap().1
        };
        let first = path(&options(false, Some(64)), "ab");
        assert!(std::path::Path::new(&first).is_dir());
        assert!(first.ends_with("ab/onnxruntime-1.31.1_tensorrt-1_batch-64"), "{first}");
        for other in [
            path(&options(true, Some(64)), "ab"),
            path(&options(false, None), "ab"),
            path(&options(false, Some(64)), "cd"),
        ] {
            assert_ne!(first, other);
        }
    }
}
