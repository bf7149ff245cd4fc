//! Gated recurrent unit: gates `r z n`; what is kept is `n' = h' U_n + b'`, and what is carried is the hidden state's
//! direct way through.

use super::super::math::{sigmoid, tanh};
use super::{Cell, Seen, State};

pub(crate) struct Gru;

impl Cell for Gru {
    const GATES: usize = 3;
    const KEPT: usize = 1;
    const CARRIES_HIDDEN: bool = true;

    /// `h = (1 - s(z)) tanh(n + s(r) n') + s(z) h'`
    #[inline(always)]
    fn step(&self, gates: &mut [f32], recurrent: &[f32], own: &[f32], kept: &mut [f32], state: State<'_>) {
        let n = kept.len();
        let hidden = &mut state.hidden[..n];
        let [r, z, new] = split_mut(gates, n);
        let [rr, rz, rn] = split(recurrent, n);
        let own = &own[..n];
        for j in 0..n {
            r[j] = sigmoid(r[j] + rr[j]);
            z[j] = sigmoid(z[j] + rz[j]);
            kept[j] = rn[j] + own[j];
            new[j] = tanh(new[j] + r[j] * kept[j]);
            hidden[j] = new[j] + z[j] * (hidden[j] - new[j]);
        }
    }

    #[inline(always)]
    fn pull(&self, seen: Seen<'_>, dh: &[f32], carry: &mut [f32], input: &mut [f32], recurrent: &mut [f32]) {
        let n = dh.len();
        let [r, z, new] = split(seen.gates, n);
        let [dr, dz, dn] = split_mut(input, n);
        let (kept, before, carry) = (&seen.kept[..n], &seen.hidden_before[..n], &mut carry[..n]);
        let own = &mut recurrent[2 * n..3 * n];
        for j in 0..n {
            dz[j] = dh[j] * (before[j] - new[j]) * z[j] * (1.0 - z[j]);
            dn[j] = dh[j] * (1.0 - z[j]) * (1.0 - new[j] * new[j]);
            dr[j] = dn[j] * kept[j] * r[j] * (1.0 - r[j]);
            own[j] = dn[j] * r[j];
            carry[j] = dh[j] * z[j];
        }
        recurrent[..2 * n].copy_from_slice(&input[..2 * n]);
    }

    /// `dn' = s(r) dn`
    fn to_recurrent(&self, h: usize, gates: &[f32], input: &mut [f32]) {
        for (gates, input) in gates.chunks_exact(3 * h).zip(input.chunks_exact_mut(3 * h)) {
            input[2 * h..].iter_mut().zip(gates).for_each(|(d, r)| *d *= r);
        }
    }
}

fn split(row: &[f32], n: usize) -> [&[f32]; 3] {
    std::array::from_fn(|i| &row[i * n..(i + 1) * n])
}

fn split_mut(row: &mut [f32], n: usize) -> [&mut [f32]; 3] {
    let (a, row) = row.split_at_mut(n);
    let (b, c) = row.split_at_mut(n);
    [a, b, &mut c[..n]]
}
