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
