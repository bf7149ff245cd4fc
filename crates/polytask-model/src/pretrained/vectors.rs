//! Texts as the vectors that an encoder makes of them: once for each distinct text, packed without padding, on all threads.

use super::Checkpoint;
use super::cache::Key;
use super::known::Sizes;
use crate::device::Device;
use crate::section::{EncoderPooling, LongTexts};
use polytask_exec::{Batch, Numbers};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::ops::Range;
use std::sync::Arc;

/// How vectors are made of hidden states.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Encoding {
    /// How the pieces of a text become one.
    pub pooling: EncoderPooling,
    /// Whether vectors of texts have length one.
    pub normalize: bool,
    /// Pieces of a sequence at most.
    pub pieces: usize,
    /// What becomes of longer texts.
    pub long: LongTexts,
}

/// What is to be encoded: a text for one vector, or the words of a text for a vector each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked<'a> {
    /// Of all of it.
    Text(&'a str),
    /// Of each of its words: the mean of the word's pieces.
    Words(&'a [&'a str]),
}

/// What an encoder makes of a text.
#[derive(Clone, Debug, PartialEq)]
pub struct Vector {
    /// `width`, or `words x width`.
    pub values: Vec<f32>,
    /// Whether the text is longer than what is read of it at once.
    pub long: bool,
}

/// Vectors of texts.
#[derive(Debug, Default)]
pub struct Vectors {
    /// Of each text.
    pub all: Vec<Arc<Vector>>,
    /// Distinct texts among them.
    pub distinct: usize,
    /// Distinct texts that were run through the encoder now.
    pub encoded: usize,
}

impl Vectors {
    /// How many texts are longer than what is read of them at once.
    pub fn long(&self) -> usize {
        self.all.iter().filter(|vector| vector.long).count()
    }
}

/// Pieces that are run together.
const AT_ONCE: usize = 8192;
/// Rows that are run together at most.
const ROWS: usize = 256;
/// Distinct texts from which on the cache on disk is asked.
const WORTHWHILE: usize = 32;
/// Distinct texts that are written to the cache together.
const BLOCK: usize = 4096;
/// Distinct texts from which on somebody is told how far it is.
const LONG: usize = 256;

/// A text to be run: where its words stand among its pieces.
struct Text {
    words: Option<Vec<Range<usize>>>,
    pieces: Vec<u32>,
}

/// A sequence of a text: its number, the place of its first piece, and all pieces.
struct Sequence {
    text: usize,
    first: usize,
    ids: Vec<u32>,
}

impl Checkpoint {
    /// The vectors of texts, which do not depend on what is encoded together. With `keep` they are remembered as long as the
    /// encoder is.
    ///
    /// # Errors
    /// A text that the tokenizer cannot split; a network that cannot be built.
    pub fn vectors(&self, encoding: &Encoding, asked: &[Asked<'_>], keep: bool) -> Result<Vectors, String> {
        let setting = Key::of_setting(&self.hash, encoding);
        let keys: Vec<Key> = asked.par_iter().map(|text| Key::of(text).within(&setting)).collect();
        let sizes = Sizes { width: self.shape.width, worthwhile: WORTHWHILE, block: BLOCK, long: LONG };
        self.memo.vectors(&setting, &keys, keep, sizes, |wanted, of| {
            let texts: Vec<Asked<'_>> = wanted.iter().map(|at| asked[*at]).collect();
            self.encode(encoding, &texts, of, sizes)
        })
    }

    /// Runs texts through the network: the longest first, many pieces together.
    /// Of `all` texts so many are `done` already.
    fn encode(
        &self,
        encoding: &Encoding,
        asked: &[Asked<'_>],
        [done, all]: [usize; 2],
        sizes: Sizes,
    ) -> Result<Vec<Vector>, String> {
        if asked.is_empty() {
            return Ok(Vec::new());
        }
        if !self.is_whole() {
            return Err(format!("the weights of the encoder {} are not at hand", self.short()));
        }
        let texts = asked.par_iter().map(|text| self.text(text)).collect::<Result<Vec<Text>, String>>()?;
        let most = encoding.pieces.min(self.shape.positions);
        let windows = encoding.long == LongTexts::Windows;
        let mut parts: Vec<Sequence> = Vec::new();
        for (text, own) in texts.iter().enumerate() {
            let all = self.reader.sequences(&own.pieces, most, windows || own.words.is_some());
            parts.extend(all.into_iter().map(|(first, ids)| Sequence { text, first, ids }));
        }
        parts.sort_by_key(|part| (std::cmp::Reverse(part.ids.len()), part.text, part.first));
        let mut pools: Vec<Pool> = texts.iter().map(|text| Pool::new(text, self, encoding)).collect();
        let ids: Vec<&[u32]> = parts.iter().map(|part| part.ids.as_slice()).collect();
        self.run(&ids, |i, states| {
            pools[parts[i].text].add(&parts[i], states);
            if i % ROWS == ROWS - 1 {
                sizes.tell(done + (i + 1) * texts.len() / parts.len(), all);
            }
        })?;
        Ok(pools.into_iter().map(Pool::finish).collect())
    }

    /// The hidden states of the last layer for sequences of pieces, `pieces x width` each: what is around a text is to be
    /// among the pieces.
    ///
    /// # Errors
    /// A network that cannot be built; a piece that it does not know; a sequence that is empty or has more pieces than positions.
    pub fn hidden_states(&self, sequences: &[&[u32]]) -> Result<Vec<Vec<f32>>, String> {
        for ids in sequences {
            if let Some(id) = ids.iter().find(|id| **id as usize >= self.shape.vocabulary) {
                return Err(format!("the encoder has no piece {id}; it knows {}", self.shape.vocabulary));
            }
            if ids.is_empty() || ids.len() > self.shape.positions {
                return Err(format!("a sequence has {} pieces; it may have 1 to {}", ids.len(), self.shape.positions));
            }
        }
        let mut states = Vec::with_capacity(sequences.len());
        self.run(sequences, |_, own| states.push(own.to_vec()))?;
        Ok(states)
    }

    /// Runs sequences through the network, many pieces together, and hands out what each comes to.
    fn run(&self, sequences: &[&[u32]], mut each: impl FnMut(usize, &[f32])) -> Result<(), String> {
        let make = || {
            let (graph, parameters) = self.network().map_err(|error| error.to_string())?;
            Device::default().predicting(&graph, ROWS, &parameters).map_err(|error| error.to_string())
        };
        self.engine.with(make, |session| {
            let mut done = 0;
            while done < sequences.len() {
                let mut pieces = 0;
                let fits = |ids: &&&[u32]| {
                    pieces += ids.len();
                    pieces <= AT_ONCE
                };
                let count = sequences[done..].iter().take(ROWS).take_while(fits).count().max(1);
                let batch = &sequences[done..done + count];
                let ids: Vec<u32> = batch.iter().flat_map(|ids| ids.iter().copied()).collect();
                let mut offsets = vec![0u32];
                batch.iter().for_each(|ids| offsets.push(offsets.last().copied().unwrap_or(0) + ids.len() as u32));
                let rows: Vec<u32> = (0..count as u32).collect();
                let feed = Batch { inputs: &[Numbers::Index(&ids)], targets: &[], offsets: &[&offsets], rows: &rows };
                let outputs = session.predict(&feed);
                let states = outputs.tasks.first().ok_or("the encoder gave nothing")?;
                (0..count).for_each(|row| each(done + row, states.prediction.of(row)));
                done += count;
            }
            Ok(())
        })
    }

    fn text(&self, asked: &Asked<'_>) -> Result<Text, String> {
        match asked {
            Asked::Text(text) => Ok(Text { words: None, pieces: self.reader.pieces(text)? }),
            Asked::Words(words) => {
                let (mut pieces, mut places) = (Vec::new(), Vec::with_capacity(words.len()));
                for word in *words {
                    let start = pieces.len();
                    pieces.extend(self.word(word)?);
                    places.push(start..pieces.len());
                }
                Ok(Text { words: Some(places), pieces })
            }
        }
    }

    /// The pieces of a word that stands in a sentence.
    pub(crate) fn word(&self, word: &str) -> Result<Vec<u32>, String> {
        match self.shape.family.blank() {
            true => self.reader.pieces(&format!(" {word}")),
            false => self.reader.pieces(word),
        }
    }
}

/// What a text's hidden states come to, sequence by sequence. Sums are in double precision, in the order of the sequences.
struct Pool<'a> {
    text: &'a Text,
    encoding: &'a Encoding,
    width: usize,
    /// Pieces before and behind each sequence.
    around: [usize; 2],
    /// By the place of its first piece, what a window comes to and what it weighs.
    windows: Vec<(usize, f64, Vec<f64>)>,
    /// Of texts of words: for each piece the distance to the nearer end of its window, and its state.
    pieces: Vec<(usize, Vec<f32>)>,
    long: bool,
}

impl<'a> Pool<'a> {
    fn new(text: &'a Text, checkpoint: &Checkpoint, encoding: &'a Encoding) -> Self {
        let around = [checkpoint.reader.before.len(), checkpoint.reader.after.len()];
        let room = encoding.pieces.min(checkpoint.shape.positions).saturating_sub(around[0] + around[1]).max(1);
        let pieces = if text.words.is_some() { vec![(0, Vec::new()); text.pieces.len()] } else { Vec::new() };
        let (width, long) = (checkpoint.shape.width, text.pieces.len() > room);
        Pool { text, encoding, width, around, windows: Vec::new(), pieces, long }
    }

    fn add(&mut self, part: &Sequence, states: &[f32]) {
        let own = part.ids.len() - self.around[0] - self.around[1];
        if self.text.words.is_some() {
            for (i, state) in states.chunks_exact(self.width).skip(self.around[0]).take(own).enumerate() {
                let distance = 1 + i.min(own - 1 - i);
                let piece = &mut self.pieces[part.first + i];
                if distance > piece.0 {
                    *piece = (distance, state.to_vec());
                }
            }
            return;
        }
        let mut sum = vec![if self.encoding.pooling == EncoderPooling::Max { f64::MIN } else { 0.0 }; self.width];
        let rows = match self.encoding.pooling {
            EncoderPooling::Cls => 1,
            EncoderPooling::Mean | EncoderPooling::Max => part.ids.len(),
        };
        for state in states.chunks_exact(self.width).take(rows) {
            let each = sum.iter_mut().zip(state.iter().map(|value| f64::from(*value)));
            match self.encoding.pooling {
                EncoderPooling::Max => each.for_each(|(sum, value)| *sum = sum.max(value)),
                EncoderPooling::Mean | EncoderPooling::Cls => each.for_each(|(sum, value)| *sum += value),
            }
        }
        let weight = if self.encoding.pooling == EncoderPooling::Mean { rows as f64 } else { 1.0 };
        self.windows.push((part.first, weight, sum));
    }

    fn finish(mut self) -> Vector {
        let width = self.width;
        if let Some(words) = &self.text.words {
            let mut values = Vec::with_capacity(words.len() * width);
            for word in words {
                // A word that the tokenizer makes nothing of has no vector.
                let mut mean = vec![0.0f64; width];
                for (_, state) in &self.pieces[word.clone()] {
                    mean.iter_mut().zip(state).for_each(|(mean, value)| *mean += f64::from(*value));
                }
                let share = 1.0 / word.len().max(1) as f64;
                values.extend(mean.iter().map(|mean| (mean * share) as f32));
            }
            return Vector { values, long: self.long };
        }
        self.windows.sort_by_key(|(first, ..)| *first);
        let mut total = vec![if self.encoding.pooling == EncoderPooling::Max { f64::MIN } else { 0.0 }; width];
        let mut weights = 0.0;
        for (_, weight, sum) in &self.windows {
            weights += weight;
            let each = total.iter_mut().zip(sum);
            match self.encoding.pooling {
                EncoderPooling::Max => each.for_each(|(total, value)| *total = total.max(*value)),
                EncoderPooling::Mean | EncoderPooling::Cls => each.for_each(|(total, value)| *total += value),
            }
        }
        let share = if self.encoding.pooling == EncoderPooling::Max { 1.0 } else { 1.0 / weights.max(1.0) };
        total.iter_mut().for_each(|total| *total *= share);
        if self.encoding.normalize {
            let length = total.iter().map(|value| value * value).sum::<f64>().sqrt();
            total.iter_mut().for_each(|total| *total /= length.max(1e-12));
        }
        Vector { values: total.iter().map(|value| *value as f32).collect(), long: self.long }
    }
}
