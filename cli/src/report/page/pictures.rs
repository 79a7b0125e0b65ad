//! Small pictures of what the model sees, where the data of a RUN are at hand.

use std::io::Cursor;
use std::path::Path;

use image::codecs::jpeg::JpegEncoder;
use image::imageops::FilterType;
use image::{DynamicImage, GrayImage, ImageFormat, RgbImage};
use serde_json::{Value, json};
use smoothtopk::model::Layout as ModelLayout;
use smoothtopk::{Error, Result};

use super::column::{base64, whole};
use crate::data::{DataOptions, Dataset, InputSpec, Layout, Resize};
use crate::report::curve::Run;
use crate::run_dir::Manifest;

/// A picture of up to so many pixels a side is shown as it is; a larger one is made smaller.
const LARGEST_SIDE: u32 = 96;
/// Bytes of all pictures of a run: a page that opens at once.
const MOST_BYTES: usize = 24 << 20;

/// The pictures of a run's examples, those that are wrong or not certified first, as many as a page can hold.
pub struct Pictures {
    /// Of which examples of the run, by their place in it.
    places: Vec<usize>,
    /// `data:` URLs.
    urls: Vec<String>,
}

impl Pictures {
    pub fn json(&self) -> Value {
        json!({"places": whole(self.places.iter().map(|&place| place as u64)), "urls": self.urls})
    }
}

/// For each run its pictures; none for a run of other data, or whose inputs are no images.
///
/// # Errors
/// As the data's reader; `InvalidArgument` where they are the data of none of the runs.
pub fn pictures(runs: &[Run], data: &Path) -> Result<Vec<Option<Pictures>>> {
    let (mut found, mut matched) = (Vec::new(), false);
    let mut refused = None;
    for run in runs {
        let Some(manifest) = &run.manifest else {
            found.push(None);
            continue;
        };
        match open(data, manifest) {
            Ok(dataset) => {
                matched = true;
                found.push(of_run(run, manifest, &dataset)?);
            }
            Err(error) => {
                refused.get_or_insert(error);
                found.push(None);
            }
        }
    }
    match refused {
        Some(error) if !matched => Err(error),
        None if !matched => Err(Error::argument("data", "none of the RUNs is a folder, which knows its data")),
        _ => Ok(found),
    }
}

/// The data of a RUN, and no others. Of a folder each file is checked where it is read.
fn open(path: &Path, manifest: &Manifest) -> Result<Dataset> {
    let resize = match manifest.resize.as_deref() {
        Some(name) => Resize::named(name).ok_or_else(|| Error::data("resize", format!("{name:?} is not known")))?,
        None => Resize::default(),
    };
    // Without names of classes: records have the labels.
    let (input_scale, listed) = (manifest.input_scale, manifest.data_files.clone());
    let options = DataOptions { input_scale, classes_file: None, listed, resize };
    let dataset = Dataset::open(path, &options)?;
    let same = match &manifest.data_files {
        Some(files) => {
            dataset.expect(files);
            path.is_dir()
        }
        None => dataset.sha256() == manifest.data_sha256,
    };
    let wrong = || {
        let (file, sha256) = (&manifest.data_file, &manifest.data_sha256);
        let message = format!("{} is not the RUN's: give {file} (SHA-256 {sha256})", path.display());
        Error::argument("data", message)
    };
    if same { Ok(dataset) } else { Err(wrong()) }
}

fn of_run(run: &Run, manifest: &Manifest, dataset: &Dataset) -> Result<Option<Pictures>> {
    let shape = &manifest.reading.element_shape;
    let layout = match ModelLayout::of(shape) {
        ModelLayout::Nchw => Layout::Nchw,
        ModelLayout::Nhwc => Layout::Nhwc,
        ModelLayout::Flat => return Ok(None),
    };
    let spec = InputSpec { shape: shape.clone(), layout };
    let right = |place: &usize| (0..run.ks().len()).all(|i| run.row(&run.examples[*place], i).correct);
    let (last, first): (Vec<usize>, Vec<usize>) = (0..run.examples.len()).partition(right);
    let (mut found, mut bytes) = (Pictures { places: Vec::new(), urls: Vec::new() }, 0);
    for place in first.into_iter().chain(last) {
        let url = picture(&dataset.example(run.examples[place].idx, &spec)?, &spec)?;
        bytes += url.len();
        if bytes > MOST_BYTES {
            break;
        }
        found.places.push(place);
        found.urls.push(url);
    }
    Ok(Some(found))
}

/// A `data:` URL. A small picture is exact (PNG), a large one is made smaller (JPEG).
fn picture(values: &[f32], spec: &InputSpec) -> Result<String> {
    let (height, width, channels) = match (spec.layout, &spec.shape[..]) {
        (Layout::Nchw, &[channels, height, width]) | (_, &[height, width, channels]) => (height, width, channels),
        _ => return Err(Error::data("data", "an input is no image")),
    };
    // A fourth channel is opacity, which is not shown.
    let shown = if channels == 1 { 1 } else { 3 };
    let place = |pixel: usize, channel: usize| match spec.layout {
        Layout::Nchw => channel * height * width + pixel,
        _ => pixel * channels + channel,
    };
    let (low, high) = range(values);
    let byte = |value: f32| ((value - low) / (high - low) * 255.0).round().clamp(0.0, 255.0) as u8;
    let pixels: Vec<u8> = (0..height * width)
        .flat_map(|pixel| (0..shown).map(move |channel| (pixel, channel)))
        .map(|(pixel, channel)| byte(values[place(pixel, channel)]))
        .collect();
    let (width, height) = (width as u32, height as u32);
    let image = match shown {
        1 => GrayImage::from_raw(width, height, pixels).map(DynamicImage::from),
        _ => RgbImage::from_raw(width, height, pixels).map(DynamicImage::from),
    };
    let image = image.ok_or_else(|| Error::data("data", "an input has fewer elements than its shape"))?;
    let mut out = Cursor::new(Vec::new());
    let (kind, written) = if width.max(height) <= LARGEST_SIDE {
        ("png", image.write_to(&mut out, ImageFormat::Png))
    } else {
        let small = image.resize(LARGEST_SIDE, LARGEST_SIDE, FilterType::Triangle);
        ("jpeg", small.write_with_encoder(JpegEncoder::new_with_quality(&mut out, 85)))
    };
    written.map_err(|error| Error::data("data", format!("a picture: {error}")))?;
    Ok(format!("data:image/{kind};base64,{}", base64(out.get_ref())))
}

/// The values of black and white: pixels from 0 to 1, bytes, or else those of the darkest and the brightest element.
fn range(values: &[f32]) -> (f32, f32) {
    let low = values.iter().copied().fold(f32::INFINITY, f32::min);
    let high = values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    match (low, high) {
        (0.0.., ..=1.0) => (0.0, 1.0),
        (0.0.., ..=255.0) => (0.0, 255.0),
        _ if high > low => (low, high),
        _ => (low, low + 1.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(url: &str) -> DynamicImage {
        use base64::Engine;
        let text = url.split_once(";base64,").expect("base64").1;
        let bytes = base64::engine::general_purpose::STANDARD.decode(text).expect("base64");
        image::load_from_memory(&bytes).expect("an image")
    }

    #[test]
    fn a_small_picture_is_what_the_model_sees() {
        let values: Vec<f32> = (0..12).map(|i| i as f32 / 15.0).collect();
        let nchw = InputSpec { shape: vec![3, 2, 2], layout: Layout::Nchw };
        let image = decoded(&picture(&values, &nchw).expect("picture")).into_rgb8();
        assert_eq!(image.into_raw(), [0, 68, 136, 17, 85, 153, 34, 102, 170, 51, 119, 187]);
        let nhwc = InputSpec { shape: vec![2, 2, 3], layout: Layout::Nhwc };
        let image = decoded(&picture(&values, &nhwc).expect("picture")).into_rgb8();
        assert_eq!(image.into_raw(), (0..12).map(|i| i * 17).collect::<Vec<u8>>());
    }

    #[test]
    fn bytes_and_normalized_values_have_black_and_white_of_their_own() {
        assert_eq!(range(&[0.1, 0.9]), (0.0, 1.0));
        assert_eq!(range(&[0.0, 16.0]), (0.0, 255.0));
        assert_eq!(range(&[-2.0, 3.0]), (-2.0, 3.0));
        assert_eq!(range(&[300.0, 300.0]), (300.0, 301.0));
    }

    #[test]
    fn a_large_picture_is_made_smaller() {
        let spec = InputSpec { shape: vec![1, 300, 200], layout: Layout::Nchw };
        let url = picture(&vec![0.5; 60_000], &spec).expect("picture");
        assert!(url.starts_with("data:image/jpeg;base64,") && url.len() < 20_000, "{}", url.len());
        assert_eq!((decoded(&url).width(), decoded(&url).height()), (64, 96));
    }
}
