//! Python asks the program, or what it wrote, where Python is there.

use super::{Folder, repository};
use std::process::Command;

/// Runs a script of the repository in a folder with `$POLYTASK_PYTHON`, or `python3`; it must end with 0, or with 77 where a
/// package that it needs is not there, which is said.
pub fn python(folder: &Folder, script: &str, arguments: &[&str]) {
    let python = std::env::var("POLYTASK_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let ran = Command::new(&python).arg(repository(script)).args(arguments).current_dir(folder.path("")).output();
    let Ok(ran) = ran else { return eprintln!("skipped: there is no {python}") };
    let (out, err) = (String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    match ran.status.code() {
        Some(0) => eprintln!("{out}"),
        Some(77) => eprintln!("skipped: {out}"),
        _ => panic!("{out}\n{err}"),
    }
}
