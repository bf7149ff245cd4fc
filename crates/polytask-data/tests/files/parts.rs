//! Tables in several files.

use crate::common::*;
use polytask_data::{ReadOptions, read};

#[test]
fn folders_and_wildcards_are_one_table() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &[u8]| std::fs::write(folder.path().join(name), text).unwrap();
    write("part-2.csv", b"b,a\n7,3\n");
    write("part-1.csv.gz", &gzip(b"a,b\n1,x\n2,y\n"));
    write("_SUCCESS", b"");
    write(".part.crc", b"\0");
    let read = |name: &str| read(&folder.path().join(name), &ReadOptions::default());
    for name in ["", "part-*", "part-?.csv*"] {
        let table = read(name).unwrap();
        assert_eq!(numbers(&table, "a"), [1.0, 2.0, 3.0], "{name}");
        assert_eq!(texts(&table, "b"), [Some("x"), Some("y"), Some("7")]);
        assert!(table.place(2).to_string().ends_with("part-2.csv line 2"));
    }
    assert!(read("other-*").map(|_| ()).unwrap_err().to_string().ends_with("other-*"));
    let images = tempfile::tempdir().unwrap();
    std::fs::create_dir(images.path().join("a")).unwrap();
    std::fs::write(images.path().join("a/1.HEIC"), b"").unwrap();
    std::fs::write(images.path().join("a/2.svg"), b"").unwrap();
    let error = polytask_data::read(images.path(), &ReadOptions::default()).map(|_| ()).unwrap_err().to_string();
    assert!(error.ends_with("holds no PNG, JPEG, WebP, GIF, BMP or TIFF image, but 1 .heic, 1 .svg files"), "{error}");
    std::fs::create_dir(images.path().join("b")).unwrap();
    std::fs::write(images.path().join("b/3.png"), b"").unwrap();
    let notes = polytask_data::read(images.path(), &ReadOptions::default()).unwrap().notes().to_vec();
    assert!(
        notes[0].contains(": 1 .heic, 1 .svg files are no PNG") && notes[1].contains("folder `a` has no other"),
        "{notes:?}"
    );
    write("part-3.csv", b"a\n1\n");
    assert!(read("part-*").map(|_| ()).unwrap_err().to_string().contains("it lacks `b`"));
}

#[test]
fn names_of_parts_are_the_split() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    write("flat/train.csv", "a,y\n1,2\n");
    write("flat/test.csv", "a\n3\n");
    write("flat/Validation.jsonl", "{\"y\": 5, \"a\": 4, \"more\": 0}\n");
    write("deep/train/1.csv", "a,y\n1,2\n");
    write("deep/README.md", "# Data");
    write("deep/train/state.json", "{\"_fingerprint\": \"1\"}");
    write("deep/train/2.csv", "y,a\n6,5\n");
    write("deep/dev/1.csv", "a,y\n3,4\n");
    let read = |name: &str| read(&folder.path().join(name), &ReadOptions::default()).unwrap();
    let table = read("flat");
    assert_eq!(texts(&table, "split"), [Some("valid"), Some("test"), Some("train")]);
    assert_eq!(numbers(&table, "a"), [4.0, 3.0, 1.0]);
    assert!(numbers(&table, "y")[1].is_nan() && numbers(&table, "more")[2].is_nan());
    assert_eq!(table.aside(), ["split"]);
    assert!(table.notes()[0].ends_with("taken for the parts of the split, the column `split`"), "{:?}", table.notes());
    let table = read("deep");
    assert_eq!(texts(&table, "split"), [Some("valid"), Some("train"), Some("train")]);
    assert_eq!(numbers(&table, "y"), [4.0, 2.0, 6.0]);
    assert_eq!(texts(&read("flat/t*.csv"), "split"), [Some("test"), Some("train")]);
    assert!(read("deep/train").column("split").is_none());
}
