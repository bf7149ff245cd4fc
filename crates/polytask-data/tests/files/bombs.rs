//! Files that would take far more memory than they are large.

use crate::common::*;
use polytask_data::ReadOptions;

#[test]
fn packed_files_have_a_limit() {
    let text = "1,a,0.5\n".repeat(1 << 18);
    for (name, packed) in [("t.csv.gz", gzip(text.as_bytes())), ("t.csv.zst", zstd(text.as_bytes()))] {
        let scratch = Scratch::new(name, &packed);
        let error =
            |most| scratch.read(&ReadOptions { max_unpacked: Some(most), ..ReadOptions::default() }).map(|_| ());
        let error = error(1 << 20).unwrap_err();
        let expected = format!("{name} has {} bytes and unpacks to more than 1048576, which is refused", packed.len());
        assert!(error.to_string().ends_with(&expected), "{error}");
        assert!(error.hint().unwrap().contains("data.max_unpacked"));
        assert_eq!(scratch.read(&ReadOptions::default()).unwrap().rows(), (1 << 18) - 1);
    }
}

/// 300 MB of one line in 300 kB: more than the 200-fold.
#[test]
fn what_is_packed_too_well_is_refused_without_a_word_from_anyone() {
    let block = gzip("1,a,0.5\n".repeat(1 << 17).as_bytes());
    let error = error("t.csv.gz", block.repeat(300));
    assert!(error.ends_with("unpacks to more than 268435456, which is refused"), "{error}");
}

#[test]
fn keys_of_their_own_in_every_row_are_refused() {
    let row = |i: usize| format!("{{{}}}", (0..5).map(|j| format!("\"k{i}_{j}\": 1")).collect::<Vec<_>>().join(","));
    let lines: Vec<String> = (0..10_000).map(row).collect();
    let sparse = error("t.jsonl", lines.join("\n"));
    assert!(sparse.starts_with("t.jsonl: 1677 columns and 10000 rows, of which nearly all"), "{sparse}");
    let list = error("t.json", format!("[{}]", lines.join(",")));
    assert!(list.starts_with("t.json: 1677 columns"), "{list}");
    assert_eq!(table("t.jsonl", lines[..100].join("\n")).columns().len(), 500);
}
