//! Kinds of tasks and inputs that a program brings: what configs call them.

use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError, RwLock};

/// The word that stands for a kind that was brought. There is one only once the kind is registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct OwnWord(&'static str);

impl OwnWord {
    /// As configs write it.
    pub const fn as_str(self) -> &'static str {
        self.0
    }
}

impl Serialize for OwnWord {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0)
    }
}

/// The words of one sort of kinds that the program has brought so far.
pub(crate) struct OwnWords(RwLock<BTreeSet<OwnWord>>);

/// Of tasks.
pub(crate) static OWN_TASKS: OwnWords = OwnWords(RwLock::new(BTreeSet::new()));
/// Of inputs.
pub(crate) static OWN_INPUTS: OwnWords = OwnWords(RwLock::new(BTreeSet::new()));

impl OwnWords {
    /// Makes a word known.
    pub(crate) fn add(&self, word: &'static str) -> OwnWord {
        self.0.write().unwrap_or_else(PoisonError::into_inner).insert(OwnWord(word));
        OwnWord(word)
    }

    /// The word, if it is known.
    pub(crate) fn find(&self, word: &str) -> Option<OwnWord> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).iter().copied().find(|own| own.0 == word)
    }
}

/// What was registered under each word.
pub(crate) struct Kinds<K: ?Sized>(RwLock<BTreeMap<OwnWord, Arc<K>>>);

impl<K: ?Sized> Kinds<K> {
    pub(crate) const fn new() -> Self {
        Kinds(RwLock::new(BTreeMap::new()))
    }

    /// In place of one that was there before.
    pub(crate) fn set(&self, word: OwnWord, kind: Arc<K>) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).insert(word, kind);
    }

    /// The kind of a word.
    ///
    /// # Errors
    /// Nobody has registered it.
    pub(crate) fn get(&self, word: OwnWord) -> Result<Arc<K>, String> {
        let all = self.0.read().unwrap_or_else(PoisonError::into_inner);
        all.get(&word).cloned().ok_or_else(|| format!("no kind \"{}\" is registered", word.0))
    }
}

/// A fitted kind as `model.json` has it.
#[derive(Serialize, Deserialize)]
pub(crate) struct Stored {
    pub word: String,
    pub state: Value,
}

impl Stored {
    /// The word and the kind that wrote it.
    ///
    /// # Errors
    /// This program has not brought it.
    pub(crate) fn kind<K: ?Sized>(&self, words: &OwnWords, kinds: &Kinds<K>) -> Result<(OwnWord, Arc<K>), String> {
        let known = words.find(&self.word).and_then(|word| Some((word, kinds.get(word).ok()?)));
        known.ok_or_else(|| format!("it is of kind \"{}\", which only the program that brought it can read", self.word))
    }
}

/// Reads a kind from its word in a config: one of `$all`, or one of the program's own.
macro_rules! kind_of_word {
    ($type:ident, $own:ident) => {
        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let word = String::deserialize(deserializer)?;
                Self::of_word(&word).ok_or_else(|| serde::de::Error::unknown_variant(&word, &Self::WORDS))
            }
        }

        impl $type {
            /// The kind of a word, if it is known.
            fn of_word(word: &str) -> Option<Self> {
                let built_in = Self::ALL.into_iter().find(|kind| kind.word() == word);
                built_in.or_else(|| $crate::section::own::$own.find(word).map(Self::Own))
            }

            /// What configs call the built-in kinds.
            const WORDS: [&'static str; Self::ALL.len()] = {
                let mut words = [""; Self::ALL.len()];
                let mut i = 0;
                while i < words.len() {
                    words[i] = Self::ALL[i].word();
                    i += 1;
                }
                words
            };
        }
    };
}
pub(crate) use kind_of_word;
