use std::cmp::Ordering;

/// Values that are looked at to place the edges of a column.
const SAMPLE: usize = 200_000;

/// Edges between at most `most` bins of about equal counts: bin `b` holds what is at most `edges[b]` and above
/// `edges[b - 1]`. A column with no more different values than bins gets one bin a value.
pub(super) fn edges(values: impl Iterator<Item = f32>, most: usize) -> Vec<f32> {
    let mut known: Vec<f32> = values.filter(|value| !value.is_nan()).collect();
    if known.len() > SAMPLE {
        let step = known.len() as f64 / SAMPLE as f64;
        known = (0..SAMPLE).map(|index| known[(index as f64 * step) as usize]).collect();
    }
    known.sort_unstable_by(|a, b| a.partial_cmp(b).unwrap_or(Ordering::Equal));
    let mut distinct: Vec<(f32, usize)> = Vec::new();
    for value in known {
        match distinct.last_mut() {
            Some((last, count)) if *last == value => *count += 1,
            Some(_) | None => distinct.push((value, 1)),
        }
    }
    let ends = if distinct.len() <= most { (1..distinct.len()).collect() } else { quantiles(&distinct, most) };
    ends.into_iter().map(|end| between(distinct[end - 1].0, distinct[end].0)).collect()
}

/// First distinct value of every bin but the first. A value that is more frequent than a fair share gets a bin of its
/// own, and the others share what is left.
fn quantiles(distinct: &[(f32, usize)], most: usize) -> Vec<usize> {
    let rows: usize = distinct.iter().map(|value| value.1).sum();
    let heavy = |count: usize| count * most > rows;
    let mut rest: usize = distinct.iter().map(|value| value.1).filter(|&count| !heavy(count)).sum();
    let mut bins = most - distinct.iter().filter(|value| heavy(value.1)).count();
    let mut ends = Vec::with_capacity(most);
    let mut filled = 0;
    for (index, &(_, count)) in distinct.iter().enumerate() {
        if index > 0 && (heavy(count) || heavy(distinct[index - 1].1)) {
            if filled > 0 {
                bins = bins.saturating_sub(1);
            }
            ends.push(index);
            filled = 0;
        }
        if heavy(count) {
            continue;
        }
        // A bin ends where one more value would bring it further from its share than it is.
        let share = rest as f64 / bins.max(1) as f64;
        if filled > 0 && (filled as f64 + 0.5 * count as f64) > share {
            rest -= filled;
            bins = bins.saturating_sub(1);
            ends.push(index);
            filled = 0;
        }
        filled += count;
    }
    ends.dedup();
    ends.truncate(most - 1);
    ends
}

/// A number that is at least `low` and below `high`, both finite.
fn between(low: f32, high: f32) -> f32 {
    let middle = (f64::from(low) / 2.0 + f64::from(high) / 2.0) as f32;
    if middle >= low && middle < high { middle } else { low }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_values_get_a_bin_each_and_many_get_equal_counts() {
        assert_eq!(edges([3.0, 1.0, f32::NAN, 2.0, 1.0].into_iter(), 255), [1.5, 2.5]);
        assert!(edges([1.0, 1.0].into_iter(), 255).is_empty());
        assert!(edges([f32::NAN].into_iter(), 255).is_empty());
        let found = edges((0..1000).map(|value| value as f32), 10);
        assert_eq!(found.len(), 9);
        assert!(found.windows(2).all(|pair| (90.0..110.0).contains(&(pair[1] - pair[0]))), "{found:?}");
    }

    #[test]
    fn a_heavy_value_has_a_bin_of_its_own() {
        let values = (0..900).map(|_| 0.0).chain((1..101).map(|value| value as f32));
        let found = edges(values, 11);
        assert_eq!(found[0], 0.5);
        assert!(found.len() >= 9 && found.len() <= 10, "{found:?}");
    }

    #[test]
    fn edges_are_finite_and_apart() {
        for pair in [(1.0, 1.0f32.next_up()), (f32::MIN, f32::MAX), (0.0, f32::MIN_POSITIVE)] {
            let edge = between(pair.0, pair.1);
            assert!(edge.is_finite() && pair.0 <= edge && edge < pair.1, "{pair:?} {edge}");
        }
    }
}
