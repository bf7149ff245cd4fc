//! The names of the domains and index inputs that tasks on sentences ask for; what they hold is a
//! [`Structure`](crate::structure::Structure).

/// The domain of the predicates of each row.
pub(crate) const PREDICATES: &str = "predicates";
/// The token of each predicate, a place in its sentence.
pub(crate) const AT: &str = "predicates.at";
/// The domain of the tokens beside each predicate.
pub(crate) const PAIRS: &str = "pairs";
/// How far each token is from its predicate, as an index: [`FAR`] is the predicate itself.
pub(crate) const DISTANCES: &str = "pairs.distance";
/// The head of each token, a place in its sentence; none of the root. No text is called so: their nodes are `tokens.COLUMN`.
pub(crate) const HEADS: &str = "arcs.heads";
/// What [`HEADS`] was called up to version 0.1.
pub(crate) const OLD_HEADS: &str = "tokens.heads";
/// The domain of the tokens beside each token.
pub(crate) const ARCS: &str = "arcs";

/// Tokens that are farther from their predicate count as this far.
pub(crate) const FAR: usize = 16;
