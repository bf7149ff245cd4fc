//! Event files of TensorBoard: records of a length, its checksum, a protocol buffer and its checksum; each buffer an
//! `Event` of a time, a step and a `Summary` of named scalars.

use super::{scalars, step};
use polytask::files::FileError;
use polytask::train::Round;
use prost::Message;
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
        file.write_all(&record(&Event::version(now).encode_to_vec())).map_err(failed)?;
        Ok(TensorBoard { path, file })
    }

    /// Adds a round.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn round(&mut self, round: &Round) -> Result<(), FileError> {
        let event = Event::scalars(now(), step(round), scalars(round));
        // One call a round, so that a reader finds whole records.
        self.file
            .write_all(&record(&event.encode_to_vec()))
            .map_err(|source| FileError::Write { path: self.path.clone(), source })
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

/// The checksum that record files put on bytes: rotated and shifted, since a checksum of data that hold checksums is weak.
fn masked(bytes: &[u8]) -> u32 {
    crc32c::crc32c(bytes).rotate_right(15).wrapping_add(0xA282_EAD8)
}

/// What a record holds; the parts of TensorFlow's `event.proto` that are written here.
#[derive(Clone, PartialEq, Message)]
struct Event {
    /// Seconds since 1970.
    #[prost(double, tag = "1")]
    wall_time: f64,
    #[prost(int64, tag = "2")]
    step: i64,
    #[prost(string, optional, tag = "3")]
    file_version: Option<String>,
    #[prost(message, optional, tag = "5")]
    summary: Option<Summary>,
}

#[derive(Clone, PartialEq, Message)]
struct Summary {
    #[prost(message, repeated, tag = "1")]
    value: Vec<Scalar>,
}

#[derive(Clone, PartialEq, Message)]
struct Scalar {
    #[prost(string, tag = "1")]
    tag: String,
    /// Optional, so that a 0 is written.
    #[prost(float, optional, tag = "2")]
    simple_value: Option<f32>,
}

impl Event {
    /// The first of every file.
    fn version(wall_time: f64) -> Self {
        Event { wall_time, file_version: Some("brain.Event:2".to_owned()), ..Event::default() }
    }

    fn scalars(wall_time: f64, step: u64, scalars: Vec<(String, f64)>) -> Self {
        let scalar = |(tag, value)| Scalar { tag, simple_value: Some(value as f32) };
        let summary = Summary { value: scalars.into_iter().map(scalar).collect() };
        Event { wall_time, step: step as i64, summary: Some(summary), ..Event::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `tensorboard`'s own writer makes of the same events; see `tests/tracking/fixture.py`.
    const FIXTURE: &[u8] = include_bytes!("../../tests/tracking/events.bin");

    #[test]
    fn bytes_are_those_of_tensorboard() {
        let scalars = [("train_loss/größe".to_owned(), 0.5), ("learning_rate".to_owned(), 1e-3)];
        let mut ours = record(&Event::version(1_700_000_000.25).encode_to_vec());
        ours.extend(record(&Event::scalars(1_700_000_001.5, 300, scalars.to_vec()).encode_to_vec()));
        assert_eq!(ours, FIXTURE);
    }

    #[test]
    fn a_scalar_of_0_is_written() {
        let event = Event::scalars(1.0, 0, vec![("loss".to_owned(), 0.0)]);
        let read = Event::decode(event.encode_to_vec().as_slice()).unwrap();
        assert_eq!(read.summary.unwrap().value[0].simple_value, Some(0.0));
    }
}
