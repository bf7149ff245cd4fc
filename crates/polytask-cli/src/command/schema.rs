//! `polytask schema`

use super::print_json;
use crate::failure::Failure;

/// Print the JSON schema of the config
#[derive(clap::Args)]
pub struct Schema {}

impl Schema {
    pub fn run(self) -> Result<(), Failure> {
        print_json(&polytask::config::Config::schema())
    }
}
