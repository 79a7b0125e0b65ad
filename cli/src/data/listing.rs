//! What lies in a folder of images: the images, the folders that are classes, and what is left out.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use smoothtopk::{Error, Result};

use super::pixels::is_known;

/// Suffixes of files that are images by their names: one that does not hold a whole image is damaged, not left out.
const SUFFIXES: [&str; 3] = ["png", "jpg", "jpeg"];

/// A folder of images, as it lies on the disk.
#[derive(Debug, Default)]
pub struct Listing {
    /// `file` or `CLASS/file`, sorted by the bytes of their names: folders first, then the files in each.
    pub files: Vec<PathBuf>,
    /// Folders without an image: they are no class.
    pub empty: Vec<String>,
    /// What is no example, by the reason.
    pub left_out: BTreeMap<&'static str, Vec<String>>,
}

impl Listing {
    /// Lists a folder with images in class folders, or with images alone.
    ///
    /// # Errors
    /// `Io`; `InvalidData` where images lie both beside and in class folders, or deeper.
    pub fn of(path: &Path) -> Result<Self> {
        let mut listing = Self::default();
        let (classes, top) = listing.level(path, Path::new(""))?;
        for class in &classes {
            let below = Path::new(class);
            let (folders, images) = listing.level(path, below)?;
            for folder in folders {
                let folder = below.join(folder);
                if let Some(image) = Self::default().level(path, &folder)?.1.first() {
                    let image = shown(&folder.join(image));
                    let message = format!("{image} lies in a folder in a class folder; the layout is CLASS/file");
                    return Err(Error::data("data", message));
                }
                listing.leave_out("a folder in a class folder, without an image", &folder);
            }
            if images.is_empty() {
                listing.empty.push(shown(below));
            }
            listing.files.extend(images.iter().map(|image| below.join(image)));
        }
        let (Some(image), Some(in_class)) = (top.first(), listing.files.first()) else {
            listing.files.extend(top.into_iter().map(PathBuf::from));
            return Ok(listing);
        };
        let message = format!(
            "{} holds images both beside and in class folders ({} and {}); keep one of the two",
            path.display(),
            image.display(),
            in_class.display()
        );
        Err(Error::data("data", message))
    }

    /// The folders and the images in one folder of `root`, each sorted by name.
    fn level(&mut self, root: &Path, below: &Path) -> Result<(Vec<OsString>, Vec<OsString>)> {
        let (mut folders, mut images) = (Vec::new(), Vec::new());
        let path = root.join(below);
        for entry in std::fs::read_dir(&path).map_err(|error| Error::io(&path, &error))? {
            let entry = entry.map_err(|error| Error::io(&path, &error))?;
            let name = entry.file_name();
            let suffix = Path::new(&name).extension().map(|suffix| suffix.to_string_lossy().to_ascii_lowercase());
            let by_name = suffix.as_deref().is_some_and(|suffix| SUFFIXES.contains(&suffix));
            // Follows links, which data sets are often made of; a dead one is an image that cannot be read.
            let kind = std::fs::metadata(entry.path()).map(|metadata| metadata.file_type());
            let (is_folder, is_file) = kind.map_or((false, true), |kind| (kind.is_dir(), kind.is_file()));
            if name.as_encoded_bytes().starts_with(b".") {
                self.leave_out("hidden", &below.join(name));
            } else if is_folder {
                folders.push(name);
            } else if !is_file {
                self.leave_out("no regular file", &below.join(name));
            } else if by_name || begins_as_an_image(&entry.path()) {
                images.push(name);
            } else {
                self.leave_out("neither PNG nor JPEG", &below.join(name));
            }
        }
        folders.sort();
        images.sort();
        Ok((folders, images))
    }

    fn leave_out(&mut self, reason: &'static str, path: &Path) {
        self.left_out.entry(reason).or_default().push(shown(path));
    }

    /// What is left out, for people: `2 files hidden (.a, .b), 1 neither PNG nor JPEG (notes.txt)`; none where nothing
    /// is.
    pub fn left_out(&self) -> Option<String> {
        let of = |(reason, names): (&&str, &Vec<String>)| format!("{} {reason} ({})", names.len(), some(names));
        let all: Vec<String> = self.left_out.iter().map(of).collect();
        (!all.is_empty()).then(|| all.join(", "))
    }
}

fn begins_as_an_image(path: &Path) -> bool {
    let mut start = Vec::new();
    File::open(path).is_ok_and(|file| file.take(8).read_to_end(&mut start).is_ok()) && is_known(&start)
}

/// A path below the folder, with `/` on every system.
pub fn shown(path: &Path) -> String {
    path.iter().map(|part| part.to_string_lossy()).collect::<Vec<_>>().join("/")
}

/// The first few of many names.
pub fn some(names: &[String]) -> String {
    const MOST: usize = 5;
    let more = if names.len() > MOST { format!(", and {} more", names.len() - MOST) } else { String::new() };
    names[..names.len().min(MOST)].join(", ") + &more
}
