//! A folder of its own for every test, the program run in it, and small data.

#![allow(dead_code, reason = "each test uses a part of it")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

pub mod children;
pub mod planted;
pub mod script;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;

/// The repository's folder.
pub fn repository(path: &str) -> String {
    format!("{}/../../{path}", env!("CARGO_MANIFEST_DIR"))
}

/// A folder in which the program runs, gone when dropped.
pub struct Folder(TempDir);

/// What the program did.
#[derive(Debug)]
pub struct Done {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Folder {
    pub fn new() -> Self {
        Folder(tempfile::tempdir().unwrap())
    }

    /// A folder with `data.csv` and `config.toml`.
    pub fn with(config: &str, data: &str) -> Self {
        let folder = Folder::new();
        folder.write("config.toml", config).write("data.csv", data);
        folder
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> &Self {
        std::fs::write(self.path(name), content).unwrap();
        self
    }

    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    pub fn bytes(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).unwrap()
    }

    pub fn json(&self, name: &str) -> serde_json::Value {
        serde_json::from_str(&self.read(name)).unwrap()
    }

    /// The lines of `history.jsonl` of a model without the times, which no two runs share.
    pub fn history(&self, model: &str) -> Vec<serde_json::Value> {
        let line = |line: &str| {
            let mut round: serde_json::Value = serde_json::from_str(line).unwrap();
            round.as_object_mut().unwrap().remove("seconds").unwrap();
            round
        };
        self.read(&format!("{model}/history.jsonl")).lines().map(line).collect()
    }

    /// Every file below the folder with its content, in the order of their names.
    pub fn everything(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let mut files = Vec::new();
        collect(self.0.path(), &mut files);
        files.sort();
        files
    }

    /// The program with some arguments, to be run in this folder.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_polytask"));
        command.args(arguments).current_dir(self.0.path());
        command
    }

    /// Runs the program with its arguments, separated by blanks, in this folder.
    pub fn run(&self, arguments: &str) -> Done {
        let arguments: Vec<&str> = arguments.split_whitespace().collect();
        Done::of(self.command(&arguments).output().unwrap())
    }

    /// Runs something that must work.
    pub fn works(&self, arguments: &str) -> Done {
        let done = self.run(arguments);
        assert_eq!(done.code, Some(0), "`polytask {arguments}`\n{}", done.err);
        done
    }
}

fn collect(folder: &Path, files: &mut Vec<(PathBuf, Vec<u8>)>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            // Folders count too: an empty one left behind is a trace.
            files.push((path.clone(), Vec::new()));
            collect(&path, files);
        } else {
            files.push((path.clone(), std::fs::read(&path).unwrap()));
        }
    }
}

impl Done {
    pub fn of(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        let done = Done { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) };
        assert!(!done.err.contains("panicked"), "{}", done.err);
        done
    }

    /// The message of a failure: what stands behind `error: `, the hint included, and the page that explains it left out.
    pub fn message(&self) -> &str {
        let start = self.err.find("error: ").unwrap_or_else(|| panic!("no error in\n{}", self.err));
        let message = self.err[start + "error: ".len()..].trim_end();
        message.rsplit_once("\nsee: ").map_or(message, |(message, _)| message)
    }
}

/// A generator of numbers in [0, 1); the same everywhere.
pub struct Noise(pub u64);

impl Noise {
    pub fn next(&mut self) -> f64 {
        // Knuth's MMIX constants; the upper bits are the good ones.
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// Columns `x`, `z` (numbers), `color` (three words), `part` (train, valid or test), `size` (about `3 x - 2 z`, missing
/// in every 7th row), `warm` (yes or no, by color and x, missing in every 5th row) and `grade` (three classes, by z).
pub fn table(rows: usize) -> String {
    let mut noise = Noise(7);
    let mut text = "x,z,color,part,size,warm,grade\n".to_owned();
    for row in 0..rows {
        let (x, z) = (noise.next(), noise.next() * 4.0 - 2.0);
        let color = ["red", "green", "blue"][(noise.next() * 3.0) as usize];
        let part = ["train", "train", "valid", "train", "test"][row % 5];
        let size = 10.0 + 3.0 * x - 2.0 * z + 0.3 * noise.next();
        let size = if row % 7 == 3 { String::new() } else { format!("{size:.4}") };
        let heat = x + if color == "red" { 0.8 } else { 0.0 } + 0.4 * noise.next();
        let warm = if row % 5 == 1 { "" } else { ["no", "yes"][usize::from(heat > 1.0)] };
        let grade = ["low", "middle", "high"][((z + noise.next() + 2.0) / 5.0 * 3.0) as usize % 3];
        text.push_str(&format!("{x:.4},{z:.4},{color},{part},{size},{warm},{grade}\n"));
    }
    text
}

/// A config for [`table`] with all three tasks, split by its column.
pub const CONFIG: &str = r#"
[data]
path = "data.csv"
split = { column = "part" }
[tasks.size]
[tasks.warm]
[tasks.grade]
[model]
trunk = [16]
[train]
epochs = 5
batch = 32
"#;
