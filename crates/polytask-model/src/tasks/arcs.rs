//! Dependency trees: the head of each token, and its relation to it.

use super::arborescence::{best_tree, circle};
use super::classes::{Classes, largest};
use super::domains::{ARCS, HEADS};
use super::labels::{LabelColumn, Labels, MISSING, Target, Truth, UNSEEN};
use super::{Layout, Outcome, Prediction, Site, TaskError, WIDEST};
use crate::metric::{Better, Metrics};
use crate::section::TaskConfig;
use polytask_data::{Hint, Values};
use polytask_exec::TaskOutput;
use polytask_graph::{Activation, GraphBuilder, LossKind, NodeId};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};

/// Predicts the head of every token by biaffine scores of all pairs of tokens (Dozat and Manning 2017), as the best tree of
/// one root, and the relation from the token, its head and the product of both.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Arcs {
    /// The column of the relations.
    pub relation: String,
    /// The relations.
    #[serde(flatten)]
    pub classes: Classes,
    /// Features of either end of an arc.
    pub width: usize,
}

/// The heads of every row as [`Truth::Arcs`] has them, and the words of the relations.
struct Read<'a> {
    heads: Vec<u32>,
    relations: Vec<Option<&'a str>>,
}

impl Arcs {
    /// What is measured: the trees with the tokens that are not read, whose heads and relations nothing finds. What is read
    /// has `heads` and `relations`.
    fn truth(&self, source: &LabelColumn, heads: &[u32], relations: &[u32]) -> Result<Truth, TaskError> {
        let sentences = source.sentences()?;
        let (mut offsets, mut all, mut named) =
            (vec![0], Vec::with_capacity(heads.len()), Vec::with_capacity(relations.len()));
        for row in 0..sentences.rows() {
            let read = sentences.tokens(row);
            all.extend_from_slice(&heads[read.clone()]);
            named.extend_from_slice(&relations[read]);
            let (length, whole) = (sentences.len(row), sentences.whole[row] as usize);
            if length < whole {
                let start = all.len() - length;
                let items = source.items(row)?.unwrap_or_default();
                all.resize(start + whole, MISSING);
                named.resize(start + whole, UNSEEN);
                for (token, item) in items.into_iter().enumerate() {
                    let far = item.and_then(|item| item.parse::<usize>().ok()).is_some_and(|head| head > length);
                    if let Some(head) =
                        all.get_mut(start + token).filter(|_| far || (token >= length && item.is_some()))
                    {
                        *head = UNSEEN;
                    }
                }
            }
            offsets.push(all.len() as u32);
        }
        Ok(Truth::Arcs { offsets, heads: all, relations: named })
    }
}

/// Reads both columns, cut to the tokens that are read.
fn read<'a>(source: &LabelColumn<'a>, relation: &str) -> Result<Read<'a>, TaskError> {
    let (sentences, heads) = (source.sentences()?, heads(source)?);
    let labels = LabelColumn::find(source.task, relation, source.table)?;
    let mut relations = vec![None; heads.len()];
    for row in 0..sentences.rows() {
        let own = labels.items(row)?;
        let Some(own) = own else { continue };
        let whole = sentences.whole[row] as usize;
        if own.len() != whole {
            return Err(source.bad(row, format!("{} relations for {whole} tokens", own.len())));
        }
        relations[sentences.tokens(row)].iter_mut().zip(own).for_each(|(to, label)| *to = label);
    }
    Ok(Read { heads, relations })
}

/// The head of every token that is read, a place in its sentence, its own where it is the root; [`MISSING`] where it has
/// none or one that is cut off.
///
/// # Errors
/// Heads that make no tree of one root.
pub(crate) fn heads(source: &LabelColumn) -> Result<Vec<u32>, TaskError> {
    let sentences = source.sentences()?;
    let mut all = vec![MISSING; sentences.codes.len()];
    for row in 0..sentences.rows() {
        let Some(items) = source.items(row)? else { continue };
        let whole = sentences.whole[row] as usize;
        let bad = |reason: String| Err(source.bad(row, reason));
        if items.len() != whole {
            return bad(format!("{} heads for {whole} tokens", items.len()));
        }
        // By token from 1, as they are written.
        let mut written = vec![0; whole + 1];
        let (mut roots, mut missing) = (Vec::new(), false);
        for (token, item) in items.into_iter().enumerate() {
            let Some(item) = item else {
                missing = true;
                continue;
            };
            match item.parse::<usize>() {
                Ok(head) if head > whole => {
                    return bad(format!("the head of token {} is {head}, of {whole} tokens", token + 1));
                }
                Ok(head) if head == token + 1 => return bad(format!("token {head} is its own head; 0 is the root")),
                Ok(head) => written[token + 1] = head,
                Err(_) => return bad(format!("the head of token {} is `{item}`, no number of a token", token + 1)),
            }
            roots.extend((written[token + 1] == 0).then_some(token + 1));
            if let Some(head) = all[sentences.tokens(row)].get_mut(token) {
                *head = match written[token + 1] {
                    0 => token as u32,
                    head if head > sentences.len(row) => MISSING,
                    head => head as u32 - 1,
                };
            }
        }
        if let Some(circle) = circle(&written) {
            let tokens: Vec<String> = circle.iter().map(usize::to_string).collect();
            return bad(format!("the heads of tokens {} go round in a circle", tokens.join(", ")));
        }
        match roots[..] {
            [_] => {}
            _ if missing || whole == 0 => {}
            [] => return bad("no token has the head 0, the root".to_owned()),
            [first, second, ..] => {
                return bad(format!("tokens {first} and {second} both have the head 0; a sentence has one root"));
            }
        }
    }
    Ok(all)
}

impl Arcs {
    pub(super) fn fit(source: &LabelColumn, config: &TaskConfig, rows: &[u32]) -> Result<Self, TaskError> {
        let relation = config.columns_of(source.task).last().copied().unwrap_or_default().to_owned();
        let (sentences, all) = (source.sentences()?, read(source, &relation)?);
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for row in rows {
            for label in all.relations[sentences.tokens(*row as usize)].iter().flatten() {
                *counts.entry(label).or_default() += 1;
            }
        }
        let counted: Vec<(String, usize)> = counts.into_iter().map(|(l, count)| (l.to_owned(), count)).collect();
        let classes = Classes::from_counts(source, config, &counted)?;
        Ok(Arcs { relation, classes, width: config.width.unwrap_or(128) })
    }
}

impl Outcome for Arcs {
    fn width(&self) -> usize {
        self.classes.labels.len()
    }

    fn loss(&self) -> LossKind {
        LossKind::CrossEntropy
    }

    /// The scores of the arcs; the logits of the relations are the node `heads.TASK.relations`.
    fn output(&self, g: &mut GraphBuilder, site: &Site<'_>, h: NodeId) -> NodeId {
        let heads = site.input(g, HEADS);
        let arcs = g.domain_named(ARCS);
        let dependent = site.hidden(g, "dependent", h, self.width);
        let head = site.hidden(g, "head", h, self.width);
        let mut ends = [h; 2];
        for (end, part) in ends.iter_mut().zip(["relation.dependent", "relation.head"]) {
            *end = site.hidden(g, part, h, self.width);
        }
        let [own, all] = ends;
        let its = g.named(site.name("relation.gather")).gather(all, heads, 0);
        let both = g.named(site.name("relation.product")).mul(own, its);
        let seen = g.named(site.name("relation")).concat(&[own, its, both]);
        g.named(site.name(RELATIONS)).dense(seen, self.classes.labels.len(), Activation::Linear);
        g.named(site.name("arcs")).biaffine(arcs, dependent, head, true)
    }

    fn attach(&self, g: &mut GraphBuilder, site: &Site<'_>, output: NodeId) {
        let labels = site.input(g, &site.name(RELATIONS));
        g.loss(site.task, output, LossKind::Arcs { labels });
    }

    fn initial_bias(&self) -> Vec<f32> {
        self.classes.shares.iter().map(|share| share.ln() as f32).collect()
    }

    fn hint(&self) -> Hint {
        Hint::Text
    }

    fn labels(&self, source: &LabelColumn) -> Result<Labels, TaskError> {
        let (sentences, all) = (source.sentences()?, read(source, &self.relation)?);
        let at: HashMap<&str, u32> =
            self.classes.labels.iter().enumerate().map(|(i, label)| (label.as_str(), i as u32)).collect();
        let class = |label: &Option<&str>| label.map_or(MISSING, |label| at.get(label).copied().unwrap_or(UNSEEN));
        let relations: Vec<u32> = all.relations.iter().map(class).collect();
        let count = self.classes.labels.len() as u32;
        let (mut target, mut weights) = (Vec::with_capacity(2 * relations.len()), Vec::with_capacity(relations.len()));
        for (head, relation) in all.heads.iter().zip(&relations) {
            let known = *head != MISSING && *relation < count;
            target.extend(if known { [*head, *relation] } else { [0, 0] });
            weights.push(if known { 1.0 } else { 0.0 });
        }
        let truth = self.truth(source, &all.heads, &relations)?;
        let mut labels = Labels::new(Target::Class(target), truth, weights);
        labels.elements = Some(sentences.offsets.clone());
        Ok(labels)
    }

    fn predict(&self, output: &TaskOutput, _: &Layout) -> Prediction {
        let labels = output.arc_labels.as_ref();
        let tokens = |row| labels.map_or(0, |labels| labels.elements_of(row).len());
        let heads =
            (0..output.prediction.rows()).map(|row| best_tree(output.prediction.of(row), tokens(row))).collect();
        let relations = labels.map(|labels| self.classes.of_elements(labels)).unwrap_or_default();
        Prediction::Arcs { labels: self.classes.labels.clone(), heads, relations }
    }

    fn constant(&self, rows: usize) -> Prediction {
        self.constant_in(&Layout::of_elements(std::iter::repeat_n(0, rows)))
    }

    /// Every token depends on the one before it, by the commonest relation.
    fn constant_in(&self, layout: &Layout) -> Prediction {
        let most = largest(&self.classes.shares);
        let count = |row| layout.elements(row).len() as u32;
        let heads = (0..layout.rows()).map(|row| (0..count(row)).map(|t| t.saturating_sub(1)).collect()).collect();
        let relations = (0..layout.rows()).map(|row| vec![most as u32; count(row) as usize]).collect();
        Prediction::Arcs { labels: self.classes.labels.clone(), heads, relations }
    }

    /// las and uas over all tokens, those of punctuation included, and label_accuracy, that of the relations alone.
    fn score(&self, truth: &Truth, prediction: &Prediction) -> Metrics {
        let (Truth::Arcs { offsets, heads, relations }, Prediction::Arcs { heads: h, relations: r, .. }) =
            (truth, prediction)
        else {
            return Metrics::default();
        };
        let [mut right, mut attached, mut labelled, mut count] = [0usize; 4];
        for (own, (h, r)) in offsets.windows(2).zip(h.iter().zip(r)) {
            let own = own[0] as usize..own[1] as usize;
            let truth = heads[own.clone()].iter().zip(&relations[own]);
            // Tokens past those that are read have no prediction, which is a mistake.
            let found = h.iter().zip(r).chain(std::iter::repeat((&MISSING, &MISSING)));
            for ((head, relation), (h, r)) in truth.zip(found).filter(|((head, _), _)| **head != MISSING) {
                count += 1;
                attached += usize::from(head == h);
                labelled += usize::from(relation == r);
                right += usize::from(head == h && relation == r);
            }
        }
        let mut metrics = Metrics::new(count);
        for (name, hits) in [("las", right), ("uas", attached), ("label_accuracy", labelled)] {
            metrics.push(name, Better::Higher, (count > 0).then(|| hits as f64 / count as f64));
        }
        metrics
    }

    fn primary(&self) -> (&'static str, Better) {
        ("las", Better::Higher)
    }

    fn check(&self) -> Result<(), String> {
        match (2..=WIDEST).contains(&self.width) {
            true => self.classes.check(),
            false => Err(format!("a width of {}", self.width)),
        }
    }
}

/// The node of the relations' logits.
const RELATIONS: &str = "relations";

impl<'a> LabelColumn<'a> {
    /// The labels of a row's tokens; none where the row has none, or a token.
    pub(super) fn items(&self, row: usize) -> Result<Option<Vec<Option<&'a str>>>, TaskError> {
        match &self.column.values {
            Values::List(list) => Ok(list.get(row).map(Iterator::collect)),
            Values::Text(text) => Ok(text.get(row).map(|labels| labels.split_whitespace().map(Some).collect())),
            _ => Err(self.not_lists()),
        }
    }

    /// Labels of a row that do not fit.
    pub(super) fn bad(&self, row: usize, reason: String) -> TaskError {
        TaskError::Tags { place: Box::new(self.table.place(row)), task: self.task.to_owned(), reason }
    }
}
