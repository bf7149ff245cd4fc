//! What architectures refuse before training, in whose words.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use polytask::config::Config;
use polytask::prepare;
use polytask::share;

/// The message and its hint.
fn complaint(model: &str) -> String {
    let text = format!("[data]\npath = \"p.csv\"\n[tasks.a]\n[tasks.b]\n[tasks.c]\n[model]\n{model}\n");
    let error = Config::from_toml(&text, "p.toml").unwrap_err();
    format!("{error}\n{}", error.hint().unwrap_or_default())
}

#[test]
fn refused_with_the_reason() {
    let two = "trunk = [8, 8]\nsharing = ";
    let cases = [
        (
            "{ method = \"tree\", layers = [[[\"a\", \"b\"]], [[\"a\"], [\"b\"]]] }",
            "layer 1 of `model.sharing.layers` leaves the task \"c\" out, which gets no head",
        ),
        (
            "{ method = \"tree\", layers = [[[\"a\"], [\"b\", \"c\"]], [[\"a\", \"b\"], [\"c\"]]] }",
            "layer 2 of `model.sharing.layers` joins \"a\" and \"b\", which have parted below",
        ),
        (
            "{ method = \"tree\", layers = [[[\"a\", \"b\", \"c\", \"a\"]], [[\"a\", \"b\", \"c\"]]] }",
            "layer 1 of `model.sharing.layers` has the task \"a\" twice",
        ),
        (
            "{ method = \"tree\", layers = [[[\"a\", \"b\", \"c\"]]] }",
            "`model.sharing.layers` has 1 layer(s), and `model.trunk` has 2",
        ),
        ("{ method = \"tree\", layers = [[[\"a\", \"b\", \"d\"]], []] }", "names the task \"d\", which is not there"),
        ("{ method = \"partial\", layers = 3 }", "`model.sharing.layers` is 3, and `model.trunk` has 2 layer(s)"),
        (
            "{ method = \"partial\", layers = { z = 1 } }",
            "`model.sharing.layers` names the task \"z\", which is not there",
        ),
        ("{ method = \"partial\", layers = \"two\" }", "`layers` is a number of layers, or a table of numbers by task"),
        (
            "{ method = \"soft\", distance = { a = { z = 1.0 } } }",
            "`model.sharing.distance` names the task \"z\", which is not there",
        ),
        ("{ method = \"soft\", distance = { a = { b = 1.0 }, b = { a = 2.0 } } }", "has a pair twice: \"a\" and \"b\""),
        ("{ method = \"soft\", distance = { a = { a = 1.0 } } }", "ties a task to itself"),
        ("{ method = \"soft\", distance = { a = { b = -1.0 } } }", "is -1; it must be 0 or above"),
        ("{ method = \"soft\", distance = \"meen\" }", "`distance` is \"mean\", \"pairwise\", or a table"),
        ("{ method = \"soft\", norm = \"trace\", distance = \"mean\" }", "has no meaning with `norm = \"trace\"`"),
        ("{ method = \"soft\", strength = -0.5 }", "`model.sharing.strength` is -0.5; it must be 0 or above"),
        ("{ method = \"cross_stitch\", own = 1.5 }", "`model.sharing.own` is 1.5; it must be from 0 to 1"),
        ("{ method = \"sluice\", subspaces = 3 }", "is 3, which does not divide the layers' width 8"),
        ("{ method = \"sluice\", subspaces = 0 }", "`model.sharing.subspaces` is 0; it must be at least 1"),
        ("{ method = \"mtan\", hidden = 0 }", "widths are from 1 to 65536"),
        ("{ method = \"branch\", search = 0 }", "`model.sharing.search` is 0; it must be above 0"),
        (
            "{ method = \"dependent\", after = { a = [\"b\"], b = [\"c\"], c = [\"a\"] } }",
            "`model.sharing.after` goes in a circle: \"a\" after \"b\" after \"c\" after \"a\"",
        ),
        ("{ method = \"dependent\", after = { a = [\"a\"] } }", "goes in a circle: \"a\" after \"a\""),
        ("{ method = \"dependent\", after = { a = [\"z\"] } }", "`model.sharing.after` names the task \"z\""),
        ("{ method = \"esmm\", after = { a = \"b\", b = \"a\" } }", "goes in a circle: \"a\" after \"b\" after \"a\""),
        ("{ method = \"aitm\", gamma = -1.0 }", "`model.sharing.gamma` is -1; it must be 0 or above"),
    ];
    for (sharing, expected) in cases {
        let got = complaint(&format!("{two}{sharing}"));
        assert!(got.contains(expected), "{sharing}: {got}");
        assert!(got.contains("p.toml:8:"), "the line is said: {got}");
    }
    let odd = complaint("trunk = [8, 4]\nsharing = \"sluice\"");
    assert!(odd.contains("so they have one width; here are 8 and 4"), "{odd}");
    for method in ["soft", "cross_stitch", "sluice", "nddr", "mtan", "branch", "film", "adapter"] {
        let none = complaint(&format!("trunk = []\nsharing = \"{method}\""));
        assert!(none.contains(&format!("`model.trunk` has no layer, and \"{method}\" works on the layers")), "{none}");
    }
    let slip = complaint("sharing = \"cross_stich\"");
    assert!(slip.contains("cross_stich") && slip.contains("did you mean \"cross_stitch\"?"), "{slip}");
}

/// What only the data can tell: which tasks are binary.
#[test]
fn refused_when_the_tasks_are_known() {
    let refused = |tasks: &str, sharing: &str| {
        let folder = tempfile::tempdir().unwrap();
        let sections = format!("split = {{ valid = 0, test = 0 }}\n{tasks}[model]\nsharing = {sharing}\n");
        let config = common::config(&folder, &common::sums(40), &sections);
        let prepared = prepare(&config).unwrap();
        let built = share::build(&config.design(&prepared.encoder, &prepared.tasks));
        built.map(|_| ()).map_err(|e| e.to_string())
    };
    let both = "[tasks.a]\n[tasks.b]\n";
    for method in ["esmm", "aitm"] {
        let message = refused(both, &format!("\"{method}\"")).unwrap_err();
        assert!(message.contains("heads.a") && message.contains("this is a regression task"), "{message}");
    }
    let hidden = refused(both, "{ method = \"dependent\", pass = \"hidden\" }").unwrap_err();
    assert!(hidden.contains("heads.a") && hidden.contains("no hidden layer to hand on"), "{hidden}");
    // One task has nobody to share with, whatever the architecture.
    for name in share::NAMES {
        assert_eq!(refused("[tasks.a]\n", &format!("\"{name}\"")), Ok(()), "{name}");
    }
}
