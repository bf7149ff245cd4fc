//! What nearly every method's file uses.

pub(crate) use serde::{Deserialize, Serialize};

pub(crate) use crate::balancer::{ALL, Balancer, Family, Heads, KeyInfo, MethodInfo, ONE, PerTask, Setup};
pub(crate) use crate::error::BalanceError;
pub(crate) use crate::gramian::{Gramian, dot};
pub(crate) use crate::jacobian::{Jacobian, Output};
pub(crate) use crate::present::{PREFERENCE, keep_shares, need, over_present, present_shares};
pub(crate) use crate::state::{Buffer, Memory, remembers};
pub(crate) use crate::step::{Learnable, LossRange, Needs, Step, Weights};
