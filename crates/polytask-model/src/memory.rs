//! The memory that there is. Whoever is about to allocate what a config or a file asks for looks here first: a program whose
//! allocation fails ends without a word on what asked for it.

/// Bytes that may still be allocated; none where the system does not tell.
pub fn available() -> Option<u64> {
    let read = |path: &str| std::fs::read_to_string(path).ok();
    let line = |text: &str, key: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(key))?;
        line.split_whitespace().find_map(|word| word.parse::<u64>().ok())
    };
    let free = read("/proc/meminfo")
        .and_then(|text| Some(1024 * (line(&text, "MemAvailable:")? + line(&text, "SwapFree:").unwrap_or(0))));
    // `ulimit -v`, without what the program has already.
    let own = || 1024 * read("/proc/self/status").and_then(|text| line(&text, "VmSize:")).unwrap_or(0);
    let limit = read("/proc/self/limits").and_then(|text| line(&text, "Max address space"));
    let limit = limit.map(|limit| limit.saturating_sub(own()));
    // A container's.
    let number = |path: &str| read(path)?.trim().parse::<u64>().ok();
    let group = number("/sys/fs/cgroup/memory.max")
        .map(|most| most.saturating_sub(number("/sys/fs/cgroup/memory.current").unwrap_or(0)));
    [free, limit, group].into_iter().flatten().min()
}
