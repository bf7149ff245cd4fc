//! Fits boosted trees or a forest to a CSV file and prints R2 of every task on rows that it did not see.
//!
//! ```text
//! score FILE.csv[.gz] --targets a,b [--drop c,d] [--mode boost|forest|extra] [--seeds 3] [--inner] [--set key=value ...]
//! ```
//!
//! `--set` sets any option by its name, such as `sharing="none"` or `growing.max_leaves=15`. Test rows are those whose index is divisible by 5; `--inner` leaves these alone and takes a fifth of the other rows in
//! their place, to choose settings by. A fifth of what is left, drawn by the seed, are validation rows.

use std::io::Read;
use std::time::Instant;

use polytask_trees::{Boosting, Column, Features, Fitted, Forest, Objective, Silent, Task, boost};

type Failure = Box<dyn std::error::Error>;

struct Arguments {
    file: String,
    targets: Vec<String>,
    drop: Vec<String>,
    mode: String,
    seeds: u64,
    inner: bool,
    options: serde_json::Map<String, serde_json::Value>,
    growing: serde_json::Map<String, serde_json::Value>,
}

fn arguments() -> Result<Arguments, Failure> {
    let mut words = std::env::args().skip(1);
    let file = words.next().ok_or("a file is needed")?;
    let mut found = Arguments {
        file,
        targets: Vec::new(),
        drop: Vec::new(),
        mode: "boost".into(),
        seeds: 3,
        inner: false,
        options: Default::default(),
        growing: Default::default(),
    };
    let list = |word: Option<String>| word.unwrap_or_default().split(',').map(String::from).collect::<Vec<_>>();
    while let Some(word) = words.next() {
        match word.as_str() {
            "--targets" => found.targets = list(words.next()),
            "--drop" => found.drop = list(words.next()),
            "--mode" => found.mode = words.next().unwrap_or_default(),
            "--seeds" => found.seeds = words.next().unwrap_or_default().parse()?,
            "--inner" => found.inner = true,
            "--set" => {
                let pair = words.next().unwrap_or_default();
                let (key, value) = pair.split_once('=').ok_or("--set key=value")?;
                let value = serde_json::from_str(value).unwrap_or_else(|_| value.into());
                match key.strip_prefix("growing.") {
                    Some(key) => found.growing.insert(key.into(), value),
                    None => found.options.insert(key.into(), value),
                };
            }
            other => return Err(format!("unknown argument {other}").into()),
        }
    }
    Ok(found)
}

/// Columns by name, as words.
fn read(path: &str) -> Result<(Vec<String>, Vec<Vec<String>>), Failure> {
    let mut bytes = std::fs::read(path)?;
    if path.ends_with(".gz") {
        let packed = std::mem::take(&mut bytes);
        flate2::read::GzDecoder::new(&packed[..]).read_to_end(&mut bytes)?;
    }
    let mut reader = csv::Reader::from_reader(&bytes[..]);
    let names: Vec<String> = reader.headers()?.iter().map(String::from).collect();
    let mut columns = vec![Vec::new(); names.len()];
    for record in reader.records() {
        for (column, word) in columns.iter_mut().zip(&record?) {
            column.push(word.to_string());
        }
    }
    Ok((names, columns))
}

fn number(word: &str) -> Option<f64> {
    if word.is_empty() || word == "?" { Some(f64::NAN) } else { word.parse().ok() }
}

fn column(words: &[String]) -> Column {
    match words.iter().map(|word| number(word)).collect::<Option<Vec<f64>>>() {
        Some(values) => Column::numbers(values),
        None => {
            let mut known: Vec<&String> = words.iter().collect();
            known.sort();
            known.dedup();
            Column::Categories(
                words.iter().map(|word| known.binary_search(&word).map_or(u32::MAX, |code| code as u32)).collect(),
            )
        }
    }
}

fn r2(labels: &[f64], predictions: &[f64]) -> f64 {
    let known: Vec<(f64, f64)> =
        labels.iter().copied().zip(predictions.iter().copied()).filter(|pair| !pair.0.is_nan()).collect();
    let mean = known.iter().map(|pair| pair.0).sum::<f64>() / known.len() as f64;
    let squares = |of: &dyn Fn(&(f64, f64)) -> f64| known.iter().map(|pair| of(pair).powi(2)).sum::<f64>();
    1.0 - squares(&|pair| pair.0 - pair.1) / squares(&|pair| pair.0 - mean)
}

/// Validation rows: a fifth, drawn by a seed.
fn drawn(rows: &[usize], seed: u64) -> (Vec<usize>, Vec<usize>) {
    rows.iter().partition(|&&row| {
        let mut word = (row as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ seed.wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 31)).wrapping_mul(0x94d0_49bb_1331_11eb);
        !(word >> 33).is_multiple_of(5)
    })
}

fn fit(
    arguments: &Arguments,
    features: &Features,
    tasks: &[Task],
    rows: [&[usize]; 2],
    seed: u64,
) -> Result<Fitted, Failure> {
    let mut options = arguments.options.clone();
    options.insert("seed".into(), seed.into());
    match arguments.mode.as_str() {
        "boost" => {
            let mut growing = serde_json::to_value(Boosting::default().growing)?;
            arguments.growing.iter().for_each(|(key, value)| growing[key] = value.clone());
            options.insert("growing".into(), growing);
            let options: Boosting = serde_json::from_value(options.into())?;
            Ok(boost(features, tasks, rows[0], rows[1], &options, &mut Silent)?)
        }
        mode => {
            let start = if mode == "extra" { Forest::extremely_randomised() } else { Forest::default() };
            let mut all = serde_json::to_value(start)?;
            options.into_iter().for_each(|(key, value)| all[key] = value);
            arguments.growing.iter().for_each(|(key, value)| all["growing"][key] = value.clone());
            let options: Forest = serde_json::from_value(all)?;
            let train: Vec<usize> = rows.concat();
            Ok(polytask_trees::forest(features, tasks, &train, &options, &mut Silent)?.fitted)
        }
    }
}

fn main() -> Result<(), Failure> {
    let arguments = arguments()?;
    let (names, words) = read(&arguments.file)?;
    let count = words.first().map_or(0, Vec::len);
    let is_target = |name: &String| arguments.targets.contains(name);
    let inputs = names.iter().zip(&words).filter(|(name, _)| !is_target(name) && !arguments.drop.contains(name));
    let features = Features::new(count, inputs.map(|(_, words)| column(words)).collect())?;
    let tasks: Vec<Task> = names
        .iter()
        .zip(&words)
        .filter(|(name, _)| is_target(name))
        .map(|(_, words)| {
            Task::new(Objective::Squared, words.iter().map(|word| number(word).unwrap_or(f64::NAN)).collect())
        })
        .collect();
    let (mut rest, mut test): (Vec<usize>, Vec<usize>) = (0..count).partition(|row| row % 5 != 0);
    if arguments.inner {
        (rest, test) = drawn(&rest, 77);
    }
    let mut sums = vec![0.0; tasks.len()];
    let mut means = Vec::new();
    let mut last = None;
    let clock = Instant::now();
    for seed in 0..arguments.seeds {
        let (train, validation) = drawn(&rest, seed);
        let fitted = fit(&arguments, &features, &tasks, [&train, &validation], seed)?;
        let predictions = fitted.model.predict(&features.take(&test))?;
        let scores = tasks.iter().enumerate().map(|(task, labels)| {
            let labels: Vec<f64> = test.iter().map(|&row| labels.labels[row]).collect();
            r2(&labels, &predictions.task(task))
        });
        let scores: Vec<f64> = scores.collect();
        means.push(scores.iter().sum::<f64>() / scores.len() as f64);
        sums.iter_mut().zip(scores).for_each(|(sum, score)| *sum += score);
        last = Some(fitted.trees);
    }
    let seconds = clock.elapsed().as_secs_f64() / arguments.seeds as f64;
    let mean = means.iter().sum::<f64>() / means.len() as f64;
    let each: Vec<String> = sums.iter().map(|sum| format!("{:.3}", sum / arguments.seeds as f64)).collect();
    let seeds: Vec<String> = means.iter().map(|mean| format!("{mean:.4}")).collect();
    println!(
        "{mean:.4}  [{}]  tasks {}  trees {:?}  {seconds:.2} s",
        seeds.join(" "),
        each.join(" "),
        last.unwrap_or_default()
    );
    Ok(())
}
