//! The corpus of the fuzz targets (`fuzz/corpus/`), fed to the functions that they call, and each of its files changed a number
//! of times. `POLYTASK_FUZZ` says how many times, instead of a few: the long run without a nightly compiler.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

#[path = "../../../fuzz/entry.rs"]
mod entry;

use std::path::Path;

/// Changes of each file.
const CHANGES: u64 = 40;

/// The name of a target, and what it does with a file.
type Target = (&'static str, fn(&[u8]));

const TARGETS: [Target; 9] = [
    ("config", entry::config),
    ("delimited", entry::delimited),
    ("jsonl", entry::jsonl),
    ("sentences", entry::sentences),
    ("parquet", entry::parquet),
    ("arrow", entry::arrow),
    ("image", entry::image),
    ("model", entry::model),
    ("request", entry::request),
];

/// Numbers that look drawn; the same everywhere (SplitMix64).
struct Noise(u64);

impl Noise {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % n.max(1) as u64) as usize
    }
}

/// Bytes and words that have broken readers.
const ODD: [&[u8]; 16] = [
    b"\0",
    b"\xff",
    b"\xef\xbb\xbf",
    b"\"",
    b"\n",
    b"\r",
    b",",
    b"\t",
    b"-1",
    b"1e999",
    b"NaN",
    b"18446744073709551616",
    b"[[[[",
    b"{\"a\":",
    b"\xe2\x80\xa8",
    b"'",
];

/// A file with a few of its bytes changed, cut out, doubled, or followed by the end of another.
fn changed(file: &[u8], other: &[u8], noise: &mut Noise) -> Vec<u8> {
    let mut bytes = file.to_vec();
    for _ in 0..1 + noise.below(4) {
        let at = noise.below(bytes.len() + 1);
        match noise.below(7) {
            0 if at < bytes.len() => bytes[at] ^= 1 << noise.below(8),
            1 if at < bytes.len() => bytes[at] = [0, 1, 0x7f, 0x80, 0xff][noise.below(5)],
            2 => bytes.truncate(at),
            3 => drop(bytes.splice(at..at, ODD[noise.below(ODD.len())].iter().copied())),
            4 => {
                let end = (at + noise.below(16)).min(bytes.len());
                let part = bytes[at..end].to_vec();
                drop(bytes.splice(at..at, part));
            }
            5 => {
                let end = (at + noise.below(16)).min(bytes.len());
                drop(bytes.drain(at..end));
            }
            _ => {
                bytes.truncate(at);
                bytes.extend(&other[noise.below(other.len() + 1)..]);
            }
        }
    }
    bytes
}

#[test]
fn what_was_found_stays_mended() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus");
    let changes = std::env::var("POLYTASK_FUZZ").ok().and_then(|text| text.parse().ok()).unwrap_or(CHANGES);
    let mut broken = Vec::new();
    for (target, feed) in TARGETS {
        let mut files: Vec<_> =
            std::fs::read_dir(corpus.join(target)).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        assert!(!files.is_empty(), "{target} has no corpus");
        let files: Vec<Vec<u8>> = files.iter().map(|file| std::fs::read(file).unwrap()).collect();
        let began = std::time::Instant::now();
        let mut noise = Noise(1);
        for (place, file) in files.iter().enumerate() {
            feed(file);
            for i in 0..changes {
                let bytes = changed(file, &files[noise.below(files.len())], &mut noise);
                if std::panic::catch_unwind(|| feed(&bytes)).is_err() {
                    let kept = std::env::temp_dir().join(format!("polytask-{target}-{place}-{i}"));
                    std::fs::write(&kept, &bytes).unwrap();
                    broken.push(format!("{target}: {}", kept.display()));
                }
            }
        }
        eprintln!("{target}: {} files, {changes} changes of each, {:.1?}", files.len(), began.elapsed());
    }
    assert!(broken.is_empty(), "panics, whose inputs were kept:\n{}", broken.join("\n"));
}
