//! Names in messages: the nearest valid one, and lists of all of them.

/// The nearest candidate, foreign spelling apart: scenarios are written in lower case with `_`.
pub(super) fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // Noise of megabytes has no nearest name, and finding that out would take quadratic time.
    if word.len() > 64 {
        return None;
    }
    crate::nearest::nearest(&word.to_ascii_lowercase().replace('-', "_"), candidates)
}

/// `a`, `b`, `c`: at most `most` of them.
pub(super) fn listed<'a>(words: impl IntoIterator<Item = &'a str>, most: usize) -> String {
    let words: Vec<&str> = words.into_iter().collect();
    let shown: Vec<String> = words.iter().take(most).map(|w| format!("`{w}`")).collect();
    if shown.len() < words.len() {
        return format!("{}, … ({} in all)", shown.join(", "), words.len());
    }
    shown.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_spellings_are_recognised_and_noise_is_not() {
        let names = ["timeout", "target", "warmup", "clock_skew"];
        assert_eq!(nearest("Warm-up", names), Some("warmup"));
        assert_eq!(nearest("clock-skew", names), Some("clock_skew"));
        assert_eq!(nearest("executor", names), None);
        assert_eq!(nearest(&"x".repeat(10_000), names), None);
        assert_eq!(listed(names, 2), "`timeout`, `target`, … (4 in all)");
    }
}
