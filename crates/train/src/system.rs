//! Reads information about this process and this computer from the operating system (Linux).

/// Seconds that all threads of this process have computed since it started.
pub fn cpu_seconds() -> f64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 * 1e-9
}

/// The memory of this process in bytes, where the system reports it (Linux).
pub(crate) fn resident_bytes() -> Option<u64> {
    // Field 24 of stat and field 2 of statm count pages; status gives kibibytes, whatever the page size.
    let kibibytes = field_of("/proc/self/status", "VmRSS", ':')?;
    kibibytes.strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kibibytes| kibibytes * 1024)
}

/// The peak memory of this process in bytes, where the system reports it (Linux).
pub(crate) fn peak_resident_bytes() -> Option<u64> {
    let kibibytes = field_of("/proc/self/status", "VmHWM", ':')?;
    kibibytes.strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kibibytes| kibibytes * 1024)
}

/// The first value of `key` in a file of `key<separator>value` lines.
pub(crate) fn field_of(path: &str, key: &str, separator: char) -> Option<String> {
    let text = std::fs::read_to_string(path).ok()?;
    text.lines().find_map(|line| {
        let (name, value) = line.split_once(separator)?;
        (name.trim() == key).then(|| value.trim().to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn computing_takes_time_of_the_processor() {
        // All threads together cannot compute for longer than all cores have existed.
        let cores = std::thread::available_parallelism().unwrap().get() as f64;
        let (before, began) = (cpu_seconds(), std::time::Instant::now());
        let mut number = 1u64;
        while cpu_seconds() < before + 0.05 {
            number = std::hint::black_box(number.wrapping_mul(3));
        }
        let (computed, passed) = (cpu_seconds() - before, began.elapsed().as_secs_f64());
        assert!(computed <= 1.1 * cores * passed + 0.02, "{computed} s on {cores} cores in {passed} s, {number}");
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn resident_memory_covers_allocations() {
        let block = std::hint::black_box(vec![1u8; 64 << 20]);
        assert!(resident_bytes().unwrap() >= block.len() as u64);
    }
}
