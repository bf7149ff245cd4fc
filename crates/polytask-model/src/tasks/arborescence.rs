//! The best dependency tree (Chu and Liu 1965, Edmonds 1967).

/// The head of every token in the tree with the highest sum of scores that has one root; `scores[d * n + h]` is that of
/// head `h` for token `d`, and on the diagonal that of the root. The root's child is its own head. Scores that are no
/// numbers count as lowest.
pub(super) fn best_tree(scores: &[f32], n: usize) -> Vec<u32> {
    if n == 0 {
        return Vec::new();
    }
    let finite = |score: f32| if score.is_finite() { f64::from(score) } else { f64::from(f32::MIN) / 1e6 };
    let largest = scores.iter().fold(1.0, |most: f64, score| most.max(finite(*score).abs()));
    // A second root costs more than all other arcs can win.
    let price = 4.0 * (n as f64) * largest;
    let mut weights = vec![vec![f64::NEG_INFINITY; n + 1]; n + 1];
    for d in 0..n {
        for h in 0..n {
            let own = finite(scores[d * n + h]);
            // Node 0 is the root.
            match d == h {
                true => weights[0][d + 1] = own - price,
                false => weights[h + 1][d + 1] = own,
            }
        }
    }
    let heads = arborescence(&weights);
    (0..n).map(|d| if heads[d + 1] == 0 { d as u32 } else { heads[d + 1] as u32 - 1 }).collect()
}

/// The head of every node but 0 in the spanning tree of the highest weight that node 0 is the root of;
/// `weights[from][to]`.
fn arborescence(weights: &[Vec<f64>]) -> Vec<usize> {
    let n = weights.len();
    let mut heads = vec![0; n];
    for to in 1..n {
        for from in 0..n {
            if from != to && (heads[to] == to || weights[from][to] > weights[heads[to]][to]) {
                heads[to] = from;
            }
        }
    }
    let Some(circle) = circle(&heads) else { return heads };
    // The circle becomes one node, the last; arcs into it cost the arc of the circle that they replace.
    let mut inside = vec![false; n];
    circle.iter().for_each(|&node| inside[node] = true);
    let outside: Vec<usize> = (0..n).filter(|&node| !inside[node]).collect();
    let m = outside.len();
    let mut smaller = vec![vec![f64::NEG_INFINITY; m + 1]; m + 1];
    let (mut enters, mut leaves) = (vec![circle[0]; m], vec![circle[0]; m]);
    for (a, &from) in outside.iter().enumerate() {
        for (b, &to) in outside.iter().enumerate() {
            smaller[a][b] = weights[from][to];
        }
        for &node in &circle {
            let into = weights[from][node] - weights[heads[node]][node];
            if into > smaller[a][m] {
                (smaller[a][m], enters[a]) = (into, node);
            }
            if weights[node][from] > smaller[m][a] {
                (smaller[m][a], leaves[a]) = (weights[node][from], node);
            }
        }
    }
    let found = arborescence(&smaller);
    for (b, &to) in outside.iter().enumerate().skip(1) {
        heads[to] = if found[b] == m { leaves[b] } else { outside[found[b]] };
    }
    let from = found[m];
    heads[enters[from]] = outside[from];
    heads
}

/// Nodes that are heads of each other in a circle, if there are any.
pub(super) fn circle(heads: &[usize]) -> Option<Vec<usize>> {
    // 0: not looked at, otherwise the walk in which a node was met.
    let mut met = vec![0; heads.len()];
    for start in 1..heads.len() {
        let mut node = start;
        while node != 0 && met[node] == 0 {
            met[node] = start;
            node = heads[node];
        }
        if node != 0 && met[node] == start {
            let mut circle = vec![node];
            let mut next = heads[node];
            while next != node {
                circle.push(next);
                next = heads[next];
            }
            return Some(circle);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All trees of up to five tokens, one by one.
    #[test]
    fn the_best_of_all_trees() {
        let mut state = 11u32;
        let mut draw = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / (1 << 24) as f32 * 10.0 - 5.0
        };
        for n in 1..=5usize {
            for _ in 0..40 {
                let scores: Vec<f32> = (0..n * n).map(|_| draw()).collect();
                let value = |heads: &[usize]| heads.iter().enumerate().map(|(d, h)| scores[d * n + h]).sum::<f32>();
                let all = (0..n.pow(n as u32)).map(|k| (0..n).map(|d| k / n.pow(d as u32) % n).collect::<Vec<_>>());
                let is_tree = |heads: &Vec<usize>| {
                    let rooted: Vec<usize> = std::iter::once(0)
                        .chain(heads.iter().enumerate().map(|(d, h)| if *h == d { 0 } else { h + 1 }))
                        .collect();
                    let roots = heads.iter().enumerate().filter(|(d, h)| d == *h).count();
                    roots == 1 && circle(&rooted).is_none()
                };
                let best = all.filter(is_tree).max_by(|a, b| value(a).total_cmp(&value(b))).unwrap();
                let found: Vec<usize> = best_tree(&scores, n).into_iter().map(|h| h as usize).collect();
                assert_eq!(found, best, "{scores:?}");
            }
        }
        assert!(best_tree(&[], 0).is_empty());
        assert_eq!(best_tree(&[f32::NAN; 4], 2).len(), 2);
    }
}
