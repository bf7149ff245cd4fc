//! A table turned into what a model reads: features and labels for all its rows.

use crate::Error;
use crate::inputs::{
    CATEGORIES, Encoder, Features, Galleries, Gathering, NUMBERS, Step, Texts, patch_node, place_node, text,
};
use crate::structure::Structure;
use crate::tasks::{Kind, Labels, Layout, Target, Task};
use polytask_data::Table;
use polytask_exec::{Batch, Numbers};
use polytask_exec::{PortError, Ports};
use polytask_graph::Graph;

/// Features, and the labels of one or more tasks, for all rows of a table.
#[derive(Clone, Debug)]
pub struct Dataset {
    /// What the inputs became.
    pub features: Features,
    /// What is known of the sentences whose tokens are labelled.
    pub structure: Structure,
    /// By task; none for prediction.
    pub labels: Vec<Labels>,
    /// Of several data sets: the first row of each after the first.
    pub starts: Vec<u32>,
}

impl Dataset {
    /// What a model reads of a table, and no labels. Label columns need not be there; of the sentences is known what they
    /// say.
    ///
    /// # Errors
    /// An input column that is not there or does not fit its kind.
    pub fn unlabelled(encoder: &Encoder, tasks: &[Task], table: &Table) -> Result<Self, Error> {
        Self::of(encoder, tasks, table, &encoder.texts(table)?, &Galleries::new())
    }

    /// The same with the texts read already, and images that are loaded.
    pub(crate) fn of(
        encoder: &Encoder,
        tasks: &[Task],
        table: &Table,
        texts: &Texts,
        galleries: &Galleries,
    ) -> Result<Self, Error> {
        let features = encoder.features_of(table, texts, galleries)?;
        let structure = Structure::read(tasks, table, texts)?;
        Ok(Dataset { features, structure, labels: Vec::new(), starts: Vec::new() })
    }

    /// Features, and the labels of every task, of every row of a table.
    ///
    /// # Errors
    /// A column that is not there or does not fit its kind or task.
    pub fn labelled(encoder: &Encoder, tasks: &[Task], table: &Table, galleries: &Galleries) -> Result<Self, Error> {
        let texts = encoder.texts(table)?;
        let labels = tasks.iter().map(|task| task.labels_over(table, &texts)).collect::<Result<_, _>>()?;
        Ok(Dataset { labels, ..Self::of(encoder, tasks, table, &texts, galleries)? })
    }

    /// How many rows there are.
    pub fn rows(&self) -> usize {
        self.features.rows
    }

    /// Hands out the feed of some rows for a graph. The graph's losses are those of `tasks`, in that order; without
    /// any the feed has no targets.
    ///
    /// # Errors
    /// An input of the graph that is none of these features.
    pub fn with_batch<R>(
        &self,
        graph: &Graph,
        tasks: &[usize],
        rows: &[u32],
        run: impl FnOnce(&Batch<'_>) -> R,
    ) -> Result<R, PortError> {
        self.with_structure(&self.structure, graph, tasks, rows, run)
    }

    /// The same with what is known of the sentences from elsewhere.
    pub(crate) fn with_structure<R>(
        &self,
        structure: &Structure,
        graph: &Graph,
        tasks: &[usize],
        rows: &[u32],
        run: impl FnOnce(&Batch<'_>) -> R,
    ) -> Result<R, PortError> {
        self.feed(structure, graph, tasks, rows, None, run)
    }

    /// The same for a step of training.
    ///
    /// # Errors
    /// Those of [`with_batch`](Self::with_batch).
    pub fn with_step<R>(
        &self,
        graph: &Graph,
        tasks: &[usize],
        rows: &[u32],
        step: Step<'_>,
        run: impl FnOnce(&Batch<'_>) -> R,
    ) -> Result<R, PortError> {
        self.feed(&self.structure, graph, tasks, rows, Some(step), run)
    }

    fn feed<R>(
        &self,
        structure: &Structure,
        graph: &Graph,
        tasks: &[usize],
        rows: &[u32],
        step: Option<Step<'_>>,
        run: impl FnOnce(&Batch<'_>) -> R,
    ) -> Result<R, PortError> {
        let features = &self.features;
        let images = features.images.iter().enumerate();
        let images: Vec<Gathering<'_>> = images.map(|(i, pictures)| Gathering::new(pictures, i, step)).collect();
        let text = |name: &str| features.texts.iter().find(|text| text::node(&text.column) == name);
        let pieces = |name: &str| features.texts.iter().find(|text| text::piece_node(&text.column) == name);
        let context = |name: &str| features.texts.iter().find(|text| text::context_node(&text.column) == name);
        let places = |name: &str| features.texts.iter().find(|text| text::place_node(&text.column) == name);
        let picture =
            |node: fn(&str) -> String, name: &str| features.images.iter().find(|own| node(&own.column) == name);
        let indices = |name: &str| {
            let own = text(name).map(|text| text.indices.as_slice());
            let own = own.or_else(|| Some(&pieces(name)?.pieces)).or_else(|| Some(&context(name)?.context.pieces));
            let own = own.or_else(|| Some(&places(name)?.context.places)).or_else(|| structure.indices(name));
            own.or_else(|| Some(&picture(place_node, name)?.places))
        };
        let vectors = |name: &str| context(name).filter(|text| text.context.width > 0);
        let ports = Ports::of(graph);
        let inputs = ports.bind(|port| match port.name.as_str() {
            NUMBERS => Some(Numbers::Real(&features.numbers)),
            CATEGORIES => Some(Numbers::Index(&features.indices)),
            name => match images.iter().find(|image| image.node() == name) {
                Some(image) => Some(image.numbers()),
                None => match vectors(name) {
                    Some(text) => Some(Numbers::Real(&text.context.vectors)),
                    None => indices(name).map(Numbers::Index),
                },
            },
        })?;
        let offsets = ports.bind_domains(|name| {
            let own = text(name).map(|text| text.offsets.as_slice());
            let own = own.or_else(|| Some(&pieces(name)?.piece_offsets));
            let own = own.or_else(|| Some(&context(name)?.context.offsets)).or_else(|| structure.offsets(name));
            own.or_else(|| Some(&picture(patch_node, name)?.offsets))
        })?;
        let moved: Vec<Option<Target>> = tasks.iter().map(|&task| self.moved(task, &images, rows, step)).collect();
        let targets: Vec<polytask_exec::Target<'_>> = tasks
            .iter()
            .zip(&moved)
            .map(|(&task, moved)| polytask_exec::Target {
                labels: match moved.as_ref().unwrap_or(&self.labels[task].target) {
                    Target::Real(values) => polytask_exec::Labels::Real(values),
                    Target::Class(classes) => polytask_exec::Labels::Class(classes),
                },
                weights: &self.labels[task].weights,
            })
            .collect();
        Ok(run(&Batch { inputs: &inputs, targets: &targets, offsets: &offsets, rows }))
    }

    /// The labels of pixels where a step sees the images of their rows moved.
    fn moved(&self, task: usize, images: &[Gathering<'_>], rows: &[u32], step: Option<Step<'_>>) -> Option<Target> {
        let labels = &self.labels[task];
        let image = images.iter().find(|image| labels.image.as_deref() == Some(image.column()))?;
        let rows = [rows, step?.held_out];
        match &labels.target {
            Target::Real(values) => image.moved(values, &rows).map(Target::Real),
            Target::Class(classes) => image.moved(classes, &rows).map(Target::Class),
        }
    }

    /// Where the outputs of a task stand for some rows.
    pub fn layout(&self, task: &Task, rows: &[u32]) -> Layout {
        self.layout_in(&self.structure, task, rows)
    }

    /// The same with what is known of the sentences from elsewhere.
    pub(crate) fn layout_in(&self, structure: &Structure, task: &Task, rows: &[u32]) -> Layout {
        if task.is_of_predicates() {
            return Layout::of_predicates(structure.of_rows(rows), matches!(task.kind, Kind::Roles(_)));
        }
        let Some(text) = self.features.texts.iter().find(|text| task.over.as_ref() == Some(&text.column)) else {
            return Layout::of_rows(rows.len());
        };
        let count = |row: &u32| match text.offsets.get(*row as usize..*row as usize + 2) {
            Some(&[start, end]) => end - start,
            _ => 0,
        };
        Layout::of_elements(rows.iter().map(count))
    }
}
