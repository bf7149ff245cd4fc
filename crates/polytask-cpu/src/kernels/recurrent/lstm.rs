//! Long short-term memory: gates `i f g o`; what is carried, and kept, is the cell state `c`.

use super::super::math::{sigmoid, tanh};
use super::{Cell, Seen, State};

pub(crate) struct Lstm;

impl Cell for Lstm {
    const GATES: usize = 4;
    const KEPT: usize = 1;
    const CARRIES_HIDDEN: bool = false;

    /// `c = s(f) c' + s(i) tanh(g)`; `h = s(o) tanh(c)`
    #[inline(always)]
    fn step(&self, gates: &mut [f32], recurrent: &[f32], _: &[f32], kept: &mut [f32], state: State<'_>) {
        let n = kept.len();
        let State { carried, hidden } = state;
        let (carried, hidden) = (&mut carried[..n], &mut hidden[..n]);
        let [i, f, g, o] = split_mut(gates, n);
        let [ri, rf, rg, ro] = split(recurrent, n);
        for j in 0..n {
            i[j] = sigmoid(i[j] + ri[j]);
            f[j] = sigmoid(f[j] + rf[j]);
            g[j] = tanh(g[j] + rg[j]);
            o[j] = sigmoid(o[j] + ro[j]);
            let c = f[j] * carried[j] + i[j] * g[j];
            carried[j] = c;
            kept[j] = c;
            hidden[j] = o[j] * tanh(c);
        }
    }

    #[inline(always)]
    fn pull(&self, seen: Seen<'_>, dh: &[f32], carry: &mut [f32], input: &mut [f32], recurrent: &mut [f32]) {
        let n = dh.len();
        let [i, f, g, o] = split(seen.gates, n);
        let [di, df, dg, d_o] = split_mut(input, n);
        let (c, carry) = (&seen.kept[..n], &mut carry[..n]);
        for j in 0..n {
            let t = tanh(c[j]);
            let dc = carry[j] + dh[j] * o[j] * (1.0 - t * t);
            d_o[j] = dh[j] * t * o[j] * (1.0 - o[j]);
            di[j] = dc * g[j] * i[j] * (1.0 - i[j]);
            dg[j] = dc * i[j] * (1.0 - g[j] * g[j]);
            carry[j] = dc * f[j];
            df[j] = dc * f[j] * (1.0 - f[j]);
        }
        match seen.kept_before {
            Some(before) => df.iter_mut().zip(before).for_each(|(df, c)| *df *= c),
            None => df.fill(0.0),
        }
        recurrent.copy_from_slice(input);
    }

    fn to_recurrent(&self, _: usize, _: &[f32], _: &mut [f32]) {}
}

/// The four parts of a row.
fn split(row: &[f32], n: usize) -> [&[f32]; 4] {
    std::array::from_fn(|i| &row[i * n..(i + 1) * n])
}

fn split_mut(row: &mut [f32], n: usize) -> [&mut [f32]; 4] {
    let (a, row) = row.split_at_mut(n);
    let (b, row) = row.split_at_mut(n);
    let (c, d) = row.split_at_mut(n);
    [a, b, c, &mut d[..n]]
}
