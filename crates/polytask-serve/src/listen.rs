//! Listening, and ending without losing a request.

use crate::io::Patient;
use crate::metrics::Metrics;
use crate::models::{LoadError, Served};
use crate::options::Options;
use crate::problem::{Kind, Problem};
use crate::routes::router;
use crate::server::Server;
use crate::work::{keep_to_this_thread, let_go_of_this_thread};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, sleep, timeout};

/// Why a server cannot run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// A model cannot be put to work.
    #[error("model {name}: {source}")]
    Model {
        /// Its name.
        name: String,
        /// What is wrong.
        source: LoadError,
    },
    /// The address cannot be listened at.
    #[error("cannot listen at {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// An address that others reach, and no token.
    #[error("{0} can be reached from other machines, and there is no token")]
    Open(SocketAddr),
    /// The system refuses threads or signals.
    #[error("cannot start the server: {0}")]
    Start(io::Error),
}

/// Connections taken on after the call to stop: those whose clients were already waiting.
const LAST_CALL: Duration = Duration::from_millis(100);
/// How long clients that keep their connections are answered after it, so that each is told once to go elsewhere.
const FAREWELL: Duration = Duration::from_secs(1);
/// Files besides connections.
const OTHER_FILES: u64 = 64;

/// Serves models until SIGTERM or Ctrl-C, then answers what has begun. `ready` is told the address.
///
/// # Errors
/// A model that cannot be loaded, an address that cannot be listened at or is open to others without a token.
pub fn serve(options: Options, ready: impl FnOnce(SocketAddr)) -> Result<(), ServeError> {
    let address = SocketAddr::new(options.host, options.port);
    if !options.host.is_loopback() && options.token.is_none() {
        return Err(ServeError::Open(address));
    }
    let metrics = Arc::new(Metrics::new(options.models.iter().map(|(name, _)| name.as_str())));
    let load = |(name, path): &(String, std::path::PathBuf)| {
        Served::load(name, path, &options, &metrics).map_err(|source| ServeError::Model { name: name.clone(), source })
    };
    let models = options.models.iter().map(load).collect::<Result<_, _>>()?;
    let connections = options.max_connections.min(allowed_files(options.max_connections as u64 + OTHER_FILES));
    let server = Arc::new(Server { options, models, metrics, stopping: AtomicBool::new(false) });
    // Half of the cores read and write, which takes less than predicting does; more would only wake each other.
    let network = std::thread::available_parallelism().map_or(1, |cores| cores.get().div_ceil(2));
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(network)
        .on_thread_start(keep_to_this_thread)
        .on_thread_stop(let_go_of_this_thread)
        .enable_all()
        .build()
        .map_err(ServeError::Start)?;
    runtime.block_on(async {
        let listener = listener(address).map_err(|source| ServeError::Listen { address, source })?;
        let stop = stop_signal().map_err(ServeError::Start)?;
        // From here on the signal no longer ends the process.
        #[cfg(unix)]
        let told = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::hangup()).map_err(ServeError::Start)?;
        #[cfg(not(unix))]
        let told = ();
        drop(tokio::spawn(reload(Arc::clone(&server), told)));
        ready(listener.local_addr().map_err(ServeError::Start)?);
        run(listener, server, connections, stop).await;
        Ok(())
    })
}

/// A listener with a queue that a burst of clients fits in.
fn listener(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => tokio::net::TcpSocket::new_v4()?,
        SocketAddr::V6(_) => tokio::net::TcpSocket::new_v6()?,
    };
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(4096)
}

/// How many connections the limit on open files leaves room for, after it was raised as far as it may be.
fn allowed_files(wanted: u64) -> usize {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        let now = getrlimit(Resource::Nofile);
        if now.current.is_some_and(|current| current < wanted) {
            let more = Rlimit { current: Some(now.maximum.map_or(wanted, |maximum| maximum.min(wanted))), ..now };
            // If it stays as it is, fewer connections are taken on.
            let _ = setrlimit(Resource::Nofile, more);
        }
        let current = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
        usize::try_from(current.saturating_sub(OTHER_FILES)).unwrap_or(usize::MAX).max(1)
    }
    #[cfg(not(unix))]
    usize::MAX
}

/// Takes connections on until the signal, then waits for those that have something to answer.
async fn run(listener: TcpListener, server: Arc<Server>, most: usize, stop: impl Future<Output = ()>) {
    let service = TowerToHyperService::new(router(Arc::clone(&server)));
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(server.options.timeout);
    let graceful = GracefulShutdown::new();
    let take = |stream: TcpStream| {
        let metrics = Arc::clone(&server.metrics);
        if metrics.connections.get() >= most as i64 {
            metrics.refused.inc();
            // Into the socket's own buffer, or not at all.
            let _ = stream.try_write(&Problem::new(Kind::Busy, "there are too many connections").raw());
            return;
        }
        metrics.connections.inc();
        // Answers are written whole; there is nothing to wait for.
        let _ = stream.set_nodelay(true);
        let io = TokioIo::new(Patient::new(stream, server.options.timeout));
        let connection = graceful.watch(http.serve_connection(io, service.clone()));
        tokio::spawn(async move {
            // A client that breaks off is no error of the server.
            let _ = connection.await;
            metrics.connections.dec();
        });
    };
    tokio::pin!(stop);
    loop {
        tokio::select! {
            biased;
            () = &mut stop => break,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => take(stream),
                Err(error) => rest(&error).await,
            },
        }
    }
    server.stopping.store(true, Relaxed);
    say!("stopping: answering what has begun");
    let end = Instant::now() + LAST_CALL;
    while let Ok(Ok((stream, _))) = timeout(end.saturating_duration_since(Instant::now()), listener.accept()).await {
        take(stream);
    }
    drop(listener);
    let end = Instant::now() + FAREWELL;
    while server.metrics.connections.get() > 0 && Instant::now() < end {
        sleep(Duration::from_millis(10)).await;
    }
    if timeout(server.options.timeout, graceful.shutdown()).await.is_err() {
        say!("stopped with requests unanswered after {} s", server.options.timeout.as_secs_f64());
    }
}

/// Waits where the system has no room for another connection; other errors concern one client alone.
async fn rest(error: &io::Error) {
    let client = matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionRefused
    );
    if !client {
        sleep(Duration::from_millis(20)).await;
    }
}

/// Ends with SIGTERM or Ctrl-C.
fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        Ok(async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        })
    }
    #[cfg(not(unix))]
    Ok(async {
        let _ = tokio::signal::ctrl_c().await;
    })
}

#[cfg(unix)]
type Told = tokio::signal::unix::Signal;
#[cfg(not(unix))]
type Told = ();

/// Loads models anew on SIGHUP and, if that is wanted, when their directories change.
async fn reload(server: Arc<Server>, mut told: Told) {
    loop {
        let looked = async {
            match server.options.watch {
                Some(every) => sleep(every).await,
                None => std::future::pending().await,
            }
        };
        let always = tokio::select! {
            () = hangup(&mut told) => true,
            () = looked => false,
        };
        let server = Arc::clone(&server);
        // Reading a model takes a while.
        let reload = move || server.models.iter().for_each(|m| m.reload(always, &server.options, &server.metrics));
        let _ = tokio::task::spawn_blocking(reload).await;
    }
}

#[cfg(unix)]
async fn hangup(told: &mut Told) {
    told.recv().await;
}

#[cfg(not(unix))]
async fn hangup(_: &mut Told) {
    std::future::pending::<()>().await;
}
