//! What a node's values stand for: one for each row, or one for each element of ragged sequences.

use serde::{Deserialize, Serialize};

/// Position of a domain in its graph: 0 is the rows, the others stand in [`Graph::domains`](crate::Graph::domains).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct DomainId(pub usize);

impl DomainId {
    /// One element for each example of a data set.
    pub const ROWS: DomainId = DomainId(0);

    /// Whether nodes of this domain have one element a row.
    pub fn is_rows(&self) -> bool {
        *self == Self::ROWS
    }
}

/// Ragged sequences, packed end to end without padding: every element of the parent domain has any number of elements
/// here, none included. The tokens of a sentence are a domain on the rows, the characters of a token one on the tokens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Domain {
    /// Unique within the graph.
    pub name: String,
    /// What has these elements.
    pub parent: DomainId,
    /// A product: every element of the parent has one element here for each element that its row has in this domain,
    /// in their order. For example one for each token of a predicate's sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub over: Option<DomainId>,
}
