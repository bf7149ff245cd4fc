//! Whether the parts of a model that was read fit together. Each part has been checked for itself by then; what is left is what
//! one says of another. After this nothing in a model is looked up that is not there.

use super::{Body, Model, Network, tree_columns};
use crate::device::Device;
use crate::inputs::{Code, Encoder, text};
use crate::memory;
use crate::structure;
use crate::tasks::domains::{HEADS, OLD_HEADS};
use crate::tasks::{Kind, Site, Task};
use polytask_exec::Mode;
use polytask_graph::{DomainId, Graph, GraphBuilder, Init, Loss, Node};
use polytask_trees::Schema;
use std::collections::BTreeSet;
use std::mem::discriminant;

impl Model {
    /// Refuses parts that do not fit together.
    ///
    /// # Errors
    /// What does not fit, in words.
    pub(super) fn check(&self) -> Result<(), String> {
        let Model { body, encoder, tasks, dialect: _, device: _ } = self;
        let mut names = BTreeSet::new();
        if let Some(task) = tasks.iter().find(|task| !names.insert(&task.name)) {
            return Err(format!("two tasks are called {:?}", task.name));
        }
        let mut columns = BTreeSet::new();
        if let Some(input) =
            encoder.inputs.iter().find(|input| !columns.insert((&input.column, matches!(input.code, Code::Encoded(_)))))
        {
            return Err(format!("two inputs are of the column {:?}", input.column));
        }
        if tasks.is_empty() {
            return Err("it has no task".to_owned());
        }
        tasks.iter().try_for_each(|task| labels_what(task, encoder))?;
        fits(body, encoder, &tasks.iter().collect::<Vec<_>>())
    }
}

/// A task that labels tokens or pixels names the input that has them, and no other task names one.
fn labels_what(task: &Task, encoder: &Encoder) -> Result<(), String> {
    let over = task.over.as_ref().and_then(|over| encoder.inputs.iter().find(|input| input.column == *over));
    let (fits, wanted) = match &task.kind {
        Kind::Regression(_)
        | Kind::Binary(_)
        | Kind::Category(_)
        | Kind::Count(_)
        | Kind::Multilabel(_)
        | Kind::Ordinal(_)
        | Kind::Survival(_)
        | Kind::Own(_) => (task.over.is_none(), "no input"),
        Kind::Tags(_)
        | Kind::TokenCategory(_)
        | Kind::Predicates(_)
        | Kind::Senses(_)
        | Kind::Roles(_)
        | Kind::Arcs(_) => {
            (over.is_some_and(|input| matches!(input.code, Code::Text(_))) && encoder.tokens == task.over, "its text")
        }
        Kind::Segmentation(_) | Kind::PixelRegression(_) => {
            let size = task.outcome().pixels();
            let same = |code: &Code| matches!(code, Code::Image(image) if Some([image.height, image.width]) == size);
            (over.is_some_and(|input| same(&input.code)), "an image of its size")
        }
    };
    match fits {
        true => Ok(()),
        false => Err(format!("the task {:?} is to label {wanted}, and labels {:?}", task.name, task.over)),
    }
}

/// The body reads what the encoder gives, and gives what the tasks read.
fn fits(body: &Body, encoder: &Encoder, tasks: &[&Task]) -> Result<(), String> {
    match body {
        Body::Network(network) => of_network(network, encoder, tasks),
        Body::Trees(trees) => {
            of_rows(tasks)?;
            let alike = |(column, schema): (&super::TreeColumn<'_>, &Schema)| match (&column.input.code, schema) {
                (Code::Category(_), Schema::Categories { .. }) => true,
                (
                    Code::Number(_)
                    | Code::Boolean(_)
                    | Code::Date(_)
                    | Code::Encoded(_)
                    | Code::Seen(_)
                    | Code::Own(_),
                    Schema::Numbers,
                ) => true,
                (
                    Code::Category(_)
                    | Code::Number(_)
                    | Code::Boolean(_)
                    | Code::Date(_)
                    | Code::Encoded(_)
                    | Code::Seen(_)
                    | Code::Own(_),
                    _,
                ) => false,
                (Code::Text(_) | Code::Image(_), _) => false,
            };
            let read = tree_columns(encoder);
            if read.len() != trees.columns().len() || !read.iter().zip(trees.columns()).all(alike) {
                return Err("its trees read other columns than its inputs give".to_owned());
            }
            let widths = trees.heads().iter().map(|head| head.width);
            match widths.eq(tasks.iter().map(|task| task.outcome().width())) {
                true => Ok(()),
                false => Err("its trees give other outputs than its tasks read".to_owned()),
            }
        }
        Body::Ensemble(ensemble) => {
            of_rows(tasks)?;
            for member in &ensemble.members {
                let own: Option<Vec<&Task>> = member.tasks.iter().map(|task| tasks.get(*task).copied()).collect();
                let own = own.ok_or_else(|| format!("the member {:?} has a task that is not there", member.name))?;
                member.bodies.iter().try_for_each(|body| fits(body, encoder, &own))?;
            }
            Ok(())
        }
    }
}

/// Trees and ensembles give outputs of rows.
fn of_rows(tasks: &[&Task]) -> Result<(), String> {
    match tasks.iter().find(|task| task.link().is_none()) {
        None => Ok(()),
        Some(task) => Err(format!("no network predicts the task {:?}, which is not of rows", task.name)),
    }
}

/// The inputs of the network are those that the encoder and the tasks ask for, its outputs those of heads of the tasks.
fn of_network(network: &Network, encoder: &Encoder, tasks: &[&Task]) -> Result<(), String> {
    let graph = &network.graph;
    let tasks: Vec<Task> = tasks.iter().map(|task| (*task).clone()).collect();
    let mut g = GraphBuilder::new();
    encoder.inputs(&mut g);
    let mut domains = GraphBuilder::new();
    encoder.inputs(&mut domains);
    if let Some(column) = &encoder.tokens {
        if !encoder.text_inputs().any(|(text, _)| text == column) {
            return Err(format!("its tokens are those of {column:?}, which is no text"));
        }
        structure::add_inputs(&mut g, &tasks, column);
        structure::add(&mut domains, column, [true; 3]);
    }
    known_domains(graph, domains.so_far())?;
    known_inputs(graph, g.so_far())?;
    for task in &tasks {
        head(&mut g, task);
    }
    let wanted = g.finish().map_err(|error| error.to_string())?;
    for ((loss, wanted_loss), task) in graph.losses().iter().zip(wanted.losses()).zip(&tasks) {
        // The layers above are those of a pixel.
        let pixels = task.outcome().pixels().map_or(1, |[height, width]| height.saturating_mul(width));
        same_output((graph, loss), (&wanted, wanted_loss), pixels)?;
    }
    let needed = Device::default().memory(graph, 1, Mode::Predict) as u64;
    match memory::available().filter(|there| needed > *there) {
        None => Ok(()),
        Some(there) => Err(format!("it takes {needed} bytes to predict a row, and there are {there}")),
    }
}

/// Adds the last layers of a task's head, over features that say nothing.
fn head(g: &mut GraphBuilder, task: &Task) {
    g.named(format!("{}.features", task.name));
    let h = match (task.outcome().pixels(), &task.over) {
        (None, Some(column)) => {
            let domain = g.domain_named(&text::node(column));
            g.vector_on(domain, 2, Init::Constant(0.0))
        }
        (Some(_), _) | (None, None) => g.vector(2, Init::Constant(0.0)),
    };
    let site = Site { task: &task.name, last: 0, dropout: 0.0 };
    let output = task.outcome().output(g, &site, h);
    task.outcome().attach(g, &site, output);
}

fn domain_name(graph: &Graph, id: DomainId) -> &str {
    graph.domain(id).map_or("rows", |domain| &domain.name)
}

/// Every domain is one that the encoder or tasks give, and lies where that one does.
fn known_domains(graph: &Graph, wanted: &Graph) -> Result<(), String> {
    for domain in graph.domains() {
        let same = |other: &&polytask_graph::Domain| {
            let over = |graph, domain: &polytask_graph::Domain| domain.over.map(|id| domain_name(graph, id).to_owned());
            other.name == domain.name
                && domain_name(wanted, other.parent) == domain_name(graph, domain.parent)
                && over(wanted, other) == over(graph, domain)
        };
        if !wanted.domains().iter().any(|other| same(&other)) {
            return Err(format!("its network has the sequences {:?}, which nothing gives", domain.name));
        }
    }
    Ok(())
}

/// Every input is one that the encoder or tasks give, of the same kind and width.
fn known_inputs(graph: &Graph, wanted: &Graph) -> Result<(), String> {
    for node in graph.nodes().iter().filter(|node| node.op.fed().is_some()) {
        let name = if node.name == OLD_HEADS { HEADS } else { &node.name };
        let same = |other: &&Node| {
            other.op.fed() == node.op.fed()
                && other.shape.width() == node.shape.width()
                && domain_name(wanted, other.domain) == domain_name(graph, node.domain)
        };
        let other = wanted.nodes().iter().find(|other| other.name == name || other.name == node.name);
        if !other.is_some_and(|other| same(&other)) {
            return Err(format!("its network reads {:?}, which nothing gives as it reads it", node.name));
        }
    }
    Ok(())
}

/// An output is what the head of its task would give.
fn same_output((graph, loss): (&Graph, &Loss), (wanted, other): (&Graph, &Loss), pixels: usize) -> Result<(), String> {
    let is = |graph: &Graph, loss: &Loss| -> Vec<(usize, String)> {
        let of = |id| {
            let node = graph.node(id);
            (node.shape.width(), domain_name(graph, node.domain).to_owned())
        };
        loss.nodes().map(of).collect()
    };
    let kind = discriminant(&loss.kind) == discriminant(&other.kind);
    let given = is(graph, loss);
    let read: Vec<_> =
        is(wanted, other).into_iter().map(|(width, domain)| (width.saturating_mul(pixels), domain)).collect();
    match loss.task == other.task && kind && given == read {
        true => Ok(()),
        false => Err(format!("its network gives {given:?} for the task {:?}, which reads {read:?}", other.task)),
    }
}
