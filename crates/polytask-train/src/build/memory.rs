//! What a network takes, before any of it is taken: a config may ask for more than the machine has, and a program whose
//! allocation fails ends without a word on which key asked for it.

use crate::Error;
use polytask_cpu::{Groups, Plan};
use polytask_exec::Mode;
use polytask_graph::Graph;

/// Copies of the parameters that there are at least: those to start from, those that learn, those that are judged.
const COPIES: u64 = 3;

/// Refuses a network that cannot be trained in the memory that there is; where the system does not tell, none.
///
/// # Errors
/// It takes more.
pub(super) fn check(graph: &Graph, batch: usize) -> Result<(), Error> {
    let there = available();
    let parameters = graph.parameters().iter().map(|p| p.dims.iter().map(|dim| *dim as u64).product::<u64>());
    let parameters = parameters.fold(0, u64::saturating_add);
    let copies = parameters.saturating_mul(4 * COPIES);
    let refuse = |needed: u64| match there.filter(|there| needed > *there) {
        Some(there) => Err(Error::Memory { needed, there, parameters, batch }),
        None => Ok(()),
    };
    // A plan has the places of all values, and is no small thing itself where there are very many.
    refuse(copies)?;
    let plan = Plan::new(graph, batch, Mode::Train, &Groups::merged(graph));
    refuse(copies.saturating_add(plan.memory() as u64))
}

/// Bytes that may still be allocated.
fn available() -> Option<u64> {
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
