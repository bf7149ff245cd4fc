//! From a config to data that are ready to train on: the table is read and split, tasks and inputs are fitted on the
//! training rows.

use crate::Error;
use polytask_data::{Dialect, Hint, LabelFiles, ReadOptions, Split, SplitRule, Table, read, split};
use polytask_model::config::{
    Config, DataConfig, FileConfig, InputKind, LabelsConfig, Part, Role, Split as SplitConfig, TaskKind,
};
use polytask_model::drift::Summary;
use polytask_model::inputs::{Encoder, Galleries, load_all};
use polytask_model::model::{Body, Model};
use polytask_model::notes::unseen;
use polytask_model::tasks::{Task, TaskError, sample_weights};
use polytask_model::{Dataset, Device, Fitted};
use std::collections::BTreeMap;
use std::ops::Range;

/// Data ready to train on.
pub struct Prepared {
    /// Fitted on the training rows.
    pub encoder: Encoder,
    /// Fitted on the training rows, in the order of the config.
    pub tasks: Vec<Task>,
    /// All rows; labels by task.
    pub data: Dataset,
    /// Which rows train, choose and measure.
    pub split: Split,
    /// By row, the group that stays together when rows are split; none where each row is its own.
    pub groups: Option<Vec<u32>>,
    /// Whether the config says which rows are for validation, instead of letting them be drawn.
    pub given_valid: bool,
    /// How the files of the first data set are written, for those that a model reads later.
    pub dialect: Dialect,
    /// Things worth saying about the data.
    pub notes: Vec<String>,
    /// What the inputs of the training rows look like.
    pub summary: Summary,
    /// Where networks run.
    pub device: Device,
}

impl Prepared {
    /// A model of these tasks that was fitted on the data.
    pub fn model(&self, tasks: Vec<Task>, body: Body) -> Model {
        let Prepared { encoder, dialect, device, .. } = self;
        Model { body, encoder: encoder.clone(), tasks, dialect: dialect.clone(), device: device.clone() }
    }

    /// The rows that scores are measured on, and what they are called: the test rows, or the best there are.
    pub fn measured(&self) -> (&'static str, &[u32]) {
        let split = &self.split;
        let parts = [
            ("test", &split.test),
            ("validation (no test rows)", &split.valid),
            ("training (no others)", &split.train),
        ];
        let first = parts.into_iter().find(|(_, rows)| !rows.is_empty());
        first.map_or(("training", &[]), |(name, rows)| (name, rows.as_slice()))
    }

    /// The names of the tasks.
    pub fn names(&self) -> Vec<&str> {
        self.tasks.iter().map(|task| task.name.as_str()).collect()
    }
}

/// The rows of a config, read and split; nothing is fitted to them.
pub struct Source {
    /// All rows.
    pub table: Table,
    /// Which of them train, choose and measure.
    pub split: Split,
    /// Of several data sets, the first row of each after the first.
    starts: Vec<u32>,
    /// Of the rows, if any set weighs its own.
    weights: Option<Vec<f32>>,
    galleries: Galleries,
    /// What is to be said of rows that were left out.
    left_out: Vec<String>,
}

impl Source {
    /// Reads and splits the data of a config.
    ///
    /// # Errors
    /// Whatever is wrong with the files or the split.
    pub fn read(config: &Config) -> Result<Self, Error> {
        Self::loaded(config, gather(config)?)
    }

    /// A table in memory, split as a config says; the config's `data.path` does not count.
    ///
    /// # Errors
    /// A split or weights that do not fit the table, images that cannot be used.
    pub fn of_table(config: &Config, table: Table) -> Result<Self, Error> {
        let split = divide(config, &config.data, &table, [None, None])?;
        let weights = config.data.sample_weight.as_ref().map(|name| sample_weights(&table, name)).transpose()?;
        Self::loaded(config, Gathered { table, split, starts: Vec::new(), weights })
    }

    fn loaded(config: &Config, gathered: Gathered) -> Result<Self, Error> {
        let Gathered { table, mut split, starts, weights } = gathered;
        table.require(needed(config, &table).into_iter())?;
        let galleries = load_all(&config.input_plan(&table), &table)?;
        let mut left_out = leave_out(&galleries, &mut split);
        if let (Some(weights), Some(column)) = (&weights, &config.data.sample_weight) {
            left_out.extend(weightless(weights, &mut split));
            if split.train.is_empty() {
                return Err(polytask_model::Error::from(TaskError::NoWeight { column: column.clone() }).into());
            }
        }
        Ok(Source { table, split, starts, weights, galleries, left_out })
    }

    /// Features and labels of all rows for inputs and tasks that were fitted before.
    ///
    /// # Errors
    /// A column that is not there or does not fit.
    pub fn dataset(&self, encoder: &Encoder, tasks: &[Task]) -> Result<Dataset, Error> {
        let read = Dataset::labelled(encoder, tasks, &self.table, &self.galleries)?;
        Ok(Dataset { starts: self.starts.clone(), ..read })
    }

    /// Fits the tasks and inputs of a config on the training rows.
    ///
    /// # Errors
    /// Whatever is wrong with the columns.
    pub fn prepare(self, config: &Config) -> Result<Prepared, Error> {
        let Source { table, split, starts, weights, galleries, left_out } = self;
        let fitted = Fitted::new(config, &table, &galleries, &split.train)?;
        let mut data = Dataset { starts, ..fitted.dataset(&table, &galleries)? };
        for (task, labels) in fitted.tasks.iter().zip(&mut data.labels) {
            if let Some(weights) = &weights {
                labels.multiply(weights);
            }
            if let Some(column) = config.tasks.get(&task.name).and_then(|own| own.weight.as_ref()) {
                labels.weigh(&table, column, &task.name)?;
            }
            // What is learnt for the help that it gives others need not be measured.
            let primary = config.tasks.get(&task.name).is_none_or(|task| task.role == Role::Primary);
            let parts = [("training", &split.train), ("validation", &split.valid), ("test", &split.test)];
            for (part, rows) in &parts[..if primary { 3 } else { 1 }] {
                task.check_part(labels, part, rows)?;
            }
        }
        let spoken = fitted.notes().chain(data.labels.iter().flat_map(|labels| &labels.notes));
        let mut notes: Vec<String> = table.notes().iter().chain(&left_out).chain(spoken).cloned().collect();
        for (what, rows) in [("validation rows", &split.valid), ("test rows", &split.test)] {
            notes.extend(unseen(&fitted.encoder, &fitted.tasks, &table, rows, what));
        }
        notes.extend(fitted.encoder.long_texts(&data.features));
        let Fitted { encoder, tasks, .. } = fitted;
        let dialect = Dialect { decimal_comma: table.decimal_comma(), ..config.data.dialect().lasting() };
        let groups = groups(config, &table);
        let summary = Summary::new(&encoder, &table, &split.train);
        let given_valid = config.data.sets().any(|set| set.split.gives_valid());
        Ok(Prepared {
            encoder,
            tasks,
            data,
            split,
            groups,
            given_valid,
            dialect,
            notes,
            summary,
            device: Device::default(),
        })
    }
}

/// The table of a config, read as for training; nothing is split or fitted.
///
/// # Errors
/// Whatever is wrong with the file.
pub fn read_table(config: &Config) -> Result<Table, Error> {
    tables(config, &config.data, BTreeMap::new()).map(|(table, _)| table)
}

/// Reads and splits the data of a config and fits its tasks and inputs.
///
/// # Errors
/// Whatever is wrong with the files, the columns or the split.
pub fn prepare(config: &Config) -> Result<Prepared, Error> {
    Source::read(config)?.prepare(config)
}

/// The group of every row that stays together, of a table that is one set.
fn groups(config: &Config, table: &Table) -> Option<Vec<u32>> {
    let SplitConfig::Parts { group: Some(group), .. } = &config.data.split else { return None };
    let column = table.column(group).filter(|_| config.data.others.is_empty())?;
    let mut known = std::collections::HashMap::new();
    // A row without a group is a group of its own.
    let of = |row: usize| match column.shown(row) {
        Some(name) => {
            let next = known.len() as u32;
            *known.entry(name).or_insert(next)
        }
        None => u32::MAX - row as u32,
    };
    Some((0..table.rows()).map(of).collect())
}

/// Row ranges of files of their own: validation, then test.
type Given = [Option<Range<usize>>; 2];

/// The rows of all data sets, one set after the other.
struct Gathered {
    table: Table,
    split: Split,
    /// The first row of each set after the first.
    starts: Vec<u32>,
    /// Of the rows, if any set weighs its own.
    weights: Option<Vec<f32>>,
}

/// Reads and splits every data set. The columns of tasks that a set does not label are taken out of it.
fn gather(config: &Config) -> Result<Gathered, Error> {
    let mut all: Option<Gathered> = None;
    for set in config.data.sets() {
        let known = all.as_ref().map(|all| all.table.hints()).unwrap_or_default();
        let (mut table, given) = tables(config, set, known)?;
        if !config.data.others.is_empty() {
            label(config, set, &mut table)?;
        }
        let split = divide(config, set, &table, given)?;
        let weights = set.sample_weight.as_ref().map(|name| sample_weights(&table, name)).transpose()?;
        let Some(all) = &mut all else {
            all = Some(Gathered { table, split, starts: Vec::new(), weights });
            continue;
        };
        let (first, rows) = (all.table.rows(), table.rows());
        if all.weights.is_some() || weights.is_some() {
            let own = weights.unwrap_or_else(|| vec![1.0; rows]);
            all.weights.get_or_insert_with(|| vec![1.0; first]).extend(own);
        }
        all.table.unite(table)?;
        all.starts.push(first as u32);
        let parts = [
            (&mut all.split.train, split.train),
            (&mut all.split.valid, split.valid),
            (&mut all.split.test, split.test),
        ];
        for (rows, own) in parts {
            rows.extend(own.iter().map(|row| row + first as u32));
        }
    }
    match all {
        Some(all) => Ok(all),
        None => unreachable!("a config has a data set"),
    }
}

/// Takes the labels out of a set's table that are not its own, and makes sure that the others, and the inputs, are there.
fn label(config: &Config, set: &DataConfig, table: &mut Table) -> Result<(), Error> {
    for name in config.inputs.keys() {
        table.find(name)?;
    }
    for (name, task) in &config.tasks {
        let own = set.tasks.as_ref().map(|tasks| tasks.contains(name));
        for column in task.columns_of(name) {
            match own {
                Some(true) => table.find(column).map(|_| ())?,
                Some(false) => table.remove(column),
                None => {}
            }
        }
    }
    Ok(())
}

/// How the rows of a config's first data set are read, wherever they come from.
///
/// # Errors
/// A path of the config that names an environment variable which is not set.
pub fn read_options(config: &Config) -> Result<ReadOptions, Error> {
    options_of(config, &config.data, BTreeMap::new())
}

/// How the rows of a data set are read. Columns that are `known` from sets before are read as they were.
fn options_of(config: &Config, set: &DataConfig, known: BTreeMap<String, Hint>) -> Result<ReadOptions, Error> {
    // Groups are told apart by what is written, however long a number is.
    let group = set.split.columns().into_iter().map(|column| (column.to_owned(), Hint::Text));
    let mut hints: BTreeMap<String, Hint> = group.chain(known).chain(hints(config)).collect();
    for (from, to) in &set.rename {
        let hint = hints.remove(to);
        hints.remove(from);
        hints.extend(hint.map(|hint| (from.clone(), hint)));
    }
    Ok(ReadOptions {
        dialect: set.dialect(),
        hints,
        max_unpacked: set.max_unpacked.map(|megabytes| megabytes.saturating_mul(1 << 20)),
        labels: labels(config, set.labels.as_ref())?,
        folder: set.folder.as_ref().map(|folder| config.resolve(folder)).transpose()?,
        image: image(config),
        ..ReadOptions::default()
    })
}

/// The table of a data set with the rows of separate validation and test files behind it.
fn tables(config: &Config, set: &DataConfig, known: BTreeMap<String, Hint>) -> Result<(Table, Given), Error> {
    let options = options_of(config, set, known)?;
    let mut table = read(&config.resolve(&set.path)?, &options)?;
    let mut given = [None, None];
    if let SplitConfig::Parts { valid, test, .. } = &set.split {
        // Columns of the other files are read as those of the first were.
        let options = ReadOptions { hints: table.hints(), ..options };
        for (part, given) in [valid, test].into_iter().zip(&mut given) {
            if let Part::File(file) = part {
                let FileConfig { path, labels: files } = &**file;
                let first = table.rows();
                let options = ReadOptions { labels: labels(config, files.as_ref())?, ..options.clone() };
                join(config, set, &mut table, read(&config.resolve(path)?, &options)?)?;
                *given = Some(first..table.rows());
            }
        }
    }
    for (from, to) in &set.rename {
        table.rename(from, to)?;
    }
    Ok((table, given))
}

/// Adds the rows of a file of its own. Columns that only it has are left out, and labels it may lack.
fn join(config: &Config, set: &DataConfig, table: &mut Table, mut other: Table) -> Result<(), Error> {
    let labels: Vec<&str> = config.tasks.iter().flat_map(|(name, task)| task.columns_of(name)).collect();
    let known = |table: &Table, name: &str| table.column(name).is_some() || table.faults().any(|(own, _)| own == name);
    let names =
        other.columns().iter().map(|column| column.name.clone()).chain(other.faults().map(|(name, _)| name.to_owned()));
    let extra: Vec<String> = names.filter(|name| !known(table, name)).collect();
    extra.iter().for_each(|name| other.remove(name));
    let called = |name: &str| set.rename.get(name).map_or_else(|| name.to_owned(), Clone::clone);
    let mut lacking = table.columns().iter().filter(|column| !known(&other, &column.name));
    match lacking.all(|column| labels.contains(&called(&column.name).as_str())) {
        true => Ok(table.unite(other)?),
        false => Ok(table.append(other)?),
    }
}

/// The columns that a config reads: what is wrong with any of them is told before anything else.
fn needed<'a>(config: &'a Config, table: &'a Table) -> Vec<&'a str> {
    let tasks = config.tasks.iter().flat_map(|(name, task)| task.columns_of(name));
    let tasks = tasks.chain(config.tasks.values().filter_map(|task| task.weight.as_deref()));
    let sets = config.data.sets().flat_map(|set| set.split.columns().into_iter().chain(set.sample_weight.as_deref()));
    let mut needed: Vec<&str> = tasks.chain(sets).chain(config.inputs.keys().map(String::as_str)).collect();
    if config.inputs.is_empty() {
        let reserved = config.reserved_columns();
        // Columns that no table can hold are no inputs unless they are named.
        let free = table.columns().iter().map(|column| column.name.as_str()).filter(|name| !reserved.contains(name));
        needed.extend(free);
    }
    needed
}

/// The files of labels of IDX images.
fn labels(config: &Config, labels: Option<&LabelsConfig>) -> Result<Option<LabelFiles>, Error> {
    Ok(match labels {
        None => None,
        Some(LabelsConfig::One(path)) => Some(LabelFiles::One(config.resolve(path)?)),
        Some(LabelsConfig::Named(files)) => {
            let named = files.iter().map(|(name, path)| Ok((name.clone(), config.resolve(path)?)));
            Some(LabelFiles::Named(named.collect::<Result<_, Error>>()?))
        }
    })
}

/// What the config calls its only image input, if it has one.
fn image(config: &Config) -> Option<String> {
    let mut images = config.inputs.iter().filter(|(_, input)| input.kind == Some(InputKind::Image));
    images.next().filter(|_| images.next().is_none()).map(|(name, _)| name.clone())
}

/// Takes rows whose image cannot be used out of the split, and says how many there are.
fn leave_out(galleries: &Galleries, split: &mut Split) -> Vec<String> {
    let mut notes = Vec::new();
    for gallery in galleries.values() {
        let Some((rows, first)) = gallery.broken() else { continue };
        for part in [&mut split.train, &mut split.valid, &mut split.test] {
            part.retain(|row| rows.binary_search(row).is_err());
        }
        notes.push(match rows.len() {
            1 => format!("1 row was left out because of its image: {first}"),
            count => format!("{count} rows were left out because of their images, the first: {first}"),
        });
    }
    notes
}

/// Takes rows that weigh nothing out of the split: they shape neither scales nor scores.
fn weightless(weights: &[f32], split: &mut Split) -> Option<String> {
    let mut count = 0;
    for part in [&mut split.train, &mut split.valid, &mut split.test] {
        let before = part.len();
        part.retain(|row| weights.get(*row as usize).is_none_or(|weight| *weight > 0.0));
        count += before - part.len();
    }
    match count {
        0 => None,
        1 => Some("1 row with a sample weight of 0 was left out".to_owned()),
        count => Some(format!("{count} rows with a sample weight of 0 were left out")),
    }
}

/// What the config says of the columns' kinds.
fn hints(config: &Config) -> BTreeMap<String, Hint> {
    let inputs = config.inputs.iter().filter_map(|(name, input)| match input.kind? {
        InputKind::Number => Some((name.clone(), Hint::Number)),
        InputKind::Category | InputKind::Text => Some((name.clone(), Hint::Text)),
        InputKind::Boolean | InputKind::Date | InputKind::Own(_) => None,
        InputKind::Image => Some((name.clone(), Hint::Image)),
    });
    let tasks = config.tasks.iter().filter_map(|(name, task)| {
        let hint = match task.kind? {
            TaskKind::Regression | TaskKind::Count => Hint::Number,
            TaskKind::Segmentation | TaskKind::PixelRegression => Hint::Image,
            TaskKind::Binary
            | TaskKind::Category
            | TaskKind::Tags
            | TaskKind::TokenCategory
            | TaskKind::Multilabel
            | TaskKind::Predicates
            | TaskKind::Senses
            | TaskKind::Roles
            | TaskKind::Arcs => Hint::Text,
            TaskKind::Survival => Hint::Number,
            TaskKind::Ordinal | TaskKind::Own(_) => return None,
        };
        Some((task.column_of(name).to_owned(), hint))
    });
    inputs.chain(tasks).collect()
}

/// Applies the config's rule.
fn divide(config: &Config, set: &DataConfig, table: &Table, given: Given) -> Result<Split, Error> {
    let column_of = |name: &String| config.tasks.get(name).map_or(name.as_str(), |t| t.column_of(name)).to_owned();
    let rule = match &set.split {
        SplitConfig::Column { column } => SplitRule::Column { column: column.clone() },
        SplitConfig::Every { test_every, valid, seed } => {
            SplitRule::Every { test_every: *test_every, valid: *valid, seed: *seed }
        }
        SplitConfig::Parts { valid, test, seed, stratify, group } => {
            let share = |part: &Part| match part {
                Part::Share(share) => *share,
                Part::File(_) => 0.0,
            };
            let (stratify, group) = (stratify.as_ref().map(column_of), group.clone());
            SplitRule::Shares { valid: share(valid), test: share(test), seed: *seed, stratify, group }
        }
    };
    // Folders of images may say what the split is; a config that says nothing else leaves it to them.
    if let (true, Some(column)) =
        (set.split == SplitConfig::default(), table.aside().iter().find(|name| *name == "split"))
    {
        let mut parts = split(table, &SplitRule::Column { column: column.clone() })?;
        if parts.valid.is_empty() {
            (parts.train, parts.valid) = polytask_data::draw(&parts.train, 0.1, 0)?;
        }
        return Ok(parts);
    }
    let [valid, test] = given;
    if valid.is_none() && test.is_none() {
        return Ok(split(table, &rule)?);
    }
    // Shares are drawn from the rows that no file of their own has claimed.
    let claimed = [&valid, &test].into_iter().flatten().map(|r| r.start).min().unwrap_or(table.rows());
    let mut parts = Split { train: (0..claimed as u32).collect(), ..Split::default() };
    let SplitRule::Shares { valid: valid_share, test: test_share, seed, .. } = rule else { return Ok(parts) };
    let rows = |range: Range<usize>| (range.start as u32..range.end as u32).collect();
    for (given, share, part) in [(test, test_share, &mut parts.test), (valid, valid_share, &mut parts.valid)] {
        match given {
            Some(range) => *part = rows(range),
            None if share > 0.0 => (parts.train, *part) = polytask_data::draw(&parts.train, share, seed)?,
            None => {}
        }
    }
    Ok(parts)
}
