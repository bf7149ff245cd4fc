//! What cases must say and must not say.

/// The begin of a case's name, words that must stand in what it says in this order, and words that must not.
type Judged = (&'static str, &'static [&'static str], &'static [&'static str]);

/// What no case says.
const NEVER: [&str; 3] = ["panicked", "NaN,", ",NaN"];

const CASES: &[Judged] = &[
    ("media-01", &["`text` is left out: it is the sentence that `tokens` is made of", "wrote slu.toml"], &[]),
    ("media-03", &["1 token(s): [['O']]"], &[]),
    ("media-05", &["was cut", "\"recall\": 0.0", "\"exact\": 0.0"], &[]),
    ("media-06", &["`new`, `oos`", "20 (20 unseen)", "20 (20 unseen)"], &[]),
    ("media-07", &["every label in the training rows is `see.01`"], &["columns"]),
    ("media-08", &["trained", "call [Ann](who)", "call [Ann](who)", "tokens tags"], &[]),
    ("media-10", &["many with `,`", "lists as Python and JSON write them", "kind = \"multilabel\""], &[]),
    ("media-11", &["kind = \"binary\"", "kind = \"binary\"", "kind = \"binary\"", "kind = \"binary\""], &[]),
    (
        "media-12",
        &["taken as text", "bread\nzero\n", "{\"kind\": \"bread\"}\n{\"kind\": \"zero\"}", "bread\nzero\n"],
        &[],
    ),
    ("media-14", &["14 rows to train on", "14 rows to train on"], &["error"]),
    ("media-16", &["0 bytes", "422"], &[]),
    ("media-17", &["roles", "done after"], &["error"]),
    ("media-18", &["kind = \"token_category\"", "kind = \"multilabel\"", "kind = \"token_category\""], &["error"]),
    ("media-19", &["there is nothing to predict", "to be predicted: label"], &["config.toml: No such file"]),
    ("media-21", &["trunc.png", "predict --on-error skip"], &[]),
    ("media-22", &["u.txt line 41: `(A0*` is never closed"], &[]),
    ("media-23", &["README.txt among them", "README.txt among them", "wrote c.toml"], &[]),
    ("media-26", &["wrote x.toml", "a \"category\", \"text\""], &[]),
    ("reliability-01", &["0 of 400 differ", "0 of 400 differ"], &[]),
    ("reliability-02", &["422", "server exit 0"], &[]),
    ("reliability-03", &["train, stderr full: 0", "result=\"loaded\"} 1", "exit 0"], &[]),
    ("reliability-04", &["fifo", "link -> target", "secret"], &[]),
    ("reliability-05", &["413"], &["504"]),
    ("reliability-06", &["wrote", "wrote"], &["error"]),
    ("reliability-07", &["TERM: exit 0", "model.json", "INT: exit 0"], &[]),
    ("reliability-08", &["0\n", "1\n"], &[]),
    ("reliability-11", &[], &["\n[train.criterion]"]),
    ("reliability-12", &["of memory to train", "of memory to train", "of memory to train", "ple: 2"], &["Aborted"]),
    ("reliability-13", &["which is refused"], &[]),
    ("reliability-15", &["connection: close", "exit 0"], &[]),
    ("tables-01", &["save the file as UTF-8"], &["unknown format"]),
    ("tables-02", &["was read as numbers", "`$905.03` is 905.03", "kind = \"regression\""], &["kind = \"category\""]),
    ("tables-03", &["120 rows, 4 columns", "data.comment", "data.skip"], &["has no name"]),
    ("tables-05", &["0.999", "0.999", "`03`, `77`"], &[]),
    ("tables-06", &["is the file that is read", "p.csv.gz: gzip"], &["NaN"]),
    ("tables-07", &["off9: 1000000000.", "e39: ", "e_12: "], &["inf", "(1 different)"]),
    ("tables-08", &["holds 1000000000"], &[]),
    ("tables-09", &["take [tasks.ultra] out", "take [tasks.few] out"], &[]),
    ("tables-11", &["300 rows, 3 columns", "300 rows, 3 columns", "300 rows, 2 columns"], &["error", "damaged"]),
    ("tables-14", &["wrote", "## predict and evaluate", "is left out: it could not be read"], &["error:"]),
    ("tables-16", &["TERM after 4 s", "model.json", "INT: files: ", "model.json"], &[]),
    ("tables-17", &["this is an identifier or free text", "role = \"auxiliary\""], &["input `allmiss`: every value"]),
    ("tables-18", &["date", "6 inputs -> y (regression)"], &["error"]),
    ("tables-19", &["age", "alter", "alter"], &["list the word"]),
    ("tables-20", &["119 labels missing", "taken as text"], &[]),
    ("tables-22", &["wrote", "model.json"], &["header too large"]),
];

/// Whether a case was judged and right, and what is wrong.
pub fn judge(name: &str, said: &str) -> (&'static str, Vec<String>) {
    let never = |words: &[&str]| -> Vec<String> {
        words.iter().filter(|words| said.contains(**words)).map(|words| format!("it says {words:?}")).collect()
    };
    let mut faults = never(&NEVER);
    if said.contains("ModuleNotFoundError") {
        return ("skipped: Python lacks a package", faults);
    }
    let judged = CASES.iter().find(|(begin, ..)| name.starts_with(begin));
    if let Some((_, all, none)) = judged {
        // In any order, for what goes to the two streams is not in that of time; what stands twice is said twice.
        for words in *all {
            let wanted = all.iter().filter(|other| *other == words).count();
            if said.matches(words).count() < wanted {
                faults.push(format!("it does not say {words:?} {wanted} time(s)"));
            }
        }
        faults.extend(never(none));
    }
    let state = match (judged.is_some(), faults.is_empty()) {
        (_, false) => "WRONG",
        (true, true) => "right",
        (false, true) => "to be read",
    };
    (state, faults)
}
