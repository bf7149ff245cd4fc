//! Several processes at one training: a [`Collective`](polytask_exec::Collective) over MPI, by the crate `mpi` (rsmpi).
//!
//! The library's own all-reduce may add in any order. Sums are made here along the same tree over ranks as lanes are added
//! within one ([`tree`](polytask_exec::tree)), by sends and receives, and then broadcast: the same bits as one process.
//!
//! Without the feature `mpi` the crate is empty.

#![cfg(feature = "mpi")]
#![forbid(unsafe_code)]

use mpi::Threading;
use mpi::environment::Universe;
use mpi::topology::SimpleCommunicator;
use mpi::traits::{Communicator, CommunicatorCollectives, Destination, Equivalence, Root, Source};
use polytask_exec::Collective;
use std::ops::AddAssign;

/// MPI at work; it ends when this is dropped, once all processes have come that far.
pub struct Session(Universe);

/// The processes that a launcher such as `mpirun` started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct World {
    rank: usize,
    size: usize,
}

/// Begins MPI; none where it has begun already, or its library cannot be called from several threads in turn.
pub fn begin() -> Option<Session> {
    let (universe, threading) = mpi::initialize_with_threading(Threading::Serialized)?;
    (threading >= Threading::Serialized).then(|| Session(universe))
}

impl Session {
    /// Ends all processes, whatever they are at, with this exit status.
    pub fn abort(&self, status: u8) -> ! {
        self.0.world().abort(i32::from(status))
    }

    /// All processes.
    pub fn world(&self) -> World {
        let world = self.0.world();
        World { rank: world.rank().unsigned_abs() as usize, size: world.size().unsigned_abs() as usize }
    }
}

fn world() -> SimpleCommunicator {
    SimpleCommunicator::world()
}

/// Scalars sent at once: a message's length is counted in 31 bits.
const MOST: usize = 1 << 28;

/// Adds what the first `holders` ranks have, neighbours in pairs, and hands the sum to all.
fn sum<T: Equivalence + Copy + Default + AddAssign>(own: World, values: &mut [T], holders: usize) {
    for part in values.chunks_mut(MOST) {
        let world = world();
        let mut other = Vec::new();
        let mut apart = 1;
        while apart < holders {
            if own.rank < holders && own.rank.is_multiple_of(2 * apart) {
                if own.rank + apart < holders {
                    other.resize(part.len(), T::default());
                    world.process_at_rank((own.rank + apart) as i32).receive_into(&mut other[..]);
                    part.iter_mut().zip(&other).for_each(|(sum, value)| *sum += *value);
                }
            } else if own.rank < holders && own.rank.is_multiple_of(apart) {
                world.process_at_rank((own.rank - apart) as i32).send(&*part);
            }
            apart *= 2;
        }
        world.process_at_rank(0).broadcast_into(part);
    }
}

impl Collective for World {
    fn rank(&self) -> usize {
        self.rank
    }

    fn size(&self) -> usize {
        self.size
    }

    fn sum(&self, values: &mut [f32], holders: usize) {
        sum(*self, values, holders);
    }

    fn sum_f64(&self, values: &mut [f64], holders: usize) {
        sum(*self, values, holders);
    }

    fn union(&self, values: &mut Vec<u32>) {
        let world = world();
        let mut counts = vec![0u64; self.size];
        world.all_gather_into(&(values.len() as u64), &mut counts[..]);
        // Every rank's list in turn: lists are short beside the rows that they are of.
        let mut all = Vec::with_capacity(counts.iter().sum::<u64>() as usize);
        for (rank, count) in counts.iter().enumerate() {
            let mut part = if rank == self.rank { std::mem::take(values) } else { vec![0; *count as usize] };
            world.process_at_rank(rank as i32).broadcast_into(&mut part[..]);
            all.extend(part);
        }
        all.sort_unstable();
        all.dedup();
        *values = all;
    }

    fn agree(&self, value: u64) -> bool {
        let mut all = vec![0u64; self.size];
        world().all_gather_into(&value, &mut all[..]);
        all.iter().all(|other| *other == value)
    }
}
