//! How much memory there is to work with.

use std::fs::read_to_string;

/// Tells how much memory is free.
pub trait Memory: Send + Sync {
    /// How many bytes this process can take beside those it has; `None` where nobody knows.
    fn free(&self) -> Option<u64>;
}

/// The memory of the system, of the container, and of the limit that the process is told of: the least of what is left.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemMemory {
    limit: Option<u64>,
}

impl SystemMemory {
    /// The system's memory, of which this process may have so many bytes in all.
    pub const fn limited_to(bytes: u64) -> Self {
        Self { limit: Some(bytes) }
    }
}

impl Memory for SystemMemory {
    fn free(&self) -> Option<u64> {
        let read = |path| read_to_string(path).ok();
        let system = read("/proc/meminfo").and_then(|text| kibibytes(&text, "MemAvailable:"));
        let container = read("/sys/fs/cgroup/memory.max").and_then(|most| {
            left_of_container(&most, &read("/sys/fs/cgroup/memory.current")?, &read("/sys/fs/cgroup/memory.stat")?)
        });
        let taken = || kibibytes(&read("/proc/self/status")?, "VmRSS:");
        let own = self.limit.and_then(|limit| Some(limit.saturating_sub(taken()?)));
        [system, container, own].into_iter().flatten().min()
    }
}

/// The number of a line such as `MemAvailable:   123 kB`, in bytes.
fn kibibytes(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

/// What is left of the memory of a control group (Linux's cgroup v2); pages of files that can be dropped are free. `None`
/// where the group has no limit.
fn left_of_container(most: &str, current: &str, stat: &str) -> Option<u64> {
    let most = most.trim().parse::<u64>().ok()?;
    let droppable = stat.lines().find_map(|line| line.strip_prefix("inactive_file "))?.trim().parse::<u64>().ok()?;
    Some((most + droppable).saturating_sub(current.trim().parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_of_what_is_left_counts() {
        let free = SystemMemory::default().free().unwrap();
        assert!(free > 1 << 20, "{free}");
        // More than this process has already: nothing is left.
        assert_eq!(SystemMemory::limited_to(4096).free(), Some(0));
        assert!(SystemMemory::limited_to(u64::MAX).free().is_some());
    }

    #[test]
    fn the_files_of_linux_are_understood() {
        let status = "VmHWM:\t   9000 kB\nVmRSS:\t   1024 kB\n";
        assert_eq!(kibibytes(status, "VmRSS:"), Some(1 << 20));
        assert_eq!(kibibytes(status, "MemAvailable:"), None);
        assert_eq!(left_of_container("1000\n", "900\n", "anon 1\ninactive_file 300\n"), Some(400));
        assert_eq!(left_of_container("100\n", "900\n", "inactive_file 0\n"), Some(0));
        assert_eq!(left_of_container("max\n", "900\n", "inactive_file 0\n"), None);
    }
}
