//! Measured plans on disk, a small JSON file each.

use std::ffi::OsStr;
use std::fs;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use etcetera::BaseStrategy;
use serde::{Deserialize, Serialize};

use super::batch_plan::{Measured, Plan, PlanResult};
use super::key::Key;
use crate::log;

/// The environment variable that moves the cache, or turns it off.
const VARIABLE: &str = "SMOOTHTOPK_CACHE";
/// A file is never near this; a larger one is not read.
const MAX_BYTES: u64 = 64 << 10;

/// A folder where measured plans are kept, by model, processor, threads and versions.
///
/// Files appear whole or not at all, so processes may share a folder. One that is damaged, or is not what its name
/// says, is ignored, said in the log, and replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanCache {
    folder: PathBuf,
}

/// What a file holds.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    key: Key,
    batch: usize,
    threads: usize,
    rows_per_second: f64,
    bytes: u64,
}

impl PlanCache {
    /// The folder that `SMOOTHTOPK_CACHE` names, or else the platform's cache folder of this user (on Linux
    /// `$XDG_CACHE_HOME/smoothtopk`, by default `~/.cache/smoothtopk`); plans lie in its folder `plans`. `None` where
    /// `SMOOTHTOPK_CACHE` is empty or `off`, or the user has no home.
    pub fn user() -> Option<Self> {
        Self::of_user(std::env::var_os(VARIABLE).as_deref())
    }

    fn of_user(variable: Option<&OsStr>) -> Option<Self> {
        let folder = match variable {
            Some(value) if value.is_empty() || value == "off" => return None,
            Some(value) => PathBuf::from(value),
            None => etcetera::base_strategy::choose_native_strategy().ok()?.cache_dir().join("smoothtopk"),
        };
        Some(Self::at(folder.join("plans")))
    }

    /// A folder of the caller's, which is made when the first plan is kept.
    pub fn at(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// Where the plans lie.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The plan of a key, where there is a whole one.
    pub(super) fn load(&self, key: &Key) -> Option<PlanResult> {
        let path = self.folder.join(key.file_name());
        match read(&path) {
            Ok(entry) if entry.key == *key && entry.rows_per_second > 0.0 => {
                let plan = Plan { batch: entry.batch, threads: entry.threads };
                let measured = Measured { plan, rows_per_second: entry.rows_per_second, cached: true };
                Some(PlanResult { measured, bytes: entry.bytes, settled: true })
            }
            Ok(_) => {
                log::warn(format_args!("{} holds another plan than its name says: it is ignored", path.display()));
                None
            }
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => {
                log::warn(format_args!("{} holds no batch plan, and is ignored: {error}", path.display()));
                None
            }
        }
    }

    /// Keeps a plan. Where that fails it is measured again the next time, which is said in the log and no error.
    pub(super) fn store(&self, key: &Key, found: &PlanResult) {
        let Measured { plan: Plan { batch, threads }, rows_per_second, .. } = found.measured;
        let entry = Entry { key: key.clone(), batch, threads, rows_per_second, bytes: found.bytes };
        if let Err(error) = self.write(&key.file_name(), &entry) {
            log::warn(format_args!("the batch plan is not kept in {}: {error}", self.folder.display()));
        }
    }

    /// Written beside its place and renamed into it.
    fn write(&self, name: &str, entry: &Entry) -> std::io::Result<()> {
        fs::create_dir_all(&self.folder)?;
        let mut file = tempfile::NamedTempFile::new_in(&self.folder)?;
        file.write_all(serde_json::to_string_pretty(entry)?.as_bytes())?;
        file.persist(self.folder.join(name))?;
        Ok(())
    }
}

fn read(path: &Path) -> std::io::Result<Entry> {
    let metadata = fs::metadata(path)?;
    // A folder or a pipe in its place must not be waited for.
    if !metadata.is_file() || metadata.len() > MAX_BYTES {
        return Err(std::io::Error::other("it is no small file"));
    }
    Ok(serde_json::from_slice(&fs::read(path)?)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found() -> PlanResult {
        let measured = Measured { plan: Plan { batch: 16, threads: 2 }, rows_per_second: 1234.5, cached: true };
        PlanResult { measured, bytes: 1 << 20, settled: true }
    }

    fn key(classifier: &str) -> Key {
        Key::new(classifier.to_owned(), 2, true, usize::MAX)
    }

    #[test]
    fn a_plan_is_found_again_by_its_key_alone() {
        let folder = tempfile::tempdir().unwrap();
        let cache = PlanCache::at(folder.path().join("made/when/needed"));
        assert_eq!(cache.load(&key("a")), None);
        cache.store(&key("a"), &found());
        assert_eq!(cache.load(&key("a")), Some(found()));
        for other in [key("b"), Key::new("a".into(), 1, true, usize::MAX), Key::new("a".into(), 2, false, 8)] {
            assert_eq!(cache.load(&other), None);
        }
        // Nothing but the plan is left behind.
        assert_eq!(fs::read_dir(cache.folder()).unwrap().count(), 1);
    }

    #[test]
    fn damaged_and_foreign_files_are_ignored_and_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let cache = PlanCache::at(folder.path());
        cache.store(&key("a"), &found());
        let path = folder.path().join(key("a").file_name());
        let whole = fs::read(&path).unwrap();
        for cut in 0..whole.len() {
            fs::write(&path, &whole[..cut]).unwrap();
            assert_eq!(cache.load(&key("a")), None, "cut at {cut}");
        }
        let text = String::from_utf8(whole.clone()).unwrap();
        for (from, to) in [("\"a\"", "\"b\""), ("1234.5", "-1.0"), ("\"bytes\"", "\"more\""), ("16,", "-16,")] {
            let changed = text.replace(from, to);
            assert_ne!(changed, text);
            fs::write(&path, changed).unwrap();
            assert_eq!(cache.load(&key("a")), None, "{from}");
        }
        fs::write(&path, vec![b' '; MAX_BYTES as usize + 1]).unwrap();
        assert_eq!(cache.load(&key("a")), None);
        cache.store(&key("a"), &found());
        assert_eq!(fs::read(&path).unwrap(), whole);
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        assert_eq!(cache.load(&key("a")), None);
        // It cannot be replaced: said in the log, and nothing else.
        cache.store(&key("a"), &found());
    }

    #[test]
    fn the_variable_moves_the_cache_or_turns_it_off() {
        let of = |value: &str| PlanCache::of_user(Some(OsStr::new(value)));
        assert_eq!((of(""), of("off")), (None, None));
        assert_eq!(of("/else/where"), Some(PlanCache::at("/else/where/plans")));
    }
}
