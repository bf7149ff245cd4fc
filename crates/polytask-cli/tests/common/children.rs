//! The program run beside the test, and interrupted.

use super::{Done, Folder};
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};

/// Starts the program, interrupts it as Ctrl-C does once it has shown a line that starts with `until` on standard
/// error, and waits for its end.
pub fn interrupted(folder: &Folder, arguments: &str, until: &str) -> Done {
    ended(folder, arguments, until, "-INT")
}

/// The same with any signal, as `kill` knows it.
pub fn ended(folder: &Folder, arguments: &str, until: &str, signal: &str) -> Done {
    let arguments: Vec<&str> = arguments.split_whitespace().collect();
    let mut child: Child = folder.command(&arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut words = String::new();
    loop {
        let start = words.len();
        let read = stderr.read_line(&mut words).unwrap();
        assert!(read > 0, "the program ended before `{until}`:\n{words}");
        if words[start..].starts_with(until) {
            break;
        }
    }
    let sent = Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
    stderr.read_to_string(&mut words).unwrap();
    let mut output = child.wait_with_output().unwrap();
    output.stderr = words.into_bytes();
    Done::of(output)
}
