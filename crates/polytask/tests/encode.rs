//! The input encoder: fitted on training rows alone, and every complaint about inputs.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use polytask::config::{Config, NumbersModel, TextModel};
use polytask::inputs::{Code, EncodeError, Encoder};
use polytask_data::{Column, Hint, Table};
use polytask_graph::{Activation, GraphBuilder, LossKind, Op, ops};

const NONE: f64 = f64::NAN;
const ABSENT: u32 = u32::MAX;

fn config(keys: &str) -> Config {
    Config::from_toml(&format!("data.path = \"x\"\ntasks.y = {{}}\n{keys}\n"), "x.toml").unwrap()
}

fn table(columns: Vec<Column>) -> Table {
    Table::from_columns(columns).unwrap()
}

fn words<'a>(name: &str, values: impl IntoIterator<Item = &'a str>) -> Column {
    Column::text(name, values.into_iter().map(|v| (!v.is_empty()).then_some(v)))
}

fn fit(keys: &str, table: &Table) -> Result<Encoder, EncodeError> {
    let rows: Vec<u32> = (0..table.rows() as u32).collect();
    Encoder::fit(&config(keys).input_plan(table), table, &rows)
}

fn says(error: &EncodeError) -> String {
    match error.hint() {
        Some(hint) => format!("{error}\nhint: {hint}"),
        None => error.to_string(),
    }
}

fn people() -> Table {
    table(vec![
        Column::number("age", vec![10.0, 30.0, 1000.0]),
        words("sex", ["m", "f", "x"]),
        Column::number("y", vec![1.0, 2.0, 3.0]),
        words("smoker", ["No", "yes", ""]),
    ])
}

#[test]
fn everything_is_fitted_on_the_training_rows() {
    let encoder = Encoder::fit(&config("").input_plan(&people()), &people(), &[0, 1]).unwrap();
    let kinds: Vec<(&str, &str)> =
        encoder.inputs.iter().map(|input| (input.column.as_str(), input.code.kind().word())).collect();
    assert_eq!(kinds, [("age", "number"), ("sex", "category"), ("smoker", "boolean")]);
    let features = encoder.features(&people()).unwrap();
    // Mean 20 and population deviation 10; no value is missing in the training rows, so there is no indicator, and the
    // missing one becomes the share of smokers.
    assert_eq!((features.rows, features.number_width, features.index_width), (3, 2, 1));
    assert_eq!(features.numbers, [-1.0, 0.0, 1.0, 1.0, 98.0, 0.5]);
    // f, m; the x was never seen.
    assert_eq!(features.indices, [1, 0, ABSENT]);
    assert_eq!(encoder.number_names(), ["age", "smoker"]);
}

#[test]
fn missing_values_are_filled_and_marked() {
    let data = table(vec![Column::number("a", vec![1.0, NONE, 3.0]), words("b", ["t", "f", ""])]);
    let encoder = fit("", &data).unwrap();
    let features = encoder.features(&data).unwrap();
    assert_eq!(encoder.number_names(), ["a", "a missing", "b", "b missing"]);
    assert_eq!(features.numbers, [-1.0, 0.0, 1.0, 0.0, 0.0, 1.0, 0.0, 0.0, 1.0, 0.0, 0.5, 1.0]);
    // Unstandardised numbers stay as they are, and the mean stands for a missing one.
    let features =
        fit("inputs.a = { kind = \"number\", standardize = false }", &data).unwrap().features(&data).unwrap();
    assert_eq!(features.numbers, [1.0, 0.0, 2.0, 1.0, 3.0, 0.0]);
}

#[test]
fn constant_columns_are_zero_even_where_they_change_later() {
    let encoder = fit("", &table(vec![Column::number("a", vec![0.1, 0.1, 0.1])])).unwrap();
    let features = encoder.features(&table(vec![Column::number("a", vec![0.1, 7.0, NONE])])).unwrap();
    assert_eq!(features.numbers, [0.0, 0.0, 0.0]);
}

#[test]
fn categories_are_one_hot_or_embedded() {
    let many: Vec<String> = (0..40).map(|i| format!("w{:02}", i % 11)).collect();
    let data = table(vec![
        words("few", (0..40).map(|i| if i % 2 == 0 { "a" } else { "b" })),
        words("many", many.iter().map(String::as_str)),
        Column::number("code", (0..40).map(|i| f64::from(i % 3)).collect()),
    ]);
    let widths = |keys: &str| -> Vec<(String, usize, Option<usize>)> {
        let encoder = fit(keys, &data).unwrap();
        encoder.categories().map(|(name, c)| (name.to_owned(), c.levels.len(), c.embedding)).collect()
    };
    // 1.6 * 11^0.56 = 6.1
    assert_eq!(widths(""), [("few".into(), 2, None), ("many".into(), 11, Some(6))]);
    let keys = "inputs.many = { kind = \"category\", one_hot = 11 }\ninputs.few = { kind = \"category\", embedding = 3 }\n\
                inputs.code = \"category\"";
    assert_eq!(widths(keys), [("many".into(), 11, None), ("few".into(), 2, Some(3)), ("code".into(), 3, None)]);
    let encoder = fit(keys, &data).unwrap();
    let hints: Vec<(String, Hint)> = encoder.hints().into_iter().collect();
    assert_eq!(hints, [("code".into(), Hint::Number), ("few".into(), Hint::Text), ("many".into(), Hint::Text)]);
    let Code::Category(code) = &encoder.inputs[2].code else { panic!() };
    assert_eq!(code.levels, ["0", "1", "2"]);
}

#[test]
fn the_graph_joins_all_inputs() {
    let many: Vec<String> = (0..40).map(|i| format!("w{:02}", i % 11)).collect();
    let data = table(vec![
        Column::number("a", (0..40).map(f64::from).collect()),
        words("few", (0..40).map(|i| if i % 2 == 0 { "a" } else { "b" })),
        words("many", many.iter().map(String::as_str)),
    ]);
    let encoder = fit("", &data).unwrap();
    let mut g = GraphBuilder::new();
    let inputs = encoder.inputs(&mut g);
    let x = encoder.embed(&mut g, inputs, "", &NumbersModel::default(), &TextModel::default(), false);
    let out = g.dense(x, 1, Activation::Linear);
    g.loss("y", out, LossKind::Mse);
    let graph = g.finish().unwrap();
    let nodes: Vec<(&str, usize)> = graph.nodes().iter().map(|n| (n.name.as_str(), n.shape.width())).collect();
    let wanted = [("numbers", 1), ("categories", 2), ("one_hot", 2), ("embed.many", 6), ("features", 9)];
    assert_eq!(nodes[..5], wanted);
    assert_eq!(graph.node(x).name, "features");
    let embedded = graph.nodes().iter().find_map(|n| match n.op {
        Op::Embedding(ops::Embedding { column, sparse, .. }) => Some((column.column, column.levels, sparse)),
        _ => None,
    });
    assert_eq!(embedded, Some((1, 11, false)), "a table of few levels moves whole");

    // One part alone needs no joint.
    let mut g = GraphBuilder::new();
    let encoder = fit("inputs.a = \"number\"", &data).unwrap();
    let inputs = encoder.inputs(&mut g);
    let x = encoder.embed(&mut g, inputs, "", &NumbersModel::default(), &TextModel::default(), false);
    let out = g.dense(x, 1, Activation::Linear);
    g.loss("y", out, LossKind::Mse);
    assert_eq!(g.finish().unwrap().node(x).name, "numbers");
}

#[test]
fn many_rows_agree_with_few_in_any_order_of_columns() {
    let rows = 10_000;
    let a: Vec<f64> = (0..rows).map(|i| if i % 7 == 0 { NONE } else { f64::from(i) }).collect();
    let names = ["p", "q", "", "r"];
    let b: Vec<&str> = (0..rows as usize).map(|i| names[i % 4]).collect();
    let data = table(vec![Column::number("a", a.clone()), words("b", b.iter().copied())]);
    let encoder = fit("", &data).unwrap();
    let whole = encoder.features(&data).unwrap();
    // The last rows alone, with the columns the other way round and another one between.
    let from = rows as usize - 100;
    let part = table(vec![
        words("b", b[from..].iter().copied()),
        Column::number("z", vec![0.0; 100]),
        Column::number("a", a[from..].to_vec()),
    ]);
    let part = encoder.features(&part).unwrap();
    assert_eq!(whole.numbers[from * whole.number_width..], part.numbers);
    assert_eq!(whole.indices[from * whole.index_width..], part.indices);
    // Whatever the number of threads.
    let pool = rayon::ThreadPoolBuilder::new().num_threads(3).build().unwrap();
    let again = pool.install(|| fit("", &data).unwrap().features(&data).unwrap());
    assert_eq!(again, whole);
}

#[test]
fn reserved_columns_are_no_inputs() {
    let data = table(
        ["id", "w", "part", "y", "x"].iter().map(|name| Column::number(*name, vec![1.0, 2.0])).collect::<Vec<_>>(),
    );
    let keys = "data.ignore = [\"id\"]\ndata.sample_weight = \"w\"\ndata.split = { column = \"part\" }";
    assert_eq!(fit(keys, &data).unwrap().number_names(), ["x"]);
    assert_eq!(
        says(&fit("data.ignore = [\"ID\"]", &data).unwrap_err()),
        "`data.ignore`: there is no column `ID`\nhint: did you mean `id`?"
    );
    let all = "data.ignore = [\"id\", \"w\", \"part\", \"x\"]";
    assert_eq!(
        says(&fit(all, &data).unwrap_err()),
        "the table has no input column: every column is a label, ignored, or used for splitting or weighing\nhint: name \
         the columns to read in [inputs], or ignore fewer"
    );
}

#[test]
fn columns_that_cannot_be_inputs() {
    let missing = table(vec![Column::number("a", vec![NONE, 5.0]), words("b", ["", "x"])]);
    let some = table(vec![Column::number("a", vec![NONE, 5.0]), Column::number("c", vec![1.0, 2.0])]);
    let says_of =
        |keys: &str, rows: &[u32]| says(&Encoder::fit(&config(keys).input_plan(&missing), &missing, rows).unwrap_err());
    let hint = |name: &str| format!("hint: take it out with data.ignore = [\"{name}\"]");
    let a = format!("input `a`: every value is missing in the training rows\n{}", hint("a"));
    assert_eq!(says_of("", &[0]), a, "the first of two");
    // One that nobody named is left out where there is another.
    let left = Encoder::fit(&config("").input_plan(&some), &some, &[0]).unwrap();
    assert_eq!(left.inputs.iter().map(|input| input.column.as_str()).collect::<Vec<_>>(), ["c"]);
    assert_eq!(says(&Encoder::fit(&config("inputs.a = \"number\"").input_plan(&some), &some, &[0]).unwrap_err()), a);
    let b = format!("input `b`: every value is missing in the training rows\n{}", hint("b"));
    assert_eq!(says_of("inputs.b = \"category\"", &[0]), b);

    let ids: Vec<String> = (0..60).map(|i| format!("p{i}")).collect();
    let data = table(vec![words("id", ids.iter().map(String::as_str))]);
    let identifier = "input `id`: 60 different words in 60 rows; this is an identifier or free text";
    assert_eq!(
        says(&fit("", &data).unwrap_err()),
        format!("{identifier}\n{}, or say in [inputs] what it is: a \"category\", \"text\" or a \"date\"", hint("id"))
    );
    assert_eq!(fit("inputs.id = \"category\"", &data).unwrap().categories().count(), 1);
    let data = table(vec![Column::number("id", (0..100_001).map(f64::from).collect())]);
    let error = says(&fit("inputs.id = \"category\"", &data).unwrap_err());
    let identifier = "input `id`: 100001 different words in 100001 rows; this is an identifier or free text";
    assert_eq!(error, format!("{identifier}\n{}", hint("id")));

    let data = table(vec![words("a", ["red", "blue"])]);
    assert_eq!(
        says(&fit("inputs.a = { standardize = false }", &data).unwrap_err()),
        "input `a` was taken for a category, for which `standardize` has no meaning\nhint: say the kind of the input, or \
         take the key out"
    );
    assert_eq!(
        says(&fit("inputs.b = \"number\"", &data).unwrap_err()),
        "input `b`: there is no column `b`\nhint: it is to hold a number; the columns are `a`"
    );
}

#[test]
fn tables_that_do_not_fit_at_prediction() {
    let encoder =
        fit("inputs.smoker = \"boolean\"\ninputs.age = \"number\"\ninputs.sex = \"category\"", &people()).unwrap();
    let says_of = |columns: Vec<Column>| says(&encoder.features(&table(columns)).unwrap_err());
    let smoker = || words("smoker", ["yes"]);
    assert_eq!(
        says_of(vec![smoker(), Column::number("Age", vec![1.0]), words("sex", ["m"])]),
        "input `age`: there is no column `age`\nhint: it is to hold a number; did you mean `Age`?"
    );
    let number = says_of(vec![smoker(), words("age", ["old"]), words("sex", ["m"])]);
    assert!(number.starts_with("table row 1: input `age` is a number, but holds `old`\nhint: "), "{number}");
    let boolean = "is a boolean, but holds";
    let hint = "hint: a boolean is true or false, yes or no, t or f, y or n, 1 or 0, in any case";
    assert_eq!(
        says_of(vec![words("smoker", ["maybe"])]),
        format!("table row 1: input `smoker` {boolean} `maybe`\n{hint}")
    );
    assert_eq!(
        says_of(vec![Column::number("smoker", vec![2.0])]),
        format!("table row 1: input `smoker` {boolean} `2`\n{hint}")
    );
    // What can be read all the same: booleans as numbers, numbers as text, categories as numbers.
    let data = vec![Column::number("smoker", vec![1.0]), words("age", ["30"]), Column::number("sex", vec![4.0])];
    let features = encoder.features(&table(data)).unwrap();
    assert_eq!((features.numbers[0], features.indices.as_slice()), (1.0, [ABSENT].as_slice()));
}

#[test]
fn encoders_survive_a_round_through_json_and_damage_is_found() {
    let data =
        table(vec![Column::number("a", vec![0.1, 0.2, 0.7]), words("b", ["t", "f", ""]), words("c", ["x", "y", "z"])]);
    let encoder = fit("inputs.a = \"number\"\ninputs.b = \"boolean\"\ninputs.c = { embedding = 2 }", &data).unwrap();
    let json = serde_json::to_string(&encoder).unwrap();
    let again: Encoder = serde_json::from_str(&json).unwrap();
    again.check().unwrap();
    assert_eq!(encoder, again, "{json}");
    assert_eq!(encoder.features(&data).unwrap(), again.features(&data).unwrap());
    let damaged = |from: &str, to: &str| {
        assert!(json.contains(from), "{json}");
        says(&serde_json::from_str::<Encoder>(&json.replace(from, to)).unwrap().check().unwrap_err())
    };
    assert_eq!(damaged("\"embedding\":2", "\"embedding\":0"), "input `c` is damaged: its embedding has no features");
    assert_eq!(damaged("[\"x\",\"y\",\"z\"]", "[\"x\",\"x\"]"), "input `c` is damaged: a level is there twice");
    assert_eq!(damaged("\"share\":0.5", "\"share\":5"), "input `b` is damaged: its share is out of range");
}
