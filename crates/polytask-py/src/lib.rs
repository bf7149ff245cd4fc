//! The Python module `polytask._polytask`: the façade as Python calls it. Data come as Arrow arrays, answers leave as NumPy
//! arrays and JSON; what is pleasant to use is written in Python around it.

mod balance;
mod callback;
mod check;
mod config;
mod errors;
mod experiment;
mod explain;
#[cfg(feature = "export")]
mod export;
mod frame;
mod give;
mod model;
mod prediction;
#[cfg(feature = "report")]
mod report;
mod run;
#[cfg(feature = "serve")]
mod serve;
mod study;
mod work;

use pyo3::prelude::*;

#[pymodule]
mod _polytask {
    #[pymodule_export]
    use super::balance::{Balancer, methods};
    #[pymodule_export]
    use super::check::check;
    #[pymodule_export]
    use super::experiment::Experiment;
    #[pymodule_export]
    use super::explain::explain;
    #[cfg(feature = "export")]
    #[pymodule_export]
    use super::export::export;
    #[pymodule_export]
    use super::frame::Frame;
    #[pymodule_export]
    use super::model::Model;
    #[cfg(feature = "report")]
    #[pymodule_export]
    use super::report::{card, report};
    #[pymodule_export]
    use super::run::Run;
    #[cfg(feature = "serve")]
    #[pymodule_export]
    use super::serve::serve;
    #[pymodule_export]
    use super::study::{compare, select, tune};
    use pyo3::prelude::*;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}
