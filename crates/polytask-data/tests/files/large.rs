//! Files so large that they are read in parts.

use std::collections::BTreeSet;

use polytask_data::{Hint, ReadOptions, Table};

use crate::common::{Scratch, hints, numbers, table, texts};

/// More than two parts; blank lines and lines of every kind.
fn lines(end: &str) -> Vec<String> {
    let line = |row: usize| match row % 1000 {
        7 => format!("{end}{row},größe {row},{end}"),
        _ => format!("{row},word {},{}.5{end}", row % 13, row * 7 % 1001),
    };
    (0..120_000).map(line).collect()
}

fn text(head: &str, end: &str) -> String {
    format!("{head}{end}{}", lines(end).concat())
}

/// A quoted field may hold line ends, so that a file with one is read in one go.
#[test]
fn parts_are_the_whole() {
    for end in ["\n", "\r\n"] {
        let apart = text("a,b,c", end);
        assert!(apart.len() > 2 << 20);
        // The same in one part, by quotes that change nothing.
        let whole = table("x.csv", apart.replacen("a,b,c", "\"a\",b,c", 1) + "0,\"word 0\",1\n");
        let apart = table("x.csv", apart + "0,word 0,1\n");
        assert_eq!(numbers(&apart, "a"), numbers(&whole, "a"));
        assert_eq!(numbers(&apart, "a")[..120_000], (0..120_000).map(f64::from).collect::<Vec<_>>()[..]);
        assert_eq!(texts(&apart, "b"), texts(&whole, "b"));
        let same = |(a, b): (&f64, &f64)| a.to_bits() == b.to_bits();
        assert!(numbers(&apart, "c").iter().zip(numbers(&whole, "c")).all(same));
        let line = |table: &Table| table.place(119_999).to_string().rsplit(' ').next().unwrap().to_owned();
        assert_eq!(line(&apart), line(&whole));
    }
}

#[test]
fn lines_far_down_are_named() {
    let mut lines = lines("\n");
    // Line 1 is the head; 120 of the rows before have a blank line before them.
    let line = 2 + 119_500 + 120;
    lines[119_500] = "1,2\n".to_owned();
    lines[119_600] = "1\n".to_owned();
    let ragged = Scratch::new("x.csv", format!("a,b,c\n{}", lines.concat()));
    let error = ragged.error(&ReadOptions::default());
    assert!(error.starts_with(&format!("x.csv line {line}: expected 3 fields, found 2")), "{error}");
    lines[119_500] = "1,2,three\n".to_owned();
    lines[119_600] = "1,2,four\n".to_owned();
    let word = Scratch::new("x.csv", format!("a,b,c\n{}", lines.concat()));
    let error = word.error(&hints(&[("c", Hint::Number)]));
    assert!(error.starts_with(&format!("x.csv line {line}: ")) && error.contains("three"), "{error}");
}

#[test]
fn columns_are_passed_over() {
    let omit = BTreeSet::from(["b".to_owned(), "z".to_owned()]);
    let options = ReadOptions { omit, ..hints(&[("b", Hint::Number)]) };
    let read = Scratch::new("x.csv", "a,b,c\n1,no number,2\n3,nor this,4\n").read(&options).unwrap();
    let names: Vec<&str> = read.columns().iter().map(|column| column.name.as_str()).collect();
    assert_eq!((names, read.rows()), (vec!["a", "c"], 2));
    assert_eq!(numbers(&read, "c"), [2.0, 4.0]);
}
