//! What nearly every method's file uses.

pub(crate) use serde::{Deserialize, Serialize};

pub(crate) use crate::aggregate::{PREFERENCE, keep_shares, need, over_present, present_shares};
pub(crate) use crate::balancer::{Balancer, Learnable, LossRange, Needs, Step, Weights};
pub(crate) use crate::error::BalanceError;
pub(crate) use crate::gramian::{Gramian, dot};
pub(crate) use crate::info::{ALL, Family, Heads, KeyInfo, MethodInfo, ONE};
pub(crate) use crate::jacobian::{Jacobian, Output};
pub(crate) use crate::keys::{PerTask, Setup};
pub(crate) use crate::state::{Buffer, Memory, remembers};
