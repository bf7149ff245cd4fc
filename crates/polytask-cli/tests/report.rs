//! `polytask report`, `polytask importance`, and who is told while training.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use common::{CONFIG, Folder, repository, table};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;

/// Attributes and texts of a page that would fetch something, or run something.
fn outside(page: &str) -> Vec<&str> {
    ["http://", "https://", "src=\"//", "<script", "@import", "url("]
        .into_iter()
        .filter(|part| page.replace("http://www.w3.org/2000/svg", "").contains(part))
        .collect()
}

fn report(folder: &Folder, arguments: &str) -> String {
    folder.works(&format!("report {arguments} --out report.html"));
    let page = folder.read("report.html");
    assert!(page.len() < 2_000_000, "{} bytes", page.len());
    assert_eq!(outside(&page), [] as [&str; 0]);
    // Every drawing has a name and a description, every figure a caption, and nothing is left open.
    let drawings = page.matches("<svg").count();
    assert_eq!(page.matches("<title").count() - 1 - page.matches("<g><title").count(), drawings);
    assert_eq!(page.matches("<figure").count(), page.matches("<figcaption").count());
    // The numbers of a drawing stand beneath it; the residuals are those of the figure above, scores have a table of their own.
    let alone = ["Residuals", "Layers from the inputs", "Every way, task by task", "size: ", "warm: ", "grade: "];
    for figure in page.split("<figure>").skip(1).filter_map(|rest| rest.split("</figure>").next()) {
        let bare = alone.iter().any(|title| figure.contains(&format!("<strong>{title}")));
        assert_eq!(figure.contains("<table"), !bare, "{}", &figure[..100]);
    }
    for tag in ["section", "figure", "table", "details", "svg", "ul", "li", "tr"] {
        assert_eq!(
            page.matches(&format!("<{tag}")).count() - opened_longer(&page, tag),
            page.matches(&format!("</{tag}>")).count(),
            "{tag}"
        );
    }
    page
}

/// Tags that begin alike, such as `<tr` and `<track`.
fn opened_longer(page: &str, tag: &str) -> usize {
    let open = format!("<{tag}");
    page.match_indices(&open)
        .filter(|(at, _)| page[at + open.len()..].starts_with(|c: char| c.is_alphanumeric()))
        .count()
}

/// The titles of sections and parts.
fn titles(page: &str) -> Vec<&str> {
    let line = |line: &str| line.contains("<h2>") || line.contains("<h3>");
    page.lines()
        .filter(|l| line(l))
        .map(|l| l.trim().trim_start_matches("<h2>").trim_start_matches("<h3>"))
        .map(|l| &l[..l.len() - 5])
        .collect()
}

/// The rows of the table with this caption, cell by cell, of a page or a part of one.
fn cells<'a>(page: &'a str, caption: &str) -> Vec<Vec<&'a str>> {
    let after = page.split_once(&format!("<caption>{caption}</caption>")).unwrap().1;
    let body = after.split_once("<tbody>").unwrap().1.split_once("</tbody>").unwrap().0;
    let cell = |cell: &'a str| cell.split_once('>').unwrap().1.split('<').next().unwrap();
    body.split("<tr>").skip(1).map(|row| row.split("<t").skip(1).map(cell).collect()).collect()
}

/// The part of a page under a heading.
fn part<'a>(page: &'a str, heading: &str) -> &'a str {
    let after = [2, 3].iter().find_map(|h| page.split_once(&format!("<h{h}>{heading}</h{h}>"))).unwrap().1;
    let end = after.find("<h2>").unwrap_or(after.len()).min(after.find("<h3>").unwrap_or(after.len()));
    &after[..end]
}

/// Numbers are shown in four digits.
fn shows(cell: &str, value: f64) -> bool {
    cell.split(' ').next().unwrap().parse::<f64>().is_ok_and(|shown| (shown - value).abs() <= 1e-3 * value.abs())
}

/// `12.3 %`
fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}

#[test]
fn the_numbers_are_those_of_the_predictions() {
    let folder = Folder::with(CONFIG, &table(400));
    folder.works("train config.toml --out people --set train.epochs=20");
    let page = report(&folder, "people --no-importance");
    let split = |text: &str| -> Vec<Vec<String>> {
        text.lines().skip(1).map(|line| line.split(',').map(str::to_owned).collect()).collect()
    };
    let said = folder.works("predict people --data data.csv --probabilities").out;
    assert!(said.starts_with("size,warm,warm=no,warm=yes,grade,"));
    // The test rows, each with what is predicted for it.
    let rows: Vec<(Vec<String>, Vec<String>)> =
        split(&table(400)).into_iter().zip(split(&said)).filter(|(row, _)| row[3] == "test").collect();

    // Down is what was, across what was predicted.
    let grades = ["high", "low", "middle"];
    let count = |was: &str, said: &str| rows.iter().filter(|(row, p)| row[6] == was && p[4] == said).count();
    assert!(grades.iter().any(|a| grades.iter().any(|b| count(a, b) != count(b, a))), "else the test says nothing");
    let grade = part(&page, "grade");
    for (was, shown) in grades.iter().zip(cells(grade, "Rows")) {
        let counts = grades.map(|said| count(was, said).to_string());
        assert_eq!(shown, [&[*was], &counts.each_ref().map(String::as_str)[..]].concat());
    }
    for (class, shown) in grades.iter().zip(cells(grade, "Scores by class")) {
        let hits = count(class, class) as f64;
        let (actual, predicted): (usize, usize) = grades
            .iter()
            .map(|other| (count(class, other), count(other, class)))
            .fold((0, 0), |a, b| (a.0 + b.0, a.1 + b.1));
        let share = |of: usize| if of > 0 { percent(hits / of as f64) } else { "–".to_owned() };
        assert_eq!(shown[..3], [*class, &share(predicted), &share(actual)], "{class}");
        assert_eq!(shown[4..], [actual.to_string(), predicted.to_string()], "{class}");
    }

    // The rows that are furthest off, the furthest first.
    let number = |text: &str| text.parse::<f64>().unwrap();
    let sized = rows.iter().filter(|(row, _)| !row[4].is_empty());
    let mut off: Vec<[f64; 2]> = sized.map(|(row, p)| [number(&row[4]), number(&p[0])]).collect();
    off.sort_by(|a, b| (b[0] - b[1]).abs().total_cmp(&(a[0] - a[1]).abs()));
    let worst = cells(part(&page, "size"), "The worst rows");
    assert_eq!(worst.len(), 10);
    for (shown, [actual, predicted]) in worst.iter().zip(off) {
        assert!(shows(shown[1], actual) && shows(shown[2], predicted), "{shown:?} {actual} {predicted}");
        assert!((number(shown[3]) - (actual - predicted)).abs() < 2e-3, "{shown:?} {actual} {predicted}");
    }

    // How often what was said came true, and what a threshold finds.
    let warm = part(&page, "warm");
    let claims: Vec<(f64, bool)> =
        rows.iter().filter(|(row, _)| !row[5].is_empty()).map(|(row, p)| (number(&p[3]), row[5] == "yes")).collect();
    let among = |of: &dyn Fn(&(f64, bool)) -> bool| {
        let chosen: Vec<_> = claims.iter().filter(|claim| of(claim)).collect();
        chosen.iter().filter(|claim| claim.1).count() as f64 / chosen.len() as f64
    };
    for shown in cells(warm, "Calibration") {
        let low = number(shown[0].split(' ').next().unwrap()) / 100.0;
        assert_eq!(shown[3], percent(among(&|(p, _)| (low..low + 0.1).contains(p))), "{shown:?}");
    }
    let half = cells(warm, "Thresholds").into_iter().find(|row| row[0] == "50.0 %").unwrap();
    let found = |of: bool| {
        let own = claims.iter().filter(|(_, hit)| *hit == of);
        percent(own.clone().filter(|(p, _)| *p >= 0.5).count() as f64 / own.count() as f64)
    };
    assert_eq!(half[1..], [found(true), found(false), percent(among(&|(p, _)| *p >= 0.5))]);

    // Of a share the interval is about that of the normal distribution.
    let accuracy = cells(warm, "Scores").into_iter().find(|row| row[0] == "accuracy").unwrap();
    let share = claims.iter().filter(|(p, hit)| (*p > 0.5) == *hit).count() as f64 / claims.len() as f64;
    let (low, high) = accuracy[2].split_once(" to ").unwrap();
    let width = 2.0 * 1.96 * (share * (1.0 - share) / claims.len() as f64).sqrt();
    assert!(shows(accuracy[1], share), "{accuracy:?} {share}");
    assert!((0.75..1.25).contains(&((number(high) - number(low)) / width)), "{accuracy:?} {width}");
}

#[test]
fn a_report_has_everything_that_is_known() {
    let folder = Folder::with(CONFIG, &table(400));
    folder.works("train config.toml --out people");
    folder.works("compare config.toml --seeds 2 --shares 30,100 --favour --out people/compare.json");
    folder.write(
        "people/selection.json",
        r#"{"groups": [["size", "warm"], ["grade"]], "affinity": {"size": {"warm": 0.1, "grade": -0.2}, "warm": {"size": 0.05}}}"#,
    );
    let page = report(&folder, "people");
    assert_eq!(
        titles(&page),
        [
            "Overview",
            "What the inputs add",
            "Did sharing help?",
            "How training went",
            "Weights and gradients",
            "Task by task",
            "size",
            "warm",
            "grade",
            "Which tasks belong together",
            "The network",
            "The config"
        ]
    );
    for part in [
        "Measured on the test rows, 80 of them",
        "Predicted against actual",
        "Residuals",
        "Confusion matrix",
        "Calibration",
        "Receiver operating characteristic",
        "The worst rows",
        "What the inputs are worth",
        "data.csv line ",
        "Angles between the gradients",
        "size with fewer labels",
        "Every way, task by task",
        "size helps warm most",
        "r2 on the validation rows",
        "What sharing did to each task",
        "trunk = [16]",
    ] {
        assert!(page.contains(part), "{part}");
    }
    // The scores are those that training printed.
    let r2 = folder.json("people/metrics.json")["tasks"]["size"]["r2"].as_f64().unwrap();
    let shown = format!("<td>{r2:.6}</td>");
    assert!(page.contains(&shown[..8]), "{shown}");
    assert!(!page.contains("the data may have changed"));
    let affinity = cells(&page, "Affinity");
    assert_eq!(affinity, [["size", "–", "0.1000"], ["warm", "0.05000", "–"]]);
    let mut compared = folder.json("people/compare.json");
    for row in cells(&page, "Joint against one model a task") {
        let (task, metric) = (&compared["tasks"][row[0]], row[1]);
        let of = |side: &str| task[side][metric].as_f64().unwrap();
        assert!(
            shows(row[2], of("linear")) && shows(row[3], of("single")) && shows(row[4], of("joint")),
            "{row:?} {task}"
        );
        let known = |key: &str| task[key].as_f64().unwrap();
        assert!(shows(row[5], known("difference")) && shows(row[6], known("p_adjusted")), "{row:?} {task}");
    }
    for (task, verdict) in [("size", "helped"), ("warm", "hurt"), ("grade", "no_difference")] {
        compared["tasks"][task]["verdict"] = verdict.into();
    }
    folder.write("told.json", compared.to_string());
    let told = report(&folder, "people --compare told.json");
    let verdicts: Vec<[&str; 2]> =
        cells(&told, "Joint against one model a task").iter().map(|row| [row[0], row[7]]).collect();
    // A value of JSON has its keys in their own order.
    assert_eq!(verdicts, [["grade", "no difference beyond the noise"], ["size", "helped"], ["warm", "hurt"]]);
    assert!(told.contains("Learning jointly helped size; it hurt warm; it made no difference"));
    // The same directory gives the same page.
    assert_eq!(report(&folder, "people"), page);
}

#[test]
fn what_is_gone_is_said() {
    let folder = Folder::with(CONFIG, &table(200));
    folder.works("train config.toml --out people");
    std::fs::rename(folder.path("data.csv"), folder.path("moved.csv")).unwrap();
    let page = report(&folder, "people");
    assert!(page.contains("The test rows cannot be read any more") && page.contains("Scores that training left"));
    assert!(page.contains("data.csv") && !page.contains("Task by task"));
    let page = report(&folder, "people --data moved.csv");
    assert!(page.contains("Measured on the rows of moved.csv, 200 of them"), "{page}");
    // Other data under the old name.
    folder.write("data.csv", table(200).replace(",high", ",low"));
    assert!(report(&folder, "people --no-importance").contains("the data may have changed since. grade (accuracy "));
    for name in ["history.jsonl", "config.toml", "run.json"] {
        std::fs::remove_file(folder.path("people").join(name)).unwrap();
    }
    let page = report(&folder, "people");
    assert!(page.contains("the directory has no config.toml to find them by"));
    folder.write("people/compare.json", "{}");
    assert!(report(&folder, "people").contains("The comparison cannot be read: missing field `tasks`"));
}

#[test]
fn several_runs_stand_side_by_side() {
    let folder = Folder::with(CONFIG, &table(200));
    folder.works("train config.toml --out a");
    folder.works("train config.toml --out b --set model.trunk=[8] --seed 3");
    let page = report(&folder, "a b");
    assert_eq!(titles(&page), ["Overview", "Scores", "How training went"]);
    for row in cells(&page, "Scores of every run") {
        let own = ["a", "b"]
            .map(|run| folder.json(&format!("{run}/metrics.json"))["tasks"][row[0]][row[1]].as_f64().unwrap());
        assert!(shows(row[2], own[0]) && shows(row[3], own[1]), "{row:?} {own:?}");
        // All of these metrics are better high.
        assert_eq!(row[4], if own[1] > own[0] { "b" } else { "a" }, "{own:?}");
    }
    assert!(page.contains("model.trunk") && page.contains("train.seed") && !page.contains("train.batch"));
    let done = folder.run("report a b --data data.csv");
    assert_eq!(done.code, Some(2));
    assert!(
        done.message().starts_with(
            "--data, --compare, --selection, --card and --no-importance belong to the report on one model"
        )
    );
    let done = folder.run("report nowhere");
    assert_eq!(done.code, Some(1));
    assert!(done.message().starts_with("nowhere is no model directory"), "{}", done.message());
}

#[test]
fn text_and_images_have_their_own_sections() {
    let folder = Folder::new();
    let train = |name: &str, more: &str| {
        let config = repository(&format!("examples/{name}/config.toml"));
        folder.works(&format!("train {config} --out {name} --set train.epochs=1 {more}"));
    };
    train("commands", "");
    let page = report(&folder, "commands");
    for part in ["Spans by label", "wrong or missed", "Scores by class"] {
        assert!(page.contains(part), "{part}");
    }
    folder.write(
        "digits.toml",
        format!(
            "[data]\npath = \"{}\"\n[inputs]\nimage = \"image\"\n[tasks.digit]\nkind = \"category\"\n[tasks.odd]\nkind = \"binary\"\n\
             [train]\nepochs = 1\n",
            repository("data/digits/digits-images-idx3-ubyte.gz")
        ),
    );
    folder.works("train digits.toml --out digits");
    let page = report(&folder, "digits");
    assert!(page.matches("data:image/png;base64,").count() >= 32, "two sheets a task");
    assert!(page.contains("The worst images") && page.contains("class=\"picture wrong\""));
}

#[test]
fn names_cannot_break_the_page() {
    let data = table(120).replace("size", "<b>&\"size\"</b>");
    let data = data.replace("red", "<script>alert(1)</script>");
    let config = CONFIG.replace("[tasks.size]", "[tasks.\"<b>&\\\"size\\\"</b>\"]");
    let data = data.replacen("<b>&\"size\"</b>", "\"<b>&\"\"size\"\"</b>\"", 1);
    let folder = Folder::with(&config, &data);
    folder.works("train config.toml --out people");
    let page = report(&folder, "people");
    assert!(!page.contains("<b>&") && page.contains("&lt;script&gt;alert(1)"));
}

#[test]
fn importance_finds_the_input_that_counts() {
    // `size` is x alone, `other` is z alone, and `noise` is nothing.
    let rows = (0..600u32).map(|i| {
        let (x, z, noise) = (i % 13, i * 7 % 11, i.wrapping_mul(2_654_435_761) >> 20);
        format!("{x},{z},{noise},{},{}\n", 2 * x, if z > 5 { "yes" } else { "no" })
    });
    let data = format!("x,z,noise,size,other\n{}", rows.collect::<String>());
    let config = "data.path = \"data.csv\"\n[tasks.size]\n[tasks.other]\n[train]\nepochs = 60\nlearning_rate = 0.01\n";
    let folder = Folder::with(config, &data);
    folder.works("train config.toml");
    let done = folder.works("importance model --data data.csv --format json");
    let answer: serde_json::Value = serde_json::from_str(&done.out).unwrap();
    let inputs = |task: &str| {
        let inputs = answer["tasks"][task]["inputs"].as_object().unwrap();
        let of = |name: &str| inputs[name]["mean"].as_f64().unwrap();
        [of("x"), of("z"), of("noise")]
    };
    let ([x, z, noise], [ox, oz, onoise]) = (inputs("size"), inputs("other"));
    assert!(x > 1.0 && z.abs() < 0.1 && noise.abs() < 0.1, "{answer}");
    assert!(oz > 0.3 && ox.abs() < 0.1 && onoise.abs() < 0.1, "{answer}");
    // The same seed deals the same, on any number of threads.
    assert_eq!(folder.works("importance model --data data.csv --format json --threads 1").out, done.out);
    let text = folder.works("importance model --data data.csv").out;
    let header: Vec<&str> = text.lines().next().unwrap().split_whitespace().collect();
    assert_eq!(header, ["task", "metric", "score", "input", "worth"], "{text}");
    assert!(text.lines().nth(1).unwrap().contains("      x  "), "{text}");
    // The report has one map of all tasks, in shares.
    let page = report(&folder, "model");
    let shares = cells(&page, "Shares by input and task");
    let share = |input: &str, column: usize| -> f64 {
        let row = shares.iter().find(|row| row[0] == input).unwrap();
        row[column].trim_end_matches(" %").parse().unwrap()
    };
    assert!(share("x", 1) > 70.0 && share("noise", 1) < 15.0, "{shares:?}");
    assert!(share("z", 2) > 60.0 && share("x", 2) < 25.0, "{shares:?}");
    assert!(!report(&folder, "model --no-importance").contains("Shares by input and task"));
}

#[test]
fn texts_are_permuted_too_and_labelled_ones_are_not() {
    let folder = Folder::new();
    let config = repository("examples/commands/config.toml");
    folder.works(&format!("train {config} --out m --set train.epochs=1"));
    let done = folder.run(&format!("importance m --data {}", repository("data/commands/commands.jsonl")));
    assert_eq!(done.code, Some(0), "{}", done.err);
    assert!(done.err.contains("cannot be permuted between rows"), "{}", done.err);
}

#[test]
fn history_has_the_scores_of_every_round() {
    let folder = Folder::with(CONFIG, &table(200));
    folder.works("train config.toml --tensorboard events");
    for round in folder.history("model") {
        assert!(round["scores"]["size"]["r2"].is_f64() && round["scores"]["warm"]["auc"].is_f64(), "{round}");
    }
    let files: Vec<_> = std::fs::read_dir(folder.path("events")).unwrap().map(|entry| entry.unwrap().path()).collect();
    let name = files[0].file_name().unwrap().to_string_lossy().into_owned();
    assert!(files.len() == 1 && name.starts_with("events.out.tfevents."), "{files:?}");
    // A record is a length, its checksum, the data and theirs: the version, then one a round.
    let bytes = std::fs::read(&files[0]).unwrap();
    let (mut at, mut records) = (0, 0);
    while at < bytes.len() {
        let length = u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap()) as usize;
        at += 8 + 4 + length + 4;
        records += 1;
    }
    assert_eq!((at, records), (bytes.len(), 1 + 5));
}

/// Answers as MLflow would, until it is asked for `last`, and gives back what it was asked: paths and bodies.
fn server(last: &'static str, status: &'static str) -> (String, std::thread::JoinHandle<Vec<(String, String)>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let serve = move || {
        let mut asked: Vec<(String, String)> = Vec::new();
        let ended = |asked: &[(String, String)]| asked.last().is_some_and(|(path, _)| path.contains(last));
        while !ended(&asked) {
            let (mut stream, _) = listener.accept().unwrap();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            // A connection may bring several requests.
            loop {
                let (mut line, mut length) = (String::new(), 0);
                if reader.read_line(&mut line).unwrap_or(0) == 0 {
                    break;
                }
                let path = line.split(' ').nth(1).unwrap().to_owned();
                loop {
                    let mut header = String::new();
                    reader.read_line(&mut header).unwrap();
                    if header.trim().is_empty() {
                        break;
                    }
                    if let Some(value) = header.to_lowercase().strip_prefix("content-length:") {
                        length = value.trim().parse().unwrap();
                    }
                }
                let mut body = vec![0; length];
                reader.read_exact(&mut body).unwrap();
                asked.push((path, String::from_utf8(body).unwrap()));
                let answer = r#"{"experiment_id": "7", "run": {"info": {"run_id": "abc"}}}"#;
                let head = format!(
                    "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
                    answer.len()
                );
                stream.write_all(format!("{head}{answer}").as_bytes()).unwrap();
                if ended(&asked) {
                    break;
                }
            }
        }
        asked
    };
    (address, std::thread::spawn(serve))
}

#[test]
fn mlflow_is_told_of_parameters_rounds_and_scores() {
    let folder = Folder::with(CONFIG, &table(200));
    let (address, asked) = server("runs/update", "200 OK");
    let done = folder.works(&format!("train config.toml --mlflow {address}"));
    assert!(!done.err.contains("warning: the MLflow"), "{}", done.err);
    let asked = asked.join().unwrap();
    let paths: Vec<&str> = asked.iter().map(|(path, _)| path.rsplit("mlflow/").next().unwrap()).collect();
    // Metrics go together, more often only where training is slow.
    assert_eq!(paths[..3], ["experiments/create", "runs/create", "runs/log-batch"]);
    assert_eq!(paths[paths.len() - 2..], ["runs/log-batch", "runs/update"]);
    let bodies: Vec<serde_json::Value> = asked.iter().map(|(_, body)| serde_json::from_str(body).unwrap()).collect();
    let key = |list: &str, key: &str| -> Vec<serde_json::Value> {
        let all = bodies.iter().filter_map(|body| body[list].as_array()).flatten();
        all.filter(|item| item["key"] == key).cloned().collect()
    };
    assert_eq!(key("params", "train.batch")[0]["value"], "32");
    let losses = key("metrics", "valid_loss/size");
    assert_eq!(losses.iter().map(|m| m["step"].as_u64().unwrap()).collect::<Vec<_>>(), [4, 8, 12, 16, 20]);
    let r2 = &folder.json("model/metrics.json")["tasks"]["size"]["r2"];
    assert_eq!(&key("metrics", "test_r2/size")[0]["value"], r2);
    assert_eq!(bodies.last().unwrap()["status"], "FINISHED");
}

#[test]
fn a_server_that_fails_ends_no_training() {
    let folder = Folder::with(CONFIG, &table(200));
    let (address, asked) = server("experiments/get-by-name", "503 Busy");
    let done = folder.works(&format!("train config.toml --mlflow {address}"));
    assert!(done.err.contains("refuses experiments/create with status 503"), "{}", done.err);
    asked.join().unwrap();
    let done = folder.works("train config.toml --mlflow http://127.0.0.1:9");
    assert!(done.err.contains("warning: the MLflow server at http://127.0.0.1:9 does not answer: "), "{}", done.err);
    assert!(folder.path("model/model.json").exists());
    let done = folder.run("train config.toml --mlflow 127.0.0.1:5000");
    assert_eq!(done.code, Some(2));
    assert!(done.message().starts_with("--mlflow takes an address that begins with http://, not \"127.0.0.1:5000\""));
}

#[test]
fn without_a_terminal_there_is_no_screen() {
    let folder = Folder::with(CONFIG, &table(200));
    let done = folder.works("train config.toml --tui");
    assert!(done.err.contains("note: --tui needs a terminal; plain lines follow"), "{}", done.err);
    assert!(done.err.contains("epoch 1: valid size r2 "), "{}", done.err);
}
