use super::*;
use crate::read::Dialect;

fn raw(values: &[&str]) -> Raw {
    let mut raw = Raw::new("x");
    for value in values {
        raw.push(value);
    }
    raw
}

fn convert_with(raw: &Raw, dialect: &Dialect) -> Converted {
    let missing = MissingWords::of_plain_text(dialect);
    let manner = Manner { file: "f.csv", missing: &missing, comma: dialect.decimal_comma, written: true };
    convert(raw, &manner, |row| Place::line("f.csv", row as u64 + 2))
}

fn read(values: &[&str], hint: Option<Hint>) -> Converted {
    convert_with(&Raw { hint, ..raw(values) }, &Dialect::default())
}

/// The note of a column, empty without one.
fn note(values: &[&str]) -> String {
    read(values, None).notes.concat()
}

/// What is wrong with a column.
fn fault(values: &[&str], hint: Option<Hint>) -> Option<String> {
    read(values, hint).fault.map(|fault| fault.to_string())
}

fn numbers(values: &[&str]) -> Vec<f64> {
    match read(values, None).values {
        Values::Number(numbers) => numbers,
        other => panic!("{other:?}"),
    }
}

fn levels(values: &[&str], hint: Option<Hint>) -> Vec<String> {
    match read(values, hint).values {
        Values::Text(text) => text.levels,
        other => panic!("{other:?}"),
    }
}

#[test]
fn numbers_come_in_many_forms() {
    let written = ["1e5", "+3", ".5", "-2.", " 7 ", "1E-3", "-0"];
    assert_eq!(numbers(&written), [1e5, 3.0, 0.5, -2.0, 7.0, 1e-3, 0.0]);
}

#[test]
fn missing_words_are_missing_among_numbers() {
    let words = ["", " ", "NA", "N/A", "n/a", "<NA>", "#NA", "#N/A", "NaT", "null", "NULL", "None", "-", "?", "\\N"];
    let values: Vec<&str> = words.into_iter().chain(["1", "2"]).collect();
    assert_eq!(numbers(&values)[words.len()..], [1.0, 2.0]);
    assert!(numbers(&values)[..words.len()].iter().all(|value| value.is_nan()));
    assert_eq!(note(&values), "");
}

#[test]
fn only_the_empty_field_is_missing_among_texts() {
    assert_eq!(levels(&["a", "NA", "", "null", " ", "a"], None), ["a", "NA", "null"]);
    let said = note(&["Y", "N", "n/a", "", "?", "n/a"]);
    assert!(said.starts_with("f.csv: 3 values of the text column `x` read `n/a`, `?`, taken as text"), "{said}");
    assert!(said.contains("data.missing") && note(&["Y", "N", ""]).is_empty());
}

#[test]
fn a_column_of_nothing_is_a_number_column() {
    assert_eq!(numbers(&["", "NA"]).len(), 2);
}

#[test]
fn nan_counts_as_missing_with_a_note() {
    assert_eq!(note(&["1", "NaN", "nan", "-NaN"]), "f.csv: 3 values of column `x` read NaN and count as missing");
    assert_eq!(note(&["1", "NaN"]), "f.csv: 1 value of column `x` reads NaN and counts as missing");
}

#[test]
fn infinity_is_refused_however_it_is_written() {
    for word in ["inf", "-Infinity", "1e999", "INF"] {
        let expected = format!("f.csv line 3: column `x`: `{word}` is not a finite number");
        assert_eq!(fault(&["1", word, "2"], None), Some(expected));
        assert!(numbers(&["1", word, "2"])[1].is_nan());
    }
    // Among words it is a word.
    assert_eq!(levels(&["inf", "sup"], None), ["inf", "sup"]);
}

#[test]
fn hexadecimal_and_the_like_are_no_numbers() {
    for word in ["1_000", "0x10", "12a", "1.2.3", "12.11.2023", "1 2", "0,1,2"] {
        assert_eq!(levels(&[word], None), [word]);
    }
}

#[test]
fn numbers_are_read_as_people_write_them() {
    assert_eq!(numbers(&["3,25", "-2,5", "1"]), [3.25, -2.5, 1.0]);
    assert_eq!(numbers(&["1.234,56", "991", "-1.805"]), [1234.56, 991.0, -1805.0]);
    assert_eq!(numbers(&["1,805.06", "1,200"]), [1805.06, 1200.0]);
    assert_eq!(numbers(&["$905.03", "-$3,109.82", "n/a"])[..2], [905.03, -3109.82]);
    assert_eq!(numbers(&["12 %", "-2.5%"]), [12.0, -2.5]);
    assert_eq!(note(&["1.234,56", "2"]), "f.csv: column `x` was read as numbers: `1.234,56` is 1234.56");
    assert!(read(&["3,14"], None).comma && !read(&["3.14", "$1"], None).comma);
    // Two ways of writing, two signs of money, and percent signs here and there are no numbers.
    for mixed in [["1,5", "1.5"], ["$1", "€2"], ["5 %", "0.05"], ["3,14", "pi"]] {
        assert_eq!(levels(&mixed, None), mixed);
    }
    // The first word of a declared column is named, the odd one among many as well.
    let word = |value: &str| format!("f.csv line 3: column `x`: `{value}` is not a number");
    assert_eq!(fault(&["1.234,5", "much"], Some(Hint::Number)), Some(word("much")));
}

#[test]
fn a_known_comma_settles_what_may_be_either() {
    let known = Dialect { decimal_comma: true, ..Dialect::default() };
    let read = |values: &[&str]| match convert_with(&raw(values), &known).values {
        Values::Number(numbers) => numbers,
        other => panic!("{other:?}"),
    };
    assert_eq!(read(&["4.716", "991"]), [4716.0, 991.0]);
    assert_eq!(read(&["4.716", "0.5"]), [4.716, 0.5]);
    assert_eq!(read(&["4,716"]), [4.716]);
    assert_eq!(numbers(&["4.716", "991"]), [4.716, 991.0]);
    assert!(note(&["4.716", "991"]).contains("`4.716` beside whole ones below 1000"), "{}", note(&["4.716", "991"]));
    assert_eq!([note(&["4.716", "991", "0.5"]), note(&["4.716", "9910"]), note(&["4.716", "2.001"])], ["", "", ""]);
}

#[test]
fn numbers_too_long_are_pointed_out() {
    assert!(note(&["9007199254740993", "1"]).contains("`9007199254740993`"));
    assert_eq!(note(&["9007199254740992", "1e300", "12345678901234567890.5"]), "");
}

#[test]
fn declared_text_stays_as_written() {
    assert_eq!(levels(&["01", " 1 ", "1.0"], Some(Hint::Text)), ["01", " 1 ", "1.0"]);
}

#[test]
fn a_word_in_a_declared_number_column_is_an_error() {
    let column = read(&["1", "two", "3"], Some(Hint::Number));
    assert_eq!(column.values.len(), 3);
    let error = column.fault.unwrap();
    assert_eq!(error.to_string(), "f.csv line 3: column `x`: `two` is not a number");
    assert!(error.hint().unwrap().starts_with("declare the column as a category"));
}

#[test]
fn nineteen_in_twenty_numbers_make_a_word_an_error() {
    let column = |numbers: usize, words: usize| {
        let mut values = vec!["7"; numbers];
        values.extend(vec!["lots"; words]);
        values.push("");
        values
    };
    let error = read(&column(38, 2), None).fault.unwrap();
    assert_eq!(error.to_string(), "f.csv line 40: column `x`: `lots` is not a number");
    assert!(error.hint().unwrap().contains("data.missing"));
    assert_eq!(levels(&column(37, 2), None), ["7", "lots"], "94.9 %");
    assert_eq!(levels(&column(19, 1), None), ["7", "lots"], "too few numbers to tell");
    assert!(read(&column(20, 1), None).fault.is_some());
}

#[test]
fn missing_rows_do_not_hide_a_word() {
    // 20 numbers and 1 word among 1000 missing ones.
    let mut values = vec![""; 1000];
    values.extend(vec!["1"; 20]);
    values.push("x");
    assert!(read(&values, None).fault.is_some());
}

#[test]
fn given_missing_words_are_added_to_the_usual_ones() {
    let given = Dialect { missing: Some(vec!["-999".into(), " lost".into()]), ..Dialect::default() };
    let Values::Number(values) = convert_with(&raw(&["-999", "1", "lost ", "NA", ""]), &given).values else {
        panic!("text")
    };
    assert_eq!(values.iter().filter(|value| value.is_nan()).count(), 4);
    let Values::Text(text) = convert_with(&raw(&["NA", "lost", "", "-999", "a"]), &given).values else {
        panic!("numbers")
    };
    assert_eq!(text.levels, ["NA", "a"]);
}

#[test]
fn nulls_differ_from_empty_text() {
    let mut raw = raw(&["a", ""]);
    raw.push_null();
    raw.push("b");
    assert_eq!(raw.values().collect::<Vec<_>>(), [Some("a"), Some(""), None, Some("b")]);
}
