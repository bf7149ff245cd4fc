//! Which tasks should learn together: planted groups are found, what is found is trained as one model, bad calls are refused.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use common::planted::Planted;
use common::{CONFIG, Folder, table};
use serde_json::Value;

const TWO: Planted = Planted { rows: 600, groups: 2, each: 3, noise: 0.3, harmful: 0, blurred: false };

fn planted(what: Planted, seed: u64) -> Folder {
    Folder::with(&what.config(), &what.table(seed))
}

/// The groups of a `selection.json`, in order.
fn groups(selection: &Value) -> Vec<Vec<String>> {
    let mut all: Vec<Vec<String>> = serde_json::from_value(selection["groups"].clone()).unwrap();
    all.iter_mut().for_each(|group| group.sort());
    all.sort();
    all
}

/// Whether a seed gives back what was planted, and the margin of that: by how many standard errors the affinities within
/// planted groups are above those across, on average.
fn recovery(what: Planted, seed: u64) -> (bool, f64) {
    let folder = planted(what, seed);
    folder.works("select config.toml --threads 1");
    let selection = folder.json("selection/selection.json");
    let truth = what.truth();
    // Mean and its variance, of pairs within and across.
    let mean = |within: bool| {
        let pairs = selection["affinity"].as_object().unwrap().iter().flat_map(|(from, all)| {
            let (own, noise) = (truth.iter().find(|group| group.contains(from)).unwrap(), &selection["noise"][from]);
            let pairs = all.as_object().unwrap().iter().filter(move |(to, _)| own.contains(to) == within);
            pairs.map(move |(to, value)| (value.as_f64().unwrap(), noise[to].as_f64().unwrap()))
        });
        let pairs: Vec<(f64, f64)> = pairs.collect();
        let n = pairs.len() as f64;
        (pairs.iter().map(|p| p.0).sum::<f64>() / n, pairs.iter().map(|p| p.1 * p.1).sum::<f64>() / (n * n))
    };
    let ((within, a), (across, b)) = (mean(true), mean(false));
    (groups(&selection) == truth, (within - across) / (a + b).sqrt())
}

/// Every one of these seeds gives back what was planted, which stands out by a margin of so many standard errors or more.
#[track_caller]
fn recovered(what: Planted, seeds: std::ops::Range<u64>, least: f64) {
    for seed in seeds {
        let (found, margin) = recovery(what, seed);
        assert!(
            found && margin >= least,
            "seed {seed}: groups found: {found}; their margin is {margin:.1} standard errors, of at least {least}"
        );
    }
}

#[test]
fn planted_groups_are_recovered() {
    recovered(TWO, 100..102, 20.0);
    recovered(Planted { groups: 4, each: 2, noise: 0.5, ..TWO }, 100..101, 20.0);
}

#[test]
fn a_harmful_task_is_left_alone() {
    recovered(Planted { groups: 1, each: 5, harmful: 1, ..TWO }, 100..102, 20.0);
}

/// The table of `docs/how-to/select.md`: `cargo test --release -p polytask-cli --test select -- --ignored --nocapture`.
#[test]
#[ignore = "minutes"]
fn planted_structure_of_many_kinds() {
    let clear = [
        (2, 3, 0.1, 0),
        (2, 3, 0.5, 0),
        (2, 3, 1.0, 0),
        (2, 8, 0.5, 0),
        (3, 2, 0.5, 0),
        (3, 4, 0.1, 0),
        (3, 4, 0.5, 0),
        (3, 4, 1.0, 0),
        (4, 2, 0.3, 0),
        (4, 3, 0.5, 0),
        (4, 4, 0.1, 0),
        (4, 4, 0.5, 0),
        (4, 4, 1.0, 0),
        (1, 6, 0.5, 0),
        (1, 6, 1.0, 0),
        (1, 12, 0.5, 0),
        (1, 5, 0.3, 1),
        (1, 5, 0.5, 1),
        (1, 9, 0.5, 1),
        (1, 9, 1.0, 1),
        (2, 4, 0.5, 1),
    ];
    let blurred = [(2, 3, 0.3, 0), (3, 4, 0.5, 0), (4, 4, 0.5, 0), (1, 5, 0.3, 1)];
    let all = clear.map(|what| (what, false)).into_iter().chain(blurred.map(|what| (what, true)));
    println!("| groups | tasks in each | harmful | noise | | recovered |\n| ---: | ---: | ---: | ---: | --- | ---: |");
    let mut low = Vec::new();
    for ((groups, each, noise, harmful), blurred) in all {
        let what = Planted { rows: 600, groups, each, noise, harmful, blurred };
        let lost: Vec<u64> = (0..10).filter(|seed| !recovery(what, *seed).0).collect();
        let kind = if blurred { "blurred" } else { "clear" };
        println!("| {groups} | {each} | {harmful} | {noise} | {kind} | {} of 10 |", 10 - lost.len());
        if lost.len() > 1 && !blurred {
            low.push((groups, each, noise, harmful, lost));
        }
    }
    assert!(low.is_empty(), "{low:?}");
}

#[test]
fn a_selection_is_the_same_every_time_whatever_the_threads() {
    let folder = planted(TWO, 3);
    folder.works("select config.toml --threads 1 --out a");
    folder.works("select config.toml --threads 2 --out b");
    for file in ["selection.json", "affinity.svg", "groups.svg", "groups/0.toml", "groups/1.toml"] {
        assert_eq!(folder.read(&format!("a/{file}")), folder.read(&format!("b/{file}")), "{file}");
    }
    // What is kept of the joint run is enough to select again within other limits.
    folder.works("select config.toml --out a --resume --max-groups 1");
    let again = folder.json("a/selection.json");
    assert_eq!(again["recommended_k"], 1);
    assert_eq!(again["affinity"], folder.json("b/selection.json")["affinity"]);
    assert!(!folder.path("a/groups/1.toml").exists(), "the config of a group that is no more");
    // Killed between two checkpoints: the looks after the first of them come again, and count once.
    folder.works("select config.toml --out part --set train.epochs=90");
    folder.write("part/looks.json", folder.read("b/looks.json"));
    folder.works("select config.toml --out part --resume");
    assert_eq!(folder.json("part/looks.json")["looks"], folder.json("b/looks.json")["looks"]);
    assert_eq!(folder.read("part/selection.json"), folder.read("b/selection.json"));
}

#[test]
fn the_file_says_what_was_found() {
    let folder = planted(TWO, 0);
    let printed = folder.works("select config.toml --format json").out;
    let selection = folder.json("selection/selection.json");
    assert_eq!(serde_json::from_str::<Value>(&printed).unwrap(), selection);
    assert_eq!(selection["recommended_k"], 2);
    assert_eq!(selection["verified"], Value::Null);
    let affinity = selection["affinity"].as_object().unwrap();
    assert_eq!(affinity.len(), 6);
    let at = |from: &str, to: &str| affinity[from][to].as_f64().unwrap();
    assert!(affinity["g0t0"].get("g0t0").is_none());
    assert!(at("g0t0", "g0t1") > 5.0 * at("g0t0", "g1t1").abs(), "{affinity:?}");
    let curve = selection["curve"].as_array().unwrap();
    assert_eq!(curve.len(), 6);
    let gains: Vec<f64> = curve.iter().map(|point| point["gain"].as_f64().unwrap()).collect();
    assert!(gains.windows(2).all(|pair| pair[1] >= pair[0] - 1e-12), "more groups never gain less: {gains:?}");
    // Sixteen inputs, 32 units, six heads: together one trunk, in groups two.
    let parameters = |k: usize| curve[k]["parameters"].as_u64().unwrap();
    assert_eq!((parameters(0), parameters(1)), (17 * 32 + 6 * 33, 2 * 17 * 32 + 6 * 33));
    for picture in ["affinity.svg", "groups.svg"] {
        let svg = folder.read(&format!("selection/{picture}"));
        assert!(svg.starts_with("<svg") && svg.contains("g1t2") && svg.ends_with("</svg>\n"), "{picture}");
    }
    assert!(folder.json("selection/cost.json")[0]["factor"].as_f64().unwrap() >= 1.0);
}

#[test]
fn batches_that_are_cut_short_are_not_looked_at() {
    let folder = planted(TWO, 0);
    folder.works("select config.toml");
    let looks = folder.json("selection/looks.json")["looks"].clone();
    let steps: Vec<u64> = looks.as_array().unwrap().iter().map(|look| look["step"].as_u64().unwrap()).collect();
    // Of 390 rows the seventh batch of an epoch has 6.
    assert!(steps.len() > 50 && steps.iter().all(|step| step % 7 != 6), "{steps:?}");
    let every = folder.json("selection/cost.json")[0]["every"].as_u64().unwrap();
    assert!(steps.windows(2).all(|pair| (every..=every + 1).contains(&(pair[1] - pair[0]))), "{every}: {steps:?}");
}

#[test]
fn a_groups_config_trains_that_group() {
    let folder = planted(TWO, 0);
    folder.works("select config.toml");
    folder.works("train selection/groups/0.toml --out one --set train.epochs=2");
    let metrics = folder.json("one/metrics.json");
    let tasks: Vec<&str> = metrics["tasks"].as_object().unwrap().keys().map(String::as_str).collect();
    let group: Vec<String> =
        serde_json::from_value(folder.json("selection/selection.json")["groups"][0].clone()).unwrap();
    assert_eq!(tasks, group);
    // The other group's labels are no inputs.
    assert!(!folder.read("one/model.json").contains("g1t0"));
}

#[test]
fn a_set_is_one_model_that_predicts_as_its_members_do() {
    let folder = Folder::with(CONFIG, &table(300));
    folder.write("groups.json", r#"{"groups": [["grade", "size"], ["warm"]]}"#);
    folder.works("train config.toml --groups groups.json --out set");
    let all = folder.works("predict set --data data.csv --probabilities").out;
    assert!(all.starts_with("size,warm,warm=no,warm=yes,grade,"), "the order of the config: {}", &all[..60]);
    let column = |text: &str, name: &str| -> Vec<String> {
        let at = text.lines().next().unwrap().split(',').position(|n| n == name).unwrap();
        text.lines().map(|line| line.split(',').nth(at).unwrap().to_owned()).collect()
    };
    for (member, tasks) in [("set/groups/0", ["size", "grade"].as_slice()), ("set/groups/1", &["warm"])] {
        let own = folder.works(&format!("predict {member} --data data.csv --probabilities")).out;
        for task in tasks {
            assert_eq!(column(&own, task), column(&all, task), "{task}");
        }
    }
    let scores = folder.works("evaluate set --data data.csv --format json").out;
    let names = serde_json::from_str::<Value>(&scores).unwrap()["tasks"].as_object().unwrap().len();
    assert_eq!(names, 3);
    assert_eq!(folder.json("set/metrics.json")["tasks"].as_object().unwrap().len(), 3);
    let history = folder.history("set");
    assert_eq!((history.len(), history[0]["group"].as_u64(), history[9]["group"].as_u64()), (10, Some(0), Some(1)));

    // A run that goes on where all is done changes nothing.
    let before = folder.bytes("set/model.safetensors");
    folder.works("train config.toml --groups groups.json --out set --resume");
    assert!(before == folder.bytes("set/model.safetensors"));
}

#[test]
fn the_check_trains_groups_all_together_and_all_apart() {
    let folder = planted(TWO, 1);
    let done = folder.works("select config.toml --verify --seeds 2 --set train.epochs=20");
    // Two groups, six tasks apart and all together, under two seeds.
    assert!(done.err.contains("training 18 models to verify"), "{}", done.err);
    let verified = folder.json("selection/selection.json")["verified"].clone();
    for way in ["apart", "together", "groups"] {
        assert!(
            verified["test"][way]["mean"].is_f64() && verified["test"][way]["std"].as_f64().unwrap() > 0.0,
            "{way}"
        );
        assert!(verified["tasks"]["g1t1"]["scores"][way]["mean"].is_f64());
    }
    // Six tasks in two kinds of groups.
    assert_eq!(verified["compared"], 12);
    let rho = verified["rank_correlation"].as_f64().unwrap();
    assert!((-1.0..=1.0).contains(&rho));
    let score = |way: &str| verified["valid"][way]["mean"].as_f64().unwrap();
    let best = verified["best"].as_str().unwrap();
    let smaller = |way: &str| verified["parameters"][best].as_u64() < verified["parameters"][way].as_u64();
    assert!(["apart", "together", "groups"].iter().all(|way| score(way) <= score(best) || smaller(way)));
    // Nothing is trained twice.
    let again = folder.works("select config.toml --verify --seeds 2 --set train.epochs=20 --resume");
    assert!(!again.err.contains("models to verify"), "{}", again.err);
    assert_eq!(folder.json("selection/selection.json")["verified"], verified);
}

#[test]
fn an_error_that_falls_counts_as_a_gain() {
    let row = |i: u32| format!("{},{},{},{}\n", i % 7, i * 3 % 5, i % 7 + i % 2, i * 3 % 5 + i % 3);
    let data: String = (0..300).map(row).collect();
    let config = "[data]\npath = \"data.csv\"\nsplit = { valid = 0.2, test = 0.2 }\n[tasks.a]\nkind = \"count\"\n\
                  [tasks.b]\nkind = \"count\"\n[model]\ntrunk = [8]\n[train]\nepochs = 3\nbatch = 32\n";
    let folder = Folder::with(config, &format!("x,z,a,b\n{data}"));
    folder.works("select config.toml --verify --seeds 1");
    let verified = folder.json("selection/selection.json")["verified"].clone();
    for way in ["apart", "together", "groups"] {
        let deviance = |task: &str| verified["tasks"][task]["scores"][way]["mean"].as_f64().unwrap();
        let mean = verified["test"][way]["mean"].as_f64().unwrap();
        assert!((mean + (deviance("a") + deviance("b")) / 2.0).abs() < 1e-9, "{way}: {verified}");
    }
    // By the test rows, the better of the two extremes.
    let test = |way: &str| verified["test"][way]["mean"].as_f64().unwrap();
    let against = verified["against_better"][0].as_f64().unwrap();
    assert!((against - (test("groups") - test("apart").max(test("together")))).abs() < 1e-9, "{verified}");
}

#[test]
fn other_signals_are_taken_by_name() {
    let folder = planted(TWO, 0);
    folder.works("select config.toml --signal cosine --out cosine");
    assert_eq!(groups(&folder.json("cosine/selection.json")), TWO.truth());
    folder.works("select config.toml --signal linear --out linear");
    let linear = folder.json("linear/selection.json");
    assert_eq!(linear["signal"], "linear");
    // Each witness has rows of its own, so they differ.
    assert!(linear["curve"][0]["crossed"][1].as_f64().unwrap() > 1e-6, "{}", linear["curve"][0]);
    // What it says is of whole groups: the affinities beside it are those of the joint run, and its gains are others.
    assert_eq!(linear["affinity"], folder.json("cosine/selection.json")["affinity"]);
    assert_ne!(linear["curve"][0]["gain"], folder.json("cosine/selection.json")["curve"][0]["gain"]);
    // Trained signals on three tasks: 6 and 7 models.
    let few = Planted { groups: 1, each: 3, ..TWO };
    let auxiliary = |config: String, task: &str| {
        config.replace(&format!("[tasks.{task}]"), &format!("[tasks.{task}]\nrole = \"auxiliary\""))
    };
    // In this table the two others help the first.
    let folder = Folder::with(&auxiliary(auxiliary(few.config(), "g0t1"), "g0t2"), &few.table(1));
    for (signal, models) in [("pairs", 6), ("exhaustive", 1)] {
        let done =
            folder.works(&format!("select config.toml --signal {signal} --seeds 1 --set train.epochs=5 --out out"));
        // The groups that pairs have trained are not trained again.
        assert!(done.err.contains(&format!("training {models} model")), "{signal}: {}", done.err);
        let selection = folder.json("out/selection.json");
        assert_eq!(selection["signal"], signal);
        // What the first task gains is what its validation loss is below that of learning alone: in its group, or on average
        // in the pairs with those that help it there. What it does for them is not asked.
        let group: Vec<String> = serde_json::from_value(selection["curve"][0]["groups"][0].clone()).unwrap();
        let places: Vec<u32> = group.iter().map(|name| name[3..].parse().unwrap()).collect();
        assert!(places.len() > 1 && places[0] == 0, "{signal}: {group:?}");
        let runs = folder.json("out/runs.json")["runs"].clone();
        let loss = |group: u32| runs[format!("{group:x}+0 seed 0")]["losses"][0].as_f64().unwrap();
        let gain = |group: u32| 1.0 - loss(group) / loss(1);
        let wanted = match signal {
            "pairs" => places[1..].iter().map(|place| gain(1 | 1 << place)).sum::<f64>() / (places.len() - 1) as f64,
            _ => gain(places.iter().map(|place| 1 << place).sum()),
        };
        let found = selection["curve"][0]["gain"].as_f64().unwrap();
        assert!((found - wanted).abs() < 1e-9, "{signal}: {found} {wanted}");
    }
}

#[test]
fn an_auxiliary_task_helps_or_is_dropped() {
    let what = Planted { groups: 1, each: 2, harmful: 1, ..TWO };
    let config = what.config().replace("[tasks.g0t1]", "[tasks.g0t1]\nrole = \"auxiliary\"");
    let config = config.replace("[tasks.bad0]", "[tasks.bad0]\nrole = \"auxiliary\"");
    let folder = Folder::with(&config, &what.table(0));
    folder.works("select config.toml");
    let selection = folder.json("selection/selection.json");
    assert_eq!(selection["groups"], serde_json::json!([["g0t0"]]));
    assert_eq!(selection["dropped"], serde_json::json!(["bad0"]));
    // From one task to another: noise is nine times as large, so what others do to its loss is little of it.
    let at = |from: &str, to: &str| selection["affinity"][from][to].as_f64().unwrap().abs();
    for task in ["g0t0", "g0t1"] {
        assert!(at("bad0", task) > 5.0 * at(task, "bad0"), "{}", selection["affinity"]);
    }
    assert_eq!(selection["helpers"], serde_json::json!([["g0t1"]]));
    folder.works("train config.toml --groups selection/selection.json --out set --set train.epochs=2");
    let predicted = folder.works("predict set --data data.csv").out;
    assert!(predicted.starts_with("g0t0\n"), "what only helps is not predicted");
    // Helpers leave no trace in the model that predicts.
    assert!(!folder.read("set/model.json").contains("g0t1.weight"));
}

/// A call that fails with an exit status and this message, and leaves nothing behind.
#[track_caller]
fn fails(folder: &Folder, arguments: &str, code: i32, message: &str) {
    let before = folder.everything();
    let done = folder.run(&format!("select config.toml {arguments}"));
    assert_eq!(done.message(), message);
    assert_eq!(done.code, Some(code));
    assert!(folder.everything() == before, "something was written");
}

#[test]
fn what_cannot_be_selected_is_refused() {
    let folder = Folder::with(CONFIG, &table(200));
    let ranged = "groups cannot be made of 3 tasks that count; the number of groups is from 1 to 3";
    fails(&folder, "--max-groups 4", 2, &format!("4 {ranged}"));
    fails(&folder, "--max-groups 0", 2, &format!("0 {ranged}"));
    let nothing = "the tasks share nothing with `model.sharing = \"none\"`, so a step for one does nothing to another\n\
                   hint: choose an architecture that shares, such as model.sharing = \"hard\"";
    fails(&folder, "--set model.sharing=none", 2, nothing);
    let linear = "a linear model is solved, not trained step by step, so there are no steps to look ahead of\n\
                  hint: choose model.sharing = \"hard\"; of a linear model the penalties tell which tasks go together \
                  (`polytask architectures`)";
    fails(&folder, "--set model.sharing=linear", 2, linear);
    let test = "`verify` chooses by validation rows and reports on test rows, and there are no test rows\n\
                hint: give shares or files of them in data.split, such as split = { valid = 0.1, test = 0.2 }";
    fails(&folder, "--verify --set data.split={valid=0.1,test=0.0}", 2, test);

    let one = Folder::with("data.path = \"data.csv\"\n[tasks.size]\n", &table(200));
    let message = "there is one task, `size`; selection chooses which of several tasks learn together\n\
                   hint: add a second task to the config";
    fails(&one, "", 2, message);

    // Size is missing in every seventh row.
    let few = Folder::with(CONFIG, &table(60));
    let message = "task `size` has 31 labelled training rows, too few to measure what helps it; it needs 32\n\
                   hint: leave the task out, or give it more labels";
    fails(&few, "", 1, message);

    let many = Planted { groups: 2, each: 4, ..TWO };
    let message = "the signal \"exhaustive\" trains every group, 255 of 8 tasks; it takes at most 7 tasks\n\
                   hint: take another signal, such as --signal affinity";
    fails(&planted(many, 0), "--signal exhaustive", 2, message);
}

#[test]
fn limits_that_nothing_keeps_name_the_cheapest() {
    let folder = planted(TWO, 0);
    let done = folder.run("select config.toml --max-parameters 100");
    let message = "no groups have at most 100 parameters: the cheapest, g0t0 + g0t1 + g0t2 + g1t0 + g1t1 + g1t2, have 742\n\
                   hint: raise the limit, or make the trunk smaller";
    assert_eq!((done.message(), done.code), (message, Some(2)));
    // Room for one trunk more than all together, and for one too few for the two groups.
    folder.works("select config.toml --max-parameters 1285");
    assert_eq!(folder.json("selection/selection.json")["recommended_k"], 1);
    folder.works("select config.toml --max-parameters 1286");
    assert_eq!(folder.json("selection/selection.json")["recommended_k"], 2);
    // The same of the work that a prediction takes.
    let most = folder.json("selection/selection.json")["curve"][1]["multiply_adds"].as_u64().unwrap();
    for (limit, groups) in [(most - 1, 1), (most, 2)] {
        folder.works(&format!("select config.toml --max-multiply-adds {limit}"));
        assert_eq!(folder.json("selection/selection.json")["recommended_k"], groups, "{limit}");
    }
}

#[test]
fn two_columns_of_the_same_labels_are_said() {
    let what = Planted { groups: 1, each: 2, ..TWO };
    let data = what.table(0);
    let twice: String = data
        .lines()
        .map(|line| format!("{line},{}\n", line.rsplit(',').next().unwrap().replace("g0t1", "again")))
        .collect();
    let folder = Folder::with(&format!("{}[tasks.again]\n", what.config()), &twice);
    let done = folder.works("select config.toml");
    assert!(
        done.err.contains("note: `g0t1` and `again` have the same label in every row: they are one task twice"),
        "{}",
        done.err
    );
}

#[test]
fn groups_that_do_not_fit_the_config_are_refused() {
    let folder = Folder::with(CONFIG, &table(100));
    let hint = "hint: give the selection.json that `polytask select` wrote for this config";
    for (groups, message) in [
        (
            r#"{"groups": [["size", "worm"], ["grade"]]}"#,
            "it names the task \"worm\", which the config has not; did you mean `warm`?",
        ),
        (r#"{"groups": [["size", "warm"]]}"#, "the task \"grade\" of the config is in no group"),
        (r#"{"groups": [["size", "warm"], ["grade", "size"]]}"#, "the task \"size\" is in two groups"),
        (r#"{"groups": [["size", "warm", "grade"], []]}"#, "its group 2 is empty"),
        (r#"{"group": 3}"#, "this is no selection: missing field `groups` at line 1 column 12"),
    ] {
        folder.write("groups.json", groups);
        let done = folder.run("train config.toml --groups groups.json --out set");
        assert_eq!(done.message(), format!("groups.json: {message}\n{hint}"));
        assert_eq!(done.code, Some(2));
        assert!(!folder.path("set").exists());
    }
}
