//! The nearest of a set of names, for hints.

/// The candidate most like `name`, where one is like enough to be what was meant.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower = name.to_lowercase();
    let mut best: Option<(f64, &str)> = None;
    for candidate in candidates {
        let score = strsim::jaro_winkler(&lower, &candidate.to_lowercase());
        // 0.75 lets one or two slips of a short word through and keeps unrelated words out.
        if score >= 0.75 && best.is_none_or(|(top, _)| score > top) {
            best = Some((score, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// "did you mean `x`?", or the whole choice where nothing is near.
pub fn suggest(name: &str, candidates: &[&str]) -> Option<String> {
    if let Some(near) = nearest(name, candidates.iter().copied()) {
        return Some(format!("did you mean `{near}`?"));
    }
    let shown: Vec<String> = candidates.iter().take(12).map(|c| format!("`{c}`")).collect();
    let more = if candidates.len() > 12 { format!(" and {} more", candidates.len() - 12) } else { String::new() };
    (!candidates.is_empty()).then(|| format!("the choice is {}{more}", shown.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_offered_and_far_ones_listed() {
        assert_eq!(nearest("heigth", ["weight", "height"]), Some("height"));
        assert_eq!(nearest("zebra", ["weight", "height"]), None);
        assert_eq!(suggest("epoch", &["batch", "epochs"]).as_deref(), Some("did you mean `epochs`?"));
        assert_eq!(suggest("zzz", &["batch", "epochs"]).as_deref(), Some("the choice is `batch`, `epochs`"));
        assert_eq!(suggest("zzz", &[]), None);
    }
}
