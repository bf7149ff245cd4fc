//! A config for some of its tasks.

use super::{Config, ConfigError, Criterion, DataConfig, Problem, Sharing};
use serde::Deserialize;
use serde_json::Value;

impl Config {
    /// The same config for some of its tasks, named in any order. What it says of the others is taken out: their weights in
    /// `loss.balance` and `train.criterion`, their places in `model.sharing`; their columns do not become inputs.
    ///
    /// # Errors
    /// An architecture that cannot do without a task that is left out.
    pub fn for_tasks(&self, names: &[&str]) -> Result<Self, ConfigError> {
        let out = |name: &str| self.tasks.contains_key(name) && !names.contains(&name);
        let mut config = self.clone();
        let gone = self.tasks.iter().filter(|(name, _)| out(name));
        if self.inputs.is_empty() {
            let columns = gone.flat_map(|(name, task)| task.columns_of(name).into_iter().chain(task.weight.as_deref()));
            let columns = columns.map(str::to_owned);
            config.data.ignore.extend(columns);
        }
        config.tasks.retain(|name, _| !out(name));
        config.data = sets(config.data, &out);
        config.train.criterion = match &self.train.criterion {
            Criterion::Task(task) if out(task) => Criterion::Mean,
            Criterion::Weights(weights) => {
                let left = weights.iter().filter(|(task, _)| !out(task)).map(|(task, w)| (task.clone(), *w));
                Criterion::Weights(left.collect())
            }
            other => other.clone(),
        };
        if matches!(&config.train.criterion, Criterion::Weights(weights) if weights.values().all(|w| *w == 0.0)) {
            config.train.criterion = Criterion::Mean;
        }
        config.loss.balance.options.values_mut().for_each(|value| take_out(value, &out));
        config.model.sharing = sharing(&self.model.sharing, &out)?;
        if let Sharing::Linear(linear) = &mut config.model.sharing {
            linear.clusters = linear.clusters.map(|clusters| clusters.min(config.tasks.len()));
        }
        Ok(config)
    }
}

/// Data sets that label none of the tasks that are left go.
fn sets(mut data: DataConfig, out: &dyn Fn(&str) -> bool) -> DataConfig {
    let others = std::mem::take(&mut data.others);
    let mut sets: Vec<DataConfig> = std::iter::once(data).chain(others).collect();
    sets.iter_mut().filter_map(|set| set.tasks.as_mut()).for_each(|tasks| tasks.retain(|task| !out(task)));
    sets.retain(|set| set.tasks.as_ref().is_none_or(|tasks| !tasks.is_empty()));
    let mut first = sets.remove(0);
    if sets.is_empty() {
        // There is nothing to tell apart.
        first.tasks = None;
    }
    DataConfig { others: sets, ..first }
}

/// What architectures say of tasks stands in the values of their keys.
fn sharing(sharing: &Sharing, out: &dyn Fn(&str) -> bool) -> Result<Sharing, ConfigError> {
    let failed = |e: serde_json::Error| Problem::new(&["model", "sharing"], format!("without some of its tasks: {e}"));
    let mut value = serde_json::to_value(sharing).map_err(failed)?;
    value.as_object_mut().into_iter().flat_map(|keys| keys.values_mut()).for_each(|value| take_out(value, out));
    Ok(Sharing::deserialize(value).map_err(failed)?)
}

/// Takes the names of tasks out of lists, keys and values; lists in lists that have become empty go with them.
fn take_out(value: &mut Value, out: &dyn Fn(&str) -> bool) {
    let named = |value: &Value| value.as_str().is_some_and(out);
    match value {
        Value::Array(items) => {
            items.iter_mut().for_each(|item| take_out(item, out));
            items.retain(|item| !named(item) && item.as_array().is_none_or(|list| !list.is_empty()));
        }
        Value::Object(map) => {
            map.retain(|key, value| !out(key) && !named(value));
            map.values_mut().for_each(|value| take_out(value, out));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(more: &str) -> Config {
        let text = format!("data.path = \"x.csv\"\n[tasks.a]\n[tasks.b]\n[tasks.c]\ncolumn = \"sea\"\n{more}");
        Config::from_toml(&text, "x.toml").unwrap()
    }

    #[test]
    fn what_is_said_of_other_tasks_goes() {
        let all = config(
            "[model]\ntrunk = [4, 4]\nsharing = { method = \"tree\", layers = [[[\"a\", \"b\", \"c\"]], [[\"a\", \"b\"], [\"c\"]]] }\n\
             [loss]\nbalance = { method = \"fixed\", weights = { a = 2.0, c = 3.0 } }\n\
             [train]\ncriterion = { weights = { c = 1.0 } }\n",
        );
        let some = all.for_tasks(&["b", "a"]).unwrap();
        assert_eq!(some.tasks.keys().collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(some.data.ignore, ["sea"]);
        assert_eq!(some.loss.balance.options["weights"], serde_json::json!({"a": 2.0}));
        assert_eq!(some.train.criterion, Criterion::Mean);
        let Sharing::Tree(tree) = &some.model.sharing else { panic!("a tree") };
        assert_eq!(tree.layers, [[["a", "b"]], [["a", "b"]]]);
        some.check().unwrap();
    }

    #[test]
    fn chains_lose_links_and_whole_configs_stay() {
        let chain = config("[model]\nsharing = { method = \"dependent\", after = { b = [\"a\"], c = [\"b\"] } }\n");
        let Sharing::Dependent(left) = chain.for_tasks(&["b", "c"]).unwrap().model.sharing else { panic!("a chain") };
        assert_eq!(serde_json::to_value(&left.after).unwrap(), serde_json::json!({"b": [], "c": ["b"]}));
        assert_eq!(chain.for_tasks(&["a", "b", "c"]).unwrap(), chain);
    }

    #[test]
    fn data_sets_without_a_task_go() {
        let text = "[[data]]\npath = \"x.csv\"\ntasks = [\"a\"]\n[[data]]\npath = \"y.csv\"\ntasks = [\"b\", \"c\"]\n\
                    [inputs]\nx = \"number\"\n[tasks.a]\n[tasks.b]\n[tasks.c]\n";
        let all = Config::from_toml(text, "x.toml").unwrap();
        let some = all.for_tasks(&["a", "c"]).unwrap();
        assert_eq!(some.data.sets().map(|set| set.tasks.clone().unwrap()).collect::<Vec<_>>(), [["a"], ["c"]]);
        let one = all.for_tasks(&["b"]).unwrap();
        assert_eq!((one.data.path.as_str(), &one.data.tasks, one.data.others.len()), ("y.csv", &None, 0));
        one.check().unwrap();
    }
}
