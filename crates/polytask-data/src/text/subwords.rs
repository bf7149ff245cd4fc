//! Parts of words learnt from words: byte-pair encoding (Sennrich, Haddow and Birch, "Neural machine translation of rare
//! words with subword units", ACL 2016).

use serde::{Deserialize, Serialize};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap};

/// Marks the beginning of a word.
const BEGIN: char = '\u{2581}';

/// Pieces of words, and which neighbours become one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subwords {
    /// The pieces by index: single characters, then those that were joined, in the order of the merges. The first piece of a
    /// word begins with `▁`.
    pieces: Vec<String>,
    /// Indices of two neighbours each: what they become follows the characters.
    merges: Vec<(u32, u32)>,
}

/// A pair of neighbours with the times it is there, the most frequent first; of equals the first one in order.
type Entry = (u64, Reverse<(u32, u32)>);

impl Subwords {
    /// Learns up to `most` pieces from words with the times each is there. Pairs that are there once are not joined.
    pub fn train<'a>(words: impl IntoIterator<Item = (&'a str, u64)>, most: usize) -> Self {
        let words: BTreeMap<&str, u64> = words.into_iter().filter(|(word, _)| !word.is_empty()).collect();
        let alphabet: BTreeSet<String> = words.keys().flat_map(|word| characters(word)).collect();
        let mut pieces: Vec<String> = alphabet.into_iter().collect();
        let index: HashMap<&str, u32> = pieces.iter().enumerate().map(|(i, p)| (p.as_str(), i as u32)).collect();
        let mut spelt: Vec<(Vec<u32>, u64)> =
            words.iter().map(|(word, n)| (characters(word).iter().map(|c| index[c.as_str()]).collect(), *n)).collect();
        // Of each pair the times it is there, and the words it is in.
        let mut pairs: HashMap<(u32, u32), (u64, BTreeSet<usize>)> = HashMap::new();
        for (at, (word, count)) in spelt.iter().enumerate() {
            for pair in word.windows(2) {
                let own = pairs.entry((pair[0], pair[1])).or_default();
                own.0 += count;
                own.1.insert(at);
            }
        }
        let mut heap: BinaryHeap<Entry> = pairs.iter().map(|(pair, own)| (own.0, Reverse(*pair))).collect();
        let mut merges = Vec::new();
        while pieces.len() < most
            && let Some((count, Reverse(pair))) = heap.pop()
        {
            // Counts change; what the heap has of old ones is passed over.
            if pairs.get(&pair).is_none_or(|own| own.0 != count) {
                continue;
            }
            if count < 2 {
                break;
            }
            let joined = pieces.len() as u32;
            pieces.push(format!("{}{}", pieces[pair.0 as usize], pieces[pair.1 as usize]));
            merges.push(pair);
            let Some((_, places)) = pairs.remove(&pair) else { continue };
            let mut changed = BTreeSet::new();
            for at in places {
                let (word, count) = &mut spelt[at];
                let mut note = |pair: &[u32], more: bool| {
                    let pair = (pair[0], pair[1]);
                    let own = pairs.entry(pair).or_default();
                    own.0 = if more { own.0 + *count } else { own.0.saturating_sub(*count) };
                    if more {
                        own.1.insert(at);
                    }
                    changed.insert(pair);
                };
                word.windows(2).filter(|p| (p[0], p[1]) != pair).for_each(|p| note(p, false));
                join(word, pair, joined);
                word.windows(2).for_each(|p| note(p, true));
            }
            heap.extend(changed.into_iter().map(|pair| (pairs[&pair].0, Reverse(pair))));
        }
        Subwords { pieces, merges }
    }

    /// The number of indices, that of unknown characters included.
    pub fn levels(&self) -> usize {
        self.pieces.len() + 1
    }

    /// Finds the pieces of words.
    pub fn splitter(&self) -> SubwordSplitter<'_> {
        let characters = self.pieces.len() - self.merges.len();
        SubwordSplitter {
            subwords: self,
            index: self.pieces[..characters].iter().enumerate().map(|(i, p)| (p.as_str(), i as u32)).collect(),
            ranks: self.merges.iter().enumerate().map(|(rank, pair)| (*pair, rank as u32)).collect(),
        }
    }

    /// What does not hold of pieces that were read from a file.
    ///
    /// # Errors
    /// A merge of pieces that are not there before it.
    pub fn check(&self) -> Result<(), &'static str> {
        let Some(first) = self.pieces.len().checked_sub(self.merges.len()) else {
            return Err("it has more merges than pieces");
        };
        let ordered = self.merges.iter().enumerate().all(|(i, (a, b))| (*a.max(b) as usize) < first + i);
        if ordered { Ok(()) } else { Err("it joins pieces that are not there yet") }
    }
}

/// Splits words into pieces.
#[derive(Debug)]
pub struct SubwordSplitter<'a> {
    subwords: &'a Subwords,
    index: HashMap<&'a str, u32>,
    ranks: HashMap<(u32, u32), u32>,
}

impl SubwordSplitter<'_> {
    /// The indices of a word's pieces: characters, joined as training has joined them. A character that training has not
    /// seen is the last index.
    pub fn split(&self, word: &str) -> Vec<u32> {
        let unknown = self.subwords.pieces.len() as u32;
        let first = unknown - self.ranks.len() as u32;
        let of = |c: &String| self.index.get(c.as_str()).copied().unwrap_or(unknown);
        let mut word: Vec<u32> = characters(word).iter().map(of).collect();
        let best = |word: &[u32]| {
            let ranked = word.windows(2).filter_map(|p| Some((*self.ranks.get(&(p[0], p[1]))?, (p[0], p[1]))));
            ranked.min()
        };
        while let Some((rank, pair)) = best(&word) {
            join(&mut word, pair, first + rank);
        }
        word
    }
}

/// The characters of a word, the first with its mark.
fn characters(word: &str) -> Vec<String> {
    let of = |(i, c): (usize, char)| if i == 0 { format!("{BEGIN}{c}") } else { c.to_string() };
    word.chars().enumerate().map(of).collect()
}

/// Puts `joined` where the pair is, from the left.
fn join(word: &mut Vec<u32>, pair: (u32, u32), joined: u32) {
    let (mut read, mut write) = (0, 0);
    while read < word.len() {
        let both = word[read] == pair.0 && word.get(read + 1) == Some(&pair.1);
        word[write] = if both { joined } else { word[read] };
        read += if both { 2 } else { 1 };
        write += 1;
    }
    word.truncate(write);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spelt(subwords: &Subwords, word: &str) -> Vec<String> {
        let name = |i: u32| subwords.pieces.get(i as usize).cloned().unwrap_or("?".into());
        subwords.splitter().split(word).into_iter().map(name).collect()
    }

    /// The example of the paper: "low" 5, "lower" 2, "newest" 6, "widest" 3 join `es`, `est`, `ow`, `low` first.
    #[test]
    fn frequent_pairs_are_joined_first() {
        let words = [("low", 5), ("lower", 2), ("newest", 6), ("widest", 3)];
        let characters = Subwords::train(words, 0);
        assert_eq!(characters.merges, []);
        let subwords = Subwords::train(words, characters.pieces.len() + 4);
        let joined = &subwords.pieces[characters.pieces.len()..];
        assert_eq!(joined, ["es", "est", "ow", "\u{2581}low"]);
        assert_eq!(spelt(&subwords, "lowest"), ["\u{2581}low", "est"]);
        assert_eq!(spelt(&subwords, "lox"), ["\u{2581}l", "o", "?"]);
        assert!(spelt(&subwords, "").is_empty());
        assert_eq!(subwords.levels(), subwords.pieces.len() + 1);
    }

    #[test]
    fn the_order_of_the_words_does_not_matter_and_nothing_is_joined_that_is_rare() {
        let words: Vec<(String, u64)> = (0..200).map(|i| (format!("w{}x{}", i % 17, i % 5), i % 3 + 1)).collect();
        let all = |words: &[(String, u64)]| Subwords::train(words.iter().map(|(w, n)| (w.as_str(), *n)), 60);
        let unique: BTreeMap<String, u64> = words.into_iter().collect();
        let words: Vec<(String, u64)> = unique.clone().into_iter().collect();
        let turned: Vec<(String, u64)> = unique.into_iter().rev().collect();
        assert_eq!(all(&words), all(&turned));
        assert_eq!(Subwords::train([("ab", 1)], 100).merges, []);
        let whole = Subwords::train([("aaaa", 9)], 100);
        assert_eq!(spelt(&whole, "aaaa").len(), 1);
        assert_eq!(whole.check(), Ok(()));
    }
}
