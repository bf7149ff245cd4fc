//! Models over HTTP.

use crate::errors;
use polytask_serve::Options;
use pyo3::prelude::*;
use std::net::IpAddr;
use std::path::PathBuf;

/// Serves model directories, by name, until Ctrl-C or SIGTERM; `ready` is called with the address.
#[pyfunction]
pub fn serve(
    py: Python<'_>,
    models: Vec<(String, PathBuf)>,
    host: &str,
    port: u16,
    token: Option<String>,
    threads: Option<u16>,
    ready: Py<PyAny>,
) -> PyResult<()> {
    let host: IpAddr = host.parse().map_err(|_| {
        let hint = Some("for example \"127.0.0.1\"".to_owned());
        errors::raise(errors::Kind::Config, &format!("host is {host:?}, which is no address"), hint)
    })?;
    let customary = Options::new(models);
    let threads = threads.map_or(customary.threads, usize::from);
    let options = Options { host, port, token, threads, ..customary };
    let mut raised = None;
    let told = |address: std::net::SocketAddr| {
        raised = Python::attach(|py| ready.call1(py, (address.to_string(),)).err());
    };
    py.detach(|| polytask_serve::serve(options, told))
        .map_err(|error| errors::raise(errors::Kind::Config, &error.to_string(), None))?;
    raised.map_or(Ok(()), Err)
}
