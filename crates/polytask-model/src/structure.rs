//! What sentences are made of beyond their tokens: predicates, and the head of each token. A model learns from what the
//! labels say of it, and predicts in two passes: the first finds predicates and heads, the second what is said of them.

use crate::inputs::{Texts, text};
use crate::tasks::domains::{ARCS, AT, DISTANCES, FAR, HEADS, OLD_HEADS, PAIRS, PREDICATES};
use crate::tasks::{
    Frames, Kind, LabelColumn, MISSING, Place, Prediction, RowPredicates, Task, TaskError, heads, read_frames,
};
use polytask_data::Table;
use polytask_data::text::Frame;
use polytask_graph::{DomainId, GraphBuilder};
use std::sync::Arc;

/// Adds the domains and inputs that tasks ask for, where `column` is the text whose tokens they label.
pub(crate) fn add_inputs(g: &mut GraphBuilder, tasks: &[Task], column: &str) {
    let any = |of: fn(&Kind) -> bool| tasks.iter().any(|task| of(&task.kind));
    let [roles, arcs] = [any(|kind| matches!(kind, Kind::Roles(_))), any(|kind| matches!(kind, Kind::Arcs(_)))];
    add(g, column, [tasks.iter().any(Task::is_of_predicates), roles, arcs]);
}

/// The same for tasks on predicates, on the tokens beside them, and on the tokens beside each token.
pub(crate) fn add(g: &mut GraphBuilder, column: &str, [of_predicates, roles, of_arcs]: [bool; 3]) {
    let tokens = g.domain_named(&text::node(column));
    if of_predicates {
        let predicates = g.ragged(PREDICATES, DomainId::ROWS);
        g.index_on(predicates, AT, 1);
        if roles {
            let pairs = g.product(PAIRS, predicates, tokens);
            g.index_on(pairs, DISTANCES, 1);
        }
    }
    if of_arcs {
        g.product(ARCS, tokens, tokens);
        g.index_on(tokens, HEADS, 1);
    }
}

/// The tokens of all rows.
#[derive(Clone, Debug, Default, PartialEq)]
struct Words {
    offsets: Vec<u32>,
    codes: Vec<u32>,
    /// In lower case.
    forms: Vec<String>,
}

impl Words {
    fn len(&self, row: usize) -> usize {
        match self.offsets.get(row..row + 2) {
            Some(&[start, end]) => (end - start) as usize,
            _ => 0,
        }
    }

    fn form(&self, row: usize, token: usize) -> &str {
        let code = self.offsets.get(row).and_then(|start| self.codes.get(*start as usize + token));
        code.and_then(|code| self.forms.get(*code as usize)).map_or("", String::as_str)
    }
}

/// Predicates and heads of all rows, as a graph reads them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Structure {
    words: Arc<Words>,
    /// By row; none where nobody has said what its predicates are.
    given: Vec<Option<Vec<Place>>>,
    offsets: Vec<u32>,
    at: Vec<u32>,
    pairs: Vec<u32>,
    distances: Vec<u32>,
    heads: Vec<u32>,
    arcs: Vec<u32>,
}

impl Structure {
    /// What the labels in a table say of the sentences of the text that `tasks` label; of a column that is not there,
    /// nothing.
    ///
    /// # Errors
    /// Frames or heads that do not fit the tokens, or tasks that read frames from different columns.
    pub(crate) fn read(tasks: &[Task], table: &Table, texts: &Texts) -> Result<Self, TaskError> {
        let asking = |task: &&Task| task.is_of_predicates() || matches!(task.kind, Kind::Arcs(_));
        let Some(sentences) = tasks.iter().find(asking).and_then(|task| texts.get(task.over.as_ref()?)) else {
            return Ok(Structure::default());
        };
        let mut frames: Frames = vec![None; sentences.rows()];
        let mut of_frames = tasks.iter().filter(|task| task.is_of_predicates());
        if let Some(first) = of_frames.next() {
            if let Some(task) = of_frames.find(|task| task.column != first.column) {
                let (task, column) = (task.name.clone(), task.column.clone());
                let (first, other) = (first.name.clone(), first.column.clone());
                return Err(TaskError::TwoFrames { task, column, first, other });
            }
            if let Some(source) = source(first, table, texts)? {
                frames = read_frames(&source)?;
            }
        }
        let arcs = tasks.iter().find(|task| matches!(task.kind, Kind::Arcs(_)));
        let arcs = arcs.map(|task| source(task, table, texts)).transpose()?.flatten();
        let heads = arcs.map(|source| heads(&source)).transpose()?;
        let words = Words {
            offsets: sentences.offsets.clone(),
            codes: sentences.codes.clone(),
            forms: sentences.words.iter().map(|word| word.to_lowercase()).collect(),
        };
        let places = |(row, frames): (usize, &Option<Vec<Frame>>)| Some(places(&words, row, frames.as_deref()?));
        let given = frames.iter().enumerate().map(places).collect();
        Ok(Structure::new(Arc::new(words), given, heads))
    }

    fn new(words: Arc<Words>, given: Vec<Option<Vec<Place>>>, heads: Option<Vec<u32>>) -> Self {
        let mut own = Structure { given, offsets: vec![0], pairs: vec![0], arcs: vec![0], ..Self::default() };
        for (row, places) in own.given.iter().enumerate() {
            let tokens = words.len(row);
            for place in places.iter().flatten() {
                own.at.push(place.token);
                let distance = |token: usize| (token as i64 - i64::from(place.token)).clamp(-(FAR as i64), FAR as i64);
                own.distances.extend((0..tokens).map(|token| (distance(token) + FAR as i64) as u32));
                own.pairs.push(own.distances.len() as u32);
            }
            own.offsets.push(own.at.len() as u32);
            for _ in 0..tokens {
                own.arcs.push(own.arcs.last().copied().unwrap_or(0) + tokens as u32);
            }
        }
        // What depends on the root has no head to look at.
        own.heads = heads.unwrap_or_else(|| vec![MISSING; words.codes.len()]);
        for ends in words.offsets.windows(2) {
            let all = own.heads[ends[0] as usize..ends[1] as usize].iter_mut().enumerate();
            all.filter(|(token, head)| **head == *token as u32).for_each(|(_, head)| *head = MISSING);
        }
        own.words = words;
        own
    }

    /// The structure that tasks have predicted for some rows, in their order. Where predicates are `given`, they stay.
    pub(crate) fn predicted(&self, tasks: &[Task], predictions: &[Prediction], rows: &[u32], given: bool) -> Self {
        let mut places: Vec<Option<Vec<Place>>> = match given {
            true => self.given.clone(),
            false => vec![None; self.given.len()],
        };
        let mut heads = vec![MISSING; self.words.codes.len()];
        for (task, prediction) in tasks.iter().zip(predictions) {
            if let (Kind::Predicates(_), Prediction::Frames(found)) = (&task.kind, prediction) {
                for (row, frames) in rows.iter().zip(found) {
                    if let Some(own) = places.get_mut(*row as usize).filter(|own| own.is_none()) {
                        *own = Some(self::places(&self.words, *row as usize, frames));
                    }
                }
            }
            if let Prediction::Arcs { heads: found, .. } = prediction {
                for (row, found) in rows.iter().zip(found) {
                    let start = self.words.offsets.get(*row as usize).map_or(0, |start| *start as usize);
                    heads[start..start + found.len()].copy_from_slice(found);
                }
            }
        }
        Structure::new(self.words.clone(), places, Some(heads))
    }

    /// What an index node of this name reads.
    pub(crate) fn indices(&self, node: &str) -> Option<&[u32]> {
        match node {
            AT => Some(&self.at),
            DISTANCES => Some(&self.distances),
            HEADS | OLD_HEADS => Some(&self.heads),
            _ => None,
        }
    }

    /// Where the elements of a domain of this name begin.
    pub(crate) fn offsets(&self, domain: &str) -> Option<&[u32]> {
        let own = match domain {
            PREDICATES => &self.offsets,
            PAIRS => &self.pairs,
            ARCS => &self.arcs,
            _ => return None,
        };
        // Those of no sentences at all were never read.
        (!own.is_empty()).then_some(own)
    }

    /// The predicates of some rows, and how many tokens each row has.
    pub(crate) fn of_rows(&self, rows: &[u32]) -> Vec<RowPredicates> {
        let own = |row: &u32| {
            let places = self.given.get(*row as usize).cloned().flatten().unwrap_or_default();
            (places, self.words.len(*row as usize))
        };
        rows.iter().map(own).collect()
    }
}

/// The labels of a task, where the table has them.
fn source<'a>(task: &'a Task, table: &'a Table, texts: &'a Texts) -> Result<Option<LabelColumn<'a>>, TaskError> {
    if table.column(&task.column).is_none() {
        return Ok(None);
    }
    let mut source = LabelColumn::find(&task.name, &task.column, table)?;
    source.choose(task.over.as_deref(), texts)?;
    Ok(Some(source))
}

fn places(words: &Words, row: usize, frames: &[Frame]) -> Vec<Place> {
    let place = |frame: &Frame| Place {
        token: frame.predicate as u32,
        form: words.form(row, frame.predicate).to_owned(),
        lemma: frame.lemma.clone(),
    };
    frames.iter().map(place).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_and_arcs_of_rows() {
        let words =
            Words { offsets: vec![0, 3, 3, 5], codes: vec![0, 1, 0, 1, 1], forms: vec!["a".into(), "b".into()] };
        let place = |token, form: &str| Place { token, form: form.into(), lemma: None };
        let given = vec![Some(vec![place(1, "b"), place(2, "a")]), None, Some(vec![place(0, "b")])];
        let own = Structure::new(Arc::new(words), given, Some(vec![1, 1, 1, 0, MISSING]));
        assert_eq!((own.offsets.as_slice(), own.at.as_slice()), ([0, 2, 2, 3].as_slice(), [1, 2, 0].as_slice()));
        assert_eq!(own.pairs, [0, 3, 6, 8]);
        let far = FAR as u32;
        assert_eq!(own.distances, [far - 1, far, far + 1, far - 2, far - 1, far, far, far + 1]);
        assert_eq!(own.arcs, [0, 3, 6, 9, 11, 13]);
        assert_eq!(own.heads, [1, MISSING, 1, MISSING, MISSING]);
        assert_eq!(own.of_rows(&[2])[0], (vec![place(0, "b")], 2));
    }
}
