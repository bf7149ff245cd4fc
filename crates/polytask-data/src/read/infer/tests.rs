use super::*;

fn raw(values: &[&str]) -> Raw {
    let mut raw = Raw::new("x");
    for value in values {
        raw.push(value);
    }
    raw
}

fn read(values: &[&str], hint: Option<Hint>) -> Result<(Values, Option<String>), DataError> {
    let missing = MissingWords::of_plain_text(&ReadOptions::default());
    let raw = Raw { hint, ..raw(values) };
    convert("f.csv", &raw, &missing, |row| Place::line("f.csv", row as u64 + 2))
}

fn numbers(values: &[&str]) -> Vec<f64> {
    match read(values, None).unwrap().0 {
        Values::Number(numbers) => numbers,
        other => panic!("{other:?}"),
    }
}

fn levels(values: &[&str], hint: Option<Hint>) -> Vec<String> {
    match read(values, hint).unwrap().0 {
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
fn missing_words_are_missing() {
    let values = numbers(&["1", "", " ", "NA", "N/A", "null", "NULL", "None", "2"]);
    assert_eq!(values.iter().filter(|value| value.is_nan()).count(), 7);
    assert_eq!(levels(&["a", "NA", "", "b", "nan"], None), ["a", "b"]);
}

#[test]
fn a_column_of_nothing_is_a_number_column() {
    assert_eq!(numbers(&["", "NA"]).len(), 2);
}

#[test]
fn nan_counts_as_missing_with_a_note() {
    let (_, note) = read(&["1", "NaN", "nan", "-NaN"], None).unwrap();
    assert_eq!(note.unwrap(), "f.csv: 3 values of column `x` read NaN and count as missing");
    let (_, note) = read(&["1", "NaN"], None).unwrap();
    assert_eq!(note.unwrap(), "f.csv: 1 value of column `x` reads NaN and counts as missing");
}

#[test]
fn infinity_is_refused_however_it_is_written() {
    for word in ["inf", "-Infinity", "1e999", "INF"] {
        let error = read(&["1", word, "2"], None).unwrap_err();
        assert_eq!(error.to_string(), format!("f.csv line 3: column `x`: `{word}` is not a finite number"));
    }
    // Among words it is a word.
    assert_eq!(levels(&["inf", "sup"], None), ["inf", "sup"]);
}

#[test]
fn separators_and_hexadecimal_are_no_numbers() {
    for word in ["1,000", "1_000", "0x10", "1 000", "12a"] {
        assert_eq!(levels(&[word], None), [word]);
    }
}

#[test]
fn decimal_commas_are_noted() {
    let (_, note) = read(&["3,14", "-2,5", "1"], None).unwrap();
    let text = "f.csv: column `x` looks like numbers with a decimal comma and was read as text";
    assert_eq!(note.as_deref(), Some(text));
    assert_eq!(read(&["3,14", "pi"], None).unwrap().1, None);
}

#[test]
fn declared_text_stays_as_written() {
    assert_eq!(levels(&["01", " 1 ", "1.0"], Some(Hint::Text)), ["01", " 1 ", "1.0"]);
}

#[test]
fn a_word_in_a_declared_number_column_is_an_error() {
    let error = read(&["1", "two", "3"], Some(Hint::Number)).unwrap_err();
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
    let error = read(&column(38, 2), None).unwrap_err();
    assert_eq!(error.to_string(), "f.csv line 40: column `x`: `lots` is not a number");
    assert!(error.hint().unwrap().contains("data.missing"));
    assert_eq!(levels(&column(37, 2), None), ["7", "lots"], "94.9 %");
    assert_eq!(levels(&column(19, 1), None), ["7", "lots"], "too few numbers to tell");
    assert!(read(&column(20, 1), None).is_err());
}

#[test]
fn missing_rows_do_not_hide_a_word() {
    // 20 numbers and 1 word among 1000 missing ones.
    let mut values = vec![""; 1000];
    values.extend(vec!["1"; 20]);
    values.push("x");
    assert!(read(&values, None).is_err());
}

#[test]
fn given_missing_words_replace_the_usual_ones() {
    let options = ReadOptions { missing: Some(vec!["-999".into(), "?".into()]), ..ReadOptions::default() };
    let missing = MissingWords::of_plain_text(&options);
    let place = |row| Place::row("f", row as u64);
    let (values, _) = convert("f", &raw(&["-999", "1", "?"]), &missing, place).unwrap();
    let Values::Number(values) = values else { panic!("text") };
    assert!(values[0].is_nan() && values[1] == 1.0 && values[2].is_nan());
    let (values, _) = convert("f", &raw(&["NA", "?"]), &missing, place).unwrap();
    let Values::Text(text) = values else { panic!("numbers") };
    assert_eq!(text.levels, ["NA"]);
}

#[test]
fn nulls_differ_from_empty_text() {
    let mut raw = raw(&["a", ""]);
    raw.push_null();
    raw.push("b");
    assert_eq!(raw.values().collect::<Vec<_>>(), [Some("a"), Some(""), None, Some("b")]);
}
