//! Tables, images, splits and batches for multi-task learning. Nothing here knows of models or tasks.
//!
//! ```
//! use polytask_data::{Column, SplitRule, Table, epoch_order, split};
//!
//! let heights = (0..100).map(|row| 150.0 + f64::from(row)).collect();
//! let table = Table::from_columns(vec![Column::number("height", heights)])?;
//! let rule = SplitRule::Shares { valid: 0.1, test: 0.2, seed: 7, stratify: None, group: None };
//! let parts = split(&table, &rule)?;
//! assert_eq!((parts.train.len(), parts.valid.len(), parts.test.len()), (70, 10, 20));
//! for batch in epoch_order(&parts.train, 0, 0).chunks(64) {
//!     assert!(batch.len() <= 64);
//! }
//! # Ok::<(), polytask_data::DataError>(())
//! ```

#![forbid(unsafe_code)]

mod batch;
mod column;
mod error;
mod guard;
mod hint;
pub mod image;
mod level;
mod place;
mod random;
mod read;
pub mod source;
mod split;
mod table;
pub mod text;

pub use batch::{epoch_order, mixed_order};
pub use column::{Column, List, MISSING, Text, Values};
pub use error::DataError;
pub use hint::Hint;
pub use image::{Fit, ImageProblem, ImageShape, Images, Pixels};
pub use level::level;
pub use place::{At, Place};
pub use random::Random;
pub use read::{
    BytesFormat, DateFormat, Dates, Dialect, LabelFiles, Only, ReadOptions, WordVectors, dates, idx, is_image_name,
    read, read_arrays, read_bytes, read_objects, word_vectors,
};
pub use split::{Split, SplitRule, draw, split};
pub use table::Table;
