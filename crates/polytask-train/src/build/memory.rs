//! What a network takes, before any of it is taken: a config may ask for more than the machine has, and a program whose
//! allocation fails ends without a word on which key asked for it.

use crate::Error;
use polytask_exec::Mode;
use polytask_graph::Graph;
use polytask_model::Device;
use polytask_model::memory::available;

/// Copies of the parameters that there are at least: those to start from, those that learn, those that are judged.
const COPIES: u64 = 3;

/// Refuses a network that cannot be trained in the memory that there is; where the system does not tell, none.
///
/// # Errors
/// It takes more.
pub(super) fn check(graph: &Graph, device: &Device, batch: usize) -> Result<(), Error> {
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
    refuse(copies.saturating_add(device.memory(graph, batch, Mode::Train) as u64))
}
