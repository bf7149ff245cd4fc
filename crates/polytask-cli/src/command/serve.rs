//! `polytask serve`

use crate::failure::Failure;
use clap::builder::RangedU64ValueParser;
use polytask::files::read_text;
use polytask_serve::Options;
use std::env::VarError;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Answer requests for predictions over HTTP
///
/// POST rows as JSON, CSV, JSON lines, Arrow IPC or a form with images to /v1/predict, and get a prediction a row. The page
/// at / lets people try it, /openapi.json describes it, /metrics is for Prometheus. SIGHUP loads the models anew, SIGTERM
/// ends the server when all that has begun is answered.
#[derive(clap::Args)]
pub struct Serve {
    /// Model directories, each as DIR or NAME=DIR; without a name it is that of the directory
    #[arg(required = true, value_name = "DIR")]
    models: Vec<String>,
    /// The address to listen at; one that other machines reach needs a token
    #[arg(long, default_value = "127.0.0.1")]
    host: IpAddr,
    /// The port to listen at; 0 takes a free one
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// A file with the bearer token that clients must send [default: the environment's POLYTASK_TOKEN, if it is set]
    #[arg(long)]
    token_file: Option<PathBuf>,
    /// Threads that predict, for each model [default: all cores]
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    /// Requests that are run together at most
    #[arg(long, value_name = "N", default_value_t = 256, value_parser = RangedU64ValueParser::<usize>::new().range(1..=65_536))]
    batch: usize,
    /// Milliseconds that a request waits for others which are arriving
    #[arg(long, value_name = "MS", default_value_t = 1, value_parser = clap::value_parser!(u64).range(0..=10_000))]
    batch_wait: u64,
    /// Megabytes of a body at most
    #[arg(long, value_name = "MB", default_value_t = 16, value_parser = RangedU64ValueParser::<usize>::new().range(1..=4096))]
    max_body: usize,
    /// Rows of a request at most
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = RangedU64ValueParser::<usize>::new().range(1..=10_000_000))]
    max_rows: usize,
    /// Rows times columns of a request at most
    #[arg(long, value_name = "N", default_value_t = 5_000_000, value_parser = RangedU64ValueParser::<usize>::new().range(1..=1_000_000_000))]
    max_cells: usize,
    /// Fields of a form at most
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = RangedU64ValueParser::<usize>::new().range(1..=10_000_000))]
    max_fields: usize,
    /// Millions of pixels of all images of a request at most
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    max_pixels: u64,
    /// Tokens of all texts of a request at most
    #[arg(long, value_name = "N", default_value_t = 1_000_000, value_parser = RangedU64ValueParser::<usize>::new().range(1..=1_000_000_000))]
    max_tokens: usize,
    /// Seconds that a request may take to arrive, and then to be answered
    #[arg(long, value_name = "S", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    timeout: u64,
    /// Connections at a time at most
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = RangedU64ValueParser::<usize>::new().range(1..=1_000_000))]
    max_connections: usize,
    /// Load a model anew when its directory has changed, not only on SIGHUP
    #[arg(long)]
    watch: bool,
}

/// The environment variable with the token.
const TOKEN: &str = "POLYTASK_TOKEN";

impl Serve {
    pub fn run(self) -> Result<(), Failure> {
        let models = self.models.iter().map(|text| named(text)).collect::<Result<Vec<_>, _>>()?;
        for (i, (name, _)) in models.iter().enumerate() {
            if models.iter().take(i).any(|(other, _)| other == name) {
                return Err(Failure::SameName(name.clone()));
            }
        }
        let mut options = Options::new(models);
        options.threads = self.threads.map_or(options.threads, usize::from);
        let options = Options {
            host: self.host,
            port: self.port,
            token: self.token()?,
            batch_rows: self.batch,
            batch_wait: Duration::from_millis(self.batch_wait),
            max_body: self.max_body << 20,
            max_rows: self.max_rows,
            max_cells: self.max_cells,
            max_fields: self.max_fields,
            max_pixels: self.max_pixels * 1_000_000,
            max_tokens: self.max_tokens,
            timeout: Duration::from_secs(self.timeout),
            max_connections: self.max_connections,
            watch: self.watch.then_some(Duration::from_secs(1)),
            ..options
        };
        let names: Vec<String> = options.models.iter().map(|(name, _)| name.clone()).collect();
        let ready = |address| say!("serving {} at http://{address}", names.join(", "));
        Ok(polytask_serve::serve(options, ready)?)
    }

    fn token(&self) -> Result<Option<String>, Failure> {
        let (text, place) = match (&self.token_file, std::env::var(TOKEN)) {
            (Some(path), _) => (read_text(path)?, path.display().to_string()),
            (None, Ok(text)) => (text, TOKEN.to_owned()),
            (None, Err(VarError::NotPresent)) => return Ok(None),
            (None, Err(VarError::NotUnicode(_))) => return Err(Failure::Token(TOKEN.to_owned())),
        };
        let token = text.trim();
        match token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            true => Err(Failure::Token(place)),
            false => Ok(Some(token.to_owned())),
        }
    }
}

/// Name and directory of a model.
fn named(text: &str) -> Result<(String, PathBuf), Failure> {
    if let Some((name, path)) = text.split_once('=').filter(|(name, _)| !name.contains(['/', '\\'])) {
        return match is_name(name) {
            true => Ok((name.to_owned(), path.into())),
            false => Err(Failure::ModelName(text.to_owned())),
        };
    }
    let path = Path::new(text);
    let whole = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    match whole.file_name().and_then(|name| name.to_str()).filter(|name| is_name(name)) {
        Some(name) => Ok((name.to_owned(), path.to_owned())),
        None => Err(Failure::ModelName(text.to_owned())),
    }
}

/// Whether it can stand in a path of a URL as it is.
fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte))
}
