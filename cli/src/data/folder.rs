//! A folder of PNG and JPEG images, with a folder per class or with none.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use smoothtopk::{Error, ErrorKind, Result};

use super::classes::{Classes, ClassesFile};
use super::fit::image_size;
use super::hash::hash;
use super::listing::{Listing, shown, some};
use super::options::{DataOptions, InputSpec, Layout, Resize};
use super::pixels;

/// Images in the order of their names, read and decoded when asked for.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    /// `CLASS/file` or `file`, below `path`.
    files: Vec<PathBuf>,
    classes: Option<Classes>,
    classes_sha256: Option<String>,
    resize: Resize,
    found: Listing,
    /// Of each file, once they were examined; none of a file that could not be read. What is decoded later must be what
    /// was hashed.
    digests: OnceLock<Vec<Option<String>>>,
}

impl Folder {
    /// Lists the images, and gives their labels when they lie in class folders.
    pub fn open(path: &Path, options: &DataOptions) -> Result<(Self, Option<Vec<usize>>)> {
        let mut found = Listing::of(path)?;
        let mut files = std::mem::take(&mut found.files);
        if let Some(listed) = &options.listed {
            files = as_listed(path, files, listed)?;
        }
        let classes_file = options.classes_file.as_deref().map(ClassesFile::read).transpose()?;
        let classes_sha256 = classes_file.as_ref().map(|file| hash(&file.bytes));
        let of_files: Vec<Option<String>> = files.iter().map(|file| class_of(file)).collect();
        let mut folder = Self {
            path: path.into(),
            files,
            classes: None,
            classes_sha256,
            resize: options.resize,
            found,
            digests: OnceLock::new(),
        };
        let folders: BTreeSet<String> = of_files.iter().flatten().cloned().collect();
        if folders.is_empty() && !folder.files.is_empty() {
            if classes_file.is_some() {
                let message = "a classes file needs class folders, but the images lie in none";
                return Err(Error::argument("classes-file", message));
            }
            return Ok((folder, None));
        }
        let classes = Classes::of(folders, classes_file.as_ref())?;
        let labels = of_files.iter().flatten().filter_map(|class| classes.label(class)).collect();
        folder.classes = Some(classes);
        Ok((folder, Some(labels)))
    }

    pub fn len(&self) -> usize {
        self.files.len()
    }

    pub fn resize(&self) -> Resize {
        self.resize
    }

    /// The file's name below the folder, with `/` on every system.
    pub fn name(&self, i: usize) -> String {
        shown(&self.files[i])
    }

    /// What was found, for people, for a model of so many labels: the labels of the folders, and warnings.
    pub fn found(&self, of_model: usize) -> Vec<String> {
        let images = self.len();
        let mut lines = match &self.classes {
            None => vec![format!("{images} images in the order of their names, without labels")],
            Some(classes) => {
                let (folders, shown) = (classes.len(), classes.shown());
                vec![format!(
                    "{images} images in {folders} class folders, in the order of their names; labels: {shown}"
                )]
            }
        };
        if let Some(classes) = &self.classes
            && classes.len() != of_model
            && self.classes_sha256.is_none()
        {
            lines.push(format!(
                "warning: there are {} class folders, and the model has {of_model} labels: where a folder's label is not the \
                 model's, give --classes-file",
                classes.len()
            ));
        }
        if let Some((class, label)) = self.classes.as_ref().and_then(Classes::misnumbered) {
            lines.push(format!(
                "warning: the folder {class} has the label {label}: names are sorted as text, as torchvision's ImageFolder does; \
                 where they are the labels, give --classes-file"
            ));
        }
        if !self.found.empty.is_empty() {
            let empty = some(&self.found.empty);
            lines.push(format!("warning: folders without an image get no label: {empty}"));
        }
        lines.extend(self.left_out().map(|files| format!("warning: left out: {files}")));
        lines
    }

    /// What is no example, and why; none where nothing is.
    pub fn left_out(&self) -> Option<String> {
        self.found.left_out()
    }

    /// Reads every file once. Those of `examples` that cannot be read or decoded for the model, with what is wrong.
    ///
    /// # Errors
    /// `InvalidData` when the model takes no images.
    pub fn examine(&self, examples: &[usize], spec: &InputSpec) -> Result<Vec<(usize, Error)>> {
        image_size(spec)?;
        let (next, wanted) = (AtomicUsize::new(0), examples.iter().copied().collect::<BTreeSet<usize>>());
        let work = || {
            let mut examined = Vec::new();
            loop {
                let i = next.fetch_add(1, Relaxed);
                if i >= self.len() {
                    return examined;
                }
                let bytes = self.read(i);
                let digest = bytes.as_ref().ok().map(|bytes| hash(bytes));
                let decoded =
                    bytes.and_then(
                        |bytes| if wanted.contains(&i) { self.pixels(i, &bytes, spec).map(|_| ()) } else { Ok(()) },
                    );
                examined.push((i, digest, decoded.err()));
            }
        };
        let threads = std::thread::available_parallelism().map_or(1, |threads| threads.get().min(self.len().max(1)));
        let mut examined = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
            let panicked = |_| Error::new(ErrorKind::Internal, "a thread that read images panicked");
            let parts = threads.into_iter().map(|thread| thread.join().map_err(panicked));
            parts.collect::<Result<Vec<_>>>().map(|parts| parts.into_iter().flatten().collect::<Vec<_>>())
        })?;
        examined.sort_by_key(|(i, _, _)| *i);
        let (digests, bad): (Vec<_>, Vec<_>) =
            examined.into_iter().map(|(i, digest, error)| (digest, error.map(|error| (i, error)))).unzip();
        self.digests.get_or_init(|| digests);
        Ok(bad.into_iter().flatten().collect())
    }

    /// Has every file that is read from now on be what a RUN lists.
    pub fn expect(&self, listed: &[String]) {
        let digest = |line: &String| {
            line.split_once("  ").map(|(digest, _)| digest.to_owned()).filter(|digest| digest != UNREAD)
        };
        self.digests.get_or_init(|| listed.iter().take(self.len()).map(digest).collect());
    }

    /// Image `i` as 8-bit pixels of the model's size, divided by `scale`.
    pub fn example(&self, i: usize, spec: &InputSpec, scale: f64) -> Result<Vec<f32>> {
        let (channels, _, _) = image_size(spec)?;
        let bytes = self.read(i)?;
        if let Some(digests) = self.digests.get()
            && digests[i].as_ref() != Some(&hash(&bytes))
        {
            return Err(self.wrong(i, "it is not what was hashed: the file was changed since"));
        }
        let pixels = self.pixels(i, &bytes, spec)?;
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

    fn read(&self, i: usize) -> Result<Vec<u8>> {
        let path = self.path.join(&self.files[i]);
        std::fs::read(&path).map_err(|error| Error::io(&path, &error))
    }

    fn pixels(&self, i: usize, bytes: &[u8], spec: &InputSpec) -> Result<Vec<u8>> {
        let (channels, height, width) = image_size(spec)?;
        pixels::decode(bytes, channels, width as u32, height as u32, self.resize).map_err(|what| self.wrong(i, &what))
    }

    fn wrong(&self, i: usize, what: &str) -> Error {
        Error::data("data", format!("{}: {what}", self.path.join(&self.files[i]).display()))
    }

    /// A line for each file in their order, as `sha256sum` prints it; `-` stands for the hash of a file that cannot be
    /// read. With a classes file a last line with its hash and the name `-classes`.
    pub fn listing(&self) -> Vec<String> {
        let digests =
            self.digests.get_or_init(|| (0..self.len()).map(|i| self.read(i).ok().map(|bytes| hash(&bytes))).collect());
        let line = |(i, digest): (usize, &Option<String>)| {
            format!("{}  {}", digest.as_deref().unwrap_or(UNREAD), self.name(i))
        };
        let classes = self.classes_sha256.iter().map(|digest| format!("{digest}  -classes"));
        digests.iter().enumerate().map(line).chain(classes).collect()
    }
}

/// In the place of the hash of a file that cannot be read.
const UNREAD: &str = "-";

/// The folder that a file lies in.
fn class_of(file: &Path) -> Option<String> {
    file.parent().filter(|folder| !folder.as_os_str().is_empty()).map(shown)
}

/// The files of a RUN's list, in its order: those that are there, and those that are not any more.
fn as_listed(path: &Path, files: Vec<PathBuf>, listed: &[String]) -> Result<Vec<PathBuf>> {
    let mut there: HashMap<String, PathBuf> = files.into_iter().map(|file| (shown(&file), file)).collect();
    let names =
        listed.iter().filter_map(|line| line.split_once("  ")).map(|(_, name)| name).filter(|name| *name != "-classes");
    let files = names.map(|name| there.remove(name).unwrap_or_else(|| PathBuf::from(name))).collect();
    let mut new: Vec<String> = there.into_keys().collect();
    new.sort();
    match new.is_empty() {
        true => Ok(files),
        false => Err(Error::argument(
            "data",
            format!(
                "{} holds images that the RUN does not know ({}); take them out, or give another --out",
                path.display(),
                some(&new)
            ),
        )),
    }
}
