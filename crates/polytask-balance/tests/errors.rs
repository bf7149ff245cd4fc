//! Bad input: what is refused, and in which words.

#![allow(clippy::unwrap_used, clippy::panic)] // Helpers of tests, which clippy does not see as such.

mod common;

use common::{everything, make, refused, tasks};
use polytask_balance::{
    BalanceError, Family, Gramian, Jacobian, KeyInfo, METHODS, Needs, Output, Step, WRAPPER_KEYS, build, direction,
    method, note,
};
use serde_json::{Map, Value};

fn lines(error: &BalanceError) -> (String, String) {
    (error.to_string(), error.hint().unwrap_or_default())
}

#[test]
fn unknown_methods_and_keys_name_the_nearest() {
    let (text, hint) = lines(&refused("upgard", "{}", 2));
    assert_eq!(text, "unknown balancing method `upgard`");
    assert!(hint.starts_with("did you mean `upgrad`"), "{hint}");
    assert!(lines(&refused("grad-norm", "{}", 2)).1.contains("`gradnorm`"));
    assert!(lines(&refused("xyzzy", "{}", 2)).1.contains("METHODS"));
    let (text, hint) = lines(&refused("dwa", r#"{"temprature": 1}"#, 2));
    assert_eq!(text, "`dwa` has no key `temprature`");
    assert_eq!(hint, "did you mean `temperature`?");
    assert_eq!(lines(&refused("equal", r#"{"a": 1}"#, 2)).1, "it takes no keys");
    assert_eq!(lines(&refused("equal", r#"{"normalize": true}"#, 2)).0, "`equal` has no key `normalize`");
    assert!(lines(&refused("mgda", r#"{"normalise": true}"#, 2)).1.contains("`normalize`"));
}

#[test]
fn values_name_method_key_and_range() {
    assert_eq!(
        lines(&refused("dwa", r#"{"temperature": 0}"#, 2)).0,
        "`dwa`: `temperature` = 0 is out of range, allowed is above 0"
    );
    assert_eq!(
        lines(&refused("fixed", r#"{"weights": {"t1": -1}}"#, 2)).0,
        "`fixed`: `weights.t1` = -1 is out of range, allowed is { task = number of at least 0 }, 1 where left out"
    );
    let (text, hint) = lines(&refused("fixed", r#"{"weights": {"tt1": 1}}"#, 2));
    assert_eq!(text, "`fixed`: `weights` names the task `tt1`, which does not exist");
    assert!(hint.contains("`t1`"), "{hint}");
    assert!(matches!(refused("fixed", "{}", 2), BalanceError::MissingKey { key: "weights", .. }));
    let text = lines(&refused("famo", r#"{"rate": 0.1, "decay": "much"}"#, 2)).0;
    assert!(text.starts_with("`famo`: the value of `decay` cannot be used: invalid type: string"), "{text}");
    let text = lines(&refused("mgda", r#"{"normalization": "l3"}"#, 2)).0;
    assert!(text.contains("unknown variant `l3`, expected one of `none`, `l2`, `loss`, `loss+`"), "{text}");
    let text = lines(&refused("metabalance", r#"{"target": "t9"}"#, 2)).0;
    assert_eq!(text, "`metabalance`: `target` names the task `t9`, which does not exist");
    for (name, keys) in [
        ("mgda", r#"{"momentum": 1}"#),
        ("cagrad", r#"{"c": -0.1}"#),
        ("fairgrad", r#"{"alpha": 0}"#),
        ("modo", r#"{"batches": 4}"#),
        ("sdmgrad", r#"{"rounds": 0}"#),
        ("krum", r#"{"selected": 0}"#),
        ("graddrop", r#"{"leak": {"t0": 1.5}}"#),
    ] {
        assert!(matches!(refused(name, keys, 2), BalanceError::OutOfRange { .. }), "{name} {keys}");
    }
    assert!(matches!(refused("gradvac", r#"{"by": "tensor", "normalize": true}"#, 2), BalanceError::BadValue { .. }));
}

#[test]
fn too_few_tasks() {
    assert_eq!(
        lines(&refused("krum", r#"{"byzantine": 1}"#, 3)).0,
        "`krum` with `byzantine` = 1 needs at least 4 tasks, there are 3"
    );
    assert!(matches!(refused("krum", r#"{"selected": 3}"#, 2), BalanceError::TooFewTasks { least: 3, .. }));
    assert!(matches!(refused("trimmed_mean", r#"{"trim": 2}"#, 4), BalanceError::TooFewTasks { least: 5, .. }));
    assert_eq!(note(method("mgda").unwrap(), 1).unwrap(), "with one task `mgda` follows that task's own gradient");
    assert_eq!(note(method("mgda").unwrap(), 2), None);
    assert_eq!(note(method("equal").unwrap(), 1), None);
}

#[test]
fn logarithms_refuse_losses_of_zero_and_below() {
    let j = vec![vec![1.0, 0.0], vec![0.0, 1.0]];
    for (name, keys) in [
        ("scale_invariant", "{}"),
        ("geometric", "{}"),
        ("stch", "{}"),
        ("famo", "{}"),
        ("dbmtl", "{}"),
        ("mgda", r#"{"normalization": "loss"}"#),
    ] {
        for bad in [0.0, -0.5] {
            let losses = [1.0, bad];
            let step = Step { index: 41, epoch: 0, tasks: &[0, 2], losses: &losses };
            let error = direction(make(name, keys, 3).as_mut(), &step, &j).unwrap_err();
            let expected = format!("`{name}` needs losses above 0: the loss of task `t2` is {bad} at step 41");
            assert_eq!(error.to_string(), expected);
            assert!(error.hint().is_some());
        }
    }
    let losses = [0.5, 0.1];
    let step = Step { index: 3, epoch: 0, tasks: &[0, 1], losses: &losses };
    let error = direction(make("famo", r#"{"lower_bound": {"t1": 0.2}}"#, 2).as_mut(), &step, &j).unwrap_err();
    assert_eq!(error.to_string(), "`famo` needs losses above 0.2: the loss of task `t1` is 0.1 at step 3");
    for name in ["dwa", "gradnorm", "cov", "lbtw"] {
        let losses = [0.0, -0.1];
        let step = Step { index: 0, epoch: 0, tasks: &[0, 1], losses: &losses };
        let error = direction(make(name, "{}", 2).as_mut(), &step, &j).unwrap_err();
        assert!(error.to_string().contains("needs losses of at least 0: the loss of task `t1`"), "{error}");
    }
}

#[test]
fn numbers_that_are_not_finite_name_task_and_step() {
    for (name, keys) in everything() {
        let mut built = make(name, keys, 3);
        for bad in [f64::NAN, f64::INFINITY] {
            let losses = [1.0, bad];
            let step = Step { index: 12, epoch: 1, tasks: &[0, 2], losses: &losses };
            let error = built.observe(&step).unwrap_err();
            assert_eq!(error.to_string(), "the loss of task `t2` is not finite at step 12", "{name}");

            let losses = [1.0, 1.0];
            let step = Step { losses: &losses, ..step };
            if built.needs() == Needs::Gramian {
                let gramian = Gramian::new(2, vec![1.0, bad, bad, bad]).unwrap();
                let error = built.weights(&step, Some(&gramian)).unwrap_err();
                assert_eq!(error.to_string(), "the gradient of task `t2` is not finite at step 12", "{name}");
            }
            let error = direction(built.as_mut(), &step, &[vec![1.0, 2.0], vec![0.0, bad]]).unwrap_err();
            assert_eq!(error.to_string(), "the gradient of task `t2` is not finite at step 12", "{name}");
        }
    }
}

#[test]
fn sizes_and_order_are_checked() {
    for (name, keys) in everything() {
        let mut built = make(name, keys, 3);
        let losses = [1.0, 1.0];
        for tasks in [&[1, 0][..], &[0, 0], &[0, 3]] {
            let step = Step { index: 0, epoch: 0, tasks, losses: &losses };
            assert!(matches!(built.observe(&step), Err(BalanceError::Shape(_))), "{name}");
        }
        let step = Step { index: 0, epoch: 0, tasks: &[0, 1, 2], losses: &losses };
        assert!(matches!(built.observe(&step), Err(BalanceError::Shape(_))), "{name}");
        let step = Step { index: 0, epoch: 0, tasks: &[0, 1], losses: &losses };
        let rows = [vec![1.0, 2.0], vec![1.0, 2.0], vec![1.0, 2.0]];
        assert!(matches!(direction(built.as_mut(), &step, &rows), Err(BalanceError::Shape(_))), "{name}");
        assert!(
            matches!(direction(built.as_mut(), &step, &[vec![1.0], vec![]]), Err(BalanceError::Shape(_))),
            "{name}"
        );
        let mut out = [0.0; 3];
        let short = Jacobian::from_f64(vec![&[1.0, 2.0], &[1.0, 2.0]], &[]).unwrap();
        let all = vec![short; built.batches()];
        let refused = built.aggregate(&step, &all, &mut Output::F64(&mut out));
        assert!(matches!(refused, Err(BalanceError::Shape(_))), "{name}");
        assert!(
            matches!(built.aggregate(&step, &[], &mut Output::F64(&mut out)), Err(BalanceError::Shape(_))),
            "{name}"
        );
        assert!(built.observe_kpi(3, 0.5).is_err() && built.observe_kpi(0, f64::NAN).is_err(), "{name}");
    }
    assert!(Gramian::new(2, vec![1.0; 3]).is_err());
    assert!(Gramian::new(2, vec![1.0, 0.5, 0.4, 1.0]).is_err());
    assert!(Gramian::new(1, vec![-1.0]).is_err());
    let row: &[f32] = &[1.0, 2.0, 3.0];
    assert!(Jacobian::new(vec![row], &[0..1, 2..3]).is_err());
    assert!(Jacobian::new(vec![row], &[0..1, 1..2]).is_err());
    assert!(Jacobian::new(vec![row], &[0..1, 1..3]).is_ok());
}

#[test]
fn what_is_missing_is_named() {
    for (name, keys) in everything() {
        let mut built = make(name, keys, 2);
        let bare = Step { index: 0, epoch: 0, tasks: &[0, 1], losses: &[] };
        let answer = built.weights(&bare, None);
        if built.needs() == Needs::State {
            assert!(answer.is_ok(), "{name}");
        } else {
            assert!(matches!(answer, Err(BalanceError::Missing { .. })), "{name}");
        }
        assert!(matches!(built.observe(&bare), Err(BalanceError::Missing { .. })), "{name}");
    }
    let bare = Step { index: 0, epoch: 0, tasks: &[0, 1], losses: &[] };
    let j = [vec![1.0, 0.0], vec![0.0, 1.0]];
    for (name, keys) in [("moco", "{}"), ("dbmtl", "{}"), ("gradnorm", "{}"), ("mgda", r#"{"normalization": "loss+"}"#)]
    {
        let answer = direction(make(name, keys, 2).as_mut(), &bare, &j);
        assert!(matches!(answer, Err(BalanceError::Missing { .. })), "{name}");
    }
}

/// The registry and the code agree: every documented default builds the same method as leaving it out does.
#[test]
fn the_registry_is_true() {
    for info in METHODS {
        let wrappers: &[KeyInfo] =
            if info.family == Family::Aggregator && info.needs == Needs::Gramian { WRAPPER_KEYS } else { &[] };
        let mut keys: Map<String, Value> = Map::new();
        for key in info.keys.iter().chain(wrappers) {
            assert!(!key.range.is_empty() && !key.purpose.is_empty(), "{} {}", info.name, key.name);
            let default = if key.default.is_empty() { "{}" } else { key.default };
            keys.insert(key.name.into(), serde_json::from_str(default).unwrap());
        }
        let built = build(info.name, &keys, &tasks(4), 0).unwrap_or_else(|e| panic!("{}: {e}", info.name));
        assert_eq!((built.name(), built.needs()), (info.name, info.needs));
        assert!(!info.title.is_empty() && !info.paper.is_empty() && !info.when.is_empty() && !info.cost.is_empty());
        assert_eq!(METHODS.iter().filter(|m| m.name == info.name).count(), 1);
    }
    assert_eq!(METHODS.len(), 38);
    let readme = include_str!("../README.md");
    for info in METHODS {
        let line = readme.lines().find(|line| line.starts_with(&format!("| `{}` |", info.name)));
        let line = line.unwrap_or_else(|| panic!("README.md lacks {}", info.name));
        assert!(line.contains(info.title) && line.contains(info.when), "{line}");
        assert!(info.keys.iter().all(|key| line.contains(&format!("`{}`", key.name))), "{line}");
    }
}
