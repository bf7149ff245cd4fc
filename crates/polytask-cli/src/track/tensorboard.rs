//! Event files of TensorBoard: records of a length, its checksum, a protocol buffer and its checksum; each buffer an
//! `Event` of a time, a step and a `Summary` of named scalars.

use super::crc::masked;
use super::{scalars, step};
use polytask::files::FileError;
use polytask::train::Round;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// An event file that grows by a round at a time.
pub struct TensorBoard {
    path: PathBuf,
    file: File,
}

impl TensorBoard {
    /// A new file in a folder, which is made where it is not there. Several runs of one folder are one run to TensorBoard.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn open(folder: &Path) -> Result<Self, FileError> {
        polytask::files::make_folder(folder)?;
        let now = now();
        let name = format!("events.out.tfevents.{}.polytask.{}.0", now as u64, std::process::id());
        let path = folder.join(name);
        let failed = |source| FileError::Write { path: path.clone(), source };
        let mut file = File::create(&path).map_err(failed)?;
        file.write_all(&record(&version(now))).map_err(failed)?;
        Ok(TensorBoard { path, file })
    }

    /// Adds a round.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn round(&mut self, round: &Round) -> Result<(), FileError> {
        let event = event(now(), step(round), &scalars(round));
        // One call a round, so that a reader finds whole records.
        self.file.write_all(&record(&event)).map_err(|source| FileError::Write { path: self.path.clone(), source })
    }
}

fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64())
}

/// The frame around a buffer.
fn record(data: &[u8]) -> Vec<u8> {
    let length = (data.len() as u64).to_le_bytes();
    let mut record = length.to_vec();
    record.extend(masked(&length).to_le_bytes());
    record.extend(data);
    record.extend(masked(data).to_le_bytes());
    record
}

/// `Event { wall_time: 1, file_version: 3 }`, the first of every file.
fn version(time: f64) -> Vec<u8> {
    let mut event = wall_time(time);
    bytes(&mut event, 3, b"brain.Event:2");
    event
}

/// `Event { wall_time: 1, step: 2, summary: 5 { value: 1 { tag: 1, simple_value: 2 } } }`.
fn event(time: f64, step: u64, scalars: &[(String, f64)]) -> Vec<u8> {
    let mut summary = Vec::new();
    for (tag, value) in scalars {
        let mut one = Vec::new();
        bytes(&mut one, 1, tag.as_bytes());
        one.push(2 << 3 | 5);
        one.extend((*value as f32).to_le_bytes());
        bytes(&mut summary, 1, &one);
    }
    let mut event = wall_time(time);
    event.push(2 << 3);
    varint(&mut event, step);
    bytes(&mut event, 5, &summary);
    event
}

fn wall_time(time: f64) -> Vec<u8> {
    let mut event = vec![1 << 3 | 1];
    event.extend(time.to_le_bytes());
    event
}

/// A field of bytes behind its length.
fn bytes(into: &mut Vec<u8>, field: u8, content: &[u8]) {
    into.push(field << 3 | 2);
    varint(into, content.len() as u64);
    into.extend(content);
}

/// Seven bits a byte, the lowest first.
fn varint(into: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        into.push(value as u8 | 0x80);
        value >>= 7;
    }
    into.push(value as u8);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `tensorboard`'s own writer makes of the same events; see `tests/tracking/fixture.py`.
    const FIXTURE: &[u8] = include_bytes!("../../tests/tracking/events.bin");

    #[test]
    fn bytes_are_those_of_tensorboard() {
        let scalars = [("train_loss/größe".to_owned(), 0.5), ("learning_rate".to_owned(), 1e-3)];
        let mut ours = record(&version(1_700_000_000.25));
        ours.extend(record(&event(1_700_000_001.5, 300, &scalars)));
        assert_eq!(ours, FIXTURE);
    }
}
