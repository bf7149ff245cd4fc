//! How CSV files come from other programs.

use crate::common::*;
use polytask_data::{Dialect, ReadOptions};

const ROWS: &str = "a,b\n1.5,x\n2.5,y\n3.5,z\n";

#[test]
fn encodings_do_not_matter() {
    let text = "a,b\n1.5,größe\n2.5,y\n3.5,z\n";
    let units = |order: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(order).collect::<Vec<u8>>();
    let plain = table("t.csv", text);
    for bytes in [
        [b"\xFF\xFE".as_slice(), &units(u16::to_le_bytes)].concat(),
        [b"\xFE\xFF".as_slice(), &units(u16::to_be_bytes)].concat(),
        units(u16::to_le_bytes),
        units(u16::to_be_bytes),
        [b"\xEF\xBB\xBF".as_slice(), text.as_bytes()].concat(),
        [text.as_bytes(), &[0; 700]].concat(),
        [text.as_bytes(), b"\x1A"].concat(),
        text.replace('\n', "\r\n").into_bytes(),
    ] {
        let table = table("t.csv", bytes);
        assert_eq!((names(&table), table.rows()), (vec!["a", "b"], 3));
        assert_eq!((numbers(&table, "a"), texts(&table, "b")), (numbers(&plain, "a"), texts(&plain, "b")));
    }
    let half = [b"\xFF\xFE".as_slice(), &0xD800u16.to_le_bytes(), b"a\0"].concat();
    assert_eq!(error("t.csv", half), "t.csv line 1: the text is not UTF-8");
    let latin = Scratch::new("t.csv", b"a\ncaf\xE9\n").read(&ReadOptions::default()).map(|_| ()).unwrap_err();
    assert_eq!(latin.hint().as_deref(), Some("save the file as UTF-8"));
}

#[test]
fn what_stands_above_the_header_is_passed_over() {
    for (begin, options) in [
        ("sep=,\n", Dialect::default()),
        ("# made on Monday\n# at 12, by me\n", Dialect::default()),
        ("A title\nof two, lines\n", Dialect { skip: 2, ..Dialect::default() }),
        ("% made on, Monday\n", Dialect { comment: Some(b'%'), ..Dialect::default() }),
    ] {
        let scratch = Scratch::new("t.csv", format!("{begin}{ROWS}"));
        let table = scratch.read(&dialect(options)).unwrap();
        assert_eq!((names(&table), numbers(&table, "a")), (vec!["a", "b"], [1.5, 2.5, 3.5].as_slice()), "{begin}");
        let line = begin.lines().count() + 2;
        assert!(table.place(0).to_string().ends_with(&format!("line {line}")), "{}", table.place(0));
    }
    let title =
        Scratch::new("t.csv", format!("Report\n\n{ROWS}")).read(&ReadOptions::default()).map(|_| ()).unwrap_err();
    assert!(
        title.to_string().ends_with("line 1 looks like a title: the lines from line 3 on have 2 fields"),
        "{title}"
    );
    assert!(title.hint().unwrap().contains("data.skip = 2"));
}

#[test]
fn comments_between_rows_are_pointed_out() {
    let ragged = Scratch::new("t.csv", "a,b\n1,2\n# old\n").read(&ReadOptions::default()).map(|_| ()).unwrap_err();
    assert_eq!(ragged.hint().as_deref(), Some("if it is a comment, have such lines passed over: data.comment = \"#\""));
}

#[test]
fn comments_stand_between_rows() {
    let text = "a,b\n1.5,x\n# 2,\"y\n2.5,# no comment\n#\n#\n3.5,z\n";
    let table =
        Scratch::new("t.csv", text).read(&dialect(Dialect { comment: Some(b'#'), ..Dialect::default() })).unwrap();
    assert_eq!(texts(&table, "b"), [Some("x"), Some("# no comment"), Some("z")]);
    let lines: Vec<String> =
        (0..3).map(|row| table.place(row).to_string().rsplit(' ').next().unwrap().to_owned()).collect();
    assert_eq!(lines, ["2", "4", "7"]);
}

#[test]
fn blanks_may_part_columns() {
    let text = "  a    b\n1.5   x\n\n 2.5 y  \n3.5\tz   w\n";
    let blanks = || dialect(Dialect { delimiter: Some(b' '), ..Dialect::default() });
    let table = Scratch::new("t.txt", text).read(&blanks()).unwrap();
    assert_eq!((names(&table), texts(&table, "b")), (vec!["a", "b"], vec![Some("x"), Some("y"), Some("w")]));
    assert!(table.place(2).to_string().ends_with("line 5"));
    let quoted = Scratch::new("t.txt", "a b\n1 \"x  y\"\n").read(&blanks()).unwrap();
    assert_eq!(texts(&quoted, "b"), [Some("x  y")]);
}

#[test]
fn quotes_may_be_characters() {
    let text = "a,b\n1,\"x\n2,5\n";
    let table = Scratch::new("t.csv", text).read(&dialect(Dialect { unquoted: true, ..Dialect::default() })).unwrap();
    assert_eq!(texts(&table, "b"), [Some("\"x"), Some("5")]);
    assert!(Scratch::new("t.csv", text).read(&ReadOptions::default()).is_err());
}

#[test]
fn columns_without_a_name() {
    for (text, notes) in [
        (",a,b\n0,1.5,x\n1,2.5,y\n2,3.5,z\n", 1),
        ("\"\",\"a\",\"b\"\n\"Mazda\",1.5,x\n\"Fiat\",2.5,y\n\"Opel\",3.5,z\n", 1),
        ("a,b,\n1.5,x,\n2.5,y,\n3.5,z,\n", 1),
        (",a,b,\n7,1.5,x,\n9,2.5,y,\n8,3.5,z,\n", 2),
    ] {
        let table = table("t.csv", text);
        assert_eq!((names(&table), table.notes().len()), (vec!["a", "b"], notes), "{text}");
        assert_eq!(numbers(&table, "a"), [1.5, 2.5, 3.5]);
    }
    assert_eq!(error("t.csv", ",a\nx,1\nx,2\n"), "t.csv: column 1 has no name");
}

#[test]
fn one_decimal_comma_settles_a_file() {
    let text = "preis;menge;ort\n-1.805,06;4.716;a\n991,5;3.076;b\n12;991;c\n";
    let table = table("t.csv", text);
    assert_eq!(numbers(&table, "preis"), [-1805.06, 991.5, 12.0]);
    assert_eq!(numbers(&table, "menge"), [4716.0, 3076.0, 991.0]);
    assert!(table.decimal_comma() && table.notes().len() == 2, "{:?}", table.notes());
    // A file of one row is read as the one it was learnt from.
    let one = Scratch::new("one.csv", "menge\n4.716\n");
    let known = Dialect { decimal_comma: table.decimal_comma(), ..Dialect::default() };
    assert_eq!(numbers(&one.read(&dialect(known)).unwrap(), "menge"), [4716.0]);
    assert_eq!(numbers(&crate::common::table("one.jsonl", "{\"menge\": 4.716}\n"), "menge"), [4.716]);
}

#[test]
fn lists_of_objects_are_tables() {
    for name in ["t.json", "t.jsonl", "t"] {
        let table = table(name, "[{\"a\": 1.5, \"b\": \"x\"},\n {\"b\": \"y\", \"a\": 2.5}]\n");
        assert_eq!((numbers(&table, "a"), texts(&table, "b")), ([1.5, 2.5].as_slice(), vec![Some("x"), Some("y")]));
        assert!(table.place(1).to_string().ends_with("row 2"));
    }
}

#[test]
fn token_lines_are_known_by_their_tags() {
    for name in ["t.conll", "t.txt", "t"] {
        let table = table(name, "call O\nAnn B-who\n\ncall O\n");
        assert_eq!((names(&table), table.rows()), (vec!["tokens", "tags"], 2));
        assert!(table.notes()[0].ends_with("its columns were taken for tokens tags; name them in data.columns"));
    }
    let plus = table("t.conllup", "# global.columns = ID FORM UPOS\n1\tgo\tVERB\n");
    assert_eq!(names(&plus), ["tokens", "upos"]);
    let bad = error("t.conllu", b"1\tcaf\xE9\t_\t_\t_\t_\t0\troot\t_\t_\n");
    assert_eq!(bad, "t.conllu line 1: the text is not UTF-8");
}
