//! Methods that combine the gradients of the tasks.

pub(crate) mod aligned;
pub(crate) mod cagrad;
pub(crate) mod config;
pub(crate) mod dbmtl;
pub(crate) mod dualproj;
pub(crate) mod fairgrad;
pub(crate) mod graddrop;
pub(crate) mod gradvac;
pub(crate) mod imtl;
pub(crate) mod imtl_g;
pub(crate) mod krum;
pub(crate) mod metabalance;
pub(crate) mod mgda;
pub(crate) mod moco;
pub(crate) mod modo;
pub(crate) mod nash;
pub(crate) mod pcgrad;
pub(crate) mod sdmgrad;
pub(crate) mod trimmed_mean;
pub(crate) mod upgrad;
