//! Which libraries a provider's library needs and the machine lacks, found by asking the loader for each.

use std::collections::BTreeSet;
use std::fs::File;
use std::path::{Path, PathBuf};

use object::read::elf::{Dyn, ElfFile64, FileHeader};
use object::{Endianness, ReadCache, ReadRef, elf};

use super::raw;

/// What a shared library says of the libraries it needs.
#[derive(Debug, Default, PartialEq, Eq)]
struct Dynamic {
    /// `DT_NEEDED`, in its order.
    needed: Vec<String>,
    /// `DT_RUNPATH`, or the older `DT_RPATH`, with `$ORIGIN` replaced.
    run_path: Vec<PathBuf>,
}

/// The libraries that `library` needs and the loader does not find, each with where it was looked for; empty where all
/// are there, or where the file is none that can be read.
pub(super) fn missing(library: &Path) -> Vec<String> {
    // The largest of these files is hundreds of megabytes, and only its tables are read.
    let Some(dynamic) = File::open(library).ok().and_then(|file| dynamic(&ReadCache::new(file), library)) else {
        return Vec::new();
    };
    let mut looked = dynamic.run_path.clone();
    if let Some(paths) = std::env::var_os("LD_LIBRARY_PATH") {
        looked.extend(std::env::split_paths(&paths).filter(|path| !path.as_os_str().is_empty()));
    }
    let looked = match looked.as_slice() {
        [] => "the loader's cache and the system's folders; LD_LIBRARY_PATH is not set".to_owned(),
        folders => {
            let folders = folders.iter().map(|folder| folder.display().to_string()).collect::<Vec<_>>();
            format!("{}, the loader's cache and the system's folders", folders.join(", "))
        }
    };
    let mut reasons = BTreeSet::new();
    let mut missing = Vec::new();
    for name in &dynamic.needed {
        // The loader would use the run path of the library that needs it; asked by us it would not.
        let beside = dynamic.run_path.iter().map(|folder| folder.join(name)).find(|file| file.is_file());
        if let Err(reason) = raw::find_library(beside.as_deref().unwrap_or(Path::new(name))) {
            if !reason.starts_with(&format!("{name}: cannot open shared object file")) {
                reasons.insert(reason);
            }
            missing.push(name.clone());
        }
    }
    if missing.is_empty() {
        return Vec::new();
    }
    let (is, it) = if missing.len() == 1 { ("is", "it") } else { ("are", "them") };
    let mut lines = vec![format!(
        "{} {is} missing, which {} needs; looked for {it} in {looked}",
        missing.join(", "),
        library.display()
    )];
    if missing.iter().any(|name| name.starts_with("libcuda.so")) {
        lines.push("libcuda.so.1 comes with NVIDIA's driver".to_owned());
    }
    lines.extend(reasons);
    lines
}

fn dynamic<'a>(bytes: impl ReadRef<'a>, library: &Path) -> Option<Dynamic> {
    let file = ElfFile64::<Endianness, _>::parse(bytes).ok()?;
    let endian = file.endian();
    let sections = file.elf_header().sections(endian, bytes).ok()?;
    let (entries, strings) = sections.dynamic(endian, bytes).ok()??;
    let strings = sections.strings(endian, bytes, strings).ok()?;
    let text = |entry: &elf::Dyn64<Endianness>| {
        let text = strings.get(u32::try_from(entry.d_val(endian)).ok()?).ok()?;
        Some(String::from_utf8_lossy(text).into_owned())
    };
    let origin = library.parent().unwrap_or(Path::new("")).to_string_lossy().into_owned();
    let mut found = Dynamic::default();
    for entry in entries {
        match entry.d_tag(endian) {
            elf::DT_NEEDED => found.needed.push(text(entry)?),
            elf::DT_RUNPATH | elf::DT_RPATH => {
                let paths = text(entry)?.replace("${ORIGIN}", &origin).replace("$ORIGIN", &origin);
                found.run_path.extend(paths.split(':').filter(|path| !path.is_empty()).map(PathBuf::from));
            }
            _ => {}
        }
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_library_that_is_loaded_lacks_nothing() {
        let program = std::env::current_exe().unwrap();
        let found = dynamic(&*std::fs::read(&program).unwrap(), &program).unwrap();
        assert!(found.needed.iter().any(|name| name.starts_with("libc.so")), "{found:?}");
        assert_eq!(missing(&program), Vec::<String>::new());
        assert_eq!(missing(Path::new("/no/such/file")), Vec::<String>::new());
    }

    #[test]
    fn damaged_files_are_passed_over() {
        let program = std::env::current_exe().unwrap();
        let bytes = std::fs::read(&program).unwrap();
        for length in [0, 3, 63, 64, 1000, bytes.len() / 2] {
            assert_eq!(dynamic(&bytes[..length], &program), None);
        }
    }
}
