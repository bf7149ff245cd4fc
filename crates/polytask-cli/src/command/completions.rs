//! `polytask completions`

use super::program;
use crate::failure::Failure;
use clap_complete::Shell;

/// Print what a shell completes commands and options by
///
/// bash: polytask completions bash > ~/.local/share/bash-completion/completions/polytask;
/// zsh: polytask completions zsh > ~/.zfunc/_polytask, with ~/.zfunc in fpath;
/// fish: polytask completions fish > ~/.config/fish/completions/polytask.fish
#[derive(clap::Args)]
pub struct Completions {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

impl Completions {
    pub fn run(self) -> Result<(), Failure> {
        let mut text = Vec::new();
        clap_complete::generate(self.shell, &mut program(), "polytask", &mut text);
        super::print(&String::from_utf8_lossy(&text))
    }
}
