//! A folder of PNG and JPEG images, with a folder per class or with none.

use std::ffi::OsString;
use std::fs::File;
use std::path::{Path, PathBuf};

use image::imageops::{self, FilterType};
use image::{DynamicImage, ImageReader};
use sha2::{Digest, Sha256};
use smoothtopk::{Error, Result};

use super::fit::image_size;
use super::hash::{hash, hex};
use super::options::{DataOptions, InputSpec, Layout, Resize};

/// Suffixes that are read, and those of images that are not: a data set that mixes them is refused, not thinned out.
const READ: [&str; 3] = ["png", "jpg", "jpeg"];
const OTHER_IMAGES: [&str; 8] = ["webp", "gif", "bmp", "tif", "tiff", "ppm", "pgm", "avif"];

/// How much longer than the model's the longer side of a resized image may be, so that none takes all memory.
const MAX_ASPECT: u32 = 100;

/// Images in the order of their names, decoded when asked for.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    /// `CLASS/file` or `file`, below `path`.
    files: Vec<PathBuf>,
    classes_file: Option<PathBuf>,
    resize: Resize,
}

impl Folder {
    /// Lists the images, and gives their labels when they lie in class folders. Hidden files and files that are no
    /// images are passed over.
    pub fn open(path: &Path, options: &DataOptions) -> Result<(Self, Option<Vec<usize>>)> {
        let (classes, top) = list(path)?;
        let names = options.classes_file.as_deref().map(read_classes).transpose()?;
        let (mut files, mut labels) = (Vec::new(), Vec::new());
        for (position, class) in classes.iter().enumerate() {
            let folder = path.join(class);
            let (below, images) = list(&folder)?;
            if let Some(below) = below.first() {
                let below = folder.join(below);
                return Err(Error::data(
                    "data",
                    format!("{} is a folder in a class folder; the layout is CLASS/file", below.display()),
                ));
            }
            let label = match &names {
                None => position,
                Some(names) => names.iter().position(|name| class == name.as_str()).ok_or_else(|| {
                    Error::data(
                        "classes",
                        format!("the class folder {} is not named in the classes file", class.display()),
                    )
                })?,
            };
            labels.extend(images.iter().map(|_| label));
            files.extend(images.iter().map(|image| Path::new(class).join(image)));
        }
        let folder = |files| Self {
            path: path.to_path_buf(),
            files,
            classes_file: options.classes_file.clone(),
            resize: options.resize,
        };
        if top.is_empty() {
            return Ok((folder(files), Some(labels)));
        }
        if let Some(class) = files.first() {
            return Err(Error::data(
                "data",
                format!(
                    "{} holds images both beside and in class folders ({} and {}); keep one of the two",
                    path.display(),
                    top[0].display(),
                    class.display()
                ),
            ));
        }
        if names.is_some() {
            return Err(Error::argument("classes", "a classes file needs class folders, but the images lie in none"));
        }
        Ok((folder(top.into_iter().map(PathBuf::from).collect()), None))
    }

    pub fn len(&self) -> usize {
        self.files.len()
    }

    pub fn resize(&self) -> Resize {
        self.resize
    }

    /// The file's name below the folder, with `/` on every system.
    pub fn name(&self, i: usize) -> String {
        let parts: Vec<_> = self.files[i].iter().map(|part| part.to_string_lossy()).collect();
        parts.join("/")
    }

    /// Image `i` as 8-bit pixels of the model's size, divided by `scale`: RGB, or luma (Rec. 709) for a model with one
    /// channel. Alpha is dropped; orientation tags and colour profiles are not applied, as the field's loaders do.
    pub fn example(&self, i: usize, spec: &InputSpec, scale: f64) -> Result<Vec<f32>> {
        let (channels, height, width) = image_size(spec)?;
        let path = self.path.join(&self.files[i]);
        let image = ImageReader::open(&path)
            .and_then(ImageReader::with_guessed_format)
            .map_err(|error| Error::io(&path, &error))?
            .decode()
            .map_err(|error| Error::data("data", format!("{}: {error}", path.display())))?;
        // Colours first, so that the resize rounds to 8 bits once, in what the model sees.
        let image: DynamicImage = if channels == 1 { image.into_luma8().into() } else { image.into_rgb8().into() };
        let pixels = sized(image, width as u32, height as u32, self.resize)
            .ok_or_else(|| Error::data("data", format!("{}: too long and thin for a centre crop", path.display())))?
            .into_bytes();
        let value = |byte: u8| (f64::from(byte) / scale) as f32;
        let out: Vec<f32> = match spec.layout {
            Layout::Nchw => (0..channels)
                .flat_map(|channel| pixels.iter().skip(channel).step_by(channels).map(|&byte| value(byte)))
                .collect(),
            _ => pixels.iter().map(|&byte| value(byte)).collect(),
        };
        if out.iter().all(|value| value.is_finite()) {
            Ok(out)
        } else {
            Err(Error::argument("input-scale", format!("{scale} takes pixels beyond 32-bit numbers")))
        }
    }

    /// See [`super::Dataset::sha256`].
    pub fn sha256(&self) -> Result<String> {
        let mut hasher = Sha256::new();
        let digest = |path: &Path| {
            File::open(path).and_then(|mut file| hash(&mut file)).map_err(|error| Error::io(path, &error))
        };
        for (i, file) in self.files.iter().enumerate() {
            hasher.update(format!("{}  {}\n", digest(&self.path.join(file))?, self.name(i)));
        }
        if let Some(classes) = &self.classes_file {
            hasher.update(format!("{}  -classes\n", digest(classes)?));
        }
        Ok(hex(&hasher.finalize()))
    }
}

/// An image brought to `width` x `height`; none when the resize before the crop would be out of all proportion.
fn sized(image: DynamicImage, width: u32, height: u32, resize: Resize) -> Option<DynamicImage> {
    let (from_width, from_height) = (image.width(), image.height());
    let (covers_width, covers_height) = match resize {
        Resize::Exact => (width, height),
        Resize::Crop => cover((from_width, from_height), (width, height), 1.0),
        Resize::Imagenet => cover((from_width, from_height), (width, height), 256.0 / 224.0),
    };
    if covers_width / width > MAX_ASPECT || covers_height / height > MAX_ASPECT {
        return None;
    }
    let image = if (from_width, from_height) == (covers_width, covers_height) {
        image
    } else {
        match image {
            DynamicImage::ImageLuma8(grey) => {
                imageops::resize(&grey, covers_width, covers_height, FilterType::Triangle).into()
            }
            other => imageops::resize(&other.into_rgb8(), covers_width, covers_height, FilterType::Triangle).into(),
        }
    };
    // Half a pixel goes to the even side, as Python's round has it in torchvision's CenterCrop.
    let offset = |whole: u32, part: u32| (f64::from(whole - part) / 2.0).round_ties_even() as u32;
    let (x, y) = (offset(covers_width, width), offset(covers_height, height));
    if (covers_width, covers_height) == (width, height) {
        Some(image)
    } else {
        Some(image.crop_imm(x, y, width, height))
    }
}

/// The size with the aspect of `from` whose tighter side is `to` times `margin`; neither side is below `to`.
fn cover(from: (u32, u32), to: (u32, u32), margin: f64) -> (u32, u32) {
    let target = |side: u32| (f64::from(side) * margin).floor();
    let scale = (target(to.0) / f64::from(from.0)).max(target(to.1) / f64::from(from.1));
    // The tighter side is exact up to the product's rounding, the other one cut as torchvision's Resize cuts it.
    let side = |from: u32, to: u32| ((f64::from(from) * scale + 1e-6).floor() as u32).max(to);
    (side(from.0, to.0), side(from.1, to.1))
}

/// The folders and the images in a folder, each sorted by name, without hidden ones.
fn list(path: &Path) -> Result<(Vec<OsString>, Vec<OsString>)> {
    let (mut folders, mut images) = (Vec::new(), Vec::new());
    let entries = std::fs::read_dir(path).map_err(|error| Error::io(path, &error))?;
    for entry in entries {
        let entry = entry.map_err(|error| Error::io(path, &error))?;
        let name = entry.file_name();
        if name.as_encoded_bytes().starts_with(b".") {
            continue;
        }
        // Follows links, which data sets are often made of.
        let metadata = std::fs::metadata(entry.path()).map_err(|error| Error::io(&entry.path(), &error))?;
        let suffix = Path::new(&name).extension().map(|suffix| suffix.to_string_lossy().to_ascii_lowercase());
        if metadata.is_dir() {
            folders.push(name);
        } else if suffix.as_deref().is_some_and(|suffix| READ.contains(&suffix)) {
            images.push(name);
        } else if suffix.as_deref().is_some_and(|suffix| OTHER_IMAGES.contains(&suffix)) {
            let file = entry.path();
            return Err(Error::data("data", format!("{} is neither PNG nor JPEG; convert it", file.display())));
        }
    }
    folders.sort();
    images.sort();
    Ok((folders, images))
}

/// Class names, one a line.
fn read_classes(path: &Path) -> Result<Vec<String>> {
    let text = std::fs::read_to_string(path).map_err(|error| Error::io(path, &error))?;
    let names: Vec<String> = text.trim_end().lines().map(|line| line.trim().to_string()).collect();
    let mut seen = std::collections::HashSet::new();
    for (line, name) in names.iter().enumerate() {
        if name.is_empty() || !seen.insert(name) {
            let what = if name.is_empty() { "is empty".into() } else { format!("names {name:?} again") };
            return Err(Error::data("classes", format!("{}: line {} {what}", path.display(), line + 1)));
        }
    }
    Ok(names)
}
