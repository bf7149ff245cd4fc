//! State that is saved with a checkpoint and comes back bit for bit.

use std::ops::{Deref, DerefMut};

use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use crate::error::BalanceError;
use crate::step::Learnable;

/// A method's state: all that changes from step to step.
pub(crate) trait State: Clone + Serialize + DeserializeOwned {
    /// Whether a state read from a file has the sizes of `fresh`, the state at construction.
    fn fits(&self, fresh: &Self) -> bool;
}

/// One entry a task.
impl<E: Clone + Serialize + DeserializeOwned> State for Vec<E> {
    fn fits(&self, fresh: &Self) -> bool {
        self.len() == fresh.len()
    }
}

impl State for Learnable {
    fn fits(&self, fresh: &Self) -> bool {
        self.values.len() == fresh.values.len() && self.gradients.len() == fresh.gradients.len()
    }
}

/// A state and what it was at construction.
#[derive(Debug, Clone)]
pub(crate) struct Memory<S> {
    now: S,
    fresh: S,
}

impl<S: State> Memory<S> {
    pub(crate) fn new(fresh: S) -> Self {
        Self { now: fresh.clone(), fresh }
    }

    pub(crate) fn reset(&mut self) {
        self.now = self.fresh.clone();
    }

    pub(crate) fn save(&self) -> Value {
        // Only maps with keys that are no strings can fail, and no state has one.
        serde_json::to_value(&self.now).unwrap_or(Value::Null)
    }

    pub(crate) fn load(&mut self, method: &'static str, saved: &Value) -> Result<(), BalanceError> {
        let wrong = |message: String| BalanceError::State { method, message };
        let read = S::deserialize(saved).map_err(|error| wrong(error.to_string()))?;
        if !read.fits(&self.fresh) {
            return Err(wrong("its sizes are those of other tasks".into()));
        }
        self.now = read;
        Ok(())
    }
}

impl<S> Deref for Memory<S> {
    type Target = S;
    fn deref(&self) -> &S {
        &self.now
    }
}

impl<S> DerefMut for Memory<S> {
    fn deref_mut(&mut self) -> &mut S {
        &mut self.now
    }
}

/// The three methods of [`Balancer`](crate::Balancer) about state, for a method with a field `memory`.
macro_rules! remembers {
    () => {
        fn state(&self) -> serde_json::Value {
            self.memory.save()
        }
        fn restore(&mut self, state: &serde_json::Value) -> Result<(), $crate::BalanceError> {
            self.memory.load(INFO.name, state)
        }
        fn reset(&mut self) {
            self.memory.reset();
        }
    };
}
pub(crate) use remembers;

/// A gradient-sized vector kept for one task, empty until the task is first seen. Saved as hexadecimal text, eight
/// digits a value: half the size of a list of decimal numbers, and exact.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Buffer(pub(crate) Vec<f32>);

impl Buffer {
    /// Makes room for `width` zeros if the task is new, and refuses a width that changed.
    pub(crate) fn ready(&mut self, method: &'static str, width: usize) -> Result<(), BalanceError> {
        if self.0.is_empty() {
            self.0.resize(width, 0.0);
        }
        if self.0.len() != width {
            return Err(BalanceError::Shape(format!(
                "`{method}` has seen gradients of {} values, now they have {width}",
                self.0.len()
            )));
        }
        Ok(())
    }
}

impl Serialize for Buffer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut text = String::with_capacity(8 * self.0.len());
        for value in &self.0 {
            let bits = value.to_bits();
            for shift in (0..8).rev() {
                text.push(char::from(DIGITS[(bits >> (4 * shift)) as usize & 15]));
            }
        }
        serializer.serialize_str(&text)
    }
}

impl<'de> Deserialize<'de> for Buffer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let (words, rest) = text.as_bytes().as_chunks::<8>();
        if !rest.is_empty() {
            return Err(D::Error::custom("a gradient buffer is cut short"));
        }
        let value = |word: &[u8; 8]| {
            let bits = word
                .iter()
                .try_fold(0u32, |bits, &digit| char::from(digit).to_digit(16).map(|digit| (bits << 4) | digit))?;
            Some(f32::from_bits(bits)).filter(|value| value.is_finite())
        };
        let values: Option<Vec<f32>> = words.iter().map(value).collect();
        values.map(Self).ok_or_else(|| D::Error::custom("a gradient buffer holds something that is no number"))
    }
}
