//! `polytask man`

use super::program;
use crate::failure::Failure;
use clap_mangen::Man as Page;
use polytask::files;
use std::path::PathBuf;

/// Write manual pages, one for the program and one a command
///
/// `man DIR/polytask-train.1` shows one; ~/.local/share/man/man1 is where `man polytask-train` looks.
#[derive(clap::Args)]
pub struct Man {
    /// The folder to write to
    #[arg(long)]
    out: PathBuf,
}

impl Man {
    pub fn run(self) -> Result<(), Failure> {
        files::make_folder(&self.out)?;
        let mut program = program().disable_help_subcommand(true);
        program.build();
        let pages = self.pages("polytask", &program)?;
        say!("wrote {}", crate::text::counted(pages, "page"));
        Ok(())
    }

    /// Writes the page of a command and those of the commands below it; how many these are.
    fn pages(&self, name: &str, command: &clap::Command) -> Result<usize, Failure> {
        let mut text = Vec::new();
        // The manual has no place for the lines that `--version` adds.
        let own = command.clone().name(name.to_owned()).version(env!("CARGO_PKG_VERSION")).long_version(None);
        Page::new(own).render(&mut text)?;
        files::write(&self.out.join(format!("{name}.1")), &text)?;
        let below = command.get_subcommands().map(|below| self.pages(&format!("{name}-{}", below.get_name()), below));
        Ok(1 + below.sum::<Result<usize, Failure>>()?)
    }
}
