//! Where predictions and other files are written, and as what.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use common::{CONFIG, Folder, table};
use std::io::Read;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::process::Command;

fn trained() -> Folder {
    let folder = Folder::with(CONFIG, &table(60));
    folder.works("train config.toml --set train.epochs=1");
    folder
}

#[test]
fn a_name_says_what_is_in_the_file() {
    let folder = trained();
    let csv = folder.works("predict model --data data.csv").out;
    let jsonl = folder.works("predict model --data data.csv --format jsonl").out;
    for (out, expected) in [("a.csv", &csv), ("a.txt", &csv), ("a", &csv), ("a.jsonl", &jsonl), ("a.ndjson", &jsonl)] {
        folder.works(&format!("predict model --data data.csv --out {out}"));
        assert_eq!(folder.read(out), *expected, "{out}");
    }
    for (out, expected) in [("b.csv.gz", &csv), ("b.jsonl.gz", &jsonl)] {
        folder.works(&format!("predict model --data data.csv --out {out}"));
        let mut text = String::new();
        flate2::read::GzDecoder::new(folder.bytes(out).as_slice()).read_to_string(&mut text).unwrap();
        assert_eq!(text, *expected, "{out}");
    }
    folder.works("predict model --data data.csv --out c.csv.zst");
    assert_eq!(zstd::decode_all(folder.bytes("c.csv.zst").as_slice()).unwrap(), csv.as_bytes());
    for out in ["x.parquet", "x.arrow", "x.json", "x.tsv", "x.csv.bz2", "x.parquet.gz"] {
        let done = folder.run(&format!("predict model --data data.csv --out {out}"));
        assert_eq!(done.code, Some(2), "{out}: {}", done.err);
        assert!(done.message().starts_with(&format!("{out}: nothing is written as .")), "{}", done.err);
        assert!(!folder.path(out).exists());
    }
    let done = folder.run("predict model --data data.csv --format csv --out x.jsonl");
    assert_eq!(done.code, Some(2));
    assert!(done.message().starts_with("x.jsonl is named as jsonl, and --format says csv"), "{}", done.err);
}

#[test]
fn data_are_not_written_over_by_what_is_made_of_them() {
    let folder = trained();
    let data = folder.read("data.csv");
    symlink("data.csv", folder.path("link.csv")).unwrap();
    std::fs::hard_link(folder.path("data.csv"), folder.path("hard.csv")).unwrap();
    std::fs::create_dir(folder.path("parts")).unwrap();
    folder.write("parts/one.csv", &data);
    for (from, out) in [
        ("data.csv", "data.csv"),
        ("data.csv", "./model/../data.csv"),
        ("data.csv", "link.csv"),
        ("link.csv", "data.csv"),
        ("data.csv", "hard.csv"),
        ("parts", "parts/one.csv"),
    ] {
        let done = folder.run(&format!("predict model --data {from} --out {out}"));
        assert_eq!(done.code, Some(2), "{from} {out}: {}", done.err);
        assert!(done.message().contains("is the file that is read; nothing was written"), "{}", done.err);
    }
    let done = folder.run("init data.csv --force --out link.csv");
    assert_eq!(done.code, Some(2), "{}", done.err);
    assert_eq!([folder.read("data.csv"), folder.read("parts/one.csv")], [data.clone(), data]);
}

#[test]
fn links_are_followed_and_rights_kept() {
    let folder = trained();
    let csv = folder.works("predict model --data data.csv").out;
    folder.write("target", "old").write("secret", "old").write("shared", "old");
    let mode = |name: &str, mode| {
        std::fs::set_permissions(folder.path(name), std::fs::Permissions::from_mode(mode)).unwrap();
    };
    mode("secret", 0o600);
    mode("shared", 0o666);
    symlink("target", folder.path("link")).unwrap();
    symlink("nothing-yet", folder.path("dangling")).unwrap();
    for out in ["link", "dangling", "secret", "shared"] {
        folder.works(&format!("predict model --data data.csv --out {out}"));
    }
    assert!(folder.path("link").symlink_metadata().unwrap().is_symlink());
    assert!(folder.path("dangling").symlink_metadata().unwrap().is_symlink());
    for file in ["target", "nothing-yet", "secret", "shared"] {
        assert_eq!(folder.read(file), csv, "{file}");
    }
    let rights = |name: &str| folder.path(name).metadata().unwrap().mode() & 0o777;
    assert_eq!([rights("secret"), rights("shared")], [0o600, 0o666]);
    // New files are as private as the umask says.
    let call = format!(
        "umask 077; '{0}' predict model --data data.csv --out new; '{0}' train config.toml --out mine --set train.epochs=1",
        env!("CARGO_BIN_EXE_polytask")
    );
    assert!(Command::new("sh").args(["-c", &call]).current_dir(folder.path("")).output().unwrap().status.success());
    for file in ["new", "mine/model.json", "mine/model.safetensors", "mine/checkpoint.safetensors", "mine/run.json"] {
        assert_eq!(rights(file), 0o600, "{file}");
    }
    assert_eq!(
        std::fs::read_dir(folder.path(""))
            .unwrap()
            .flatten()
            .filter(|e| e.file_name().to_string_lossy().starts_with(".polytask"))
            .count(),
        0
    );
}

#[test]
fn devices_and_pipes_are_written_to() {
    let folder = trained();
    let csv = folder.works("predict model --data data.csv").out;
    assert!(Command::new("mkfifo").arg(folder.path("fifo")).status().unwrap().success());
    let reader = {
        let path = folder.path("fifo");
        std::thread::spawn(move || std::fs::read_to_string(path).unwrap())
    };
    folder.works("predict model --data data.csv --out fifo");
    assert_eq!(reader.join().unwrap(), csv);
    use std::os::unix::fs::FileTypeExt;
    assert!(folder.path("fifo").metadata().unwrap().file_type().is_fifo());
    assert_eq!(folder.works("predict model --data data.csv --out /dev/stdout").out, csv);
    folder.works("predict model --data data.csv --out /dev/null");
    assert!(std::fs::metadata("/dev/null").unwrap().file_type().is_char_device());
    // A model is a directory.
    let done = folder.run("train config.toml --out fifo");
    assert_eq!((done.code, done.message()), (Some(1), "cannot write fifo: fifo is no folder"));
    for call in
        ["predict model --data data.csv --out model", "report model --out model", "init data.csv --force --out model"]
    {
        let done = folder.run(call);
        assert_eq!(done.code, Some(1), "{call}");
        assert!(done.message().starts_with("cannot write model: it is a directory"), "{}", done.err);
    }
}
