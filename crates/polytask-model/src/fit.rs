//! Inputs and tasks fitted to the training rows of a table.

use crate::Error;
use crate::config::Config;
use crate::dataset::Dataset;
use crate::inputs::{Encoder, Galleries, Texts};
use crate::notes;
use crate::tasks::{Task, TaskError, task_weights};
use polytask_data::Table;
use rayon::prelude::*;

/// Inputs and tasks that have learnt what they must know of the training rows.
pub struct Fitted {
    /// How columns become inputs.
    pub encoder: Encoder,
    /// In the order of the config.
    pub tasks: Vec<Task>,
    texts: Texts,
    said: Vec<String>,
}

impl Fitted {
    /// Fits the inputs and tasks of a config on the training rows `rows` of a table, whose images are loaded.
    ///
    /// # Errors
    /// Inputs or tasks that do not fit their columns; tasks that label the tokens of two texts.
    pub fn new(config: &Config, table: &Table, galleries: &Galleries, rows: &[u32]) -> Result<Self, Error> {
        let plan = config.input_plan(table);
        let encoder = Encoder::fit_loaded(&plan, table, rows, galleries)?;
        let read = |name: &str| encoder.inputs.iter().any(|input| input.column == name);
        let blank = plan.inputs.iter().map(|(name, _)| *name).filter(|name| !read(name));
        let blank: Vec<String> = blank
            .map(|name| {
                format!("column `{name}`: every value is missing in the training rows; it is left out of the inputs")
            })
            .collect();
        let texts = encoder.texts(table)?;
        let tasks = config.tasks.iter();
        let tasks = tasks.map(|(name, task)| {
            let heavy = match &task.weight {
                Some(column) => {
                    let weights = task_weights(table, column, name, &|_| false)?;
                    rows.iter().copied().filter(|row| weights[*row as usize] > 0.0).collect()
                }
                None => rows.to_vec(),
            };
            Task::fit_over(name, task, table, &texts, Some(&encoder), &heavy)
        });
        let tasks = tasks.collect::<Result<Vec<_>, _>>()?;
        let tokens = match one_text(&tasks)? {
            // Layers along a text need its tokens, be they labelled or not.
            None if config.model.trunk.reads_tokens() => encoder.text_inputs().next().map(|(name, _)| name.to_owned()),
            labelled => labelled,
        };
        let (encoder, said_of) = encoder.settle(tokens, table, rows, galleries)?;
        let mut said = blank;
        said.extend(said_of);
        said.extend(notes::of_fit(config, &encoder, &tasks, table, rows));
        Ok(Fitted { encoder, tasks, texts, said })
    }

    /// Features, and the labels of every task, of every row of the table that this was fitted on.
    ///
    /// # Errors
    /// Labels that do not fit their task.
    pub fn dataset(&self, table: &Table, galleries: &Galleries) -> Result<Dataset, Error> {
        let labels = self.tasks.par_iter().map(|task| task.labels_over(table, &self.texts));
        let labels = labels.collect::<Result<Vec<_>, TaskError>>()?;
        Ok(Dataset { labels, ..Dataset::of(&self.encoder, &self.tasks, table, &self.texts, galleries)? })
    }

    /// What is to be said of the texts, and of what columns were taken for.
    pub fn notes(&self) -> impl Iterator<Item = &String> {
        self.texts.values().flat_map(|texts| &texts.notes).chain(&self.said)
    }
}

/// The text whose tokens are labelled.
fn one_text(tasks: &[Task]) -> Result<Option<String>, TaskError> {
    let of_tokens = tasks.iter().filter(|task| task.outcome().pixels().is_none());
    let mut over = of_tokens.filter_map(|task| task.over.clone().map(|over| (&task.name, over)));
    let Some((first, text)) = over.next() else { return Ok(None) };
    match over.find(|(_, other)| *other != text) {
        Some((task, other)) => Err(TaskError::TwoTexts { task: task.clone(), other, first: first.clone(), text }),
        None => Ok(Some(text)),
    }
}
