//! A contestant of a comparison: a child process, or the matrix product that the machine is measured with.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::thread::JoinHandle;

use crate::protocol::{Answers, Farewell, Lap, Unavailable};
use crate::sgemm::Sgemm;
use crate::workload::{Peer, Work, Workload};
use crate::{Error, Result};

/// A contestant that is ready to run.
pub enum Contestant {
    /// A process that speaks the protocol.
    Process(Process),
    /// The matrix product, inside this process.
    Sgemm(Sgemm),
}

impl Contestant {
    /// Runs `steps` steps.
    ///
    /// # Errors
    /// A process that ended or broke the protocol.
    pub fn run(&mut self, steps: u64) -> Result<Lap> {
        match self {
            Self::Process(process) => process.run(steps),
            Self::Sgemm(sgemm) => Ok(sgemm.run(steps)),
        }
    }

    /// Ends it, and tells a process's peak memory in kB.
    ///
    /// # Errors
    /// A process that ended or broke the protocol.
    pub fn quit(self) -> Result<Option<u64>> {
        match self {
            Self::Process(process) => process.quit().map(Some),
            Self::Sgemm(_) => Ok(None),
        }
    }
}

/// The command that runs polytask: this very program as a worker.
///
/// # Errors
/// Where the system cannot name this program.
pub fn own(work: Work, threads: usize) -> Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["worker", work.workload.name(), "--threads", &threads.to_string()]);
    match work.workload {
        Workload::Mmoe | Workload::Ple => command.args(["--expert", &work.expert.to_string()]),
        _ => command.args(work.arguments()),
    };
    command.args(work.low_memory.then_some("--low-memory")).args(work.unfused.then_some("--unfused"));
    Ok(command)
}

/// The command that runs a peer's script.
pub fn script(peer: &Peer, work: Work, python: &Path, threads: usize) -> Command {
    let mut command = python_script(peer.script, python, threads);
    command.args(work.peer_arguments()).args(peer.options);
    command
}

/// The command that runs a script under `peers/`.
pub fn python_script(name: &str, python: &Path, threads: usize) -> Command {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers");
    let mut command = Command::new(python);
    command.env("PYTHONDONTWRITEBYTECODE", "1");
    command.arg(folder.join(name)).args(["--threads", &threads.to_string()]);
    command
}

/// A child process that speaks the protocol. Dropping it ends it.
pub struct Process {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    /// Reads what the child writes on standard error, and returns its last words.
    errors: Option<JoinHandle<String>>,
}

impl Process {
    /// Starts a command and waits until it is ready.
    ///
    /// # Errors
    /// [`Error::Start`] if there is no such program, [`Error::Unavailable`] if it says that it cannot take part,
    /// [`Error::Ended`] if it ends before it is ready.
    pub fn start(mut command: Command) -> Result<Self> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let spawned = command.spawn();
        let program = command.get_program().to_string_lossy().into_owned();
        let mut child = spawned.map_err(|source| Error::Start { program, source })?;
        let missing = || Error::Ended("its streams are closed".to_owned());
        let input = child.stdin.take().ok_or_else(missing)?;
        let output = BufReader::new(child.stdout.take().ok_or_else(missing)?);
        let stderr = BufReader::new(child.stderr.take().ok_or_else(missing)?);
        // Read all along, or a talkative child would fill the pipe and wait for ever.
        let errors = std::thread::spawn(move || {
            let lines = stderr.lines().map_while(std::io::Result::ok);
            lines.filter(|line| !line.trim().is_empty()).last().unwrap_or_default()
        });
        let mut process = Self { child, input, output, errors: Some(errors) };
        let line = process.line()?;
        if line == "ready" {
            return Ok(process);
        }
        match serde_json::from_str::<Unavailable>(&line) {
            Ok(answer) => Err(Error::Unavailable(answer.unavailable)),
            Err(_) => Err(Error::Protocol(line)),
        }
    }

    /// Makes `steps` steps, or calls of the case it was turned to.
    ///
    /// # Errors
    /// A process that ended or broke the protocol.
    pub fn run(&mut self, steps: u64) -> Result<Lap> {
        let answer = self.ask(&format!("run {steps}"))?;
        serde_json::from_str(&answer).map_err(|_| Error::Protocol(answer))
    }

    /// Turns it to a case, and gives what it answers to the first inputs.
    ///
    /// # Errors
    /// [`Error::Unavailable`] if it does not have the case; a process that ended or broke the protocol.
    pub fn turn_to(&mut self, method: &str, tasks: usize) -> Result<Answers> {
        let answer = self.ask(&format!("case {method} {tasks}"))?;
        match (serde_json::from_str(&answer), serde_json::from_str::<Unavailable>(&answer)) {
            (Ok(answers), _) => Ok(answers),
            (_, Ok(reason)) => Err(Error::Unavailable(reason.unavailable)),
            _ => Err(Error::Protocol(answer)),
        }
    }

    fn quit(mut self) -> Result<u64> {
        let answer = self.ask("quit")?;
        let farewell: Farewell = serde_json::from_str(&answer).map_err(|_| Error::Protocol(answer))?;
        self.child.wait()?;
        Ok(farewell.peak_rss_kb)
    }

    fn ask(&mut self, question: &str) -> Result<String> {
        if writeln!(self.input, "{question}").and_then(|()| self.input.flush()).is_err() {
            return Err(self.last_words());
        }
        self.line()
    }

    fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        if self.output.read_line(&mut line)? == 0 {
            return Err(self.last_words());
        }
        Ok(line.trim_end().to_owned())
    }

    fn last_words(&mut self) -> Error {
        let words = self.errors.take().and_then(|thread| thread.join().ok()).unwrap_or_default();
        Error::Ended(if words.is_empty() { "it said nothing".to_owned() } else { words })
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already; then there is nothing to end and nothing to tell.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Result<Process> {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        Process::start(command)
    }

    #[test]
    fn takes_turns_and_leaves() {
        let script = r#"echo noise >&2; echo ready; read question; echo "{\"seconds\": 0.5, \"loss\": ${question#run }}"
            read question; [ "$question" = quit ] && echo '{"peak_rss_kb": 7}'"#;
        let mut process = shell(script).unwrap();
        let lap = process.run(3).unwrap();
        assert_eq!((lap.seconds, lap.loss), (0.5, Some(3.0)));
        assert_eq!(process.quit().unwrap(), 7);
    }

    #[test]
    fn says_why_it_cannot_take_part() {
        let why = |script: &str| shell(script).err().map(|e| e.to_string());
        assert_eq!(why(r#"echo '{"unavailable": "no torch"}'"#).as_deref(), Some("no torch"));
        assert_eq!(why("echo one >&2; echo two >&2; exit 1").as_deref(), Some("ended early: two"));
        assert_eq!(why("echo hello").as_deref(), Some("answered `hello`, which is not in the protocol"));
        let missing = Process::start(Command::new("no-such-program-here")).err();
        assert!(matches!(missing, Some(Error::Start { .. })));
    }

    #[test]
    fn a_death_between_turns_is_told() {
        let mut process = shell("echo ready; read question; echo 'out of memory' >&2").unwrap();
        assert_eq!(process.run(1).unwrap_err().to_string(), "ended early: out of memory");
    }
}
