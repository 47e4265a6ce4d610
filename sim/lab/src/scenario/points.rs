//! Patterns of protocol points: `2pc.coordinator.*`, `commit.*.after_vote_logged`.

/// `*` is any run of letters, and a leading `commit` whatever protocol is configured.
pub(super) fn matches_point(written: &str, point: &str) -> bool {
    let (_, after_protocol) = point.split_once('.').unwrap_or(("", point));
    match written.strip_prefix("commit.") {
        Some(rest) => matches_star(rest, after_protocol),
        None => matches_star(written, point),
    }
}

fn matches_star(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| text.strip_prefix(first)) else { return false };
    let Some(last) = parts.next_back() else { return rest.is_empty() };
    for part in parts {
        let Some(found) = rest.find(part) else { return false };
        rest = &rest[found + part.len()..];
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_in_a_point_is_any_run_of_letters() {
        let point = "2pc.coordinator.after_last_vote";
        for written in [point, "2pc.*", "*", "commit.*.after_*", "commit.coordinator.after_last_vote", "*.after_*_vote"]
        {
            assert!(matches_point(written, point), "{written}");
        }
        for written in
            ["2pc", "2pc.participant.*", "commit", "3pc.*", "2pc.coordinator.after_last_vot", "*.after_*_votes"]
        {
            assert!(!matches_point(written, point), "{written}");
        }
    }
}
