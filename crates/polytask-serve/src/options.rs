//! How a server is to run.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

/// How a server is to run.
#[derive(Clone, Debug)]
pub struct Options {
    /// The models by name, each with its directory. The first one answers where no name is said, if it is the only one.
    pub models: Vec<(String, PathBuf)>,
    /// The address to listen at.
    pub host: IpAddr,
    /// The port; 0 takes any free one.
    pub port: u16,
    /// What clients must show; needed where `host` is not loopback.
    pub token: Option<String>,
    /// Threads that predict, for each model.
    pub threads: usize,
    /// Rows run together at most.
    pub batch_rows: usize,
    /// How long the first request of a batch waits for others that are arriving.
    pub batch_wait: Duration,
    /// Bytes of a body at most.
    pub max_body: usize,
    /// Rows of a request at most.
    pub max_rows: usize,
    /// Rows times columns of a request at most.
    pub max_cells: usize,
    /// Fields of a form at most.
    pub max_fields: usize,
    /// Pixels of all images of a request at most, as their headers say.
    pub max_pixels: u64,
    /// Tokens of all texts of a request at most.
    pub max_tokens: usize,
    /// How long a request may take to arrive, and then to be answered.
    pub timeout: Duration,
    /// Connections at a time at most.
    pub max_connections: usize,
    /// How often the model directories are looked at for a new model; none: only on SIGHUP.
    pub watch: Option<Duration>,
}

impl Options {
    /// The customary settings.
    pub fn new(models: Vec<(String, PathBuf)>) -> Self {
        Options {
            models,
            host: IpAddr::from([127, 0, 0, 1]),
            port: 8080,
            token: None,
            threads: std::thread::available_parallelism().map_or(1, usize::from),
            batch_rows: 256,
            batch_wait: Duration::from_millis(1),
            max_body: 16 << 20,
            max_rows: 10_000,
            max_cells: 5_000_000,
            max_fields: 10_000,
            max_pixels: 100_000_000,
            max_tokens: 1_000_000,
            timeout: Duration::from_secs(30),
            max_connections: 10_000,
            watch: None,
        }
    }
}
