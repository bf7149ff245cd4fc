//! The order in which the sums of lanes are added: a binary tree over lane numbers that pairs neighbours,
//! `((0 + 1) + (2 + 3)) + ...`; a lane without a neighbour goes up a level as it is.
//!
//! The tree depends on the number of lanes alone. So it does not matter which thread adds what, and a machine that holds a
//! neighbouring block of lanes ([`block`]) holds a whole branch: it adds its own, and the branches of all machines are
//! joined by the same tree over machines ([`Collective::sum`](crate::Collective::sum)).

use crate::vectorized;
use std::ops::Range;

/// Scalars that are added at once, so that partial sums stay in the nearest cache.
pub const PART: usize = 1024;

/// The same for [`sum_some`], whose slices are short.
const FEW: usize = 64;

/// Where the lanes `lanes` part into the two branches of their tree: the largest power of two that leaves some on the right.
fn middle(lanes: &Range<usize>) -> usize {
    lanes.start + lanes.len().next_power_of_two() / 2
}

/// The lanes that one of `size` machines runs, of so many in all: as many as the others, rounded up to a power of two so
/// that they are a branch of the tree. The last machines may have fewer, or none.
pub fn block(lanes: usize, rank: usize, size: usize) -> Range<usize> {
    let each = lanes.div_ceil(size.max(1)).next_power_of_two();
    (rank * each).min(lanes)..((rank + 1) * each).min(lanes)
}

/// How many machines have lanes then: the first ones.
pub fn holders(lanes: usize, size: usize) -> usize {
    lanes.div_ceil(lanes.div_ceil(size.max(1)).next_power_of_two())
}

/// `into = sum of leaf(lane)` for the lanes `lanes`, in slices of at most [`PART`] scalars; 0 of none.
pub fn sum<'a>(lanes: Range<usize>, leaf: &impl Fn(usize) -> &'a [f32], into: &mut [f32]) {
    match lanes.len() {
        0 => into.fill(0.0),
        1 => into.copy_from_slice(leaf(lanes.start)),
        _ => add(lanes, leaf, false, into),
    }
}

/// `into = sum`, or `into += sum` if it is to `join`. Up to eight lanes are added in registers.
fn add<'a>(lanes: Range<usize>, leaf: &impl Fn(usize) -> &'a [f32], join: bool, into: &mut [f32]) {
    let of = |i: usize| leaf(lanes.start + i).iter();
    match lanes.len() {
        0 => {}
        1 => put(into, join, of(0).copied()),
        2 => put(into, join, of(0).zip(of(1)).map(|(a, b)| a + b)),
        4 => {
            let all = of(0).zip(of(1)).zip(of(2).zip(of(3)));
            put(into, join, all.map(|((a, b), (c, d))| (a + b) + (c + d)));
        }
        8 => {
            let low = of(0).zip(of(1)).zip(of(2).zip(of(3)));
            let all = low.zip(of(4).zip(of(5)).zip(of(6).zip(of(7))));
            put(into, join, all.map(|(((a, b), (c, d)), ((e, f), (g, h)))| ((a + b) + (c + d)) + ((e + f) + (g + h))));
        }
        _ => {
            let middle = middle(&lanes);
            let (low, high) = (lanes.start..middle, middle..lanes.end);
            if !join {
                sum(low, leaf, into);
                return add(high, leaf, true, into);
            }
            let mut buffer = [0.0f32; PART];
            let own = &mut buffer[..into.len()];
            sum(low, leaf, own);
            add(high, leaf, true, own);
            put(into, true, own.iter().copied());
        }
    }
}

/// Writes, or adds.
#[inline(always)]
fn put(into: &mut [f32], join: bool, values: impl Iterator<Item = f32>) {
    vectorized(
        #[inline(always)]
        || match join {
            true => into.iter_mut().zip(values).for_each(|(into, v)| *into += v),
            false => into.iter_mut().zip(values).for_each(|(into, v)| *into = v),
        },
    );
}

/// The same where only some lanes have anything, short slices as a rule; the others count as zeros. A sum of zeros is
/// positive: lanes without anything leave no trace, whichever machine they are on.
pub fn sum_some<'a>(lanes: Range<usize>, leaf: &impl Fn(usize) -> Option<&'a [f32]>, into: &mut [f32]) {
    for (i, into) in into.chunks_mut(FEW).enumerate() {
        let at = i * FEW..i * FEW + into.len();
        let part = |lane: usize| leaf(lane).map(|all| &all[at.clone()]);
        match some(lanes.clone(), &part, into) {
            true => into.iter_mut().for_each(|v| *v += 0.0),
            false => into.fill(0.0),
        }
    }
}

/// Whether any of the lanes has anything; if so, `into` is their sum.
fn some<'a>(lanes: Range<usize>, leaf: &impl Fn(usize) -> Option<&'a [f32]>, into: &mut [f32]) -> bool {
    match lanes.len() {
        0 => false,
        1 => match leaf(lanes.start) {
            Some(own) => {
                into.copy_from_slice(own);
                true
            }
            None => false,
        },
        _ => {
            let middle = middle(&lanes);
            if !some(lanes.start..middle, leaf, into) {
                return some(middle..lanes.end, leaf, into);
            }
            let mut buffer = [0.0f32; FEW];
            let high = &mut buffer[..into.len()];
            if some(middle..lanes.end, leaf, high) {
                into.iter_mut().zip(&*high).for_each(|(low, high)| *low += high);
            }
            true
        }
    }
}

/// The sum of one number a lane.
pub fn total(lanes: Range<usize>, leaf: &impl Fn(usize) -> f64) -> f64 {
    match lanes.len() {
        0 => 0.0,
        1 => leaf(lanes.start),
        _ => {
            let middle = middle(&lanes);
            total(lanes.start..middle, leaf) + total(middle..lanes.end, leaf)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers whose sum depends on the order.
    fn value(lane: usize, i: usize) -> f32 {
        let bits = (lane as u32 * 7919 + i as u32).wrapping_mul(0x9E37_79B9);
        (bits as f32 / u32::MAX as f32 - 0.3) * 10.0f32.powi((bits % 7) as i32 - 3)
    }

    /// Level by level, as the words at the top say it.
    fn by_levels(mut level: Vec<f32>) -> f32 {
        while level.len() > 1 {
            level = level.chunks(2).map(|pair| pair.iter().copied().reduce(|a, b| a + b).unwrap_or(0.0)).collect();
        }
        level.pop().unwrap_or(0.0)
    }

    #[test]
    fn neighbours_are_paired_whatever_the_number_of_lanes() {
        let len = 300;
        let mut in_order_differs = false;
        for lanes in (0..40).chain([64, 100, 129]) {
            let all: Vec<Vec<f32>> = (0..lanes).map(|lane| (0..len).map(|i| value(lane, i)).collect()).collect();
            let (mut dense, mut rows) = (vec![f32::NAN; len], vec![f32::NAN; len]);
            sum(0..lanes, &|lane| &all[lane], &mut dense);
            sum_some(0..lanes, &|lane| Some(&all[lane]), &mut rows);
            for i in 0..len {
                let of = |lane: usize| all[lane][i];
                let expected = by_levels((0..lanes).map(of).collect());
                assert_eq!((dense[i], rows[i]), (expected, expected), "{lanes} lanes, {i}");
                in_order_differs |= (0..lanes).map(of).sum::<f32>() != expected;
                let f64s = total(0..lanes, &|lane| f64::from(of(lane)));
                assert!((f64s - (0..lanes).map(|l| f64::from(of(l))).sum::<f64>()).abs() < 1e-9);
            }
        }
        assert!(in_order_differs, "else the test says nothing");
    }

    #[test]
    fn blocks_are_branches_of_the_tree() {
        for (lanes, size) in (1..70).flat_map(|lanes| (1..9).map(move |size| (lanes, size))) {
            let all: Vec<f32> = (0..lanes).map(|lane| value(lane, 0)).collect();
            let blocks: Vec<Range<usize>> = (0..size).map(|rank| block(lanes, rank, size)).collect();
            let covered: Vec<usize> = blocks.iter().cloned().flatten().collect();
            assert_eq!(covered, (0..lanes).collect::<Vec<_>>(), "{lanes} {size}");
            let own = blocks.iter().filter(|own| !own.is_empty()).map(|own| by_levels(all[own.clone()].to_vec()));
            let own: Vec<f32> = own.collect();
            assert_eq!(own.len(), holders(lanes, size), "{lanes} {size}");
            assert_eq!(by_levels(own), by_levels(all), "{lanes} {size}");
        }
    }

    #[test]
    fn absent_lanes_are_zeros() {
        let here = [-0.0f32, 1.5];
        let mut into = [f32::NAN; 2];
        sum_some(0..5, &|lane| (lane == 3).then_some(&here[..]), &mut into);
        assert_eq!((into[0].to_bits(), into[1]), (0, 1.5));
        sum_some(0..5, &|_| None, &mut into);
        assert_eq!(into, [0.0; 2]);
    }
}
