//! How well times until an event are foretold where some rows were not followed to it.

/// What is known of a row: when it was last seen, and whether the event came then.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Seen {
    /// The time followed.
    pub time: f64,
    /// Whether the event came; otherwise it may come any time later.
    pub event: bool,
}

/// The share of the pairs of rows whose order is known in which the row with the earlier event has the shorter predicted time
/// (Harrell et al. 1982); a tie of predictions counts half. None where no order is known.
pub fn concordance(seen: &[Seen], predicted: &[f64]) -> Option<f64> {
    let mut ranks: Vec<f64> = predicted.to_vec();
    ranks.sort_by(f64::total_cmp);
    ranks.dedup();
    let rank = |value: f64| ranks.partition_point(|other| *other < value);
    let mut order: Vec<usize> = (0..seen.len().min(predicted.len())).collect();
    // Latest first; of one time those that lived on before those with the event, whose time is the shorter.
    order.sort_by(|a, b| seen[*b].time.total_cmp(&seen[*a].time).then(seen[*a].event.cmp(&seen[*b].event)));
    let mut later = Counts(vec![0; ranks.len() + 1]);
    let (mut right, mut pairs, mut there) = (0.0, 0.0, 0_u64);
    let mut at = 0;
    while at < order.len() {
        // Rows with the event at one time have no order among themselves.
        let one = seen[order[at]];
        let end = at + order[at..].iter().take_while(|row| seen[**row] == one).count();
        if one.event {
            for row in &order[at..end] {
                let own = rank(predicted[*row]);
                let (below, up_to) = (later.below(own), later.below(own + 1));
                right += (there - up_to) as f64 + 0.5 * (up_to - below) as f64;
                pairs += there as f64;
            }
        }
        for row in &order[at..end] {
            later.add(rank(predicted[*row]));
            there += 1;
        }
        at = end;
    }
    (pairs > 0.0).then(|| right / pairs)
}

/// How many rows of each rank there are, with quick sums (Fenwick 1994).
struct Counts(Vec<u64>);

impl Counts {
    fn add(&mut self, rank: usize) {
        let mut at = rank + 1;
        while let Some(count) = self.0.get_mut(at) {
            *count += 1;
            at += at & at.wrapping_neg();
        }
    }

    /// Of all lower ranks.
    fn below(&self, rank: usize) -> u64 {
        let (mut at, mut sum) = (rank, 0);
        while at > 0 {
            sum += self.0[at];
            at &= at - 1;
        }
        sum
    }
}

/// A curve that falls at some times: what is left from each on.
pub struct Curve(Vec<(f64, f64)>);

impl Curve {
    /// The share of rows that the event has not come to, by those seen (Kaplan and Meier 1958).
    pub fn of_events(seen: &[Seen]) -> Self {
        Self::falling(seen, true)
    }

    /// The share of rows that are still followed, where the event does not come: rows with the event leave first.
    pub fn of_follow_up(seen: &[Seen]) -> Self {
        Self::falling(seen, false)
    }

    fn falling(seen: &[Seen], events: bool) -> Self {
        let mut order: Vec<Seen> = seen.to_vec();
        order.sort_by(|a, b| a.time.total_cmp(&b.time));
        let (mut left, mut steps, mut at) = (1.0, Vec::new(), 0);
        while at < order.len() {
            let time = order[at].time;
            let here = order[at..].iter().take_while(|row| row.time == time);
            let (all, came) =
                here.fold((0_usize, 0_usize), |(all, came), row| (all + 1, came + usize::from(row.event)));
            let (falls, risk) = match events {
                true => (came, order.len() - at),
                false => (all - came, order.len() - at - came),
            };
            if falls > 0 {
                left *= 1.0 - falls as f64 / risk as f64;
                steps.push((time, left));
            }
            at += all;
        }
        Curve(steps)
    }

    /// What is left at a time.
    pub fn at(&self, time: f64) -> f64 {
        let later = self.0.partition_point(|(step, _)| *step <= time);
        later.checked_sub(1).map_or(1.0, |step| self.0[step].1)
    }
}

/// The squared error of the predicted shares that live on, `rows x times`, averaged over the time between the first and the last
/// of `times`; rows that are not followed so far are stood for by those that are (Graf et al. 1999). None where there are fewer
/// than two times that anybody is followed beyond.
pub fn integrated_brier(seen: &[Seen], times: &[f64], alive: &[f64]) -> Option<f64> {
    let follow_up = Curve::of_follow_up(seen);
    let last = seen.iter().map(|row| row.time).fold(f64::NEG_INFINITY, f64::max);
    let usable = times.iter().take_while(|time| **time < last && follow_up.at(**time) > 0.0).count();
    let times_used = times.get(..usable).filter(|times| times.len() > 1)?;
    let at = |k: usize, time: f64| {
        let left = follow_up.at(time);
        let row = |(row, seen): (usize, &Seen)| {
            let alive = alive[row * times.len() + k];
            match (seen.time <= time, seen.event) {
                (true, true) => alive * alive / follow_up.at(seen.time).max(f64::MIN_POSITIVE),
                (true, false) => 0.0,
                (false, _) => (1.0 - alive) * (1.0 - alive) / left,
            }
        };
        seen.iter().enumerate().map(row).sum::<f64>() / seen.len() as f64
    };
    let scores: Vec<f64> = times_used.iter().enumerate().map(|(k, time)| at(k, *time)).collect();
    let parts = times_used.windows(2).zip(scores.windows(2));
    let area: f64 = parts.map(|(times, scores)| (times[1] - times[0]) * 0.5 * (scores[0] + scores[1])).sum();
    Some(area / (times_used[usable - 1] - times_used[0]))
}
