//! What the machine is and has, as far as a plan depends on it. Linux tells; elsewhere little is known, and nothing is
//! assumed.

use std::fs;
use std::path::{Path, PathBuf};

use crate::noise::Path as NoisePath;

/// The processor's name, and the instructions that noise is made with.
pub(super) fn processor() -> String {
    let name = fs::read_to_string("/proc/cpuinfo").ok().and_then(|text| name_in(&text));
    let name = name.unwrap_or_else(|| format!("{} {}", std::env::consts::OS, std::env::consts::ARCH));
    format!("{name}, {:?}", NoisePath::best())
}

/// x86 gives a name; Arm gives numbers of maker and part.
fn name_in(cpuinfo: &str) -> Option<String> {
    let value = |field: &str| {
        let line = cpuinfo.lines().find(|line| line.split(':').next().is_some_and(|name| name.trim() == field))?;
        Some(line.split_once(':')?.1.trim().to_owned())
    };
    value("model name").or_else(|| Some(format!("{} {}", value("CPU implementer")?, value("CPU part")?)))
}

/// Bytes that this process may still take: what the system has, and no more than its cgroups allow.
pub(super) fn available_memory() -> Option<u64> {
    let system = fs::read_to_string("/proc/meminfo").ok().and_then(|text| available_in(&text));
    let cgroups =
        fs::read_to_string("/proc/self/cgroup").ok().and_then(|text| cgroup_memory(&text, Path::new("/sys/fs/cgroup")));
    system.into_iter().chain(cgroups).min()
}

fn available_in(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

/// What the cgroups of `membership` (/proc/self/cgroup) leave, those above them included: version 2, or the memory
/// controller of version 1.
fn cgroup_memory(membership: &str, root: &Path) -> Option<u64> {
    let mut left = Vec::new();
    for line in membership.lines() {
        let mut fields = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(group)) = (fields.next(), fields.next()) else { continue };
        let (root, limit, usage) = match controllers {
            "" => (root.to_owned(), "memory.max", "memory.current"),
            _ if controllers.split(',').any(|name| name == "memory") => {
                (root.join("memory"), "memory.limit_in_bytes", "memory.usage_in_bytes")
            }
            _ => continue,
        };
        // Within a container the group may be named as the host sees it; then only the root is there.
        for folder in folders(&root, group) {
            let number = |name| fs::read_to_string(folder.join(name)).ok()?.trim().parse::<u64>().ok();
            // "max" is no number, and no limit.
            if let (Some(limit), Some(usage)) = (number(limit), number(usage)) {
                left.push(limit.saturating_sub(usage));
            }
        }
    }
    left.into_iter().min()
}

/// The group's folder and those above it, down from the root.
fn folders(root: &Path, group: &str) -> Vec<PathBuf> {
    let mut folders = vec![root.to_owned()];
    for part in group.split('/').filter(|part| !part.is_empty() && *part != "..") {
        folders.push(folders[folders.len() - 1].join(part));
    }
    folders
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processors_are_named() {
        assert_eq!(name_in("processor\t: 0\nmodel name\t: Some CPU\nmodel\t: 1\n").as_deref(), Some("Some CPU"));
        assert_eq!(name_in("CPU implementer\t: 0x41\nCPU part\t: 0xd0c\n").as_deref(), Some("0x41 0xd0c"));
        assert_eq!(name_in(""), None);
    }

    #[test]
    fn memory_is_read_in_bytes() {
        assert_eq!(available_in("MemTotal: 10 kB\nMemAvailable:    7 kB\n"), Some(7 * 1024));
        assert_eq!(available_in("MemTotal: 10 kB\n"), None);
    }

    #[test]
    fn the_tightest_cgroup_counts() {
        let root = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        assert_eq!(cgroup_memory("0::/a/b\n", root.path()), None);
        write("a/memory.max", "1000\n");
        write("a/memory.current", "400\n");
        write("a/b/memory.max", "max\n");
        write("a/b/memory.current", "300\n");
        assert_eq!(cgroup_memory("0::/a/b\n", root.path()), Some(600));
        write("a/b/memory.max", "350\n");
        assert_eq!(cgroup_memory("0::/a/b\n", root.path()), Some(50));
        // Version 1, with the host's name of the group: the root is what this container sees.
        write("memory/memory.limit_in_bytes", "900\n");
        write("memory/memory.usage_in_bytes", "1000\n");
        assert_eq!(cgroup_memory("5:cpu,memory:/docker/1\n3:pids:/x\n", root.path()), Some(0));
    }
}
