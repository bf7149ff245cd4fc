//! `polytask data`: data sets made from others.

mod multimnist;

use crate::failure::Failure;
use clap::Subcommand;

/// Make a data set from another one
#[derive(clap::Args)]
pub struct Data {
    #[command(subcommand)]
    make: Make,
}

/// What to make.
#[derive(Subcommand)]
enum Make {
    /// Two overlapping items in each image, with a left and a right label
    Multimnist(multimnist::Multimnist),
}

impl Data {
    pub fn run(self) -> Result<(), Failure> {
        match self.make {
            Make::Multimnist(command) => command.run(),
        }
    }
}
