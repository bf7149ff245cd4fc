//! Which tasks should learn together: how much each helps each, the groups that follow from it, and the check by training.
//!
//! [`select`] makes one joint run, looks ahead along every task's gradient now and then ([`LookAhead`]), and finds the best
//! groups for every number of groups ([`curve`]) with the number to take ([`recommend`]). [`verify`] trains them.

mod ahead;
mod curve;
mod error;
mod evidence;
mod exact;
mod halves;
mod heuristic;
mod linear;
mod matrix;
mod measure;
mod member;
mod picture;
mod recommend;
mod runs;
mod selection;
mod signal;
mod verify;
mod words;
mod worth;
mod write;

pub use ahead::{LookAhead, Measurement, Rows, interval};
pub use curve::{Curve, Point, curve};
pub use error::SelectError;
pub use evidence::{Evidence, affinities, cosines, errors};
pub use exact::{EXACT, exact};
pub use heuristic::{bound, heuristic};
pub use matrix::Matrix;
pub use measure::{FEW, Measured, measure};
pub use member::{Member, Outcome};
pub use picture::{groups_svg, heat_svg};
pub use recommend::{Recommendation, recommend};
pub use runs::Runs;
pub use selection::{Cost, Onlooker, Options, Selected, select};
pub use signal::Signal;
pub use verify::{TaskVerified, Verified, Way, verify};
pub use words::summary;
pub use worth::{Choice, Gain, MOST_TASKS, Set, members, set_of};
pub use write::{File, SELECTION, load_groups};
