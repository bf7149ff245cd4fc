//! Processes that a launcher such as `mpirun` started to train one model together.

use crate::failure::Failure;
use polytask::{Device, Plan, Prepared};

/// The variables by which launchers say how many processes there are, and how many of them on this machine.
const SIZES: [&str; 3] = ["OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "MPI_LOCALNRANKS"];
const LOCAL: [&str; 2] = ["OMPI_COMM_WORLD_LOCAL_SIZE", "MPI_LOCALNRANKS"];

fn number(names: &[&str]) -> Option<usize> {
    names.iter().find_map(|name| std::env::var(name).ok()?.parse().ok())
}

/// How many processes a launcher has started; 1 where there is none.
pub fn started() -> usize {
    number(&SIZES).unwrap_or(1).max(1)
}

/// How many of them share this machine's cores.
pub fn on_this_machine() -> usize {
    number(&LOCAL).filter(|_| started() > 1).unwrap_or(1).max(1)
}

/// What trains with this process.
pub struct Ranks {
    /// This process's number, from 0: the first one speaks and writes.
    pub rank: usize,
    #[cfg(feature = "mpi")]
    session: Option<polytask_mpi::Session>,
}

impl Ranks {
    /// Joins the others, where a launcher has started several.
    ///
    /// # Errors
    /// A program that was built without MPI, a library that cannot be begun.
    pub fn join() -> Result<Self, Failure> {
        if started() == 1 {
            return Ok(Ranks::alone());
        }
        Ranks::among(started())
    }

    #[cfg(not(feature = "mpi"))]
    fn alone() -> Self {
        Ranks { rank: 0 }
    }

    #[cfg(not(feature = "mpi"))]
    fn among(started: usize) -> Result<Self, Failure> {
        Err(Failure::NoMpi(started))
    }

    #[cfg(feature = "mpi")]
    fn alone() -> Self {
        Ranks { rank: 0, session: None }
    }

    #[cfg(feature = "mpi")]
    fn among(started: usize) -> Result<Self, Failure> {
        use polytask::exec::Collective;
        let session = polytask_mpi::begin().ok_or(Failure::NoMpi(started))?;
        let world = session.world();
        if world.rank() > 0 {
            crate::text::be_silent();
        }
        Ok(Ranks { rank: world.rank(), session: Some(session) })
    }

    /// Where a model is trained: on the CPUs of all of them.
    #[cfg(feature = "mpi")]
    pub fn device(&self) -> Device {
        match &self.session {
            Some(session) => Device::default().among(std::sync::Arc::new(session.world())),
            None => Device::default(),
        }
    }

    /// Where a model is trained.
    #[cfg(not(feature = "mpi"))]
    pub fn device(&self) -> Device {
        Device::default()
    }

    /// Ends the work of all together. Where it failed here the others are ended too, and nobody waits.
    ///
    /// # Errors
    /// What failed.
    #[cfg_attr(not(feature = "mpi"), allow(clippy::unused_self, reason = "there is nobody to end"))]
    pub fn finish(self, done: Result<(), Failure>) -> Result<(), Failure> {
        #[cfg(feature = "mpi")]
        if let (Some(session), Err(failure)) = (&self.session, &done) {
            crate::text::shout(&format!("error: process {}: {failure}", self.rank));
            if let Some(hint) = failure.hint() {
                say!("hint: {hint}");
            }
            session.abort(failure.exit_code());
        }
        done
    }
}

/// Threads of a process that shares its machine with others; none where it has it for itself.
pub fn threads() -> Option<u16> {
    let own = on_this_machine();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    (own > 1).then(|| u16::try_from((cores / own).max(1)).unwrap_or(u16::MAX))
}

/// Refuses processes of which one is another program, or has another config or other data.
///
/// # Errors
/// They differ.
pub fn agree(prepared: &Prepared, plan: &Plan) -> Result<(), Failure> {
    let collective = prepared.device.collective();
    if collective.size() == 1 {
        return Ok(());
    }
    let config = plan.config().to_toml().map_err(polytask::Error::from)?;
    let job = plan.job(prepared).map(|job| job.fingerprint()).transpose().map_err(polytask::FitError::from)?;
    let parts = [
        ("different versions of the program", crc32c::crc32c(crate::version::long().as_bytes())),
        ("different configs", crc32c::crc32c(config.as_bytes())),
        ("different data", job.unwrap_or_default()),
    ];
    match parts.into_iter().find(|(_, hash)| !collective.agree(u64::from(*hash))) {
        Some((what, _)) => Err(Failure::RanksDiffer(what)),
        None => Ok(()),
    }
}

/// What is to be said of several processes.
pub fn said(prepared: &Prepared, plan: &Plan) -> Option<String> {
    let size = prepared.device.collective().size();
    let network = plan.network().is_some_and(|build| build.config.model.sharing.linear().is_none());
    (size > 1).then(|| match network {
        true => format!("{size} processes train together"),
        false => format!(
            "{size} processes were started; the first fits the model alone, since only networks are trained together"
        ),
    })
}
