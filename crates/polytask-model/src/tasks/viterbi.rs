//! The best sequence of tags (Viterbi 1967).

/// Tags that may not follow each other have this score.
pub(super) const NEVER: f32 = f32::NEG_INFINITY;

/// The sequence with the highest sum of `scores`, `tokens x tags`, of `start` at the first token, and of
/// `steps[before * tags + after]` between neighbours; of equals the one with the lower tags. Scores that are no numbers
/// count as lowest.
pub(super) fn viterbi(scores: &[f32], start: &[f32], steps: &[f32]) -> Vec<u32> {
    let tags = start.len();
    let mut tokens = scores.chunks_exact(tags.max(1));
    let Some(first) = tokens.next() else { return Vec::new() };
    let mut best: Vec<f32> = first.iter().zip(start).map(|(score, start)| score + start).collect();
    let mut from: Vec<Vec<u32>> = Vec::new();
    for token in tokens {
        let reach = |after: usize| {
            let mut top = (0, NEVER);
            for (before, score) in best.iter().enumerate() {
                let sum = score + steps[before * tags + after];
                if sum > top.1 {
                    top = (before, sum);
                }
            }
            top
        };
        let reached: Vec<(usize, f32)> = (0..tags).map(reach).collect();
        best = reached.iter().zip(token).map(|((_, sum), score)| sum + score).collect();
        from.push(reached.into_iter().map(|(before, _)| before as u32).collect());
    }
    let mut tag = 0;
    for (i, score) in best.iter().enumerate() {
        if *score > best[tag] {
            tag = i;
        }
    }
    let mut path = vec![tag as u32];
    for from in from.iter().rev() {
        tag = from[tag] as usize;
        path.push(tag as u32);
    }
    path.reverse();
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_of_all_sequences() {
        // Every sequence of 4 tokens over 3 tags, against the search.
        let mut state = 7u32;
        let mut draw = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / (1 << 24) as f32 - 0.5
        };
        for _ in 0..50 {
            let scores: Vec<f32> = (0..12).map(|_| draw()).collect();
            let start: Vec<f32> = (0..3).map(|_| draw()).collect();
            let mut steps: Vec<f32> = (0..9).map(|_| draw()).collect();
            steps[5] = NEVER;
            let value = |path: &[usize]| {
                let own: f32 = path.iter().enumerate().map(|(t, tag)| scores[t * 3 + tag]).sum();
                own + start[path[0]] + path.windows(2).map(|w| steps[w[0] * 3 + w[1]]).sum::<f32>()
            };
            let all = (0..81usize).map(|n| [n / 27, n / 9 % 3, n / 3 % 3, n % 3]);
            let best = all.max_by(|a, b| value(a).total_cmp(&value(b))).unwrap();
            assert_eq!(viterbi(&scores, &start, &steps), best.map(|tag| tag as u32));
        }
        assert!(viterbi(&[], &[0.0], &[0.0]).is_empty());
    }
}
