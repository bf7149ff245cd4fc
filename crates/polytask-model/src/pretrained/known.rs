//! What an encoder has made already, remembered and on disk, and what is left to be made.

use super::cache::{Cache, Key};
use super::vectors::{Vector, Vectors};
use polytask_exec::Session;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};

/// Vectors that were made for a table that a model is fitted on, kept as long as the encoder.
#[derive(Debug, Default)]
pub(super) struct Memo(RwLock<HashMap<Key, Arc<Vector>>>);

/// What runs the network when nobody has it, planned once: a request to a server is a sentence, or an image, or two.
#[derive(Default)]
pub(super) struct Engine(Mutex<Option<Box<dyn Session>>>);

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Engine")
    }
}

impl Engine {
    /// Runs `work` with the session that is there, or that `make` plans.
    pub(super) fn with<R>(
        &self,
        make: impl FnOnce() -> Result<Box<dyn Session>, String>,
        work: impl FnOnce(&mut dyn Session) -> Result<R, String>,
    ) -> Result<R, String> {
        // Taken out while it runs: nobody waits for a lock on a thread that others wait for.
        let there = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        let mut session = there.map_or_else(make, Ok)?;
        let done = work(session.as_mut())?;
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(session);
        Ok(done)
    }
}

/// How what is missing is made.
#[derive(Clone, Copy)]
pub(super) struct Sizes {
    /// Features of a vector.
    pub width: usize,
    /// Distinct ones from which on the cache on disk is asked.
    pub worthwhile: usize,
    /// Distinct ones that are written to the cache together: a run that is broken off has not worked in vain.
    pub block: usize,
    /// Distinct ones from which on somebody is told how far it is.
    pub long: usize,
}

/// Who is told how far a long encoding is: distinct ones done, and all.
static WATCHER: OnceLock<fn(usize, usize)> = OnceLock::new();

/// Has `watcher` told how far long encodings are, in distinct texts or images: done, and all. The first one stays.
pub fn watch(watcher: fn(usize, usize)) {
    let _ = WATCHER.set(watcher);
}

impl Sizes {
    /// Tells the watcher.
    pub(super) fn tell(&self, done: usize, all: usize) {
        if let Some(watcher) = WATCHER.get().filter(|_| all >= self.long) {
            watcher(done, all);
        }
    }
}

impl Memo {
    /// The vectors of `keys`, which are those of a setting: `encode` makes those that are not known, which it is told by their
    /// places among the keys, with how many of how many are done.
    pub(super) fn vectors(
        &self,
        setting: &Key,
        keys: &[Key],
        keep: bool,
        sizes: Sizes,
        mut encode: impl FnMut(&[usize], [usize; 2]) -> Result<Vec<Vector>, String>,
    ) -> Result<Vectors, String> {
        let mut known: HashMap<Key, Arc<Vector>> = HashMap::new();
        if let Ok(memo) = self.0.read() {
            known.extend(keys.iter().filter_map(|key| Some((*key, Arc::clone(memo.get(key)?)))));
        }
        let mut seen = HashSet::new();
        let distinct: Vec<usize> = (0..keys.len()).filter(|at| seen.insert(keys[*at])).collect();
        let missing = |known: &HashMap<Key, Arc<Vector>>| -> Vec<usize> {
            distinct.iter().copied().filter(|at| !known.contains_key(&keys[*at])).collect()
        };
        let mut wanted = missing(&known);
        let cache = (wanted.len() >= sizes.worthwhile).then(|| Cache::open(setting)).flatten();
        if let Some(cache) = &cache {
            known.extend(cache.read(sizes.width, &wanted.iter().map(|at| keys[*at]).collect()));
            wanted = missing(&known);
        }
        for (i, block) in wanted.chunks(sizes.block).enumerate() {
            let made = encode(block, [i * sizes.block, wanted.len()])?.into_iter().map(Arc::new);
            let made: Vec<(Key, Arc<Vector>)> = block.iter().map(|at| keys[*at]).zip(made).collect();
            if let Some(cache) = &cache {
                cache.write(sizes.width, &made);
            }
            known.extend(made);
        }
        let encoded = wanted.len();
        if let (true, Ok(mut memo)) = (keep, self.0.write()) {
            memo.extend(known.iter().map(|(key, vector)| (*key, Arc::clone(vector))));
        }
        let all: Option<Vec<Arc<Vector>>> = keys.iter().map(|key| known.get(key).cloned()).collect();
        let all = all.ok_or("the encoder gave too few vectors")?;
        Ok(Vectors { all, distinct: distinct.len(), encoded })
    }
}
