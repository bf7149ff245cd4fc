//! A selection in plain words.

use super::selection::Selected;
use super::verify::Way;
use super::worth::{Set, members};

/// Standard errors beyond which an affinity is told from nothing.
const TOLD: f64 = 2.0;
/// Pairs named of each kind.
const NAMED: usize = 3;

/// Who helps whom, who is hurt, what to do.
pub fn summary(selected: &Selected) -> String {
    let n = selected.tasks.len();
    let name = |task: usize| format!("`{}`", selected.tasks[task]);
    let mut told: Vec<(f64, usize, usize)> = (0..n * n)
        .map(|i| (i / n, i % n))
        .filter(|(from, to)| from != to)
        .map(|(from, to)| (selected.affinity.at(from, to), selected.noise.at(from, to), from, to))
        .filter(|(value, noise, ..)| value.is_finite() && value.abs() > TOLD * noise)
        .map(|(value, _, from, to)| (value, from, to))
        .collect();
    told.sort_by(|a, b| b.0.total_cmp(&a.0));
    let percent = |value: f64| format!("{:.2} %", 100.0 * value);
    let helps: Vec<String> = told
        .iter()
        .filter(|t| t.0 > 0.0)
        .take(NAMED)
        .map(|(value, from, to)| {
            format!("{} helps {} ({} of its loss a step)", name(*from), name(*to), percent(*value))
        })
        .collect();
    let hurts: Vec<String> = told
        .iter()
        .rev()
        .filter(|t| t.0 < 0.0)
        .take(NAMED)
        .map(|(value, from, to)| format!("{} hurts {} ({})", name(*from), name(*to), percent(*value)))
        .collect();
    let mut text = match helps.is_empty() {
        true => "No task helps another beyond the noise of the measurement.".to_owned(),
        false => format!("Most help: {}.", helps.join("; ")),
    };
    if !hurts.is_empty() {
        text.push_str(&format!(" Most harm: {}.", hurts.join("; ")));
    }
    let list = |set: Set| members(set).map(name).collect::<Vec<_>>();
    let group = |m: &super::member::Member| {
        let with = match m.helpers {
            0 => String::new(),
            helpers => format!(" (helped by {})", and(&list(helpers))),
        };
        match m.served.count_ones() {
            1 => format!("{} {}{with}", and(&list(m.served)), if m.helpers == 0 { "alone" } else { "by itself" }),
            _ => format!("{} together{with}", and(&list(m.served))),
        }
    };
    let groups: Vec<String> = selected.members.iter().map(group).collect();
    text.push_str(&format!(" Train {}: {}.", groups.join("; "), selected.reason()));
    match &selected.verified {
        None => text.push_str(" Nothing of this was checked by training; --verify does."),
        Some(verified) => {
            let score = |way: Way| verified.test[way.word()].mean;
            text.push_str(&format!(
                " Trained with {} seeds, the mean test score over tasks was {:.4} with the proposed groups, {:.4} together and \
                 {:.4} apart",
                verified.seeds.len(),
                score(Way::Groups),
                score(Way::Together),
                score(Way::Apart),
            ));
            text.push_str(&match verified.rank_correlation {
                Some(rho) => format!(
                    "; what the signal said of {} places of tasks in groups and what they gained have rank correlation {rho:.2}.",
                    verified.compared
                ),
                None => ".".to_owned(),
            });
        }
    }
    text
}

/// `a`, `a and b`, `a, b and c`.
fn and(all: &[String]) -> String {
    match all {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}
