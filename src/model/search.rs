//! Where ONNX Runtime's library is looked for, and what was found there.

use std::fmt;
use std::path::{Path, PathBuf};

use super::raw;
use crate::{Error, ErrorKind};

/// A kind of place where the library is looked for, in the order of the search.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RuntimeLocation {
    /// The host's own copy ([`super::Runtime::adopt`]).
    Host,
    /// The path that the caller gave.
    Given,
    /// The environment variable `SMOOTHTOPK_ONNXRUNTIME`.
    SmoothtopkVariable,
    /// The environment variable `ORT_DYLIB_PATH`.
    OrtVariable,
    /// The folder of this library or of the running program, or `../lib` from there.
    Beside,
    /// `.deps/onnxruntime` of the source tree that this library or the running program lies in, under Cargo's `target`
    /// folder: `make setup` fills it. Nothing that is installed has such a place.
    Setup,
    /// The system's loader, with its own search path.
    System,
}

impl RuntimeLocation {
    /// A named place that does not work is an error; the others are passed over.
    fn is_named(self) -> bool {
        matches!(self, Self::Given | Self::SmoothtopkVariable | Self::OrtVariable)
    }
}

impl fmt::Display for RuntimeLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Host => "the host",
            Self::Given => "the given path",
            Self::SmoothtopkVariable => "SMOOTHTOPK_ONNXRUNTIME",
            Self::OrtVariable => "ORT_DYLIB_PATH",
            Self::Beside => "beside the program",
            Self::Setup => "make setup",
            Self::System => "the system",
        })
    }
}

/// What was found at a place.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProbeOutcome {
    /// The variable is not set, or no path was given.
    Unset,
    /// There is no such file.
    Absent,
    /// The file is there and could not be loaded: the loader's reason.
    Failed(String),
    /// It was loaded and is older than this library needs: its version.
    TooOld(String),
    /// It works, and is used: its version.
    Used(String),
    /// An earlier place settled the search.
    NotReached,
}

impl fmt::Display for ProbeOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unset => f.write_str("not set"),
            Self::Absent => f.write_str("not there"),
            Self::Failed(reason) => write!(f, "cannot be loaded: {reason}"),
            Self::TooOld(version) => {
                write!(f, "version {version} is too old: 1.{} or later is needed", ort::MINOR_VERSION)
            }
            Self::Used(version) => write!(f, "version {version}, used"),
            Self::NotReached => f.write_str("not tried"),
        }
    }
}

/// One place of the search.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Which kind of place.
    pub source: RuntimeLocation,
    /// The file or folder looked at; none for a variable that is not set.
    pub path: Option<PathBuf>,
    /// What was found.
    pub outcome: ProbeOutcome,
}

/// The library that the search settled on.
pub(super) struct LoadedRuntime {
    pub path: PathBuf,
    pub version: String,
    pub source: RuntimeLocation,
    /// The address of its `OrtApiBase`.
    pub base: usize,
}

/// Looks at each place in order. A named place ends the search, whether it works or not.
pub(super) fn search(given: Option<&Path>) -> (Vec<Place>, Option<LoadedRuntime>) {
    let mut places = Vec::new();
    let mut found = None;
    let mut settled = false;
    for (source, path) in candidates(given) {
        let outcome = match &path {
            _ if settled => ProbeOutcome::NotReached,
            None => ProbeOutcome::Unset,
            Some(path) => look(source, path, &mut found),
        };
        settled |= found.is_some() || (source.is_named() && outcome != ProbeOutcome::Unset);
        places.push(Place { source, path, outcome });
    }
    (places, found)
}

fn look(source: RuntimeLocation, path: &Path, found: &mut Option<LoadedRuntime>) -> ProbeOutcome {
    let file = match source {
        // A bare name: the loader has its own search path.
        RuntimeLocation::System => path.to_owned(),
        _ => match named_file(path) {
            Some(file) => file,
            None => return ProbeOutcome::Absent,
        },
    };
    match raw::probe_library(&file) {
        Err(reason) if source == RuntimeLocation::System && reason.contains("No such file") => ProbeOutcome::Absent,
        Err(reason) => ProbeOutcome::Failed(reason),
        Ok(probed) if !is_recent(&probed.version) => ProbeOutcome::TooOld(probed.version),
        Ok(raw::Probed { version, path, base }) => {
            *found = Some(LoadedRuntime { path, version: version.clone(), source, base });
            ProbeOutcome::Used(version)
        }
    }
}

pub(super) fn is_recent(version: &str) -> bool {
    let mut parts = version.split('.').map(|part| part.parse::<u32>().unwrap_or(0));
    let (major, minor) = (parts.next().unwrap_or(0), parts.next().unwrap_or(0));
    (major, minor) >= (1, ort::MINOR_VERSION)
}

/// Why the search found nothing, and what to do.
pub(super) fn refusal(places: &[Place]) -> Error {
    let named = places.iter().find(|place| place.source.is_named() && place.outcome != ProbeOutcome::Unset);
    if let Some(Place { source, path: Some(path), outcome }) = named {
        let message = format!("ONNX Runtime at {} ({source}) {outcome}", path.display());
        return Error::new(ErrorKind::Runtime, message).with_field("runtime");
    }
    let tried = places.iter().filter_map(|place| {
        let path = place.path.as_ref()?;
        Some(format!("{} ({}) {}", path.display(), place.source, place.outcome))
    });
    let in_source_tree = places.iter().any(|place| place.source == RuntimeLocation::Setup);
    let get = match in_source_tree {
        true => "run `make setup`".to_owned(),
        false => format!("install version 1.{} or later of it beside this library", ort::MINOR_VERSION),
    };
    let message = format!(
        "ONNX Runtime was not found: {get}, or set SMOOTHTOPK_ONNXRUNTIME to its library; looked at {}",
        tried.collect::<Vec<_>>().join("; ")
    );
    Error::new(ErrorKind::Runtime, message).with_field("runtime")
}

fn candidates(given: Option<&Path>) -> Vec<(RuntimeLocation, Option<PathBuf>)> {
    let absolute = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let variable = |name: &str| {
        let value = std::env::var_os(name).filter(|value| !value.is_empty())?;
        Some(absolute(Path::new(&value)))
    };
    let mut list = vec![
        (RuntimeLocation::Given, given.map(absolute)),
        (RuntimeLocation::SmoothtopkVariable, variable("SMOOTHTOPK_ONNXRUNTIME")),
        (RuntimeLocation::OrtVariable, variable("ORT_DYLIB_PATH")),
    ];
    let mut add = |source, path: PathBuf| {
        if !list.iter().any(|(_, seen)| seen.as_ref() == Some(&path)) {
            list.push((source, Some(path)));
        }
    };
    let homes = homes();
    for home in &homes {
        add(RuntimeLocation::Beside, home.clone());
        if let Some(prefix) = home.parent() {
            add(RuntimeLocation::Beside, prefix.join("lib"));
        }
    }
    for tree in homes.iter().filter_map(|home| source_tree(home)) {
        add(RuntimeLocation::Setup, tree.join(".deps/onnxruntime"));
    }
    add(RuntimeLocation::System, PathBuf::from(library_name()));
    if cfg!(target_os = "linux") {
        // Distributions ship the unversioned name with the headers only.
        add(RuntimeLocation::System, PathBuf::from("libonnxruntime.so.1"));
    }
    list
}

/// The source tree in whose build folder `home` lies. It is told by where the file is now, not by where it was built:
/// whoever can make a folder of that name on another machine, or later, would have code loaded.
fn source_tree(home: &Path) -> Option<&Path> {
    let target = home.ancestors().find(|folder| folder.file_name().is_some_and(|name| name == "target"))?;
    target.parent().filter(|tree| tree.join("scripts/get_onnxruntime.py").is_file())
}

/// The folders of this library (where it is a shared one) and of the running program.
fn homes() -> Vec<PathBuf> {
    let mut homes = Vec::new();
    let program = std::env::current_exe().ok().map(|path| path.canonicalize().unwrap_or(path));
    for file in [raw::own_file(), program].into_iter().flatten() {
        if let Some(folder) = file.parent().filter(|folder| folder.is_absolute())
            && !homes.iter().any(|seen| seen == folder)
        {
            homes.push(folder.to_owned());
        }
    }
    homes
}

fn library_name() -> String {
    format!("{}onnxruntime{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX)
}

/// The library's file: `path` itself, or the one in the folder `path`, the highest version if several.
pub(super) fn named_file(path: &Path) -> Option<PathBuf> {
    if path.is_file() {
        return Some(path.to_owned());
    }
    let plain = path.join(library_name());
    if plain.is_file() {
        return Some(plain);
    }
    let versioned = |name: &str| {
        if cfg!(target_os = "macos") {
            name.strip_prefix("libonnxruntime.")?.strip_suffix(".dylib").map(numbers)
        } else {
            name.strip_prefix("libonnxruntime.so.").map(numbers)
        }
    };
    let entries = path.read_dir().ok()?.flatten();
    let candidates = entries.filter_map(|entry| Some((versioned(entry.file_name().to_str()?)?, entry.path())));
    candidates.filter(|(_, file)| file.is_file()).max().map(|(_, file)| file)
}

fn numbers(version: &str) -> Vec<u32> {
    version.split('.').map(|part| part.parse().unwrap_or(0)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_as_numbers() {
        assert!(is_recent("1.31.1") && is_recent("1.24.0") && is_recent("2.0.0"));
        assert!(!is_recent("1.23.9") && !is_recent("1.9.0") && !is_recent("") && !is_recent("0.99.0"));
        assert!(numbers("1.31.1") > numbers("1.9.2"));
    }

    #[test]
    fn the_highest_version_in_a_folder_is_taken() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(named_file(folder.path()), None);
        let name = |version: &str| match cfg!(target_os = "macos") {
            true => format!("libonnxruntime.{version}.dylib"),
            false => format!("libonnxruntime.so.{version}"),
        };
        for version in ["1.9.0", "1.31.1", "1.30.2"] {
            std::fs::write(folder.path().join(name(version)), "").unwrap();
        }
        assert_eq!(named_file(folder.path()), Some(folder.path().join(name("1.31.1"))));
        std::fs::write(folder.path().join(library_name()), "").unwrap();
        assert_eq!(named_file(folder.path()), Some(folder.path().join(library_name())));
    }

    #[test]
    fn a_named_place_that_fails_ends_the_search() {
        let folder = tempfile::tempdir().unwrap();
        let (places, found) = search(Some(folder.path()));
        assert!(found.is_none());
        assert_eq!((places[0].source, &places[0].outcome), (RuntimeLocation::Given, &ProbeOutcome::Absent));
        assert!(places[1..].iter().all(|place| place.outcome == ProbeOutcome::NotReached));
        let error = refusal(&places);
        assert_eq!((error.kind(), error.field()), (ErrorKind::Runtime, Some("runtime")));
        assert!(error.message().contains("not there"), "{error}");

        let broken = folder.path().join("broken.so");
        std::fs::write(&broken, "not a library").unwrap();
        let (places, found) = search(Some(&broken));
        assert!(found.is_none());
        assert!(matches!(places[0].outcome, ProbeOutcome::Failed(_)));
    }

    #[test]
    fn only_what_lies_in_a_source_tree_takes_what_make_setup_fetched() {
        let ours = Path::new(env!("CARGO_MANIFEST_DIR"));
        assert_eq!(source_tree(&ours.join("target/debug/deps")), Some(ours));
        let folder = tempfile::tempdir().unwrap();
        for home in ["usr/local/lib", "target/lib"] {
            assert_eq!(source_tree(&folder.path().join(home)), None, "{home}");
        }
        let missing = |source| Place { source, path: Some("/x".into()), outcome: ProbeOutcome::Absent };
        let refused = |source| refusal(&[missing(RuntimeLocation::Beside), missing(source)]).to_string();
        assert!(refused(RuntimeLocation::Setup).contains("run `make setup`, or set SMOOTHTOPK_ONNXRUNTIME"));
        let installed = refused(RuntimeLocation::System);
        assert!(installed.contains("beside this library, or set SMOOTHTOPK_ONNXRUNTIME"), "{installed}");
        assert!(!installed.contains("make"), "{installed}");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn an_old_runtime_and_a_library_that_is_none_are_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        let build = |name: &str, code: &str| {
            let (source, library) = (folder.path().join(format!("{name}.c")), folder.path().join(name));
            std::fs::write(&source, code).unwrap();
            // Rust links with the same compiler, so it is there.
            let compiler = std::env::var("CC").unwrap_or_else(|_| "cc".into());
            let mut command = std::process::Command::new(compiler);
            assert!(command.args(["-shared", "-fPIC", "-o"]).args([&library, &source]).status().unwrap().success());
            search(Some(&library)).0.remove(0).outcome
        };
        let old = r#"
            static const void *api(unsigned version) { return 0; }
            static const char *version(void) { return "1.20.3"; }
            static const struct { const void *(*api)(unsigned); const char *(*version)(void); } base = { api, version };
            const void *OrtGetApiBase(void) { return &base; }"#;
        assert_eq!(build("old.so", old), ProbeOutcome::TooOld("1.20.3".into()));
        assert!(
            matches!(build("other.so", "int other;"), ProbeOutcome::Failed(reason) if reason.contains("OrtGetApiBase"))
        );
        let none = "const void *OrtGetApiBase(void) { return 0; }";
        assert!(matches!(build("none.so", none), ProbeOutcome::Failed(_)));
        let error = refusal(&search(Some(&folder.path().join("old.so"))).0);
        assert!(error.message().contains("1.20.3 is too old"), "{error}");
    }
}
