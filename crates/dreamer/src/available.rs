//! The memory that this process may still take: of the machine, and of the limits that containers, batch systems and
//! shells set.
//!
//! Here: reading what Linux reports. Not here: how much an agent needs (`footprint`).

use std::fmt;
use std::fs::read_to_string;
use std::path::{Component, Path, PathBuf};

/// The available memory, and its limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Available {
    /// Bytes.
    pub bytes: u64,
    /// The limit.
    pub limit: Limit,
}

/// The limits of the memory of a process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Limit {
    /// The machine: its memory and its swap space.
    Machine,
    /// A memory cgroup, as containers and batch systems use it: its folder.
    Cgroup(PathBuf),
    /// A limit of the process, in the words of the shell's `ulimit`.
    Process(&'static str),
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Machine => f.write_str("this machine"),
            Self::Cgroup(folder) => write!(f, "the cgroup {} of this container or batch job", folder.display()),
            Self::Process(option) => write!(f, "the limit that `ulimit {option}` shows"),
        }
    }
}

/// The memory that the machine and every limit leave to this process. `None` on systems that do not report it; Linux
/// does.
pub fn available() -> Option<Available> {
    below(Path::new("/"))
}

/// [`available`], of the files below `root`.
fn below(root: &Path) -> Option<Available> {
    let machine = machine(root)?;
    let of_machine = Available { bytes: machine.memory.saturating_add(machine.swap), limit: Limit::Machine };
    let limits = process(root).into_iter().chain(cgroups(root, machine.swap));
    Some(limits.fold(of_machine, |least, other| if other.bytes < least.bytes { other } else { least }))
}

/// Bytes of free memory, without memory that only swapping would free, and bytes of free swap space.
struct Machine {
    memory: u64,
    swap: u64,
}

fn machine(root: &Path) -> Option<Machine> {
    let text = read_to_string(root.join("proc/meminfo")).ok()?;
    Some(Machine { memory: kibibytes(&text, "MemAvailable:")?, swap: kibibytes(&text, "SwapFree:").unwrap_or(0) })
}

/// The value of `key`, in bytes, in a text with lines such as `VmSize:   1024 kB`.
fn kibibytes(text: &str, key: &str) -> Option<u64> {
    let value = text.lines().find_map(|line| line.strip_prefix(key))?;
    value.trim().strip_suffix(" kB")?.parse::<u64>().ok()?.checked_mul(1024)
}

/// The memory that the limits of the process leave.
fn process(root: &Path) -> Vec<Available> {
    let read = |name: &str| read_to_string(root.join(name)).unwrap_or_default();
    let (limits, status) = (read("proc/self/limits"), read("proc/self/status"));
    let left = |name: &str, used: &str, option| {
        let limit = limits.lines().find_map(|line| line.strip_prefix(name))?;
        // The soft limit; a limit of "unlimited" is not a number.
        let limit = limit.split_whitespace().next()?.parse::<u64>().ok()?;
        let bytes = limit.saturating_sub(kibibytes(&status, used).unwrap_or(0));
        Some(Available { bytes, limit: Limit::Process(option) })
    };
    let limits = [left("Max address space", "VmSize:", "-v"), left("Max data size", "VmData:", "-d")];
    limits.into_iter().flatten().collect()
}

/// The memory that the cgroup of this process and all above it leave, in both versions of cgroups.
fn cgroups(root: &Path, free_swap: u64) -> Vec<Available> {
    let read = |name: &str| read_to_string(root.join(name)).unwrap_or_default();
    let (own, mounts) = (read("proc/self/cgroup"), read("proc/self/mountinfo"));
    let mut found = Vec::new();
    for line in own.lines() {
        let mut parts = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(path)) = (parts.next(), parts.next()) else { continue };
        let version = match controllers {
            "" => Version::Two,
            list if list.split(',').any(|controller| controller == "memory") => Version::One,
            _ => continue,
        };
        for mount in mounts.lines().filter_map(|line| Mount::of(line, version)) {
            // In a container, the mount may show only a part of the tree, and the path may lead out of it.
            let inner = Path::new(path).strip_prefix(&mount.shows).unwrap_or(Path::new(""));
            let inside = inner.components().all(|part| matches!(part, Component::Normal(_)));
            let inner = if inside { inner } else { Path::new("") };
            for ancestor in inner.ancestors() {
                let folder = mount.at.join(ancestor);
                let bytes = version.left(&root.join(folder.strip_prefix("/").unwrap_or(&folder)), free_swap);
                found.extend(bytes.map(|bytes| Available { bytes, limit: Limit::Cgroup(folder) }));
            }
        }
    }
    found
}

/// A version of cgroups.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Version {
    One,
    Two,
}

impl Version {
    /// The memory that the cgroup in this folder leaves; `None` without a limit. Pages of files count as free: the
    /// system drops them first.
    fn left(self, folder: &Path, free_swap: u64) -> Option<u64> {
        let number = |name: &str| read_to_string(folder.join(name)).ok()?.trim().parse::<u64>().ok();
        let stat = read_to_string(folder.join("memory.stat")).unwrap_or_default();
        let of = |key: &str| {
            let value = stat.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(' '));
            value.and_then(|value| value.trim().parse::<u64>().ok()).unwrap_or(0)
        };
        let (limit, used, files, swap) = match self {
            Self::One => {
                let limit = number("memory.limit_in_bytes")?;
                let files = of("total_inactive_file").saturating_add(of("total_active_file"));
                (limit, number("memory.usage_in_bytes").unwrap_or(0), files, 0)
            }
            Self::Two => {
                let limit = number("memory.max")?;
                // Text that is not a number is "max": the cgroup has no limit of its own. If the file is missing,
                // cgroups do not limit swap.
                let swap = folder.join("memory.swap.max").exists().then(|| {
                    let used = number("memory.swap.current").unwrap_or(0);
                    number("memory.swap.max").map_or(free_swap, |most| most.saturating_sub(used).min(free_swap))
                });
                let files = of("inactive_file").saturating_add(of("active_file"));
                (limit, number("memory.current").unwrap_or(0), files, swap.unwrap_or(0))
            }
        };
        // The first version writes "no limit" as a number close to 2^63.
        (limit < 1 << 62).then(|| limit.saturating_sub(used.saturating_sub(files)).saturating_add(swap))
    }
}

/// A place where memory cgroups are mounted.
struct Mount {
    /// The part of the tree that is mounted.
    shows: PathBuf,
    at: PathBuf,
}

impl Mount {
    /// The mount of this line of `mountinfo`, if it is one of memory cgroups of this version.
    fn of(line: &str, version: Version) -> Option<Self> {
        let (before, after) = line.split_once(" - ")?;
        let mut after = after.split(' ');
        let (kind, options) = (after.next()?, after.nth(1).unwrap_or_default());
        let fits = match version {
            Version::One => kind == "cgroup" && options.split(',').any(|option| option == "memory"),
            Version::Two => kind == "cgroup2",
        };
        let mut before = before.split(' ').skip(3);
        let (shows, at) = (before.next()?, before.next()?);
        let decoded = |text: &str| PathBuf::from(text.replace("\\040", " "));
        fits.then(|| Self { shows: decoded(shows), at: decoded(at) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GIB: u64 = 1 << 30;

    /// A system with 8 GiB of free memory, 1 GiB of free swap space, and these files.
    fn system(files: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        let machine = ("proc/meminfo", "MemTotal: 16777216 kB\nMemAvailable:    8388608 kB\nSwapFree: 1048576 kB\n");
        for (name, text) in [machine].iter().chain(files) {
            let path = root.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        root
    }

    fn of(files: &[(&str, &str)]) -> Available {
        below(system(files).path()).unwrap()
    }

    fn cgroup(bytes: u64, folder: &str) -> Available {
        Available { bytes, limit: Limit::Cgroup(folder.into()) }
    }

    #[test]
    fn without_limits_the_machine_counts() {
        assert_eq!(of(&[]), Available { bytes: 9 * GIB, limit: Limit::Machine });
        assert_eq!(below(tempfile::tempdir().unwrap().path()), None);
    }

    #[test]
    fn the_limits_of_a_shell_count() {
        let limits = "Limit                     Soft Limit           Hard Limit           Units     \n\
             Max data size             unlimited            unlimited            bytes     \n\
             Max address space         3221225472           unlimited            bytes     \n";
        let status = ("proc/self/status", "VmSize:\t 1048576 kB\nVmData:\t 4 kB\n");
        let found = of(&[("proc/self/limits", limits), status]);
        assert_eq!(found, Available { bytes: 2 * GIB, limit: Limit::Process("-v") });
        let data = limits.replace("Max data size             unlimited", "Max data size             1073741824");
        let found = of(&[("proc/self/limits", &data), status]);
        assert_eq!(found, Available { bytes: GIB - 4096, limit: Limit::Process("-d") });
    }

    #[test]
    fn cgroups_of_version_2_count_with_those_above_them() {
        let own = ("proc/self/cgroup", "0::/slurm/job_1/step_0\n");
        let mount =
            ("proc/self/mountinfo", "30 23 0:27 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n");
        let job = "sys/fs/cgroup/slurm/job_1";
        let file = |name: &str| format!("{job}/{name}");
        let files = [
            (file("step_0/memory.max"), "max".to_owned()),
            (file("memory.max"), format!("{}\n", 4 * GIB)),
            (file("memory.current"), format!("{}\n", 3 * GIB)),
            (file("memory.stat"), format!("anon 5\ninactive_file {}\nactive_file {GIB}\n", GIB / 2)),
        ];
        let mut all: Vec<(&str, &str)> = files.iter().map(|(name, text)| (&**name, &**text)).collect();
        all.extend([own, mount]);
        let left = 2 * GIB + GIB / 2;
        assert_eq!(of(&all), cgroup(left, "/sys/fs/cgroup/slurm/job_1"));
        // Swap space counts as far as the cgroup may use it.
        let [most, used] = [file("memory.swap.max"), file("memory.swap.current")];
        all.extend([(&*most, "max"), (&*used, "0")]);
        assert_eq!(of(&all).bytes, left + GIB);
        all.extend([(&*most, "4096"), (&*used, "0")]);
        assert_eq!(of(&all).bytes, left + 4096);
    }

    #[test]
    fn cgroups_of_version_1_count_also_where_a_container_sees_only_its_own() {
        let own = ("proc/self/cgroup", "5:cpu,cpuacct:/docker/ab\n4:memory:/docker/ab\n0::/\n");
        let unlimited = ("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
        for (shows, folder) in [("/docker/ab", "/sys/fs/cgroup/memory"), ("/", "/sys/fs/cgroup/memory/docker/ab")] {
            let mount = format!(
                "36 31 0:31 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n\
                 37 31 0:32 {shows} /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n"
            );
            let file = |name: &str| format!("{}/{name}", &folder[1..]);
            let [limit, used, stat] = ["memory.limit_in_bytes", "memory.usage_in_bytes", "memory.stat"].map(file);
            let (most, current) = (GIB.to_string(), (GIB / 2).to_string());
            let statistics = "cache 9\ntotal_inactive_file 4096\ntotal_active_file 0\n";
            let files = [
                own,
                unlimited,
                ("proc/self/mountinfo", &*mount),
                (&*limit, &*most),
                (&*used, &*current),
                (&*stat, statistics),
            ];
            assert_eq!(of(&files), cgroup(GIB / 2 + 4096, folder));
            assert_eq!(of(&[own, unlimited, ("proc/self/mountinfo", &*mount)]).limit, Limit::Machine);
        }
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn the_system_tells_what_it_has() {
        assert!(available().unwrap().bytes > 1 << 20);
    }
}
