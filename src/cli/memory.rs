//! How much memory this process may use.

use std::fs;

/// Bytes of memory of this machine, or of the container in it; `None` if the system does not say.
pub(super) fn of_machine() -> Option<u64> {
    let machine = fs::read_to_string("/proc/meminfo").ok().and_then(|text| total(&text));
    // "max" where there is no limit.
    let container =
        fs::read_to_string("/sys/fs/cgroup/memory.max").ok().and_then(|text| text.trim().parse().ok());
    machine.into_iter().chain(container).min()
}

/// The line `MemTotal` of `/proc/meminfo`, in bytes.
fn total(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes << 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn total_memory_is_read_in_bytes() {
        let meminfo = "MemTotal:       24603092 kB\nMemFree:        20000000 kB\n";
        assert_eq!(total(meminfo), Some(24_603_092 << 10));
        assert_eq!(total("MemFree: 1 kB\n"), None);
    }
}
