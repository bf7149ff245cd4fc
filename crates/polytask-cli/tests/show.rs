//! `show` and `architectures`: the network before and after training.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use common::{CONFIG, Folder, table};

#[test]
fn a_config_and_its_model_show_the_same_network() {
    let folder = Folder::with(CONFIG, &table(200));
    let before = folder.works("show config.toml").out;
    assert!(before.contains("trunk.0") && before.contains("all tasks"), "{before}");
    folder.works("train config.toml");
    for format in ["text", "svg", "json"] {
        let [config, model] =
            ["config.toml", "model"].map(|of| folder.works(&format!("show {of} --format {format}")).out);
        assert_eq!(config, model, "{format}");
    }
    let svg = folder.works("show model --format svg").out;
    assert!(svg.starts_with("<svg") && svg.contains("shared by all tasks") && svg.contains(">size<"), "{svg}");
}

#[test]
fn architectures_are_priced_for_the_config_at_hand() {
    let folder = Folder::with(CONFIG, &table(200));
    let listed: serde_json::Value = serde_json::from_str(&folder.works("architectures --format json").out).unwrap();
    let priced = folder.works("architectures config.toml --set model.sharing=none --format json").out;
    let priced: serde_json::Value = serde_json::from_str(&priced).unwrap();
    assert_eq!(listed.as_array().unwrap().len(), priced.as_array().unwrap().len());
    let of = |name: &str| priced.as_array().unwrap().iter().find(|entry| entry["name"] == name).unwrap();
    assert_eq!((of("none")["chosen"].as_bool(), of("hard")["chosen"].as_bool()), (Some(true), Some(false)));
    assert_eq!(of("none")["shared_parameters"], 0);
    assert!(of("hard")["parameters"].as_u64() < of("none")["parameters"].as_u64(), "{priced}");
    // As many as the model will have.
    let shown = folder.works("show config.toml").out;
    let parameters = of("hard")["parameters"].as_u64().unwrap();
    assert!(shown.contains(&format!("{parameters} parameters, ")), "{shown}");
}

#[test]
fn what_cannot_be_shown_is_said() {
    let folder = Folder::with(CONFIG, &table(200));
    let done = folder.run("show nowhere.toml");
    assert_eq!(done.code, Some(2), "{done:?}");
    assert!(done.err.contains("nowhere.toml"), "{}", done.err);
    std::fs::create_dir(folder.path("empty")).unwrap();
    let done = folder.run("show empty");
    assert_eq!(done.code, Some(1), "{done:?}");
    assert!(done.err.contains("empty"), "{}", done.err);
}
